"""Jobs that were claimed manually, as the file has them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from store.verbs import SOMEWHERE, File

from gigq import JobNotFound, LeaseLost
from gigq.claims import Claim
from gigq.liveness import WorkerKey
from gigq.status import ExecutionStatus, JobStatus
from gigq.store import manual, workers

BESIDE = SOMEWHERE._replace(pid=2)


def register(file: File, worker_id: str = "hand", pid: int = 2) -> WorkerKey:
    with file.write() as tx:
        return manual.register(tx, worker_id, SOMEWHERE._replace(pid=pid))


def take(file: File, worker: WorkerKey | None = None) -> Claim:
    (claim,) = file.claim(worker=worker or register(file))
    return claim


def time_out(file: File) -> int:
    with file.write() as tx:
        return manual.time_out(tx)


def held(file: File, job_id: str, own: WorkerKey | None = None) -> Claim:
    with file.queue.database.read() as tx:
        return manual.held(tx, job_id, own=own)


def names(file: File) -> list[str]:
    return [worker.id for worker in file.queue.workers()]


# in whose name


def test_a_program_that_claims_jobs_manually_is_shown_among_the_workers(file: File) -> None:
    file.submit()
    take(file)
    by_hand = file.queue.workers()[1]
    assert (by_hand.id, by_hand.mode, by_hand.concurrency, by_hand.running) == ("hand", "manual", 0, 1)


def test_the_heartbeat_of_a_manual_worker_does_not_move(file: File) -> None:
    register(file)
    with file.queue.database.read() as tx:
        assert [each.counter for each in workers.heartbeats(tx)] == [0, None]


def test_rows_of_the_same_process_that_hold_no_job_do_not_pile_up(file: File) -> None:
    file.submit()
    take(file, register(file, "holds"))
    for _ in range(3):
        register(file, "idle")
    assert names(file) == ["ann", "holds", "idle"]


@pytest.mark.parametrize("other", [{"machine_id": "x"}, {"boot_id": "x"}, {"pid_namespace": "x"}, {"pid": 3}])
def test_the_rows_of_other_processes_stay(file: File, other: dict[str, Any]) -> None:
    with file.write() as tx:
        manual.register(tx, "other", BESIDE._replace(**other))
    register(file)
    assert names(file) == ["ann", "other", "hand"]


def test_the_row_of_a_worker_in_the_same_process_stays(file: File) -> None:
    with file.write() as tx:
        workers.register(tx, "beside", BESIDE, concurrency=1)
    register(file)
    assert names(file) == ["ann", "beside", "hand"]


def test_a_manual_worker_is_asked_neither_to_have_more_slots_nor_to_stop(file: File) -> None:
    register(file)
    assert (file.queue.scale(4), file.queue.stop_workers()) == (1, 1)
    assert (file.queue.scale(4, "hand"), file.queue.stop_workers("hand")) == (0, 0)
    assert [worker.stop for worker in file.queue.workers()] == ["graceful", None]


def test_a_manual_worker_does_not_count_among_those_that_listen(file: File) -> None:
    register(file)
    with file.write() as tx:
        assert workers.leave(tx, file.worker, reason="it was told to stop")


# until when


def test_a_job_that_is_held_manually_for_its_timeout_is_timed_out(file: File) -> None:
    job_id = file.submit(timeout=60)
    take(file)
    file.clock.advance(59.999)
    assert time_out(file) == 0
    file.clock.advance(0.001)
    assert time_out(file) == 1
    job = file.job(job_id)
    assert (job.phase, job.attempts, job.executions[0].status) == ("ready", 1, ExecutionStatus.TIMEOUT)
    assert job.error == "claimed manually and held for longer than its timeout of 60 seconds"
    assert time_out(file) == 0


def test_a_timeout_of_the_last_manual_attempt_ends_the_job(file: File) -> None:
    job_id = file.submit(timeout=60, max_attempts=1)
    take(file)
    file.clock.advance(60)
    time_out(file)
    assert file.job(job_id).status == JobStatus.TIMEOUT


def test_a_job_without_a_timeout_may_be_held_for_ever(file: File) -> None:
    file.submit(timeout=None)
    take(file)
    file.clock.advance(1e9)
    assert time_out(file) == 0


def test_a_job_that_a_worker_runs_is_not_timed_out_by_others(file: File) -> None:
    """The clock may have jumped; the worker measures better."""
    file.submit(timeout=60)
    file.claim()
    file.clock.advance(3600)
    assert time_out(file) == 0


def test_a_clock_that_is_set_back_times_no_job_out(file: File) -> None:
    file.submit(timeout=60)
    take(file)
    file.clock.set(file.clock.now() - timedelta(days=365))
    assert time_out(file) == 0
    file.clock.advance(60)
    assert time_out(file) == 0


def test_the_timeout_starts_over_when_the_function_is_called(file: File) -> None:
    job_id = file.submit(timeout=60)
    claim = take(file)
    file.clock.advance(59)
    with file.write() as tx:
        assert manual.begin(tx, claim.execution_id) is ExecutionStatus.RUNNING
    assert file.job(job_id).started_at == file.job(job_id).executions[0].started_at == file.clock.now()
    file.clock.advance(59)
    assert time_out(file) == 0
    file.clock.advance(1)
    assert time_out(file) == 1


def test_a_manual_execution_that_has_ended_does_not_begin(file: File) -> None:
    job_id = file.submit()
    claim = take(file)
    file.settle(claim, ExecutionStatus.COMPLETED)
    started_at = file.job(job_id).started_at
    file.clock.advance(1)
    with file.write() as tx:
        assert manual.begin(tx, claim.execution_id) is ExecutionStatus.COMPLETED
        assert manual.begin(tx, claim.execution_id + 1) is None
    assert file.job(job_id).started_at == started_at


# what is meant by an id


def test_an_id_means_the_open_claim_of_whichever_program_has_it(file: File) -> None:
    job_id = file.submit(timeout=60, retry_on=["ValueError"], queue="mail")
    claim = take(file)
    assert held(file, job_id) == held(file, job_id, own=register(file, pid=3)) == claim


def test_an_id_never_means_the_claim_of_a_worker(file: File) -> None:
    job_id = file.submit()
    file.claim()
    with pytest.raises(LeaseLost, match="is not claimed manually"):
        held(file, job_id)


def test_an_unknown_id_is_another_error(file: File) -> None:
    with pytest.raises(JobNotFound):
        held(file, "unknown")


@pytest.mark.parametrize("status", [ExecutionStatus.TIMEOUT, ExecutionStatus.LOST, ExecutionStatus.CANCELLED])
def test_a_program_that_has_lost_a_job_cannot_mean_the_claim_of_the_next_program(
    file: File, status: ExecutionStatus
) -> None:
    job_id = file.submit()
    loser = register(file)
    file.settle(take(file, loser), status)
    file.queue.requeue_job(job_id)
    winner = register(file, pid=3)
    claim = take(file, winner)
    with pytest.raises(LeaseLost):
        held(file, job_id, own=loser)
    assert held(file, job_id, own=winner) == claim


def test_a_program_that_has_settled_a_job_may_mean_the_claim_of_the_next_program(file: File) -> None:
    job_id = file.submit()
    first = register(file)
    file.settle(take(file, first), ExecutionStatus.FAILED)
    claim = take(file, register(file, pid=3))
    assert held(file, job_id, own=first) == claim
