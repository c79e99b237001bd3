"""Jobs that report progress, log and print. Child processes import them as `output_functions`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import warnings

import process_functions

from gigq import current_job


def say_and_hang(gate: str) -> None:
    current_job().progress(1, 2, "half")
    logging.getLogger("app").info("so far")
    process_functions.hang(gate)


def say_often(count: int) -> None:
    for number in range(count):
        current_job().progress(number, count)


def print_and_log(number: int = 0) -> None:
    print("printed", number)
    print("complained", file=sys.stderr)
    logging.getLogger("app").info("logged %d", number)
    thread = threading.Thread(target=lambda: logging.getLogger("app.thread").warning("from a thread"))
    thread.start()
    thread.join()


def log_through_a_handler() -> None:
    logging.basicConfig(level=logging.DEBUG)
    logging.getLogger("app").debug("once")


def warn_with_no_handler() -> None:
    logging.getLogger("app").warning("mind the gap")
    warnings.warn("old", stacklevel=1)


def print_much(count: int) -> None:
    for number in range(count):
        print(f"line {number}")


def log_and_die(gate: str) -> None:
    """Log, and kill this process by a signal once the test has read the log."""
    logging.getLogger("app").info("last words")
    with open(gate, "rb") as receiver:
        receiver.read(1)
    os.kill(os.getpid(), signal.SIGKILL)
