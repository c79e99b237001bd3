"""`gigq queues`, `gigq pause`, `gigq resume` and `gigq configure`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from person import Person

from gigq import Job, JobQueue

Run = Callable[..., Any]


def test_queues_are_listed_as_a_table(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("job", "tasks:f", queue="mail"))
    queue.submit(Job("job", "tasks:f", queue="video", delay=60))
    queue.pause("video")
    queue.configure("mail", max_running=2, rate_limit=5, rate_period=60)
    title, mail, video = run("queues").out.splitlines()

    assert title.split() == ["name", "paused", "ready", "scheduled", "running", "oldest", "limits"]
    assert mail.split() == ["mail", "1", "0", "0", "0s", "2", "at", "a", "time,", "5", "within", "60", "s"]
    assert video.split() == ["video", "0s", "0", "1", "0"]


def test_queues_as_json_are_those_of_the_library(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("job", "tasks:f", queue="mail"))
    assert run("queues", "--json").json == [each.as_dict() for each in queue.queues()]


def test_a_file_without_queues_is_an_empty_list(run: Run, queue: JobQueue) -> None:
    assert run("queues", "--json").json == []


@pytest.mark.parametrize(("words", "said"), [(["mail"], "Queue mail"), (["--all", "--yes"], "All queues")])
def test_one_queue_or_all_are_paused_and_resumed(run: Run, queue: JobQueue, words: list[str], said: str) -> None:
    queue.submit(Job("job", "tasks:f", queue="mail"))

    assert run("pause", *words).out == f"{said} paused\n"
    assert queue.count(phase="paused") == 1
    assert run("resume", *words[:1] if said == "Queue mail" else ()).out == f"{said} resumed\n"
    assert queue.count(phase="ready") == 1


def test_all_queues_are_paused_only_if_that_is_meant(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("job", "tasks:f", queue="mail"))

    refused, unasked = run("pause"), run("pause", "--all")

    assert (refused.code, refused.err) == (2, "gigq: give the name of a queue; or --all\n")
    assert (unasked.code, unasked.out) == (4, "")
    assert run("pause", "--all", "--dry-run").out == (
        "This would pause every queue, those to come included:\n  mail: 1 ready, 0 running\n"
    )
    assert queue.count(phase="ready") == 1


def test_a_pause_of_all_queues_is_asked_about_even_where_nothing_is_to_do(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person(monkeypatch)
    with person.typing("n\n"):
        assert run("pause", "--all").code == 1
    assert person.seen.startswith("This will pause every queue, those to come included.\nGo on? [y/N] ")


def test_a_pause_as_json_names_the_queue(run: Run, queue: JobQueue) -> None:
    assert run("pause", "mail", "--json").json == {"queue": "mail", "paused": True}
    assert run("resume", "--json").json == {"queue": None, "paused": False, "still_paused": ["mail"]}


def test_configure_sets_limits(run: Run, queue: JobQueue) -> None:
    outcome = run("configure", "mail", "--max-running", "2", "--rate-limit", "5", "--rate-period", "1m")

    assert outcome.out == "Queue mail: 2 at a time, 5 within 60 s\n"
    (mail,) = queue.queues()
    assert (mail.max_running, mail.rate_limit, mail.rate_period) == (2, 5, 60)


def test_configure_changes_only_the_limits_that_are_given(run: Run, queue: JobQueue) -> None:
    queue.configure("mail", max_running=2)

    assert run("configure", "mail", "--rate-limit", "1").out == "Queue mail: 2 at a time, 1 within 1 s\n"
    assert run("configure", "mail", "--rate-period", "1m", "--json").json["max_running"] == 2
    assert run("configure", "mail").out == "Queue mail: 2 at a time, 1 within 60 s\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["pause", ""], 1, "QUEUE must not be empty"),
        (["configure", "--max-running", "2"], 2, "give the name of the queue"),
        (["configure", "mail", "--max-running", "0"], 2, "at least 1"),
        (["configure", "mail", "--rate-limit", "1", "--rate-period", "0"], 1, "--rate-period is 0"),
    ],
)
def test_bad_options_of_a_queue_are_refused(run: Run, queue: JobQueue, words: list[str], code: int, said: str) -> None:
    outcome = run(*words)

    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err


def test_control_characters_in_a_queue_name_become_visible(run: Run, queue: JobQueue) -> None:
    queue.pause("\x1b[2J\n")

    assert "\\x1b[2J\\n" in run("queues").out
    assert run("pause", "\x1b").out.startswith("Queue \\x1b paused; ")


def test_configure_without_options_shows_the_limits_of_one_queue_or_of_all(run: Run, queue: JobQueue) -> None:
    assert run("configure").out == "No queue has limits.\n"
    queue.configure("mail", max_running=2)
    queue.pause("video")

    assert run("configure", "mail").out == run("configure").out == "Queue mail: 2 at a time\n"
    assert run("configure", "video").out == "Queue video: no limits\n"
    assert [each["name"] for each in run("configure", "--json").json] == ["mail"]


def test_none_takes_a_limit_away_and_leaves_the_other(run: Run, queue: JobQueue) -> None:
    run("configure", "mail", "--max-running", "2", "--rate-limit", "5")

    assert run("configure", "mail", "--max-running", "none").out == "Queue mail: 5 within 1 s\n"
    assert run("configure", "mail", "--rate-limit", "none").out == "Queue mail: no limits\n"


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_a_queue_without_unfinished_jobs_is_perhaps_mistyped(run: Run, queue: JobQueue, command: str) -> None:
    parent = queue.submit(Job("parent", "f"))
    queue.submit(Job("waiting", "f", queue="mail", dependencies=[parent]))

    assert "no unfinished jobs" not in run(command, "mail").out
    assert run(command, "mial").out.endswith("d; it has no unfinished jobs\n")


def test_resume_says_what_stays_paused(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("job", "f", queue="video"))
    run("pause", "mail")
    run("pause", "--all", "--yes")

    assert run("resume", "video").out == (
        "Queue video resumed, but it stays paused with all others; `gigq resume` without a name ends that\n"
    )
    assert run("resume").out == "All queues resumed, but not those paused by name: mail\n"
    assert run("resume", "mail").out == "Queue mail resumed; it has no unfinished jobs\n"
    assert run("resume", "--all").out == "All queues resumed\n", "as one types what undoes `pause --all`"
    assert run("resume", "mail", "--all").code == 2
