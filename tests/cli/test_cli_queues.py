"""`gigq queues`, `gigq pause`, `gigq resume` and `gigq configure`, and what `gigq submit` says of queues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gigq import Job, JobQueue

Run = Callable[..., Any]


def test_the_queues_are_a_table(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("job", "tasks:f", queue="mail"))
    queue.submit(Job("job", "tasks:f", queue="video", delay=60))
    queue.pause("video")
    queue.configure("mail", max_running=2, rate_limit=5, rate_period=60)
    title, mail, video = run("queues").out.splitlines()

    assert title.split() == ["name", "paused", "ready", "scheduled", "running", "oldest", "limits"]
    assert mail.split() == ["mail", "1", "0", "0", "0s", "2", "at", "a", "time,", "5", "within", "60", "s"]
    assert video.split() == ["video", "yes", "0", "1", "0"]


def test_queues_as_json_are_all_that_the_library_tells(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("job", "tasks:f", queue="mail"))
    assert run("queues", "--json").json == [each.as_dict() for each in queue.queues()]


def test_no_queues_are_an_empty_list(run: Run, queue: JobQueue) -> None:
    assert run("queues", "--json").json == []


@pytest.mark.parametrize(("words", "said"), [(["mail"], "Queue mail"), ([], "All queues")])
def test_a_queue_or_all_are_paused_and_resumed(run: Run, queue: JobQueue, words: list[str], said: str) -> None:
    queue.submit(Job("job", "tasks:f", queue="mail"))

    assert run("pause", *words).out == f"{said} paused\n"
    assert queue.count(phase="paused") == 1
    assert run("resume", *words).out == f"{said} resumed\n"
    assert queue.count(phase="ready") == 1


def test_a_pause_as_json_names_the_queue(run: Run, queue: JobQueue) -> None:
    assert run("pause", "mail", "--json").json == {"queue": "mail", "paused": True}
    assert run("resume", "--json").json == {"queue": None, "paused": False}


def test_a_queue_is_limited(run: Run, queue: JobQueue) -> None:
    outcome = run("configure", "mail", "--max-running", "2", "--rate-limit", "5", "--rate-period", "1m")

    assert outcome.out == "Queue mail: 2 at a time, 5 within 60 s\n"
    (mail,) = queue.queues()
    assert (mail.max_running, mail.rate_limit, mail.rate_period) == (2, 5, 60)


def test_a_limit_that_is_not_given_is_taken_away(run: Run, queue: JobQueue) -> None:
    queue.configure("mail", max_running=2)

    assert run("configure", "mail", "--rate-limit", "1").out == "Queue mail: 1 within 1 s\n"
    assert run("configure", "mail", "--json").json["rate_limit"] is None
    assert run("configure", "mail").out == "Queue mail: no limits\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["pause", ""], 1, "queue is ''; it must be text"),
        (["configure"], 2, "QUEUE"),
        (["configure", "mail", "--max-running", "0"], 2, "at least 1"),
        (["configure", "mail", "--rate-limit", "1", "--rate-period", "0"], 1, "rate_period is 0"),
    ],
)
def test_what_cannot_be_said_of_a_queue_is_refused(
    run: Run, queue: JobQueue, words: list[str], code: int, said: str
) -> None:
    outcome = run(*words)

    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err


@pytest.mark.parametrize("words", [["queues"], ["pause"], ["resume"], ["configure", "mail"]])
def test_only_a_queue_that_exists_is_regulated(run: Run, words: list[str]) -> None:
    assert "there is no queue" in run(*words).err


def test_a_name_that_would_move_the_cursor_is_shown_harmless(run: Run, queue: JobQueue) -> None:
    queue.pause("\x1b[2J\n")

    assert "\\x1b[2J\\n" in run("queues").out
    assert run("pause", "\x1b").out == "Queue \\x1b paused\n"


# submit


def test_a_job_that_must_start_in_time_is_submitted(run: Run, queue: JobQueue) -> None:
    job = run("submit", "tasks.f", "--expires-at", "2999-01-01T12:00:00+01:00", "--json").json["id"]

    assert queue.get_status(job)["expires_at"] == "2999-01-01T11:00:00.000000Z"


def test_what_is_no_instant_is_refused_by_name(run: Run) -> None:
    outcome = run("submit", "tasks.f", "--expires-at", "tomorrow")

    assert outcome.code == 1
    assert "expires_at" in outcome.err


def test_a_key_that_an_unfinished_job_has_gives_that_job(run: Run, queue: JobQueue) -> None:
    first = run("submit", "tasks.f", "--unique-key", "k").out

    assert run("submit", "tasks.f", "--unique-key", "k").out == first
    assert queue.stats()["total"] == 1
