"""What a worker costs while there is nothing to do: PYTHONPATH=. python tests/bench/idle.py [--seconds 20]

Each worker has run a few jobs before, so that all its slots are there. Prints, over the time that was given: per cent
of one processor, that of the children in process mode included; heartbeats, and commits of any kind as another
connection sees them, each a second; MiB of memory that are resident, of the worker and of all with its children (what
they share counts for each); and what share of the bare SQLite transactions of that folder the commits are. Linux only.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import processes
import yardstick

from gigq import JobQueue

MODES = [("thread", 1), ("thread", 4)] + [("process", 2)] * processes.HAS_MODES


def main() -> None:
    parser = yardstick.options(__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    chosen = parser.parse_args()
    print(
        f"{'mode':>7} {'slots':>5} {'CPU':>6} {'beats/s':>7} {'commits/s':>9} {'MiB':>6} {'all MiB':>7} {'of bare':>8}"
    )
    with yardstick.place(chosen) as folder:
        for mode, slots in MODES:
            measure(folder, mode, slots, seconds=chosen.seconds)


def measure(folder: Path, mode: str, slots: int, *, seconds: float) -> None:
    path = folder / f"{mode}-{slots}.db"
    bare = yardstick.bare(folder, "full")
    kind = {"mode": mode} if processes.HAS_MODES else {}
    with JobQueue(path) as queue, processes.workers(path, 1, concurrency=slots, **kind) as members:
        processes.go(members)
        queue.wait([queue.enqueue(processes.instant) for _ in range(8 * slots)], timeout=60)
        time.sleep(2)
        family = with_children(members[0].pid)
        used_before, beats_before = processor(family), heartbeats(queue)
        commits = commits_seen(path, seconds=seconds)
        used = (processor(family) - used_before) / seconds
        beats = (heartbeats(queue) - beats_before) / seconds
        memory = f"{resident(family[:1]):>6.1f} {resident(family):>7.1f}"
    print(
        f"{mode:>7} {slots:>5} {used:>6.2%} {beats:>7.2f} {commits:>9.2f} {memory} {commits / bare:>8.3%}", flush=True
    )


def with_children(pid: int) -> list[int]:
    """A process and its descendants."""
    children = {int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in read(task / "children").split()}
    return [pid, *(each for child in sorted(children) for each in with_children(child))]


def processor(pids: Sequence[int]) -> float:
    """Seconds of processor time that these have used."""
    # After the name, in parentheses: the fields from the third on; the 14th and 15th are utime and stime.
    fields = [read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split() for pid in pids]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def resident(pids: Sequence[int]) -> float:
    """MiB of memory."""
    pages = sum(int(read(Path(f"/proc/{pid}/statm")).split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def heartbeats(queue: JobQueue) -> int:
    with queue.database.read() as tx:
        return int(tx.value("SELECT sum(heartbeat) FROM job_workers"))


def commits_seen(path: Path, *, seconds: float) -> float:
    """How many times a second the file is changed. Two commits within 5 ms count as one."""
    seen, until = set(), time.monotonic() + seconds
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        while time.monotonic() < until:
            seen.add(connection.execute("PRAGMA data_version").fetchone()[0])
            time.sleep(0.005)
    return (len(seen) - 1) / seconds


def read(path: Path) -> str:
    return path.read_text()


if __name__ == "__main__":
    main()
