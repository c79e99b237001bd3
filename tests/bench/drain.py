"""How fast workers drain jobs that do nothing: PYTHONPATH=. python tests/bench/drain.py [-n 20000] [--folder DIR]

Each worker is a process of its own. By default: one worker in thread mode with one slot and with four, and in process
mode with two, each with both durabilities. Choose with --workers, --mode and -c.

Prints jobs/s from the word "go" to the last job's completion; bare SQLite transactions/s in the same folder, measured
just before and after, and the ratio of the two; the executions of the least and of the most loaded worker, as shares;
and whether each job ran exactly once.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import crew
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
        f"{'fsync':>6} {'workers':>7} {'mode':>7} {'slots':>5} {'jobs/s':>7} {'bare/s':>7} {'ratio':>5}  shares, faults"
    )
    with yardstick.place(chosen) as folder:
        for number, setting in enumerate(settings(chosen)):
            measure(folder, folder / f"{number}.db", setting, jobs=chosen.jobs)


def settings(chosen: argparse.Namespace) -> Iterator[Setting]:
    """All settings that were not excluded, and that this version of gigq knows."""
    usual = [("thread", 1), ("thread", 4)] + [("process", 2)] * crew.HAS_MODES
    if chosen.concurrency:
        usual = [(mode, chosen.concurrency) for mode in dict(usual)]
    for durability in yardstick.DURABILITIES:
        for mode, slots in usual:
            if chosen.mode in (None, mode):
                yield Setting(durability, chosen.workers, mode, slots)


def measure(folder: Path, path: Path, setting: Setting, *, jobs: int) -> None:
    before = yardstick.bare(folder, setting.durability)
    drained = drain(path, setting, jobs=jobs)
    bare = (before + yardstick.bare(folder, setting.durability)) / 2
    shares = f"{drained.least:.0%} to {drained.most:.0%}" if setting.workers > 1 else ""
    print(
        f"{setting.durability:>6} {setting.workers:>7} {setting.mode:>7} {setting.slots:>5} {drained.rate:>7,.0f} "
        f"{bare:>7,.0f} {drained.rate / bare:>5.2f}  {shares} {'; '.join(drained.faults) or 'each once'}",
        flush=True,
    )


def drain(path: Path, setting: Setting, *, jobs: int) -> Drained:
    durability, workers, mode, slots = setting
    kind = {"mode": mode} if crew.HAS_MODES else {}
    with JobQueue(path, durability=durability) as queue:  # type: ignore[arg-type]
        queue.submit_many(Job("nothing", crew.nothing) for _ in range(jobs))
        with crew.crew(path, workers, durability=durability, concurrency=slots, burst=1, **kind) as members:
            began = datetime.now(UTC)
            crew.go(members)
            while queue.count("completed") < jobs:
                time.sleep(0.25)
        return figures(queue, began, workers=workers, jobs=jobs)


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
