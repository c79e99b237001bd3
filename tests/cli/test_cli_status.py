"""`gigq status`: the story of a job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import functions
import pytest
from screen import gigq_on

from gigq import Job, JobQueue, current_job
from gigq.cli.tracebacks import folded
from gigq.testing import drain

Run = Callable[..., Any]

SECRET = "hush-hush"


def story(out: str) -> dict[str, list[str]]:
    """The lines below each title."""
    parts = [part.split("\n") for part in out.split("\n\n")]
    return {lines[0].rstrip(":"): lines[1:] for lines in parts}


def test_a_failed_job_tells_its_attempts_their_errors_and_what_to_do(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("break", functions.fail, {"message": "no city\nat all"}, max_attempts=2))
    drain(queue)

    outcome = run("status", job_id)
    parts = story(outcome.out)

    assert "Status: failed" in outcome.out.splitlines()
    assert parts["Parameters"] == [r"  message: no city\nat all"]
    assert parts["attempt 1: failed"][0].endswith("after the submit, worker drain")
    assert parts["attempt 2: failed"][0].endswith("after the one before, worker drain")
    assert outcome.out.count("Traceback (most recent call last):") == 2, "a program reads all of them"
    assert any("failed at" in line for line in parts["Now"]) and any("gigq requeue" in line for line in parts["Now"])


def test_a_terminal_shows_the_frames_of_ones_own_code_and_the_beginning_of_long_values(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    job_id = queue.submit(Job("break", "fail", {"text": "x" * 2000, "rows": ["\n"]}, max_attempts=2))

    def fail(text: str, rows: list[str]) -> None:
        import json

        json.loads("{")

    drain(queue, handlers={"fail": fail})

    short, full = run("status", job_id).out, run("status", job_id, "--full").out
    assert short.count("Traceback") == 1 and full.count("Traceback") == 2
    assert "  (3 frames of Python; --full shows them)" in short and "raw_decode" not in short
    assert "json.loads(" in short and "raw_decode" in full and "frames of Python" not in full
    assert "more characters; --full shows them)" in short and "x" * 2000 in full
    assert "x" * 2000 in run("status", job_id, "--show-params").out


def test_a_long_list_is_cut_with_how_much_is_missing(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    job_id = queue.enqueue("f", *range(100))
    assert "  … (82 more lines; --full shows them)" in run("status", job_id).out
    monkeypatch.delenv("COLUMNS")
    assert "more lines" not in run("status", job_id).out, "a pipe gets all of it"


def test_a_job_names_what_it_depends_on_and_what_needs_it(run: Run, queue: JobQueue) -> None:
    first = queue.submit(Job("load", functions.nothing))
    middle = queue.submit(Job("clean", functions.nothing, dependencies=[first]))
    last = queue.submit(Job("report", functions.nothing, dependencies=[middle]))
    claimed = queue.dequeue()
    assert claimed is not None
    queue.complete(claimed)

    parts = story(run("status", middle).out)

    assert parts["Depends on"] == [f"  completed  {first}  load"]
    assert parts["Needed by"] == [f"  waiting  {last}  report"]
    assert "Needed by" not in story(run("status", last).out)


def test_a_running_job_tells_how_far_it_is_and_what_it_has_logged(run: Run, queue: JobQueue) -> None:
    seen: list[str] = []

    def crawl() -> None:
        job = current_job()
        job.progress(25, 100, message="page 25")
        seen.append(run("status", job.id).out)

    queue.enqueue("crawl")
    drain(queue, handlers={"crawl": crawl})
    assert "\nattempt 1: running\n  since 20" in seen[0]


def test_earlier_attempts_are_left_out_on_a_terminal(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = queue.submit(Job("break", functions.fail, max_attempts=8))
    drain(queue)
    assert run("status", job_id).out.count("attempt ") >= 8
    monkeypatch.setenv("COLUMNS", "100")
    short = run("status", job_id).out
    assert "  (3 earlier; --full shows all)" in short and "attempt 3: failed" not in short
    assert "attempt 3: failed" in run("status", job_id, "--full").out


def test_secrets_are_hidden_in_every_form_unless_they_are_asked_for(run: Run, queue: JobQueue) -> None:
    def log_in(token: str) -> None:
        current_job().step("ask", lambda: {"password": SECRET})
        raise ValueError(f"token={token}")

    job_id = queue.submit(Job("log in", "log_in", {"token": SECRET}, max_attempts=1, metadata={"apiKey": SECRET}))
    drain(queue, handlers={"log_in": log_in})
    for form in ((), ("--full",), ("--json", "--steps"), ("--format", "{params} {executions}")):
        assert SECRET not in run("status", job_id, *form).out, form
        assert SECRET in run("status", job_id, *form, "--show-secrets").out, form


def test_the_last_job_that_was_looked_at_is_called_by_a_dash(
    run: Run, queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    first, _ = queue.submit_many([Job("a", functions.nothing), Job("b", functions.nothing)])
    assert run("status", first[-8:]).out == run("status", "-").out


def test_on_a_terminal_the_next_commands_are_suggested(path: str, queue: JobQueue) -> None:
    job_id = queue.submit(Job("break", functions.fail, max_attempts=1))
    drain(queue)
    with gigq_on(path, "status", job_id[-6:], rows=60, columns=90) as session:
        assert session.wait() == 0
        assert f"gigq replay {job_id[-8:]} --pdb" in session.text and f"gigq requeue {job_id[-8:]}" in session.text


OWN = '  File "/app/shop.py", line 3, in pay\n    send()'
LIBRARY = '  File "/venv/lib/python3.12/site-packages/{0}/api.py", line 9, in x\n    y()'
STANDARD = '  File "/usr/lib/python3.11/json/decoder.py", line 1, in z\n    raise\n    ^^^^^'


@pytest.mark.parametrize(
    ("frames", "shown"),
    [
        ([OWN], [OWN]),
        ([OWN, LIBRARY.format("requests")], [OWN, "  (1 frame of requests; --full shows them)"]),
        (
            [LIBRARY.format("a"), LIBRARY.format("b"), STANDARD, OWN, STANDARD],
            ["  (3 frames of a, b, Python; --full shows them)", OWN, "  (1 frame of Python; --full shows them)"],
        ),
        ([LIBRARY.format("a"), STANDARD], [LIBRARY.format("a"), STANDARD]),
        ([], []),
    ],
)
def test_frames_of_libraries_are_one_line_unless_there_are_no_others(frames: list[str], shown: list[str]) -> None:
    def whole(parts: list[str]) -> str:
        return "\n".join(["Traceback (most recent call last):", *parts, "ValueError: no", "  of two lines"])

    assert "\n".join(folded(whole(frames) + "\n")) == whole(shown)
