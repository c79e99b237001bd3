"""What all commands have in common: where they look, how they end, and that they end quietly."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue
from gigq.cli import main

Run = Callable[..., Any]


@pytest.mark.parametrize("module", ["gigq", "gigq.cli"])
def test_the_command_line_is_a_module_too(spawn: Run, queue: JobQueue, module: str) -> None:
    process = spawn("stats", "--json", module=module)

    assert process.communicate()[0].startswith('{"pending": 0')
    assert process.returncode == 0


def test_without_a_word_the_queue_is_gigq_db(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submit", "functions.add"]) == 0
    assert Path("gigq.db").exists()


def test_the_environment_says_where_the_queue_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIGQ_DB", "elsewhere.db")

    assert main(["submit", "functions.add"]) == 0
    assert main(["--db", "here.db", "submit", "functions.add"]) == 0
    assert Path("elsewhere.db").exists()
    assert Path("here.db").exists()


def test_an_empty_variable_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIGQ_DB", "")

    assert main(["submit", "functions.add"]) == 0
    assert Path("gigq.db").exists()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("GIGQ_CONCURRENCY", "many"), ("GIGQ_CONCURRENCY", "0"), ("GIGQ_POLLING_INTERVAL", "often")],
)
def test_a_bad_variable_is_named(run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)

    outcome = run("worker", "--once")

    assert outcome.code == 2
    assert outcome.err.startswith(f"gigq: {variable}: ")
    assert outcome.err.count("\n") == 1


def test_a_bad_variable_disturbs_no_command_that_does_not_use_it(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIGQ_CONCURRENCY", "many")

    assert run("stats").code == 0
    assert run("worker", "--once", "--concurrency", "1").code == 0


@pytest.mark.parametrize(
    "words", [[], ["dance"], ["list", "--status", "asleep"], ["list", "--limit", "-1"], ["stats", "x"]]
)
def test_a_wrong_command_is_one_line_and_code_2(run: Run, words: list[str]) -> None:
    outcome = run(*words)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert outcome.err.startswith("gigq: ")
    assert outcome.err.endswith("--help\n")


@pytest.mark.parametrize("words", [["--help"], ["submit", "--help"]])
def test_help_is_printed_on_standard_output(run: Run, words: list[str]) -> None:
    outcome = run(*words)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("usage: gigq")


def test_a_reader_that_leaves_ends_the_command_quietly(spawn: Run, queue: JobQueue) -> None:
    queue.submit_many([Job("n" * 1000, "functions.add") for _ in range(300)])
    process = spawn("list", "--limit", "0")

    process.stdout.readline()
    process.stdout.close()

    assert process.stderr.read() == ""
    assert process.wait() == 0


def test_an_interrupted_command_has_code_130(spawn: Run, queue: JobQueue) -> None:
    queue.submit_many([Job("n" * 1000, "functions.add") for _ in range(300)])
    # A shell that starts the tests in the background has SIGINT ignored, and a child would inherit that.
    process = spawn("list", "--limit", "0", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    process.stdout.readline()  # it cannot end now: the pipe holds less than it has to say

    process.send_signal(signal.SIGINT)

    assert (process.communicate()[1], process.returncode) == ("", 130)


def test_a_disk_that_is_full_is_one_line(spawn: Run, queue: JobQueue) -> None:
    with open("/dev/full", "w") as full:
        _, err = (process := spawn("list", stdout=full)).communicate()

    assert (process.returncode, err.count("\n")) == (1, 1)
    assert err.startswith("gigq: ")
