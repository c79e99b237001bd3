"""Somebody who has never seen gigq types what its help tells, and reads the screen: from a first job to a backup."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulator import Emulator
from screen import Session

BROKEN = "def average(prices):\n    return sum(prices) / len(price)\n"
MENDED = BROKEN.replace("len(price)", "len(prices)")
PROMPT = re.compile(r"^\[(\d+)\] \$$", re.MULTILINE)


class Shell:
    """A shell on a terminal, in a folder of its own, in which `gigq` is installed."""

    def __init__(self, folder: Path) -> None:
        commands = folder / "bin"
        commands.mkdir()
        # Without its site-packages a Python starts in half the time.
        (commands / "gigq").write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -m gigq "$@"\n')
        (commands / "gigq").chmod(0o700)
        variables = {"PATH": f"{commands}:{os.environ['PATH']}", "HOME": str(folder), "PS1": "[$?] $ "}
        self.session = Session(
            "bash", "--norc", "--noprofile", "-i", rows=150, columns=140, cwd=folder, environment=variables
        )
        self.session.wait_for(lambda screen: PROMPT.search(screen.text))
        self._seen = {"gigq", "--help"}

    def type(self, command: str, *, code: int = 0) -> str:
        """Type a command, and return what the screen shows of its output, once the shell asks for the next one.

        The command's name and its options must have stood on the screen before: nobody has told them otherwise.
        """
        unknown = [word for word in command.split() if re.fullmatch(r"-\S*|[a-z]+", word) and word not in self._seen]
        assert not unknown, f"who has seen the screen cannot know {unknown} of {command!r}"
        self.session.press("Ctrl-L")
        self.session.wait_for(lambda screen: PROMPT.fullmatch(screen.text))
        self.session.type(f"{command}\r")
        shown = self.session.wait_for(_is_ready).text
        _, _, rest = shown.partition("\n")
        output, _, prompt = rest.rpartition("\n")
        assert prompt == f"[{code}] $", shown
        self._seen |= set(re.split(r"[\s,:;`=]+", output))
        return output


def _is_ready(screen: Emulator) -> bool:
    first, _, rest = screen.text.partition("\n")
    return bool(PROMPT.search(rest)) and not PROMPT.fullmatch(first)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.session.close()


def test_a_newcomer_gets_from_the_help_to_a_job_that_failed_was_mended_and_backed_up(
    shell: Shell, tmp_path: Path
) -> None:
    help_page = shell.type("gigq --help")
    for word in ("submit", "worker", "list", "status", "why", "replay", "requeue", "result", "backup"):
        assert re.search(rf"^  {word}  ", help_page, re.MULTILINE), word

    # a function of one's own, with a mistake in it
    (tmp_path / "shop.py").write_text(BROKEN)
    assert "gigq worker --burst" in shell.type("gigq submit shop.average -p 'prices=[1, 2]'")
    assert "NameError: name 'price' is not defined" in shell.type("gigq worker --burst")

    # what has happened, and why
    row = next(line for line in shell.type("gigq list").splitlines() if "average" in line)
    handle = row.split()[0]
    assert "failed" in row
    story = shell.type(f"gigq status {handle}")
    assert "NameError: name 'price' is not defined" in story
    assert "gigq replay" in story
    assert "failed" in shell.type(f"gigq why {handle}")
    replayed = shell.type(f"gigq replay {handle}", code=1)
    assert "line 2, in average" in replayed and "return sum(prices) / len(price)" in replayed

    # mended, tried, and sent back
    (tmp_path / "shop.py").write_text(MENDED)
    assert shell.type(f"gigq replay {handle}").splitlines()[0] == "1.5"
    assert "requeued" in shell.type(f"gigq requeue {handle}")
    shell.type("gigq worker --burst")
    assert shell.type(f"gigq result {handle}") == "1.5"

    # kept
    assert "1 job" in shell.type("gigq backup copy.db")
    assert "completed" in shell.type("gigq --db copy.db list")
    assert (shell.session.screen.unknown, shell.session.screen.titles) == ([], [])
