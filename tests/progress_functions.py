"""Functions that report progress and log. A worker's child process imports them as `progress_functions`."""

from __future__ import annotations

import logging
import os

import functions

from gigq import RetryLater, current_job


def halfway_and_spin() -> None:
    current_job().progress(1, 2)
    functions.spin()


def log() -> None:
    logging.getLogger("app").warning("it is late")


def print_and_wait(gate: str) -> None:
    """Print, and print more once the test has seen that."""
    print("printed")
    with open(gate, "rb") as receiver:
        receiver.read(1)
    print("and more")


def go_on(until: str) -> list[int]:
    """The first time, come to item 3, and wait there; then go on from where the cursor is."""
    job = current_job()
    begun_at = job.cursor or 0
    for item in range(begun_at, 6):
        job.cursor = item + 1
        if item == 2:
            with open(until, "rb") as gate:
                gate.read(1)
    return [begun_at, job.cursor]


def place(then: str) -> list[int]:
    """Set the cursor and end as told: with a result, an exception, a release, or never."""
    job = current_job()
    found = job.cursor
    job.cursor = [*(found or []), job.attempt]
    if found is not None:
        return [*found]
    if then == "raise":
        raise ValueError(then)
    if then == "release":
        raise RetryLater(0)
    if then == "spin":
        functions.spin()
    if then == "exit":
        os._exit(3)
    return []


def two_steps() -> list[int]:
    """Make one step in each attempt; in the second one, only look the first up."""
    job = current_job()
    first = job.step("first", lambda: job.attempt)
    if job.attempt == 1:
        raise ConnectionError
    return [first, job.step("second", lambda: job.attempt)]


def journey(journal: str, gate: str, until: str) -> None:
    """Four steps that write their names down; the third meets the test."""
    job = current_job()

    def write(name: str) -> None:
        with open(journal, "a", encoding="utf-8") as file:
            file.write(f"{name}\n")
        if name == "third":
            functions.meet(gate, until)

    for name in ("first", "second", "third", "fourth"):
        job.step(name, write, name)
