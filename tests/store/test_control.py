"""Cancelling, requeuing and clearing jobs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from store.verbs import File

from gigq.reports import Report
from gigq.status import ExecutionStatus, JobStatus
from gigq.store.settling import settle


def test_a_pending_job_can_be_cancelled(file: File) -> None:
    job_id = file.submit(delay=60)
    assert file.queue.cancel(job_id)
    job = file.job(job_id)
    assert (job.status, job.run_at, job.completed_at) == (JobStatus.CANCELLED, None, file.clock.now())
    assert file.claim() == []


def test_a_job_cancelled_between_two_attempts_keeps_the_error_of_the_last(file: File) -> None:
    job_id = file.submit(retry_delay=60)
    file.settle(file.claim()[0], ExecutionStatus.FAILED, error="ValueError: no")
    assert file.queue.cancel(job_id)
    assert file.job(job_id).error == "cancelled after an attempt that failed: ValueError: no"


def test_only_a_pending_job_is_cancelled(file: File) -> None:
    running, completed = file.submit(), file.submit()
    first, second = file.claim(2)
    file.settle(second, ExecutionStatus.COMPLETED)
    assert not file.queue.cancel(running)
    assert not file.queue.cancel(completed)
    assert not file.queue.cancel("no such job")
    assert file.job(running).status == JobStatus.RUNNING
    file.settle(first, ExecutionStatus.COMPLETED)


@pytest.mark.parametrize("end", [ExecutionStatus.FAILED, ExecutionStatus.TIMEOUT, ExecutionStatus.CANCELLED])
def test_a_job_that_ended_badly_is_requeued_as_new(file: File, end: ExecutionStatus) -> None:
    job_id = file.submit(max_attempts=1)
    file.settle(file.claim()[0], end, error="no")
    assert file.queue.requeue_job(job_id)
    job = file.job(job_id)
    assert (job.phase, job.attempts, job.error, job.started_at, job.completed_at) == ("ready", 0, None, None, None)
    assert len(job.executions) == 1, "the history stays"
    file.complete(job_id)


def test_a_requeued_job_waits_for_its_delay(file: File) -> None:
    job_id = file.submit()
    file.queue.cancel(job_id)
    file.queue.requeue_job(job_id, delay=60)
    assert file.job(job_id).run_at == file.clock.now() + timedelta(seconds=60)


def test_a_job_that_has_not_ended_badly_is_not_requeued(file: File) -> None:
    pending = file.submit()
    assert not file.queue.requeue_job(pending)
    file.complete(pending)
    assert not file.queue.requeue_job(pending)
    assert not file.queue.requeue_job("no such job")
    assert file.job(pending).status == JobStatus.COMPLETED


def test_finished_jobs_are_cleared_with_their_executions(file: File) -> None:
    completed, cancelled, failed, pending = (file.submit(tags=["t"]) for _ in range(4))
    file.complete(completed)
    file.queue.cancel(cancelled)
    file.fail(failed)
    assert file.queue.clear_completed() == 2
    assert {job["id"] for job in file.queue.list_jobs()} == {failed, pending}
    assert file.value("SELECT count(*) FROM executions") == 1
    assert file.value("SELECT count(*) FROM job_tags") == 2


def test_only_jobs_that_ended_before_an_instant_are_cleared(file: File) -> None:
    old = file.submit()
    file.complete(old)
    file.clock.advance(3600)
    young = file.submit()
    file.complete(young)
    file.clock.advance(60)
    assert file.queue.clear_completed(file.clock.now() - timedelta(minutes=30)) == 1
    assert file.queue.get_status(young)["exists"]


def test_nonsense_instead_of_an_instant_clears_nothing(file: File) -> None:
    file.complete(file.submit())
    with pytest.raises(ValueError, match="yesterday"):
        file.queue.clear_completed("yesterday")
    assert file.queue.count("completed") == 1


@pytest.mark.parametrize("child_ends", [None, ExecutionStatus.FAILED])
def test_a_parent_is_not_cleared_while_a_child_may_still_run(file: File, child_ends: ExecutionStatus | None) -> None:
    parent = file.submit("parent")
    child = file.submit("child", dependencies=[parent], max_attempts=1)
    file.complete(parent)
    if child_ends:
        file.settle(file.claim()[0], child_ends)
    assert file.queue.clear_completed() == 0
    file.queue.requeue_job(child)
    file.complete(child)
    assert file.queue.clear_completed() == 2


def test_clearing_in_several_transactions_counts_all_jobs(file: File) -> None:
    for _ in range(2500):
        file.submit()
    while claims := file.claim(500):
        with file.write() as tx:
            for claim in claims:
                settle(tx, claim.execution_id, Report(status=ExecutionStatus.COMPLETED, result="1"))
    assert file.queue.clear_completed() == 2500
