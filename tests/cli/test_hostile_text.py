"""Whatever text jobs carry, no command lets it do anything to a terminal: lines, JSON, errors, notes, completion."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import hostile
import pytest
from hostile import TEXT, UNSAFE
from screen import Session, gigq_on

from gigq import JobQueue
from gigq.cli import main
from gigq.cli.commands import COMMANDS

FORMS = ((), ("--json",), ("--jsonl",), ("-q",))

WORDS: dict[str, list[list[str]]] = {
    "submit": [[TEXT], ["functions.nothing", "--name", TEXT, "--queue", TEXT, "--tag", TEXT]],
    "worker": [["--burst", "--worker-id", TEXT], ["--burst", "--queue", "nothing here"]],
    "top": [],
    "list": [[], ["--queue", TEXT], [f"queue:{TEXT}"], ["--wide"]],
    "logs": [["{failed}"]],
    "schedule add": [[TEXT, "functions.nothing", "--every", "1h"], [TEXT, TEXT, "--every", "1h"]],
    "schedule preview": [[TEXT]],
    "reschedule": [["{waiting}", "--priority", "3"], [TEXT, "--priority", "3"]],
    "configure": [[TEXT, "--max-running", "2"]],
    "scale": [["2", TEXT]],
    "wait": [["{failed}", "{waiting}", "--timeout", "0"]],
    "replay": [["{failed}"], [TEXT]],
    "prune": [["--older-than", "0s", "--yes"]],
    "workflow graph": [[TEXT], ["--svg", TEXT]],
}
"""What to type after a command, besides what is typed after every one of them; `top` has a test of its own."""

EVERY = [["{failed}"], [TEXT], [], ["--yes", "--queue", TEXT]]

EXACT = ("metrics", "workflow graph")
"""What these print is for programs, which get it exactly; on a terminal they are like all others."""

ALL = """
import json, os, shutil, sys
from gigq.cli import main
for number, (path, typed) in enumerate(json.loads(os.environ["TYPED"])):
    print("typed", number, flush=True)
    main(["--db", path, *typed])
print("the end")
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    path = tmp_path_factory.mktemp("hostile") / "jobs.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", io.StringIO())
        patch.setattr(sys, "stderr", io.StringIO())
        names = hostile.fill(str(path))
    assert not path.with_name("jobs.db-wal").exists()  # nothing of it would be in a copy
    return path, names


def words_for(command: str) -> list[list[str]]:
    if command in ("top", "worker", "replay", "wait"):
        return WORDS[command]
    return WORDS.get(command, []) + EVERY


@pytest.mark.unsound("a copy of a queue whose worker has gone")
@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_that_a_command_prints_does_anything_to_a_terminal(
    command: str,
    filled: tuple[Path, dict[str, str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, names = filled
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    for number, words in enumerate(words_for(command)):
        path = shutil.copy(source, tmp_path / f"{number}.db")
        typed = [names.get(word[1:-1], word) if word.startswith("{") else word for word in words]
        form = FORMS[number % len(FORMS)] if typed else FORMS[number % 2]
        if command in EXACT and not form:
            continue
        main(["--db", str(path), *command.split(), *form, *typed])
        out, err = capsys.readouterr()
        found = UNSAFE.search(out.replace("\n", "")) or UNSAFE.search(err.replace("\n", ""))
        assert found is None, (typed, form, ascii(out)[-600:], ascii(err)[-600:])
        if form == ("--json",) and out:
            json.loads(out)


@pytest.mark.unsound("a copy of a queue whose worker has gone")
@pytest.mark.parametrize(
    ("shell", "typed"), [("bash", "status"), ("zsh", "status"), ("fish", "status"), ("bash", "list --queue")]
)
def test_what_a_shell_is_offered_does_nothing_to_it(
    shell: str, typed: str, filled: tuple[Path, dict[str, str]], spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    asked = spawn("__complete", shell, "-", "--db", str(filled[0]), *typed.split(), "")
    out, err = asked.communicate(timeout=60)
    assert not UNSAFE.search(out.replace("\n", "").replace("\t", "")), ascii(out)
    assert out and not err  # what can be typed is still offered


@pytest.mark.unsound("copies of a queue whose worker has gone")
def test_on_a_terminal_there_are_colours_and_nothing_else(
    filled: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    source, names = filled
    typed = []
    for command in COMMANDS:
        for words in (words_for(command) or [[]])[:2] if command not in ("top", "worker", "replay") else ():
            path = shutil.copy(source, tmp_path / f"{len(typed)}.db")
            typed.append((str(path), [*command.split(), *(names.get(word.strip("{}"), word) for word in words)]))
    settings = {"TYPED": json.dumps(typed), "GIGQ_PAGER": "", "PYTHONPATH": os.pathsep.join(sys.path)}
    with Session(sys.executable, "-c", ALL, environment=settings, pipes={"stdin": subprocess.DEVNULL}) as session:
        assert session.wait(seconds=60) == 0
        session.screen.text.index("the end")
        assert (session.screen.unknown, session.screen.titles) == ([], [])
        sent = re.sub(r"\x1b\[[\d;]*m", "", session.received.decode()).replace("\r\n", "\n")
        assert not (found := UNSAFE.search(sent)), ascii(sent[max(0, found.start() - 2000) : found.start() + 50])


@pytest.mark.unsound("a queue whose worker has gone")
def test_the_live_screen_shows_hostile_text_as_text(filled: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    path = shutil.copy(filled[0], tmp_path / "jobs.db")
    with JobQueue(path) as queue, gigq_on(path, "top", rows=40, columns=150) as session:
        assert queue.dequeue(TEXT)
        session.wait_for("1 running")
        session.press("Down", "K")
        session.wait_for("y/N")
        session.press("n", "Enter")
        session.wait_for("Status: running")
        session.press("q", "Tab", "Down", "Enter")
        session.press("q", "q")
        session.wait()
        assert (session.screen.unknown, session.screen.titles) == ([], [])
        sent = re.sub(r"\x1b(\[[?\d;]*[A-Za-z@]|\(B|=|>)", "", session.received.decode())
        assert not UNSAFE.search(sent), ascii(UNSAFE.search(sent))
