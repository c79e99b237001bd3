"""Cancelling and requeuing many jobs at once, dead letters, and rescheduling a job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from running import Pipes, Running

from gigq import Job, JobQueue, ManualClock
from gigq.testing import drain


@pytest.fixture
def queue(open_queue: Callable[..., JobQueue], clock: ManualClock) -> JobQueue:
    """The test's queue, under a clock that the test moves."""
    return open_queue(clock=clock)


def submit(queue: JobQueue, name: str = "job", function: str = "functions.nothing", /, **options: Any) -> str:
    return queue.submit(Job(name, function, max_attempts=1, **options))


def statuses(queue: JobQueue) -> dict[str, str]:
    return {job["name"]: job["status"] for job in queue.list_jobs()}


# Cancel many


@pytest.mark.parametrize(
    "filters",
    [
        {"queue": "red"},
        {"tags": "red"},
        {"name": "a"},
        {"priority": "high"},
        {"search": "paint it"},
        {"status": "pending", "queue": "red"},
        {"phase": "scheduled"},
    ],
)
def test_only_pending_jobs_that_pass_the_filters_are_cancelled(queue: JobQueue, filters: dict[str, Any]) -> None:
    submit(queue, "a", queue="red", tags=["red"], priority="high", description="Paint it", delay=60)
    submit(queue, "b")
    assert queue.cancel_jobs(**filters) == 1
    assert statuses(queue) == {"a": "cancelled", "b": "pending"}


def test_all_pending_jobs_are_cancelled_if_the_status_says_so(queue: JobQueue) -> None:
    for name in "abc":
        submit(queue, name)
    assert queue.cancel_jobs("pending") == 3
    assert queue.cancel_jobs(status=["pending"]) == 0


@pytest.mark.parametrize("nothing", [{}, {"queue": None, "tags": ()}, {"search": ""}])
@pytest.mark.parametrize("verb", ["cancel_jobs", "requeue_jobs"])
def test_a_call_without_a_filter_is_refused(queue: JobQueue, verb: str, nothing: dict[str, Any]) -> None:
    submit(queue, "a")
    queue.cancel(submit(queue, "b"))
    with pytest.raises(ValueError, match="without a filter this would take every job"):
        getattr(queue, verb)(**nothing)
    assert statuses(queue) == {"a": "pending", "b": "cancelled"}


@pytest.mark.parametrize(
    ("verb", "status", "message"),
    [
        ("cancel_jobs", "failed", "status is 'failed'; cancel_jobs takes pending"),
        ("cancel_jobs", "running", "running=True takes running ones too"),
        ("requeue_jobs", "completed", "requeue_jobs takes failed, timeout, cancelled"),
        ("requeue_jobs", "gone", "gone"),
    ],
)
def test_a_status_that_the_verb_does_not_take_is_refused(queue: JobQueue, verb: str, status: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(queue, verb)(status)


def test_descendants_are_cancelled_with_a_job_and_not_counted(queue: JobQueue) -> None:
    parent = submit(queue, "parent", tags=["t"])
    submit(queue, "child", tags=["t"], dependencies=[parent])
    submit(queue, "grandchild", dependencies=[parent])
    assert queue.cancel_jobs(tags="t") == 1
    assert set(statuses(queue).values()) == {"cancelled"}


def test_running_jobs_are_cancelled_only_on_request(
    open_queue: Callable[..., JobQueue], run: Callable[..., Running], pipes: Pipes
) -> None:
    queue = open_queue()
    queue.submit(Job("hold", "functions.hold", {"tell": pipes.tell, "until": pipes.until}))
    run()
    pipes.wait_until_begun()
    assert queue.cancel_jobs(name="hold") == 0
    assert queue.cancel_jobs(name="hold", running=True) == 1
    assert statuses(queue) == {"hold": "cancelled"}
    pipes.let_end()


def test_a_child_that_becomes_ready_by_a_cancel_wakes_the_workers(
    open_queue: Callable[..., JobQueue], run: Callable[..., Running]
) -> None:
    queue = open_queue()
    parent = queue.submit(Job("parent", "functions.nothing", tags=["t"], delay=3600))
    child = queue.submit(Job("child", "functions.add", {"a": 1}, dependencies=[parent], on_parent_failure="run"))
    queue.submit(Job("last", "functions.nothing", tags=["t"], delay=3600))
    first = queue.submit(Job("first", "functions.nothing"))
    run(polling_interval=3600)
    queue.wait(first, timeout=60)
    assert queue.cancel_jobs(tags="t") == 2
    assert queue.result(child, timeout=60) == 1


def test_more_jobs_than_one_transaction_takes_are_cancelled_and_requeued(queue: JobQueue) -> None:
    queue.submit_many(Job("job", "functions.nothing") for _ in range(450))
    assert queue.cancel_jobs(name="job") == 450
    assert queue.requeue_jobs(name="job") == 450
    assert queue.stats()["pending"] == 450


# Requeue many


@pytest.fixture
def ended(queue: JobQueue) -> JobQueue:
    """A queue with jobs that ended in three ways."""
    submit(queue, "failed", "functions.fail", queue="red")
    submit(queue, "completed", queue="red")
    drain(queue)
    queue.cancel(submit(queue, "cancelled"))
    return queue


@pytest.mark.parametrize(
    ("filters", "back"),
    [
        ({"status": "failed"}, {"failed"}),
        ({"status": ["failed", "timeout", "cancelled"]}, {"failed", "cancelled"}),
        ({"queue": "red"}, {"failed"}),
        ({"queue": "blue"}, set()),
    ],
)
def test_jobs_that_ended_badly_and_pass_the_filters_are_requeued(
    ended: JobQueue, filters: dict[str, Any], back: set[str]
) -> None:
    assert ended.requeue_jobs(**filters) == len(back)
    assert {name for name, status in statuses(ended).items() if status == "pending"} == back


def test_requeued_jobs_wait_for_their_delay(ended: JobQueue, clock: ManualClock) -> None:
    ended.requeue_jobs("failed", delay=timedelta(minutes=1))
    assert ended.count(phase="scheduled") == 1
    clock.advance(60)
    assert ended.count(phase="ready") == 1


def test_parents_are_requeued_before_their_children_which_are_not_counted(queue: JobQueue) -> None:
    parent = submit(queue, "parent", "functions.fail")
    submit(queue, "child", dependencies=[parent])
    drain(queue)
    assert queue.requeue_jobs(["failed", "cancelled"]) == 1
    assert statuses(queue) == {"parent": "pending", "child": "pending"}


def test_a_child_whose_parent_ended_badly_is_not_requeued(queue: JobQueue) -> None:
    parent = submit(queue, "parent", "functions.fail")
    submit(queue, "child", dependencies=[parent])
    drain(queue)
    assert queue.requeue_jobs("cancelled") == 0
    assert statuses(queue) == {"parent": "failed", "child": "cancelled"}


def test_nothing_is_requeued_with_an_invalid_delay(ended: JobQueue) -> None:
    with pytest.raises(ValueError, match="delay is -1; it must be seconds"):
        ended.requeue_jobs("failed", delay=-1)
    assert ended.count("failed") == 1


def test_a_job_whose_unique_key_another_job_has_now_is_not_requeued(queue: JobQueue) -> None:
    first = submit(queue, "first", unique_key="k")
    queue.cancel(first)
    second = submit(queue, "second", unique_key="k")
    assert not queue.requeue_job(first)
    queue.cancel(second)
    assert queue.requeue_jobs("cancelled") == 1
    assert statuses(queue) == {"first": "pending", "second": "cancelled"}


# Dead letters


def test_dead_letters_are_jobs_without_attempts_left_the_latest_first(queue: JobQueue, clock: ManualClock) -> None:
    slow = submit(queue, "slow", "functions.fail", delay=60)
    quick = submit(queue, "quick", "functions.fail")
    queue.cancel(submit(queue, "cancelled"))
    drain(queue)
    clock.advance(60)
    submit(queue, "completed")
    drain(queue)
    assert [job["id"] for job in queue.dead_letters()] == [slow, quick]
    assert queue.dead_letters()[0] == queue.get_status(slow)


def test_dead_letters_take_a_limit_and_filters(queue: JobQueue) -> None:
    for number in range(102):
        submit(queue, "first" if number < 2 else "later", "functions.fail", tags=["t"] if number == 0 else [])
    drain(queue)
    assert len(queue.dead_letters()) == 100
    assert len(queue.dead_letters(None)) == 102
    assert [job["name"] for job in queue.dead_letters(1)] == ["later"]
    assert len(queue.dead_letters(name="first")) == 2
    assert len(queue.dead_letters(tags=["t"], search="ValueError")) == 1


def test_a_negative_limit_is_refused(queue: JobQueue) -> None:
    with pytest.raises(ValueError, match="limit is -1"):
        queue.dead_letters(-1)


# Reschedule


def test_a_pending_job_can_be_postponed_and_brought_forward(queue: JobQueue, clock: ManualClock) -> None:
    job_id = submit(queue)
    assert queue.reschedule(job_id, delay=60)
    assert drain(queue) == 0
    assert queue.get_job(job_id).run_at == clock.now() + timedelta(seconds=60)  # type: ignore[union-attr]
    assert queue.reschedule(job_id, delay=0)
    assert drain(queue) == 1


@pytest.mark.parametrize("days", [-1, 0])
def test_an_instant_in_the_past_means_now(queue: JobQueue, clock: ManualClock, days: float) -> None:
    job_id = submit(queue, delay=60)
    assert queue.reschedule(job_id, run_at=clock.now() + timedelta(days=days))
    assert queue.get_status(job_id)["phase"] == "ready"


def test_an_instant_without_a_zone_is_local_time(queue: JobQueue, clock: ManualClock) -> None:
    job_id = submit(queue)
    local = datetime(2031, 5, 1, 12, 0)
    queue.reschedule(job_id, run_at=local)
    assert queue.get_job(job_id).run_at == local.astimezone()  # type: ignore[union-attr]


def test_a_job_with_a_raised_priority_runs_first(queue: JobQueue) -> None:
    submit(queue, "first")
    second = submit(queue, "second", "functions.context")
    assert queue.reschedule(second, priority="critical")
    assert queue.get_status(second)["priority"] == 200
    assert queue.get_status(second)["phase"] == "ready", "what was not given has not changed"


def test_a_job_is_moved_to_another_queue(queue: JobQueue, clock: ManualClock) -> None:
    job_id = submit(queue, delay=60)
    assert queue.reschedule(job_id, queue="red")
    job = queue.get_status(job_id)
    assert (job["queue"], job["phase"]) == ("red", "scheduled")


def test_a_job_waiting_for_a_retry_can_be_rescheduled_to_now(queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "functions.fail", max_attempts=2, retry_delay=3600))
    drain(queue)
    assert queue.get_status(job_id)["phase"] == "retrying"
    assert queue.reschedule(job_id, delay=0)
    assert drain(queue) == 1
    assert queue.get_status(job_id)["status"] == "failed"


def test_a_retry_rescheduled_after_the_clock_went_back_still_waits(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.submit(Job("job", "functions.nothing", retry_delay=100))
    claim = queue.dequeue()
    assert claim is not None
    queue.fail(claim, "no")
    clock.set(clock.now() - timedelta(seconds=5))
    assert queue.reschedule(job_id, delay=60)
    assert queue.dequeue() is None


def test_a_child_that_is_rescheduled_still_waits_for_its_parent(queue: JobQueue) -> None:
    parent = submit(queue, "parent", delay=60)
    child = submit(queue, "child", dependencies=[parent])
    assert queue.reschedule(child, delay=0)
    assert drain(queue) == 0


def test_only_a_pending_job_can_be_rescheduled(queue: JobQueue) -> None:
    job_id = submit(queue)
    drain(queue)
    assert not queue.reschedule(job_id, delay=60)
    assert not queue.reschedule("no such job", priority=1)
    assert queue.get_status(job_id)["run_at"] is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "nothing to change; give run_at, delay, priority or queue"),
        ({"run_at": "tomorrow"}, "run_at is 'tomorrow'; it must be ISO-8601 text"),
        ({"run_at": "2031-01-01", "delay": 5}, "run_at and delay were both given"),
        ({"delay": -5}, "delay is -5; it must be seconds"),
        ({"priority": "urgent"}, "priority is 'urgent'"),
        ({"queue": ""}, "queue must not be empty"),
        ({"queue": 7}, "queue is 7"),
    ],
)
def test_invalid_changes_change_nothing(queue: JobQueue, changes: dict[str, Any], message: str) -> None:
    job_id = submit(queue)
    before = queue.get_status(job_id)
    with pytest.raises(ValueError, match=message):
        queue.reschedule(job_id, **changes)
    assert queue.get_status(job_id) == before


def test_a_rescheduled_job_wakes_an_idle_worker(
    open_queue: Callable[..., JobQueue], run: Callable[..., Running]
) -> None:
    queue = open_queue()
    first = queue.submit(Job("first", "functions.nothing"))
    later = queue.submit(Job("later", "functions.add", {"a": 1}, delay=3600))
    run(polling_interval=3600)
    queue.wait(first, timeout=60)
    queue.reschedule(later, delay=0)
    assert queue.result(later, timeout=60) == 1
