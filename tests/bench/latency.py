"""How long one waits for a queue: PYTHONPATH=. python tests/bench/latency.py [--only NAME] [--folder DIR]

Prints milliseconds (median, 99th percentile, largest), and beside those of submit and start the ratio of the median to
that of a bare SQLite transaction, from the rate in the same folder just before:

    start      from the return of submit to the call of the function, by an idle worker, at random moments; below zero
               where the function was called before submit had returned
    submit     how long submit takes while that one worker is idle otherwise
    busy       how long submit takes while four worker processes drain jobs that do nothing
    timeout    how much later than started_at + timeout a function that spins is settled
    recovery   from the kill -9 of a worker to the next call of the function that it was running, by another worker
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import processes
import yardstick

from gigq import Job, JobQueue

SUBMITS = 300
ROUNDS = 20
TIMEOUT = 0.5
BACKLOG = 60_000


def main() -> None:
    parser = yardstick.options(__doc__)
    parser.add_argument("--only", choices=MEASUREMENTS)
    chosen = parser.parse_args()
    with yardstick.place(chosen) as folder:
        for durability in yardstick.DURABILITIES:
            bare = 1000 / yardstick.bare(folder, durability)
            print(f"durability {durability}; a bare transaction takes {bare:.3f} ms")
            for name in [chosen.only] if chosen.only else MEASUREMENTS:
                path = folder / f"{name}-{durability}.db"
                with JobQueue(path, durability=durability) as queue:  # type: ignore[arg-type]
                    MEASUREMENTS[name](queue, path, durability, bare)


def idle(queue: JobQueue, path: Path, durability: str, bare: float) -> None:
    with processes.workers(path, 1, durability=durability) as members:
        processes.go(members)
        queue.result(queue.enqueue(processes.instant), timeout=30)
        ids, returned, taken = submits(queue, processes.instant)
        called = [queue.result(each, timeout=30) for each in ids]
    show("start", [(call - back) / 1e6 for call, back in zip(called, returned, strict=True)], bare)
    show("submit", taken, bare)


def busy(queue: JobQueue, path: Path, durability: str, bare: float) -> None:
    queue.submit_many(Job("nothing", processes.nothing) for _ in range(BACKLOG))
    with processes.workers(path, 4, durability=durability) as members:
        processes.go(members)
        _, _, taken = submits(queue, processes.nothing, goes_on=lambda: queue.count("pending") > 1000)
    show(f"busy ({len(taken)})", taken, bare)


def lateness(queue: JobQueue, path: Path, durability: str, bare: float) -> None:
    with processes.workers(path, 1, durability=durability) as members:
        processes.go(members)
        late = []
        for _ in range(ROUNDS):
            record = queue.wait(queue.submit(Job("spin", processes.spin, timeout=TIMEOUT, max_attempts=1)), timeout=30)
            late.append(1000 * ((record.duration or 0) - TIMEOUT))
    show("timeout", late)


def recovery(queue: JobQueue, path: Path, durability: str, bare: float) -> None:
    fifo = path.with_suffix(".fifo")
    os.mkfifo(fifo)
    # Opened to read and to write, it has no end while no job writes.
    with processes.workers(path, 2, durability=durability) as members, open(fifo, "r+b", buffering=0) as calls:
        processes.go(members)
        waits = [death(queue, path, members, durability=durability, calls=calls) for _ in range(ROUNDS)]
    show("recovery", waits)


MEASUREMENTS: dict[str, Callable[[JobQueue, Path, str, float], None]] = {
    "idle": idle,
    "busy": busy,
    "timeout": lateness,
    "recovery": recovery,
}


def submits(
    queue: JobQueue, function: Callable[[], object], *, goes_on: Callable[[], bool] = lambda: True
) -> tuple[list[str], list[int], list[float]]:
    """Submit at random moments: ids, monotonic nanoseconds at the returns, milliseconds that each took."""
    ids: list[str] = []
    returned: list[int] = []
    taken: list[float] = []
    while len(ids) < SUBMITS and goes_on():
        time.sleep(random.uniform(0.005, 0.04))
        began = time.monotonic_ns()
        ids.append(queue.enqueue(function))
        returned.append(time.monotonic_ns())
        taken.append((returned[-1] - began) / 1e6)
    return ids, returned, taken


def death(
    queue: JobQueue, path: Path, members: list[subprocess.Popen[str]], *, durability: str, calls: BinaryIO
) -> float:
    """Kill the worker that has called a function; milliseconds until another one calls it. A new worker replaces it."""
    job = queue.enqueue(processes.linger, fifo=str(path.with_suffix(".fifo")))
    victim, _ = next_call(calls)
    time.sleep(random.uniform(0.2, 1.2))  # not in step with the heartbeats
    killed_at = time.monotonic_ns()
    os.kill(victim, signal.SIGKILL)
    # Its parent must see to it: a process that is dead and not waited for still has its id.
    dead = next(each for each in members if each.pid == victim)
    dead.communicate()
    members.remove(dead)
    _, called_at = next_call(calls)
    queue.wait(job, timeout=30)
    members.append(processes.start(path, durability=durability))
    processes.go(members[-1:])
    return (called_at - killed_at) / 1e6


def next_call(calls: BinaryIO) -> tuple[int, int]:
    """The process that called the function, and the instant."""
    pid, called_at = calls.readline().split()
    return int(pid), int(called_at)


def show(name: str, milliseconds: Sequence[float], bare: float | None = None) -> None:
    ratio = "" if bare is None else f"   ratio {sorted(milliseconds)[len(milliseconds) // 2] / bare:>6.2f}"
    print(f"  {name:<12} {yardstick.spread(milliseconds)}{ratio}", flush=True)


if __name__ == "__main__":
    main()
