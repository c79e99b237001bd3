"""The worker's end of one child process: send it claims, read its reports, and signal it."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from traceback import FrameSummary

from gigq.claims import Claim
from gigq.runtime.output import Output
from gigq.runtime.process.launching import launch
from gigq.runtime.process.signals import END
from gigq.runtime.process.stack import StackFile
from gigq.runtime.process.wire import (
    GO,
    READY,
    SKIP,
    Lines,
    Settings,
    claim_line,
    is_output,
    read_output,
    read_report,
    settings_line,
)
from gigq.runtime.runner import Ended

_PIECE = 1 << 18


class Child:
    """A process that calls functions, one after the other.

    Attributes:
        claims: what it was given and has not reported, in order. The first one has begun.
        begun_at: the monotonic time at which the first of `claims` began, or else at which it became idle.
        is_ready: whether it waits for claims or works on them.
        served: how many reports it has sent.
        output: what it has sent of the output of the running function, if anything.
        is_garbled: whether it has sent a line that cannot be read.
        has_hung_up: whether nothing more can be read from it.
        asked_at: the monotonic time at which it was asked to end during a job; None if it was not.

    Raises:
        OSError: the system refused to start it.
    """

    def __init__(self, *, folder: str, settings: Settings, now: float) -> None:
        self.claims: deque[Claim] = deque()
        self.begun_at = now
        self.is_ready = False
        self.served = 0
        self.output: Output | None = None
        self.is_garbled = self.has_hung_up = False
        self.asked_at: float | None = None
        self._lines = Lines()
        self._unsent = deque([memoryview(settings_line(settings))])
        self._last_took = math.inf
        self._wire, theirs = socket.socketpair()
        self._tickets, self._undrawn = socket.socketpair()
        self._life, their_life = socket.socketpair()  # nothing is sent: its end is the end of this process
        self._stack = StackFile()
        self._wire.setblocking(False)
        for end in (self._tickets, self._undrawn):
            end.settimeout(None)  # an application may have set another default, and the child shares what this sets
        with theirs, their_life, ExitStack() as on_failure:
            on_failure.callback(self.close)
            self._process = launch([each.fileno() for each in (theirs, self._undrawn, their_life, self._stack)], folder)
            on_failure.pop_all()
        self.send()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it lives; the negated number of the signal that has killed it. Afterwards it is no zombie."""
        return self._process.poll()

    @property
    def is_idle(self) -> bool:
        return self.is_ready and not self.claims

    @property
    def is_writing(self) -> bool:
        """Whether some claims are not sent yet; then call `send` when `fileno` is writable."""
        return bool(self._unsent)

    @property
    def deadline(self) -> float:
        """The monotonic time at which its job is overdue; infinite without a job or a timeout."""
        timeout = self.claims[0].timeout if self.claims else None
        return math.inf if timeout is None else self.begun_at + timeout

    def fileno(self) -> int:
        return self._wire.fileno()

    def give(self, claims: Sequence[Claim], *, now: float) -> None:
        """Have it call these functions after those that it has. Never waits."""
        if not self.claims:
            self.begun_at = now
        self.claims += claims
        self._unsent.append(memoryview(b"".join(claim_line(claim) for claim in claims)))
        self.send()
        self._tickets.send(GO * len(claims))

    def send(self) -> None:
        """Write as much of the claims as fits now."""
        with suppress(BlockingIOError, ConnectionError):  # reading will show that the connection is lost
            while self._unsent:
                # A view: to cut bytes would copy the rest each time, of a claim of 80 MB four hundred times.
                sent, unsent = self._wire.send(self._unsent[0]), self._unsent.popleft()
                if sent < len(unsent):
                    self._unsent.appendleft(unsent[sent:])

    def is_quick(self, now: float, quick: float) -> bool:
        """Whether its last job took fewer than `quick` seconds, and the current one has not taken longer yet."""
        return self._last_took < quick and now - self.begun_at < quick

    def begun(self) -> list[Claim]:
        """Return those of `claims` whose tickets it has drawn so far."""
        undrawn = b""
        if self.claims:
            with suppress(BlockingIOError):
                undrawn = self._undrawn.recv(_PIECE, socket.MSG_DONTWAIT | socket.MSG_PEEK)
        return list(self.claims)[: len(self.claims) - undrawn.count(GO)]

    def take_back(self) -> list[Claim]:
        """Return those of `claims` that it has not begun, and will not.

        The kernel hands out each ticket once, to the child or to this, so that nothing can fall between the two.
        """
        with suppress(BlockingIOError):
            tickets = self._undrawn.recv(_PIECE, socket.MSG_DONTWAIT)
            self._tickets.send(SKIP * len(tickets))
            taken = [self.claims.pop() for _ in range(tickets.count(GO))]
            return taken[::-1]
        return []

    def ended(self, now: float) -> list[Ended]:
        """Read all that it has sent, and return what has ended."""
        ended: list[Ended] = []
        pieces, self.has_hung_up = self._pieces()
        try:
            for line in self._lines.feed(b"".join(pieces)):
                self._read(line, ended, now=now)
        except (ValueError, TypeError, LookupError, AttributeError):  # a job has written to the wire
            self.is_garbled = self.has_hung_up = True
        return ended

    def _read(self, line: bytes, ended: list[Ended], *, now: float) -> None:
        if is_output(line):
            self.output = read_output(line)
            return
        if line == READY:
            self.is_ready = True
        else:
            report = read_report(line)
            ended.append((self.claims.popleft(), report))
            self.served += 1
            self.output = None
        self._last_took, self.begun_at = now - self.begun_at, now

    def _pieces(self) -> tuple[list[bytes], bool]:
        pieces = []
        try:
            while piece := self._wire.recv(_PIECE):
                pieces.append(piece)
        except BlockingIOError:
            return pieces, False
        except ConnectionError:
            pass  # it died before it had read everything
        return pieces, True

    def dismiss(self) -> None:
        """Let it end when it has done what it has."""
        with suppress(OSError):  # it has hung up itself
            self._wire.shutdown(socket.SHUT_WR)

    def ask_to_end(self, now: float) -> None:
        """Ask it, and what its job has started, to end during the job. First it writes down where the job stands."""
        self.asked_at = now
        self.dismiss()
        # One signal, not SIGTERM too: while the main thread has one pending, the kernel gives the next to another
        # thread, and Python's handler waits until the main thread returns from what it is waiting in.
        self._process.send_signal(END)

    @property
    def asks_for_grace(self) -> bool:
        """Whether its job has a handler of its own for SIGTERM, which may take a while."""
        return self._stack.asks_for_grace

    def stack(self) -> list[FrameSummary]:
        """Return where the job stood when it was asked to end, as far as that is known."""
        return self._stack.frames()

    def signal(self, number: int) -> None:
        """Send a signal to it and to the processes that its jobs have started."""
        with suppress(ProcessLookupError, PermissionError):  # macOS raises the second one for a zombie
            os.killpg(self.pid, number)

    def wait(self, seconds: float | None) -> bool:
        """Wait for its end, without limit if None. True if it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            return True
        return False

    def close(self) -> None:
        """Close the connection. A process that has not ended kills itself then."""
        for end in (self._wire, self._tickets, self._undrawn, self._life, self._stack):
            end.close()


def exit_reason(exit_code: int | None, *, is_garbled: bool = False) -> str:
    """Describe how a process ended.

    Args:
        exit_code: as `Child.exit_code`; None for a process that had to be killed, because nothing more came from it.
        is_garbled: whether that was because of a line that could not be read.
    """
    if is_garbled:
        return "its process wrote something other than reports to its connection to the worker"
    if exit_code is None:
        return "its process closed its connection to the worker"
    if exit_code >= 0:
        return f"its process ended itself with exit code {exit_code}"
    name = _signal_name(-exit_code)
    return f"its process was killed by {name}" + (", out of memory?" if name == "SIGKILL" else "")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
