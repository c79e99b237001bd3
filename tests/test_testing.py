"""The tools for testing code that submits jobs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import functions
import odd_functions
import pytest

import gigq.testing
from gigq import GiveUp, Job, JobQueue, ManualClock, RetryLater, current_job
from gigq.testing import drain


@pytest.fixture(params=["file", "memory"])
def queue(request: pytest.FixtureRequest, open_queue: Callable[..., JobQueue], clock: ManualClock) -> Any:
    """A queue under the test's clock: in a file, and in memory."""
    if request.param == "file":
        yield open_queue(clock=clock)
        return
    with JobQueue(":memory:", clock=clock) as queue:
        yield queue
        assert queue.check() == []


def submit(queue: JobQueue, function: Any = functions.nothing, /, **options: Any) -> str:
    return queue.submit(Job("job", function, **options))


def test_draining_an_empty_queue_runs_nothing(queue: JobQueue) -> None:
    assert drain(queue) == 0


def test_inside_a_transaction_of_this_thread_nothing_is_drained(queue: JobQueue) -> None:
    """Jobs would run again if it were rolled back, and their steps could not be remembered."""
    job_id = submit(queue, functions.add, args=[1])
    with queue.transaction(), pytest.raises(RuntimeError, match=r"this thread has a transaction open on .*; run jobs"):
        drain(queue)
    assert queue.get_job(job_id).attempts == 0
    assert drain(queue) == 1


def test_draining_runs_every_ready_job(queue: JobQueue) -> None:
    ids = [submit(queue, functions.add, args=[number]) for number in range(5)]
    assert drain(queue) == 5
    assert [queue.result(each) for each in ids] == [0, 1, 2, 3, 4]
    assert drain(queue) == 0


def test_jobs_run_one_at_a_time_by_priority(queue: JobQueue) -> None:
    ran: list[str] = []
    handlers = {"note": lambda: ran.append(current_job().name)}
    for name, priority in (("b", 0), ("c", 0), ("last", -5), ("a", 100)):
        queue.submit(Job(name, "note", priority=priority))
    drain(queue, handlers=handlers)
    assert ran == ["a", "b", "c", "last"]


def test_jobs_of_all_queues_run(queue: JobQueue) -> None:
    submit(queue, queue="mail")
    submit(queue)
    assert drain(queue) == 2


def test_jobs_that_a_job_submits_run_too(queue: JobQueue) -> None:
    def spread(depth: int) -> None:
        for _ in range(2 if depth else 0):
            queue.submit(Job("spread", "spread", {"depth": depth - 1}))

    queue.submit(Job("spread", "spread", {"depth": 3}))
    assert drain(queue, handlers={"spread": spread}) == 1 + 2 + 4 + 8


def test_children_run_after_their_parents(queue: JobQueue) -> None:
    parent = submit(queue, functions.add, args=[3])
    child = submit(queue, functions.collect, dependencies=[parent])
    assert drain(queue) == 2
    assert queue.result(child) == [3]


def test_a_handler_that_cannot_be_hashed_gets_parent_results(queue: JobQueue) -> None:
    parent = submit(queue, functions.add, args=[3])
    child = submit(queue, "triple", args=[2], dependencies=[parent])
    drain(queue, handlers={"triple": odd_functions.multiplier})
    assert queue.get_job(child).result == [6, 3]  # type: ignore[union-attr]


def test_a_retry_without_delay_runs_at_once(queue: JobQueue) -> None:
    job_id = submit(queue, functions.fail, max_attempts=3)
    assert drain(queue) == 3
    assert queue.get_status(job_id)["status"] == "failed"
    assert [each["attempt"] for each in queue.get_status(job_id)["executions"]] == [1, 2, 3]


def test_a_retry_with_delay_waits_for_the_clock(queue: JobQueue, clock: ManualClock) -> None:
    job_id = submit(queue, functions.fail, max_attempts=4, retry_delay=10, retry_backoff=3)
    for wait in (10, 30, 90):
        assert drain(queue) == 1
        assert queue.get_job(job_id).run_at == clock.now() + timedelta(seconds=wait)  # type: ignore[union-attr]
        clock.advance(wait - 0.001)
        assert drain(queue) == 0
        clock.advance(0.001)
    assert drain(queue) == 1
    assert queue.get_status(job_id)["status"] == "failed"


def test_a_scheduled_job_waits_for_the_clock(queue: JobQueue, clock: ManualClock) -> None:
    submit(queue, delay=3600)
    submit(queue, run_at=clock.now() + timedelta(days=1))
    assert drain(queue) == 0
    clock.advance(3600)
    assert drain(queue) == 1
    clock.advance(86_400)
    assert drain(queue) == 1


def test_a_job_that_was_given_back_runs_again_after_its_delay(queue: JobQueue, clock: ManualClock) -> None:
    tries: list[int] = []

    def not_yet() -> str:
        tries.append(current_job().attempt)
        if len(tries) < 3:
            raise RetryLater(timedelta(minutes=1))
        return "now"

    job_id = queue.submit(Job("job", "not_yet", max_attempts=1))
    for _ in range(3):
        assert drain(queue, handlers={"not_yet": not_yet}) == 1
        assert drain(queue, handlers={"not_yet": not_yet}) == 0
        clock.advance(60)
    assert tries == [1, 1, 1]
    assert queue.result(job_id) == "now"


@pytest.mark.parametrize(
    ("options", "wait"), [({}, 1.0), ({"delay": 0}, 0.1), ({"delay": 0.001}, 0.1), ({"delay": 5}, 5.0)]
)
def test_a_job_that_gives_itself_back_pauses_for_a_second_and_never_spins(
    queue: JobQueue, clock: ManualClock, options: dict[str, float], wait: float
) -> None:
    def poll() -> None:
        raise RetryLater(**options)

    job_id = queue.submit(Job("job", "poll", priority="high"))
    queue.submit(Job("other", functions.nothing))
    assert drain(queue, handlers={"poll": poll}) == 2, "the other job goes first"
    job = queue.get_job(job_id)
    assert job
    assert job.run_at
    assert (job.run_at - clock.now()).total_seconds() == wait
    for _ in range(40):
        clock.advance(wait)
        assert drain(queue, handlers={"poll": poll}) == 1
    status = queue.get_status(job_id)
    assert (status["attempts"], status["releases"], len(status["executions"])) == (0, 41, 21)
    assert queue.why(job_id)[0].startswith("It was given back unfinished 41 times, and the attempt did not count: ")


def test_a_job_that_gives_up_is_not_tried_again(queue: JobQueue) -> None:
    def give_up() -> None:
        raise GiveUp("no such city")

    job_id = queue.submit(Job("job", "give_up", max_attempts=5))
    assert drain(queue, handlers={"give_up": give_up}) == 1
    assert queue.get_status(job_id)["status"] == "failed"


@pytest.mark.parametrize(
    ("retry", "executions"),
    [
        ({"retry_on": [KeyError]}, 1),
        ({"retry_on": [ValueError]}, 3),
        ({"retry_on": ["Exception"]}, 3),
        ({"no_retry_on": [ValueError]}, 1),
        ({"no_retry_on": ["KeyError"]}, 3),
        ({"retry_on": [ValueError], "no_retry_on": ["builtins.Exception"]}, 1),
    ],
)
def test_the_exception_decides_whether_there_is_a_retry(
    queue: JobQueue, retry: dict[str, Any], executions: int
) -> None:
    submit(queue, functions.fail, **retry)
    assert drain(queue) == executions


def test_a_job_that_calls_sys_exit_does_not_end_the_test(queue: JobQueue) -> None:
    job_id = submit(queue, functions.leave, max_attempts=1)
    assert drain(queue) == 1
    assert queue.get_status(job_id)["error"] == "SystemExit: 3"


def test_a_job_whose_function_is_not_found_stays_and_the_others_run(queue: JobQueue) -> None:
    job_id = submit(queue, "nobody", max_attempts=1)
    submit(queue, "functions:nothing")
    assert drain(queue) == 1
    status = queue.get_status(job_id)
    assert (status["status"], status["attempts"]) == ("pending", 0)
    assert "worker drain cannot find 'nobody': it is not imported, as it names no module" in queue.why(job_id)[0]


def test_recorded_times_are_those_of_the_manual_clock(queue: JobQueue, clock: ManualClock) -> None:
    begun = clock.now()

    def take_an_hour() -> None:
        clock.advance(3600)

    job_id = queue.submit(Job("job", "take_an_hour"))
    drain(queue, handlers={"take_an_hour": take_an_hour})
    record = queue.get_job(job_id)
    assert record is not None
    assert (record.created_at, record.started_at, record.completed_at) == (begun, begun, begun + timedelta(hours=1))
    assert record.duration == 3600


def test_the_clock_may_be_set_back_between_two_drains(queue: JobQueue, clock: ManualClock) -> None:
    submit(queue)
    assert drain(queue) == 1
    clock.set(clock.now() - timedelta(days=365))
    submit(queue)
    assert drain(queue) == 1


def test_the_module_exports_what_its_page_says() -> None:
    assert set(gigq.testing.__all__) == {"ManualClock", "drain"}
    assert all(hasattr(gigq.testing, name) for name in gigq.testing.__all__)
