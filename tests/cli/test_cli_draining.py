"""`gigq drain`: run everything that can run, in the foreground, and exit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from screen import Session

from gigq import Job, JobQueue

Run = Callable[..., Any]


def test_drain_runs_what_can_run_and_tells_how_it_went(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("good", "functions.add", {"a": 1}))
    bad = queue.submit(Job("bad", "functions.fail", {"message": "broken\nbadly"}, max_attempts=1))
    queue.submit(Job("later", "functions.nothing", delay=3600))
    queue.submit(Job("paused", "functions.nothing", queue="video"))
    queue.pause("video")

    outcome = run("drain")

    assert outcome.code == 1
    summary, cause, left = outcome.out.splitlines()
    assert summary.startswith("1 completed, 1 failed in ")
    assert cause == f"  1 job of functions.fail: ValueError: broken (job {bad[-8:]})"
    assert left == "2 left in the queue: 1 paused, 1 scheduled"
    assert queue.workers() == []


def test_drain_of_one_queue_and_for_programs(run: Run, queue: JobQueue) -> None:
    queue.submit_many(Job("job", "functions.nothing", queue=name) for name in ("red", "blue"))

    outcome = run("drain", "--queue", "red", "--json")

    assert outcome.code == 0
    assert (outcome.json["completed"], outcome.json["failed"], outcome.json["left"]) == (1, 0, 0)
    assert run("drain", "--queue", "red").out.startswith("0 completed in ")
    assert queue.count("pending") == 1


def test_what_functions_print_is_not_among_the_answer(run: Run, queue: JobQueue, tmp_path: Any) -> None:
    (tmp_path / "loud.py").write_text("def shout():\n    print('ho')\n")
    queue.submit(Job("shout", "loud.shout"))

    outcome = run("drain", "--json")

    assert (outcome.json["completed"], outcome.err) == (1, "ho\n")


def test_drain_needs_a_queue(run: Run) -> None:
    assert run("drain").code == 1


def test_ctrl_c_ends_a_drain_and_the_job_is_given_back(path: str, queue: JobQueue, gate: Any) -> None:
    job_id = queue.submit(Job("rest", "chores.open_and_rest", {"gate": str(gate)}))
    with Session(sys.executable, "-m", "gigq", "--db", path, "drain") as drain:
        gate.read_text()
        while queue.count("running"):  # only a second one does not wait for jobs
            drain.press("Ctrl-C")
            drain.read(0.2)
        assert drain.wait() == 130
    assert queue.get_status(job_id)["status"] == "pending"
