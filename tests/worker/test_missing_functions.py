"""A worker that does not find a function leaves its jobs to others: no job fails for what one worker lacks."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gigq import Job, JobQueue, ManualClock, Worker
from gigq.status import ExecutionStatus
from gigq.testing import drain

DAY = 24 * 3600.0


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Writes the module `late`, which is missing before."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(source: str) -> None:
        sys.modules.pop("late", None)
        (tmp_path / "late.py").write_text(source)

    yield write
    sys.modules.pop("late", None)


def submit(file: JobQueue, *functions: str, **options: object) -> list[str]:
    return [file.submit(Job(function, function, **options)) for function in functions]  # type: ignore[arg-type]


def statuses(queue: JobQueue, jobs: list[str]) -> list[str]:
    return [queue.get_status(job)["status"] for job in jobs]


@pytest.mark.parametrize("missing", ["late:f", "functions:no_such_name", "nobody"])
def test_a_burst_worker_runs_the_others_and_ends(path: str, queue: JobQueue, missing: str) -> None:
    lost = submit(queue, *[missing] * 5, max_attempts=1)
    found = submit(queue, *["functions:nothing"] * 5)
    with Worker(path, concurrency=2, burst=True, polling_interval=0.1) as worker:
        worker.start()
    assert statuses(queue, lost + found) == ["pending"] * 5 + ["completed"] * 5
    assert [queue.get_status(job)["attempts"] for job in lost] == [0] * 5
    assert sum(len(queue.get_status(job)["executions"]) for job in lost) <= 2  # one for each slot


def test_a_worker_says_so_once_for_each_function(
    path: str, queue: JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    submit(queue, *["late:f"] * 4, *["late:g"] * 4)
    with Worker(path, "ann", concurrency=4, burst=True) as worker:
        worker.start()
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert sorted(said) == [
        f"worker ann cannot find 'late:{name}': ModuleNotFoundError: No module named 'late'; "
        "its jobs are left to other workers, and it looks again from time to time"
        for name in "fg"
    ]
    found = [vars(record) for record in caplog.records if record.levelno == logging.ERROR]
    fields = sorted((each["worker_id"], each["function"], each["error_type"]) for each in found)
    assert fields == [("ann", f"late:{name}", "ModuleNotFoundError") for name in "fg"]


def test_the_file_names_the_worker_the_function_and_the_reason(path: str, queue: JobQueue) -> None:
    (job,) = submit(queue, "late:f")
    with Worker(path, "ann") as worker:
        assert not worker.process_one()
        (record,) = queue.workers()
        assert record.missing == {"late:f": "ModuleNotFoundError: No module named 'late'"}
        said = queue.why(job)
    assert said[0] == (
        "It was given back unfinished, and the attempt did not count: "
        "worker ann cannot find 'late:f': ModuleNotFoundError: No module named 'late'"
    )
    assert said[1] == "Worker ann cannot find 'late:f': ModuleNotFoundError: No module named 'late'"
    assert said[2] == "No live worker that serves queue 'default' finds its function."
    assert said[3].startswith("It fails if none has found it by ")
    assert queue.get_status(job)["executions"][0]["status"] == ExecutionStatus.RELEASED


def test_process_one_runs_the_next_job_instead(path: str, queue: JobQueue) -> None:
    lost, found = submit(queue, "late:f", "functions:nothing")
    with Worker(path) as worker:
        assert worker.process_one()
        assert statuses(queue, [lost, found]) == ["pending", "completed"]
        assert not worker.process_one()


def test_a_function_is_looked_for_again_after_pauses_that_grow(
    path: str, open_queue: Callable[..., JobQueue], clock: ManualClock, module: Callable[[str], None]
) -> None:
    queue = open_queue(clock=clock)
    jobs = submit(queue, "late:f", "late:f", "late:f")
    tries = list[int]()
    with Worker(path, "ann", clock=clock) as worker:
        for _ in range(1000):
            assert not worker.process_one()
            tries.append(queue.get_status(jobs[0])["releases"])
            clock.advance(1)
        assert [tries[second] for second in (0, 1, 2, 3, 7, 8, 999)] == [1, 2, 2, 3, 4, 4, 11]
        assert [queue.get_status(job)["releases"] for job in jobs[1:]] == [0, 0]  # one job looks for all
        module("def f(): pass")
        clock.advance(300)
        assert [worker.process_one() for _ in range(4)] == [True, True, True, False]
        assert statuses(queue, jobs) == ["completed"] * 3
        worker.process_one()
        clock.advance(2)
        worker.process_one()
        assert queue.workers()[0].missing == {}


def test_another_worker_runs_what_the_first_does_not_find(path: str, queue: JobQueue) -> None:
    jobs = submit(queue, *["handy"] * 3)
    with Worker(path, "without") as without, Worker(path, "with", handlers={"handy": int}) as able:
        assert not without.process_one()
        while able.process_one():
            assert not without.process_one()
    assert statuses(queue, jobs) == ["completed"] * 3


def test_a_handler_that_another_worker_has_is_not_claimed(path: str, queue: JobQueue) -> None:
    with Worker(path, "with", handlers={"handy": int}) as able, Worker(path, "without") as without:
        able.process_one()
        (job,) = submit(queue, "handy")
        assert not without.process_one()
        assert queue.get_status(job)["executions"] == []
        assert able.process_one()


def test_a_job_fails_when_no_worker_has_found_its_function_for_a_day(
    open_queue: Callable[..., JobQueue], clock: ManualClock
) -> None:
    queue = open_queue(clock=clock)
    old, child = submit(queue, "late:f", max_attempts=5)[0], ""
    child = queue.submit(Job("child", "functions:nothing", dependencies=[old]))
    drain(queue)
    clock.advance(DAY - 1)
    (young,) = submit(queue, "late:f")
    drain(queue)
    assert statuses(queue, [old, child, young]) == ["pending"] * 3
    clock.advance(1)
    drain(queue)
    assert statuses(queue, [old, child, young]) == ["failed", "cancelled", "pending"]
    assert queue.get_status(old)["error"] == (
        "no worker has found its function for 24 hours; "
        "worker drain cannot find 'late:f': ModuleNotFoundError: No module named 'late'"
    )
    assert queue.get_status(old)["executions"][-1]["error_type"] == "ModuleNotFoundError"
    clock.advance(DAY)
    drain(queue)
    assert statuses(queue, [young]) == ["failed"]


def test_all_jobs_of_a_function_that_is_gone_fail_after_a_day(
    open_queue: Callable[..., JobQueue], clock: ManualClock
) -> None:
    queue = open_queue(clock=clock)
    jobs = submit(queue, *["late:f"] * 30)
    drain(queue)
    clock.advance(DAY)
    drain(queue)
    assert statuses(queue, jobs) == ["failed"] * 30


@pytest.mark.parametrize("options", [{"delay": 2 * DAY}, {"expires_at": None}])
def test_a_job_waits_a_day_from_when_it_became_ready(
    open_queue: Callable[..., JobQueue], clock: ManualClock, options: dict[str, object]
) -> None:
    queue = open_queue(clock=clock)
    (first,) = submit(queue, "late:f")
    (later,) = submit(queue, "late:f", **options)
    drain(queue)
    for _ in range(2):
        clock.advance(DAY)
        drain(queue)
    ended = "pending" if "delay" in options else "failed"
    assert statuses(queue, [first, later]) == ["failed", ended]
    queue.requeue_job(first)
    drain(queue)
    assert statuses(queue, [first]) == ["pending"]


def test_a_day_begins_anew_when_some_worker_has_found_the_function(
    path: str, open_queue: Callable[..., JobQueue], clock: ManualClock
) -> None:
    queue = open_queue(clock=clock)
    (job,) = submit(queue, "handy", queue="a")
    drain(queue)
    clock.advance(DAY / 2)
    submit(queue, "handy", queue="b")
    with Worker(path, queues=["b"], handlers={"handy": int}, clock=clock) as worker:
        assert worker.process_one()
    clock.advance(DAY / 2 + 60)
    drain(queue)
    assert statuses(queue, [job]) == ["pending"]


def test_a_module_that_raises_when_it_is_imported_fails_the_attempt(
    open_queue: Callable[..., JobQueue], clock: ManualClock, module: Callable[[str], None]
) -> None:
    queue = open_queue(clock=clock)
    module("raise ConnectionError('the bus is not up yet')")
    patient, other = (submit(queue, "late:f", max_attempts=3, retry_on=[kind])[0] for kind in ("OSError", "KeyError"))
    assert drain(queue) >= 2
    assert queue.get_status(other)["status"] == "failed"
    assert queue.get_status(other)["error"] == "ConnectionError: the bus is not up yet"
    assert queue.get_status(patient)["attempts"] == 3
    (mended,) = submit(queue, "late:f")
    module("def f(): return 7")
    drain(queue)
    assert queue.get_result(mended) == 7


def test_manual_consumption_leaves_a_missing_function_for_a_while(
    open_queue: Callable[..., JobQueue], clock: ManualClock
) -> None:
    queue = open_queue(clock=clock)
    lost, found = submit(queue, "late:f", "functions:nothing")
    while claim := queue.dequeue("importer"):
        queue.execute_job(claim)
    assert statuses(queue, [lost, found]) == ["pending", "completed"]
    assert "cannot find 'late:f': ModuleNotFoundError" in queue.why(lost)[0]
    clock.advance(1)
    again = queue.dequeue("importer")
    assert again is not None
    assert queue.execute_job(again) is ExecutionStatus.RELEASED


@pytest.mark.skipif(sys.platform == "win32", reason="no process mode")
def test_child_processes_tell_it_too(path: str, queue: JobQueue) -> None:
    lost, found = submit(queue, "late:f", "functions:nothing")
    with Worker(path, "ann", mode="process", burst=True) as worker:
        worker.start()
    assert statuses(queue, [lost, found]) == ["pending", "completed"]
    assert "worker ann cannot find 'late:f': ModuleNotFoundError" in queue.why(lost)[0]


@pytest.mark.skipif(sys.platform == "win32", reason="no process mode")
def test_a_worker_that_can_start_no_process_gives_its_jobs_back_and_says_so(
    path: str, queue: JobQueue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = submit(queue, "functions:nothing", "functions:nothing")
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with Worker(path, mode="process", burst=True) as worker:
        worker.start()
    assert [(queue.get_status(job)["status"], queue.get_status(job)["attempts"]) for job in jobs] == [("pending", 0)] * 2
    (said,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert said.startswith("no child process can be started: [Errno 2] No such file or directory")
