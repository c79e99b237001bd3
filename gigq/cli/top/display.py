"""The terminal while the screen is shown: taken over, listened to, and given back whatever happens."""

from __future__ import annotations

import errno
import os
import select
import signal
import termios
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, Self

from gigq.cli.ended import Ended
from gigq.cli.top.capabilities import Capabilities
from gigq.cli.top.keys import Keyboard

_ENDS = (
    signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT, signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2,
    signal.SIGVTALRM, signal.SIGPROF, signal.SIGXCPU,
)  # fmt: skip
"""The signals that end a process that does nothing about them, and that it can do something about."""

_PATIENCE = 1.0
"""Seconds that the terminal has to take the last sequences."""

_ESCAPE = 0.1
"""Seconds in which the rest of a sequence comes, also over a slow line; after that it was Escape."""


class Display:
    """A terminal that shows a screen of its own: keys come one by one and are not echoed.

    Belongs to the main thread, because signals do. Use it as a context manager: at its end the terminal is as it was,
    also after an exception or a signal. Ctrl-C raises KeyboardInterrupt, a signal that ends a process raises `Ended`.

    Args:
        capabilities: the sequences of the terminal.
        keyboard: the descriptor from which keys are read.
        screen: the descriptor to which is written.

    Attributes:
        is_new: whether the terminal shows nothing of what was drawn: it was taken over again, or has another size.
        is_gone: whether nobody is at the other end any more.
    """

    def __init__(self, capabilities: Capabilities, *, keyboard: int, screen: int) -> None:
        self._can = capabilities
        self._input, self._output = keyboard, screen
        self._keyboard = Keyboard()
        self._handlers: dict[int, Any] = {}
        self._before: list[Any] = []
        self._stops = self._continues = self.is_gone = False
        self.is_new = True
        self._heard, self._told = -1, -1

    @property
    def size(self) -> tuple[int, int]:
        """The lines and columns of the terminal now, 24 and 80 where it does not know them."""
        with suppress(OSError):
            columns, rows = os.get_terminal_size(self._output)
            return rows or 24, columns or 80
        return 24, 80

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(self._input)
        self._heard, self._told = os.pipe()
        os.set_blocking(self._told, False)
        os.set_blocking(self._heard, False)
        wakeup = signal.set_wakeup_fd(self._told, warn_on_full_buffer=False)
        self._handlers = {-1: wakeup}
        with ExitStack() as stack:
            stack.callback(self._give_up)
            ends = [number for number in _ENDS if signal.getsignal(number) is not signal.SIG_IGN]  # as under nohup
            for number in (*ends, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH):
                self._handlers[number] = signal.signal(number, self._hear)
            self._take()
            stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_up()

    def write(self, text: str) -> None:
        """Send text to the terminal, all of it."""
        left = text.encode("utf-8", "replace")
        while left and not self.is_gone:
            try:
                left = left[os.write(self._output, left) :]
            except BlockingIOError:  # who started us has left it so
                select.select([], [self._output], [])
            except OSError:  # the terminal has gone
                self.is_gone = True

    def keys(self, seconds: float) -> list[str]:
        """Wait for keys, or for another size, at most so many seconds; return the keys."""
        longest = min(seconds, _ESCAPE) if self._keyboard.is_in_sequence else seconds
        ready, _, _ = select.select([self._input, self._heard], [], [], max(0.0, longest))
        if self._heard in ready:
            self._obey()
        if self._input in ready:
            return self._read()
        return self._keyboard.nothing_followed() if self._keyboard.is_in_sequence and not ready else []

    def _read(self) -> list[str]:
        try:
            sent = os.read(self._input, 1024)
        except BlockingIOError:
            return []
        except OSError:
            sent = b""
        self.is_gone = not sent
        return self._keyboard.keys(sent)

    def _obey(self) -> None:
        """Do what signals have told: stop, go on, look at the size."""
        with suppress(BlockingIOError):
            os.read(self._heard, 1024)
        self.is_new = True
        if self._stops:
            self._stops = False
            self._give()
            with _default(signal.SIGTSTP):
                os.kill(os.getpid(), signal.SIGTSTP)  # as every program does at Ctrl-Z
            self._continues = True
        if self._continues:  # also after a SIGSTOP, of which nobody hears: the shell has changed the terminal since
            self._continues = False
            self._take()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if number in _ENDS:
            raise Ended(number)
        self._stops = self._stops or number == signal.SIGTSTP
        self._continues = self._continues or number == signal.SIGCONT

    def _take(self) -> None:
        """Take the terminal over."""
        wanted = [*self._before[:6], list(self._before[6])]
        wanted[3] &= ~(termios.ICANON | termios.ECHO)
        wanted[0] &= ~(termios.IXON | termios.ICRNL)  # Ctrl-S would stop the screen, and nothing says how to go on
        wanted[6][termios.VMIN], wanted[6][termios.VTIME] = 1, 0
        _set(self._input, wanted)
        self.write(self._can.enter + self._can.hide)
        self.is_new = True

    def _give(self) -> None:
        """Give the terminal back as it was."""
        # A terminal that has stopped, as behind a dead line, takes nothing, and must not hold up who ends this process.
        if select.select([], [self._output], [], _PATIENCE)[1]:
            self.write(self._can.style("") + self._can.unhide + self._can.leave)
        with suppress(termios.error, OSError):  # it has gone
            termios.tcsetattr(self._input, termios.TCSANOW, self._before)
            # What was typed and not read was meant for the screen, and not for the shell.
            termios.tcflush(self._input, termios.TCIFLUSH)

    def _give_up(self) -> None:
        # Nothing may come between: whoever ends us once more waits until the terminal is as it was.
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, *_ENDS))
        try:
            self._give()
        finally:
            signal.set_wakeup_fd(self._handlers.pop(-1))
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            os.close(self._heard)
            os.close(self._told)
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)


def _set(terminal: int, wanted: list[Any]) -> None:
    """Set a terminal, as soon as this process is in its foreground: after `bg` it stops here until `fg`."""
    while True:
        try:
            return termios.tcsetattr(terminal, termios.TCSANOW, wanted)
        except termios.error as error:
            if error.args[0] != errno.EINTR:
                raise


@contextmanager
def _default(number: signal.Signals) -> Iterator[None]:
    handler = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, handler)
