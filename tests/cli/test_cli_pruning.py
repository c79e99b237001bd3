"""`gigq prune` and `gigq clear`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gigq import Job, JobQueue, ManualClock


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
def test_clear_deletes_jobs_that_ended_long_enough_ago(run: Run, words: list[str], cleared: int) -> None:
    assert run("clear", *words).out == f"Jobs cleared: {cleared}\n"


def test_clear_as_json_is_the_number_of_jobs(run: Run, queue: JobQueue) -> None:
    assert run("clear", "--json").json == {"cleared": 0}


def test_an_age_beyond_the_year_1_is_one_line_of_error(run: Run, queue: JobQueue) -> None:
    outcome = run("clear", "--before", "9999999")

    assert (outcome.code, outcome.err) == (1, "gigq: 8.64e+11 seconds ago is before the year 1\n")


Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("words", "pruned"),
    [
        ([], 2),
        (["--older-than", "7d"], 1),
        (["--older-than", "11d"], 0),
        (["--keep", "1"], 1),
        (["--status", "failed", "--status", "timeout"], 2),
        (["--status", "failed", "--older-than", "7d", "--keep", "1"], 1),
    ],
)
def test_prune_deletes_the_chosen_jobs(run: Run, ended: JobQueue, words: list[str], pruned: int) -> None:
    assert run("prune", *words).out == f"Jobs pruned: {pruned}\n"
    assert ended.count() == 4 - pruned


def test_prune_as_json_is_the_number_of_jobs(run: Run, ended: JobQueue) -> None:
    assert run("prune", "--json").json == {"pruned": 2}


@pytest.mark.parametrize("words", [["--status", "pending"], ["--older-than", "long"], ["--keep", "-1"]])
def test_prune_refuses_bad_options(run: Run, ended: JobQueue, words: list[str]) -> None:
    outcome = run("prune", *words)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert ended.count() == 4


def test_a_worker_prunes_old_jobs(run: Run, ended: JobQueue) -> None:
    run("worker", "--once", "--prune-after", "7d")

    assert {job["name"] for job in ended.list_jobs()} == {"old failed", "completed", "new failed"}
