"""The schedules of a queue: rules that submit jobs at certain times, kept in the file and run by the workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, Unpack

from gigq import checks
from gigq.checks import Default
from gigq.clock import Clock, Duration, to_seconds
from gigq.cron import Cron, Interval, ticks, zone_named
from gigq.job import Job, SharedOptions, Submittable, is_task
from gigq.job_ids import new_job_id
from gigq.queue.preparing import prepare
from gigq.queue_records import ScheduleRecord
from gigq.store import acting, schedules
from gigq.store.engine.database import Database

Missed = Literal["once", "skip", "all"]

_OF_ONE_JOB = ("id", "run_at", "delay", "expires_at", "dependencies")


class ScheduleOptions(SharedOptions, total=False):
    """The options that all jobs of a schedule have in common: the arguments of their function, and those of `Job`."""

    args: Sequence[Any]
    params: Mapping[str, Any] | None


class Schedules:
    """The schedules of a queue: ``queue.schedules``. Iterating yields a `ScheduleRecord` each, in alphabetical order.

    At each tick of a schedule one of the workers submits a job. Without a worker nothing ticks. Safe to share between
    threads.

    Example:
        >>> from calendar import isleap
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     schedule = queue.schedules.add("nightly", isleap, cron="30 2 * * *", params={"year": 2028})
        ...     job_id = queue.schedules.run("nightly")
        ...     [each.name for each in queue.schedules], queue.get_status(job_id)["name"]
        (['nightly'], 'nightly')
    """

    def __init__(
        self, database: Database, clock: Clock, *, params_limit: int, default: Default | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._params_limit = params_limit
        self._default = default

    def add(
        self,
        name: str,
        function: Callable[..., Any] | Submittable | str,
        *,
        cron: str | None = None,
        every: Duration | None = None,
        timezone: str = "UTC",
        missed: Missed = "once",
        overlap: bool = True,
        **options: Unpack[ScheduleOptions],
    ) -> ScheduleRecord:
        """Add a schedule, or change the one of this name, and return it. One write transaction.

        A program may add its schedules each time it starts: while the rule stays the same, so does the next tick.

        Args:
            name: the name of the schedule and of its jobs.
            function: what its jobs call, as for `Job`. A task keeps its options.
            cron: when it ticks, as a cron line of five fields, or a word such as ``@daily``. Give this or `every`.
            every: the seconds from one tick to the next, at least 1. The first tick comes after that time.
            timezone: the time zone of the cron line, such as ``Europe/Berlin``.
            missed: what to do about ticks that came more than a minute ago, while no worker ran: submit one job for all
                of them (``once``), none (``skip``), or one for each (``all``, at most the latest 100).
            overlap: False submits nothing at a tick while the last job of the schedule is unfinished.
            options: `params`, `args`, and the options of `Job` that its jobs can have in common.

        Raises:
            ValueError: an invalid rule, time zone or option.
            TypeError: there is no such option.
            InvalidJob: the job cannot be stored, with the reason.

        Example:
            >>> from calendar import isleap
            >>> from gigq import JobQueue, ManualClock
            >>> with JobQueue(":memory:", clock=ManualClock()) as queue:
            ...     schedule = queue.schedules.add("leap", isleap, cron="0 9 * * mon", params={"year": 2028})
            ...     str(schedule.next_at)
            '2026-01-05 09:00:00+00:00'
        """
        job = prepare(_job(name, function, options), limit=self._params_limit, default=self._default)
        zone, now = zone_named(timezone), self._clock.now()
        rule = _rule(cron, every, anchor=now)
        new = ScheduleRecord(
            name=name,
            cron=rule.line if isinstance(rule, Cron) else None,
            every=rule.seconds if isinstance(rule, Interval) else None,
            timezone=timezone,
            missed=checks.one_of(missed, "missed", choices=("once", "skip", "all")),
            overlap=bool(overlap),
            is_paused=False,
            next_at=rule.after(now, zone),
            last_at=None,
            last_job=None,
            created_at=now,
            function=job.function,
            queue=job.queue,
        )
        with self._database.write() as tx:
            schedules.add(tx, new, job)
            acting.note(tx, self._database, "schedules.add", 1, _rule_as_given(new), schedule=name)
            return schedules.record(tx, name) or new

    def get(self, name: str) -> ScheduleRecord | None:
        """Return a schedule as the file holds it now, or None."""
        wanted = checks.any_text(name, "name")
        with self._database.read() as tx:
            return schedules.record(tx, wanted)

    def remove(self, name: str) -> bool:
        """Delete a schedule; the jobs that it has submitted stay. Returns False for an unknown name."""
        wanted = checks.any_text(name, "name")
        with self._database.write() as tx:
            is_done = schedules.remove(tx, wanted)
            acting.note(tx, self._database, "schedules.remove", is_done, schedule=wanted)
        return is_done

    def pause(self, name: str) -> bool:
        """Stop a schedule from submitting jobs until `resume`. Returns False for an unknown name."""
        wanted = checks.any_text(name, "name")
        with self._database.write() as tx:
            is_done = schedules.pause(tx, wanted)
            acting.note(tx, self._database, "schedules.pause", is_done, schedule=wanted)
        return is_done

    def resume(self, name: str) -> bool:
        """Let a paused schedule go on with its next tick from now. Returns False for an unknown name."""
        wanted = checks.any_text(name, "name")
        with self._database.write() as tx:
            is_done = schedules.resume(tx, wanted)
            acting.note(tx, self._database, "schedules.resume", is_done, schedule=wanted)
        return is_done

    def run(self, name: str) -> str:
        """Submit the job of a schedule now, paused or not, and return the job's id. The ticks stay as they are.

        Raises:
            ValueError: there is no schedule of this name.
        """
        wanted = checks.any_text(name, "name")
        with self._database.write() as tx:
            submitted = schedules.run(tx, wanted, job_id=new_job_id())
            done = submitted is not None
            acting.note(tx, self._database, "schedules.run", done, acting.given(id=submitted), schedule=wanted)
        if submitted is None:
            raise ValueError(f"no schedule has the name {name!r:.80}")
        return submitted

    def preview(self, name: str, n: int = 10) -> list[datetime]:
        """Return the next `n` ticks of a schedule, in UTC, as if it were not paused.

        Raises:
            ValueError: there is no schedule of this name.
        """
        schedule, number = self.get(name), checks.count(n, "n")
        if schedule is None:
            raise ValueError(f"no schedule has the name {name!r:.80}")
        zone = zone_named(schedule.timezone)
        return ticks(schedules.rule_of(schedule), self._clock.now(), zone=zone, count=number)

    def __iter__(self) -> Iterator[ScheduleRecord]:
        with self._database.read() as tx:
            found = schedules.records(tx)
        return iter(found)


def _job(name: str, function: Callable[..., Any] | Submittable | str, options: ScheduleOptions) -> Job:
    """Return the job that every tick submits, but for its id."""
    for option in _OF_ONE_JOB:
        if option in options:
            raise ValueError(f"a schedule cannot give all its jobs the same {option}")
    checks.known(options, among=ScheduleOptions.__annotations__, what="option of a schedule")
    if is_task(function):
        params, args = options.pop("params", None) or {}, options.pop("args", ())
        return replace(function.to_job(*args, **params), name=name, **options)
    plain: Any = function
    return Job(name, plain, **options)


def _rule_as_given(schedule: ScheduleRecord) -> dict[str, Any]:
    rule = {"cron": schedule.cron, "every": schedule.every, "function": schedule.function}
    return {name: value for name, value in rule.items() if value is not None}


def _rule(cron: str | None, every: Duration | None, *, anchor: datetime) -> Cron | Interval:
    if (cron is None) == (every is None):
        raise ValueError("a schedule ticks by cron= or by every=; give one of the two")
    if every is not None:
        return Interval(seconds=to_seconds(every, "every"), anchor=anchor)
    return Cron.parse(cron or "")
