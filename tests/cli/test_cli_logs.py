"""`gigq logs`, and the progress of jobs in the other commands."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue
from gigq.process import this_process
from gigq.reports import Progress
from gigq.store import claiming, workers
from gigq.store.claiming import Room
from gigq.store.progress import write_progress

Run = Callable[..., Any]

LOUD = """
import logging
from gigq import current_job

def speak(text="hello", fails=False):
    logging.getLogger("loud").info("%s from attempt %d", text, current_job().attempt)
    current_job().progress(3, 8, "speaking")
    if fails:
        raise ValueError("hoarse")
"""


@pytest.fixture(autouse=True)
def loud(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "loud.py").write_text(LOUD)
    level = logging.root.level
    yield
    logging.root.setLevel(level)


@pytest.fixture
def twice(run: Run, queue: JobQueue) -> str:
    """A job that has failed twice."""
    job_id = queue.submit(Job("job", "loud:speak", {"fails": True}, max_attempts=2))
    run("worker", "--once", "--capture-logs", "--worker-id", "ann")
    run("worker", "--once", "--capture-logs", "--worker-id", "bob")
    return job_id


def test_the_logs_of_several_attempts_have_headings(run: Run, twice: str) -> None:
    first, one, second, two = run("logs", twice).out.splitlines()
    assert (first, second) == ("attempt 1: failed, worker ann", "attempt 2: failed, worker bob")
    assert one.endswith("INFO loud: hello from attempt 1")
    assert two.endswith("INFO loud: hello from attempt 2")


def test_the_log_of_one_attempt_has_no_heading(run: Run, twice: str) -> None:
    (line,) = run("logs", twice, "--attempt", "2").out.splitlines()
    assert line.endswith("INFO loud: hello from attempt 2")


def test_logs_as_json_are_an_array(run: Run, twice: str) -> None:
    found = run("logs", twice, "--json").json
    assert [(each["attempt"], each["status"], each["worker_id"]) for each in found] == [
        (1, "failed", "ann"),
        (2, "failed", "bob"),
    ]
    assert "from attempt 1\n" in found[0]["log"]


def test_an_unknown_attempt_and_a_job_without_a_log_are_errors(run: Run, queue: JobQueue, twice: str) -> None:
    outcome = run("logs", twice, "--attempt", "3")
    assert (outcome.code, outcome.err) == (1, f"gigq: job {twice} has no attempt 3; it has been tried 2 times\n")
    quiet = queue.submit(Job("job", "loud:speak"))
    run("worker", "--once")
    outcome = run("logs", quiet)
    assert (outcome.code, outcome.out) == (1, "")
    assert "has no log: it has logged nothing, or its worker was started without --capture-logs" in outcome.err
    assert "its function was not called yet" in run("logs", queue.submit(Job("job", "loud:speak"))).err


def test_control_characters_in_a_log_become_visible(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "loud:speak", {"text": "\x1b[2Jtab\tend"}))
    run("worker", "--once", "--capture-logs")
    out = run("logs", job_id).out
    assert "\x1b" not in out
    assert "\\x1b[2Jtab" in out
    assert "\\t" not in out


def test_status_shows_the_progress(run: Run, twice: str) -> None:
    assert "Progress: 3 of 8 (37.5 %), speaking" in run("status", twice).out.splitlines()


def test_the_list_shows_the_progress_of_a_running_job(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("job", "loud:speak"))
    with queue.database.write() as tx:
        worker = workers.register(tx, "ann", this_process(), concurrency=1)
        (claim,) = claiming.claim(tx, worker, room=Room(free=1))
        write_progress(tx, {claim.execution_id: Progress(997, 1000)})
    assert "  running 99 %  " in run("list").out


def test_progress_is_null_in_json_for_a_job_that_has_reported_none(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "loud:speak"))
    assert json.loads(run("status", job_id, "--json").out)["progress"] is None
