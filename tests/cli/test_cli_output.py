"""Output that is safe on a terminal, whatever a job contains."""

from __future__ import annotations

import os
import pty
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gigq import Job, JobQueue, Worker
from gigq.cleaning import clean

Run = Callable[..., Any]

EVIL = "\x1b[2J\x00\x07\r\x7f\x9b31m\u202eabc\u2066\u2028\u2029\u200f"

DANGEROUS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("grüße 東京 🎉", "grüße 東京 🎉"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\u2066\u2069\u2028\u2029", "\\u2066\\u2069\\u2028\\u2029"),
        ("\ud800", "\\ud800"),
    ],
)
def test_clean_makes_control_characters_visible(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.fixture
def evil_job(run: Run, queue: JobQueue) -> str:
    """A job that carries control characters wherever a job can, and has failed with them."""
    job = Job(
        f"name{EVIL}\nsecond line",
        "functions.fail",
        {"message": f"error{EVIL}\nbelow"},
        description=f"description{EVIL}",
        queue=f"queue{EVIL}",
        tags=[f"tag{EVIL}"],
        metadata={f"key{EVIL}": EVIL},
        max_attempts=1,
        id=f"id{EVIL}",
    )
    queue.submit(job)
    run("worker", "--once", "--worker-id", f"worker{EVIL}")
    assert queue.count("failed") == 1
    return job.id


@pytest.fixture
def evil_worker(path: str) -> Iterator[None]:
    """A worker with control characters in its name and in that of its queue."""
    with Worker(path, f"worker{EVIL}", queues=[f"queue{EVIL}"]) as worker:
        worker.process_one()
        yield


@pytest.mark.parametrize(
    "words",
    [
        ["list"],
        ["list", "--json"],
        ["status", "id", "--show-params", "--show-result", "--show-executions"],
        ["status", "id", "--json"],
        ["cancel", "id"],
        ["requeue", "id"],
        ["workers"],
        ["workers", "--json"],
        ["stop", "--worker", EVIL],
        ["scale", "2", "--worker", EVIL],
        ["submit", "functions.nothing", "--after", EVIL.replace("\0", "")],
        ["submit", EVIL.replace("\0", "")],
        ["list", "--status", EVIL],
        [EVIL],
    ],
)
@pytest.mark.usefixtures("evil_job", "evil_worker")
def test_no_command_prints_control_characters(run: Run, words: list[str]) -> None:
    outcome = run(*words)

    assert DANGEROUS.search(outcome.out + outcome.err) is None


def test_a_job_name_cannot_move_the_cursor(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("\x1b[1A\x1b[2Kdone", "functions.add"))

    assert "\\x1b[1A\\x1b[2Kdone" in run("list").out


def test_a_job_name_cannot_add_a_line(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("sum\nStatus: completed", "functions.add"))

    assert len(run("list").out.splitlines()) == 2
    assert "Job: sum\\nStatus: completed (" in run("status", job_id).out


def test_a_job_name_cannot_forge_a_line_of_the_worker_log(spawn: Run, queue: JobQueue) -> None:
    queue.submit(Job("sum\n2026-01-01 INFO all is well\x1b[31m", "functions.add", {"a": 1}))

    _, log = spawn("worker", "--once").communicate()

    assert [" gigq.worker: " in line for line in log.splitlines()] == [True] * 3  # started, the job, finished
    assert "\\x1b[31m" in log


def test_an_error_of_several_lines_keeps_its_lines(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("break", "functions.fail", {"message": "one\ntwo"}, max_attempts=1))
    run("worker", "--once")

    assert "Error: ValueError: one\n  two\n" in run("status", job_id).out
    assert run("list").out.splitlines()[1].endswith("ValueError: one")


def test_a_letter_that_the_encoding_lacks_is_printed_as_an_escape(spawn: Run, queue: JobQueue) -> None:
    queue.submit(Job("東京", "functions.add"))

    out, err = spawn("list", variables={"PYTHONIOENCODING": "ascii"}).communicate()

    assert "\\u6771\\u4eac" in out
    assert err == ""


@pytest.mark.parametrize("width", [20, 60, 80, 100, 140])
def test_a_table_fits_the_terminal(run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    queue.submit(Job("東京" * 40, "functions.fail", {"message": "x" * 300}, max_attempts=1))
    run("worker", "--once")

    lines = run("list").out.splitlines()

    assert max(len(line) + line.count("東") + line.count("京") for line in lines) <= width


def test_a_list_on_a_terminal_shows_the_ends_of_ids_which_commands_accept(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ids = queue.submit_many([Job("sum", "functions.add") for _ in range(10)])

    shown = [row.split()[0] for row in run("list").out.splitlines()[1:]]

    assert {len(each) for each in shown} == {8}
    assert [queue.full_id(each) for each in shown] == ids[::-1]


def test_lines_in_a_pipe_are_not_cut(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("n" * 500, "functions.add"))

    assert "n" * 500 in run("list").out


def test_lines_on_a_terminal_are_cut_to_its_width(spawn: Run, queue: JobQueue) -> None:
    queue.submit(Job("n" * 500, "functions.add"))
    leader, follower = pty.openpty()
    os.set_inheritable(follower, True)
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        process = spawn("list", stdout=follower, stdin=follower, variables={"COLUMNS": "70"})
        process.wait()
        shown = terminal.read(4096)
        os.close(follower)

    lines = re.sub(r"\x1b\[\d*m", "", shown.decode()).splitlines()
    assert [len(line) <= 70 for line in lines] == [True, True]
