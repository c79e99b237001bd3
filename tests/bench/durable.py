"""What durable work costs besides SQLite: PYTHONPATH=. python tests/bench/durable.py [--folder DIR] [--rounds 20]

Prints microseconds, and how many bare transactions that is, each updating one row of another file in the same folder:

    step         a step of a running job, whose function does nothing
    transact     a transact, whose function does nothing
    transaction  what a job of which this is the last act takes longer than another one
    replay       a step that is remembered

They are measured in turn, and the ratio is the median of those of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import yardstick

from gigq import Job, JobQueue, current_job
from gigq.testing import drain

STEPS = 100
REMEMBERED = 10_000


def main() -> None:
    parser = yardstick.options(__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    chosen: argparse.Namespace = parser.parse_args()
    print(f"{'fsync':>6} {'':>11} {'µs':>8} {'bare µs':>8} {'ratio':>6}")
    with yardstick.place(chosen) as folder:
        for durability in yardstick.DURABILITIES:
            with JobQueue(folder / f"{durability}.db", durability=durability) as queue:  # type: ignore[arg-type]
                compare(durability, "step", partial(made, queue, STEPS), folder, chosen.rounds)
                compare(durability, "transact", partial(transacted, queue, STEPS), folder, chosen.rounds)
                compare(durability, "transaction", partial(last_act, queue), folder, chosen.rounds)
                again = remembered(queue)
                compare(durability, "replay", again, folder, max(2, chosen.rounds // 10))


def compare(durability: str, what: str, ours: Callable[[], float], folder: Path, rounds: int) -> None:
    pairs = [(ours(), 1 / yardstick.bare(folder, durability, seconds=0.2)) for _ in range(rounds + 1)][1:]
    mine, bare = (statistics.median(times) * 1e6 for times in zip(*pairs, strict=True))
    ratio = statistics.median(own / other for own, other in pairs)
    print(f"{durability:>6} {what:>11} {mine:>8.1f} {bare:>8.1f} {ratio:>6.2f}", flush=True)


def made(queue: JobQueue, number: int, *, is_again: bool = False) -> float:
    """Return the seconds that a step takes of those of one job."""
    took: list[float] = []

    def function() -> None:
        job = current_job()
        job.step("first", int)  # opens the connection
        began = time.perf_counter()
        for each in range(number):
            job.step("next", int, each)
        took.append(time.perf_counter() - began)
        if is_again and job.attempt < job.max_attempts:
            raise ValueError

    queue.submit(Job("steps", "steps", max_attempts=2))
    drain(queue, handlers={"steps": function})
    return took[-1] / number


def transacted(queue: JobQueue, number: int) -> float:
    """Return the seconds that a transact takes of those of one job."""
    took: list[float] = []

    def function() -> None:
        job = current_job()
        job.transact("first", lambda db: None)
        began = time.perf_counter()
        for each in range(number):
            job.transact("next", lambda db, each: each, each)
        took.append(time.perf_counter() - began)

    queue.enqueue("transacts")
    drain(queue, handlers={"transacts": function})
    return took[-1] / number


def last_act(queue: JobQueue) -> float:
    """Return the seconds that a job takes longer which is completed by its own transaction."""
    def with_one() -> None:
        with current_job().transaction():
            pass

    def drained(name: str) -> float:
        queue.submit_many(Job("job", name) for _ in range(STEPS))
        began = time.perf_counter()
        drain(queue, handlers={"with": with_one, "without": lambda: None})
        return time.perf_counter() - began

    return max(0.0, drained("with") - drained("without")) / STEPS


def remembered(queue: JobQueue) -> Callable[[], float]:
    """Return what makes a job pass over its remembered steps, and returns the seconds that one takes."""
    return partial(made, queue, REMEMBERED, is_again=True)


if __name__ == "__main__":
    main()
