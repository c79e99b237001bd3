"""The standard streams of a child process, at which no job fails: their reader may be gone, or may not read."""

from __future__ import annotations

import errno
import io
import os
import select
import stat
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

_PATIENCE = 500
"""Milliseconds for which a job waits for a reader that does not read; after that its output is dropped meanwhile."""

_PIECE = 4096
"""Bytes that fit into a pipe that is ready for some, without waiting."""

_NAMES = ("stdout", "stderr")

BESIDE = "GIGQ_BESIDE_LINE"
"""The environment variable by which a process says that it draws a line on the terminal, over which others print."""

ERASE = "\r\x1b[K"
"""What erases that line."""


def occupy() -> None:
    """Open /dev/null as every standard file that is closed, as a daemon does.

    Otherwise the next file that is opened takes its number, perhaps the connection to a child, and what is printed
    there is written into it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)


def be_patient() -> None:
    """From now on drop what standard output and error do not take, so that no job fails or hangs at a print."""
    is_beside = os.environ.pop(BESIDE, None) is not None
    for number, name in enumerate(_NAMES, 1):
        stream = getattr(sys, name)
        if stream is not None and not stat.S_ISREG(os.fstat(number).st_mode):
            setattr(sys, name, _patient(stream, number, erase=ERASE if is_beside and stream.isatty() else ""))
            setattr(sys, f"__{name}__", getattr(sys, name))


def _patient(stream: TextIO, number: int, *, erase: str) -> TextIO:
    raw = Patient(number, "wb", closefd=False, erase=erase)
    return io.TextIOWrapper(
        cast(Any, io.BufferedWriter(raw)), encoding=stream.encoding, errors=stream.errors,
        line_buffering=bool(stream.line_buffering), write_through=getattr(stream, "write_through", False),
    )  # fmt: skip


class Patient(io.FileIO):
    """A file that takes everything: it writes what it can within half a second, and counts what it drops.

    Args:
        erase: is written before each line. A line is then written when it is whole, or long: who draws there does not
            know of half a one, and would draw over it.
    """

    def __init__(self, number: int, *args: Any, erase: str = "", **options: Any) -> None:
        super().__init__(number, *args, **options)
        self._out = _without_waiting(number)
        self._room = select.poll()
        self._room.register(self._out, select.POLLOUT)
        self._patience = _PATIENCE
        self._dropped = 0
        self._erase = erase.encode()
        self._is_between_lines = True
        self._held = b""

    def close(self) -> None:
        if not self.closed:
            self._write_all(self._held)
        if not self.closed and self._out != self.fileno():
            os.close(self._out)
        super().close()

    def write(self, data: Any) -> int:
        if not self._erase:
            return self._write(data)
        whole, end, rest = (self._held + data).rpartition(b"\n")
        is_long = len(rest) > _PIECE
        self._held = b"" if is_long else rest
        self._write_all(whole + end + (rest if is_long else b""))
        return len(data)

    def _write_all(self, data: bytes) -> None:
        while data:
            data = data[self._write(data) :]

    def _write(self, data: Any) -> int:
        piece = memoryview(data)[:_PIECE]
        try:
            if self._room.poll(self._patience):
                self._tell_of_drops()
                if self._erase and self._is_between_lines:
                    os.write(self._out, self._erase)
                written = os.write(self._out, piece)
                self._is_between_lines = bytes(piece[written - 1 : written]) == b"\n"
                self._patience = _PATIENCE
                return written
        except BlockingIOError:  # another process was quicker
            pass
        except OSError as error:
            if error.errno == errno.EPIPE:  # for good: let what the jobs start print into nothing, too
                self._become_null()
        self._patience = 0
        self._dropped += len(piece)
        return len(piece)

    def _tell_of_drops(self) -> None:
        if self._dropped:
            os.write(self._out, f"\n… {self._dropped:,} bytes were dropped here, because nobody read them …\n".encode())
            self._dropped = 0

    def _become_null(self) -> None:
        null = os.open(os.devnull, os.O_WRONLY)
        for each in {self._out, self.fileno()}:
            os.dup2(null, each, inheritable=each == self.fileno())
        os.close(null)


def _without_waiting(number: int) -> int:
    """Return a file to write to that never waits: a pipe opened anew, for its mode is shared with other processes."""
    if sys.platform == "linux" and stat.S_ISFIFO(os.fstat(number).st_mode):
        with suppress(OSError):
            return os.open(f"/proc/self/fd/{number}", os.O_WRONLY | os.O_NONBLOCK)
    return number
