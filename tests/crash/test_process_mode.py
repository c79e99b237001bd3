"""A worker with child processes is controlled while its jobs run, and its child processes die when it is killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import functions
import pytest
from outside import PATIENCE, Meeting, WorkerProcess
from runtime.gates import Gate

from gigq import Job, JobQueue

Start = Callable[..., WorkerProcess]


@pytest.fixture
def gates(tmp_path: Path) -> Iterator[list[Gate]]:
    """A gate for each of two jobs."""
    gates = [Gate(tmp_path / name) for name in ("first", "second")]
    yield gates
    for each in gates:
        each.close()


def held(count: int, meeting: Meeting) -> list[Job]:
    return [Job("held", functions.meet, meeting.params) for _ in range(count)]


def test_a_cancelled_job_ends_with_its_process_and_the_slot_goes_on(
    queue: JobQueue, start: Start, gates: list[Gate]
) -> None:
    gate, _ = gates
    job_id = queue.submit(Job("hang", "process_functions:hang", {"gate": gate.path}))
    child = queue.submit(Job("child", functions.nothing, dependencies=[job_id]))
    worker = start(mode="process")
    first = gate.entered()
    assert queue.cancel(job_id, running=True)
    assert [queue.get_status(each)["status"] for each in (job_id, child)] == ["cancelled"] * 2
    gate.wait_for_the_end()
    assert queue.result(queue.submit(Job("pid", "process_functions:pid")), timeout=PATIENCE) not in (first, worker.pid)
    assert worker.end() == ""
    assert [each["status"] for each in queue.get_status(job_id)["executions"]] == ["cancelled"]


def test_a_cancelled_job_that_completes_anyway_stays_cancelled(queue: JobQueue, start: Start, meeting: Meeting) -> None:
    """Whichever reaches the worker first, the cancellation or the report."""
    worker = start(mode="process")
    for _ in range(10):
        job_id = queue.submit(held(1, meeting)[0])
        meeting.arrival()
        assert queue.cancel(job_id, running=True)
        meeting.let_go()
        assert queue.wait(queue.submit(Job("next", functions.nothing)), timeout=PATIENCE).status == "completed"
        record = queue.wait(job_id)
        assert (record.status, record.result, [each.status for each in record.executions]) == (
            "cancelled",
            None,
            ["cancelled"],
        )
        meeting.take_back()  # because the job may have been stopped before it noticed
    worker.end()


def test_a_worker_has_more_child_processes_when_it_is_scaled_up_while_jobs_run(
    queue: JobQueue, start: Start, meeting: Meeting
) -> None:
    ids = queue.submit_many(held(3, meeting))
    worker = start(mode="process")
    pids = {meeting.arrival()}
    assert queue.scale(3) == 1
    pids |= {meeting.arrival(), meeting.arrival()}
    assert len(pids) == 3
    assert [each.concurrency for each in queue.workers()] == [3]
    for _ in ids:
        meeting.let_go()
    assert {record.attempts for record in queue.wait(ids, timeout=PATIENCE)} == {1}
    assert worker.end() == ""


def test_a_worker_that_is_scaled_down_lets_running_jobs_end_and_then_has_one_child_process(
    queue: JobQueue, start: Start, meeting: Meeting
) -> None:
    ids = queue.submit_many(held(3, meeting))
    worker = start(mode="process", concurrency=3)
    pids = {meeting.arrival() for _ in ids}
    queue.scale(1)
    worker.wait_until(lambda: [each.concurrency for each in queue.workers()] == [1])
    for _ in ids:
        meeting.let_go()
    assert {(record.status, record.attempts) for record in queue.wait(ids, timeout=PATIENCE)} == {("completed", 1)}
    after = queue.submit_many(Job("pid", "process_functions:pid") for _ in range(60))
    results = {record.result for record in queue.wait(after, timeout=PATIENCE)}
    assert len(results) == 1
    assert results <= pids
    assert worker.end() == ""


def test_a_worker_that_is_asked_to_stop_lets_the_jobs_of_its_child_processes_end(
    queue: JobQueue, start: Start, meeting: Meeting
) -> None:
    ids = queue.submit_many(held(2, meeting))
    worker = start(mode="process", concurrency=2)
    for _ in ids:
        meeting.arrival()
    assert queue.stop_workers() == 1
    for _ in ids:
        meeting.let_go()
    assert worker.wait_for_the_end() == (0, "")
    assert {(record.status, record.attempts) for record in queue.wait(ids, timeout=0)} == {("completed", 1)}
    assert queue.workers() == []


def test_a_worker_that_is_asked_to_stop_now_gives_running_jobs_back_and_kills_their_processes(
    queue: JobQueue, start: Start, gates: list[Gate]
) -> None:
    ids = queue.submit_many(Job("hang", "process_functions:hang", {"gate": gate.path}) for gate in gates)
    worker = start(mode="process", concurrency=2, shutdown_timeout=600)
    for gate in gates:
        gate.entered()
    assert queue.stop_workers(graceful=False) == 1
    assert worker.wait_for_the_end() == (0, "")
    for gate in gates:
        gate.wait_for_the_end()
    for job_id in ids:
        record = queue.get_job(job_id)
        assert record is not None
        assert (record.phase, record.attempts, [each.status for each in record.executions]) == (
            "ready",
            0,
            ["released"],
        )


def test_a_signal_to_every_process_of_a_service_lets_running_jobs_end(
    queue: JobQueue, start: Start, gates: list[Gate], meeting: Meeting
) -> None:
    gate, _ = gates
    params = {"gate": gate.path, "until": meeting.params["until"]}
    job_id = queue.submit(Job("held", "process_functions:wait_for_bytes", params, max_attempts=1))
    worker = start(mode="process")
    for pid in (gate.entered(), worker.pid):
        os.kill(pid, signal.SIGTERM)
    meeting.let_go()
    assert worker.wait_for_the_end() == (0, "")
    record = queue.wait(job_id, timeout=0)
    assert (record.status, record.attempts) == ("completed", 1)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing ends a process whose threads cannot run")
def test_a_child_process_that_never_releases_the_gil_dies_with_its_worker(
    queue: JobQueue, start: Start, gates: list[Gate]
) -> None:
    gate, _ = gates
    queue.submit(Job("compute", "process_functions:hang_in_c", {"gate": gate.path}))
    worker = start(mode="process")
    gate.entered()
    worker.kill()
    gate.wait_for_the_end()


def test_the_child_processes_of_a_killed_worker_are_gone_and_their_jobs_run_again(
    queue: JobQueue, start: Start, gates: list[Gate], meeting_of: Callable[[str], Meeting]
) -> None:
    meetings = [meeting_of("first"), meeting_of("second")]
    ids = queue.submit_many(
        Job("held", "process_functions:wait_for_bytes", {"gate": gate.path, "until": meeting.params["until"]})
        for gate, meeting in zip(gates, meetings, strict=True)
    )
    first = start("first", mode="process", concurrency=2)
    before = {gate.entered() for gate in gates}
    first.kill()
    for gate in gates:
        gate.wait_for_the_end()
    assert {queue.get_status(job_id)["status"] for job_id in ids} == {"running"}, "no other worker has noticed yet"
    second = start("second", mode="process", concurrency=2)
    assert before.isdisjoint([gate.entered() for gate in gates])
    for meeting in meetings:
        meeting.let_go()
    for record in queue.wait(ids, timeout=PATIENCE):
        assert [(each.worker_id, each.status) for each in record.executions] == [
            ("first", "lost"),
            ("second", "completed"),
        ]
    second.end()
