"""Manual consumption: a program claims and settles jobs as safely as a worker does."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import functions
import pytest
from running import Pipes, Running

from gigq import (
    ExecutionStatus,
    GiveUp,
    Job,
    JobClaim,
    JobNotFound,
    JobQueue,
    LeaseLost,
    ManualClock,
    NotSerializable,
    RetryLater,
    Worker,
)
from gigq.process import this_process
from gigq.store import manual
from gigq.testing import drain

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def submit(queue: JobQueue, name: str = "job", **options: Any) -> str:
    return queue.submit(Job(name, functions.nothing, **options))


def taken(queue: JobQueue, **options: Any) -> JobClaim:
    claim = queue.dequeue(**options)
    assert claim is not None
    return claim


def last_execution(queue: JobQueue, job_id: str) -> Any:
    record = queue.get_job(job_id)
    assert record is not None
    return record.executions[-1]


def status(queue: JobQueue, job_id: str) -> str:
    return str(queue.get_status(job_id)["status"])


def statuses(queue: JobQueue, job_id: str) -> list[str]:
    return [each["status"] for each in queue.get_status(job_id)["executions"]]


# dequeue


def test_the_next_job_is_claimed_with_everything_needed_to_do_it(open_queue: Callable[..., JobQueue]) -> None:
    clock = ManualClock()
    queue = open_queue(clock=clock)
    submit(queue)
    call = Job("call", functions.add, {"b": 2}, args=[1], priority="high", tags=["t"], metadata={"m": 1}, timeout=60)
    queue.submit(call)
    claim = taken(queue)
    assert (claim.id, claim.name, claim.queue, claim.function) == (call.id, "call", "default", "functions:add")
    assert (claim.args, claim.params, claim.tags, claim.metadata) == ([1], {"b": 2}, ("t",), {"m": 1})
    assert (claim.attempt, claim.max_attempts, claim.parent_results) == (1, 3, {})
    assert (claim.timeout, claim.deadline) == (60.0, clock.now() + timedelta(seconds=60))
    assert queue.get_status(call.id)["phase"] == "running"


def test_default_converts_what_a_program_stores_without_a_worker(open_queue: Callable[..., JobQueue]) -> None:
    with open_queue(default=functions.as_list) as queue:
        ids = [queue.enqueue(functions.a_set), queue.enqueue("by_hand", each={2, 1})]
        queue.execute_job(taken(queue))
        claim = taken(queue)
        queue.complete(claim, claim.params | {"too": {4, 3}})
        assert [queue.result(each) for each in ids] == [{"in": [1, 2]}, {"each": [1, 2], "too": [3, 4]}]
        queue.schedules.add("s", functions.nothing, every=60, metadata={"m": {1}})
        assert queue.get_status(queue.schedules.run("s"))["metadata"]["m"] == [1]
        assert drain(queue) == 1


def test_nan_comes_back_wherever_a_job_keeps_it(queue: JobQueue) -> None:
    parent = submit(queue, args=(), metadata={"m": math.nan})
    child = queue.submit(Job("child", "child", {"p": math.inf}, args=[-math.inf], dependencies=[parent]))
    queue.complete(taken(queue), [math.nan])
    claim = taken(queue)
    assert claim.id == child
    assert repr([claim.args, claim.params, claim.parent_results]) == repr(
        [[-math.inf], {"p": math.inf}, {parent: [math.nan]}]
    )
    assert repr(queue.get_status(parent)["metadata"]) == "{'m': nan}"
    assert queue.check() == []


def test_nothing_is_claimed_if_no_job_is_ready(queue: JobQueue) -> None:
    submit(queue, delay=3600)
    assert queue.dequeue() is None


@pytest.mark.parametrize("queues", ["mail", ["mail"], ("other", "mail")])
def test_only_jobs_of_the_named_queues_are_claimed(queue: JobQueue, queues: Any) -> None:
    submit(queue)
    mail = queue.submit(Job("mail", functions.nothing, queue="mail"))
    assert taken(queue, queues=queues).id == mail
    assert queue.dequeue(queues=queues) is None


def test_a_child_is_claimed_with_the_results_of_its_parents(queue: JobQueue) -> None:
    parent = submit(queue)
    child = submit(queue, dependencies=[parent])
    queue.complete(taken(queue), {"rows": 3})
    claim = taken(queue)
    assert (claim.id, claim.parent_results) == (child, {parent: {"rows": 3}})


def test_a_queue_in_memory_can_be_consumed() -> None:
    with JobQueue(":memory:") as queue:
        job_id = submit(queue)
        queue.complete(taken(queue), 1)
        assert queue.get_result(job_id) == 1
        assert queue.check() == []


def test_the_given_worker_name_is_shown(queue: JobQueue) -> None:
    first, second = submit(queue), submit(queue)
    taken(queue, worker_id="importer")
    taken(queue, worker_id="exporter")
    assert [queue.get_status(each)["worker_id"] for each in (first, second)] == ["importer", "exporter"]
    assert [(worker.id, worker.mode, worker.running) for worker in queue.workers()] == [("importer", "manual", 2)]


def test_the_default_worker_name_contains_the_process_id(queue: JobQueue) -> None:
    submit(queue)
    taken(queue)
    assert f"-{os.getpid()}-" in queue.workers()[0].id


def test_queue_objects_that_are_never_closed_do_not_fill_the_file_with_workers(
    queue: JobQueue, open_queue: Callable[..., JobQueue]
) -> None:
    for _ in range(5):
        submit(queue)
        one = open_queue()
        one.complete(taken(one))
    assert len(queue.workers()) == 1


# complete


@pytest.mark.parametrize("by", [lambda claim: claim, lambda claim: claim.id], ids=["by its claim", "by its id"])
def test_a_job_is_completed_with_a_result(queue: JobQueue, by: Callable[[JobClaim], Any]) -> None:
    job_id = submit(queue)
    queue.complete(by(taken(queue)), {"pages": [1, 2]})
    assert queue.result(job_id, timeout=0) == {"pages": [1, 2]}


def test_a_job_can_be_completed_by_another_queue_object(queue: JobQueue, open_queue: Callable[..., JobQueue]) -> None:
    first, second = submit(queue), submit(queue)
    open_queue().complete(taken(queue))
    taken(queue)
    open_queue().complete(second)
    assert [status(queue, each) for each in (first, second)] == ["completed", "completed"]


def test_a_result_that_json_cannot_hold_is_refused_and_the_job_stays_claimed(queue: JobQueue) -> None:
    job_id = submit(queue)
    claim = taken(queue)
    with pytest.raises(NotSerializable):
        queue.complete(claim, {1, 2})
    queue.complete(claim, [1, 2])
    assert queue.get_result(job_id) == [1, 2]


@pytest.mark.parametrize("by", [lambda claim: claim, lambda claim: claim.id], ids=["by its claim", "by its id"])
def test_a_settled_execution_cannot_be_settled_again(queue: JobQueue, by: Callable[[JobClaim], Any]) -> None:
    job_id = submit(queue)
    claim = taken(queue)
    queue.complete(claim, "first")
    with pytest.raises(LeaseLost):
        queue.complete(by(claim), "second")
    with pytest.raises(LeaseLost):
        queue.fail(by(claim), "no")
    assert queue.get_result(job_id) == "first"


def test_an_unknown_id_is_refused(queue: JobQueue) -> None:
    with pytest.raises(JobNotFound):
        queue.complete("unknown")
    with pytest.raises(JobNotFound):
        queue.fail("unknown", "no")


def test_the_job_of_a_worker_cannot_be_settled_manually(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes
) -> None:
    job_id = queue.submit(Job("slow", functions.hold, {"tell": pipes.tell, "until": pipes.until}))
    run()
    pipes.wait_until_begun()
    with pytest.raises(LeaseLost):
        queue.complete(job_id, "mine")
    pipes.let_end()
    assert queue.result(job_id, timeout=30) is None


def test_a_pending_job_cannot_be_settled_manually(queue: JobQueue) -> None:
    job_id = submit(queue)
    with pytest.raises(LeaseLost):
        queue.complete(job_id)
    assert status(queue, job_id) == "pending"


# fail


def test_a_failed_job_is_tried_again_until_its_attempts_are_used_up(queue: JobQueue) -> None:
    job_id = submit(queue, max_attempts=2)
    queue.fail(taken(queue), "no answer")
    assert queue.get_status(job_id)["phase"] == "ready"
    queue.fail(taken(queue).id, "no answer again")
    assert (status(queue, job_id), queue.get_status(job_id)["error"]) == ("failed", "no answer again")


def test_a_failure_without_retry_is_final(queue: JobQueue) -> None:
    ids = [submit(queue) for _ in range(2)]
    queue.fail(taken(queue), "no", retry=False)
    queue.fail(taken(queue), RetryLater(60), retry=False)
    assert [status(queue, each) for each in ids] == ["failed", "failed"]


def test_an_error_may_be_a_dict(queue: JobQueue) -> None:
    job_id = submit(queue)
    queue.fail(taken(queue), {"type": "ValueError", "message": "Invalid", "traceback": "Traceback …"}, retry=False)
    execution = last_execution(queue, job_id)
    assert (execution.error_type, execution.traceback) == ("ValueError", "Traceback …")
    assert execution.error == queue.get_status(job_id)["error"] == "ValueError: Invalid"


def test_the_dict_of_an_error_may_lack_the_type(queue: JobQueue) -> None:
    job_id = submit(queue, max_attempts=1)
    queue.fail(taken(queue), {"message": "Invalid"})
    execution = last_execution(queue, job_id)
    assert (execution.error, execution.error_type, execution.traceback) == ("Invalid", None, None)


def test_an_exception_is_kept_with_its_traceback(queue: JobQueue) -> None:
    job_id = submit(queue, max_attempts=1)
    claim = taken(queue)
    try:
        functions.fail("no such city")
    except ValueError as error:
        queue.fail(claim, error)
    execution = last_execution(queue, job_id)
    assert (execution.error, execution.error_type) == ("ValueError: no such city", "ValueError")
    assert "test_an_exception_is_kept_with_its_traceback" in execution.traceback
    assert "in fail\n" in execution.traceback


@pytest.mark.parametrize(
    ("options", "error", "phase"),
    [
        ({}, ValueError("no"), "ready"),
        ({"retry_on": [OSError]}, ValueError("no"), "failed"),
        ({"retry_on": [OSError]}, ConnectionError("no"), "ready"),
        ({"retry_on": [OSError]}, "no", "ready"),
        ({"no_retry_on": [ValueError]}, ValueError("no"), "failed"),
        ({}, GiveUp("no"), "failed"),
        ({"max_attempts": 1}, RetryLater(), "scheduled"),
        ({"retry_delay": 60}, ValueError("no"), "retrying"),
    ],
)
def test_an_exception_is_treated_as_if_the_function_had_raised_it(
    queue: JobQueue, options: dict[str, Any], error: Any, phase: str
) -> None:
    by_claim, by_id = submit(queue, **options), submit(queue, **options)
    claims = [taken(queue), taken(queue)]
    queue.fail(claims[0], error)
    queue.fail(claims[1].id, error)
    assert [queue.get_status(each)["phase"] for each in (by_claim, by_id)] == [phase, phase]


@pytest.mark.parametrize("error", [None, 7, {}, {"type": "E"}, {"message": 1}, {"message": "no", "code": "1"}])
def test_an_error_of_another_type_is_refused_and_the_job_stays_claimed(queue: JobQueue, error: Any) -> None:
    submit(queue)
    claim = taken(queue)
    with pytest.raises(ValueError, match="the error is"):
        queue.fail(claim, error)
    queue.complete(claim)


def test_an_error_of_a_million_characters_is_shortened(queue: JobQueue) -> None:
    job_id = submit(queue, max_attempts=1)
    queue.fail(taken(queue), "x" * 1_000_000)
    assert len(queue.get_status(job_id)["error"]) <= 10_000


# execute


def test_a_job_is_executed_here_and_now(queue: JobQueue) -> None:
    job_id = queue.submit(Job("add", functions.add, {"a": 1, "b": 2}))
    assert queue.execute_job(taken(queue)) is ExecutionStatus.COMPLETED
    assert queue.get_result(job_id) == 3


def test_the_function_can_ask_for_its_job(queue: JobQueue) -> None:
    job_id = queue.submit(Job("context", functions.context, tags=["t"], metadata={"m": 1}))
    queue.execute_job(taken(queue))
    assert queue.get_result(job_id) == {
        "id": job_id, "name": "context", "attempt": 1, "tags": ["t"], "metadata": {"m": 1},
    }  # fmt: skip


def test_what_the_function_raises_is_kept_and_not_raised(queue: JobQueue) -> None:
    job_id = queue.submit(Job("fail", functions.fail, max_attempts=2))
    assert queue.execute_job(taken(queue)) is ExecutionStatus.FAILED
    assert queue.get_status(job_id)["phase"] == "ready"
    assert queue.execute_job(taken(queue)) is ExecutionStatus.FAILED
    assert (status(queue, job_id), queue.get_status(job_id)["error"]) == ("failed", "ValueError: no")


def test_a_job_may_name_a_handler(queue: JobQueue) -> None:
    job_id = queue.submit(Job("double", "double", {"number": 4}))
    queue.execute_job(taken(queue), handlers={"double": lambda number: 2 * number})
    assert queue.get_result(job_id) == 8


def test_a_function_is_stopped_at_its_timeout(queue: JobQueue) -> None:
    job_id = queue.submit(Job("endless", functions.spin, timeout=0.05, max_attempts=1))
    assert queue.execute_job(taken(queue)) is ExecutionStatus.TIMEOUT
    assert status(queue, job_id) == "timeout"


def test_an_execution_that_has_ended_is_not_executed(queue: JobQueue, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    queue.submit(Job("append", functions.append, {"path": str(trace), "line": "called"}))
    claim = taken(queue)
    queue.fail(claim, "no", retry=False)
    assert queue.execute_job(claim) is ExecutionStatus.FAILED
    assert not trace.exists()


def test_a_job_cancelled_while_it_is_executed_stays_cancelled(queue: JobQueue) -> None:
    job_id = queue.submit(Job("cancelled", "cancel"))
    claim = taken(queue)
    handlers = {"cancel": lambda: queue.cancel(job_id, running=True)}
    assert queue.execute_job(claim, handlers=handlers) is ExecutionStatus.CANCELLED
    assert status(queue, job_id) == "cancelled"


def test_a_job_that_was_deleted_is_not_executed(queue: JobQueue) -> None:
    submit(queue)
    claim = taken(queue)
    queue.complete(claim)
    queue.clear_completed()
    with pytest.raises(LeaseLost, match="deleted"):
        queue.execute_job(claim)


def test_an_interrupt_gives_the_job_back_and_then_interrupts(queue: JobQueue) -> None:
    job_id = queue.submit(Job("killer", functions.kill_own_process, {"number": int(signal.SIGINT)}))
    claim = taken(queue)
    with pytest.raises(KeyboardInterrupt):
        queue.execute_job(claim)
    record = queue.get_status(job_id)
    assert (record["phase"], record["attempts"], record["executions"][0]["status"]) == ("ready", 0, "released")


# timeouts


def test_dequeue_times_out_what_is_overdue(open_queue: Callable[..., JobQueue]) -> None:
    clock = ManualClock()
    queue = open_queue(clock=clock)
    submit(queue, timeout=60)
    taken(queue)
    clock.advance(59)
    assert queue.dequeue() is None
    clock.advance(1)
    claim = taken(queue)
    assert (claim.attempt, statuses(queue, claim.id)) == (2, ["timeout", "running"])


def test_a_late_program_changes_nothing(open_queue: Callable[..., JobQueue]) -> None:
    clock = ManualClock()
    slow, quick = open_queue(clock=clock), open_queue(clock=clock)
    submit(slow, timeout=60)
    late = taken(slow)
    clock.advance(60)
    claim = taken(quick)
    for job in (late, late.id):
        with pytest.raises(LeaseLost):
            slow.complete(job, "late")
        with pytest.raises(LeaseLost):
            slow.fail(job, "late", retry=False)
    assert slow.execute_job(late) is ExecutionStatus.TIMEOUT
    assert statuses(quick, claim.id) == ["timeout", "running"]
    quick.complete(claim.id, "in time")
    assert quick.get_result(claim.id) == "in time"


def test_a_live_process_keeps_a_job_without_a_timeout(open_queue: Callable[..., JobQueue], path: str) -> None:
    clock = ManualClock()
    queue = open_queue(clock=clock)
    submit(queue, timeout=None)
    claim = taken(queue)
    with Worker(path, clock=clock) as worker:
        for _ in range(5):
            clock.advance(86_400)
            assert not worker.process_one()
    assert queue.requeue_stuck() == 0
    queue.complete(claim)


def test_setting_the_clock_back_takes_no_job_away(open_queue: Callable[..., JobQueue], path: str) -> None:
    clock = ManualClock()
    queue = open_queue(clock=clock)
    submit(queue, timeout=60)
    claim = taken(queue)
    clock.set(clock.now() - timedelta(days=1))
    clock.advance(30)
    with Worker(path, clock=clock) as worker:
        assert not worker.process_one()
    assert (queue.dequeue(), queue.requeue_stuck()) == (None, 0)
    queue.complete(claim)


def test_a_worker_times_out_what_is_overdue(open_queue: Callable[..., JobQueue], path: str) -> None:
    clock = ManualClock()
    queue = open_queue(clock=clock)
    job_id = submit(queue, timeout=60)
    taken(queue)
    with Worker(path, clock=clock) as worker:
        assert not worker.process_one()
        clock.advance(60)
        assert worker.process_one()
    assert statuses(queue, job_id) == ["timeout", "completed"]


def test_requeue_stuck_times_out_what_is_overdue(open_queue: Callable[..., JobQueue]) -> None:
    clock = ManualClock()
    queue = open_queue(clock=clock)
    job_id = submit(queue, timeout=60)
    taken(queue)
    clock.advance(60)
    assert queue.requeue_stuck() == 1
    assert statuses(queue, job_id) == ["timeout"]


def test_a_program_whose_row_was_removed_is_registered_again(
    queue: JobQueue, open_queue: Callable[..., JobQueue]
) -> None:
    submit(queue)
    queue.complete(taken(queue))
    open_queue().dequeue("another")
    job_id = submit(queue)
    claim = taken(queue, worker_id="again")
    assert [worker.id for worker in queue.workers()] == ["again"]
    queue.complete(claim, 1)
    assert queue.get_result(job_id) == 1


# closing a queue


def test_closing_a_queue_gives_back_what_it_has_claimed(queue: JobQueue, path: str) -> None:
    with JobQueue(path) as other:
        done, held = submit(other), submit(other)
        other.complete(taken(other))
        claim = taken(other)
    assert (status(queue, done), queue.get_status(held)["phase"], queue.get_status(held)["attempts"]) == (
        "completed", "ready", 0,
    )  # fmt: skip
    assert queue.workers() == []
    with pytest.raises(LeaseLost):
        queue.complete(claim)


def test_closing_a_queue_leaves_the_claims_of_others_alone(queue: JobQueue, path: str) -> None:
    submit(queue)
    claim = taken(queue)
    with JobQueue(path) as other:
        assert other.dequeue() is None
    queue.complete(claim)


def test_a_queue_can_be_closed_twice(path: str) -> None:
    queue = JobQueue(path)
    submit(queue)
    queue.complete(taken(queue))
    queue.close()
    queue.close()
    with JobQueue(path) as again:
        assert again.check() == []


# processes


TAKE_AND_WAIT = """
import sys
from gigq import JobQueue
print(JobQueue(sys.argv[1]).dequeue("killed").id, flush=True)
sys.stdin.read()
"""

TAKE_ALL = """
import sys
from gigq import JobQueue
with JobQueue(sys.argv[1]) as queue:
    print("ready", flush=True)
    sys.stdin.readline()
    while claim := queue.dequeue():
        queue.complete(claim)
        print(claim.id)
"""


@pytest.fixture
def start(path: str) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts scripts on the test's queue, and kills those that are left at the end."""
    started: list[subprocess.Popen[str]] = []

    def start_one(script: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-c", script, path]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        started.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        )
        return started[-1]

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def killed_with_a_job(queue: JobQueue, start: Callable[[str], subprocess.Popen[str]]) -> str:
    """Let a process claim a job and kill it; return the id of the job."""
    job_id = submit(queue, timeout=None)
    process = start(TAKE_AND_WAIT)
    assert process.stdout is not None
    assert process.stdout.readline() == f"{job_id}\n"
    assert queue.requeue_stuck() == 0
    process.kill()
    process.wait()
    return job_id


def test_threads_and_processes_claim_each_job_once(
    queue: JobQueue, start: Callable[[str], subprocess.Popen[str]]
) -> None:
    ids = queue.submit_many(Job("job", functions.nothing) for _ in range(200))
    processes = [start(TAKE_ALL) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    def take_all(_: int) -> list[str]:
        mine = []
        while claim := queue.dequeue():
            queue.complete(claim)
            mine.append(claim.id)
        return mine

    with ThreadPoolExecutor(8) as threads:
        found = threads.map(take_all, range(8))
        outputs = [process.communicate(timeout=60)[0].split() for process in processes]
    assert sorted(chain(*found, *outputs)) == sorted(ids)
    assert {len(queue.get_status(each)["executions"]) for each in ids} == {1}
    assert [worker.running for worker in queue.workers()] == [0]


def test_requeue_stuck_requeues_what_a_killed_process_held(
    queue: JobQueue, start: Callable[[str], subprocess.Popen[str]]
) -> None:
    job_id = killed_with_a_job(queue, start)
    assert queue.requeue_stuck() == 1
    assert (queue.get_status(job_id)["phase"], statuses(queue, job_id)) == ("ready", ["lost"])
    assert queue.workers() == []


def test_a_worker_at_once_runs_what_a_killed_process_held(
    queue: JobQueue, path: str, start: Callable[[str], subprocess.Popen[str]]
) -> None:
    job_id = killed_with_a_job(queue, start)
    with Worker(path) as worker:
        assert worker.process_one()
    assert statuses(queue, job_id) == ["lost", "completed"]


def test_dequeue_claims_what_a_killed_process_held(
    queue: JobQueue, start: Callable[[str], subprocess.Popen[str]]
) -> None:
    job_id = killed_with_a_job(queue, start)
    queue.complete(taken(queue))
    assert statuses(queue, job_id) == ["lost", "completed"]


def test_dequeue_looks_for_dead_workers_once_a_second(open_queue: Callable[..., JobQueue]) -> None:
    clock = ManualClock()
    queue = open_queue(clock=clock)
    assert queue.dequeue() is None
    with queue.database.write() as tx:
        manual.register(tx, "dead", this_process()._replace(boot_id="before"))
    clock.advance(0.9)
    queue.dequeue()
    assert len(queue.workers()) == 2
    clock.advance(0.1)
    queue.dequeue()
    assert len(queue.workers()) == 1


def in_child(act: Callable[[], object]) -> None:
    """Do something in the child of a fork, and wait for its end."""
    child = os.fork()
    if child == 0:
        try:
            act()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@FORKS
def test_the_child_of_a_fork_does_not_give_back_its_parents_claims(queue: JobQueue) -> None:
    mine, childs = submit(queue), submit(queue)
    claim = taken(queue)

    def take_and_close() -> None:
        assert taken(queue).id == childs
        queue.close()

    in_child(take_and_close)
    assert statuses(queue, childs) == ["released"]
    queue.complete(claim)
    assert statuses(queue, mine) == ["completed"]


@FORKS
def test_the_claims_of_a_forked_child_are_lost_when_it_ends(queue: JobQueue) -> None:
    first, second = submit(queue), submit(queue)
    claim = taken(queue)
    in_child(lambda: taken(queue))
    assert queue.requeue_stuck() == 1
    assert (statuses(queue, first), statuses(queue, second)) == (["running"], ["lost"])
    queue.complete(claim)


def test_dequeue_from_no_queue_is_refused(queue: JobQueue) -> None:
    with pytest.raises(ValueError, match=r"^queues must not be empty$"):
        queue.dequeue(queues=[])
