"""How long a claim takes, with 1,000 jobs in the file and with 300,000: python tests/bench/claim.py

Prints microseconds for each claim of one job (median, and the 99th percentile), beside a bare SQLite transaction that
updates one row of a small table in another file of the same folder, measured in the same run in turn with the claims.
A third of the jobs is pending, a third waits for parents, a third has finished.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gigq import Job, JobQueue
from gigq.liveness import Residence
from gigq.records import Report
from gigq.status import ExecutionStatus
from gigq.store import claiming, settling, workers

CLAIMS = 400
DONE = Report(status=ExecutionStatus.COMPLETED, result="null")
HOME = Residence(machine_id="", boot_id="", pid_namespace="", pid=0)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'durability':>10} {'jobs':>8} {'claim µs':>9} {'p99 µs':>8} {'bare µs':>8} {'ratio':>6}")
        for durability in ("full", "normal"):
            for size in (1_000, 300_000):
                measure(Path(folder), durability, size)


def measure(folder: Path, durability: str, size: int) -> None:
    queue = JobQueue(folder / f"{durability}-{size}.db", durability=durability)  # type: ignore[arg-type]
    fill(queue, size // 3)
    with queue.database.write(queue.clock.now()) as tx:
        key = workers.register(tx, "bench", HOME, concurrency=1)
    bare = sqlite3.connect(folder / f"bare-{durability}-{size}.db", isolation_level=None)
    bare.executescript(
        f"PRAGMA journal_mode = WAL; PRAGMA synchronous = {durability}; CREATE TABLE t (n); INSERT INTO t VALUES (0)"
    )

    def claim() -> None:
        with queue.database.write(queue.clock.now()) as tx:
            assert len(claiming.claim(tx, key, limit=1)) == 1

    def update() -> None:
        bare.execute("BEGIN IMMEDIATE")
        bare.execute("UPDATE t SET n = n + 1")
        bare.execute("COMMIT")

    claims, updates = zip(*((timed(claim), timed(update)) for _ in range(min(CLAIMS, size // 3))), strict=True)
    middle, yardstick = statistics.median(claims), statistics.median(updates)
    slow = statistics.quantiles(claims, n=100)[98]
    print(f"{durability:>10} {size:>8,} {middle:>9.0f} {slow:>8.0f} {yardstick:>8.0f} {middle / yardstick:>6.2f}")
    bare.close()
    queue.close()


def fill(queue: JobQueue, third: int) -> None:
    """A third finished, a third pending, and a third that waits for a pending one."""
    queue.submit_many(Job("finished", "a:b", priority=1) for _ in range(third))
    with queue.database.write(queue.clock.now()) as tx:
        key = workers.register(tx, "filler", HOME, concurrency=1)
        while claims := claiming.claim(tx, key, limit=500):
            reports = [(claim.execution_id, DONE) for claim in claims]
            settling.settle_all(tx, reports, chance=lambda: 0.0)
    parent = queue.submit(Job("parent", "a:b", priority=-1))
    queue.submit_many(Job("waiting", "a:b", dependencies=[parent]) for _ in range(third))
    queue.submit_many(Job("pending", "a:b") for _ in range(third))


def timed(act: Callable[[], None]) -> float:
    """Microseconds."""
    before = time.perf_counter()
    act()
    return (time.perf_counter() - before) * 1e6


if __name__ == "__main__":
    main()
