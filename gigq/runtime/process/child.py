"""What runs in a child process of a worker: it reads claims, calls their functions and writes reports.

It ends when the worker says so, and dies when the worker dies. It knows nothing of the queue.
"""

from __future__ import annotations

import ctypes
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, partial

from gigq.clock import SystemClock
from gigq.paths import Function, resolve
from gigq.reports import Report
from gigq.runtime.call import Functions, call
from gigq.runtime.capture import capture_logging, capture_prints
from gigq.runtime.context import CallState, take
from gigq.runtime.output import Log
from gigq.runtime.process.wire import GO, READY, Lines, Settings, output_line, read_claim, read_settings, report_line
from gigq.runtime.runner import Call

_PIECE = 1 << 18
_PR_SET_PDEATHSIG = 1
_SECONDS_BETWEEN_LOOKS = 1
_SECONDS_BETWEEN_TRAILS = 0.5


def main(wire: int, tickets: int) -> None:
    """Serve the worker that holds the other ends of these two sockets, until it hangs up.

    Args:
        wire: claims come from here, reports go there.
        tickets: a byte for each claim, `GO` or `SKIP`. The worker may draw those back that were not drawn here.
    """
    for end in (wire, tickets):
        os.set_inheritable(end, False)
        os.set_blocking(end, True)
        # Else a process that a job forks would keep them open, and might answer in this one's place.
        os.register_at_fork(after_in_child=lambda end=end: _close(end))
    _have_the_kernel_end_this()
    worker = os.getppid()
    threading.Thread(target=_die_with_the_worker, args=(wire, worker), name="gigq-life", daemon=True).start()
    with suppress(ConnectionError):  # the worker is gone
        _serve(wire, tickets, worker)


def _serve(wire: int, tickets: int, worker: int) -> None:
    lines, state = _lines(wire), CallState()
    take(state)
    first = next(lines, None)
    if first is None:  # the worker is gone
        return
    settings = read_settings(first)
    if settings.keeps_logs:
        _keep_logs(state)
    called, sender = _caller(settings), _Sender(wire, state)
    sender.say(READY + b"\n")
    threading.Thread(target=sender.send_outputs, name="gigq-output", daemon=True).start()
    for line in lines:
        ticket = os.read(tickets, 1)
        if os.getppid() != worker:  # another worker may have these jobs already
            return
        if ticket == GO:
            report = called(read_claim(line))
            _flush()
            sender.send_report(report)


def _keep_logs(state: CallState) -> None:
    """Keep what is logged and printed here, by whatever thread: only one job runs at a time."""

    def find() -> Log | None:
        output = state.output
        return None if output is None else output.log

    capture_logging(find)
    capture_prints(find)
    if logging.root.level == logging.WARNING and not logging.root.handlers:
        logging.root.setLevel(logging.INFO)  # nobody has said what is worth keeping; without handlers none is printed


class _Sender:
    """What this process tells the worker, from two threads, a whole line at a time."""

    def __init__(self, wire: int, state: CallState) -> None:
        self._wire = wire
        self._state = state
        self._lock = threading.Lock()

    def say(self, line: bytes) -> None:
        with self._lock:
            _write(self._wire, line)

    def send_report(self, report: Report) -> None:
        """Report; nothing more will be told of that function's output."""
        with self._lock:
            self._state.output = None
            _write(self._wire, report_line(report))

    def send_outputs(self) -> None:
        """Tell now and then what the function that runs has left behind, if that is news. Ends with the wire."""
        told: object = None
        with suppress(OSError):
            while not threading.Event().wait(_SECONDS_BETWEEN_TRAILS):
                with self._lock:
                    output = self._state.output
                    if output and (output.progress or output.log) and output.state() != told:
                        told = output.state()
                        _write(self._wire, output_line(output))


def _caller(settings: Settings) -> Call:
    functions = Functions(allow=settings.allow)

    def find(name: str) -> Function:
        # Handlers are imported when a job first calls them: one that cannot be is that job's failure, and no other's.
        return resolve(settings.handlers[name]) if name in settings.handlers else functions.find(name)

    return partial(
        call,
        find=cache(find),
        clock=SystemClock(),
        result_limit=settings.result_limit,
        new_log=Log if settings.keeps_logs else None,
    )


def _lines(wire: int) -> Iterator[bytes]:
    lines = Lines()
    while piece := os.read(wire, _PIECE):
        yield from lines.feed(piece)


def _write(wire: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(wire, rest) :]


def _flush() -> None:
    """Let what a job has printed be seen now: the process may be killed, and then it would never be."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # a job may have closed it, or put anything in its place
            stream.flush()


def _have_the_kernel_end_this() -> None:
    """On Linux, die a second after the worker also where no thread can see to it: a job is in C, and keeps Python.

    The kernel sends SIGHUP when the worker is gone. Nothing of Python could handle it then, so the C library's own
    `alarm` does: a handler is called with the number of its signal, here 1, and SIGALRM comes after so many seconds.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.signal(signal.SIGHUP, libc.alarm)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGHUP)


def _die_with_the_worker(wire: int, worker: int) -> None:
    """End this process, and those that its job has started, once the worker is gone.

    The kernel hangs up then. It does not if the worker had been forked, for the fork holds the ends open too: hence
    the look at the parent's id.
    """
    hung_up = select.poll()
    hung_up.register(wire, 0)
    while os.getppid() == worker:
        if events := hung_up.poll(1000 * _SECONDS_BETWEEN_LOOKS):
            if events[0][1] & select.POLLNVAL:
                return  # a job has closed the wire: the worker sees that, and ends this process
            break
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _close(end: int) -> None:
    with suppress(OSError):
        os.close(end)
