"""`gigq errors`, `gigq functions`, `gigq actions`, `gigq trace` and `gigq diff`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from store.verbs import File

from gigq import Job, JobQueue, ManualClock
from gigq.cli.fields import ACTION, BAR, DIFFERENCE, FAILURE, FUNCTION
from gigq.status import ExecutionStatus

Run = Callable[..., Any]

SECRET = "hunter2"


@pytest.fixture
def file(open_queue: Callable[..., JobQueue]) -> File:
    """A queue ten minutes ago."""
    clock = ManualClock(datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10))
    return File(open_queue(clock=clock), clock)


def run_job(file: File, name: str, *, seconds: float = 5, status: str = "completed", **options: Any) -> str:
    """Submit a job, let it run and end, and return its ID."""
    of_report = ("error", "error_type", "traceback", "log", "is_final")
    report = {key: options.pop(key) for key in of_report if key in options}
    job_id = file.queue.submit(Job(name, options.pop("function", "app.mail:send"), **options))
    (claim,) = file.claim()
    file.clock.advance(seconds)
    file.settle(claim, ExecutionStatus(status), **report)
    return str(job_id)


def fail(file: File, number: int = 1, **options: Any) -> str:
    error = f"ValueError: no user {number}, password={SECRET}"
    report = {"status": "failed", "error": error, "error_type": "ValueError", "is_final": True}
    return run_job(file, "bad", **report, traceback=f"Traceback\n  line {number}\n{error}\n", **options)


# errors


def test_errors_are_grouped_by_cause(run: Run, file: File) -> None:
    for number in range(3):
        fail(file, number)
    fail(file, function="app.images:resize")
    title, first, second = run("errors").out.splitlines()
    (group, other) = file.queue.history.failures()
    assert title.split() == ["group", "failures", "dead", "last", "function", "error"]
    assert first.split()[:5] == [group.key, "3", "3", "9m", "app.mail:send"]
    assert first.endswith("ValueError: no user …, password=[redacted]")
    assert second.split()[0] == other.key
    wide = run("errors", "--wide").out.splitlines()[0]
    assert wide.split() == ["group", "failures", "jobs", "dead", "first", "last", "function", "error"]


def test_errors_as_json_are_the_groups_of_the_library(run: Run, file: File) -> None:
    fail(file)
    (group,) = run("errors", "--json", "--show-secrets").json
    assert group == file.queue.history.failures()[0].as_dict()
    assert tuple(group) == FAILURE
    assert run("-q", "errors").out == f"{group['key']}\n"
    assert run("errors", "--json=key,dead").json == [{"key": group["key"], "dead": 1}]


def test_groups_that_are_left_out_are_said(run: Run, file: File) -> None:
    fail(file)
    fail(file, function="app.images:resize")
    outcome = run("errors", "--limit", "1")
    assert len(outcome.out.splitlines()) == 2
    assert outcome.err == "gigq: these are 1 of 2 groups; --limit 0 shows all\n"
    assert len(run("errors", "--limit", "0").out.splitlines()) == 3


def test_a_time_without_failures_says_so(run: Run, file: File) -> None:
    fail(file)
    assert run("errors", "--since", "1m").out == "Nothing failed.\n"
    assert run("errors", "--since", "1h", "--until", "11m").out == "Nothing failed.\n"


@pytest.mark.parametrize("command", ["errors", "functions", "trace"])
def test_a_time_that_is_none_is_refused(run: Run, file: File, command: str) -> None:
    outcome = run(command, "--since", "soon")
    assert (outcome.code, outcome.out) == (2, "")
    assert "'soon' is not a time: write a duration such as 2h, a time such as 09:30" in outcome.err


# functions


def test_functions_are_listed_with_what_they_cost(run: Run, file: File) -> None:
    run_job(file, "good", seconds=5)
    fail(file, seconds=15)
    run_job(file, "other", seconds=20, function="app.images:resize")
    title, mail, images = run("functions").out.splitlines()
    assert title.split() == ["function", "runs", "failed", "p50", "p95", "wait", "p95", "share", "wasted"]
    assert " ".join(mail.split()) == "app.mail:send 2 1 (50 %) 5 s 15 s 0 ms 50 % 15 s"
    assert " ".join(images.split()) == "app.images:resize 1 20 s 20 s 0 ms 50 %"
    assert "p99" in run("functions", "--wide").out


def test_functions_as_json_are_those_of_the_library(run: Run, file: File) -> None:
    run_job(file, "good")
    (found,) = run("functions", "--json").json
    assert found == file.queue.history.functions()[0].as_dict()
    assert tuple(found) == FUNCTION


def test_a_time_in_which_nothing_ended_says_so(run: Run, file: File) -> None:
    assert run("functions").out == "No execution ended.\n"


def test_it_says_what_may_have_been_pruned(run: Run, file: File) -> None:
    run_job(file, "old")
    file.clock.advance(60)
    run_job(file, "new")
    file.queue.prune(older_than=30)
    assert "may have been pruned" in run("functions").err
    assert run("functions", "--since", "1s").err == ""


# actions


def test_actions_say_who_did_what(run: Run, file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    run("pause", "mail")
    run("configure", "mail", "--max-running", "2")
    title, configured, paused = run("actions").out.splitlines()
    assert title.split() == ["when", "who", "by", "did", "done", "to"]
    assert configured.split() == ["0s", "ada", "cli", "configure", "1", "queue:mail", "max_running:2"]
    assert paused.split() == ["0s", "ada", "cli", "pause", "1", "queue:mail"]
    assert len(run("actions", "--limit", "1").out.splitlines()) == 2


def test_a_secret_by_which_jobs_were_chosen_is_not_shown(run: Run, file: File) -> None:
    file.queue.submit(Job("job", "m:f", {"user": 42, "token": SECRET}))
    with file.queue.acting_as("ada"):
        assert file.queue.cancel_jobs(args={"user": 42, "token": SECRET}) == 1
    out = run("actions").out
    assert "args.user:42 args.token:[redacted]" in out
    assert SECRET not in out


def test_actions_as_json_are_those_of_the_library(run: Run, file: File) -> None:
    run("pause", "mail")
    (found,) = run("actions", "--json").json
    assert found == file.queue.history.actions()[0].as_dict()
    assert tuple(found) == ACTION


def test_without_actions_it_says_so(run: Run, file: File) -> None:
    assert run("actions").out == "Nobody has done anything so far.\n"


# trace


@pytest.fixture
def span(file: File) -> tuple[str, ...]:
    """The ten minutes that begin with the queue."""
    begun = file.clock.now()
    return "--since", begun.isoformat(), "--until", (begun + timedelta(minutes=10)).isoformat()


@pytest.fixture
def busy(file: File) -> File:
    """A worker that ran two jobs side by side, one of which failed, and later one that still runs."""
    file.queue.submit_many([Job("a", "app.mail:send"), Job("b", "app.mail:send", max_attempts=1)])
    a, b = file.claim(2)
    file.clock.advance(60)
    file.settle(b, ExecutionStatus.FAILED, error="no")
    file.clock.advance(60)
    file.settle(a, ExecutionStatus.COMPLETED)
    file.clock.advance(60)
    file.submit("c")
    file.claim()
    return file


def test_a_trace_draws_each_slot_over_time(
    run: Run, span: tuple[str, ...], busy: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "61")
    head, legend, first, second, axis = run("trace", *span).out.splitlines()
    assert head.endswith(" a column")
    assert "✕ failed" in legend
    assert first.startswith("ann  █████████")
    assert "····" in first[10:25]
    assert first.endswith("▶  90 %")
    assert second.split()[0].startswith("████")
    assert second.split()[0].strip("█·▁▂▃▄▅▆▇") == "✕"
    assert second.endswith(" 10 %")
    assert axis.split()[0].count(":") == 2


def test_a_trace_folds_a_long_time_in_which_nothing_ran(
    run: Run, span: tuple[str, ...], file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    run_job(file, "a", seconds=60)
    file.clock.advance(480)
    run_job(file, "b", seconds=60)
    lines = run("trace", *span).out.splitlines()
    assert "╌╌╌" in lines[2]
    assert lines[-1].startswith("folded: 8 min from ")
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize("width", [24, 40, 80])
def test_a_trace_is_no_wider_than_the_terminal(
    run: Run, busy: File, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert max(map(len, run("trace").out.splitlines())) <= width


def test_many_lanes_are_drawn_together(run: Run, span: tuple[str, ...], file: File) -> None:
    file.queue.submit_many(Job("job", "m:f") for _ in range(70))
    claims = file.claim(70)
    file.clock.advance(300)
    for claim in claims[:35]:
        file.settle(claim, ExecutionStatus.COMPLETED)
    together = run("trace", *span).out.splitlines()[2]
    assert together.startswith("ann  ████")
    assert together.endswith("▶  75 %")
    assert "▅" in together  # half of them still run


def test_a_trace_as_json_is_the_executions_with_their_lanes(run: Run, busy: File) -> None:
    found = run("trace", "--json").json
    assert [(each["name"], each["status"], each["lane"]) for each in found] == [
        ("c", "running", 1), ("b", "failed", 2), ("a", "completed", 1),
    ]  # fmt: skip
    assert tuple(found[0]) == BAR


def test_a_trace_is_told_to_who_does_not_look(
    run: Run, span: tuple[str, ...], busy: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCESSIBLE", "1")
    _, first, second = run("trace", *span).out.splitlines()
    assert first == "ann: 90 % busy, 2 executions, 0 ended badly"
    assert second == "ann: 10 % busy, 1 execution, 1 ended badly"


def test_a_time_in_which_nothing_ran_says_so(run: Run, busy: File) -> None:
    assert run("trace", "--since", "2h", "--until", "1h").out == "Nothing ran.\n"


def test_what_a_worker_is_called_does_nothing_on_a_terminal(run: Run, file: File) -> None:
    file.queue.submit(Job("job", "m:f"))
    claim = file.queue.dequeue("\x1b[31mred\x07\n")
    assert claim is not None
    found = run("trace")
    assert "\x1b" not in found.out and "\x07" not in found.out
    file.queue.close()


# diff


def test_a_failed_job_is_compared_with_the_last_good_one(run: Run, file: File) -> None:
    good = run_job(file, "good", params={"user": 1, "token": SECRET}, log="fetched\nsent\n")
    bad = fail(file, params={"user": 2, "token": SECRET}, log="fetched\n")
    out = run("diff", bad).out
    lines = out.splitlines()
    assert lines[0].split() == [good[-8:], bad[-8:]]
    assert [line.split() for line in lines if line.startswith("status")] == [["status", "completed", "failed"]]
    assert '-  "user": 1' in lines and '+  "user": 2' in lines
    assert "-sent" in lines
    assert "+  line 1" in lines
    assert SECRET not in out


def test_two_attempts_of_a_job_are_compared(run: Run, file: File) -> None:
    file.queue.submit(Job("job", "m:f", id="twice", max_attempts=2))
    for number in (1, 2):
        (claim,) = file.claim()
        file.clock.advance(number)
        file.settle(claim, ExecutionStatus.FAILED, error=f"E: {number}", traceback=f"same\nE: {number}\n")
    by_itself, chosen = run("diff", "twice").out, run("diff", "twice", "--attempt", "1", "--attempt", "2").out
    assert by_itself == chosen
    assert "The arguments are the same." in chosen
    assert "-E: 1\n+E: 2" in chosen
    assert "Neither has a log." in chosen


def test_two_jobs_are_compared_as_json(run: Run, file: File) -> None:
    first, second = run_job(file, "a"), run_job(file, "b", seconds=7)
    found = run("diff", first, second, "--json").json
    assert tuple(found) == DIFFERENCE
    assert found["facts"]["duration"] == ["5 s", "7 s"]
    assert (found["arguments"], found["log"]) == ([], [])
    assert json.loads(run("diff", first, second, "--json=left").out) == {"left": first[-8:]}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["ready"], 1, "job ready has no attempt so far; give the ID of another job to compare it with"),
        (["bad"], 1, "job bad has one attempt, and no job of app.mail:send has completed; give the ID of another job"),
        (["bad", "--attempt", "1", "--attempt", "9"], 1, "job bad has no attempt 9; it has been tried 1 times"),
        (["bad", "--attempt", "1"], 2, "give --attempt twice, once for each attempt"),
        (["bad", "ready", "--attempt", "1", "--attempt", "1"], 2, "give one ID"),
        (["nobody"], 1, "no job"),
    ],
)
def test_what_cannot_be_compared_is_refused(run: Run, file: File, words: list[str], code: int, message: str) -> None:
    fail(file, id="bad")
    file.queue.submit(Job("ready", "m:f", id="ready", delay=60))
    outcome = run("diff", *words)
    assert (outcome.code, outcome.out) == (code, "")
    assert message in outcome.err
