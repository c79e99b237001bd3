"""`gigq prune` and `gigq clear`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from person import Person

from gigq import Job, JobQueue, ManualClock, RetryLater, current_job
from gigq.testing import drain


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
    assert run("clear", *words, "--dry-run").out.startswith(f"This would delete {cleared} job")
    assert run("clear", *words).out == f"Cleared {cleared} completed jobs.\n"


@pytest.mark.usefixtures("two_old_jobs")
def test_clear_asks_a_person_and_no_script(run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person(monkeypatch)
    with person.typing("n\n"):
        assert run("clear", "--before", "5").code == 1
    assert person.seen.startswith("This will delete 1 job:\n")
    assert "Deleted jobs cannot be brought back." in person.seen
    with person.typing("y\n"):
        assert run("clear", "--before", "5").out == "Cleared 1 completed jobs.\n"
    with person.typing(""):
        assert run("clear", "--yes").out == "Cleared 1 completed jobs.\n"


def test_clear_as_json_is_the_number_of_jobs(run: Run, queue: JobQueue) -> None:
    assert run("clear", "--json").json == {"cleared": 0}


def test_an_age_beyond_the_year_1_is_one_line_of_error(run: Run, queue: JobQueue) -> None:
    outcome = run("clear", "--before", "9999999")

    assert (outcome.code, outcome.err) == (1, "gigq: 863999913600 seconds ago is before the year 1\n")


Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("words", "pruned"),
    [
        (["--all"], 2),
        (["--older-than", "7d"], 1),
        (["--older-than", "11d"], 0),
        (["--keep", "1"], 1),
        (["--status", "failed", "--status", "timeout"], 2),
        (["--status", "failed", "--older-than", "7d", "--keep", "1"], 1),
    ],
)
def test_prune_deletes_the_chosen_jobs(run: Run, ended: JobQueue, words: list[str], pruned: int) -> None:
    assert run("prune", *words).code == 4
    assert run("prune", *words, "--dry-run", "--json").json["count"] == pruned
    assert run("prune", *words, "--yes").out == f"Jobs pruned: {pruned}\n"
    assert ended.count() == 4 - pruned


@pytest.mark.parametrize(
    ("words", "pruned"),
    [
        (["status:failed"], ["new failed", "old failed"]),
        (["status:failed", "--keep", "1"], ["old failed"]),
        (["status:failed name:'old failed'"], ["old failed"]),
        (["--status", "failed", "--name", "new failed", "--older-than", "7d"], []),
        (["status:failed", "ended:30d..7d"], ["old failed"]),
    ],
)
def test_prune_takes_filters(run: Run, ended: JobQueue, words: list[str], pruned: list[str]) -> None:
    before = {job["name"] for job in ended.list_jobs()}
    assert run("prune", *words, "--dry-run", "--json").json["count"] == len(pruned)
    assert run("prune", *words, "--yes").code == 0
    assert sorted(before - {job["name"] for job in ended.list_jobs()}) == pruned


def test_jobs_that_end_after_the_question_are_not_pruned(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.cancel(queue.submit(Job("old", "functions.nothing", queue="mail")))

    def meanwhile() -> str:
        queue.cancel(queue.submit(Job("new", "functions.nothing", queue="mail")))
        return "y\n"

    person = Person(monkeypatch)
    with person.typing("y\n"):
        monkeypatch.setattr(sys.stdin, "readline", meanwhile)
        assert run("prune", "queue:mail").out == "Jobs pruned: 1\n"
    assert [job["name"] for job in queue.list_jobs()] == ["new"]


def test_prune_as_json_is_the_number_of_jobs(run: Run, ended: JobQueue) -> None:
    assert run("prune", "--all", "--yes", "--json").json["pruned"] == 2


def test_prune_of_everything_needs_all(run: Run, ended: JobQueue) -> None:
    assert run("prune", "--yes").err == "gigq: give filters such as --queue NAME, --older-than or --keep; or --all\n"
    assert ended.count() == 4


@pytest.mark.parametrize("words", [["--status", "pending"], ["--older-than", "long"], ["--keep", "-1"]])
def test_prune_refuses_bad_options(run: Run, ended: JobQueue, words: list[str]) -> None:
    outcome = run("prune", *words)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert ended.count() == 4


def test_a_worker_prunes_old_jobs(run: Run, ended: JobQueue) -> None:
    run("worker", "--once", "--prune-after", "7d")

    assert {job["name"] for job in ended.list_jobs()} == {"old failed", "completed", "new failed"}


# gigq delete


def test_delete_deletes_jobs_by_their_ids(run: Run, queue: JobQueue) -> None:
    ids = [queue.submit(Job("job", "f")) for _ in range(3)]

    outcome = run("delete", *ids[:2], "--yes")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"Job {ids[0]} deleted.\nJob {ids[1]} deleted.\n"
    assert run("delete", ids[2], ids[2], "--yes", "--json").json == {"id": ids[2], "deleted": True}
    assert queue.count() == 0


def test_delete_deletes_a_parent_together_with_its_child(run: Run, queue: JobQueue) -> None:
    parent = queue.submit(Job("parent", "f"))
    child = queue.submit(Job("child", "f", dependencies=[parent]))

    assert run("delete", parent, child, "--yes").code == 0
    assert queue.count() == 0


def test_delete_says_why_a_job_stays_and_deletes_the_others(run: Run, queue: JobQueue) -> None:
    parent = queue.submit(Job("parent", "f"))
    queue.submit(Job("child", "f", dependencies=[parent]))
    running, other = queue.submit(Job("running", "f", priority=9)), queue.submit(Job("other", "f"))
    assert queue.dequeue()

    outcome = run("delete", parent, running, other, "--yes")

    assert (outcome.code, outcome.out) == (1, f"Job {other} deleted.\n")
    assert outcome.err == (
        f"gigq: job {parent} is needed by an unfinished job that depends on it; cancel or delete that first; "
        f"job {running} is running; cancel it first, with gigq cancel --running\n"
    )


def test_delete_says_that_an_unfinished_job_might_submit_one_again(run: Run, queue: JobQueue) -> None:
    found: list[str] = []

    def crawl() -> None:
        found.append(current_job().submit(Job("page", "f")))
        raise RetryLater(60)

    first = queue.enqueue("crawl")
    drain(queue, handlers={"crawl": crawl})

    assert run("delete", found[0], "--yes").err == (
        f"gigq: job {found[0]} was submitted by job {first}, which is unfinished and might submit it again; "
        "cancel that first\n"
    )
    assert run("delete", found[0], first, "--yes").code == 0


def test_delete_deletes_jobs_by_filters(run: Run, queue: JobQueue) -> None:
    queue.submit_many([Job("a", "f"), Job("a", "f"), Job("b", "f")])

    assert run("delete", "--name", "a", "--yes").out == "Jobs deleted: 2\n"
    assert run("delete", "--status", "pending", "--yes", "--json").json["deleted"] == 1


@pytest.mark.parametrize("words", [[], ["x", "--name", "a"], ["--status", "running"]])
def test_delete_without_a_choice_is_wrongly_typed(run: Run, queue: JobQueue, words: list[str]) -> None:
    outcome = run("delete", *words)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)


def test_delete_of_an_unknown_job_deletes_nothing(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "f"))

    assert run("delete", job_id, "unknown", "--yes").code == 1
    assert queue.count() == 1
