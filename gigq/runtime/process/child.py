"""The program of a child process: read claims, call their functions, write reports.

It ends when the worker says so, and dies when the worker dies. It knows nothing of the queue, and opens its file only
for a job that asks for it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from gigq.claims import Claim
from gigq.clock import SystemClock
from gigq.codec import decode
from gigq.main_guard import IMPORTS
from gigq.paths import Function, resolve
from gigq.reports import Report
from gigq.runtime.call import Caller
from gigq.runtime.call_state import CallState
from gigq.runtime.capture import capture_logging, capture_prints
from gigq.runtime.context import take
from gigq.runtime.durable import JobStore
from gigq.runtime.forks import close_in_forks
from gigq.runtime.functions import Functions, default_at
from gigq.runtime.output import Log
from gigq.runtime.printing import flush
from gigq.runtime.process.launching import MARK
from gigq.runtime.process.signals import set_up
from gigq.runtime.process.stdio import be_patient, occupy
from gigq.runtime.process.wire import (
    GO,
    READY,
    Lines,
    QueueFile,
    Settings,
    output_line,
    read_claim,
    read_settings,
    report_line,
)
from gigq.runtime.runner import Call
from gigq.runtime.watch import Describing, Setup, Watch

_PIECE = 1 << 18
_SECONDS_BETWEEN_CHECKS = 1
_SECONDS_BETWEEN_OUTPUTS = 0.5


def main(wire: int, tickets: int, life: int, stack: int) -> None:
    """Serve the worker that holds the other ends of these sockets, until it hangs up.

    Args:
        wire: claims come from here, reports go there.
        tickets: a byte for each claim, `GO` or `SKIP`. The worker may take back those that have not been drawn here.
        life: nothing comes from here. The worker's end is closed when the worker dies.
        stack: a file in which to write where a job stands that is stopped.
    """
    os.environ.pop(MARK, None)
    os.set_inheritable(stack, False)
    for end in (wire, tickets, life):
        os.set_inheritable(end, False)
        os.set_blocking(end, True)
        # A process that a job forks would keep them open otherwise, and might answer instead of this one.
        close_in_forks(end)
    IMPORTS.include_threads = True
    state = CallState()
    sender = _Sender(wire, state)
    set_up(stack, sender.send_the_last)
    _be_killed_at_the_end_of(life)
    occupy()
    be_patient()
    worker = os.getppid()
    threading.Thread(target=_die_with_the_worker, args=(wire, worker), name="gigq-life", daemon=True).start()
    with suppress(ConnectionError):  # the worker is gone
        _serve(wire, tickets, worker, state, sender)


def _serve(wire: int, tickets: int, worker: int, state: CallState, sender: _Sender) -> None:
    lines = _lines(wire)
    take(state)
    first = next(lines, None)
    if first is None:  # the worker is gone
        return
    settings = read_settings(first)
    if settings.keeps_logs:
        _keep_logs(state)
    call = _caller(settings)
    sender.send(READY + b"\n")
    threading.Thread(target=sender.send_outputs, name="gigq-output", daemon=True).start()
    for line in lines:
        ticket = os.read(tickets, 1)
        if os.getppid() != worker:  # another worker may have these jobs already
            return
        if ticket == GO:
            report = call(read_claim(line))
            flush()
            sender.send_report(report)


def _keep_logs(state: CallState) -> None:
    """Keep what any thread logs and prints here: only one job runs at a time."""

    def find() -> Log | None:
        output = state.output
        return None if output is None else output.log

    capture_logging(find)
    capture_prints(find)
    if logging.root.level == logging.WARNING and not logging.root.handlers:
        logging.root.setLevel(logging.INFO)  # nothing has set a level; and without handlers none of it is printed


class _Sender:
    """Sends lines to the worker, from two threads, each line as a whole."""

    def __init__(self, wire: int, state: CallState) -> None:
        self._wire = wire
        self._state = state
        self._lock = threading.Lock()

    def send(self, line: bytes) -> None:
        with self._lock:
            _write(self._wire, line)

    def send_report(self, report: Report) -> None:
        """Send a report. No more output of its function will be sent."""
        with self._lock:
            self._state.output = None
            _write(self._wire, report_line(report))

    def send_outputs(self) -> None:
        """Send the output of the running function from time to time, if it has changed. Ends with the wire."""
        sent: object = None
        with suppress(OSError):
            while not threading.Event().wait(_SECONDS_BETWEEN_OUTPUTS):
                with self._lock:
                    output = self._state.output
                    if output and output.has_any and output.snapshot() != sent:
                        sent = output.snapshot()
                        _write(self._wire, output_line(output))

    def send_the_last(self) -> None:
        """Send the output of a function that is about to be killed, from a handler of signals in its thread."""
        if self._lock.acquire(blocking=False):  # otherwise a line is being sent, perhaps by the frame below
            with suppress(OSError):
                output = self._state.output
                if output and output.has_any:
                    _write(self._wire, output_line(output))
            self._lock.release()


def _caller(settings: Settings) -> Call:
    functions = Functions(allow=settings.allow)

    def find(name: str) -> Function:
        # A handler is imported when a job first calls it: if that fails, no other job does.
        return resolve(settings.handlers[name]) if name in settings.handlers else functions.find(name)

    return Caller(
        find,
        clock=SystemClock(),
        result_limit=settings.result_limit,
        default=None if settings.default is None else default_at(settings.default),
        keeps_logs=settings.keeps_logs,
        opened=None if settings.file is None else partial(_opened, settings.file),
        watch=None if settings.watch is None else _watch(*settings.watch),
    ).call


def _opened(file: QueueFile, claim: Claim) -> JobStore:
    """Open the file of the queue for a job that asks for it; most ask for nothing, and load nothing of this."""
    store: JobStore = resolve(file.opener)(claim, path=file.path, durability=file.durability)
    return store


def _watch(path: str, args: str) -> Watch:
    """Return what describes exceptions, and calls the function at this path first, if there is one."""
    return Describing(Setup(lambda *given: resolve(path)(*given) if path else None, decode(args)))


def _lines(wire: int) -> Iterator[bytes]:
    lines = Lines()
    while piece := os.read(wire, _PIECE):
        yield from lines.feed(piece)


def _write(wire: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(wire, rest) :]


def _be_killed_at_the_end_of(life: int) -> None:
    """On Linux, have the kernel kill this process and those of its job when the worker is gone, whatever holds the GIL.

    Signal-driven I/O does that, see fcntl(2): the hang-up is the only thing that ever happens to this socket. The
    parent-death signal would kill this process alone, and at once.
    """
    if sys.platform == "linux" and os.getpgrp() == os.getpid():
        with suppress(OSError):
            fcntl.fcntl(life, fcntl.F_SETOWN, -os.getpid())
            fcntl.fcntl(life, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)


def _die_with_the_worker(wire: int, worker: int) -> None:
    """End this process, and those that its job has started, once the worker is gone.

    The kernel hangs up then. It does not if the worker has been forked, because the fork holds the ends open too: hence
    the look at the parent's id.
    """
    hung_up = select.poll()
    hung_up.register(wire, 0)
    while os.getppid() == worker:
        if events := hung_up.poll(1000 * _SECONDS_BETWEEN_CHECKS):
            if events[0][1] & select.POLLNVAL:
                return  # a job has closed the wire: the worker sees that, and ends this process
            break
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
