"""The live line of a worker, below what it and its jobs print, and the summary of a burst."""

from __future__ import annotations

import os
import signal
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from emulator import Emulator
from screen import gigq_on
from terminals import Terminal as PseudoTerminal

import gigq.cli.live_line
from gigq import Job, JobQueue, ManualClock
from gigq.claims import Claim
from gigq.cli.live_line import LiveLine
from gigq.cli.terminal import Terminal
from gigq.cli.worker_told import Teller
from gigq.reports import Progress, Report
from gigq.runtime.context import _DETACHED
from gigq.runtime.process.stdio import ERASE, Patient
from gigq.worker.inflight import Inflight
from gigq.worker.tally import Tally

Run = Callable[..., Any]
LIVE = Terminal(width=80, height=24, is_terminal=True, is_unicode=True)
PATIENCE = 30


class Told:
    """The text of a line, which the test sets, and waits until it was asked for."""

    def __init__(self, text: str = "live") -> None:
        self.text = text
        self._asked = threading.Semaphore(0)

    def __call__(self) -> str:
        self._asked.release()
        return self.text

    def wait(self) -> None:
        """Wait until what is told now is drawn."""
        for _ in range(2):
            assert self._asked.acquire(timeout=PATIENCE)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[PseudoTerminal]:
    monkeypatch.setattr(gigq.cli.live_line, "_PAUSE", 0.01)
    found = PseudoTerminal()
    yield found
    found.close()


@contextmanager
def line_on(terminal: PseudoTerminal, told: Callable[[], str], **what: bool) -> Iterator[None]:
    """A live line on a terminal, on which standard output and error are."""
    with redirect_stdout(terminal.stream), redirect_stderr(terminal.stream):
        with LiveLine(told, stream=terminal.stream, terminal=LIVE._replace(**what)):
            yield
        assert (sys.stdout, sys.stderr) == (terminal.stream, terminal.stream)


def screen_of(terminal: PseudoTerminal, columns: int = 80) -> list[str]:
    screen = Emulator(24, columns)
    screen.write(terminal.written().encode())
    return [line for line in screen.lines if line]


def test_what_is_printed_is_whole_and_the_live_line_is_below_it(terminal: PseudoTerminal) -> None:
    told = Told()
    with line_on(terminal, told):
        told.wait()
        for number in range(3):
            print("printed", number)
            print("and logged", number, file=sys.stderr)
        told.text = "live again"
        told.wait()
        assert screen_of(terminal) == [
            "printed 0", "and logged 0", "printed 1", "and logged 1", "printed 2", "and logged 2", "live again"
        ]  # fmt: skip
    assert terminal.written() == "\r\x1b[K"


def test_a_line_that_is_not_complete_is_not_disturbed(terminal: PseudoTerminal) -> None:
    told = Told()
    with line_on(terminal, told):
        told.wait()
        print("half a line", end="", flush=True)
        told.text = "live again"
        told.wait()
        screen = Emulator(24, 80)
        screen.write(terminal.written().encode())
        assert [line for line in screen.lines if line] == ["half a line"]
        print(", and the rest")
        told.wait()
        screen.write(terminal.written().encode())
        assert [line for line in screen.lines if line] == ["half a line, and the rest", "live again"]


def test_a_line_that_has_not_changed_is_not_drawn_again(terminal: PseudoTerminal) -> None:
    told = Told()
    with line_on(terminal, told):
        told.wait()
        assert terminal.written() == "\r\x1b[Klive"
        told.wait()
        assert terminal.written() == ""


def test_the_line_fits_whatever_it_says_and_however_wide_the_terminal_is(terminal: PseudoTerminal) -> None:
    told = Told("名" * 100)
    terminal.resize(20)
    with line_on(terminal, told):
        told.wait()
        assert screen_of(terminal, 20) == ["名" * 9 + "…"]
        terminal.resize(11)
        told.text = "0123456789abc"
        told.wait()
        assert screen_of(terminal, 11) == ["012345678…"]


def test_where_the_terminal_is_read_out_a_plain_line_comes_when_there_is_something_new(
    terminal: PseudoTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gigq.cli.live_line, "_PAUSE_OF_PLAIN", 0.01)
    told = Told()
    with line_on(terminal, told, is_accessible=True):
        told.wait()
        told.wait()
        told.text = "live again"
        told.wait()
        assert sys.stdout is terminal.stream
    assert terminal.written().replace("\r", "") == "live\nlive again\n"


@pytest.mark.parametrize("what", [{"is_terminal": False}, {"is_dumb": True}])
def test_nothing_is_drawn_where_nothing_can_be(terminal: PseudoTerminal, what: dict[str, bool]) -> None:
    def told() -> str:
        raise AssertionError

    with line_on(terminal, told, **what):
        print("printed")
    assert terminal.written() == "printed\r\n"


def _printed_by_a_fork() -> tuple[int, int]:
    fork = os.fork()
    if fork == 0:
        print("from a fork", flush=True)
        os._exit(0)
    return os.waitpid(fork, 0)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of forks where there are threads
def test_a_fork_prints_although_the_line_is_just_being_drawn(terminal: PseudoTerminal) -> None:
    told = Told()
    with line_on(terminal, told):
        told.wait()
        with sys.stdout._line.hidden():  # type: ignore[attr-defined]
            found: list[tuple[int, int]] = []
            forking = threading.Thread(target=lambda: found.append(_printed_by_a_fork()))
            forking.start()
            forking.join(PATIENCE)
        assert [code for _, code in found] == [0]
        assert "\r\x1b[Kfrom a fork\r\n" in terminal.written()  # and the line again, if its thread was quick


def test_a_terminal_that_is_gone_ends_the_line_and_nothing_else() -> None:
    terminal, told = PseudoTerminal(), Told()
    os.close(terminal._seen)
    with LiveLine(told, stream=terminal.stream, terminal=LIVE):
        assert told._asked.acquire(timeout=PATIENCE)
    with pytest.raises(OSError, match="Input/output error"):
        terminal.stream.close()


# what is told


@pytest.fixture
def tally() -> Tally:
    found = Tally()
    found.attach(Inflight(), lambda: 4)
    return found


def claim_of(name: str, execution: int, function: str = "shop:send") -> Claim:
    return _DETACHED._replace(execution_id=execution, job_id=f"{execution:036}", name=name, function=function)


def test_the_line_tells_what_runs_what_was_done_and_how_fast(tally: Tally, clock: ManualClock) -> None:
    inflight, teller = Inflight(), Teller(tally, clock)
    tally.attach(inflight, lambda: 4)
    assert teller.line() == "waiting for jobs, 0 completed"
    names = ("resize \x1b[2J", "mail", "waits")
    inflight.add([claim_of(name, number) for number, name in enumerate(names, 1)], free=2, now=clock.monotonic())
    owned = inflight.get(2)
    assert owned is not None
    owned.progress = Progress(3, 8)
    clock.advance(75)
    for _ in range(150):
        tally.note(claim_of("mail", 9), Report.completed("1"), "completed")
    tally.note(claim_of("mail", 9), Report.failed("no"), "retried")
    assert teller.line() == (
        "2 of 4 running, 150 completed, 1 retried, 2.0/s: resize \\x1b[2J 1:15, mail 37 % 1:15"
    )  # fmt: skip
    clock.advance(40)
    teller.line()
    clock.advance(40)
    assert "/s" not in teller.line()


def test_a_summary_groups_failures_by_their_cause(tally: Tally, clock: ManualClock) -> None:
    teller = Teller(tally, clock)
    for number in range(3):
        error = Report.failed(f"ValueError: no {number}\nsecond line", error_type="ValueError")
        tally.note(claim_of("a", number), error, "failed")
    tally.note(claim_of("b", 7, "shop:get"), Report.timed_out("timed out after 3 s"), "failed")
    clock.advance(2)
    value, lines = teller.summary("ann")
    assert [str(line) for line in lines] == [
        "0 completed, 4 failed in 2 s (2.0/s)",
        "  3 jobs of shop:send: ValueError: no 2 (the last one 00000002)",
        "  1 job of shop:get: timed out after 3 s (job 00000007)",
    ]
    assert (value["worker_id"], value["failed"], value["duration"], value["per_second"]) == ("ann", 4, 2.0, 2.0)
    assert [(each["function"], each["error_type"], each["count"]) for each in value["failures"]] == [
        ("shop:send", "ValueError", 3),
        ("shop:get", "timeout", 1),
    ]


def test_many_causes_are_cut(tally: Tally, clock: ManualClock) -> None:
    teller = Teller(tally, clock)
    for number in range(1200):
        report = Report.failed("no", error_type=f"Error{number}")
        tally.note(claim_of("a", number), report, "failed")
    _, lines = teller.summary("ann")
    assert str(lines[-1]) == "  … and 995 other causes"


# the command


def test_a_burst_ends_with_a_summary(run: Run, queue: JobQueue) -> None:
    bad = Job("bad", "functions:fail", {"message": "no"}, max_attempts=1)
    queue.submit_many([Job("good", "functions:nothing"), bad])
    outcome = run("worker", "--burst")
    first, second = outcome.out.splitlines()
    assert first.startswith("1 completed, 1 failed in ")
    assert second.startswith("  1 job of functions:fail: ValueError: no (job ")
    assert outcome.code == 0
    again = run("worker", "--burst", "--json", "--worker-id", "w1").json
    assert (again["worker_id"], again["completed"], again["failed"], again["failures"]) == ("w1", 0, 0, [])
    queue.submit(Job("bad", "functions:fail", {"message": "password=hunter2"}, max_attempts=1))
    (failure,) = run("worker", "--burst", "--json=failed,failures").json["failures"]
    assert (failure["function"], failure["count"]) == ("functions:fail", 1)
    assert "hunter2" not in failure["error"]


CHATTY = """
import time

def speak(gate):
    print("begun")
    with open(gate) as opened:
        opened.read()
    print("done")
"""


def test_a_worker_on_a_terminal_has_a_live_line_and_a_summary(path: str, queue: JobQueue, tmp_path: Path) -> None:
    (tmp_path / "chatty.py").write_text(CHATTY)
    os.mkfifo(tmp_path / "gate")
    queue.submit(Job("speech", "chatty:speak", {"gate": "gate"}))
    with gigq_on(path, "worker", "--burst", "--log-level", "warning", cwd=tmp_path) as session:
        session.wait_for("1 of 1 running, 0 completed: speech 0:0")
        assert session.lines[0] == "begun"
        (tmp_path / "gate").write_text("")
        assert session.wait() == 0
        lines = [line for line in session.lines if line]
        assert lines[:2] == ["begun", "done"]
        assert lines[2].startswith("1 completed in ")
        assert len(lines) == 3


def test_a_terminal_that_was_stopped_keeps_no_worker_from_its_jobs(path: str, queue: JobQueue, tmp_path: Path) -> None:
    words, own = ("worker", "--log-level", "error"), {"PYTHONPATH": os.pathsep.join(sys.path)}
    with gigq_on(path, *words, cwd=tmp_path, environment=own) as session:
        session.wait_for("waiting for jobs")
        termios.tcflow(session._inner, termios.TCOOFF)  # as Ctrl-S does
        for _ in range(3):
            queue.wait(queue.submit(Job("job", "functions:nothing")), timeout=PATIENCE)
        session.signal(signal.SIGTERM)
        assert session.process.wait(PATIENCE) == 0


def test_a_child_process_erases_the_line_before_each_of_its_own(terminal: PseudoTerminal) -> None:
    with Patient(terminal.stream.fileno(), "wb", closefd=False, erase=ERASE) as patient:
        for piece in (b"one\n", b"tw", b"o\n"):
            patient.write(piece)
    assert terminal.written() == f"{ERASE}one\r\n{ERASE}two\r\n"


def test_a_child_process_keeps_half_a_line_until_it_is_whole_or_long_or_the_last(terminal: PseudoTerminal) -> None:
    with Patient(terminal.stream.fileno(), "wb", closefd=False, erase=ERASE) as patient:
        patient.write(b"half")
        os.write(terminal.stream.fileno(), b"[the live line]")
        patient.write(b" and whole\n")
        patient.write(b"x" * 5000)
        patient.write(b"y\nlast")
    whole, after = f"[the live line]{ERASE}half and whole\r\n", f"{ERASE}{'x' * 5000}y\r\n{ERASE}last"
    assert terminal.written() == whole + after
