"""What all commands have in common: their file, their exit codes and their errors."""

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
def test_the_command_line_runs_as_a_module(spawn: Run, queue: JobQueue, module: str) -> None:
    process = spawn("stats", "--json", module=module)

    assert process.communicate()[0].startswith('{"pending": 0')
    assert process.returncode == 0


def test_the_default_file_is_gigq_db(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submit", "functions.add"]) == 0
    assert Path("gigq.db").exists()


def test_gigq_db_in_the_environment_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIGQ_DB", "elsewhere.db")

    assert main(["submit", "functions.add"]) == 0
    assert main(["--db", "here.db", "submit", "functions.add"]) == 0
    assert Path("elsewhere.db").exists()
    assert Path("here.db").exists()


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIGQ_DB", "")

    assert main(["submit", "functions.add"]) == 0
    assert Path("gigq.db").exists()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("GIGQ_CONCURRENCY", "many"), ("GIGQ_CONCURRENCY", "0"), ("GIGQ_POLLING_INTERVAL", "often")],
)
def test_a_variable_with_a_bad_value_is_named_in_the_error(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    outcome = run("worker", "--once")

    assert outcome.code == 2
    assert outcome.err.startswith(f"gigq: {variable}: ")
    assert outcome.err.count("\n") == 1


def test_a_variable_with_a_bad_value_matters_only_to_commands_that_use_it(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIGQ_CONCURRENCY", "many")

    assert run("stats").code == 0
    assert run("worker", "--once", "--concurrency", "1").code == 0


@pytest.mark.parametrize(
    "words", [[], ["dance"], ["list", "--status", "asleep"], ["list", "--limit", "-1"], ["stats", "x"]]
)
def test_a_wrongly_typed_command_is_one_line_of_error_and_code_2(run: Run, words: list[str]) -> None:
    outcome = run(*words)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert outcome.err.startswith("gigq: ")
    assert outcome.err.endswith("--help\n")


@pytest.mark.parametrize("words", [["--help"], ["submit", "--help"]])
def test_help_is_printed_on_standard_output(run: Run, words: list[str]) -> None:
    outcome = run(*words)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("usage: gigq")


def test_a_closed_pipe_ends_the_command_without_an_error(spawn: Run, queue: JobQueue) -> None:
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


def test_a_full_disk_is_one_line_of_error(spawn: Run, queue: JobQueue) -> None:
    with open("/dev/full", "w") as full:
        _, err = (process := spawn("list", stdout=full)).communicate()

    assert (process.returncode, err.count("\n")) == (1, 1)
    assert err.startswith("gigq: ")
