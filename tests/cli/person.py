"""A person at a terminal, who answers a command's questions: the command runs in the test's own process."""

from __future__ import annotations

import os
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

CTRL_D = "\x04"


class Person:
    """What a person has typed in advance is at standard input; what they see is what goes to standard error.

    Attributes:
        seen: what they saw of the last command.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.seen = ""

    @contextmanager
    def typing(self, text: str, *, meanwhile: Callable[[], object] | None = None) -> Iterator[None]:
        """Have this typed while the block runs a command; if something happens meanwhile, after the question."""
        outer, inner = os.openpty()
        settings = termios.tcgetattr(inner)
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(inner, termios.TCSANOW, settings)
        answering = threading.Thread(target=self._answer, args=(outer, text, meanwhile))
        answering.start()
        with (
            os.fdopen(inner, "r", encoding="utf-8") as typed,
            open(os.ttyname(inner), "w", encoding="utf-8") as shown,
            self._monkeypatch.context() as patched,
        ):
            patched.setattr(sys, "stdin", typed)
            patched.setattr(sys, "stderr", shown)
            patched.setenv("TERM", "xterm")
            yield
            answering.join()
            shown.flush()
            self.seen += _read(outer)
        os.close(outer)

    def _answer(self, outer: int, text: str, meanwhile: Callable[[], object] | None) -> None:
        self.seen = ""
        if meanwhile:
            while "[y/N]" not in self.seen:
                self.seen += _decoded(os.read(outer, 65536))
            meanwhile()
        os.write(outer, text.encode())


def _read(terminal: int) -> str:
    os.set_blocking(terminal, False)
    found = b""
    with suppress(OSError):
        while part := os.read(terminal, 65536):
            found += part
    return _decoded(found)


def _decoded(found: bytes) -> str:
    return found.decode().replace("\r\n", "\n")
