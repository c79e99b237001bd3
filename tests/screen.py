"""A command on a terminal of its own: type keys, wait until the screen shows a text, read its rows and columns.

    with Session("python", "-m", "gigq", "top", rows=24, columns=80) as session:
        session.wait_for("nothing runs")
        session.press("q")
        assert session.wait() == 0
        assert session.state() == session.state_before
"""

from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emulator import Emulator

import gigq

SOURCES = str(Path(gigq.__file__).parents[1])

KEYS = {
    "Enter": "\r", "Tab": "\t", "Shift-Tab": "\x1b[Z", "Escape": "\x1b", "Backspace": "\x7f", "Delete": "\x1b[3~",
    "Up": "\x1b[A", "Down": "\x1b[B", "Right": "\x1b[C", "Left": "\x1b[D", "Home": "\x1b[H", "End": "\x1b[F",
    "PageUp": "\x1b[5~", "PageDown": "\x1b[6~",
    "Ctrl-C": "\x03", "Ctrl-D": "\x04", "Ctrl-Z": "\x1a", "Ctrl-L": "\x0c", "Ctrl-\\": "\x1c", "Ctrl-U": "\x15",
}  # fmt: skip

PATIENCE = 20.0
"""Seconds until a test gives up: on a machine that does something else a Python takes two to start."""


class Session:
    """A command that runs on a pseudo-terminal, as the leader of its session: Ctrl-C and a hang-up reach it.

    Args:
        command: the program and its arguments.
        rows: lines of the terminal.
        columns: letters of a line.
        environment: what the command finds in its environment besides `SANE`; None as a value takes a name away.
        cwd: the folder in which it runs.
        pipes: for streams that shall not be the terminal, such as ``{"stdout": subprocess.PIPE}``.

    Attributes:
        screen: the terminal's screen. It is up to date after each `wait_for`, `wait` and `read`.
        received: all bytes that the command has written.
        state_before: the settings of the terminal (`stty -a`) before the command began.
        process: the command.
    """

    def __init__(
        self,
        *command: str | os.PathLike[str],
        rows: int = 24,
        columns: int = 80,
        environment: Mapping[str, str | None] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        pipes: Mapping[str, Any] | None = None,
    ) -> None:
        self.screen, self.received = Emulator(rows, columns), b""
        # The inner end stays open here as well: then its settings can be read after the command has ended.
        self._outer, self._inner = os.openpty()
        self._set_size(rows, columns)
        self.state_before = self.state()
        self._ended, ended = os.pipe()
        variables = {k: v for k, v in (sane() | dict(environment or {})).items() if v is not None}
        # The leader of a session gets the terminal that it opens first. `preexec_fn` could do it, but warns of threads.
        took = f'exec "$@" {_redirected(pipes or {}, os.ttyname(self._inner))}'
        self.process = subprocess.Popen(
            ["sh", "-c", took, "sh", *command],
            env=variables, cwd=cwd, start_new_session=True, stdin=(pipes or {}).get("stdin"),
            stdout=(pipes or {}).get("stdout"), stderr=(pipes or {}).get("stderr"),
        )  # fmt: skip
        self._waiting = threading.Thread(target=self._wait_for_end, args=(ended,), daemon=True)
        self._waiting.start()

    def type(self, text: str) -> None:
        """Type a text, such as ``"gigq list\\r"``."""
        os.write(self._outer, text.encode())

    def press(self, *keys: str) -> None:
        """Press keys, by their names in `KEYS` or as single letters."""
        self.type("".join(KEYS.get(key, key) for key in keys))

    def wait_for(self, wanted: str | Callable[[Emulator], object], *, seconds: float = PATIENCE) -> Self:
        """Read until the screen shows a text, or fulfils a condition. Fail when it has not after so many seconds."""
        shows = (lambda screen: wanted in screen.text) if isinstance(wanted, str) else wanted
        deadline = time.monotonic() + seconds
        while not shows(self.screen):
            assert self._read_some(deadline), self._complaint(f"does not show {wanted!r}")
        return self

    def wait_until_gone(self, text: str, *, seconds: float = PATIENCE) -> Self:
        """Read until the screen does not show a text any more."""
        return self.wait_for(lambda screen: text not in screen.text, seconds=seconds)

    def read(self, seconds: float) -> bytes:
        """Read all that comes within so many seconds, and return it: to say that nothing comes."""
        before, deadline = len(self.received), time.monotonic() + seconds
        while self._read_some(deadline):
            pass
        return self.received[before:]

    def wait(self, *, seconds: float = PATIENCE) -> int:
        """Read until the command has ended, and return its exit code; that of a signal is negative."""
        deadline = time.monotonic() + seconds
        while self._read_some(deadline):
            pass
        assert not self._waiting.is_alive() or self.process.poll() is not None, self._complaint("has not ended")
        return self.process.wait()

    def resize(self, rows: int, columns: int) -> None:
        """Give the terminal another size, of which the command hears by SIGWINCH."""
        self.screen.resize(rows, columns)
        self._set_size(rows, columns)

    def signal(self, number: int) -> None:
        """Send the command a signal."""
        self.process.send_signal(number)

    def state(self) -> list[Any]:
        """Return the settings of the terminal, as ``stty -a`` shows them."""
        return termios.tcgetattr(self._inner)

    @property
    def lines(self) -> list[str]:
        """The lines of the screen, without the blanks at their ends."""
        return self.screen.lines

    @property
    def text(self) -> str:
        """The screen as one text."""
        return self.screen.text

    def close(self) -> None:
        """End the command, if it has not ended."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self._waiting.join(PATIENCE)
        for each in (self._outer, self._inner, self._ended):
            os.close(each)
        for pipe in filter(None, (self.process.stdin, self.process.stdout, self.process.stderr)):
            pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_some(self, deadline: float) -> bool:
        """Read what is there; else wait for more. Return whether there may be more."""
        left = max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select([self._outer, self._ended], [], [], left)
        if self._outer in ready:
            read = os.read(self._outer, 65536)
            self.received += read
            self.screen.write(read)
            if self.screen.answers:
                self.type(self.screen.answers)
                self.screen.answers = ""
        return self._outer in ready

    def _wait_for_end(self, ended: int) -> None:
        self.process.wait()
        os.close(ended)

    def _set_size(self, rows: int, columns: int) -> None:
        ioctl(self._outer, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _complaint(self, what: str) -> str:
        code = self.process.poll()
        state = "runs" if code is None else f"has ended with {code}"
        return f"the command {state} and the screen {what}:\n{self.text}"


def sane() -> dict[str, str]:
    """Return an environment as a person has it, without this process' settings of gigq, of colours and of pagers."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {
        "TERM": "xterm-256color", "LANG": "C.UTF-8", "TZ": "UTC",
        "PYTHONPATH": SOURCES, "PYTHONDONTWRITEBYTECODE": "1", "PS1": "$ ",
    }  # fmt: skip


def gigq_on(path: str | os.PathLike[str], *words: str, **settings: Any) -> Session:
    """Type a command about a queue, on a terminal of its own."""
    environment = {"GIGQ_DB": str(path)} | dict(settings.pop("environment", None) or {})
    # Without its site-packages a Python starts in half the time.
    return Session(sys.executable, "-S", "-m", "gigq", *words, environment=environment, **settings)


def _redirected(pipes: Mapping[str, Any], name: str) -> str:
    streams = {"stdin": f"<>{name}", "stdout": f">{name}", "stderr": f"2>{name}"}
    # Opened before the others, for reading and writing, whatever becomes of the streams.
    return f"3<>{name} " + " ".join(how for stream, how in streams.items() if stream not in pipes) + " 3>&-"
