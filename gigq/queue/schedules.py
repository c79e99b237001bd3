"""Schedules as people hold them: rules that submit jobs, run by the workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from gigq.clock import Clock, Duration, to_seconds
from gigq.cron import Cron, Interval, ticks, zone_named
from gigq.job import Job, Submittable, new_job_id
from gigq.queue.preparing import prepare
from gigq.records import ScheduleRecord
from gigq.store import schedules
from gigq.store.engine.database import Database

_MISSED = ("once", "skip", "all")


class Schedules:
    """The schedules of a queue: ``queue.schedules``. Safe to share between threads; iterating yields `ScheduleRecord`.

    The workers submit a job at each tick, once however many they are. Without a worker nothing ticks.
    """

    def __init__(self, database: Database, clock: Clock, *, params_limit: int) -> None:
        self._database = database
        self._clock = clock
        self._params_limit = params_limit

    def add(
        self,
        name: str,
        function: Callable[..., Any] | Submittable | str,
        *,
        cron: str | None = None,
        every: Duration | None = None,
        timezone: str = "UTC",
        missed: str = "once",
        overlap: bool = True,
        **options: Any,
    ) -> ScheduleRecord:
        """Enter a schedule, or change the one of this name, and return it. One write transaction.

        A script may add its schedules whenever it starts: while the rule stays the same, so does the next tick.

        Args:
            name: of the schedule, and of its jobs.
            function: what they call, as for `Job`; a task keeps its options.
            cron: a line of five fields, or such as ``@daily``; or else
            every: seconds from one tick to the next, at least 1; the first comes after so many.
            timezone: in which the cron line is read, such as ``Europe/Berlin``.
            missed: what to do about ticks that came more than a minute ago, while no worker ran: submit one job for all
                of them (``once``), none (``skip``), or one for each (``all``, the latest 100).
            overlap: False submits nothing at a tick while the last job of the schedule is unfinished.
            options: of `Job`, but for those of a single job: its id, times and dependencies.

        Raises:
            ValueError: a rule, zone or option that cannot be.
            InvalidJob: the job cannot be stored, with the reason.
        """
        job = prepare(_job(name, function, options), limit=self._params_limit)
        if missed not in _MISSED:
            raise ValueError(f"missed is {missed!r}; it must be one of {', '.join(_MISSED)}")
        zone, now = zone_named(timezone), self._clock.now()
        rule = _rule(cron, every, anchor=now)
        new = ScheduleRecord(
            name=name,
            cron=rule.line if isinstance(rule, Cron) else None,
            every=rule.seconds if isinstance(rule, Interval) else None,
            timezone=timezone,
            missed=missed,
            overlap=overlap,
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
            return schedules.record(tx, name) or new

    def get(self, name: str) -> ScheduleRecord | None:
        """Return a schedule as the file holds it now, or None."""
        with self._database.read() as tx:
            return schedules.record(tx, name)

    def remove(self, name: str) -> bool:
        """Forget a schedule; the jobs that it has submitted stay. False if there is none of this name."""
        with self._database.write() as tx:
            return schedules.remove(tx, name)

    def pause(self, name: str) -> bool:
        """Let a schedule submit nothing until `resume`. False if there is none of this name."""
        with self._database.write() as tx:
            return schedules.pause(tx, name)

    def resume(self, name: str) -> bool:
        """Let a paused schedule go on with its next tick from now. False if there is none of this name."""
        with self._database.write() as tx:
            return schedules.resume(tx, name)

    def run(self, name: str) -> str:
        """Submit the job of a schedule now, paused or not, and return the job's id; its ticks stay as they are.

        Raises:
            ValueError: there is no schedule of this name.
        """
        with self._database.write() as tx:
            submitted = schedules.run(tx, name, job_id=new_job_id())
        if submitted is None:
            raise ValueError(f"there is no schedule {name!r}")
        return submitted

    def preview(self, name: str, n: int = 10) -> list[datetime]:
        """Return the next ticks of a schedule, in UTC, as if it were not paused.

        Raises:
            ValueError: there is no schedule of this name.
        """
        schedule = self.get(name)
        if schedule is None:
            raise ValueError(f"there is no schedule {name!r}")
        now = self._clock.now()
        return ticks(schedules.rule_of(schedule), now, zone=zone_named(schedule.timezone), count=n)

    def __iter__(self) -> Iterator[ScheduleRecord]:
        with self._database.read() as tx:
            found = schedules.records(tx)
        return iter(found)


def _job(name: str, function: Callable[..., Any] | Submittable | str, options: dict[str, Any]) -> Job:
    for option in ("id", "run_at", "delay", "expires_at", "dependencies"):
        if option in options:
            raise ValueError(f"a schedule cannot give all its jobs the same {option}")
    if isinstance(function, str) or not hasattr(function, "to_job"):
        return Job(name, function, **options)
    params, args = options.pop("params", None) or {}, options.pop("args", ())
    return replace(function.to_job(*args, **params), name=name, **options)


def _rule(cron: str | None, every: Duration | None, *, anchor: datetime) -> Cron | Interval:
    if (cron is None) == (every is None):
        raise ValueError("a schedule ticks by cron= or by every=; give one of the two")
    if cron is not None:
        return Cron.parse(cron)
    return Interval(seconds=to_seconds(every or 0), anchor=anchor)
