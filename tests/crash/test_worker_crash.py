"""A worker that dies, sleeps through its lease or is told to stop harms no job but the one that it dies of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import functions
import pytest

from gigq import Job, JobQueue

TESTS = Path(__file__).parents[1]

WORK = """
import logging, signal, sys
from gigq import Worker
logging.basicConfig(level=logging.WARNING)
with Worker(sys.argv[1], worker_id=sys.argv[2], concurrency=int(sys.argv[3]), lease=float(sys.argv[4])) as worker:
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())  # also between here and the worker's own handler
    print("ready", flush=True)
    worker.start()
"""

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(path: str) -> Iterator[Start]:
    """Starts worker processes, and kills what is left of them."""
    started: list[subprocess.Popen[str]] = []

    def start_one(name: str = "ann", *, concurrency: int = 1, lease: float = 15) -> subprocess.Popen[str]:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WORK, path, name, str(concurrency), str(lease)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def end(process: subprocess.Popen[str]) -> str:
    """Stop a worker as a service manager does, and return what it had to complain about."""
    process.send_signal(signal.SIGTERM)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, complaints
    return complaints


def test_a_poisonous_job_fails_after_its_attempts_and_takes_no_innocent_with_it(
    queue: JobQueue, start: Start, tmp_path: Path
) -> None:
    """In one slot. Of several, those whose functions run beside it in the same process do die with it."""
    trace = tmp_path / "trace"
    poison = Job("poison", functions.kill_own_process, {"number": int(signal.SIGKILL)}, max_attempts=3)
    good = [Job("good", functions.append, {"path": str(trace), "line": str(each)}) for each in range(600)]
    queue.submit_many([*good[:300], poison, *good[300:]])
    for _ in range(3):
        assert start().wait(60) == -signal.SIGKILL
    last = start()
    records = queue.wait([job.id for job in good], timeout=120)
    ended = queue.wait(poison.id, timeout=60)
    end(last)
    assert (ended.status, ended.attempts, [each.status for each in ended.executions]) == ("failed", 3, ["lost"] * 3)
    assert {record.status for record in records} == {"completed"}
    lost = sum(each.status == "lost" for record in records for each in record.executions)
    assert lost <= 3, "at most the one that had the slot before it and was not settled yet; none that was reserved"
    assert set(trace.read_text().split()) == {str(each) for each in range(600)}


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")
def test_a_worker_that_sleeps_through_its_lease_is_replaced_and_works_on_when_it_wakes(
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
    while queue.get_status(held)["status"] != "running":
        queue.wait(job_id)
    sleeper.send_signal(signal.SIGSTOP)
    other = start("other", lease=1)
    while len(queue.get_status(held)["executions"]) < 2:
        queue.wait(job_id)
    with gate.open("rb") as both:
        assert both.read(1) == b"."
        record = queue.wait(held, timeout=30)
    assert [(each.worker_id, each.status) for each in record.executions] == [
        ("sleeper", "lost"),
        ("other", "completed"),
    ]
    end(other)
    sleeper.send_signal(signal.SIGCONT)
    with gate.open("rb"):  # the sleeper may still wait to open it
        again = queue.submit(Job("again", functions.nothing))
        assert queue.wait(again, timeout=30).worker_id == "sleeper"
    assert [each.status for each in queue.wait(held).executions] == ["lost", "completed"]
    end(sleeper)


def test_a_worker_that_is_terminated_in_a_flow_of_jobs_leaves_nothing_running_and_loses_nothing(
    queue: JobQueue, start: Start, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    ids = queue.submit_many(
        Job("append", functions.append, {"path": str(trace), "line": str(each)}) for each in range(4000)
    )
    for share in range(1, 5):
        worker = start(concurrency=2)
        queue.wait(ids[share * 500], timeout=60)
        assert end(worker) == ""
        assert queue.count("running") == 0
        assert queue.workers() == []
    last = start(concurrency=2)
    records = queue.wait(ids, timeout=120)
    end(last)
    assert {(record.status, record.attempts) for record in records} == {("completed", 1)}
    assert Counter(trace.read_text().split()) == Counter(str(each) for each in range(4000))
