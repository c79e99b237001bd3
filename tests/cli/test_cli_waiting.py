"""`gigq wait` and `gigq result`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from screen import Session

from gigq import Job, JobQueue, ManualClock
from gigq.cli.args import Args
from gigq.cli.endings import wait_for
from gigq.cli.exits import Refused
from gigq.cli.forms import Form
from gigq.cli.out import Output
from gigq.cli.terminal import Terminal
from gigq.testing import drain

Run = Callable[..., Any]


@pytest.fixture
def ran(queue: JobQueue) -> list[str]:
    """A job that has completed and one that has failed."""
    ids = [
        queue.submit(Job("good", "functions.add", {"a": 1, "b": 2}, id="good")),
        queue.submit(Job("bad", "functions.fail", {"message": "broken\nbadly"}, max_attempts=1, id="bad")),
    ]
    drain(queue)
    return ids


def test_wait_exits_as_the_job_has_ended(run: Run, ran: list[str]) -> None:
    good, bad = run("wait", "good"), run("wait", "bad")

    assert (good.code, good.out, good.err) == (0, "completed  good  good\n", "")
    assert (bad.code, bad.out, bad.err) == (1, "failed  bad  bad: ValueError: broken\n", "")


def test_of_several_jobs_wait_tells_the_numbers_and_each(run: Run, ran: list[str]) -> None:
    outcome = run("wait", "good", "bad")

    assert outcome.code == 1
    assert outcome.out.splitlines() == [
        "Jobs ended: 2 (1 completed, 1 failed)",
        "completed  good  good",
        "failed  bad  bad: ValueError: broken",
    ]


def test_of_many_jobs_wait_tells_only_those_that_did_not_complete(run: Run, queue: JobQueue) -> None:
    ids = queue.submit_many(Job(f"job {n}", "functions.add", {"a": 1}) for n in range(30))
    for each in ids[:12]:
        queue.cancel(each)
    drain(queue)

    lines = run("wait", *ids).out.splitlines()

    assert lines[0] == "Jobs ended: 30 (18 completed, 12 cancelled)"
    assert [line.split()[0] for line in lines[1:11]] == ["cancelled"] * 10
    assert lines[11:] == ["and 2 more that did not complete"]


def test_wait_for_programs(run: Run, ran: list[str]) -> None:
    assert run("wait", "good", "bad", "--json").json == [
        {"id": "good", "name": "good", "status": "completed", "error": None},
        {"id": "bad", "name": "bad", "status": "failed", "error": "ValueError: broken\nbadly"},
    ]
    assert run("wait", "good", "bad", "--json=id,status").json[1] == {"id": "bad", "status": "failed"}
    assert run("wait", "good", "bad", "--format", "{status} {id}").out == "completed good\nfailed bad\n"
    assert run("wait", "good", "bad", "-q").out == "good\nbad\n"


def test_secrets_in_errors_are_hidden(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("bad", "functions.fail", {"message": "no: password=hunter2"}, max_attempts=1, id="bad"))
    drain(queue)

    for words in (["wait", "bad"], ["wait", "bad", "--json"], ["result", "bad"]):
        outcome = run(*words)
        assert "hunter2" not in outcome.out + outcome.err
    assert "hunter2" in run("wait", "bad", "--show-secrets").out


def test_wait_in_vain_has_a_code_of_its_own(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("later", "functions.nothing", id="later", delay=3600))

    outcome = run("wait", "later", "--timeout", "0")

    assert (outcome.code, outcome.out, outcome.err) == (3, "", "gigq: job later had not ended after 0 s\n")


def test_any_waits_for_the_first_alone(run: Run, ran: list[str], queue: JobQueue) -> None:
    queue.submit(Job("later", "functions.nothing", id="later", delay=3600))

    outcome = run("wait", "later", "good", "--any", "-q")

    assert (outcome.code, outcome.out) == (0, "good\n")


def test_filters_choose_jobs_that_are_unfinished(run: Run, ran: list[str], queue: JobQueue) -> None:
    queue.submit(Job("later", "functions.nothing", id="later", delay=3600, queue="red"))

    assert run("wait", "--queue", "default").out == "Jobs ended: 0\n"
    assert run("wait", "queue:red", "--timeout", "0").code == 3
    assert run("wait").err == "gigq: give IDs, or filters such as --queue NAME\n"


def test_wait_for_an_unknown_job_is_an_error(run: Run, queue: JobQueue) -> None:
    assert (run("wait", "nobody").code, run("wait", "nobody").err) == (1, "gigq: no job has the id 'nobody'\n")


def test_on_a_terminal_a_line_shows_how_it_is_and_ctrl_c_ends_it(path: str, queue: JobQueue) -> None:
    queue.submit(Job("tomorrow", "functions.nothing", id="later", delay=86_400))
    with Session(sys.executable, "-m", "gigq", "--db", path, "wait", "later") as waiting:
        waiting.wait_for("tomorrow scheduled 0:0")
        waiting.press("Ctrl-C")
        assert waiting.wait() == 130


def test_without_a_terminal_a_plain_line_says_every_ten_seconds_how_far_it_is(
    open_queue: Callable[..., JobQueue], capsys: pytest.CaptureFixture[str]
) -> None:
    queue = open_queue(clock=ManualClock())
    ids = [queue.submit(Job(name, "functions.add", {"a": 1}, max_attempts=1)) for name in ("good", "bad", "later")]
    drain(queue)
    ids += [queue.submit(Job("later", "functions.nothing", delay=3600)) for _ in range(2)]
    out = Output(Form(), Terminal(), environ={}, colour="auto")
    args = Args({"show_secrets": False}, absent={}, environ={}, out=out)

    with pytest.raises(Refused, match="2 of 5 jobs had not ended after 35 s"):
        wait_for(queue, args, ids, timeout=35)

    assert capsys.readouterr().err == "gigq: 3 of 5 jobs have ended\n" * 3


def test_result_prints_text_as_it_is_and_anything_else_as_json(run: Run, queue: JobQueue) -> None:
    for name, value in (("text", "a\x1b[2J\nb"), ("number", 2**63 - 1), ("list", [1, {"k": None}]), ("none", None)):
        queue.submit(Job(name, "functions.as_list", {"value": value}, id=name))
    while claim := queue.dequeue():
        queue.complete(claim, claim.params["value"])

    assert run("result", "text").out == "a\\x1b[2J\nb\n"
    assert run("result", "text", "--json").json == "a\x1b[2J\nb"
    assert run("result", "number").out == "9223372036854775807\n"
    assert run("result", "list").out == '[1, {"k": null}]\n'
    assert run("result", "none").out == "null\n"


def test_a_job_that_ended_badly_has_no_result(run: Run, ran: list[str]) -> None:
    outcome = run("result", "bad")

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("gigq: job bad (bad) ended as failed: ValueError: broken")


def test_a_job_that_has_not_ended_has_no_result_yet(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("later", "functions.nothing", id="later", delay=3600))

    assert (run("result", "later").code, run("result", "later").err) == (
        3,
        "gigq: job later is pending; --wait waits until it has ended\n",
    )
    assert (run("result", "later", "--timeout", "0").code, run("result", "later", "--timeout", "0").err) == (
        3,
        "gigq: job later had not ended after 0 s\n",
    )
