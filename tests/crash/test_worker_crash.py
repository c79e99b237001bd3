"""A worker that sleeps through its lease, or is told to stop, harms no job and undoes nothing that others have done."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import functions
import pytest
from outside import PATIENCE, Meeting, WorkerProcess

from gigq import Job, JobQueue

Start = Callable[..., WorkerProcess]

needs_stop = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")


def nobody_writing(queue: JobQueue) -> AbstractContextManager[object]:
    """Hold the write lock, so that a worker that is stopped meanwhile does not hold it in its sleep."""
    return queue.database.write()


def stop_between_transactions(queue: JobQueue, worker: WorkerProcess) -> None:
    with nobody_writing(queue):
        worker.signal(signal.SIGSTOP)
        worker.wait_until_stopped()


def assert_only_the_retry_counts(queue: JobQueue, job_id: str, *, result: object) -> None:
    record = queue.wait(job_id)
    assert (record.status, record.result, record.attempts) == ("completed", result, 2)
    assert [(each.worker_id, each.status) for each in record.executions] == [
        ("sleeper", "lost"),
        ("other", "completed"),
    ]


@needs_stop
def test_a_worker_that_sleeps_through_its_lease_is_replaced_and_resumes_when_it_wakes(
    queue: JobQueue, start: Start, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    job_id = queue.submit(Job("gated", functions.open_gate, {"gate": str(gate)}))
    sleeper = start("sleeper", lease=1)
    with gate.open("rb") as first:  # opens when the job has begun
        assert first.read(1) == b"."
    queue.wait(job_id, timeout=30)
    held = queue.submit(Job("held", functions.open_gate, {"gate": str(gate)}))
    sleeper.wait_until(lambda: queue.get_status(held)["status"] == "running")
    stop_between_transactions(queue, sleeper)
    other = start("other", lease=1)
    other.wait_until(lambda: len(queue.get_status(held)["executions"]) == 2)
    with gate.open("rb") as both:
        assert both.read(1) == b"."
        record = queue.wait(held, timeout=30)
    assert [(each.worker_id, each.status) for each in record.executions] == [
        ("sleeper", "lost"),
        ("other", "completed"),
    ]
    other.end()
    sleeper.signal(signal.SIGCONT)
    with gate.open("rb"):  # the sleeping worker may still be waiting to open it
        again = queue.submit(Job("again", functions.nothing))
        assert queue.wait(again, timeout=30).worker_id == "sleeper"
    assert [each.status for each in queue.wait(held).executions] == ["lost", "completed"]
    sleeper.end()


@needs_stop
def test_the_late_report_of_a_thread_is_refused_and_the_result_of_the_retry_is_kept(
    queue: JobQueue, start: Start, meeting: Meeting
) -> None:
    """The thread ends its job as soon as the process wakes, before the worker can learn that the job was taken."""
    job_id = queue.submit(Job("sleeps", functions.sleep_through_the_lease, meeting.params))
    sleeper = start("sleeper", lease=1)
    meeting.arrival()
    with nobody_writing(queue):
        meeting.let_go()
        sleeper.wait_until_stopped()
    other = start("other", lease=1)
    assert queue.result(job_id, timeout=PATIENCE) == 2
    other.end()
    sleeper.signal(signal.SIGCONT)
    sleeper.complains(job_id, "late report", "refused")
    assert_only_the_retry_counts(queue, job_id, result=2)
    assert queue.wait(queue.submit(Job("next", functions.nothing)), timeout=PATIENCE).worker_id == "sleeper"
    sleeper.end()


@needs_stop
def test_the_late_report_of_a_child_process_is_refused_and_the_result_of_the_retry_is_kept(
    queue: JobQueue, start: Start, meeting: Meeting
) -> None:
    """The child process goes on while its worker sleeps."""
    job_id = queue.submit(Job("meet", functions.meet, meeting.params | {"letters": 1}))
    sleeper = start("sleeper", lease=1, mode="process")
    meeting.arrival()
    stop_between_transactions(queue, sleeper)
    meeting.let_go()
    meeting.wait_until_heard()
    other = start("other", lease=1)
    meeting.arrival()
    meeting.let_go()
    assert queue.result(job_id, timeout=PATIENCE) == "x"
    other.end()
    sleeper.signal(signal.SIGCONT)
    sleeper.complains(job_id, "late report", "refused")
    assert_only_the_retry_counts(queue, job_id, result="x")
    assert queue.wait(queue.submit(Job("next", functions.nothing)), timeout=PATIENCE).worker_id == "sleeper"
    sleeper.end()


def test_a_worker_terminated_in_a_flow_of_jobs_leaves_nothing_running_and_loses_nothing(
    queue: JobQueue, start: Start, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    ids = queue.submit_many(
        Job("append", functions.append, {"path": str(trace), "line": str(each)}) for each in range(2000)
    )
    for share in range(1, 5):
        worker = start(concurrency=2)
        queue.wait(ids[share * 250], timeout=60)
        assert worker.end() == ""
        assert queue.count("running") == 0
        assert queue.workers() == []
    last = start(concurrency=2)
    records = queue.wait(ids, timeout=120)
    last.end()
    assert {(record.status, record.attempts) for record in records} == {("completed", 1)}
    assert Counter(trace.read_text().split()) == Counter(str(each) for each in range(2000))
