"""`gigq status`, `gigq list` and `gigq stats`."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue, current_job
from gigq.testing import drain

Run = Callable[..., Any]


def test_status_shows_a_job(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("sum", "functions.add", {"a": 1}, tags=["red"]))

    lines = run("status", job_id[:-4]).out.splitlines()

    assert lines[:2] == [f"Job: sum ({job_id})", "Status: pending"]
    assert lines[2] == f"Created: {queue.get_status(job_id)['created_at']}"
    assert lines[4:7] == ["Started: -", "Completed: -", "Attempts: 0 / 3"]
    assert {"Phase: ready", "Function: functions.add", "Tags: red"} <= {*lines}


def test_status_shows_arguments_and_result(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("sum", "functions.add", {"a": 41, "b": 1}))
    assert "Result:" not in run("status", job_id).out
    run("worker", "--once")

    out = run("status", job_id).out
    assert "\nParameters:\n  a: 41\n  b: 1\n" in out and "\nResult:\n  42\n" in out
    assert "\nResult:\n  42\n" in run("status", job_id, "--show-result").out


def test_status_shows_how_often_a_job_was_given_back(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("poll", "functions.retry_later", {"delay": 0}))
    assert "Releases:" not in run("status", job_id).out
    run("worker", "--once")

    assert "\nReleases: 1\n" in run("status", job_id).out


def test_status_shows_the_traceback_of_every_attempt(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("break", "functions.fail", max_attempts=2))
    run("worker", "--once", "--worker-id", "w1")
    run("worker", "--once", "--worker-id", "w2")

    out = run("status", job_id, "--show-executions").out

    assert out.count("Traceback (most recent call last):\n") == 2
    assert "attempt 2: failed\n" in out
    assert "worker w1\n" in out


def test_long_durations_are_shown_with_all_their_digits(run: Run, queue: JobQueue) -> None:
    queue.configure("slow", rate_limit=1, rate_period="30d")

    assert "\nTimeout: 1209600 s\n" in run("status", queue.submit(Job("train", "m.f", timeout="14d"))).out
    assert "1 within 2592000 s" in run("queues").out


def test_an_attempt_whose_function_was_not_called_says_so(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("lost", "no_such_module.f"))
    run("worker", "--once", "--worker-id", "w1")

    out = run("status", job_id, "--show-executions").out

    head, _, rest = out.partition("\nattempt 1: released\n  ended 20")
    assert head
    assert "Z before its function was called, worker w1\n  worker w1 cannot find 'no_such_module.f': Mod" in rest


def test_status_as_json_is_that_of_the_library(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("sum", "functions.add"))

    assert run("status", job_id, "--json").json == queue.get_status(job_id)


def test_json_for_programs_has_null_for_what_json_has_no_word_for(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("odd", "functions.odd_values", metadata={"x": math.nan}))
    run("worker", "--once")

    for words in (["status", job_id, "--json"], ["list", "--json"]):
        out = run(*words).out
        assert '"1": {"null": null}, "2.5": [null, null]' in out
        assert "NaN" not in out
        assert "Infinity" not in out


@pytest.mark.parametrize("command", ["status", "cancel", "requeue"])
@pytest.mark.parametrize(
    ("job_id", "code", "reason"),
    [
        ("nobody", 1, "no job has the id 'nobody'"),
        ("a", 1, "2 jobs have ids that begin or end with"),
        ("", 2, "must be given"),
        ("\udcff", 1, ""),
    ],
)
def test_an_id_that_does_not_name_one_job_is_one_line_of_error(
    run: Run, queue: JobQueue, command: str, job_id: str, code: int, reason: str
) -> None:
    queue.submit_many([Job(name, "functions.add", id=name) for name in ("ab", "ac")])

    outcome = run(command, job_id)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (code, "", 1)
    assert reason in outcome.err
    assert queue.count("pending") == 2


def test_stats_count_jobs_by_status(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("sum", "functions.add"))

    assert run("stats").out.splitlines()[0] == "pending:   1"
    assert run("stats", "--json").json == queue.stats()


def test_a_file_that_is_not_a_database_is_one_line_of_error(run: Run, path: str) -> None:
    Path(path).write_text("a letter to nobody")

    outcome = run("list")

    assert (outcome.code, outcome.err) == (1, f"gigq: {path!r} is not a SQLite database\n")
    Path(path).unlink()


def test_scripts_that_read_the_output_of_gigq_0_5_go_on(run: Run, queue: JobQueue) -> None:
    assert run("list").out == "No jobs found.\n"
    assert run("--json", "list").json == []
    good, bad, gone = queue.submit_many(
        [Job("a", "functions.add", {"a": 1}), Job("b", "functions.fail", max_attempts=1), Job("c", "f", delay=60)]
    )
    assert run("worker", "--once").out == run("worker", "--once").out == "Processed one job.\n"
    assert run("worker", "--once").out == "No jobs available to process.\n"
    assert run("cancel", gone).out == f"Job {gone} cancelled.\n"

    labels = [line.partition(":")[0] for line in run("status", bad).out.splitlines()]
    expected = ["Job", "Status", "Created", "Updated", "Started", "Completed", "Attempts", "Worker", "Error"]
    assert labels[: len(expected)] == expected
    assert "\nStatus: completed\n" in run("status", good).out
    assert "\nAttempts: 1 / 1\n" in run("status", bad).out
    assert "\nError: ValueError: no\n" in run("status", bad).out
    assert "\n\nExecutions:\n" in run("status", bad, "--show-executions").out

    assert run("requeue", bad).out == f"Job {bad} requeued.\n"
    assert run("clear").out == "Cleared 2 completed jobs.\n"


@pytest.fixture
def found(queue: JobQueue) -> list[str]:
    """The ids of a job, of twelve that it has submitted, and of one that waits for them."""

    def crawl() -> None:
        current_job().submit_many(Job(f"page {number}", "fetch", {"number": number}) for number in range(12))

    first = queue.enqueue("crawl")
    last = queue.submit(Job("report", "report", dependencies=first))
    drain(queue, handlers={"crawl": crawl})
    return [first, *(job.id for job in reversed(queue.find_jobs(search="page"))), last]


def test_status_says_which_job_has_submitted_one_and_names_few_of_many_parents(run: Run, found: list[str]) -> None:
    first, *pages, last = found
    assert f"\nSubmitted by: {first}\n" in run("status", pages[0]).out
    assert "Submitted by:" not in run("status", first).out
    assert f"\nDepends on: {', '.join([first, *pages[:9]])} and 3 more\n" in run("status", last).out
    assert len(run("status", last, "--json").json["dependencies"]) == 13


def test_a_shown_part_of_the_id_of_a_submitted_job_is_enough_to_name_it(
    run: Run, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    (line,) = [line for line in run("list", "--limit", "2").out.splitlines() if "page 11" in line]
    shown = line.split()[0]
    assert len(shown) < len(found[-2])
    assert run("status", shown).out.startswith("Job: page 11")
