"""Any words on the command line end with a known exit code, at most one line of error, and never a traceback."""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path

import pytest

from gigq import Job, JobQueue
from gigq.cli import DONE, REFUSED, UNCONFIRMED, UNFINISHED, USAGE, main
from gigq.cli.commands import COMMANDS, declared
from gigq.cli.common import COMMON, HELP

ENDLESS = {"worker", "top", "dashboard", "replay", "drain"}
"""Commands that run until someone stops them, or call a job's function."""

TELLING = {"wait", "health"}
"""Commands whose answer says why the exit code is not 0."""

FOLLOWING = {"-f", "--follow", "--watch", "--wait"}
"""Options with which a command ends when something has happened."""

REQUIRED = {
    "submit": ["functions.nothing", "--check"],
    "schedule add": ["s", "functions.nothing", "--every", "1h"],
    "reschedule": ["job-1", "--delay", "1h"],
    "wait": ["job-2"],
    "result": ["job-2"],
    "list": [],
    "stats": [],
}
"""What these commands need to come as far as the option; others need one word, or none."""

TYPED = [
    "", " ", "-", "--", "-p", "-p", "k=v", "k=[", "=", "0", "-1", "1.5", "9" * 30, "5m", "1e9d", "none", "default",
    "high", "pending", "failed", "functions.nothing", "functions:fail", "no.such.module", "a b", "\0", "\n", "\x1b[2J",
    "🦀",
    "\udc80", "'; --", "%s", "{}", "x" * 300, "* * * * *", "@daily", "Europe/Berlin",
    "2026-01-01", "spare.db", "/", "..",
]  # fmt: skip


def options_of(words: str) -> list[str]:
    """The options of a command, such as ``--db``."""
    arguments = [*declared(words).options, *COMMON, HELP]
    return [name for each in arguments for name in each.names if name not in FOLLOWING]


@pytest.mark.parametrize("seed", range(3))
def test_any_words_end_with_a_known_exit_code_and_at_most_one_line_of_error(
    seed: int,
    path: str,
    queue: JobQueue,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    ids = queue.submit_many(Job("job", "functions:nothing", id=f"job-{number}") for number in range(5))
    chance, known = random.Random(seed), {each: options_of(each) for each in COMMANDS if each not in ENDLESS}
    codes: set[int] = set()
    for _ in range(80):
        command, options = chance.choice(list(known.items()))
        words = [chance.choice([chance.choice(options), *TYPED, *ids]) for _ in range(chance.randrange(5))]
        # Last, so that nothing waits for long, and no other file is touched.
        patience = next((each for each in ("--wait-timeout", "--timeout") if each in options), None)
        words = [*command.split(), *words, *([patience, "0"] if patience else []), "--db", path]
        code = main(words)
        error = capsys.readouterr().err
        codes.add(code)
        assert code in (DONE, REFUSED, USAGE, UNFINISHED, UNCONFIRMED), words
        assert error.count("\n") <= 1, (words, error)
        assert "Traceback" not in error, (words, error)
        assert error.removesuffix("\n").isprintable(), (words, error)
        assert code == DONE or error or command in TELLING, (words, code)
    assert codes >= {DONE, REFUSED, USAGE}


PYTHON = re.compile(r"None|datetime|timedelta|Error|<class|\bargument |\b[a-z]+_[a-z_]+\b|\b[a-z]+=(?!\S)")
"""What no message says outside of quotes."""

WRONG = ["", "x", "-1", "0", "9" * 30, "0001-01-01", "\udc80"]


@pytest.mark.parametrize("command", [each for each in COMMANDS if each not in ENDLESS])
def test_no_message_is_in_the_words_of_python(
    command: str,
    path: str,
    queue: JobQueue,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # some options name files to write
    queue.submit_many(Job("job", "functions:nothing", id=each) for each in ("job-1", "job-2"))
    queue.cancel("job-2")  # so that nothing waits for it
    for option in [each for each in options_of(command) if each.startswith("--")]:
        for wrong in WRONG:
            main([*command.split(), "--db", path, *REQUIRED.get(command, ["job-1"]), f"{option}={wrong}"])
            error = re.sub(r"'(?:[^'\\\\]|\\\\.)*'|error:ValueError", "", capsys.readouterr().err)
            assert not PYTHON.search(error), (option, wrong, error)
