"""Real processes, real signals: nothing that was submitted is lost, and nothing runs twice at once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import functions
import pytest
from outside import PATIENCE, Meeting, Process, WorkerProcess

from gigq import Job, JobQueue

Start = Callable[..., WorkerProcess]

# Enough to show it on two cores; tests/nemesis/battle.py kills thousands.
JOBS, KILLS = 200, 6

SUBMIT = """
import sys
from gigq import Job, JobQueue
queue = JobQueue(sys.argv[1])
while True:
    print(queue.submit(Job("job", "functions:nothing")), flush=True)
"""


def test_four_worker_processes_run_each_of_two_thousand_jobs_once(
    queue: JobQueue, start: Start, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    ids = queue.submit_many(
        Job("append", functions.append, {"path": str(trace), "line": str(number)}) for number in range(2000)
    )
    processes = [start(concurrency=2) for _ in range(4)]
    queue.wait(ids, timeout=240)
    assert [process.end() for process in processes] == [""] * 4
    assert Counter(trace.read_text().split()) == Counter(str(number) for number in range(2000))
    assert queue.stats()["completed"] == 2000
    assert {job["attempts"] for job in queue.list_jobs()} == {1}


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_workers_killed_at_random_lose_nothing_and_run_nothing_twice_at_once(
    queue: JobQueue, start: Start, tmp_path: Path, mode: str
) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    lock = tmp_path / "locks"
    lock.mkdir()
    ids = queue.submit_many(
        Job("exclusive", functions.exclusive, {"lock": str(lock / str(number))}, max_attempts=50)
        for number in range(JOBS)
    )
    workers = [start(concurrency=2, mode=mode) for _ in range(3)]
    for _ in range(KILLS):
        victim = workers.pop(chance.randrange(len(workers)))
        victim.wait_until_ready()
        goal = queue.count("completed") + 5
        while queue.count("completed") < min(goal, JOBS):
            queue.wait(chance.choice(ids), timeout=PATIENCE)
        victim.kill()
        workers.append(start(concurrency=2, mode=mode))
    records = queue.wait(ids, timeout=120)
    for process in workers:
        process.end()
    assert Counter(record.result for record in records) == {"alone": JOBS}, f"seed {seed}"
    assert all(record.attempts <= 50 for record in records)


def test_a_job_whose_submit_has_returned_survives_the_death_of_the_submitter(
    queue: JobQueue, path: str, spawn: Callable[..., Process]
) -> None:
    submitters = [spawn(Process, SUBMIT, path) for _ in range(3)]
    acknowledged: set[str] = set()
    for submitter in submitters:
        acknowledged.update(submitter.says().strip() for _ in range(50))
    for submitter in submitters:
        acknowledged.update(line.strip() for line in submitter.rest_of_output())
    stored = {job["id"] for job in queue.list_jobs()}
    assert acknowledged <= stored
    assert len(stored) <= len(acknowledged) + 3, "at most the one job of each that was stored and not yet printed"


def test_a_killed_workers_jobs_run_again_in_the_next_worker(queue: JobQueue, start: Start, meeting: Meeting) -> None:
    job_id = queue.submit(Job("meet", functions.meet, meeting.params))
    first = start()
    assert meeting.arrival() == first.pid
    first.kill()
    assert queue.get_status(job_id)["status"] == "running"
    second = start()
    assert meeting.arrival() == second.pid
    meeting.let_go()
    assert queue.wait(job_id, timeout=PATIENCE).attempts == 2
    second.end()
