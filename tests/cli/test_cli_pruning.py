"""`gigq prune` and `gigq dead`, and `cancel`, `requeue` and `reschedule` of many jobs or of one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gigq import Job, JobQueue, ManualClock
from gigq.testing import drain

Run = Callable[..., Any]


@pytest.fixture
def old(open_queue: Callable[..., JobQueue]) -> JobQueue:
    """A queue as it was ten days ago."""
    return open_queue(clock=ManualClock(datetime.now(UTC) - timedelta(days=10)))


@pytest.fixture
def ended(queue: JobQueue, old: JobQueue) -> JobQueue:
    """Ten days ago one failed and one was cancelled; one completed just now, and another failed."""
    old.submit(Job("old failed", "functions.fail", max_attempts=1, tags=["t"]))
    old.submit(Job("cancelled", "functions.nothing", queue="red"))
    old.cancel_jobs(queue="red")
    drain(old)
    queue.submit(Job("completed", "functions.nothing"))
    queue.submit(Job("new failed", "functions.fail", {"message": "bad\nworse"}, max_attempts=1, queue="red"))
    drain(queue)
    return queue


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
def test_prune_deletes_what_is_asked_for(run: Run, ended: JobQueue, words: list[str], pruned: int) -> None:
    assert run("prune", *words).out == f"Jobs pruned: {pruned}\n"
    assert ended.count() == 4 - pruned


def test_prune_as_json_is_a_number(run: Run, ended: JobQueue) -> None:
    assert run("prune", "--json").json == {"pruned": 2}


@pytest.mark.parametrize("words", [["--status", "pending"], ["--older-than", "long"], ["--keep", "-1"]])
def test_prune_refuses_what_cannot_be_meant(run: Run, ended: JobQueue, words: list[str]) -> None:
    outcome = run("prune", *words)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert ended.count() == 4


@pytest.mark.parametrize("words", [["dead"], ["dead", "list"]])
def test_dead_letters_are_a_table_the_last_that_ended_first(run: Run, ended: JobQueue, words: list[str]) -> None:
    title, new, old = run(*words).out.splitlines()

    assert title.split() == ["id", "name", "status", "attempts", "ended", "error"]
    assert new.split() == [ended.dead_letters()[0]["id"], "new", "failed", "failed", "1/1", "0s", "ValueError:", "bad"]
    assert "10d" in old


def test_dead_letters_as_json_are_all_that_the_library_tells(run: Run, ended: JobQueue) -> None:
    assert run("dead", "--json").json == ended.dead_letters()
    assert run("dead", "--json", "--limit", "1").json == ended.dead_letters(1)
    assert run("dead", "--json", "--limit", "0", "--queue", "red").json == ended.dead_letters(queue="red")


@pytest.mark.parametrize(
    ("words", "requeued"), [([], 2), (["--tag", "t"], 1), (["--queue", "blue"], 0), (["--search", "worse"], 1)]
)
def test_dead_letters_are_requeued_by_filter(run: Run, ended: JobQueue, words: list[str], requeued: int) -> None:
    assert run("dead", "requeue", *words, "--delay", "1h").out == f"Jobs requeued: {requeued}\n"
    assert ended.count(phase="scheduled") == requeued


@pytest.mark.parametrize(("words", "purged"), [([], 2), (["--older-than", "7d"], 1), (["--keep", "1"], 1)])
def test_dead_letters_are_purged(run: Run, ended: JobQueue, words: list[str], purged: int) -> None:
    assert run("dead", "purge", *words, "--json").json == {"pruned": purged}
    assert len(ended.dead_letters()) == 2 - purged


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["purge", "--queue", "red"], "dead purge does not take --queue"),
        (["purge", "--tag", "t"], "dead purge does not take --tag"),
        (["list", "--older-than", "7d"], "dead list does not take --older-than"),
        (["requeue", "--keep", "3"], "dead requeue does not take --keep"),
        (["bury"], "bury"),
    ],
)
def test_dead_refuses_options_of_another_action(run: Run, ended: JobQueue, words: list[str], option: str) -> None:
    outcome = run("dead", *words)

    assert (outcome.code, outcome.out) == (2, "")
    assert option in outcome.err
    assert len(ended.dead_letters()) == 2


def test_jobs_are_cancelled_by_filter(run: Run, queue: JobQueue) -> None:
    queue.submit_many(Job("job", "functions.nothing", queue=name) for name in ("red", "red", "blue"))

    assert run("cancel", "--queue", "red").out == "Jobs cancelled: 2\n"
    assert run("cancel", "--status", "pending", "--json").json == {"cancelled": 1}


def test_jobs_are_requeued_by_filter(run: Run, ended: JobQueue) -> None:
    assert run("requeue", "--status", "failed", "--queue", "red").out == "Jobs requeued: 1\n"
    assert run("requeue", "--name", "old failed", "--delay", "5m", "--json").json == {"requeued": 1}
    assert ended.count(phase="scheduled") == 1


@pytest.mark.parametrize("command", ["cancel", "requeue"])
@pytest.mark.parametrize("words", [[], ["some-id", "--queue", "red"]])
def test_either_an_id_or_filters_must_be_typed(run: Run, ended: JobQueue, command: str, words: list[str]) -> None:
    outcome = run(command, *words)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "gigq: give either an ID or filters, such as --queue NAME\n"


def test_a_job_whose_key_is_taken_is_not_requeued_and_the_line_says_so(run: Run, queue: JobQueue) -> None:
    first = queue.submit(Job("first", "functions.nothing", unique_key="k"))
    queue.cancel(first)
    queue.submit(Job("second", "functions.nothing", unique_key="k"))

    outcome = run("requeue", first)

    assert outcome.code == 1
    assert "an unfinished job has its key 'k'" in outcome.err


def test_a_pending_job_is_rescheduled(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "functions.nothing"))

    outcome = run("reschedule", job_id[:-1], "--run-at", "2099-01-31T09:00Z", "--priority", "high", "--queue", "red")

    assert outcome.out == f"Job rescheduled: {job_id}\n"
    job = queue.get_status(job_id)
    assert (job["run_at"], job["priority"], job["queue"]) == ("2099-01-31T09:00:00.000000Z", 100, "red")


def test_a_job_is_put_off_by_a_delay(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "functions.nothing"))

    assert run("reschedule", job_id, "--delay", "2h", "--json").json == {"id": job_id, "rescheduled": True}
    assert queue.get_status(job_id)["phase"] == "scheduled"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "nothing to change; give --run-at, --delay, --priority or --queue"),
        (["--run-at", "tomorrow"], 1, "run_at is 'tomorrow'; it must be ISO-8601 text"),
        (["--run-at", "2099-01-01", "--delay", "5"], 1, "run_at and delay were both given; give one"),
        (["--queue", ""], 1, "queue is ''; it must be text"),
    ],
)
def test_a_change_that_cannot_be_is_one_line(
    run: Run, queue: JobQueue, words: list[str], code: int, message: str
) -> None:
    job_id = queue.submit(Job("job", "functions.nothing"))

    outcome = run("reschedule", job_id, *words)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (code, "", 1)
    assert message in outcome.err


def test_a_finished_job_cannot_be_rescheduled(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "functions.nothing"))
    drain(queue)

    outcome = run("reschedule", job_id, "--delay", "5")

    assert outcome.code == 1
    assert outcome.err == f"gigq: job {job_id} is completed; only a pending job can be rescheduled\n"


def test_a_worker_prunes_what_ended_long_ago(run: Run, ended: JobQueue) -> None:
    run("worker", "--once", "--prune-after", "7d")

    assert {job["name"] for job in ended.list_jobs()} == {"old failed", "completed", "new failed"}
