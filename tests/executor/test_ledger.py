"""What the worker of a run still has to write of its calls."""

from __future__ import annotations

from gigq import Job, JobQueue
from gigq.executor.ledger import Ledger

RUN = "#run-1"


def test_a_cancelled_call_that_was_claimed_ahead_is_not_forgotten_before_it_has_ended(queue: JobQueue) -> None:
    ledger = Ledger(None, queue=RUN)
    job_id = queue.submit(Job("call", "functions:nothing", queue=RUN))
    claim = queue.dequeue(queues=[RUN])
    assert claim is not None

    ledger.note_cancelled(job_id)
    clear(ledger, queue)
    assert ledger

    queue.fail(claim, "not wanted", retry=False)
    ledger.note_ended(job_id)
    clear(ledger, queue)
    assert (bool(ledger), queue.get_job(job_id)) == (False, None)


def test_a_cancelled_call_that_waits_is_deleted_at_once(queue: JobQueue) -> None:
    ledger = Ledger(None, queue=RUN)
    job_id = queue.submit(Job("call", "functions:nothing", queue=RUN))

    ledger.note_cancelled(job_id)
    clear(ledger, queue)

    assert (bool(ledger), queue.get_job(job_id)) == (False, None)


def clear(ledger: Ledger, queue: JobQueue) -> None:
    with queue.database.write() as tx:
        ledger.clear(tx, is_due=True)
    ledger.taken()
