"""What is read of a queue for the screen, and when: only after it has changed, and never for long."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from gigq import query
from gigq.cli.top.scene import Crew, FailureLine, JobLine, Minute, QueueLine, Scene
from gigq.errors import GigqError, ReadTooLong
from gigq.status import JobStatus, Phase

if TYPE_CHECKING:
    from gigq.history_records import FailureGroup, Throughput
    from gigq.next_records import NextJob
    from gigq.queue.job_queue import JobQueue
    from gigq.queue_records import HeldJob
    from gigq.records import JobRecord

T = TypeVar("T")

CHECK = 0.25
"""Seconds between two questions whether the file has changed: it cannot be drawn more often than that."""

_AGAIN = 1.0
"""Seconds until a file that could not be read is tried again."""

_SHARE = 9
"""Seconds of rest for each second that a look took: on a slow machine the screen is late, and never in the way."""

_BUDGET = 0.2
"""Seconds that one read may take. What it has found by then is shown."""

_MOST = 200
"""Jobs, failures or queues that are read for a pane; the number of all of them stands in its title."""

_DAY, _HOUR = 86_400, 60

_LONGEST = 500
"""Characters of a text that are kept."""

_AT_THE_END = datetime.max.replace(tzinfo=UTC)


class Watch:
    """Reads a queue for the screen.

    Belongs to one thread.

    Args:
        queue: the queue.
        reopen: opens it again, when its file has been replaced.
        hide: returns a text without the secrets in it.

    Attributes:
        queue: the queue.
        scene: what was read last.
    """

    def __init__(
        self, queue: JobQueue, *, reopen: Callable[[], JobQueue], hide: Callable[[str], str] = lambda text: text
    ) -> None:
        self._reopen, self._hide = reopen, hide
        self.queue = queue
        self._filter = ""
        self._changes: object = None
        self._seen: object = None
        self._due = 0.0
        self._has_looked = False
        self.scene = Scene(self.queue.clock.now(), self.queue.db_path)

    @property
    def now(self) -> datetime:
        """The instant now, in the queue's time."""
        return self.queue.clock.now()

    @property
    def due(self) -> float:
        """When to look again, in the monotonic time of the queue's clock."""
        return self._due

    def show(self, text: str) -> None:
        """Show the jobs that match a filter instead of those that run; with an empty text, those that run.

        Raises:
            ValueError: it is no filter, with what is wrong. The one before stays.
        """
        query.parse(text)
        self._filter = text
        self.refresh()

    def refresh(self) -> None:
        """Read at the next look, whether the file has changed or not."""
        self._changes, self._due = None, 0.0

    def look(self) -> bool:
        """Read what has changed, and return whether the scene is another one."""
        began = self.queue.clock.monotonic()
        before = self.scene
        try:
            self._look()
        except (GigqError, OSError) as error:
            trouble = self._open_again() or error
            self.scene = self.scene._replace(trouble=str(trouble) or type(trouble).__name__)
            self._changes = None
        now = self.queue.clock.monotonic()
        rest = _SHARE * (now - began) if self._has_looked else 0.0  # the first look takes long, for it imports much
        self._due, self._has_looked = now + max(_AGAIN if self.scene.trouble else CHECK, rest), True
        return self.scene is not before

    def job(self, job_id: str) -> JobLine | None:
        """Return a job as a line, whether it is in a pane or not; None if it was deleted."""
        found = self.queue.get_job(job_id)
        return found and self._matching(found)

    def close(self) -> None:
        """Close the queue."""
        self.queue.close()

    def _look(self) -> None:
        now = self.now
        changes = self.queue.changes()
        has_turned = now.replace(second=0, microsecond=0) != self.scene.at.replace(second=0, microsecond=0)
        if changes == self._changes and not has_turned:
            return
        light = self._light(self.scene)
        newest = tuple(self.queue.history.executions(limit=1, within=_BUDGET))
        seen = (light.queues, [job.id for job in light.running], newest)
        if seen != self._seen or has_turned or self._changes is None:  # a heartbeat alone changes the file too
            light = self._heavy(light, now)
        self._changes, self._seen = changes, seen
        self.scene = light._replace(at=now, trouble="")

    def _light(self, scene: Scene) -> Scene:
        """Read what changes with each job, in a few milliseconds."""
        scene = scene._replace(
            queues=tuple(
                QueueLine(
                    each.name, each.is_paused, each.ready, each.scheduled, each.running, each.max_running,
                    each.oldest_ready_at,
                )
                for each in self.queue.queues()
            ),
            filter=self._filter,
        )  # fmt: skip
        if self._filter:
            return self._matches(scene)
        held = [self._running(job, worker.id) for worker in self.queue.workers() for job in worker.jobs]
        held.sort(key=lambda job: (job.at or _AT_THE_END, job.id))  # the order in which they began: lines stay
        return scene._replace(running=tuple(held[:_MOST]), running_count=f"{len(held):,}")

    def _matches(self, scene: Scene) -> Scene:
        filters = query.parse(self._filter, now=self.now)  # each time: `since:2h` goes on
        found = self.queue.find_jobs(limit=_MOST, within=_BUDGET, **filters)
        count = f"{len(found):,}" if found.cursor is None and not found.is_cut else f"{len(found):,}+"
        searched = found.looked_at if found.is_cut else 0
        return scene._replace(running=tuple(map(self._matching, found)), running_count=count, searched=searched)

    def _heavy(self, scene: Scene, now: datetime) -> Scene:
        """Read what takes longer: the last hour, the last day, what is next. What is too slow stays as it was."""
        history, newest = self.queue.history, self.queue.find_jobs(limit=1, within=_BUDGET)
        begun = now.replace(second=0, microsecond=0) - timedelta(minutes=_HOUR - 1)
        reads: dict[str, Callable[[], Any]] = {
            "health": lambda: self.queue.health(oldest_ready=None, within=_BUDGET),
            "sentences": lambda: self.queue.why(within=_BUDGET),
            "minutes": lambda: _minutes(begun, history.throughput(begun, 60, within=_BUDGET)),
            "failures": lambda: self._failures(history.failures(_DAY, within=_BUDGET), newest.bound),
            "next": lambda: tuple(map(self._next, self.queue.next_jobs(_MOST // 4, within=_BUDGET))),
        }
        found: dict[str, Any] = {"is_empty": not newest}
        for name, read in reads.items():
            with suppress(ReadTooLong):
                found[name] = read()
        unread = reads.keys() - found.keys()
        if unread & {"health", "sentences"}:
            unread |= {"crew", "sentences"}
        found["unread"] = frozenset(unread - {"health"})
        health, sentences = found.pop("health", None), found.pop("sentences", None)
        if health is not None and sentences is not None:
            troubles = [] if health.is_ok else list(map(self._hide, health.sentences))
            said = set(map(_without_numbers, troubles))  # the ages in them go on between the two reads
            others = (each for each in map(self._hide, sentences) if _without_numbers(each) not in said)
            found["crew"] = Crew(health.workers, health.slots, health.busy)
            found["sentences"], found["troubles"] = (*troubles, *others), frozenset(troubles)
        return scene._replace(**found)

    def _running(self, job: HeldJob, worker: str) -> JobLine:
        phase = Phase.RUNNING if job.started_at else Phase.RESERVED
        return JobLine(
            job.id, self._told(job.name), phase, job.function, job.queue, self._told(worker), job.started_at,
            share=_share(job.progress),
        )  # fmt: skip

    def _matching(self, job: JobRecord) -> JobLine:
        is_pending = job.status is JobStatus.PENDING
        at = job.completed_at or (job.run_at or job.created_at if is_pending else job.started_at)
        return JobLine(
            job.id, self._told(job.name), job.phase, job.function, job.queue, job.worker_id or "", at, job.duration,
            _share(job.progress), job.priority,
        )  # fmt: skip

    def _failures(self, groups: Sequence[FailureGroup], bound: int) -> tuple[FailureLine, ...]:
        return tuple(
            FailureLine(
                each.key, self._told(each.function), self._told(each.message), each.failures, each.dead, each.last_at,
                each.job_id, each, bound,
            )
            for each in groups[:_MOST]
        )  # fmt: skip

    def _next(self, job: NextJob) -> JobLine:
        return JobLine(
            job.id, self._told(job.name), job.phase, job.function, job.queue, at=job.starts_at, priority=job.priority,
            reason=job.reason or "",
        )  # fmt: skip

    def _told(self, text: str) -> str:
        """As much of a text as the widest screen shows, without its secrets: a name may have a million characters."""
        return self._hide(text)[:_LONGEST]

    def _open_again(self) -> Exception | None:
        """Open the file anew: it may have been replaced, and then the old one stays gone. Return why it cannot be."""
        try:
            opened = self._reopen()
        except (GigqError, OSError) as error:
            return error
        self.queue.close()
        self.queue = opened
        return None


def _without_numbers(sentence: str) -> str:
    return re.sub(r"\d+", "", sentence)


def _share(progress: dict[str, Any] | None) -> float | None:
    percentage = progress.get("percentage") if progress else None
    return None if percentage is None else percentage / 100


def _minutes(begun: datetime, found: Iterable[Throughput]) -> tuple[Minute, ...]:
    minutes = [Minute(0, 0)] * _HOUR
    for each in found:
        place = int((each.at - begun).total_seconds() // 60)
        if 0 <= place < _HOUR:
            before = minutes[place]
            failed = each.failed + each.timeout + each.lost
            minutes[place] = Minute(before.completed + each.completed, before.failed + failed)
    return tuple(minutes)
