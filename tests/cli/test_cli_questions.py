"""Questions before what takes many jobs or cannot be undone, on a terminal and without one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from person import CTRL_D, Person
from screen import Session

from gigq import Job, JobQueue

Run = Callable[..., Any]


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Person:
    return Person(monkeypatch)


@pytest.fixture
def four(queue: JobQueue) -> list[str]:
    """Four jobs in the queue red, and one elsewhere."""
    queue.submit(Job("other", "functions.nothing"))
    return [queue.submit(Job(f"job {n}", "functions.nothing", queue="red")) for n in range(4)]


def test_on_a_terminal_a_bulk_verb_asks_with_the_number_and_three_samples(
    run: Run, queue: JobQueue, four: list[str], person: Person
) -> None:
    with person.typing("y\n"):
        outcome = run("cancel", "--queue", "red")

    assert person.seen.splitlines() == [
        "This will cancel 4 jobs, such as",
        f"  {four[3][-8:]}  ○ ready  job 3",
        f"  {four[2][-8:]}  ○ ready  job 2",
        f"  {four[1][-8:]}  ○ ready  job 1",
        "Go on? [y/N] ",
    ]
    assert (outcome.code, outcome.out) == (0, "Jobs cancelled: 4\n")
    assert queue.count("cancelled") == 4


@pytest.mark.parametrize("answer", ["n\n", "\n", "yesterday\n", CTRL_D])
@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_any_other_answer_changes_nothing(
    run: Run, queue: JobQueue, four: list[str], person: Person, verb: str, answer: str
) -> None:
    before = queue.stats()
    with person.typing(answer):
        outcome = run(verb, "--queue", "red")

    assert (outcome.code, outcome.out) == (1, "")
    line_break = "\n" if answer == CTRL_D else ""
    assert person.seen.endswith(f"Go on? [y/N] {line_break}gigq: nothing was changed\n")
    assert queue.stats() == before


@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_without_a_terminal_it_is_refused_and_nothing_done(
    run: Run, queue: JobQueue, four: list[str], verb: str
) -> None:
    outcome = run(verb, "--queue", "red")

    assert (outcome.code, outcome.out) == (4, "")
    assert outcome.err == (
        f"gigq: this would {verb} 4 jobs, and there is no terminal to ask on; "
        "add --yes to do it, or --dry-run to see more\n"
    )
    assert queue.count("pending") == 5


def test_a_script_needs_yes_even_if_there_is_nothing_to_do_yet(run: Run, queue: JobQueue) -> None:
    assert run("cancel", "--queue", "red").code == 4
    assert run("cancel", "--queue", "red", "--yes").out == "Jobs cancelled: 0\n"


def test_a_person_is_not_asked_about_nothing(run: Run, queue: JobQueue, person: Person) -> None:
    with person.typing(""):
        assert run("cancel", "--queue", "red").out == "Jobs cancelled: 0\n"
    assert person.seen == ""


def test_dry_run_tells_and_changes_nothing(run: Run, queue: JobQueue, four: list[str]) -> None:
    words = ("cancel", "--queue", "red", "--dry-run")

    assert run(*words).out.splitlines() == [
        "This would cancel 4 jobs, such as",
        *(f"  {four[n][-8:]}  ready  job {n}" for n in (3, 2, 1)),
    ]
    assert run(*words, "--json").json == {"dry_run": True, "verb": "cancel", "count": 4, "is_exact": True}
    assert run(*words, "-q").out.splitlines() == four[::-1]
    assert queue.count("pending") == 5


@pytest.mark.parametrize("verb", ["cancel", "requeue", "delete"])
def test_everything_is_taken_only_with_all(run: Run, queue: JobQueue, four: list[str], verb: str) -> None:
    outcome = run(verb, "--yes")

    assert (outcome.code, outcome.err) == (2, "gigq: give IDs, or filters such as --queue NAME; or --all\n")
    assert run(verb, "--all", "--queue", "red", "--yes").code == 2
    assert queue.count("pending") == 5
    run("cancel", "--all", "--yes")
    assert run(verb, "--all", "--yes").code == 0
    assert queue.stats()["total"] == (0 if verb == "delete" else 5)


def test_one_job_that_can_be_brought_back_asks_nothing(
    run: Run, queue: JobQueue, four: list[str], person: Person
) -> None:
    with person.typing(""):
        assert run("cancel", four[0]).out == f"Job {four[0]} cancelled.\n"
        assert run("requeue", four[0]).out == f"Job {four[0]} requeued.\n"
        assert run("cancel", four[0], four[1]).code == 0
    assert person.seen.count("Go on?") == 0


def test_one_job_that_will_be_gone_for_good_is_asked_about(
    run: Run, queue: JobQueue, four: list[str], person: Person
) -> None:
    assert run("delete", four[0]).code == 4
    with person.typing("yes\n"):
        assert run("delete", four[0]).out == f"Job {four[0]} deleted.\n"
    assert person.seen == (
        f"This will delete 1 job:\n  {four[0][-8:]}  ○ ready  job 0\n"
        "Deleted jobs cannot be brought back.\nGo on? [y/N] "
    )


def test_jobs_that_are_submitted_meanwhile_are_not_touched(
    run: Run, path: str, queue: JobQueue, four: list[str], person: Person
) -> None:
    def submit() -> None:
        with JobQueue(path) as other:
            other.submit(Job("late", "functions.nothing", queue="red"))

    with person.typing("y\n", meanwhile=submit):
        assert run("cancel", "--queue", "red").out == "Jobs cancelled: 4\n"
    assert [job["name"] for job in queue.list_jobs("pending")] == ["late", "other"]


def test_in_a_pipeline_the_question_is_asked_on_the_terminal(path: str, queue: JobQueue, four: list[str]) -> None:
    gigq = f"{sys.executable} -m gigq --db {path}"
    pipeline = ("sh", "-c", f"{gigq} list -q --queue red | {gigq} cancel -")
    with Session(*pipeline) as interrupted:
        interrupted.wait_for("Go on? [y/N]")
        interrupted.press("Ctrl-C")
        assert interrupted.wait() in (130, -2)  # the shell was interrupted too
    assert queue.count("pending") == 5
    with Session(*pipeline) as answered:
        answered.wait_for("This will cancel 4 jobs, such as")
        answered.type("y\r")
        assert answered.wait() == 0
        assert "Jobs cancelled: 4" in answered.screen.text


def test_a_person_sees_how_far_a_verb_for_many_jobs_is(run: Run, queue: JobQueue, person: Person) -> None:
    queue.submit_many(Job("job", "functions.nothing") for _ in range(1200))
    with person.typing("y\n"):
        assert run("cancel", "--all").out == "Jobs cancelled: 1,200\n"
    assert "cancelled 500/1200 41 %" in person.seen
    assert "cancelled 1200/1200 100 %" in person.seen


def test_ids_from_a_program_are_asked_about_on_the_terminal_that_the_person_sits_at(
    run: Run, queue: JobQueue, four: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ids").write_text("".join(f"{each} and more\n" for each in four[:2]))
    with open(tmp_path / "ids") as ids:
        monkeypatch.setattr(sys, "stdin", ids)
        assert run("cancel", "-").code == 4
        assert queue.count("pending") == 5
        os.lseek(ids.fileno(), 0, os.SEEK_SET)
        assert run("cancel", "-", "--yes").out == "Jobs cancelled: 2\n"
    assert sorted(job["id"] for job in queue.list_jobs("cancelled")) == sorted(four[:2])
