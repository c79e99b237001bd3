"""The logs of jobs while these run: what is written of them with each heartbeat, and what when that fails."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import functions
import pytest
from model.loop_system import Machine
from running import Running
from store.verbs import File

from gigq import Job, JobQueue, ManualClock, StoreError, SystemClock, Worker
from gigq.reports import Report
from gigq.runtime.output import LOG_LIMIT
from gigq.status import ExecutionStatus
from gigq.store import workers
from gigq.store.progress import write_logs, write_running_logs

PATIENCE = 30
app = logging.getLogger("app")


@pytest.fixture(autouse=True)
def let_everything_through() -> Iterator[None]:
    app.setLevel(logging.DEBUG)
    yield
    app.setLevel(logging.NOTSET)


@pytest.fixture
def file(open_queue: Callable[..., JobQueue], clock: ManualClock) -> File:
    return File(open_queue(clock=clock), clock)


@pytest.fixture
def queue_of_clock(open_queue: Callable[..., JobQueue], clock: ManualClock) -> JobQueue:
    return open_queue(clock=clock)


@pytest.fixture
def ann(queue_of_clock: JobQueue, clock: ManualClock) -> Iterator[Machine]:
    """A worker whose slots the test moves, and which runs a job."""
    machine = Machine(queue_of_clock.database, clock, "ann")
    machine.loop.turn()
    yield machine
    machine.loop.close()
    assert machine.listener is not None
    machine.listener.close(PATIENCE)


def log_of(queue: JobQueue, job_id: str) -> str | None:
    record = queue.get_job(job_id)
    assert record is not None
    return record.executions[-1].log


def awaited_log(queue: JobQueue, job_id: str, text: str) -> str:
    """The log of a job once it contains a text."""
    deadline = SystemClock().monotonic() + PATIENCE
    while text not in (found := "".join(each["log"] or "" for each in queue.get_status(job_id)["executions"])):
        assert SystemClock().monotonic() < deadline
        SystemClock().sleep(0.01)
    return found


def test_what_a_job_logs_is_in_the_file_while_it_runs(queue: JobQueue, run: Callable[..., Running]) -> None:
    may_end = threading.Event()

    def function() -> None:
        app.info("half")
        may_end.wait(PATIENCE)
        app.info("done")

    job_id = queue.submit(Job("job", "f"))
    run(handlers={"f": function}, capture_logs=True, lease=1)
    assert "done" not in awaited_log(queue, job_id, "INFO app: half\n")
    assert queue.get_status(job_id)["status"] == "running"
    may_end.set()
    queue.wait(job_id, timeout=PATIENCE)
    assert [line.split(": ")[-1] for line in (log_of(queue, job_id) or "").splitlines()] == ["half", "done"]


def test_what_a_job_prints_in_a_child_process_is_in_the_file_while_it_runs(
    queue: JobQueue, run: Callable[..., Running], tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    job_id = queue.submit(Job("job", "progress_functions:print_and_wait", {"gate": str(gate)}))
    run(mode="process", capture_logs=True, lease=1)
    assert "and more" not in awaited_log(queue, job_id, "printed\n")
    gate.write_bytes(b".")
    queue.wait(job_id, timeout=PATIENCE)
    assert log_of(queue, job_id) == "printed\nand more\n"


def test_what_a_job_of_process_one_logs_is_in_the_file_meanwhile(path: str, queue: JobQueue) -> None:
    seen: list[str] = []

    def function() -> None:
        app.info("half")
        seen.append(awaited_log(queue, job_id, "half"))

    job_id = queue.submit(Job("job", "f"))
    with Worker(path, handlers={"f": function}, capture_logs=True, lease=1) as worker:
        worker.process_one()
    assert len(seen) == 1
    assert queue.get_status(job_id)["status"] == "completed"


def test_a_log_is_written_with_a_heartbeat_and_only_if_it_has_changed(
    ann: Machine, queue_of_clock: JobQueue, clock: ManualClock
) -> None:
    job_id = queue_of_clock.submit(Job("job", functions.nothing, timeout=None))
    ann.loop.turn()
    ann.runner.fill()
    ann.loop.turn()
    assert log_of(queue_of_clock, job_id) is None  # it waits for the heartbeat
    (held,) = ann.runner.held.values()
    written = [beat(ann, clock), beat(ann, clock)]
    held.log.write(", goes on")
    written.append(beat(ann, clock))
    execution = held.claim.execution_id
    assert written == [{execution: "it began"}, {}, {execution: "it began, goes on"}]
    assert log_of(queue_of_clock, job_id) == "it began, goes on"


def beat(machine: Machine, clock: ManualClock) -> Mapping[int, str]:
    """Let the next heartbeat come, and return the logs that are written with it."""
    clock.advance(1)
    writer = machine.loop._progress
    offered: list[Mapping[int, str]] = []
    of_turn = writer.of_turn

    def heard(*, is_beat: bool) -> object:
        found = of_turn(is_beat=is_beat)
        offered.append(found["logs"])
        return found

    writer.of_turn = heard  # type: ignore[assignment, method-assign]
    try:
        machine.loop.turn()
    finally:
        writer.of_turn = of_turn  # type: ignore[method-assign]
    return offered[-1]


def test_many_long_logs_are_written_in_turns_so_that_no_heartbeat_takes_long(
    queue_of_clock: JobQueue, clock: ManualClock
) -> None:
    machine = Machine(queue_of_clock.database, clock, "bob")
    machine.runner.slots = 40
    machine.loop.turn()
    queue_of_clock.submit_many(Job("job", functions.nothing, timeout=None) for _ in range(40))
    machine.loop.turn()
    machine.runner.fill()
    seen = list[int]()
    for _ in range(3):
        for held in machine.runner.held.values():
            held.log.write("x" * LOG_LIMIT)
        logs = beat(machine, clock)
        assert sum(map(len, logs.values())) < 1_100_000
        seen += logs
    assert len(set(seen[:40])) == 40
    machine.close()


def test_a_log_that_cannot_be_written_keeps_neither_heartbeat_nor_results_from_being_written(
    ann: Machine, queue_of_clock: JobQueue, clock: ManualClock
) -> None:
    first, second = queue_of_clock.submit_many(Job("job", functions.nothing, timeout=None) for _ in range(2))
    ann.loop.turn()
    ann.runner.fill()
    with queue_of_clock.database.write() as tx:
        tx.execute("CREATE TRIGGER full BEFORE UPDATE OF log ON executions BEGIN SELECT RAISE(ABORT, 'full'); END")
    clock.advance(1)
    with pytest.raises(StoreError, match="full"):
        ann.loop.turn()
    held, other = ann.runner.held.values()
    before = queue_of_clock.workers()[0].seen_at
    clock.advance(1)
    ann.runner.end(held.claim.execution_id, Report.completed("null"))
    ann.loop.turn()
    assert queue_of_clock.get_status(held.claim.job_id)["status"] == "completed"
    assert queue_of_clock.workers()[0].seen_at != before
    with queue_of_clock.database.write() as tx:
        tx.execute("DROP TRIGGER full")
    assert beat(ann, clock) == {}
    clock.advance(30)
    assert beat(ann, clock) == {other.claim.execution_id: "it began"}
    assert {first, second} == {held.claim.job_id, other.claim.job_id}


def test_the_log_of_an_execution_that_is_closed_stays_as_it_is(file: File) -> None:
    job_id = file.submit()
    (claim,) = file.claim()
    with file.write() as tx:
        write_running_logs(tx, {claim.execution_id: "it began", 77: "nobody"})
    assert log_of(file.queue, job_id) == "it began"
    file.settle(claim, ExecutionStatus.COMPLETED, log="it began and ended")
    with file.write() as tx:
        write_running_logs(tx, {claim.execution_id: "it began"})
    assert log_of(file.queue, job_id) == "it began and ended"
    with file.write() as tx:
        write_logs(tx, {claim.execution_id: "its last words"})
    assert log_of(file.queue, job_id) == "its last words"


def test_a_worker_that_dies_leaves_what_it_has_written_of_a_log(file: File) -> None:
    job_id = file.submit(max_attempts=2)
    (claim,) = file.claim()
    with file.write() as tx:
        write_running_logs(tx, {claim.execution_id: "last words"})
        workers.expel(tx, file.worker)
    assert file.queue.get_status(job_id)["status"] == "pending"
    assert log_of(file.queue, job_id) == "last words"
