"""`gigq cancel`, `gigq requeue` and `gigq clear`: they do what they say, or say why not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue, ManualClock

Run = Callable[..., Any]


def test_cancel_ends_a_pending_job(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("sum", "functions.add"))

    assert run("cancel", job_id[:-1]).out == f"Job cancelled: {job_id}\n"
    assert queue.count("cancelled") == 1


def test_a_job_that_has_ended_cannot_be_cancelled(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("sum", "functions.add", {"a": 1}))
    run("worker", "--once")

    outcome = run("cancel", job_id)

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == f"gigq: job {job_id} is completed; only a pending or running job can be cancelled\n"


def test_a_running_job_is_cancelled_only_when_that_is_said(run: Run, spawn: Run, queue: JobQueue, gate: Path) -> None:
    job_id = queue.submit(Job("rest", "chores.open_and_rest", {"gate": str(gate)}))
    spawn("worker")
    gate.read_text()

    refused = run("cancel", job_id)
    assert (refused.code, refused.err) == (1, f"gigq: job {job_id} is running; --running cancels it nevertheless\n")
    assert run("cancel", job_id, "--running").out == f"Job cancelled: {job_id}\n"
    assert queue.get_status(job_id)["status"] == "cancelled"


def test_requeue_sends_a_failed_job_back(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("break", "functions.fail", max_attempts=1))
    run("worker", "--once")

    assert run("requeue", job_id, "--json").json == {"id": job_id, "requeued": True}
    assert queue.get_status(job_id)["attempts"] == 0


def test_a_pending_job_cannot_be_requeued(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("sum", "functions.add"))

    outcome = run("requeue", job_id)

    assert outcome.code == 1
    assert "is pending; only a failed, timeout or cancelled job" in outcome.err


def test_a_child_of_a_failed_parent_is_told_to_requeue_the_parent(run: Run, queue: JobQueue) -> None:
    parent = queue.submit(Job("break", "functions.fail", max_attempts=1))
    child = queue.submit(Job("collect", "functions.collect", dependencies=[parent]))
    run("worker", "--once")

    outcome = run("requeue", child)

    assert outcome.code == 1
    assert parent in outcome.err


@pytest.fixture
def two_old_jobs(open_queue: Callable[..., JobQueue]) -> None:
    """One that was cancelled three days ago, and one ten days ago."""
    for days in (3, 10):
        queue = open_queue(clock=ManualClock(datetime.now(UTC) - timedelta(days=days)))
        queue.cancel(queue.submit(Job("sum", "functions.add")))


@pytest.mark.usefixtures("two_old_jobs")
@pytest.mark.parametrize(
    ("words", "cleared"),
    [([], 2), (["--before", "30"], 0), (["--before", "5"], 1), (["--before", "7d"], 1), (["--before", "12h"], 2)],
)
def test_clear_deletes_what_ended_so_many_days_ago(run: Run, words: list[str], cleared: int) -> None:
    assert run("clear", *words).out == f"Jobs cleared: {cleared}\n"


def test_clear_as_json_is_a_number(run: Run, queue: JobQueue) -> None:
    assert run("clear", "--json").json == {"cleared": 0}


def test_a_time_before_all_calendars_is_one_line(run: Run, queue: JobQueue) -> None:
    outcome = run("clear", "--before", "9999999")

    assert (outcome.code, outcome.err) == (1, "gigq: 8.64e+11 seconds ago lies before the year 1\n")
