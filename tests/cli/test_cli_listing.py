"""`gigq list`."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import functions
import pytest
from screen import gigq_on

from gigq import Job, JobQueue
from gigq.testing import drain

Run = Callable[..., Any]

SECRET = "hush-hush"


def test_list_shows_the_newest_job_first(run: Run, queue: JobQueue) -> None:
    ids = queue.submit_many([Job(name, "functions.add") for name in ("first", "second")])

    title, *rows = run("list").out.splitlines()

    assert title.split() == ["id", "name", "phase", "priority", "attempts", "age", "ran", "ended", "worker", "error"]
    assert [row.split()[:5] for row in rows] == [
        [ids[1], "second", "ready", "0", "0/3"],
        [ids[0], "first", "ready", "0", "0/3"],
    ]


def test_a_terminal_shows_handles_and_leaves_out_columns_in_which_nothing_is(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    job_id = queue.enqueue(functions.fail)
    title, row = run("list").out.splitlines()
    assert title.split() == ["id", "name", "phase", "attempts", "age"]
    assert row.split()[:3] == [job_id[-8:], "fail", "ready"]
    assert run("status", job_id[-8:]).code == 0

    drain(queue)
    title, row = run("list").out.splitlines()
    assert title.split() == ["id", "name", "phase", "attempts", "age", "ran", "ended", "worker", "error"]
    wide = run("list", "--wide").out.splitlines()
    assert {"queue", "function", "tags", "priority"} < set(wide[0].split()) and job_id in wide[1]


def test_on_a_narrow_terminal_an_error_can_be_read(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.submit(Job("a rather long name", "functions.fail", priority="high", max_attempts=1))
    drain(queue)
    for width in ("60", "80", "100"):
        monkeypatch.setenv("COLUMNS", width)
        title, row = run("list").out.splitlines()
        assert title.split()[-1] == "error"
        assert len(row) <= int(width) and row[title.index("error") :].startswith("ValueError: no")
    assert "worker" in run("list", "--wide").out


def test_list_says_how_long_a_job_has_run_and_when_it_ended(run: Run, ended: JobQueue) -> None:
    _, *rows = run("list", "status:completed").out.splitlines()
    (cells,) = [row.split() for row in rows]
    assert cells[2] == "completed" and cells[6].replace(".", "").isdigit() and cells[7] in ("ms", "s")
    assert cells[8] == "0s"


def test_list_stops_at_its_limit_and_says_how_many_more_there_are(run: Run, queue: JobQueue) -> None:
    queue.submit_many([Job("sum", "functions.add") for _ in range(23)])

    assert run("list").out.splitlines()[-1].startswith("3 more; --limit 0 shows all, --after ")
    assert run("list", "--limit", "22").out.splitlines()[-1].startswith("1 more; --limit 0 shows all")
    assert len(run("list", "--limit", "23").out.splitlines()) == 24
    assert len(run("list", "--limit", "0").out.splitlines()) == 24


def test_a_list_goes_on_where_another_has_ended(run: Run, queue: JobQueue) -> None:
    ids = queue.submit_many([Job("sum", "functions.add") for _ in range(5)])
    words, found = ["list", "--limit", "2", "-q"], []
    while True:
        outcome = run(*words)
        found += outcome.out.split()
        if "--after" not in outcome.err:
            break
        words = ["list", "--limit", "2", "-q", "--after", outcome.err.split("--after ")[1].split()[0]]
    assert found == ids[::-1]
    assert run("list", "--after", "nonsense").code == 1


def test_more_than_ten_thousand_are_not_counted_to_the_end(run: Run, queue: JobQueue) -> None:
    queue.submit_many([Job("sum", "functions.add") for _ in range(10_021)])
    assert run("list", "tag:none").out == "No jobs found.\n"
    assert run("list").out.splitlines()[-1].startswith("more than 10,000 more; --limit 0 shows all")


def test_list_as_json_is_an_array_and_says_on_standard_error_how_many_more_there_are(run: Run, queue: JobQueue) -> None:
    queue.submit_many([Job("sum", "functions.add") for _ in range(3)])

    outcome = run("--json", "list", "--limit", "2")

    assert outcome.json == queue.list_jobs(limit=2)
    assert outcome.err.startswith("gigq: 1 more; --limit 0 shows all")


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--status", "cancelled"], ["b"]),
        (["--status", "cancelled", "--status", "pending"], ["c", "b", "a"]),
        (["--phase", "scheduled"], ["c"]),
        (["--queue", "other"], ["a"]),
        (["--name", "c"], ["c"]),
        (["--tag", "red"], ["c", "a"]),
        (["--tag", "red", "--tag", "blue"], ["a"]),
        (["--search", "NEEDLE"], ["b"]),
        (["--function", "functions.fail"], ["c"]),
        (["--arg", "a=needle in"], ["b"]),
        (["--arg", "n=7"], ["c"]),
        (["--priority", "high"], ["a"]),
        (["--since", "1h", "--until", "now"], ["c", "b", "a"]),
        (["--since", "1h..30m"], []),
        (["--ended", "1h"], ["b"]),
        (["--worker", "nobody"], []),
        (["status:cancelled"], ["b"]),
        (["status:cancelled", "phase:ready"], []),
        (["queue:other tag:blue"], ["a"]),
        (["tag:red", "--tag", "blue"], ["a"]),
        (["args.n:7", "--arg", "x=y"], []),
        (["needle in"], ["b"]),
        (["'needle'"], ["b"]),
        (['args.a:"needle in"'], ["b"]),
        (["ended:today"], ["b"]),
    ],
)
def test_list_takes_filters_in_words_and_as_options(
    run: Run, queue: JobQueue, words: list[str], names: list[str]
) -> None:
    queue.submit(Job("a", "functions.add", queue="other", tags=["red", "blue"], priority="high"))
    queue.cancel(queue.submit(Job("b", "functions.add", {"a": "needle in"})))
    queue.submit(Job("c", "functions.fail", {"n": 7}, delay=60, tags=["red"]))

    assert [job["name"] for job in run("list", "--json", "--limit", "0", *words, "--sort", "submitted").json] == names


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stats:failed"], "there is no filter 'stats' (did you mean 'status'?)"),
        (["status:faild"], "there is no status 'faild' (did you mean 'failed'?)"),
        (["--since", "soon"], "'soon' is not a time"),
        (["queue:a", "--queue", "b"], "queue is given twice, as a filter and as an option; give one"),
        (["worker:a", "--worker", "b"], "worker is given twice"),
        (["--as-of", "1h", "status:failed"], "--as-of takes no filters"),
        (["--as-of", "1h", "--watch"], "--as-of does not go with --watch"),
        (["--as-of", "tomorrow"], "--as-of: 'tomorrow' is not a time"),
        (["--as-of", "2999-01-01"], "is still to come"),
        (["--after", "1", "--sort", "name"], "--after does not go with --sort name"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_code_2(run: Run, queue: JobQueue, words: list[str], said: str) -> None:
    outcome = run("list", *words)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert said in outcome.err


def test_a_wrong_filter_is_said_before_the_file_is_looked_for(run: Run, path: str) -> None:
    assert run("list", "stats:failed").code == 2 and not Path(path).exists()


@pytest.mark.parametrize(
    ("sort", "names"), [("name", ["a", "b", "c"]), ("priority", ["c", "b", "a"]), ("submitted", ["c", "a", "b"])]
)
def test_list_is_sorted_by_what_is_asked_for(run: Run, queue: JobQueue, sort: str, names: list[str]) -> None:
    queue.submit_many(Job(name, "f", priority=priority) for name, priority in (("b", 5), ("a", 1), ("c", 9)))
    assert [job["name"] for job in run("list", "--sort", sort, "--json").json] == names
    assert run("list", "--sort", sort, "--limit", "2").out.splitlines()[-1].startswith("1 more")


def test_the_job_that_has_run_for_the_longest_comes_first(run: Run, queue: JobQueue) -> None:
    for seconds in (0.0, 0.03, 0.01):
        queue.submit(Job(str(seconds), "rest", args=[seconds]))
    drain(queue, handlers={"rest": time.sleep})
    assert [job["name"] for job in run("list", "--sort", "ran", "--json").json] == ["0.03", "0.01", "0.0"]


def test_secrets_are_hidden_in_every_form_unless_they_are_asked_for(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(token: str, card: str) -> None:
        raise ValueError(f"token={token} card={card}")

    queue.submit(Job("log in", "fail", {"token": SECRET, "card": "4711-4711"}, max_attempts=1))
    drain(queue, handlers={"fail": fail})
    forms = ((), ("--json",), ("--jsonl",), ("--format", "{params} {error}"), ("--json=error",))
    for form in forms:
        assert SECRET not in run("list", *form).out and "4711-4711" in run("list", *form, "--show-secrets").out
        assert SECRET in run("list", *form, "--show-secrets").out
    monkeypatch.setenv("GIGQ_REDACT", "card")
    assert all("4711-4711" not in run("list", *form).out for form in forms)


def test_ids_among_filters_may_be_handles(run: Run, queue: JobQueue) -> None:
    ids = queue.submit_many([Job(name, "f") for name in "abc"])
    assert run("list", f"id:{ids[0][-8:]}", f"id:{ids[2]}", "-q").out.split() == [ids[2], ids[0]]
    assert run("list", "id:nobody").code == 1


def test_an_empty_list_says_so(run: Run, queue: JobQueue) -> None:
    assert run("list").out == "No jobs found.\n"
    assert run("list", "--json").json == [] and run("list", "-q").out == ""


def test_list_as_of_an_instant_shows_what_was_running_and_how_many_there_were(run: Run, ended: JobQueue) -> None:
    outcome = run("list", "--as-of", "9d")
    assert outcome.code == 0 and outcome.out.startswith("As of ") and "1 failed, 1 cancelled" in outcome.out
    assert run("list", "--as-of", "9d", "--json").json["running"] == []
    assert "there were no jobs" in run("list", "--as-of", "30d").out


def test_what_a_list_watches_is_a_line_for_each_change_where_nothing_can_be_drawn(
    path: str, queue: JobQueue, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    first = queue.submit(Job("first", functions.nothing))
    process = spawn("list", "--watch")
    assert process.stdout is not None
    assert process.stdout.readline().split()[1:] == [first, "ready", "first"]
    second = queue.submit(Job("second", functions.fail, max_attempts=1))
    assert process.stdout.readline().split()[1:] == [second, "ready", "second"]
    queue.cancel(first)
    assert process.stdout.readline().split()[1:4] == [first, "cancelled", "first"]
    process.send_signal(2)
    assert process.wait(timeout=20) == 130
    assert process.stderr is not None and process.stderr.read() == ""


def test_a_list_that_is_watched_on_a_terminal_is_drawn_over_itself(path: str, queue: JobQueue) -> None:
    job_id = queue.submit(Job("first", functions.nothing))
    with gigq_on(path, "list", "--watch", rows=10, columns=70) as session:
        session.wait_for("ready")
        queue.cancel(job_id)
        session.wait_for("cancelled")
        rows = [row for row in session.screen.lines if row.strip()]
        assert len(rows) == 2 and job_id[-8:] in rows[1], "the old lines are gone"
        session.press("Ctrl-C")
        assert session.wait() == 130
        assert session.state() == session.state_before


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("failed", "status:failed"),
        ("retrying", "phase:retrying"),
        ("reqeue", "--search reqeue"),
        ("3f9a1c04", "--search 3f9a1c04"),
    ],
)
@pytest.mark.parametrize("command", ["list", "prune", "dead purge"])
def test_a_lone_word_is_no_filter(run: Run, queue: JobQueue, command: str, word: str, meant: str) -> None:
    outcome = run(*command.split(), word)
    assert outcome.code == 2
    assert outcome.err == f"gigq: '{word}' is no filter; did you mean {meant}? See gigq help filters\n"


def test_a_dash_is_no_text_to_search_for(run: Run, queue: JobQueue) -> None:
    outcome = run("dead", "-")
    assert (outcome.code, outcome.err.count("'-' stands for the IDs of jobs")) == (2, 1)
