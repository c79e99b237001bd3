"""What processes gain for jobs that compute: PYTHONPATH=. python tests/bench/compute.py [--folder DIR]

Prints the seconds that a worker with one thread, with two threads and with two children takes for the same jobs, each
of which adds numbers in Python for about a tenth of a second, and how many times as fast as the one thread that is;
and that of the bare functions, called one after the other in this process.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import processes
import yardstick

from gigq import Job, JobQueue

JOBS = 60
SETTINGS = (("thread", 1), ("thread", 2), ("process", 2))


def main() -> None:
    chosen = yardstick.options(__doc__).parse_args()
    before = time.perf_counter()
    for _ in range(JOBS):
        processes.add_up()
    bare = time.perf_counter() - before
    print(f"{'mode':>8} {'slots':>5} {'seconds':>8} {'times':>6}")
    print(f"{'bare':>8} {'':>5} {bare:>8.2f}")
    with yardstick.place(chosen) as folder:
        first = 0.0
        for mode, slots in SETTINGS:
            taken = drain(folder / f"{mode}-{slots}.db", mode, slots)
            first = first or taken
            print(f"{mode:>8} {slots:>5} {taken:>8.2f} {first / taken:>6.2f}", flush=True)


def drain(path: Path, mode: str, slots: int) -> float:
    with JobQueue(path) as queue:
        ids = queue.submit_many(Job("add up", processes.add_up) for _ in range(JOBS))
        with processes.workers(path, 1, concurrency=slots, mode=mode) as members:
            began = datetime.now(UTC)
            processes.go(members)
            records = queue.wait(ids, timeout=600)
    ends = [record.completed_at for record in records if record.completed_at]
    return (max(ends) - began).total_seconds()


if __name__ == "__main__":
    main()
