"""Random walks of two workers' loops: after every step their memories are compared with their slots and with the file.

By command, for as long as you like::

    TMPDIR=/dev/shm PYTHONPATH=.:tests python tests/model/loop_walk.py --seconds 600
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from faults.sabotage import FAULTS, Saboteur
from model.loop_system import HANDLER, NAMES, LoopSystem
from model.walk import Walked

from gigq import JobQueue

Step = tuple[str, list[Any], dict[str, Any]]

_STEPS_BETWEEN_CHECKS = 15
_IMPORTED = ("nothing", "add")
_FUNCTIONS = ("nothing", "nothing", "add", "add", HANDLER)
_DRAWS: dict[Callable[[random.Random], Step], int] = {
    lambda draw: ("turn", [draw.choice(NAMES)], {}): 30,
    lambda draw: ("rest", [draw.choice(NAMES)], {}): 6,
    lambda draw: ("fill", [draw.choice(NAMES)], {}): 12,
    lambda draw: ("end_all", [draw.choice(NAMES)], {}): 8,
    lambda draw: ("end", [draw.choice(NAMES), draw.random(), draw.choice(_ENDS)], {}): 10,
    lambda draw: ("end_itself", [draw.choice(NAMES), draw.random()], {}): 4,
    lambda draw: ("say", [draw.choice(NAMES), draw.random(), draw.randrange(3)], {}): 3,
    lambda draw: ("submit", [draw.choice((1, 3, 10, 30)), draw.choice(_FUNCTIONS)], _options(draw)): 12,
    lambda draw: ("let_pass", [draw.choice((0.05, 0.1, 0.3, 0.3, 1.0, 2.5))], {}): 12,
    lambda draw: ("cancel", [draw.random()], {}): 8,
    lambda draw: ("scale", [draw.choice((1, 2, 4))], {}): 3,
    lambda draw: ("stop", [draw.choice(NAMES)], {"is_graceful": draw.random() < 0.5}): 1,
    lambda draw: ("expel", [draw.choice(NAMES)], {}): 1,
    lambda draw: ("reclaim", [], {}): 1,
    lambda draw: ("stick", [draw.choice(NAMES)], {"is_stuck": draw.random() < 0.5}): 1,
    lambda draw: ("schedule_elsewhere", [], {}): 1,
    lambda draw: ("lack", [draw.choice(NAMES), draw.choice(_IMPORTED)], {"is_lacking": draw.random() < 0.6}): 4,
    lambda draw: ("miss_bell", [draw.choice(NAMES)], {}): 3,
}
_DISTURBANCES: dict[Callable[[random.Random], Step], int] = {
    lambda draw: ("spoil", [draw.randrange(1, 40), draw.choice((*FAULTS, "committed"))], {}): 8,
    lambda draw: ("die", [draw.choice(NAMES)], {}): 1,
    lambda draw: ("delete", [draw.random()], {}): 2,
}
_ENDS = ("completed", "completed", "completed", "failed", "final", "later", "cancelled")


def plan(seed: int, length: int) -> list[Step]:
    """Draw the steps of a walk. Half of the walks are without faults: of these the events are checked too."""
    draw = random.Random(seed)
    draws = _DRAWS | (_DISTURBANCES if seed % 2 else {})
    steps = [one(draw) for one in draw.choices(list(draws), list(draws.values()), k=length)]
    for place in range(_STEPS_BETWEEN_CHECKS, length, _STEPS_BETWEEN_CHECKS):
        steps.insert(place, ("check_file", [], {}))
    return steps


def walk(seed: int, *, length: int = 80) -> int:
    """Walk this many steps, and return how many that were.

    Raises:
        AssertionError: something did not hold. The message has the seed and the shortest walk found that does the same.
    """
    steps = plan(seed, length)
    problem = failure(steps)
    if problem:
        shortest = shrunk(steps, problem)
        raise AssertionError(f"seed {seed}: {failure(shortest)}\n\n{as_code(shortest)}")
    return len(steps)


def replay(steps: Sequence[Step]) -> None:
    """Walk these steps.

    Raises:
        AssertionError: something did not hold.
    """
    saboteur = Saboteur()
    with tempfile.TemporaryDirectory() as folder:
        path = shutil.copy(_empty(), folder)
        with saboteur.present():
            system = LoopSystem(path, saboteur)
            try:
                for method, arguments, options in steps:
                    getattr(system, method)(*arguments, **options)
                    system.check()
                system.finish()
            finally:
                system.close()


def failure(steps: Sequence[Step]) -> str | None:
    """Return what goes wrong on a walk, or None."""
    try:
        replay(steps)
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None


def shrunk(steps: Sequence[Step], problem: str) -> list[Step]:
    """Leave out steps while the same kind of thing goes wrong."""
    steps, size, kind = list(steps), max(1, len(steps) // 2), problem.partition(":")[0]
    while True:
        start = 0
        while start < len(steps):
            shorter = steps[:start] + steps[start + size :]
            found = failure(shorter)
            if found and found.startswith(kind):
                steps = shorter
            else:
                start += size
        if size == 1:
            return steps
        size //= 2


def as_code(steps: Sequence[Step]) -> str:
    """Return the walk as a test can have it."""
    lines = "".join(f"    {step!r},\n" for step in steps)
    return f"from model.loop_walk import replay\n\nreplay([\n{lines}])"


def walk_for(seconds: float, *, first_seed: int) -> Walked:
    """Walk with one seed after the other until the time is over."""
    end = time.monotonic() + seconds
    walks = steps = 0
    while time.monotonic() < end:
        steps += walk(first_seed + walks)
        walks += 1
    return Walked(walks, steps)


def _options(draw: random.Random) -> dict[str, Any]:
    return {
        "attempts": draw.choice((1, 3, 3, 3)),
        "timeout": draw.choice((None, None, 2.0)),
        "is_suspect": draw.random() < 0.1,
    }


def _empty(kept: list[tempfile.TemporaryDirectory[str]] = []) -> Path:  # noqa: B006
    """A queue without jobs, made once and copied for each walk."""
    if not kept:
        kept.append(tempfile.TemporaryDirectory())
        JobQueue(Path(kept[0].name, "jobs.db")).close()
    return Path(kept[0].name, "jobs.db")


def main() -> None:
    parser = argparse.ArgumentParser(description="Walk at random through what can happen to workers' loops.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    given = parser.parse_args()
    walked = walk_for(given.seconds, first_seed=given.seed)
    seeds = f"seeds {given.seed} to {given.seed + walked.walks - 1}"
    print(f"{walked.walks:,} walks of {walked.steps:,} steps, {seeds}: nothing wrong")


if __name__ == "__main__":
    main()
