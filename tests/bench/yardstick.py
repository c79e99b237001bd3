"""What the disk and SQLite can do by themselves, beside which the other benchmarks set their figures.

Alone it prints bare transactions per second: PYTHONPATH=. python tests/bench/yardstick.py [--folder DIR]
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

DURABILITIES = ("full", "normal")


def main() -> None:
    with place(options(__doc__).parse_args()) as folder:
        for durability in DURABILITIES:
            print(f"{durability:>6} {bare(folder, durability):>8,.0f} transactions/s")


def options(description: str | None) -> argparse.ArgumentParser:
    """Return a parser that knows ``--folder``."""
    first_line = (description or "").partition("\n")[0]
    parser = argparse.ArgumentParser(description=first_line)
    parser.add_argument("--folder", type=Path, help="where the files go; default: a new folder in the current one")
    return parser


@contextmanager
def place(chosen: argparse.Namespace) -> Iterator[Path]:
    """Make a folder for the files of a run. It goes at the end."""
    # Not under /tmp by default, which may be a file system in memory, where fsync costs nothing.
    with tempfile.TemporaryDirectory(prefix="gigq-bench-", dir=chosen.folder or Path.cwd()) as folder:
        yield Path(folder)


def bare(folder: Path, durability: str, *, seconds: float = 1.0) -> float:
    """Return how many transactions a second, each updating one row, SQLite commits in a folder."""
    with closing(sqlite3.connect(folder / f"bare-{time.monotonic_ns()}.db", isolation_level=None)) as connection:
        connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = {durability}")
        connection.executescript("CREATE TABLE t (n); INSERT INTO t VALUES (0)")
        done, began = 0, time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE t SET n = n + 1")
            connection.execute("COMMIT")
            done += 1
    return done / passed


def spread(values: Sequence[float]) -> str:
    """Return the median, the 99th percentile and the largest as text. Few values make the second the third."""
    slow = statistics.quantiles(values, n=100, method="inclusive")[98]
    return f"p50 {statistics.median(values):>8.2f}   p99 {slow:>8.2f}   max {max(values):>8.2f}"


if __name__ == "__main__":
    main()
