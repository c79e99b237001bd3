"""How fast workers drain jobs that do nothing: PYTHONPATH=. python tests/bench/drain.py [-n 20000] [--folder DIR]

Each worker is a process of its own. By default: one worker in thread mode with one slot and with four, and in process
mode with two, each with both durabilities. Choose with --workers, --mode and -c.

Prints jobs/s from the word "go" to the last job's completion. Next to it, measured just before and after in the same
folder: bare SQLite transactions/s, and the ratio of the two; and how many jobs/s a bare script takes through the same
row changes in a file of ours, 64 at a time (insert an execution and set the job running, complete both), and the ratio.
Then the executions of the least and of the most loaded worker, as shares; and whether each job ran exactly once.
"""

from __future__ import annotations

import argparse
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import processes
import yardstick

from gigq import Job, JobQueue


class Setting(NamedTuple):
    durability: str
    workers: int
    mode: str
    slots: int


class Drained(NamedTuple):
    rate: float
    least: float
    most: float
    faults: list[str]


def main() -> None:
    parser = yardstick.options(__doc__)
    parser.add_argument("-n", "--jobs", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--mode", choices=("thread", "process"))
    parser.add_argument("-c", "--concurrency", type=int)
    chosen = parser.parse_args()
    print(
        f"{'fsync':>6} {'workers':>7} {'mode':>7} {'slots':>5} {'jobs/s':>7} {'bare/s':>7} {'ratio':>5} "
        f"{'rows/s':>7} {'ratio':>5}  shares, faults"
    )
    with yardstick.place(chosen) as folder:
        for number, setting in enumerate(settings(chosen)):
            measure(folder, folder / f"{number}.db", setting, jobs=chosen.jobs)


def settings(chosen: argparse.Namespace) -> Iterator[Setting]:
    """All settings that were not excluded, and that this version of gigq knows."""
    usual = [("thread", 1), ("thread", 4)] + [("process", 2)] * processes.HAS_MODES
    if chosen.concurrency:
        usual = [(mode, chosen.concurrency) for mode in dict(usual)]
    for durability in yardstick.DURABILITIES:
        for mode, slots in usual:
            if chosen.mode in (None, mode):
                yield Setting(durability, chosen.workers, mode, slots)


def measure(folder: Path, path: Path, setting: Setting, *, jobs: int) -> None:
    before, rows_before = yardstick.bare(folder, setting.durability), same_rows(folder, setting.durability, jobs=jobs)
    drained = drain(path, setting, jobs=jobs)
    bare = (before + yardstick.bare(folder, setting.durability)) / 2
    rows = (rows_before + same_rows(folder, setting.durability, jobs=jobs)) / 2
    shares = f"{drained.least:.0%} to {drained.most:.0%}" if setting.workers > 1 else ""
    print(
        f"{setting.durability:>6} {setting.workers:>7} {setting.mode:>7} {setting.slots:>5} {drained.rate:>7,.0f} "
        f"{bare:>7,.0f} {drained.rate / bare:>5.2f} {rows:>7,.0f} {drained.rate / rows:>5.2f}  "
        f"{shares} {'; '.join(drained.faults) or 'each once'}",
        flush=True,
    )


def drain(path: Path, setting: Setting, *, jobs: int) -> Drained:
    durability, workers, mode, slots = setting
    kind = {"mode": mode} if processes.HAS_MODES else {}
    with JobQueue(path, durability=durability) as queue:  # type: ignore[arg-type]
        queue.submit_many(Job("nothing", processes.nothing) for _ in range(jobs))
        with processes.workers(path, workers, durability=durability, concurrency=slots, burst=1, **kind) as members:
            began = datetime.now(UTC)
            processes.go(members)
            while queue.count("completed") < jobs:
                time.sleep(0.25)
        return figures(queue, began, workers=workers, jobs=jobs)


AT_ONCE = 64
"""Jobs in one transaction of a worker."""

MARKS = ", ".join("?" * AT_ONCE)
TABLE = f"(VALUES {', '.join(['(?, ?, ?)'] * AT_ONCE)})"
TAKE = (
    f"""
    INSERT INTO executions (id, job_seq, attempt, worker_id, worker_seq, status, started_at)
    SELECT column1, column2, column3, 'bare', 1, 'running', ? FROM {TABLE}
    """,
    f"""
    UPDATE jobs SET status = 'running', attempts = attempts + 1, progress = NULL, worker_id = 'bare', started_at = ?,
           updated_at = ?
     WHERE seq IN ({MARKS})
    """,
)
COMPLETE = (
    f"""
    UPDATE executions SET status = 'completed', completed_at = ?, started_at = column2
      FROM {TABLE}
     WHERE id = column1
    """,
    f"""
    UPDATE jobs SET status = 'completed', updated_at = ?, completed_at = ?, started_at = column2, result = column3
      FROM {TABLE}
     WHERE seq = column1
    """,
)


def same_rows(folder: Path, durability: str, *, jobs: int) -> float:
    """Return how many jobs a second a bare script takes through the row changes of a worker, in a file of ours."""
    path = folder / f"rows-{time.monotonic_ns()}.db"
    with JobQueue(path, durability="normal") as queue:
        queue.submit_many(Job("nothing", processes.nothing) for _ in range(jobs))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in (f"synchronous = {durability}", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        began = time.perf_counter()
        for last in range(0, jobs + 1, AT_ONCE):
            change_rows(connection, range(last + 1 - AT_ONCE, last + 1), range(last + 1, last + 1 + AT_ONCE), jobs=jobs)
        return jobs // AT_ONCE * AT_ONCE / (time.perf_counter() - began)


def change_rows(connection: sqlite3.Connection, last: range, following: range, *, jobs: int) -> None:
    """Complete the last jobs and take the following ones; the numbers of jobs and of executions are the same."""
    now = datetime.now(UTC).isoformat("T", "microseconds")[:26] + "Z"
    connection.execute("BEGIN IMMEDIATE")
    if last.start > 0:
        connection.execute(COMPLETE[0], (now, *(value for job in last for value in (job, now, 0))))
        connection.execute(COMPLETE[1], (now, now, *(value for job in last for value in (job, now, "null"))))
    if following.stop <= jobs + 1:
        connection.execute(TAKE[0], (now, *(value for job in following for value in (job, job, 1))))
        connection.execute(TAKE[1], (now, now, *following))
    connection.execute("COMMIT")


def figures(queue: JobQueue, began: datetime, *, workers: int, jobs: int) -> Drained:
    with queue.database.read() as tx:
        last = datetime.fromisoformat(tx.value("SELECT max(completed_at) FROM jobs"))
        # What has no start was claimed ahead and given back.
        begun = "FROM executions WHERE started_at IS NOT NULL"
        executions, once = tx.execute(f"SELECT count(*), count(DISTINCT job_seq) {begun}").fetchone()
        loads = [load for (load,) in tx.execute(f"SELECT count(*) {begun} GROUP BY worker_seq")]
    faults = queue.check() + ([] if executions == once == jobs else [f"{executions} executions of {once} jobs"])
    least = min(loads) if len(loads) == workers else 0
    return Drained(jobs / (last - began).total_seconds(), least / executions, max(loads) / executions, faults)


if __name__ == "__main__":
    main()
