"""`gigq dead`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import functions
import pytest

from gigq import Job, JobQueue
from gigq.cli.candidates import candidates
from gigq.status import DEAD
from gigq.testing import drain

Run = Callable[..., Any]


@pytest.fixture
def dead(queue: JobQueue) -> list[str]:
    """Three jobs of one cause, one of another, and one that was cancelled."""

    def send(to: int) -> None:
        raise ConnectionError(f"no answer from host {to} at '10.0.0.{to}'")

    jobs = [Job(f"mail {to}", "send", {"to": to}, queue="mail", max_attempts=1) for to in (1, 2, 3)]
    ids = queue.submit_many([*jobs, Job("break", functions.fail, max_attempts=1)])
    queue.cancel(queue.submit(Job("gone", "send", delay=60)))
    drain(queue, handlers={"send": send})
    return [str(each) for each in ids]


def test_dead_letters_are_grouped_by_cause_that_of_most_first(run: Run, queue: JobQueue, dead: list[str]) -> None:
    title, first, second = run("dead").out.splitlines()

    assert title.split() == ["group", "jobs", "last", "first", "function", "error", "example"]
    assert first.split()[1:5] == ["3", "0s", "0s", "send"] and first.split()[-1] == dead[2]
    assert "no answer from host … at '…'" in first
    assert second.split()[1] == "1" and "functions:fail" in second


def test_the_key_of_a_group_is_that_of_errors_and_sends_its_jobs_back(
    run: Run, queue: JobQueue, dead: list[str]
) -> None:
    group = run("dead", "--json").json[0]
    assert (group["jobs"], group["ids"]) == (3, dead[2::-1])
    assert group["group"] in [each["key"] for each in run("errors", "--json").json]
    assert run("requeue", "--group", group["group"], "--yes").code == 0
    assert queue.count("pending") == 3


def test_dead_letters_can_be_listed_one_by_one_and_page_by_page(run: Run, queue: JobQueue, dead: list[str]) -> None:
    assert run("dead", "--each", "-q").out.split() == [job["id"] for job in queue.dead_letters()]
    outcome = run("dead", "--each", "--limit", "3", "-q")
    assert "1 more ended earlier; --after " in outcome.err
    cursor = outcome.err.split("--after ")[1].split()[0]
    rest = run("dead", "--each", "--after", cursor, "-q").out.split()
    assert outcome.out.split() + rest == [job["id"] for job in queue.dead_letters()]
    assert "1 more ended earlier; --limit 0 looks at all" in run("dead", "--limit", "3").err


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ([], 4), (["queue:mail"], 3), (["error:ValueError"], 1), (["args.to:2"], 1), (["--name", "break"], 1),
        (["status:timeout"], 0), (["ended:1h"], 4), (["host 3"], 1),
    ],
)  # fmt: skip
def test_dead_takes_filters(run: Run, dead: list[str], words: list[str], number: int) -> None:
    assert len(run("dead", "-q", *words).out.split()) == number


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status:completed"], "a dead letter is failed or timeout"),
        (["stats:failed"], "there is no filter 'stats'"),
        (["--after", "1"], "--after goes with --each"),
        (["purge:all"], "there is no filter 'purge'"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_code_2(run: Run, dead: list[str], words: list[str], said: str) -> None:
    outcome = run("dead", *words)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert said in outcome.err


def test_without_dead_letters_it_says_so(run: Run, queue: JobQueue) -> None:
    assert run("dead").out == run("dead", "--each").out == "No dead letters.\n"
    assert run("dead", "--json").json == []


def test_secrets_in_messages_are_hidden_and_the_group_is_the_same(run: Run, queue: JobQueue) -> None:
    def log_in(token: str) -> None:
        raise ValueError(f"token={token}")

    queue.submit(Job("log in", "log_in", {"token": "hush-hush"}, max_attempts=1))
    drain(queue, handlers={"log_in": log_in})
    for form in ((), ("--each",), ("--json",), ("--each", "--json")):
        assert "hush-hush" not in run("dead", *form).out
        assert "hush-hush" in run("dead", *form, "--show-secrets").out
    assert run("dead", "--json=group").json == run("dead", "--json=group", "--show-secrets").json


# gigq dead requeue, and gigq dead purge


def test_dead_list_is_dead(run: Run, queue: JobQueue, dead: list[str]) -> None:
    assert run("dead", "list", "--json").json == run("dead", "--json").json
    assert run("dead", "list", "queue:mail", "-q").out == run("dead", "queue:mail", "-q").out


@pytest.mark.parametrize(("verb", "done"), [("requeue", "requeued"), ("purge", "pruned")])
def test_many_dead_letters_are_asked_about_and_a_script_says_yes(
    run: Run, queue: JobQueue, dead: list[str], verb: str, done: str
) -> None:
    assert run("dead", verb).code == 2
    outcome = run("dead", verb, "queue:mail")
    assert (outcome.code, outcome.out) == (4, "")
    assert "--yes" in outcome.err
    assert run("dead", verb, "queue:mail", "--dry-run", "--json").json["count"] == 3
    assert queue.count(DEAD) == 4
    assert run("dead", verb, "queue:mail", "--yes").out == f"Jobs {done}: 3\n"
    assert run("dead", verb, "--all", "--yes", "--json").json[done] == 1
    assert queue.count(DEAD) == 0
    assert queue.count("cancelled") == 1


def test_dead_requeue_takes_ids_groups_and_a_delay_and_no_cancelled_jobs(
    run: Run, queue: JobQueue, dead: list[str]
) -> None:
    assert run("dead", "requeue", dead[0], "--delay", "1h").code == 0
    assert queue.count(phase="scheduled", ids=dead[0]) == 1
    assert run("dead", "requeue", "--group", run("dead", "--json").json[0]["group"], "--yes").code == 0
    assert queue.count("pending") == 3
    assert run("dead", "requeue", "--status", "cancelled", "--yes").code == 2
    assert run("dead", "requeue", "status:cancelled", "--yes").code == 2
    outcome = run("dead", "requeue", queue.list_jobs("cancelled")[0]["id"])
    assert (outcome.code, queue.count("cancelled")) == (1, 1)
    assert "is cancelled, and no dead letter; gigq requeue sends it back" in outcome.err


def test_dead_purge_keeps_the_last_ones_and_takes_no_other_jobs(
    run: Run, queue: JobQueue, dead: list[str]
) -> None:
    assert run("dead", "purge", "--older-than", "1h", "--yes").out == "Jobs pruned: 0\n"
    assert run("dead", "purge", "queue:mail", "--keep", "1", "--yes").out == "Jobs pruned: 2\n"
    assert queue.count(ids=dead) == 2
    assert run("dead", "purge", "status:completed", "--yes").code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["reqeue"], "there is no command 'reqeue'; did you mean 'requeue'? See gigq dead --help"),
        (["--each", "requeue"], "requeue must follow dead at once, before the options; see gigq dead --help"),
        (["queue:mail", "requeue"], "'requeue' is no filter; did you mean --search requeue? See gigq help filters"),
        (["--", "requeue"], "'requeue' is no filter; did you mean --search requeue? See gigq help filters"),
    ],
)
def test_an_action_in_the_wrong_place_is_not_taken_for_text(
    run: Run, queue: JobQueue, words: list[str], message: str
) -> None:
    outcome = run("dead", *words)
    assert (outcome.code, outcome.err) == (2, f"gigq: {message}\n")


def test_the_help_of_dead_names_its_actions(run: Run, queue: JobQueue) -> None:
    assert all(f"  dead {each}" in run("dead", "--help").out for each in ("list", "requeue", "purge"))
    assert "Without COMMAND it is gigq dead list" in " ".join(run("help", "dead").out.split())
    assert {"list", "requeue", "purge"} < {word for word, _ in candidates(["dead"], "", {"GIGQ_DB": queue.db_path})}
    assert "--delay" in {word for word, _ in candidates(["dead", "requeue"], "--", {})}
