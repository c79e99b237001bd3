"""How fast an executor makes calls that do nothing: PYTHONPATH=. python tests/bench/executor.py [-n 20000] [-c 4]

For `map`, for `submit` one by one, and for a second run that finds all results in the file: calls/s from the first one
to the last result. Next to it, in the same folder and with as many slots: how many jobs/s a worker drains that were
stored before, bare SQLite transactions/s, and the ratios. Last, the memory that 1,000 calls take until they have ended.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import processes
import yardstick

from gigq import Job, JobQueue, QueueExecutor, Worker


def main() -> None:
    parser = yardstick.options(__doc__)
    parser.add_argument("-n", "--calls", type=int, default=20_000)
    parser.add_argument("-c", "--concurrency", type=int, default=4)
    chosen = parser.parse_args()
    print(f"{'':>9} {'calls/s':>8} {'worker/s':>8} {'ratio':>6} {'bare/s':>8} {'ratio':>6}")
    with yardstick.place(chosen) as folder:
        ways = {"map": mapped, "submit": submitted, "found": mapped, "unnamed": mapped}
        for way, call in ways.items():
            measure(folder, way, call, chosen)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / chosen.calls:.1f} MB for 1,000 calls, at most")


def measure(
    folder: Path, way: str, call: Callable[[QueueExecutor, int], Iterable[object]], chosen: argparse.Namespace
) -> None:
    before = drained(folder, chosen)
    name = None if way == "unnamed" else "submit" if way == "submit" else "map"
    began = time.perf_counter()
    with QueueExecutor(folder / "executor.db", chosen.concurrency, name=name) as executor:
        assert sum(1 for _ in call(executor, chosen.calls)) == chosen.calls
    rate = chosen.calls / (time.perf_counter() - began)
    worker, bare = (before + drained(folder, chosen)) / 2, yardstick.bare(folder, "full")
    print(f"{way:>9} {rate:>8,.0f} {worker:>8,.0f} {rate / worker:>6.2f} {bare:>8,.0f} {rate / bare:>6.2f}", flush=True)


def mapped(executor: QueueExecutor, calls: int) -> Iterable[object]:
    return executor.map(processes.numbered, range(calls))


def submitted(executor: QueueExecutor, calls: int) -> Iterable[object]:
    return [each.result() for each in [executor.submit(processes.numbered, number) for number in range(calls)]]


def drained(folder: Path, chosen: argparse.Namespace) -> float:
    """Return how many jobs/s a worker in a thread of this process drains."""
    path = folder / f"worker-{time.monotonic_ns()}.db"
    with JobQueue(path) as queue:
        queue.submit_many(Job("n", processes.numbered, args=[number]) for number in range(chosen.calls))
    began = time.perf_counter()
    with Worker(path, concurrency=chosen.concurrency, burst=True) as worker:
        worker.start()
    return float(chosen.calls / (time.perf_counter() - began))


if __name__ == "__main__":
    main()
