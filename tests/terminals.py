"""Terminals of which a test sees what was written to them."""

from __future__ import annotations

import os
import pty
import struct
from contextlib import suppress
from fcntl import ioctl
from termios import TIOCSWINSZ
from typing import TextIO


class Terminal:
    """A terminal, of which a test sees what was written."""

    def __init__(self) -> None:
        self._seen, inner = pty.openpty()
        self.stream: TextIO = os.fdopen(inner, "w", encoding="utf-8")
        self.resize(80)

    def resize(self, columns: int) -> None:
        ioctl(self._seen, TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def written(self) -> str:
        self.stream.flush()
        os.set_blocking(self._seen, False)
        read = b""
        with suppress(BlockingIOError):
            while True:
                read += os.read(self._seen, 65536)
        return read.decode()

    def close(self) -> None:
        self.stream.close()
        os.close(self._seen)
