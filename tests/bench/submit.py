"""What a submit costs besides SQLite: PYTHONPATH=. python tests/bench/submit.py [--folder DIR] [--rounds 30]

Prints microseconds a job, next to a bare script that stores the same rows in a file of ours, and the ratio of the two:

    submit_many   2,000 jobs are made and submitted in one transaction; bare, their rows by one `executemany`
    submit        one job is made and submitted in a transaction; bare, one row in a transaction; both durabilities

The two are measured in turn, and the ratio is the median of those of the rounds: that is the figure to compare between
machines.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import yardstick

from gigq import Job, JobQueue

MANY = 2_000
SINGLE = 50

Act = Callable[[], float]
"""Returns the seconds that a job took."""


def main() -> None:
    parser = yardstick.options(__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    chosen: argparse.Namespace = parser.parse_args()
    print(f"{'fsync':>6} {'verb':>12} {'job µs':>8} {'bare µs':>8} {'ratio':>6}")
    with yardstick.place(chosen) as folder:
        for durability in ("normal", "full"):
            with queue_and_rows(folder, durability) as (queue, rows):
                if durability == "normal":
                    compare(durability, "submit_many", lambda: many(queue), rows.store_many, chosen.rounds)
                compare(durability, "submit", lambda: single(queue), rows.store_single, chosen.rounds)


def compare(durability: str, verb: str, ours: Act, bare: Act, rounds: int) -> None:
    pairs = [(ours(), bare()) for _ in range(rounds + 1)][1:]  # the first one fills the caches
    job, row = (statistics.median(times) * 1e6 for times in zip(*pairs, strict=True))
    ratio = statistics.median(row / job for job, row in pairs)
    print(f"{durability:>6} {verb:>12} {job:>8.1f} {row:>8.1f} {ratio:>6.2f}", flush=True)


def many(queue: JobQueue) -> float:
    began = time.perf_counter()
    queue.submit_many(Job("nothing", "module:function") for _ in range(MANY))
    return (time.perf_counter() - began) / MANY


def single(queue: JobQueue) -> float:
    began = time.perf_counter()
    for _ in range(SINGLE):
        queue.submit(Job("nothing", "module:function"))
    return (time.perf_counter() - began) / SINGLE


class Rows:
    """The row of such a job, which is stored again and again under another id."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("SELECT * FROM jobs")
        row = dict(zip((column[0] for column in found.description), found.fetchone(), strict=True))
        self._values = {name: value for name, value in row.items() if value is not None and name not in ("seq", "id")}
        self._connection = connection
        self._number = count()
        marks = ", ".join("?" * (1 + len(self._values)))
        self._sql = f"INSERT INTO jobs (id, {', '.join(self._values)}) VALUES ({marks})"

    def store_many(self) -> float:
        rows = [self._row() for _ in range(MANY)]
        began = time.perf_counter()
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(self._sql, rows)
        self._connection.execute("COMMIT")
        return (time.perf_counter() - began) / MANY

    def store_single(self) -> float:
        rows = [self._row() for _ in range(SINGLE)]
        began = time.perf_counter()
        for row in rows:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(self._sql, row)
            self._connection.execute("COMMIT")
        return (time.perf_counter() - began) / SINGLE

    def _row(self) -> tuple[object, ...]:
        return (f"0193c0de-0000-7000-8000-{next(self._number):012x}", *self._values.values())


@contextmanager
def queue_and_rows(folder: Path, durability: str) -> Iterator[tuple[JobQueue, Rows]]:
    """A queue, and another file of ours with the row of one job, opened by bare SQLite."""
    with JobQueue(folder / f"{durability}-bare.db") as other:
        other.submit(Job("nothing", "module:function"))
    with (
        JobQueue(folder / f"{durability}.db", durability=durability) as queue,  # type: ignore[arg-type]
        closing(sqlite3.connect(folder / f"{durability}-bare.db", isolation_level=None)) as connection,
    ):
        for pragma in (f"synchronous = {durability}", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        yield queue, Rows(connection)


if __name__ == "__main__":
    main()
