"""Random walks: what the queue does is compared with the model after every step.

By command, for as long as you like::

    PYTHONPATH=.:tests python tests/model/walk.py --seconds 600
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from math import inf
from typing import Any, NamedTuple

from model.plain import Model
from model.plan import Step, answer, plan
from model.system import System

_SEEN_OF_JOBS = ("status", "attempts", "run_at", "because", "queue", "priority", "crashes", "releases", "executions",
                 "by", "generation", "steps", "cursor", "workflow", "result")
_SEEN_OF_SCHEDULES = ("next_at", "is_paused", "last")
_STEPS_BETWEEN_CHECKS = 20


class Walked(NamedTuple):
    """The results of a number of walks."""

    walks: int
    steps: int


def walk(seed: int, *, length: int = 60) -> int:
    """Walk this many steps, and return how many there were. Every tenth seed walks in a file.

    Raises:
        AssertionError: the queue did something else than the model, or its file is unsound. It tells the seed, and the
            shortest of the walks that were found to do the same, as code.
    """
    steps = plan(random.Random(seed), length)
    is_in_file = seed % 10 == 9
    if failure(steps, is_in_file=is_in_file):
        is_in_file = is_in_file and not failure(steps)
        shortest = shrunk(steps, is_in_file=is_in_file)
        problem, code = failure(shortest, is_in_file=is_in_file), as_code(shortest, is_in_file=is_in_file)
        raise AssertionError(f"seed {seed}: {problem}\n\n{code}")
    return len(steps)


def replay(steps: Sequence[Step], *, is_in_file: bool = False) -> None:
    """Walk these steps, in memory or in a file.

    Raises:
        AssertionError: the queue did something else than the model, or its file is unsound.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory()) if is_in_file else None
        model, system = Model(), stack.enter_context(closing(System(folder and f"{folder}/jobs.db")))
        for number, step in enumerate(steps, 1):
            method, arguments, options = step
            model.now = system.now
            expected = answer(model, step)
            found = getattr(system, method)(*arguments, **options)
            assert found == expected, f"step {number}, {method}: the queue answers {found!r}, the model {expected!r}"
            here, there = system.state(), state(model)
            assert here == there, f"step {number}, {method}: {difference(here, there)}"
            if number % _STEPS_BETWEEN_CHECKS == 0 or number == len(steps):
                system.check()


def state(model: Model) -> dict[str, Any]:
    """What can be seen of all jobs and schedules, and which functions are missing; some things while they matter."""
    jobs = {}
    for name, job in model.jobs.items():
        jobs[name] = {key: job[key] for key in _SEEN_OF_JOBS} | {"progress": None, "parents": model.parents(job)}
        is_unfinished = job["ended_at"] == inf
        jobs[name]["blockers"] = model.blockers(job) if is_unfinished else None
        jobs[name]["ready_at"] = job["ready_at"] if is_unfinished else None
    schedules = {name: {key: each[key] for key in _SEEN_OF_SCHEDULES} for name, each in model.schedules.items()}
    workflows = {job["workflow"]: model.lasts.get(job["workflow"]) for job in model.jobs.values() if job["workflow"]}
    return jobs | schedules | {"missing": model.missing, "workflows": workflows, "entries": model.entries}


def failure(steps: Sequence[Step], *, is_in_file: bool = False) -> str | None:
    """Return what goes wrong on a walk, or None."""
    try:
        replay(steps, is_in_file=is_in_file)
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None


def shrunk(steps: Sequence[Step], *, is_in_file: bool = False) -> list[Step]:
    """Leave out steps while something still goes wrong."""
    steps, size = list(steps), max(1, len(steps) // 2)
    while True:
        start = 0
        while start < len(steps):
            shorter = steps[:start] + steps[start + size :]
            if shorter and failure(shorter, is_in_file=is_in_file):
                steps = shorter
            else:
                start += size
        if size == 1:
            return steps
        size //= 2


def as_code(steps: Sequence[Step], *, is_in_file: bool = False) -> str:
    """Return the walk as the code of a test."""
    lines = "".join(f"    {step!r},\n" for step in steps)
    where = ", is_in_file=True" if is_in_file else ""
    return f"from math import inf\n\nfrom model.walk import replay\n\nreplay([\n{lines}]{where})"


def difference(found: dict[str, Any], expected: dict[str, Any]) -> str:
    """Say for which jobs the queue and the model differ."""
    parts = []
    for name in {**found, **expected}:
        here, there = found.get(name, {}), expected.get(name, {})
        keys = [key for key in {**here, **there} if here.get(key) != there.get(key)]
        parts += [f"{name}.{key} is {here.get(key)!r}, and should be {there.get(key)!r}" for key in keys]
    return "; ".join(parts)


def walk_for(seconds: float, *, first_seed: int) -> Walked:
    """Walk with one seed after another until the time is up."""
    end = time.monotonic() + seconds
    walks = steps = 0
    while time.monotonic() < end:
        steps += walk(first_seed + walks)
        walks += 1
    return Walked(walks, steps)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the queue with its model on random walks.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    given = parser.parse_args()
    walked = walk_for(given.seconds, first_seed=given.seed)
    seeds = f"seeds {given.seed} to {given.seed + walked.walks - 1}"
    print(f"{walked.walks:,} walks of {walked.steps:,} steps, {seeds}: all well")


if __name__ == "__main__":
    main()
