"""What a person does to the jobs of a queue: cancel them, send them back, and move them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Unpack

from gigq.clock import Duration, Instant, later, to_instant, to_seconds
from gigq.filters import FilterOptions, Filters, Several
from gigq.priority import to_priority
from gigq.queue.base import QueueBase
from gigq.status import ENDED_BADLY, UNFINISHED, JobStatus
from gigq.store import control, reading
from gigq.store.engine.database import Transaction

_STEERED_AT_ONCE = 200
"""Jobs that one transaction cancels or requeues: about 20 ms, so that workers hardly wait."""


class QueueSteerer(QueueBase):
    """The steering part of a `JobQueue`. Safe to share between threads.

    What is done to one job is one write transaction; what is done to many is one for each 200 of them.
    """

    def cancel(self, job_id: str, *, running: bool = False) -> bool:
        """Cancel a pending job, and the descendants that need it. False, and nothing done, for any other.

        Args:
            running: cancel it also if it runs. Its status is ``cancelled`` at once; its function is interrupted by
                `JobCancelled` in a thread, or its process is stopped, within moments.
        """
        with self.database.write() as tx:
            return control.cancel(tx, job_id, running=running)

    def cancel_jobs(self, status: Several = None, *, running: bool = False, **filters: Unpack[FilterOptions]) -> int:
        """Cancel each job that passes the filters when this is called, as `cancel` does, and return how many.

        The descendants that go with them are not counted. What was done stays done if a later transaction fails.

        Args:
            status: pending, and with `running` also running; by default, all of these.
            running: also those that run.
            filters: as of `list_jobs`; without any, a status must be given, so that nobody cancels all by mistake.

        Raises:
            ValueError: no filter, a status that cannot be cancelled, or a value that a filter cannot have.
        """
        statuses = UNFINISHED if running else (JobStatus.PENDING,)
        chosen = _chosen(Filters.of(status=status, **filters), among=statuses, verb="cancel_jobs")
        return self._steer(chosen, lambda tx, job_id: control.cancel(tx, job_id, running=running))

    def requeue_job(self, job_id: str, *, delay: Duration = 0) -> bool:
        """Send a failed, timed-out or cancelled job back, its attempts reset and its error cleared.

        Descendants that were cancelled because of it come back with it.

        Args:
            delay: seconds before it may run.

        Returns:
            False, and nothing done, for any other job, for one whose parent ended badly (requeue that parent), and for
            one whose `unique_key` an unfinished job has.
        """
        seconds = to_seconds(delay)
        with self.database.write() as tx:
            return control.requeue(tx, job_id, delay=seconds)

    def requeue_jobs(self, status: Several = None, *, delay: Duration = 0, **filters: Unpack[FilterOptions]) -> int:
        """Send each job back that passes the filters when this is called, as `requeue_job` does, and return how many.

        Parents go before their children. The descendants that come back with them are not counted. What was done
        stays done if a later transaction fails.

        Args:
            status: failed, timeout or cancelled; by default, all of these.
            delay: seconds before they may run.
            filters: as of `list_jobs`; without any, a status must be given, so that nobody brings back by mistake what
                was cancelled on purpose.

        Raises:
            ValueError: no filter, a status that cannot be requeued, or a value that cannot be.
        """
        seconds = to_seconds(delay)
        chosen = _chosen(Filters.of(status=status, **filters), among=ENDED_BADLY, verb="requeue_jobs")
        return self._steer(chosen, lambda tx, job_id: control.requeue(tx, job_id, delay=seconds))

    def reschedule(
        self,
        job_id: str,
        *,
        run_at: Instant | None = None,
        delay: Duration | None = None,
        priority: int | str | None = None,
        queue: str | None = None,
    ) -> bool:
        """Change when, how urgently or in which queue a pending job runs. False, and nothing done, for any other.

        A job that waits for a retry or for its parents may be moved too; it goes on waiting for its parents.

        Args:
            run_at, delay: not before this instant, or so many seconds from now; one of the two. An instant that has
                passed, and a delay of 0, mean now.
            priority, queue: as of `Job`.

        Raises:
            ValueError: nothing to change, or a value that cannot be.
        """
        if (run_at, delay, priority, queue) == (None, None, None, None):
            raise ValueError("nothing to change; give run_at, delay, priority or queue")
        if run_at is not None and delay is not None:
            raise ValueError("run_at and delay were both given; give one")
        if queue is not None and not (isinstance(queue, str) and queue):
            raise ValueError(f"queue is {queue!r}; it must be text")
        instant = None if run_at is None else to_instant(run_at)
        seconds = None if delay is None else to_seconds(delay)
        level = None if priority is None else to_priority(priority)
        with self.database.write() as tx:
            when = instant if seconds is None else later(tx.now, seconds)
            return control.reschedule(tx, job_id, run_at=when, priority=level, queue=queue)

    def _steer(self, filters: Filters, act: Callable[[Transaction, str], bool]) -> int:
        with self.database.read() as tx:
            ids = reading.ids(tx, filters)
        done = 0
        for start in range(0, len(ids), _STEERED_AT_ONCE):
            with self.database.write() as tx:
                done += sum(act(tx, job_id) for job_id in ids[start : start + _STEERED_AT_ONCE])
        return done


def _chosen(filters: Filters, *, among: Iterable[JobStatus], verb: str) -> Filters:
    """Return the filters with the statuses that the verb takes, if they let not every job pass."""
    if replace(filters, search=filters.search or None) == Filters.of():
        raise ValueError(f"{verb} without a filter would take every job; give a status or another filter")
    words = [status.value for status in among]
    for status in filters.statuses or ():
        if status not in words:
            hint = "; running=True takes running ones too" if status == JobStatus.RUNNING else ""
            raise ValueError(f"status is {status!r}; {verb} takes {', '.join(words)}{hint}")
    return filters if filters.statuses is not None else replace(filters, statuses=words)
