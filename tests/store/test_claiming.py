"""A claim: which jobs a worker gets, in which order, and what makes it their owner."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from store.verbs import File

from gigq.claims import Claim
from gigq.clock import to_text
from gigq.status import ExecutionStatus, JobStatus
from gigq.store import claiming, schedules, workers


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


def test_jobs_that_became_due_are_ordered_by_priority_and_not_by_time(file: File) -> None:
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


def test_a_job_scheduled_for_later_waits_for_a_clock_that_was_set_back(file: File) -> None:
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


def test_execution_ids_are_never_reused(file: File) -> None:
    first = file.submit()
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.COMPLETED)
    assert file.queue.clear_completed() == 1
    assert not file.queue.get_status(first)["exists"]
    file.submit()
    (later,) = file.claim()
    assert later.execution_id > claim.execution_id


@pytest.mark.parametrize("limit", [1, 7])
def test_every_ready_job_is_claimed_in_batches_of_any_size(file: File, limit: int) -> None:
    names = {file.submit(queue=f"q{number % 3}", priority=number % 2) for number in range(20)}
    claimed = []
    while claims := file.claim(limit):
        claimed += [claim.job_id for claim in claims]
    assert set(claimed) == names
    assert len(claimed) == 20


def ahead(limit: int) -> dict[str, Any]:
    return {"ahead": limit, "returned": ["functions:nothing"]}


def test_jobs_claimed_ahead_follow_those_for_free_slots_in_the_same_order(file: File) -> None:
    for name, priority in [("old", 0), ("young", 0), ("urgent", 100), ("some day", -100), ("rest", -200)]:
        file.submit(name, priority=priority)
    claims = file.claim(1, **ahead(3))
    assert [(claim.name, claim.is_ahead) for claim in claims] == [
        ("urgent", False), ("old", True), ("young", True), ("some day", True),
    ]  # fmt: skip
    assert file.queue.count("pending") == 1


def test_jobs_are_claimed_ahead_even_when_no_slot_is_free(file: File) -> None:
    file.submit("a")
    (claim,) = file.claim(0, **ahead(5))
    assert claim.is_ahead


def test_nothing_is_claimed_ahead_unless_asked_for(file: File) -> None:
    file.submit("a")
    file.submit("b")
    assert file.names(file.claim(1)) == ["a"]


def test_claiming_ahead_stops_at_the_first_function_that_has_not_returned_here(file: File) -> None:
    """If it were skipped, a later job of lower priority would overtake it."""
    file.submit("first")
    file.submit("second")
    file.queue.enqueue("functions:fail")
    file.submit("behind")
    assert file.names(file.claim(1, **ahead(10))) == ["first", "second"]


def test_any_function_may_be_claimed_for_a_free_slot(file: File) -> None:
    file.queue.enqueue("functions:fail")
    file.submit("known")
    claims = file.claim(1, **ahead(10))
    assert [(claim.function, claim.is_ahead) for claim in claims] == [
        ("functions:fail", False), ("functions:nothing", True),
    ]  # fmt: skip


def test_a_job_with_which_a_worker_has_died_is_not_claimed_ahead(file: File) -> None:
    suspect = file.submit("suspect", max_attempts=5)
    file.claim()
    with file.write() as tx:
        workers.expel(tx, file.worker)
    file.worker = file.register("bob")
    file.clock.advance(3600)
    file.submit("behind")
    assert file.claim(0, **ahead(10)) == []
    (claim,) = file.claim(1)
    assert (claim.job_id, claim.is_ahead) == (suspect, False)


def test_a_job_is_not_claimed_ahead_for_its_last_attempt(file: File) -> None:
    file.submit("once", max_attempts=1)
    assert file.claim(0, **ahead(10)) == []
    assert file.names(file.claim(1, **ahead(10))) == ["once"]


# alone


def suspect(file: File, name: str, **options: Any) -> None:
    """A job with which a worker has died, and which has one attempt left."""
    bob = file.register("bob")
    file.submit(name, max_attempts=2, priority=1, **options)
    file.claim(worker=bob)
    with file.write() as tx:
        workers.expel(tx, bob)


@pytest.mark.parametrize(("suspects", "names"), [(True, ["x"]), (False, []), (None, ["x", "good", "good"])])
def test_a_suspect_is_claimed_alone_by_an_idle_worker(file: File, suspects: bool | None, names: list[str]) -> None:
    suspect(file, "x")
    for _ in range(2):
        file.submit("good")
    assert file.names(file.claim(3, suspects=suspects)) == names


def test_jobs_that_come_before_a_suspect_are_claimed_without_it(file: File) -> None:
    suspect(file, "x")
    for priority in (2, 2, 0):
        file.submit("good", priority=priority)
    assert file.names(file.claim(9, suspects=True)) == ["good", "good"]
    assert file.names(file.claim(9, suspects=True)) == ["x"]
    assert file.names(file.claim(9, suspects=True)) == ["good"]


def test_a_job_with_attempts_to_spare_is_not_yet_a_suspect(file: File) -> None:
    bob = file.register("bob")
    file.submit("job", max_attempts=3)
    file.submit("other")
    file.claim(worker=bob)
    with file.write() as tx:
        workers.expel(tx, bob)
    assert file.names(file.claim(9, suspects=False)) == ["job", "other"]


def test_a_job_claimed_ahead_is_reserved_and_has_not_started(file: File) -> None:
    job_id = file.submit()
    (claim,) = file.claim(0, **ahead(1))
    job = file.job(job_id)
    assert (job.status, job.phase, job.attempts, job.started_at) == (JobStatus.RUNNING, "reserved", 1, None)
    (execution,) = job.executions
    assert (execution.id, execution.status, execution.started_at) == (claim.execution_id, "running", None)
    assert file.queue.count(phase="reserved") == 1


def test_the_start_of_a_reserved_job_is_written_when_it_begins(file: File) -> None:
    job_id = file.submit()
    (claim,) = file.claim(0, **ahead(1))
    file.clock.advance(5)
    with file.write() as tx:
        claiming.begin(tx, [claim.execution_id])
    job = file.job(job_id)
    assert (job.phase, job.started_at, job.executions[0].started_at) == ("running", file.clock.now(), file.clock.now())


def test_an_execution_that_has_ended_does_not_begin(file: File) -> None:
    job_id = file.submit()
    (claim,) = file.claim(0, **ahead(1))
    file.settle(claim, ExecutionStatus.RELEASED)
    with file.write() as tx:
        claiming.begin(tx, [claim.execution_id])
    job = file.job(job_id)
    assert (job.phase, job.started_at, job.executions[0].started_at) == ("ready", None, None)


def test_a_report_brings_the_start_of_what_began_and_ended_between_two_turns(file: File) -> None:
    job_id = file.submit()
    (claim,) = file.claim(0, **ahead(1))
    file.clock.advance(5)
    began = file.clock.now()
    file.clock.advance(2)
    file.settle(claim, ExecutionStatus.COMPLETED, started_at=to_text(began))
    job = file.job(job_id)
    assert (job.started_at, job.executions[0].started_at, job.duration) == (began, began, 2.0)


def test_a_reserved_job_that_is_given_back_gets_its_attempt_back(file: File) -> None:
    job_id = file.submit()
    (claim,) = file.claim(0, **ahead(1))
    file.settle(claim, ExecutionStatus.RELEASED)
    job = file.job(job_id)
    assert (job.phase, job.attempts) == ("ready", 0)
    assert [each.attempt for each in file.claim(1)] == [1]


def test_a_reserved_job_can_be_cancelled_like_a_running_one(file: File) -> None:
    job_id = file.submit()
    file.claim(0, **ahead(1))
    assert not file.queue.cancel(job_id)
    assert file.queue.cancel(job_id, running=True)
    assert file.job(job_id).status == JobStatus.CANCELLED


def test_the_outlook_says_whether_a_job_is_ready_and_when_the_next_one_will_be(file: File) -> None:
    def outlook() -> claiming.Outlook:
        with file.queue.database.read() as tx:
            return claiming.outlook(tx)

    assert outlook() == (False, None)
    file.submit("later", delay=60)
    due = file.clock.now() + timedelta(seconds=60)
    assert outlook() == (False, due)
    file.submit("now")
    assert outlook() == (True, due)
    file.claim()
    file.clock.advance(60)
    assert outlook().is_ready


def test_a_tick_that_was_left_to_another_machine_is_not_expected_again(file: File) -> None:
    file.queue.schedules.add("elsewhere", "functions:nothing", every=3600)
    file.clock.advance(3600)
    file.submit("later", delay=60)
    with file.write() as tx:
        tx.execute("UPDATE job_schedules SET timezone = 'Mars/Olympus'")
        assert schedules.tick(tx, new_id=iter(()).__next__) == ["elsewhere"]
        assert claiming.outlook(tx) == (True, file.clock.now())
        assert claiming.outlook(tx, has_ticked=True) == (False, file.clock.now() + timedelta(seconds=60))


def test_the_fields_of_a_claim_that_come_from_the_jobs_row_are_consecutive() -> None:
    """A claim is made of them by position."""
    assert Claim._fields == ("execution_id", "is_ahead", *claiming.OF_JOBS, "tags", "parent_results")
