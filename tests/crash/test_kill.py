"""Real processes, real signals: nothing that was submitted is lost, and nothing runs twice at once."""

from __future__ import annotations

import os
import random
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
import signal, sys
from gigq import Worker
with Worker(sys.argv[1], concurrency=int(sys.argv[2])) as worker:
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())  # also between here and the worker's own handler
    print("ready", flush=True)
    worker.start()
"""

SUBMIT = """
import sys
from gigq import Job, JobQueue
queue = JobQueue(sys.argv[1])
while True:
    print(queue.submit(Job("job", "functions:nothing")), flush=True)
"""


@pytest.fixture
def start(path: str) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes, and kills what is left of them."""
    started: list[subprocess.Popen[str]] = []

    def start_one(script: str, *arguments: str) -> subprocess.Popen[str]:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script, path, *arguments],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    process.stdout.readline()


def end(process: subprocess.Popen[str]) -> str:
    """Stop a worker as a service manager does, and return what it had to complain about."""
    wait_until_ready(process)
    process.send_signal(signal.SIGTERM)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, complaints
    return complaints


def test_eight_worker_processes_run_each_of_five_thousand_jobs_once(
    queue: JobQueue, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    ids = queue.submit_many(
        Job("append", functions.append, {"path": str(trace), "line": str(number)}) for number in range(5000)
    )
    processes = [start(WORK, "2") for _ in range(8)]
    queue.wait(ids, timeout=240)
    assert [end(process) for process in processes] == [""] * 8
    assert Counter(trace.read_text().split()) == Counter(str(number) for number in range(5000))
    assert queue.stats()["completed"] == 5000
    assert {job["attempts"] for job in queue.list_jobs()} == {1}


def test_workers_killed_at_random_lose_nothing_and_run_nothing_twice_at_once(
    queue: JobQueue, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    lock = tmp_path / "locks"
    lock.mkdir()
    ids = queue.submit_many(
        Job("exclusive", functions.exclusive, {"lock": str(lock / str(number))}, max_attempts=50)
        for number in range(400)
    )
    workers = [start(WORK, "2") for _ in range(3)]
    for _ in range(12):
        victim = workers.pop(chance.randrange(len(workers)))
        wait_until_ready(victim)
        goal = queue.count("completed") + 5
        while queue.count("completed") < min(goal, 400):
            queue.wait(chance.choice(ids))
        victim.send_signal(signal.SIGKILL)
        workers.append(start(WORK, "2"))
    records = queue.wait(ids, timeout=120)
    for process in workers:
        end(process)
    assert Counter(record.result for record in records) == {"alone": 400}, f"seed {seed}"
    assert all(record.attempts <= 50 for record in records)


def test_a_job_whose_submit_has_returned_survives_the_death_of_the_submitter(
    queue: JobQueue, start: Callable[..., subprocess.Popen[str]]
) -> None:
    submitters = [start(SUBMIT) for _ in range(3)]
    acknowledged: set[str] = set()
    for submitter in submitters:
        assert submitter.stdout is not None
        acknowledged.update(submitter.stdout.readline().strip() for _ in range(50))
    for submitter in submitters:
        submitter.kill()
        assert submitter.stdout is not None
        acknowledged.update(line.strip() for line in submitter.stdout if line.endswith("\n"))
    stored = {job["id"] for job in queue.list_jobs()}
    assert acknowledged <= stored
    assert len(stored) <= len(acknowledged) + 3, "at most the one job of each that was stored and not yet printed"


def test_a_killed_workers_jobs_run_again_in_the_next_worker(
    queue: JobQueue, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    job_id = queue.submit(Job("gated", functions.open_gate, {"gate": str(gate)}))
    first = start(WORK, "1")
    with gate.open("rb"):  # opens when the job has begun
        first.kill()
        first.wait()
    assert queue.get_status(job_id)["status"] == "running"
    second = start(WORK, "1")
    with gate.open("rb") as reader:
        assert reader.read(1) == b"."
    assert queue.wait(job_id, timeout=60).attempts == 2
    end(second)
