"""FIFOs at which a test meets a job in another process, and learns of that process's end."""

from __future__ import annotations

import os
import select
from contextlib import suppress
from pathlib import Path

from gigq.runtime.process.runner import ProcessRunner

PATIENCE = 60.0
"""Seconds after which a test gives up waiting."""


class Gate:
    """A FIFO: a job writes its process's id to it, and the end of that process is the end of the file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        os.mkfifo(path)
        self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def entered(self, runner: ProcessRunner | None = None) -> int:
        """Wait until a job has come here, and return its process's id."""
        text = b""
        while not text.endswith(b"\n"):
            if runner is not None:
                runner.wait(0.01)
            if self._poll.poll(10 if runner else 1000 * PATIENCE):
                with suppress(BlockingIOError):  # the last process has left, and another one has come meanwhile
                    text += os.read(self._file, 100)
            elif runner is None:
                raise AssertionError("no job has come here")
        return int(text)

    def wait_for_the_end(self) -> None:
        """Return when every process that came here has ended."""
        assert self._poll.poll(1000 * PATIENCE), "it is still alive"
        assert os.read(self._file, 100) == b""

    def is_held(self) -> bool:
        return not self._poll.poll(0)

    def close(self) -> None:
        os.close(self._file)
