"""What a worker is given, in which order, and how it becomes the owner."""

from __future__ import annotations

from datetime import timedelta

import pytest
from store.verbs import File

from gigq.status import ExecutionStatus, JobStatus


def test_the_highest_priority_goes_first_and_then_the_oldest(file: File) -> None:
    for name, priority in [("old", 0), ("young", 0), ("urgent", 100), ("some day", -100)]:
        file.submit(name, priority=priority)
    assert file.names(file.claim(10)) == ["urgent", "old", "young", "some day"]


def test_priority_counts_across_queues(file: File) -> None:
    file.submit("a1", queue="a")
    file.submit("b1", queue="b", priority=5)
    file.submit("c1", queue="c")
    file.submit("b2", queue="b")
    assert file.names(file.claim(10)) == ["b1", "a1", "c1", "b2"]


def test_a_worker_of_one_queue_gets_nothing_of_another(file: File) -> None:
    file.submit("mail", queue="mail", priority=100)
    file.submit("reports", queue="reports")
    assert file.names(file.claim(10, queues=["reports"])) == ["reports"]


def test_no_more_is_claimed_than_asked_for(file: File) -> None:
    for number in range(5):
        file.submit(str(number))
    assert file.names(file.claim(2)) == ["0", "1"]
    assert file.queue.count("pending") == 3


def test_a_job_is_claimed_once(file: File) -> None:
    file.submit()
    assert len(file.claim(10)) == 1
    assert file.claim(10) == []


def test_the_claim_counts_the_attempt_and_opens_an_execution(file: File) -> None:
    job_id = file.submit()
    (claim,) = file.claim()
    job = file.job(job_id)
    assert (job.status, job.attempts, job.worker_id) == (JobStatus.RUNNING, 1, "ann")
    (execution,) = job.executions
    assert (execution.id, execution.attempt, execution.status) == (claim.execution_id, 1, ExecutionStatus.RUNNING)
    assert execution.started_at == job.started_at == file.clock.now()


def test_a_delayed_job_is_ready_when_its_time_has_come(file: File) -> None:
    job_id = file.submit(delay=60)
    assert file.job(job_id).phase == "scheduled"
    file.clock.advance(59.9)
    assert file.claim() == []
    file.clock.advance(0.1)
    assert file.job(job_id).phase == "ready"
    assert [claim.job_id for claim in file.claim()] == [job_id]


def test_what_became_due_is_ordered_by_priority_not_by_time(file: File) -> None:
    file.submit("plain", delay=1)
    file.submit("urgent", delay=2, priority=5)
    file.clock.advance(3)
    assert file.names(file.claim(2)) == ["urgent", "plain"]


def test_a_retry_does_not_wait_for_a_clock_that_was_set_back(file: File) -> None:
    job_id = file.submit(retry_delay=10)
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.FAILED)
    file.clock.set(file.clock.now() - timedelta(hours=1))
    assert [claim.job_id for claim in file.claim()] == [job_id]


def test_a_job_scheduled_for_later_does_wait_for_a_clock_that_was_set_back(file: File) -> None:
    file.submit(delay=10)
    file.clock.set(file.clock.now() - timedelta(hours=1))
    assert file.claim() == []


def test_a_waiting_job_is_not_claimed(file: File) -> None:
    parent = file.submit("parent")
    file.submit("child", dependencies=[parent], priority=100)
    assert file.names(file.claim(10)) == ["parent"]
    assert file.claim(10) == []


def test_a_child_of_high_priority_overtakes_plain_jobs_once_its_parent_has_completed(file: File) -> None:
    parent = file.submit("parent", priority=1)
    for number in range(3):
        file.submit(f"plain {number}")
    file.submit("child", dependencies=[parent], priority=100)
    file.complete(parent)
    assert file.names(file.claim(10))[0] == "child"


def test_the_results_of_parents_come_in_the_order_of_the_dependencies(file: File) -> None:
    first, second = file.submit("first"), file.submit("second")
    file.submit("child", dependencies=[second, first], pass_parent_results=True)
    file.complete(first, result="1")
    file.complete(second, result='{"a":[2]}')
    (claim,) = file.claim()
    assert claim.parent_results == f'{{"{second}":{{"a":[2]}},"{first}":1}}'


def test_execution_ids_are_never_used_again(file: File) -> None:
    first = file.submit()
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.COMPLETED)
    assert file.queue.clear_completed() == 1
    assert not file.queue.get_status(first)["exists"]
    file.submit()
    (later,) = file.claim()
    assert later.execution_id > claim.execution_id


@pytest.mark.parametrize("limit", [1, 7])
def test_every_ready_job_is_claimed_whatever_the_batch(file: File, limit: int) -> None:
    names = {file.submit(queue=f"q{number % 3}", priority=number % 2) for number in range(20)}
    claimed = []
    while claims := file.claim(limit):
        claimed += [claim.job_id for claim in claims]
    assert set(claimed) == names
    assert len(claimed) == 20
