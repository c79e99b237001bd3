"""What all commands have in common: their file, their exit codes and their errors."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gigq.__main__
from gigq import Job, JobQueue
from gigq.cli import main
from gigq.cli.commands import COMMANDS
from gigq.cli.wording import in_typed_words
from gigq.status import JobStatus, Phase

Run = Callable[..., Any]


@pytest.mark.parametrize("module", ["gigq", "gigq.cli"])
def test_the_command_line_runs_as_a_module(spawn: Run, queue: JobQueue, module: str) -> None:
    process = spawn("stats", "--json", module=module)

    assert process.communicate()[0].startswith('{"pending": 0')
    assert process.returncode == 0


def test_the_default_file_is_gigq_db(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submit", "functions.nothing"]) == 0
    assert Path("gigq.db").exists()


def test_gigq_db_in_the_environment_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIGQ_DB", "elsewhere.db")

    assert main(["submit", "functions.nothing"]) == 0
    assert main(["--db", "here.db", "submit", "functions.nothing"]) == 0
    assert Path("elsewhere.db").exists()
    assert Path("here.db").exists()


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIGQ_DB", "")

    assert main(["submit", "functions.nothing"]) == 0
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
    "words",
    [["dance"], ["schedule", "dance"], ["list", "--status", "asleep"], ["list", "--limit", "-1"], ["stats", "x"]],
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


class InterruptedImport:
    """Ctrl-C while a module is imported."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "gigq.cli":
            raise KeyboardInterrupt


def test_ctrl_c_while_the_command_line_is_imported_has_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "gigq.cli")
    monkeypatch.setattr(sys, "meta_path", [InterruptedImport(), *sys.meta_path])

    assert gigq.__main__.main() == 130


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

    assert (process.returncode, err) == (1, "gigq: standard output cannot be written: No space left on device\n")


def test_without_a_command_the_short_help_is_printed(run: Run) -> None:
    brief, whole = run().out, run("--help").out

    assert len(brief.splitlines()) <= 24
    assert "gigq --help lists all commands" in brief
    assert {line for line in brief.splitlines() if line.startswith("  gigq")} <= set(whole.splitlines())
    for words, row in COMMANDS.items():
        assert (f"\n  {words} " in brief) == row.is_common
        assert f"\n  {words.split()[0]} " in whole


def test_a_family_of_commands_without_its_second_word_prints_its_help(run: Run) -> None:
    assert run("schedule") == run("schedule", "--help")


def test_the_version_is_an_option_too(run: Run) -> None:
    assert run("--version") == run("version")


def test_a_missing_file_that_nobody_named_says_how_to_name_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["list"]) == 1
    assert capsys.readouterr().err == (
        "gigq: there is no queue at 'gigq.db'; the first submit creates one; --db PATH or GIGQ_DB names another file\n"
    )
    monkeypatch.setenv("GIGQ_DB", "other.db")
    assert main(["list"]) == 1
    assert capsys.readouterr().err == "gigq: there is no queue at 'other.db'; the first submit creates one\n"


def test_a_mistyped_command_is_guessed(run: Run) -> None:
    assert run("lst").err == "gigq: there is no command 'lst'; did you mean 'list'? See gigq --help\n"


@pytest.mark.parametrize(("option", "words"), [("--status", JobStatus), ("--phase", Phase)])
def test_an_unknown_status_or_phase_lists_those_that_there_are(run: Run, option: str, words: type[JobStatus]) -> None:
    known = ", ".join(each.value for each in words)
    assert run("list", option, "asleep").err == (
        f"gigq: {option}: 'asleep' is not one of {known}; see gigq list --help\n"
    )


NAMES = {"run_at": "--run-at", "delay": "--delay", "tags": "--tag", "name": "--name", "queue": "QUEUE"}


@pytest.mark.parametrize(
    ("message", "typed"),
    [
        ("run_at is 'x'; it must be ISO-8601 text", "--run-at is 'x'; it must be ISO-8601 text"),
        ("run_at and delay were both given; give one", "--run-at and --delay were both given; give one"),
        ("job 'x': an entry of tags is ''; it must be text", "job 'x': --tag is ''; it must be text"),
        ("queue is 'run_at is'; it must not", "QUEUE is 'run_at is'; it must not"),
        ('name is "it\'s run_at"', '--name is "it\'s run_at"'),
        ("job 0193 is running, and its name is long", "job 0193 is running, and its name is long"),
        ("give it by delay= or by run_at=; not by both", "give it by --delay or by --run-at; not by both"),
        ("unknown_thing is 3", "unknown_thing is 3"),
    ],
)
def test_the_library_is_quoted_in_the_words_that_were_typed(message: str, typed: str) -> None:
    assert in_typed_words(message, NAMES) == typed


def test_what_a_command_changes_is_written_down_with_who_typed_it(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ann\x1b")

    assert run("pause", "mail").code == run("list").code == run("submit", "functions.nothing").code == 0

    actions = [(each.actor, each.face, each.verb) for each in queue.history.actions()]
    assert actions == [("ann\\x1b", "cli", "submit"), ("ann\\x1b", "cli", "pause")]
