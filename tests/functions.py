"""Functions that the tests' jobs call. A worker imports them as `functions`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from gigq import GiveUp, RetryLater, current_job, task


def add(a: int, b: int = 0) -> int:
    return a + b


def nothing() -> None:
    pass


def fail(message: str = "no") -> None:
    raise ValueError(message)


def give_up() -> None:
    raise GiveUp("there is no such city")


def retry_later(delay: float = 0) -> None:
    raise RetryLater(delay)


def leave(code: int = 3) -> None:
    sys.exit(code)


def collect(parent_results: dict[str, Any]) -> list[Any]:
    return list(parent_results.values())


def spin(seconds: float = 600) -> None:
    """Keep Python busy, so that an exception can be raised here."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def context() -> dict[str, Any]:
    job = current_job()
    return {"id": job.id, "name": job.name, "attempt": job.attempt, "tags": list(job.tags), "metadata": job.metadata}


def append(path: str, line: str) -> None:
    """Leave a trace of this call: one line, in one write."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{line}\n".encode())
    os.close(file)


def wait_for(path: str) -> None:
    """Return when there is a file of this name."""
    while not Path(path).exists():
        pass


@task(max_attempts=5, tags=["hello"])
def greet(name: str = "world") -> str:
    return f"hello {name}"
