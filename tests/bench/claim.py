"""How long a claim takes, whatever else is in the file: PYTHONPATH=. python tests/bench/claim.py [--folder DIR]

Prints microseconds for each transaction that claims one job as a worker does (median, and the 99th percentile), beside
a bare SQLite transaction that updates one row of a small table in another file of the same folder, measured in the
same run in turn with the claims, and the ratio of the two:

    small       1,000 jobs in the file: a third is pending, a third waits for parents, a third has finished
    large       the same with 300,000 jobs
    queues      as small, with the pending ones in 10 queues
    limited     the same, with limits on one of the 10
    scheduled   as small, with 1,000,000 jobs that are scheduled for later
    schedules   as small, with 1,000 schedules that do not tick meanwhile
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import yardstick

from gigq import Job, JobQueue
from gigq.job_ids import new_job_id
from gigq.liveness import ProcessIdentity, WorkerKey
from gigq.reports import Report
from gigq.status import ExecutionStatus
from gigq.store import claiming, schedules, settling, workers
from gigq.store.claiming import Room

CLAIMS = 300
DONE = Report(status=ExecutionStatus.COMPLETED, result="null")
HOME = ProcessIdentity(machine_id="", boot_id="", pid_namespace="", pid=0)
LATER = 86_400.0


def main() -> None:
    parser = yardstick.options(__doc__)
    parser.add_argument("--only", choices=SETTINGS)
    chosen: argparse.Namespace = parser.parse_args()
    with yardstick.place(chosen) as folder:
        print(f"{'fsync':>6} {'file':>10} {'claim µs':>9} {'p99 µs':>8} {'bare µs':>8} {'ratio':>6}")
        for durability in yardstick.DURABILITIES:
            for name in [chosen.only] if chosen.only else SETTINGS:
                measure(folder, durability, name)


def small(queue: JobQueue) -> None:
    fill(queue, 1_000 // 3)


def large(queue: JobQueue) -> None:
    fill(queue, 100_000)


def queues(queue: JobQueue) -> None:
    fill(queue, 1_000 // 3, queues=10)


def limited(queue: JobQueue) -> None:
    queues(queue)
    queue.configure("5", max_running=1_000, rate_limit=1_000, rate_period=0.01)


def scheduled(queue: JobQueue) -> None:
    small(queue)
    for _ in range(20):
        queue.submit_many(Job("later", "a:b", delay=LATER) for _ in range(50_000))


def with_schedules(queue: JobQueue) -> None:
    small(queue)
    for number in range(1_000):
        queue.schedules.add(f"schedule {number}", "a:b", every=LATER)


SETTINGS: dict[str, Callable[[JobQueue], None]] = {
    "small": small,
    "large": large,
    "queues": queues,
    "limited": limited,
    "scheduled": scheduled,
    "schedules": with_schedules,
}


def measure(folder: Path, durability: str, name: str) -> None:
    path = folder / f"{durability}-{name}.db"
    with JobQueue(path, durability="normal") as queue:
        SETTINGS[name](queue)
    with (
        JobQueue(path, durability=durability) as queue,  # type: ignore[arg-type]
        closing(sqlite3.connect(folder / f"{durability}-{name}-bare.db", isolation_level=None)) as bare,
    ):
        bare.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = {durability}")
        bare.executescript("CREATE TABLE t (n); INSERT INTO t VALUES (0)")
        with queue.database.write() as tx:
            key = workers.register(tx, "bench", HOME, concurrency=1)
        claims, updates = zip(
            *((timed(lambda: claim(queue, key)), timed(lambda: update(bare))) for _ in range(CLAIMS)), strict=True
        )
    middle, yard = statistics.median(claims), statistics.median(updates)
    slow = statistics.quantiles(claims, n=100)[98]
    print(f"{durability:>6} {name:>10} {middle:>9.0f} {slow:>8.0f} {yard:>8.0f} {middle / yard:>6.2f}", flush=True)


def claim(queue: JobQueue, key: WorkerKey) -> None:
    with queue.database.write() as tx:
        assert schedules.tick(tx, new_id=new_job_id) == []
        assert len(claiming.claim(tx, key, room=Room(free=1))) == 1


def update(bare: sqlite3.Connection) -> None:
    bare.execute("BEGIN IMMEDIATE")
    bare.execute("UPDATE t SET n = n + 1")
    bare.execute("COMMIT")


def fill(queue: JobQueue, third: int, *, queues: int = 1) -> None:
    """A third finished, a third pending, and a third that waits for a pending one."""
    queue.submit_many(Job("finished", "a:b", priority=1) for _ in range(third))
    with queue.database.write() as tx:
        key = workers.register(tx, "filler", HOME, concurrency=1)
        while claims := claiming.claim(tx, key, room=Room(free=500)):
            settling.settle_all(tx, [(claim.execution_id, DONE) for claim in claims])
    parent = queue.submit(Job("parent", "a:b", priority=-1))
    queue.submit_many(Job("waiting", "a:b", dependencies=[parent]) for _ in range(third))
    queue.submit_many(Job("pending", "a:b", queue=str(number % queues)) for number in range(third))


def timed(act: Callable[[], None]) -> float:
    """Microseconds."""
    before = time.perf_counter()
    act()
    return (time.perf_counter() - before) * 1e6


if __name__ == "__main__":
    main()
