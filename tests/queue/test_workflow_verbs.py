"""What is done with a stored workflow: where it stands, waiting for it, cancelling it, and sending back what failed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import functions
import pytest
from running import Running
from store.verbs import SOMEWHERE, File

from gigq import (
    Job,
    JobClaim,
    JobNotFinished,
    JobQueue,
    LeaseLost,
    ManualClock,
    Worker,
    Workflow,
    WorkflowNotFound,
    current_job,
)
from gigq.status import ExecutionStatus
from gigq.store import workers
from gigq.testing import drain


@pytest.fixture
def queue(open_queue: Callable[..., JobQueue], clock: ManualClock) -> JobQueue:
    return open_queue(clock=clock)


def job(name: str, function: Any = functions.nothing, **options: Any) -> Job:
    """A job whose id is its name."""
    return Job(name, function, **{"id": name, "max_attempts": 1, **options})


def submitted(queue: JobQueue, *elements: Any, end: Job | None = None) -> Workflow:
    flow = Workflow("flow")
    flow.chain(*elements)
    if end is not None:
        flow.at_end(end)
    flow.submit_all(queue)
    return flow


def statuses(queue: JobQueue) -> dict[str, str]:
    return {each.name: str(each.status) for each in reversed(queue.find_jobs())}


def claimed(queue: JobQueue) -> JobClaim:
    claim = queue.dequeue()
    assert claim is not None
    return claim


def executions(queue: JobQueue, job_id: str) -> list[str]:
    return [each["status"] for each in queue.get_status(job_id)["executions"]]


# where it stands


def test_a_status_counts_the_jobs_by_status_and_phase(queue: JobQueue) -> None:
    flow = submitted(
        queue, job("done"), [job("bad", functions.fail), job("later", delay=60)], job("waits"), end=job("end")
    )
    drain(queue)
    status = flow.status(queue)
    assert {word: number for word, number in status.statuses.items() if number} == {
        "completed": 1, "failed": 1, "pending": 2, "cancelled": 1,
    }  # fmt: skip
    assert {word: number for word, number in status.phases.items() if number} == {
        "completed": 1, "failed": 1, "scheduled": 1, "waiting": 1, "cancelled": 1,
    }  # fmt: skip
    assert (status.total, status.done, status.has_ended, status.last_job) == (5, 0.6, False, "end")
    queue.pause("default")
    submitted(queue, job("paused"))
    assert submitted(queue, job("paused too")).status(queue).phases["paused"] == 1


def test_a_status_says_when_the_workflow_began_and_ended(queue: JobQueue, clock: ManualClock) -> None:
    began = clock.now()
    flow = submitted(queue, job("first"), job("second", "second"))
    status = flow.status(queue)
    assert (status.created_at, status.started_at, status.completed_at) == (began, None, None)
    clock.advance(10)
    drain(queue)
    assert (flow.status(queue).started_at, flow.status(queue).completed_at) == (clock.now(), None)
    started = clock.now()
    clock.advance(10)
    drain(queue, handlers={"second": functions.fail})
    assert (flow.status(queue).started_at, flow.status(queue).completed_at) == (started, clock.now())
    queue.requeue_job("second")
    assert (flow.status(queue).started_at, flow.status(queue).completed_at) == (started, None)


def test_a_status_is_plain_for_programs(queue: JobQueue) -> None:
    flow = submitted(queue, job("only"))
    plain = flow.status(queue).as_dict()
    assert plain["created_at"] == "2026-01-01T00:00:00.000000Z"
    assert (plain["total"], plain["done"], plain["has_ended"], plain["time_left"]) == (1, 0.0, False, None)


def test_one_requeued_job_makes_a_finished_workflow_unfinished(queue: JobQueue) -> None:
    flow = submitted(queue, job("bad", functions.fail), end=job("end"))
    drain(queue)
    assert flow.status(queue).has_ended
    queue.requeue_job("bad")
    assert (flow.status(queue).done, flow.status(queue).has_ended) == (0.5, False)
    drain(queue)
    assert executions(queue, "end") == ["completed"], "only requeue_failed lets it run again"


@pytest.mark.parametrize("verb", ["status", "wait", "cancel", "requeue_failed"])
def test_what_was_never_submitted_is_not_found(queue: JobQueue, verb: str) -> None:
    with pytest.raises(WorkflowNotFound, match="no workflow has the id 'flow': it was never submitted, or"):
        getattr(Workflow("flow", id="flow"), verb)(queue)
    with pytest.raises(TypeError, match="queue is None; it must be a JobQueue"):
        getattr(Workflow("flow", id="flow"), verb)(None)


# how long it will still take


class Timed:
    """A worker that takes the durations of jobs from a test."""

    def __init__(self, queue: JobQueue, clock: ManualClock, *, slots: int = 1, queues: Any = None) -> None:
        self.file = File(queue, clock)
        with queue.database.write() as tx:
            workers.leave(tx, self.file.worker, reason="")
            self.file.worker = workers.register(tx, "bob", SOMEWHERE, concurrency=slots, queues=queues)
        self.clock = clock

    def run(self, seconds: float) -> None:
        (claim,) = self.file.claim()
        self.pass_by(seconds)
        self.file.settle(claim, ExecutionStatus.COMPLETED)

    def pass_by(self, seconds: float) -> None:
        self.clock.advance(seconds)
        with self.file.write() as tx:
            workers.renew(tx, self.file.worker)


def of(function: str, number: int, name: str = "job", **options: Any) -> list[Job]:
    return [Job(f"{name} {each}", function, **options) for each in range(number)]


def test_the_time_left_is_that_of_the_unfinished_divided_by_the_slots(queue: JobQueue, clock: ManualClock) -> None:
    timed = Timed(queue, clock, slots=2)
    flow = submitted(queue, of("m:fetch", 7))
    for seconds in (1, 100, 3):
        timed.run(seconds)
    assert flow.status(queue).time_left == 4 * 3 / 2


def test_what_a_running_job_has_done_is_taken_off(queue: JobQueue, clock: ManualClock) -> None:
    timed = Timed(queue, clock)
    flow = submitted(queue, of("m:fetch", 3))
    timed.run(10)
    timed.file.claim()
    timed.pass_by(4)
    assert flow.status(queue).time_left == 10 + 6
    timed.pass_by(100)
    assert flow.status(queue).time_left == 10


def test_it_takes_no_less_than_its_longest_job(queue: JobQueue, clock: ManualClock) -> None:
    timed = Timed(queue, clock, slots=8)
    flow = submitted(queue, of("m:fetch", 2))
    timed.run(60)
    assert flow.status(queue).time_left == 60


def test_only_the_last_50_durations_of_a_function_count(queue: JobQueue, clock: ManualClock) -> None:
    timed = Timed(queue, clock)
    queue.submit_many(of("m:fetch", 110))
    for seconds in [1000] * 60 + [2] * 50:
        timed.run(seconds)
    assert submitted(queue, of("m:fetch", 1)).status(queue).time_left == 2


def test_the_durations_of_other_workflows_count_and_those_of_other_functions_do_not(
    queue: JobQueue, clock: ManualClock
) -> None:
    timed = Timed(queue, clock)
    queue.submit_many([*of("m:fetch", 1), *of("m:other", 1)])
    timed.run(5)
    timed.run(500)
    assert submitted(queue, of("m:fetch", 2)).status(queue).time_left == 10


def test_own_durations_count_however_long_ago_they_were(
    queue: JobQueue, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed = Timed(queue, clock)
    flow = submitted(queue, of("m:fetch", 2))
    timed.run(5)
    queue.submit_many(of("m:other", 30, priority=1))
    for _ in range(30):
        timed.run(1)
    monkeypatch.setattr("gigq.store.usual.STEP", 10)
    monkeypatch.setattr("gigq.store.time_left.STEP", 10)
    monkeypatch.setattr("gigq.store.time_left._MOST", 20)
    assert flow.status(queue).time_left == 5
    assert submitted(queue, of("m:fetch", 1)).status(queue).time_left is None, "not among the last 20"


def test_the_time_left_is_not_known_before_every_function_has_completed(queue: JobQueue, clock: ManualClock) -> None:
    timed = Timed(queue, clock)
    flow = submitted(queue, of("m:fetch", 2), of("m:report", 1, "report"))
    timed.run(5)
    assert flow.status(queue).time_left is None
    queue.submit_many(of("m:report", 1, priority=1))
    timed.run(1)
    assert flow.status(queue).time_left == 6


def test_the_time_left_is_not_known_without_a_live_worker_for_its_queue(queue: JobQueue, clock: ManualClock) -> None:
    timed = Timed(queue, clock, queues=["default"])
    flow = submitted(queue, of("m:fetch", 2))
    timed.run(5)
    assert flow.status(queue).time_left == 5
    other = submitted(queue, of("m:fetch", 1, queue="other"))
    assert other.status(queue).time_left is None
    clock.advance(16)
    assert flow.status(queue).time_left is None, "its worker is silent"


def test_nothing_is_left_of_a_workflow_that_has_ended(queue: JobQueue) -> None:
    flow = submitted(queue, job("only"))
    drain(queue)
    assert flow.status(queue).time_left == 0.0


# waiting


def test_a_wait_returns_the_status_when_all_have_ended(queue: JobQueue) -> None:
    flow = submitted(queue, job("good"), job("bad", functions.fail), job("needs it"))
    with pytest.raises(JobNotFinished, match=r"3 of 3 jobs of workflow 'flow' \(.*\) had not ended after 2 s"):
        flow.wait(queue, timeout=2)
    drain(queue)
    status = flow.wait(queue)
    assert (status.has_ended, status.statuses["failed"], status.statuses["cancelled"]) == (True, 1, 1)


def test_a_wait_ends_after_what_was_found_meanwhile_and_after_the_last_job(
    path: str, open_queue: Callable[..., JobQueue]
) -> None:
    queue = open_queue()
    flow = submitted(queue, job("crawl", "crawl"), end=job("end", "end"))
    called: list[str] = []

    def crawl() -> None:
        current_job().submit(Job("page", "page"))
        called.append("crawl")

    handlers = {"crawl": crawl, "page": lambda: called.append("page"), "end": lambda: called.append("end")}
    with Worker(path, handlers=handlers, polling_interval=0.05) as worker:
        thread = threading.Thread(target=worker.start)
        thread.start()
        status = flow.wait(queue, timeout=30)
        worker.stop()
        thread.join()
    assert (status.total, status.statuses["completed"], called) == (3, 3, ["crawl", "page", "end"])


def test_a_wait_goes_on_past_a_deleted_job_and_ends_with_the_workflow(
    queue: JobQueue, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = submitted(queue, [job("one"), job("two")])
    acts = iter([lambda: queue.delete_job("two"), lambda: queue.delete_job("one")])
    monkeypatch.setattr(clock, "sleep", lambda seconds: next(acts)())
    with pytest.raises(WorkflowNotFound):
        flow.wait(queue)


# cancelling


def test_a_cancel_ends_all_but_the_last_job_which_then_runs(queue: JobQueue) -> None:
    flow = submitted(queue, job("done"), [job("a"), job("b", delay=60)], job("c"), end=job("end", functions.collect))
    outside = queue.submit(job("outside", dependencies=["c"]))
    queue.execute_job(claimed(queue))
    assert flow.cancel(queue) == 3
    assert statuses(queue) == {
        "done": "completed", "a": "cancelled", "b": "cancelled", "c": "cancelled", "end": "pending",
        "outside": "cancelled",
    }  # fmt: skip
    drain(queue)
    assert queue.get_status("end")["result"] == [None] * 4
    assert flow.cancel(queue) == 0
    assert queue.requeue_job("a")
    assert queue.requeue_job("b")
    assert statuses(queue)["c"] == statuses(queue)[outside] == "pending", "they come back with their parents"


def test_a_cancel_ends_what_is_running(queue: JobQueue) -> None:
    flow = submitted(queue, job("running"), job("next"), end=job("end"))
    claimed(queue)
    assert flow.cancel(queue) == 2
    assert executions(queue, "running") == ["cancelled"]
    assert queue.get_status("end")["phase"] == "ready"
    drain(queue)
    assert flow.status(queue).has_ended


def test_a_cancel_leaves_the_last_job_alone_while_it_runs(queue: JobQueue) -> None:
    flow = submitted(queue, end=job("end"))
    claim = claimed(queue)
    assert flow.cancel(queue) == 0
    queue.complete(claim)
    assert executions(queue, "end") == ["completed"]


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_a_cancel_interrupts_functions(
    path: str, open_queue: Callable[..., JobQueue], run: Callable[..., Running], mode: str
) -> None:
    queue = open_queue()
    flow = Workflow("flow")
    for number in range(2):
        flow.add_job(Job(f"spins {number}", functions.spin, max_attempts=1))
    flow.at_end(Job("end", functions.nothing, max_attempts=1))
    flow.submit_all(queue)
    run(mode=mode, concurrency=2)
    while flow.status(queue).phases["running"] < 2:
        queue.clock.sleep(0.01)
    assert flow.cancel(queue) == 2
    status = flow.wait(queue, timeout=30)
    assert (status.statuses["cancelled"], status.statuses["completed"]) == (2, 1)


# sending back what failed


def test_what_failed_comes_back_with_what_was_cancelled_because_of_it_and_the_last_job_runs_again(
    queue: JobQueue, clock: ManualClock
) -> None:
    flow = submitted(
        queue, job("good"), [job("bad", "flaky"), job("also bad", "flaky")], job("next"), job("after"),
        end=job("end", functions.collect),
    )  # fmt: skip
    drain(queue, handlers={"flaky": functions.fail})
    assert queue.get_status("end")["result"] == [None] * 5
    assert flow.requeue_failed(queue) == 2
    assert statuses(queue) == {
        "good": "completed", "bad": "pending", "also bad": "pending", "next": "pending", "after": "pending",
        "end": "pending",
    }  # fmt: skip
    assert flow.requeue_failed(queue) == 0, "nothing has failed"
    assert queue.get_status("end")["phase"] == "waiting"
    drain(queue, handlers={"flaky": lambda: 1})
    assert set(statuses(queue).values()) == {"completed"}
    assert queue.get_status("end")["result"] == [None, 1, 1, None, None]
    assert executions(queue, "end") == ["completed", "completed"]


def test_a_requeue_twice_runs_the_last_job_again_each_time(queue: JobQueue) -> None:
    flow = submitted(queue, job("bad", functions.fail), end=job("end"))
    for _ in range(2):
        drain(queue)
        assert flow.requeue_failed(queue) == 1
    drain(queue)
    assert executions(queue, "end") == ["completed"] * 3


def test_a_requeue_gives_a_running_last_job_back(queue: JobQueue) -> None:
    flow = submitted(queue, job("bad", functions.fail), end=job("end"))
    queue.execute_job(claimed(queue))
    last = claimed(queue)
    assert flow.requeue_failed(queue) == 1
    assert queue.get_status("end")["phase"] == "waiting"
    with pytest.raises(LeaseLost):
        queue.complete(last)
    drain(queue)
    assert executions(queue, "end") == ["released", "completed"]
    assert queue.get_status("end")["attempts"] == 1


def test_a_requeue_lets_a_cancelled_last_job_run_at_the_end(queue: JobQueue) -> None:
    flow = submitted(queue, job("bad", functions.fail), end=job("end"))
    queue.cancel("end")
    drain(queue)
    assert flow.requeue_failed(queue) == 1
    drain(queue)
    assert executions(queue, "end") == ["completed"]


def test_a_last_job_that_has_failed_is_requeued_alone(queue: JobQueue) -> None:
    flow = submitted(queue, job("good"), end=job("end", functions.fail))
    drain(queue)
    assert flow.requeue_failed(queue) == 1
    assert statuses(queue) == {"good": "completed", "end": "pending"}
    drain(queue)
    assert executions(queue, "end") == ["failed", "failed"]


def test_a_job_that_the_last_one_has_found_returns_without_it(queue: JobQueue) -> None:
    flow = submitted(queue, job("good"), end=job("end", "end"))
    handlers = {"end": lambda: current_job().submit(Job("found", "found", max_attempts=1)) and None}
    drain(queue, handlers=handlers | {"found": functions.fail})
    assert flow.requeue_failed(queue) == 1
    assert statuses(queue) == {"good": "completed", "end": "completed", "found": "pending"}


def test_a_last_job_does_not_wait_for_what_it_has_found_itself(queue: JobQueue) -> None:
    flow = submitted(queue, job("bad", functions.fail), end=job("end", "end"))
    drain(queue, handlers={"end": lambda: current_job().submit(Job("found", "found", max_attempts=1)) and None})
    drain(queue, handlers={"found": functions.fail})
    assert flow.requeue_failed(queue) == 2
    assert statuses(queue) == {"bad": "pending", "end": "pending", "found": "pending"}
    assert queue.check() == []
    drain(queue, handlers={"end": lambda: None})
    assert statuses(queue) == {"bad": "failed", "end": "completed", "found": "pending"}


def test_a_requeue_of_nothing_leaves_the_last_job_alone(queue: JobQueue) -> None:
    flow = submitted(queue, job("bad", functions.fail), end=job("end"))
    drain(queue)
    queue.requeue_job("bad")
    assert flow.requeue_failed(queue) == 0
    assert statuses(queue) == {"bad": "pending", "end": "completed"}


def test_what_somebody_has_cancelled_stays_cancelled(queue: JobQueue) -> None:
    flow = submitted(queue, [job("bad", functions.fail), job("unwanted")], end=job("end"))
    queue.cancel("unwanted")
    drain(queue)
    assert flow.requeue_failed(queue) == 1
    assert statuses(queue) == {"bad": "pending", "unwanted": "cancelled", "end": "pending"}


def test_a_job_whose_key_another_has_taken_stays_and_the_last_one_does_not_run_for_it(queue: JobQueue) -> None:
    flow = submitted(queue, job("bad", functions.fail, unique_key="k"), end=job("end"))
    drain(queue)
    queue.submit(job("other", unique_key="k"))
    assert flow.requeue_failed(queue) == 0
    assert statuses(queue)["end"] == "completed"


def test_what_waits_outside_for_the_last_job_waits_again(queue: JobQueue) -> None:
    flow = submitted(queue, job("bad", functions.fail), end=job("end"))
    drain(queue)
    outside = queue.submit(job("outside", dependencies=["end"], delay=60))
    flow.requeue_failed(queue)
    assert queue.get_status(outside)["phase"] == "waiting"


def test_jobs_that_are_retried_hold_the_last_one_back(queue: JobQueue, clock: ManualClock) -> None:
    flow = submitted(queue, job("bad", functions.fail, max_attempts=2, retry_delay=60), end=job("end"))
    drain(queue)
    assert flow.status(queue).phases["retrying"] == flow.status(queue).phases["waiting"] == 1
    clock.advance(61)
    drain(queue)
    assert statuses(queue) == {"bad": "failed", "end": "completed"}
