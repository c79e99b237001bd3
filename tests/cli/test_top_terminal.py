"""`gigq top` on a terminal of its own: taken over, drawn on, and given back whatever happens."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from screen import Session, gigq_on

from gigq import Job, JobQueue

BROKEN = """
import sys
from gigq.cli import main
from gigq.cli.top import live
def broken(*args, **options):
    raise RuntimeError("broken while it draws")
live.view = broken
sys.exit(main(["top"]))
"""


@pytest.fixture
def top(path: str) -> Iterator[Callable[..., Session]]:
    """Starts `gigq top` on a terminal, and ends it with the test at the latest."""
    started: list[Session] = []

    def start(*words: str, **settings: object) -> Session:
        started.append(gigq_on(path, "top", *words, **settings))
        return started[-1]

    yield start
    for session in started:
        session.close()


@pytest.fixture
def busy(queue: JobQueue) -> JobQueue:
    """A queue with two jobs that run, and some that wait."""
    queue.submit_many([Job(f"job {number}", "functions:nothing", queue="mail") for number in range(30)])
    for _ in range(2):
        assert queue.dequeue("ann")
    return queue


def is_given_back(session: Session) -> bool:
    """Whether the terminal is as it was before, and nothing of the screen is left on it."""
    screen = session.screen
    return (
        session.state() == session.state_before
        and screen.shows_cursor and not screen.is_alternate and screen.unknown == []
        and "ready" not in screen.text
    )  # fmt: skip


@pytest.mark.parametrize(("rows", "columns"), [(24, 80), (10, 40), (60, 200)])
def test_it_fills_the_terminal_and_gives_it_back(
    busy: JobQueue, top: Callable[..., Session], rows: int, columns: int
) -> None:
    session = top(rows=rows, columns=columns)
    session.wait_for("quit")
    assert session.screen.is_alternate and not session.screen.shows_cursor
    assert "jobs.db" in session.lines[0] and "live" in session.lines[0]
    assert session.lines[-1].startswith(" q quit")
    assert [line for line in session.lines if "job 0" in line and "0:0" in line]
    session.press("q")
    assert session.wait() == 0
    assert is_given_back(session)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1])
def test_a_signal_ends_it_and_the_terminal_is_given_back(
    busy: JobQueue, top: Callable[..., Session], number: signal.Signals
) -> None:
    session = top()
    session.wait_for("quit")
    if number == signal.SIGINT:
        session.press("Ctrl-C")
    else:
        session.signal(number)
    assert session.wait() == (130 if number == signal.SIGINT else -number)
    assert is_given_back(session)


def test_an_error_while_it_draws_is_seen_on_the_terminal_as_it_was(busy: JobQueue, path: str) -> None:
    with Session(sys.executable, "-c", BROKEN, environment={"GIGQ_DB": path}) as session:
        assert session.wait() == 1
        assert "broken while it draws" in session.text
        assert is_given_back(session)


def test_ctrl_z_stops_it_and_fg_goes_on(busy: JobQueue, path: str) -> None:
    with Session("bash", "--norc", "-i", environment={"GIGQ_DB": path}) as session:
        session.wait_for("$")
        session.type(f"{sys.executable} -S -m gigq top\r")
        session.wait_for("quit")
        session.press("Ctrl-Z")
        session.wait_for("Stopped")
        assert session.screen.shows_cursor and not session.screen.is_alternate
        session.type("bg\r")  # in the background it may not take the terminal, and stops again
        session.wait_for(lambda screen: screen.text.count("Stopped") > 1 or "$ bg" in screen.text)
        session.type("fg\r")
        session.wait_for("quit")
        assert session.screen.is_alternate
        session.press("q")
        session.wait_for(lambda screen: not screen.is_alternate)
        session.type("echo it ended with $?\r")
        session.wait_for("it ended with 0")


def test_it_may_be_resized_while_it_draws_and_a_job_that_is_chosen_stays_so(
    busy: JobQueue, top: Callable[..., Session]
) -> None:
    session, chance = top(), random.Random(3)
    session.wait_for("quit")
    session.press("Down", "Down")
    session.wait_for("▸▶ job 1")
    for _ in range(12):
        session.resize(chance.randrange(1, 70), chance.randrange(1, 220))
        busy.submit(Job("another", "functions:nothing"))
    session.resize(24, 80)
    session.wait_for(lambda screen: screen.lines[-1].startswith(" q quit") and "▸▶ job 1" in screen.text)
    session.wait_for("40 ready")
    assert session.screen.unknown == []


def test_without_utf_8_it_is_drawn_in_ascii(busy: JobQueue, top: Callable[..., Session]) -> None:
    session = top(environment={"LANG": "C", "LC_ALL": "C", "NO_COLOR": "1", "TERM": "vt100"})
    session.wait_for("quit")
    session.press("Down")
    session.wait_for(">> job 0")
    session.press("q")
    assert session.wait() == 0
    assert session.received.isascii()
    assert not re.search(rb"\x1b\[(?:\d+;)*[34]\d[\d;]*m", session.received)  # no colour


def test_a_job_is_cancelled_after_a_question_that_names_it_and_not_by_what_was_typed_ahead(
    busy: JobQueue, top: Callable[..., Session]
) -> None:
    session = top()
    session.wait_for("quit")
    session.press("Down", "K", "y", "y")
    session.wait_for("Cancel job job 0")
    session.wait_for("which is running on ann?")
    session.press("n")
    session.wait_for("nothing was done")
    session.press("K")
    session.wait_for("Cancel job job 0")
    session.press("y")
    session.wait_for("is cancelled")
    assert [job.name for job in busy.find_jobs("cancelled")] == ["job 0"]


def test_what_is_gone_is_said_and_looked_for_again(
    busy: JobQueue, top: Callable[..., Session], path: str, tmp_path: Path
) -> None:
    session = top("--read-only")
    session.wait_for("quit")
    assert "read-only" in session.lines[0]
    os.rename(path, tmp_path / "away.db")
    session.wait_for("not live")
    assert "job 0" in session.text
    os.rename(tmp_path / "away.db", path)
    session.wait_until_gone("not live")


def test_nothing_is_sent_and_nearly_nothing_done_while_nothing_happens(
    queue: JobQueue, top: Callable[..., Session]
) -> None:
    queue.submit(Job("later", "functions:nothing", delay=86_400))
    session = top()
    session.wait_for("quit")
    session.read(0.3)
    began, used = time.monotonic(), _cpu_seconds(session.process.pid)
    sent = session.read(1)
    assert len(sent) < 30  # the minute on the clock may just have passed
    assert _cpu_seconds(session.process.pid) - used <= max(0.02, 0.01 * (time.monotonic() - began))


@pytest.mark.parametrize("variables", [{"ACCESSIBLE": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_is_read_out_or_cannot_be_drawn_on_gets_lines(
    busy: JobQueue, top: Callable[..., Session], variables: dict[str, str]
) -> None:
    session = top(environment=variables, columns=200)
    session.wait_for("28 ready, 2 running, 0 scheduled")
    assert b"\x1b" not in session.received
    session.press("Ctrl-C")
    assert session.wait() == 130


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], r"\d\d:\d\d:\d\d UTC  0 workers; 28 ready, 2 running, 0 scheduled; last minute 0 done, 0 failed\. .+"),
        (["--json"], r'\{"at": "20[\d:.T-]+Z", "workers": 0, "ready": 28, "running": 2, .*\}'),
        (["--format", "{ready} {running}"], "28 2"),
        (["-q"], "[0-9a-f-]{36}"),
    ],
)
def test_a_pipe_gets_a_line_in_the_form_that_was_asked_for(
    busy: JobQueue, spawn: Callable[..., subprocess.Popen[str]], words: list[str], line: str
) -> None:
    shown = spawn("top", *words)
    assert re.fullmatch(f"{line}\n", shown.stdout.readline())  # type: ignore[union-attr]
    shown.send_signal(signal.SIGINT)
    assert shown.wait(60) == 130
    assert shown.stderr.read() == ""  # type: ignore[union-attr]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


