"""What a person does to the jobs of a queue: cancel them, and send them back."""

from __future__ import annotations

from gigq.base import QueueBase
from gigq.clock import Duration, to_seconds
from gigq.store import steering


class QueueSteerer(QueueBase):
    """The steering part of a `JobQueue`. Safe to share between threads; every method is one write transaction."""

    def cancel(self, job_id: str, *, running: bool = False) -> bool:
        """Cancel a pending job, and the descendants that need it. False, and nothing done, for any other.

        Args:
            running: cancel it also if it runs. Its status is ``cancelled`` at once; its function is interrupted by
                `JobCancelled` in a thread, or its process is stopped, within moments.
        """
        with self.database.write(self.clock.now()) as tx:
            return steering.cancel(tx, job_id, running=running)

    def requeue_job(self, job_id: str, *, delay: Duration = 0) -> bool:
        """Send a failed, timed-out or cancelled job back, its attempts reset and its error cleared.

        Descendants that were cancelled because of it come back with it.

        Args:
            delay: seconds before it may run.

        Returns:
            False, and nothing done, for any other job, and for one whose parent ended badly: requeue that parent.
        """
        with self.database.write(self.clock.now()) as tx:
            return steering.requeue(tx, job_id, delay=to_seconds(delay))
