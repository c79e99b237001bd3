"""Progress and logs of jobs, from the function to the file."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from queue import Queue
from typing import Any

import functions
import pytest
from running import Pipes, Running
from store.verbs import File

from gigq import Event, Job, JobQueue, ManualClock, Worker, current_job
from gigq.reports import Progress, Report
from gigq.runtime.call import caller
from gigq.runtime.functions import Functions
from gigq.runtime.threads import ThreadRunner
from gigq.status import ExecutionStatus
from gigq.store.progress import write_progress
from gigq.worker.inflight import Inflight
from gigq.worker.progress import ProgressWriter

PATIENCE = 30
app = logging.getLogger("app")


@pytest.fixture
def file(open_queue: Callable[..., JobQueue], clock: ManualClock) -> File:
    return File(open_queue(clock=clock), clock)


@pytest.fixture(autouse=True)
def let_everything_through() -> Iterator[None]:
    app.setLevel(logging.DEBUG)
    yield
    app.setLevel(logging.NOTSET)


class Awaited:
    """Waits for events of one kind."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._queue: Queue[Event] = Queue()

    def __call__(self, event: Event) -> None:
        if event.kind == self._kind:
            self._queue.put(event)

    def wait(self) -> Event:
        return self._queue.get(timeout=PATIENCE)


def progress_of(queue: JobQueue, job_id: str) -> Any:
    return queue.get_status(job_id)["progress"]


def shown(current: float, total: float | None, percentage: float | None, message: str | None = None) -> dict[str, Any]:
    return {"current": current, "total": total, "percentage": percentage, "message": message}


def test_progress_is_in_the_file_while_the_job_runs_and_stays_when_it_has_ended(
    queue: JobQueue, run: Callable[..., Running]
) -> None:
    may_end, awaited = threading.Event(), Awaited("job.progress")

    def function() -> None:
        current_job().progress(1, 4, "first of four")
        may_end.wait(PATIENCE)
        current_job().progress(4, 4)

    job_id = queue.submit(Job("job", "f"))
    run(handlers={"f": function}, on_event=awaited, lease=1)
    awaited.wait()
    record = queue.get_job(job_id)
    assert record is not None
    assert (record.status, record.progress) == ("running", shown(1, 4, 25.0, "first of four"))
    assert [job["progress"] for job in queue.list_jobs()] == [record.progress]
    may_end.set()
    queue.result(job_id, timeout=PATIENCE)
    assert progress_of(queue, job_id) == shown(4, 4, 100.0)


def test_progress_of_a_child_process_is_in_the_file_while_the_job_runs(
    queue: JobQueue, run: Callable[..., Running], tmp_path: Any
) -> None:
    awaited = Awaited("job.progress")
    job_id = queue.submit(Job("job", "progress_functions:halfway_and_spin"))
    run(mode="process", on_event=awaited, lease=1)
    awaited.wait()
    assert progress_of(queue, job_id) == shown(1, 2, 50.0)
    queue.cancel(job_id, running=True)


def test_progress_of_a_job_that_process_one_runs_is_in_the_file_meanwhile(path: str, queue: JobQueue) -> None:
    awaited = Awaited("job.progress")
    seen = []

    def function() -> None:
        current_job().progress(7)
        awaited.wait()
        seen.append(progress_of(queue, current_job().id))

    queue.submit(Job("job", "f"))
    with Worker(path, handlers={"f": function}, on_event=awaited, lease=1) as worker:
        worker.process_one()
    assert seen == [shown(7, None, None)]


def test_a_new_attempt_begins_without_progress(file: File) -> None:
    job_id = file.submit(max_attempts=2)
    (first,) = file.claim()
    file.settle(first, ExecutionStatus.FAILED, error="no", progress=Progress(3, 4))
    assert file.job(job_id).progress == shown(3, 4, 75.0)
    (second,) = file.claim()
    assert file.job(job_id).progress is None
    file.settle(second, ExecutionStatus.FAILED, error="no", progress=Progress(1))
    file.queue.requeue_job(job_id)
    file.claim()
    assert file.job(job_id).progress is None


def test_progress_of_an_execution_that_is_no_longer_open_changes_nothing(file: File) -> None:
    job_id = file.submit(max_attempts=2)
    (first,) = file.claim()
    file.settle(first, ExecutionStatus.LOST)
    (second,) = file.claim()
    with file.write() as tx:
        write_progress(tx, {first.execution_id: Progress(9), second.execution_id: Progress(1)})
    assert file.job(job_id).progress == shown(1, None, None)
    file.settle(second, ExecutionStatus.COMPLETED)
    with file.write() as tx:
        write_progress(tx, {second.execution_id: Progress(5)})
    assert file.job(job_id).progress == shown(1, None, None)


def test_only_progress_that_has_changed_is_written_and_at_most_twice_a_second(file: File, clock: ManualClock) -> None:
    file.submit(timeout=None)
    (claim,) = file.claim()
    ours = claim.execution_id
    turns: Queue[int] = Queue()
    said = threading.Semaphore(0)

    def function() -> None:
        while (number := turns.get(timeout=PATIENCE)) > 0:
            current_job().progress(number)
            said.release()

    def say(number: int) -> None:
        turns.put(number)
        assert said.acquire(timeout=PATIENCE)

    call = caller(Functions(handlers={"f": function}), clock=clock, result_limit=100)
    runner = ThreadRunner(call, slots=1, clock=clock)
    inflight = Inflight()
    writer = ProgressWriter(runner, inflight, clock)

    def progress() -> Mapping[int, Progress]:
        return writer.of_turn(is_beat=True)["progress"]

    inflight.add([claim], free=1, now=0.0)
    runner.start([claim._replace(function="f")])
    say(1)
    assert progress() == progress() == {ours: Progress(1)}
    writer.note_written({ours: Progress(1)}, {}, {})
    clock.advance(1)
    say(1)
    assert progress() == {}
    say(2)
    assert progress() == {ours: Progress(2)}
    writer.note_written({ours: Progress(2)}, {}, {})
    say(3)
    assert progress() == {}
    clock.advance(0.5)
    assert progress() == {ours: Progress(3)}
    turns.put(0)
    while not runner.ended():
        runner.wait(PATIENCE)
    runner.close()


def test_progress_that_was_written_of_a_job_that_is_gone_is_not_remembered(clock: ManualClock) -> None:
    inflight = Inflight()
    runner = ThreadRunner(lambda claim: Report.completed("null"), slots=1, clock=clock)
    ProgressWriter(runner, inflight, clock).note_written({7: Progress(1)}, {7: "1"}, {})
    assert len(inflight) == 0
    runner.close()


def log_of(queue: JobQueue, job_id: str, number: int = -1) -> str:
    record = queue.get_job(job_id)
    assert record is not None
    return record.executions[number].log or ""


def test_each_attempt_has_a_log_of_its_own(path: str, queue: JobQueue) -> None:
    def function() -> None:
        app.info("attempt number %d", current_job().attempt)
        raise ValueError("no")

    job_id = queue.submit(Job("job", "f", max_attempts=2))
    with Worker(path, handlers={"f": function}, capture_logs=True) as worker:
        while worker.process_one():
            pass
    assert log_of(queue, job_id, 0).endswith("INFO app: attempt number 1\n")
    assert log_of(queue, job_id, 1).endswith("INFO app: attempt number 2\n")


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_without_capture_logs_nothing_is_kept(queue: JobQueue, run: Callable[..., Running], mode: str) -> None:
    run(mode=mode)
    job_id = queue.submit(Job("job", "progress_functions:log"))
    queue.result(job_id, timeout=PATIENCE)
    assert log_of(queue, job_id) == ""


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_a_log_is_kept_with_its_execution(queue: JobQueue, run: Callable[..., Running], mode: str) -> None:
    run(mode=mode, capture_logs=True)
    job_id = queue.submit(Job("job", "progress_functions:log"))
    queue.result(job_id, timeout=PATIENCE)
    assert log_of(queue, job_id).endswith("WARNING app: it is late\n")


def test_a_job_that_is_cancelled_while_it_runs_keeps_its_log(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes
) -> None:
    def function() -> None:
        app.info("not finished")
        functions.spin(pipes.tell)

    awaited = Awaited("job.cancelled")
    job_id = queue.submit(Job("job", "f"))
    running = run(handlers={"f": function}, capture_logs=True, on_event=awaited)
    pipes.wait_until_begun()
    queue.cancel(job_id, running=True)
    awaited.wait()
    running.stop()
    assert queue.get_status(job_id)["status"] == "cancelled"
    assert log_of(queue, job_id).endswith("not finished\n")


def test_a_job_that_a_stopping_worker_gives_back_keeps_its_progress_and_its_log(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes
) -> None:
    def function() -> None:
        app.info("not finished")
        current_job().progress(5)
        functions.spin(pipes.tell)

    job_id = queue.submit(Job("job", "f"))
    running = run(handlers={"f": function}, capture_logs=True, shutdown_timeout=0)
    pipes.wait_until_begun()
    running.stop()
    assert progress_of(queue, job_id) == shown(5, None, None)
    assert log_of(queue, job_id).endswith("not finished\n")
