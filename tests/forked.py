"""Python processes that have gigq loaded when they begin, because they are forked from one that has.

A process that loads gigq itself begins its work after 0.2 s, and later where many start at once; such a one after 0.02.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from io import FileIO
from pathlib import Path

from gigq import SystemClock

_TESTS = Path(__file__).parent
_IMPORTED_FROM = os.pathsep.join(map(str, [_TESTS.parent, _TESTS, _TESTS / "runtime"]))
_SERVER = """
import sys
import gigq.queue.job_queue, gigq.worker.worker
import forked
exec(forked.serve(int(sys.argv[1])))
"""
_LARGEST_REQUEST = 1 << 16


class ForkedProcess:
    """A process without input that runs a script, with the arguments in ``sys.argv[1:]``. Used by one thread.

    Attributes:
        stdout: its output, without a buffer.
        stderr: its errors, likewise.
        returncode: how it ended, as `subprocess.Popen` has it; None until it is known.
        is_stopped: a signal has stopped it, and nobody has waited for that yet.
    """

    def __init__(self, script: str, arguments: Sequence[str]) -> None:
        self.returncode: int | None = None
        self.is_stopped = False
        outputs, inputs = zip(*(os.pipe() for _ in range(2)), strict=True)
        self.stdout, self.stderr = map(FileIO, outputs)
        self._server = _server()
        self.pid = self._server.start(self, script, arguments, inputs)
        for each in inputs:
            os.close(each)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.wait(0) is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, timeout: float) -> int | None:
        """Return how it ended; None if it has not ended after this many seconds."""
        deadline = SystemClock().monotonic() + timeout
        while self.returncode is None and self._server.listen(deadline - SystemClock().monotonic()):
            pass
        return self.returncode

    def wait_until_stopped(self, timeout: float) -> bool:
        """Return whether a signal has stopped it, now or within this many seconds."""
        deadline = SystemClock().monotonic() + timeout
        while not self.is_stopped and self.returncode is None:
            if not self._server.listen(deadline - SystemClock().monotonic()):
                break
        was_stopped, self.is_stopped = self.is_stopped, False
        return was_stopped

    def communicate(self, timeout: float) -> tuple[bytes, bytes]:
        """Read what its pipes still hold until all who may write into them have ended; then close them, and wait."""
        deadline = SystemClock().monotonic() + timeout
        found = {self.stdout: b"", self.stderr: b""}
        reading = [pipe for pipe in found if not pipe.closed]
        while reading:
            ready, _, _ = select.select(reading, [], [], max(0.0, deadline - SystemClock().monotonic()))
            assert ready, f"process {self.pid} goes on and on"
            for pipe in ready:
                text = pipe.read(1 << 16)
                found[pipe] += text or b""
                if not text:
                    reading.remove(pipe)
                    pipe.close()
        assert self.wait(deadline - SystemClock().monotonic()) is not None, f"process {self.pid} does not end"
        return found[self.stdout], found[self.stderr]


class _Server:
    """The process that forks, and what it reports."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair()
        with theirs:
            self._popen = subprocess.Popen(
                [sys.executable, "-W", "error", "-c", _SERVER, str(theirs.fileno())],
                env=os.environ | {"PYTHONPATH": _IMPORTED_FROM}, cwd=_TESTS.parent, pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0,
            )  # fmt: skip
        assert self._popen.stdout
        self._reports = self._popen.stdout
        self._living: dict[int, ForkedProcess] = {}
        atexit.register(self._close)

    def start(self, process: ForkedProcess, script: str, arguments: Sequence[str], outputs: Sequence[int]) -> int:
        """Fork, and return the pid. The two outputs become its standard output and error."""
        request = json.dumps([script, *arguments]).encode()
        assert len(request) < _LARGEST_REQUEST
        socket.send_fds(self._requests, [request], outputs)
        while True:
            pid, status = self._report()
            if status is None:
                self._living[pid] = process
                return pid

    def listen(self, seconds: float) -> bool:
        """Wait for a report, and note it. Returns False if none has come after this many seconds."""
        if not select.select([self._reports], [], [], max(0.0, seconds))[0]:
            return False
        self._report()
        return True

    def _report(self) -> tuple[int, int | None]:
        line = self._reports.readline()
        assert line, "the process that forks has ended"
        pid, status = json.loads(line)
        if status is None:
            pass
        elif os.WIFSTOPPED(status):
            self._living[pid].is_stopped = True
        else:
            self._living.pop(pid).returncode = os.waitstatus_to_exitcode(status)
        return pid, status

    def _close(self) -> None:
        self._requests.close()
        self._popen.wait()
        self._reports.close()


@cache
def _server() -> _Server:
    return _Server()


def end_server() -> None:
    """End the process that forks, for a test that allows no child process; the next that needs one starts another."""
    if _server.cache_info().currsize:
        _server()._close()
        _server.cache_clear()


def serve(requests: int) -> str:
    """Fork when asked to, and print each start and each end of a process; return in the child, what it is to run.

    Args:
        requests: a socket. A request is JSON, the script and its arguments, with two files.
    """
    heard, tells = os.pipe()
    for each in (heard, tells):
        os.set_blocking(each, False)
    signal.set_wakeup_fd(tells)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with socket.socket(fileno=requests) as asked:
        while True:
            ready, _, _ = select.select([asked, heard], [], [])
            if heard in ready:
                os.read(heard, 1 << 16)
                _report_ended()
            if asked in ready:
                request, outputs, _, _ = socket.recv_fds(asked, _LARGEST_REQUEST, 2)
                if not request:
                    os._exit(0)
                if not (pid := os.fork()):
                    break
                print(json.dumps([pid, None]), flush=True)
                for each in outputs:
                    os.close(each)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, output in enumerate(outputs, 1):
        os.dup2(output, number)
    for each in (heard, tells, *outputs):
        os.close(each)
    script, *sys.argv[1:] = json.loads(request)
    return str(script)


def _report_ended() -> None:
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG | os.WUNTRACED))[0]:
            print(json.dumps(found), flush=True)
