"""Jobs that fork, which workers import as `fork_functions`."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading

EXITS = {"returns": 0, "leaves": 3, "says why": 1, "raises": 1, "forks again": 0, "shares files": 0, "has a thread": 0}
"""The ways in which a fork may end, and its exit code then."""


def fork(way: str, path: str) -> int:
    """Fork, have the fork end in one of these ways, and return its exit code."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    match way:
        case "leaves":
            sys.exit(3)
        case "says why":
            sys.exit("enough")
        case "raises":
            raise ValueError("no")
        case "forks again":
            if child := os.fork():
                os.waitpid(child, 0)
        case "shares files":
            return _share_files()
        case "has a thread":
            threading.Thread(target=_write, args=(path,), daemon=False).start()
    return 0


def _share_files() -> int:
    """Return what a fork returns that uses files which this process has opened: they may have any number."""
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(8)]
    if child := os.fork():
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    for file in files:
        os.fstat(file)
    return 0


def terminate() -> int | None:
    """Start a process by a fork, terminate it, and return its exit code."""
    there, here = os.pipe()
    process = multiprocessing.get_context("fork").Process(target=_hang, args=(here,))
    process.start()
    os.read(there, 1)
    process.terminate()
    process.join(20)
    return process.exitcode


def _hang(here: int) -> None:
    os.write(here, b".")
    threading.Event().wait(60)


def _write(path: str) -> None:
    with open(path, "a") as file:
        file.write("written\n")
