"""Functions that the tests' jobs call. Workers import them as `functions`."""

from __future__ import annotations

import fcntl
import math
import os
import signal
import sys
import threading
from typing import Any

from gigq import GiveUp, Job, RetryLater, current_job, task


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


def spin(tell: int | None = None) -> None:
    """Write to a pipe that it has begun, and stay in Python code, so that an exception can be raised here."""
    if tell is not None:
        os.write(tell, b".")
    while True:
        pass


def hold(tell: int, until: int) -> None:
    """Write to a pipe that it has begun, and return when a byte arrives on another."""
    os.write(tell, b".")
    os.read(until, 1)


def context() -> dict[str, Any]:
    job = current_job()
    return {"id": job.id, "name": job.name, "attempt": job.attempt, "tags": list(job.tags), "metadata": job.metadata}


def append(path: str, line: str) -> None:
    """Record this call in a file: one line, in one write."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{line}\n".encode())
    os.close(file)


def kill_own_process(number: int) -> None:
    os.kill(os.getpid(), number)


def exclusive(lock: str) -> str:
    """Return whether another process is here with the same lock. The kernel frees the lock of a process that dies."""
    file = os.open(lock, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return "not alone"
    finally:
        os.close(file)
    return "alone"


def open_gate(gate: str) -> None:
    """Wait until a FIFO has a reader, and write a byte to it."""
    with open(gate, "wb") as writer:
        writer.write(b".")


@task(max_attempts=5, tags=["hello"])
def greet(name: str = "world") -> str:
    return f"hello {name}"


def meet(gate: str, until: str, letters: int = 0, trace: str | None = None) -> str:
    """Write this process's id to a FIFO, wait for a byte on another, and return a text of that many letters."""
    if trace is not None:
        append(trace, "called")
    with open(gate, "wb", buffering=0) as writer, open(until, "rb", buffering=0) as reader:
        writer.write(f"{os.getpid()}\n".encode())
        reader.read(1)
    return letters * "x"


def die(trace: str, number: int = 0) -> None:
    """Record this call, and end this process at once: by the signal of this number, or for 0 by an exit."""
    append(trace, "dies")
    if number:
        kill_own_process(number)
    os._exit(9)


def meet_and_die(gate: str, until: str, trace: str, number: int = 0) -> None:
    meet(gate, until)
    die(trace, number)


def die_of(line: str, poison: str, path: str) -> None:
    """Record this call, and end this process at once if the line is the poison."""
    append(path, line)
    if line == poison:
        os._exit(9)


def crawl(pages: int, gate: str, until: str) -> int:
    """Submit so many jobs one by one, and on the first attempt meet after the half of them. Return the attempt."""
    job = current_job()
    for number in range(pages):
        if job.attempt == 1 and number == pages // 2:
            meet(gate, until)
        job.submit(Job(f"page {number}", add, {"a": number}))
    return job.attempt


def crawl_on(pages: int) -> int:
    current_job().submit_many(Job(f"page {number}", add, {"a": number}) for number in range(pages))
    return pages


def sleep_through_the_lease(gate: str, until: str) -> int:
    """On the first attempt meet, and stop the worker's process until a test continues it. Return the attempt."""
    attempt = current_job().attempt
    if attempt == 1:
        # From here on threads switch only when one waits, as this one does now. So when the process is continued, this
        # thread ends the job before the worker's own thread has looked at anything.
        sys.setswitchinterval(3600)
        meet(gate, until)
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
    return attempt


def odd_values() -> dict[object, object]:
    return {1: {None: math.nan}, 2.5: [math.inf, -math.inf]}


def a_set() -> dict[str, object]:
    return {"in": {1, 2}}


def as_list(value: Any) -> list[Any]:
    return sorted(value)
