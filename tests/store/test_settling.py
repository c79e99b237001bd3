"""The end of every execution, and what then becomes of its job and the job's children."""

from __future__ import annotations

from datetime import timedelta

import pytest
from store.verbs import SOMEWHERE, File

from gigq import LeaseLost
from gigq.reports import Report
from gigq.status import ExecutionStatus, JobStatus, Move
from gigq.store import settling, workers


def test_a_result_is_stored_once_on_the_job(file: File) -> None:
    job_id = file.submit()
    file.complete(job_id, result='{"n":3}')
    job = file.job(job_id)
    assert (job.status, job.result, job.error, job.completed_at) == (
        JobStatus.COMPLETED,
        {"n": 3},
        None,
        file.clock.now(),
    )


def test_an_error_is_stored_on_its_execution_and_the_last_one_on_the_job(file: File) -> None:
    job_id = file.submit(max_attempts=2)
    for message in ("first", "second"):
        (claim,) = file.claim()
        file.settle(claim, ExecutionStatus.FAILED, error=message, error_type="ValueError", traceback=f"… {message}")
    job = file.job(job_id)
    assert (job.status, job.error) == (JobStatus.FAILED, "second")
    assert [(each.attempt, each.error, each.traceback) for each in job.executions] == [
        (1, "first", "… first"),
        (2, "second", "… second"),
    ]
    assert job.executions[0].error_type == "ValueError"


def test_a_retry_without_delay_is_ready_at_once(file: File) -> None:
    job_id = file.submit()
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.FAILED)
    assert file.job(job_id).phase == "ready"
    assert file.claim()[0].attempt == 2


def test_a_retry_waits_as_its_rule_says(file: File) -> None:
    job_id = file.submit(max_attempts=4, retry_delay=10, retry_backoff=3, retry_max_delay=60)
    for wait in (10, 30, 60):
        (claim,) = file.claim()
        file.settle(claim, ExecutionStatus.FAILED)
        job = file.job(job_id)
        assert (job.phase, job.run_at) == ("retrying", file.clock.now() + timedelta(seconds=wait))
        file.clock.advance(wait)


def test_a_first_wait_of_hours_is_not_cut(file: File) -> None:
    job_id = file.submit(retry_delay=21_600)
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.FAILED)
    assert file.job(job_id).run_at == file.clock.now() + timedelta(hours=6)


def test_jitter_shortens_the_wait(file: File) -> None:
    job_id = file.submit(retry_delay=10, retry_jitter=0.5)
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.FAILED, chance=1.0)
    assert file.job(job_id).run_at == file.clock.now() + timedelta(seconds=5)


def test_of_a_job_that_is_given_back_without_end_the_first_and_the_last_20_executions_are_kept(file: File) -> None:
    other = file.submit("other", priority=-1)
    job_id = file.submit(max_attempts=2)
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.FAILED, error="no")
    for number in range(50):
        (claim,) = file.claim()
        file.settle(claim, ExecutionStatus.RELEASED, error=f"{number}")
    job = file.job(job_id)
    assert [each.error for each in job.executions] == ["no", "0", *(f"{number}" for number in range(30, 50))]
    assert {each.attempt for each in job.executions[1:]} == {2}
    assert (job.attempts, job.releases, job.error) == (1, 50, "no")
    assert file.queue.check() == []
    file.complete(job_id)
    assert len(file.job(job_id).executions) == 23
    file.complete(other)
    assert (file.job(other).releases, len(file.job(other).executions)) == (0, 1)


def test_releases_are_bounded_over_a_requeue_too(file: File) -> None:
    job_id = file.submit()
    for _ in range(30):
        (claim,) = file.claim()
        file.settle(claim, ExecutionStatus.RELEASED)
    file.queue.cancel(job_id)
    file.queue.requeue_job(job_id)
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.RELEASED)
    assert (file.job(job_id).releases, len(file.job(job_id).executions)) == (31, 21)


def test_a_final_failure_leaves_attempts_unused(file: File) -> None:
    job_id = file.submit(max_attempts=5)
    file.fail(job_id)
    assert (file.job(job_id).status, file.job(job_id).attempts) == (JobStatus.FAILED, 1)


def test_the_last_timeout_ends_the_job_as_timeout(file: File) -> None:
    job_id = file.submit(max_attempts=2)
    for status in (JobStatus.PENDING, JobStatus.TIMEOUT):
        file.settle(file.claim()[0], ExecutionStatus.TIMEOUT, error="timed out after 1 seconds")
        assert file.job(job_id).status == status


def test_a_released_job_gets_its_attempt_back(file: File) -> None:
    job_id = file.submit(max_attempts=1)
    file.settle(file.claim()[0], ExecutionStatus.RELEASED, delay=30)
    job = file.job(job_id)
    assert (job.phase, job.attempts, job.run_at) == ("scheduled", 0, file.clock.now() + timedelta(seconds=30))
    file.clock.advance(30)
    assert file.claim()[0].attempt == 1


def test_a_released_job_keeps_the_error_of_the_attempt_that_failed(file: File) -> None:
    job_id = file.submit(max_attempts=3)
    file.settle(file.claim()[0], ExecutionStatus.FAILED, error="no luck")
    file.settle(file.claim()[0], ExecutionStatus.RELEASED, error="its worker stopped")
    assert file.job(job_id).error == "no luck"


def test_a_late_worker_cannot_overwrite_the_retry(file: File) -> None:
    job_id = file.submit()
    (late,) = file.claim()
    file.settle(late, ExecutionStatus.LOST)
    (retry,) = file.claim(worker=file.register("bob"))
    with pytest.raises(LeaseLost):
        file.settle(late, ExecutionStatus.COMPLETED, result='"late"')
    assert file.job(job_id).status == JobStatus.RUNNING
    file.settle(retry, ExecutionStatus.COMPLETED, result='"retry"')
    assert file.job(job_id).result == "retry"


def test_an_execution_is_settled_once(file: File) -> None:
    job_id = file.submit()
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.COMPLETED, result="1")
    with pytest.raises(LeaseLost):
        file.settle(claim, ExecutionStatus.FAILED)
    assert file.job(job_id).result == 1


def test_a_refused_report_does_not_spoil_the_transaction(file: File) -> None:
    lost, good = file.submit(), file.submit()
    first, second = file.claim(2)
    file.settle(first, ExecutionStatus.LOST)
    with file.write() as tx:
        with pytest.raises(LeaseLost):
            settling.settle(tx, first.execution_id, Report(status=ExecutionStatus.COMPLETED, result="1"))
        settling.settle(tx, second.execution_id, Report(status=ExecutionStatus.COMPLETED, result="2"))
    assert file.job(good).result == 2
    assert file.job(lost).status == JobStatus.PENDING


def test_the_job_of_a_dead_worker_is_tried_again_and_in_the_end_fails(file: File) -> None:
    job_id = file.submit(max_attempts=2)
    for status in (JobStatus.PENDING, JobStatus.FAILED):
        worker = file.register("cancelled")
        file.claim(worker=worker)
        with file.write() as tx:
            assert workers.expel(tx, worker) == 1
        assert file.job(job_id).status == status
    assert file.job(job_id).error == "its worker cancelled died"
    assert [each.status for each in file.job(job_id).executions] == [ExecutionStatus.LOST] * 2


def test_a_heartbeat_returns_the_executions_that_are_still_the_workers_own(file: File) -> None:
    file.submit()
    file.submit()
    first, second = file.claim(2)
    file.settle(first, ExecutionStatus.TIMEOUT)
    with file.write() as tx:
        workers.renew(tx, file.worker)
        standing = workers.standing(tx, file.worker)
        assert standing is not None
        assert standing.own == {second.execution_id}
        (sign,) = workers.heartbeats(tx)
    assert (sign.key, sign.counter, sign.process) == (file.worker, 1, SOMEWHERE)


def test_a_worker_that_leaves_gives_its_jobs_back(file: File) -> None:
    job_id = file.submit(max_attempts=1)
    file.claim()
    with file.write() as tx:
        workers.leave(tx, file.worker, reason="told to stop")
    assert (file.job(job_id).phase, file.job(job_id).attempts) == ("ready", 0)


def test_a_job_whose_attempts_somebody_has_set_to_0_can_be_given_back(file: File) -> None:
    """All that its worker had to write failed with it, again and again."""
    job_id = file.submit()
    (claim,) = file.claim()
    with file.write() as tx:
        tx.execute("UPDATE jobs SET attempts = 0")
    assert file.settle(claim, ExecutionStatus.RELEASED) is Move.RELEASE
    assert file.job(job_id).attempts == 0
