"""What is made of all that a queue's file holds: why a job waits, and how the queue does."""

from __future__ import annotations

from typing import Any

from gigq.errors import JobNotFound
from gigq.liveness import certainly_dead
from gigq.process import is_gone, this_process
from gigq.queue.base import QueueBase
from gigq.store import metrics, why, workers


class QueueAnalyst(QueueBase):
    """The explaining part of a `JobQueue`. Safe to share between threads; every method is one read transaction."""

    def why(self, job_id: str) -> list[str]:
        """Return every reason why a job is not running, or what became of it: sentences for people.

        There is at least one. Their wording may change; programs go by `get_status`. Whether a worker lives is judged
        from here: its process has ended, on this machine, or it has been silent for 15 seconds.

        Raises:
            JobNotFound: no job has this id.
        """
        here = this_process()
        with self.database.read() as tx:
            gone = certainly_dead(workers.heartbeats(tx), here=here, is_gone=is_gone)
            found = why.why(tx, job_id, gone=gone)
        if found is None:
            raise JobNotFound(job_id)
        return found

    def metrics(self) -> dict[str, Any]:
        """Return what the queue is measured by, as plain values that JSON can hold, all of one instant (``at``).

        ``statuses``, ``phases``: jobs of each. ``queues``: of each with unfinished jobs, or of which something was
        said, what is ready, scheduled and running, whether it is paused, and the age of its oldest ready job.
        ``priorities``: ready jobs by priority. ``windows``: for the last ``1m``, ``5m`` and ``60m`` how many
        executions ended how, how many of those were not a job's first attempt (``retried``), and percentiles of how
        long jobs were ``waiting`` from the submit to the first start (delays and parents included), and of how long
        functions were ``running``. ``claims``: executions ever opened, the one number that only grows. ``workers``:
        how many, and the slots of the living; who takes jobs by hand is none.

        Durations are seconds, None where nothing was measured. What is pruned or deleted is not counted any more.
        The percentiles of more than 10,000 executions are those of an even sample. An execution that ended in another
        attempt is missed if it took longer than the window and 10,000 later ones. It reads the index of all jobs, and
        of the executions the last hour's: with a million finished jobs in the file some tenths of a second.
        """
        here = this_process()
        with self.database.read() as tx:
            gone = certainly_dead(workers.heartbeats(tx), here=here, is_gone=is_gone)
            return metrics.metrics(tx, gone=gone)
