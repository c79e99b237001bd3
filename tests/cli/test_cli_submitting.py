"""`gigq submit`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue, JobRecord, Worker

Run = Callable[..., Any]


def test_submit_takes_an_expiry(run: Run, queue: JobQueue) -> None:
    job = run("submit", "tasks.f", "--expires-at", "2999-01-01T12:00:00+01:00", "--json").json["id"]

    assert queue.get_status(job)["expires_at"] == "2999-01-01T11:00:00.000000Z"


def test_a_bad_expiry_is_named_in_the_error(run: Run) -> None:
    outcome = run("submit", "tasks.f", "--expires-at", "tomorrow")

    assert outcome.code == 1
    assert "expires_at" in outcome.err


def test_a_unique_key_that_is_taken_prints_the_id_of_the_job_that_has_it(run: Run, queue: JobQueue) -> None:
    first = run("submit", "tasks.f", "--unique-key", "k").out

    assert run("submit", "tasks.f", "--unique-key", "k").out == first
    assert queue.stats()["total"] == 1


@pytest.fixture
def submitted(run: Callable[..., Any], open_queue: Callable[..., JobQueue]) -> Callable[..., JobRecord]:
    """Submits by the command line, and reads what the file holds then."""

    def submit(*words: str) -> JobRecord:
        outcome = run("submit", *words)
        assert (outcome.code, outcome.err) == (0, "")
        job = open_queue().get_job(outcome.out.removeprefix("Job submitted: ").strip())
        assert job is not None
        return job

    return submit


def test_submit_prints_the_id_of_a_pending_job(submitted: Callable[..., JobRecord]) -> None:
    job = submitted("functions.add", "--name", "sum", "-p", "a=1")

    assert (job.name, job.function, job.params, job.status.value) == ("sum", "functions.add", {"a": 1}, "pending")


@pytest.mark.parametrize("function", ["functions.add", "functions:add", "add"])
def test_the_default_name_is_that_of_the_function(submitted: Callable[..., JobRecord], function: str) -> None:
    assert submitted(function).name == "add"


def test_every_option_reaches_the_file(submitted: Callable[..., JobRecord]) -> None:
    job = submitted(
        *("functions.add", "--priority", "high", "--max-attempts", "5", "--timeout", "2h"),
        *("--description", "adds up", "--queue", "sums", "--tag", "red", "--tag", "blue", "--delay", "1d"),
    )

    assert (job.priority, job.max_attempts, job.timeout) == (100, 5, 7200)
    assert (job.description, job.queue, job.tags) == ("adds up", "sums", ("blue", "red"))
    assert job.run_at is not None
    assert (job.run_at - job.created_at).total_seconds() == 86400


def test_the_retry_delay_reaches_the_worker(
    submitted: Callable[..., JobRecord], run: Callable[..., Any], queue: JobQueue
) -> None:
    job = submitted("functions.fail", "--retry-delay", "1h")
    run("worker", "--once")

    record = queue.get_job(job.id)
    assert record is not None
    assert record.phase.value == "retrying"


@pytest.mark.parametrize("longest", [(), ("--retry-max-delay", "8h")])
def test_a_retry_delay_of_hours_is_not_cut(
    run: Callable[..., Any], queue: JobQueue, longest: tuple[str, ...]
) -> None:
    run("submit", "functions.fail", "--retry-delay", "6h", *longest)
    run("worker", "--once")

    (record,) = queue.find_jobs()
    assert record.run_at
    assert record.completed_at is None
    assert (record.run_at - record.updated_at).total_seconds() == 21_600


def test_a_longest_wait_below_the_first_is_refused(run: Callable[..., Any]) -> None:
    refused = run("submit", "functions.fail", "--retry-delay", "6h", "--retry-max-delay", "1h")

    assert refused.code == 1
    assert "retry_max_delay is 3600; it must be at least retry_delay, which is 21600" in refused.err


def test_a_timeout_may_be_none(submitted: Callable[..., JobRecord]) -> None:
    assert submitted("functions.add", "--timeout", "none").timeout is None


def test_a_parent_may_be_named_by_a_prefix_of_its_id(submitted: Callable[..., JobRecord], queue: JobQueue) -> None:
    parents = [queue.submit(Job(name, "functions.add", id=name)) for name in ("first", "second")]

    assert submitted("functions.collect", "--depends-on", "fir", "--depends-on", "second").dependencies == tuple(
        parents
    )


@pytest.mark.parametrize("before", [True, False])
def test_db_may_be_typed_before_the_command_or_after_it(run: Callable[..., Any], tmp_path: Path, before: bool) -> None:
    other = str(tmp_path / "other.db")
    words = ["--db", other, "submit", "functions.add"] if before else ["submit", "functions.add", "--db", other]

    assert run(*words).code == 0
    assert Path(other).exists()


def test_submit_as_json_is_the_id(run: Callable[..., Any], queue: JobQueue) -> None:
    assert queue.get_job(run("submit", "functions.add", "--json").json["id"]) is not None


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["not a function"], 1, "is not a function's path"),
        ([""], 1, "name is ''"),
        (["functions.add", "--name", ""], 1, "name is ''"),
        (["functions.add", "--timeout", "0"], 1, "timeout is 0"),
        (["functions.add", "--depends-on", "nobody"], 1, "no job has the id 'nobody'"),
        (["functions.add", "-p", "a=1", "-p", "a=2"], 2, "'a' was given twice"),
        (["functions.add", "-p", "a"], 2, "'a' is not a parameter"),
        (["functions.add", "--max-attempts", "0"], 2, "at least 1"),
        (["functions.add", "--priority", "urgent"], 2, "low, normal, high, critical"),
        (["functions.add", "--delay", "soon"], 2, "'soon' is not a duration"),
        (["functions.add", "--delay", "-5"], 2, "'-5' is not a duration"),
        (["functions.add", "--prio", "5"], 2, "unrecognized arguments"),
        ([], 2, "MODULE.FUNCTION"),
    ],
)
def test_a_job_that_cannot_be_submitted_is_one_line_of_error(
    run: Callable[..., Any], queue: JobQueue, words: list[str], code: int, reason: str
) -> None:
    outcome = run("submit", *words)

    assert (outcome.code, outcome.out, queue.count()) == (code, "", 0)
    assert outcome.err.startswith("gigq: ")
    assert outcome.err.count("\n") == 1
    assert reason in outcome.err


@pytest.mark.parametrize("place", [":memory:", "sqlite:///:memory:"])
def test_submit_refuses_a_queue_in_memory(run: Callable[..., Any], place: str) -> None:
    outcome = run("submit", "functions.add", "--db", place)

    assert outcome.code == 2
    assert "memory" in outcome.err


def test_the_defaults_in_the_help_are_those_of_the_library() -> None:
    job, worker = Job("add", "functions.add"), inspect.signature(Worker).parameters

    assert (job.max_attempts, job.timeout, job.retry_delay, job.queue) == (3, 300, 0, "default")
    assert [worker[name].default for name in ("polling_interval", "concurrency", "lease", "shutdown_timeout")] == [
        5,
        1,
        15,
        30,
    ]
    assert worker["durability"].default == "full"
