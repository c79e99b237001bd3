"""The jobs that are typed: parts of IDs, `-`, and IDs on standard input; as options or as words of filters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def piped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Has a text at standard input while a block runs."""

    @contextmanager
    def pipe(text: str) -> Iterator[None]:
        (tmp_path / "input").write_text(text)
        with open(tmp_path / "input") as opened, monkeypatch.context() as patched:
            patched.setattr(sys, "stdin", opened)
            yield

    return pipe


def submitted(queue: JobQueue, *ids: str) -> None:
    queue.submit_many(Job(f"name of {each}", "functions.nothing", id=each) for each in ids)


@pytest.mark.parametrize("typed", ["alpha-one", "alph", "-one"])
def test_a_job_is_named_by_its_id_or_the_beginning_or_the_end_of_it(run: Run, queue: JobQueue, typed: str) -> None:
    submitted(queue, "alpha-one", "beta-two")

    assert run("cancel", "--", typed).out == "Job alpha-one cancelled.\n"


def test_a_handle_that_several_jobs_have_lists_them_with_their_names(run: Run, queue: JobQueue) -> None:
    submitted(queue, "alpha-one", "alpha-two", "beta-two")

    outcome = run("cancel", "alpha")

    assert (outcome.code, outcome.out) == (1, "")
    for each in ("alpha-one", "alpha-two"):
        assert f"{each}" in outcome.err
        assert f"name of {each}" in outcome.err
    assert "beta" not in outcome.err
    assert queue.count("pending") == 3


@pytest.mark.parametrize("typed", ["12", "0b1c"])
def test_what_may_be_the_beginning_of_a_handle_is_told_what_to_type(run: Run, queue: JobQueue, typed: str) -> None:
    queue.submit(Job("job", "functions.nothing", id="01a22345-6bcc-70e9-826b-00000b1c2345"))
    for words in (["status", typed], ["cancel", typed], ["submit", "functions.nothing", "--after", typed]):
        outcome = run(*words)
        assert outcome.code == 1
        assert outcome.err.startswith(f"gigq: no job has the id '{typed}'; type 4 or more characters of its end")


def test_an_ambiguous_handle_is_told_with_handles_that_can_be_typed(run: Run, queue: JobQueue) -> None:
    ids = queue.submit_many(Job("job", "functions.nothing") for _ in range(2))
    error = run("status", ids[0][:6]).err
    assert all(f" {each[-8:]} ('job', pending)" in error and each not in error for each in ids)
    assert run("status", ids[0][-8:], "-q").out == f"{ids[0]}\n"


def test_nothing_is_done_if_one_of_several_handles_names_no_job(run: Run, queue: JobQueue) -> None:
    submitted(queue, "alpha", "beta-two")

    outcome = run("cancel", "alpha", "nobody")

    assert (outcome.code, outcome.err) == (1, "gigq: no job has the id 'nobody'\n")
    assert queue.count("pending") == 2


def test_several_handles_are_several_jobs_and_each_that_cannot_be_cancelled_is_told(run: Run, queue: JobQueue) -> None:
    submitted(queue, "alpha", "beta", "gamma")
    queue.cancel("beta")

    outcome = run("cancel", "alpha", "beta", "gamma", "alpha")

    assert (outcome.code, outcome.out) == (1, "Job alpha cancelled.\nJob gamma cancelled.\n")
    assert outcome.err == "gigq: job beta is cancelled; only a pending or running job can be cancelled\n"
    assert run("requeue", "alpha", "beta", "--json").json == {"requeued": 2, "ids": ["alpha", "beta"], "refused": {}}
    assert run("cancel", "alpha", "beta", "-q").out == "alpha\nbeta\n"


def test_a_dash_is_the_last_job_that_was_submitted_or_looked_at(run: Run, queue: JobQueue) -> None:
    assert run("status", "-").err == "gigq: no job is remembered as the last one of this queue; type its ID\n"
    first = run("submit", "functions.nothing", "-q").out.strip()
    second = run("submit", "functions.nothing", "-q").out.strip()

    assert run("status", "-", "-q").out.strip() == second
    assert run("status", first[-8:], "-q").out.strip() == first
    assert run("cancel", "-").out == f"Job {first} cancelled.\n"
    third = run("submit", "functions.nothing", "--after", second[-8:], "--json").json["id"]
    assert queue.get_status(third)["dependencies"] == [second]
    fourth = run("submit", "functions.nothing", "--after", "-", "-q").out.strip()
    assert queue.get_status(fourth)["dependencies"] == [third]


def test_each_queue_has_a_last_job_of_its_own(run: Run, queue: JobQueue, tmp_path: Path) -> None:
    mine = run("submit", "functions.nothing", "-q").out.strip()
    run("submit", "functions.nothing", "--db", str(tmp_path / "other.db"))

    assert run("status", "-", "-q").out.strip() == mine


def test_where_nothing_can_be_remembered_all_else_works(
    run: Run, queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    outcome = run("submit", "functions.nothing")

    assert (outcome.code, outcome.err) == (0, "")
    assert run("status", "-").code == 1


def test_ids_come_from_standard_input_the_first_word_of_each_line(
    run: Run, queue: JobQueue, piped: Callable[[str], Any]
) -> None:
    submitted(queue, "alpha-one", "beta-two", "gamma")
    with piped("alpha-one  ready  12s\n\n  -two pending\nalpha-one\n"):
        assert run("cancel", "-", "--yes").out == "Jobs cancelled: 2\n"
    with piped("gamma\n"):
        assert run("status", "-", "-q").out == "gamma\n"


def test_bytes_that_are_no_text_are_no_id(run: Run, queue: JobQueue, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "input").write_bytes(b"\xff\xfe\n")
    with open(tmp_path / "input", encoding="utf-8") as opened:
        monkeypatch.setattr(sys, "stdin", opened)
        outcome = run("cancel", "-", "--yes")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "no job has the id" in outcome.err


def test_no_ids_on_standard_input_are_no_jobs_and_not_the_last_one(
    run: Run, queue: JobQueue, piped: Callable[[str], Any]
) -> None:
    submitted(queue, "alpha-one")
    run("status", "alpha-one")
    with piped(""):
        outcome = run("cancel", "-", "--yes")
        assert (outcome.code, outcome.out) == (0, "Jobs cancelled: 0\n")
        assert run("status", "-").err == "gigq: no IDs came in on standard input; this command takes one\n"
    assert queue.count("pending") == 1


def test_jobs_on_standard_input_that_are_not_as_they_must_be_are_counted(
    run: Run, queue: JobQueue, piped: Callable[[str], Any]
) -> None:
    submitted(queue, "alpha", "beta", "gamma")
    queue.cancel("beta")
    with piped("alpha\nbeta\n"):
        outcome = run("cancel", "-", "--yes")
    assert outcome.out == "Jobs cancelled: 1; 1 skipped: they cannot be cancelled as they are\n"


def test_filters_may_be_typed_as_words(run: Run, queue: JobQueue) -> None:
    queue.submit_many(Job(name, "functions.nothing", queue=name, tags=["t"]) for name in ("red", "blue", "red"))

    assert run("cancel", "queue:red tag:t", "status:pending", "--yes").out == "Jobs cancelled: 2\n"
    assert run("cancel", "queue:blue", "--tag", "t", "--yes").out == "Jobs cancelled: 1\n"
    assert "queue is given twice" in run("cancel", "queue:blue", "--queue", "red", "--yes").err


def test_a_mistyped_filter_is_told_with_those_that_there_are_and_an_id_may_have_a_colon(
    run: Run, queue: JobQueue
) -> None:
    submitted(queue, "order:4711", "queue:red")

    outcome = run("cancel", "qeue:red", "--yes")
    assert (outcome.code, outcome.out) == (2, "")
    assert "queue" in outcome.err
    assert run("cancel", "der:4711").out == "Job order:4711 cancelled.\n"
    assert run("cancel", "queue:red").out == "Job queue:red cancelled.\n"


def test_a_status_that_the_command_cannot_take_is_an_error(run: Run, queue: JobQueue) -> None:
    outcome = run("cancel", "status:failed", "--yes")

    assert outcome.code == 2
    assert outcome.err == "gigq: the status is failed; this command takes pending\n"


def test_ids_and_filters_exclude_each_other(run: Run, queue: JobQueue) -> None:
    submitted(queue, "alpha")
    for filters in (["queue:red"], ["--queue", "red"]):
        outcome = run("cancel", "alpha", *filters, "--yes")
        assert (outcome.code, outcome.err) == (2, "gigq: give either IDs or filters\n")
