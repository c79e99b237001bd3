"""What a person says of the named queues in a file: pauses and limits; and how they stand."""

from __future__ import annotations

from gigq.clock import Duration, to_seconds
from gigq.queue.base import QueueBase
from gigq.records import QueueRecord
from gigq.store import queues

_MOST = 1_000_000


class QueueRegulator(QueueBase):
    """The part of a `JobQueue` that knows of named queues. Safe to share between threads.

    What is said of a queue stands in the file: it holds for all workers, from their next claim on, until it is said
    otherwise, and for a queue that has no jobs yet too. A worker may still run what it has claimed before.
    """

    def queues(self) -> list[QueueRecord]:
        """Return the queues that hold unfinished jobs or of which something was said, in alphabetical order."""
        with self.database.read() as tx:
            return queues.records(tx)

    def pause(self, queue: str | None = None) -> None:
        """Let no worker claim jobs of a queue, or by default of any queue. One write transaction.

        Raises:
            ValueError: it is not the name of a queue.
        """
        self._set_paused(queue, is_paused=True)

    def resume(self, queue: str | None = None) -> None:
        """Take back `pause` with the same argument: a queue paused by its name stays so after ``resume()``.

        Raises:
            ValueError: it is not the name of a queue.
        """
        self._set_paused(queue, is_paused=False)

    def configure(
        self,
        queue: str,
        *,
        max_running: int | None = None,
        rate_limit: int | None = None,
        rate_period: Duration = 1.0,
    ) -> None:
        """Limit a queue anew: what is not given is not limited any more. One write transaction.

        Args:
            queue: its name, whether it holds jobs or not.
            max_running: how many of its jobs may run at a time, in all workers together.
            rate_limit: how many of its jobs may start within any `rate_period`, in all workers together.
            rate_period: seconds.

        Raises:
            ValueError: an argument that cannot be.
        """
        period = to_seconds(rate_period)
        if period == 0:
            raise ValueError("rate_period is 0; it must be more than 0")
        with self.database.write() as tx:
            queues.set_limits(
                tx,
                _name(queue),
                max_running=_limit(max_running, "max_running"),
                rate_limit=_limit(rate_limit, "rate_limit"),
                rate_period=None if rate_limit is None else period,
            )

    def _set_paused(self, queue: str | None, *, is_paused: bool) -> None:
        with self.database.write() as tx:
            queues.set_paused(tx, queues.ALL if queue is None else _name(queue), is_paused=is_paused)


def _name(queue: object) -> str:
    if not isinstance(queue, str) or not queue or any("\ud800" <= character <= "\udfff" for character in queue):
        raise ValueError(f"{queue!r} is not the name of a queue; it must be text that UTF-8 can hold")
    return queue


def _limit(value: object, name: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise ValueError(f"{name} is {value!r}; it must be a whole number from 1 to {_MOST:,}, or None for no limit")
    return value
