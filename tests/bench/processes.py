"""Worker processes for the benchmarks, and the functions that their jobs call.

Run as a script this is one worker: it says that it is ready, waits for a line, and then works.
"""

from __future__ import annotations

import argparse
import inspect
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gigq
from gigq import Worker, current_job

HAS_MODES = "mode" in inspect.signature(Worker).parameters
SETTINGS = {"concurrency": int, "durability": str, "mode": str, "burst": bool}


# functions of jobs


def nothing() -> None:
    """Do nothing: what is measured is what it takes to run it."""


def numbered(number: int) -> int:
    """Do nothing, once for each number."""
    return number


def add_up() -> int:
    """Keep a processor busy for about a tenth of a second, in Python."""
    return sum(number * number for number in range(1_000_000))


def instant() -> int:
    """Return when it was called: nanoseconds of the monotonic clock, which all processes of a Linux machine share."""
    return time.monotonic_ns()


def spin() -> None:
    """Keep a processor busy until it is stopped."""
    while True:
        pass


def linger(fifo: str) -> None:
    """Write into a FIFO which process called it and when, and at the first attempt stay until killed."""
    Path(fifo).write_text(f"{os.getpid()} {time.monotonic_ns()}\n")
    if current_job().attempt == 1:
        time.sleep(600)


# processes


@contextmanager
def workers(path: Path, number: int, **settings: Any) -> Iterator[list[subprocess.Popen[str]]]:
    """Start workers, wait until they are ready, and stop them at the end. `go` makes them begin."""
    members = [start(path, **settings) for _ in range(number)]
    try:
        for each in members:
            _await_line(each)
        yield members
    finally:
        stop(members)


def start(path: Path, **settings: Any) -> subprocess.Popen[str]:
    """Start the process of one worker, in a process group of its own."""
    given = [f"--{name}={value}" for name, value in settings.items()]
    roots = os.pathsep.join((str(Path(gigq.__file__).parents[1]), str(Path(__file__).parent)))
    return subprocess.Popen(
        [sys.executable, __file__, str(path), *given],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": roots},
        start_new_session=True,
    )


def go(members: Sequence[subprocess.Popen[str]]) -> None:
    """Make workers begin, and return when all of them have been asked."""
    for each in members:
        assert each.stdin
        each.stdin.write("go\n")
        each.stdin.flush()


def stop(members: Sequence[subprocess.Popen[str]]) -> None:
    """Stop workers gracefully, and wait for them."""
    for each in members:
        each.send_signal(signal.SIGTERM)
    for each in members:
        each.communicate(timeout=60)


def _await_line(member: subprocess.Popen[str]) -> None:
    assert member.stdout
    if not member.stdout.readline():
        raise RuntimeError(f"a worker ended with {member.wait()} before it was ready")


def _work() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    for name, kind in SETTINGS.items():
        parser.add_argument(f"--{name}", type=kind, default=argparse.SUPPRESS)
    settings = vars(parser.parse_args())
    with Worker(settings.pop("path"), **settings) as worker:
        print("ready", flush=True)
        if sys.stdin.readline():
            worker.start()


if __name__ == "__main__":
    _work()
