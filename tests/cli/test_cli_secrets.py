"""No command shows a secret that a job carries, in whatever form, unless somebody asks for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gigq import Job, JobQueue, Worker, current_job
from gigq.cli.commands import COMMANDS, LOOK, declared

Run = Callable[..., Any]

CANARY = "k4n4ry-hush"

NEEDS_AN_ID = ("status", "why", "logs", "graph", "diff", "result")
ASKED_FOR = {"result"}
"""It prints what a function returned, which is what it is asked for; programs go on with it."""


def log_in(token: str) -> None:
    logging.getLogger("app").warning("trying password=%s", CANARY)
    current_job().progress(1, 2, message=f"token={CANARY}")
    current_job().step("ask", lambda: {"secret": CANARY})
    raise ConnectionError(f"https://me:{CANARY}@host: Authorization: Bearer {token}")


def fetch(token: str) -> dict[str, str]:
    return {"password": CANARY}


@pytest.fixture
def ids(queue: JobQueue) -> Iterator[list[str]]:
    """A job that failed, one that completed, and one that waits, with secrets wherever a job can have one."""
    secrets: dict[str, Any] = {"params": {"token": CANARY}, "metadata": {"apiKey": CANARY}, "max_attempts": 1}
    jobs = [Job(name, name, description=f"secret: {CANARY}", **secrets) for name in ("log_in", "fetch")]
    found = queue.submit_many([*jobs, Job("later", "fetch", delay=3600, **secrets)])
    worker = Worker(queue.db_path, "w", handlers={"log_in": log_in, "fetch": fetch}, capture_logs=True, burst=True)
    with worker:
        worker.start()
    yield [str(each) for each in found]


def looks() -> Iterator[str]:
    return (words for words, row in COMMANDS.items() if row.group == LOOK and declared(words).opens not in ("nothing",))


@pytest.mark.parametrize("words", sorted({*looks()} - {"top", "workflow show", "workflow graph", "schedule preview"}))
def test_a_command_that_looks_shows_no_secret_in_any_form(run: Run, ids: list[str], words: str) -> None:
    for job_id in ids if words in NEEDS_AN_ID else [""]:
        for form in ((), ("--json",), ("--jsonl",)):
            outcome = run(*words.split(), *([job_id] if job_id else []), *form)
            if words not in ASKED_FOR:
                assert CANARY not in outcome.out + outcome.err, (words, form)


def test_what_a_worker_tells_at_its_end_has_no_secret(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("fail", "functions.fail", {"message": f"token={CANARY}"}, max_attempts=1))
    outcome = run("worker", "--burst", "--log-level", "error")
    assert "1 failed" in outcome.out and "token=[redacted]" in outcome.out and CANARY not in outcome.out
