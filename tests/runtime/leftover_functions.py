"""Functions that leave something behind, and functions that would notice it. Imported as `leftover_functions`."""

from __future__ import annotations

import decimal
import os
import signal
import time
from contextvars import ContextVar
from typing import Any

user = ContextVar("user", default="nobody")


def bind(name: str = "ana") -> None:
    user.set(name)
    decimal.getcontext().prec = 3


def seen() -> list[str]:
    return [user.get(), str(decimal.Decimal(1) / decimal.Decimal(7))]


def leave_an_alarm(seconds: float, *, is_handled: bool = True) -> int:
    """Set an alarm, and return this process's id."""
    if is_handled:
        signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    return os.getpid()


def ring(number: int, frame: Any) -> None:
    raise RuntimeError("the alarm of another job")


def spin_for(seconds: float) -> int:
    """Stay in Python code for a while, and return this process's id."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
    return os.getpid()
