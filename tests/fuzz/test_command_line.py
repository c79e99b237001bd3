"""Whatever is typed: an exit code, at most one line of complaint, and never a traceback."""

from __future__ import annotations

import random
import sys
from argparse import _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

import pytest

from gigq import Job, JobQueue
from gigq.cli import main
from gigq.cli.parser import build_parser

ENDLESS = {"worker", "top", "dashboard", "replay"}
"""Commands that go on until someone ends them, or call a job's function at the terminal."""

TYPED = [
    "", " ", "-", "--", "-p", "-p", "k=v", "k=[", "=", "0", "-1", "1.5", "9" * 30, "5m", "1e9d", "none", "default",
    "high", "pending", "failed", "functions.nothing", "functions:fail", "no.such.module", "a b", "\0", "\n", "\x1b[2J",
    "🦀",
    "\udc80", "'; --", "%s", "{}", "x" * 300, "* * * * *", "@daily", "Europe/Berlin",
    "2026-01-01", "spare.db", "/", "..",
]  # fmt: skip


def commands(parser: object, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Every command, with the words before it, and its options."""
    actions = parser._actions  # type: ignore[attr-defined]
    groups = [action for action in actions if isinstance(action, _SubParsersAction)]
    for group in groups:
        for name, inner in group.choices.items():
            if name not in ENDLESS:
                yield from commands(inner, (*before, name))
    if before and not groups:
        yield before, [option for action in actions for option in action.option_strings]


@pytest.mark.parametrize("seed", range(3))
def test_any_words_end_with_a_code_and_at_most_one_line_of_complaint(
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
    chance, known = random.Random(seed), list(commands(build_parser()))
    codes: set[int] = set()
    for _ in range(80):
        command, options = chance.choice(known)
        words = [chance.choice([chance.choice(options), *TYPED, *ids]) for _ in range(chance.randrange(5))]
        # Last, so that nothing waits for long, and no other file is touched.
        words = [*command, *words, *(["--timeout", "0"] if "--timeout" in options else []), "--db", path]
        code = main(words)
        complaint = capsys.readouterr().err
        codes.add(code)
        assert code in (0, 1, 2, 3), words
        assert complaint.count("\n") <= 1, (words, complaint)
        assert "Traceback" not in complaint, (words, complaint)
        assert complaint.isprintable() or complaint[:-1].isprintable(), (words, complaint)
        assert (code == 0) or complaint or code == 3, (words, code)
    assert {0, 1, 2} <= codes
