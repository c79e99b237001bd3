"""Random walks: what the queue does is compared with the model after every step.

By command, for as long as you like::

    PYTHONPATH=.:tests python tests/model/walk.py --seconds 600
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from model.plain import Model
from model.system import System

Step = tuple[str, list[Any], dict[str, Any]]
"""A method of both, its arguments and its options."""

_QUEUES = ("a", "b")
_WORKERS = ("ann", "bob", "cid")
_ENDS = ("completed", "completed", "completed", "failed", "failed", "timeout", "released", "cancelled", "lost")
_FINISHED = ("completed", "failed", "timeout", "cancelled")
_STEPS_BETWEEN_CHECKS = 10


class Habits(NamedTuple):
    """How often a job has parents, runs although they ended badly, expires, and has a unique key."""

    kinship: float
    heedlessness: float
    haste: float
    keys: float


class Walked(NamedTuple):
    """What a number of walks came to."""

    walks: int
    steps: int


def walk(seed: int, *, length: int = 60) -> int:
    """Walk so many steps, and return how many that were.

    Raises:
        AssertionError: the queue did something else than the model, or its file is unsound. It tells the seed, and the
            shortest of the walks that were found to do the same, as code.
    """
    steps = plan(random.Random(seed), length)
    problem = failure(steps)
    if problem:
        shortest = shrunk(steps)
        raise AssertionError(f"seed {seed}: {failure(shortest)}\n\n{as_code(shortest)}")
    return len(steps)


def replay(steps: Sequence[Step]) -> None:
    """Walk these steps.

    Raises:
        AssertionError: the queue did something else than the model, or its file is unsound.
    """
    model, system = Model(), System()
    with system.queue:
        for number, (method, arguments, options) in enumerate(steps, 1):
            expected = getattr(model, method)(*arguments, **options)
            found = getattr(system, method)(*arguments, **options)
            assert found == expected, f"step {number}, {method}: the queue answers {found!r}, the model {expected!r}"
            assert system.state() == model.state(), f"step {number}, {method}: {difference(system, model)}"
            if number % _STEPS_BETWEEN_CHECKS == 0 or number == len(steps):
                assert system.queue.check() == []


def failure(steps: Sequence[Step]) -> str | None:
    """Return what goes wrong on a walk, or None."""
    try:
        replay(steps)
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None


def shrunk(steps: Sequence[Step]) -> list[Step]:
    """Leave out steps while something still goes wrong."""
    steps, size = list(steps), max(1, len(steps) // 2)
    while True:
        start = 0
        while start < len(steps):
            shorter = steps[:start] + steps[start + size :]
            if shorter and failure(shorter):
                steps = shorter
            else:
                start += size
        if size == 1:
            return steps
        size //= 2


def as_code(steps: Sequence[Step]) -> str:
    """Return the walk as a test can have it."""
    lines = "".join(f"    {step!r},\n" for step in steps)
    return f"from model.walk import replay\n\nreplay([\n{lines}])"


def difference(system: System, model: Model) -> str:
    """Say of what jobs they think otherwise."""
    found, expected = system.state(), model.state()
    parts = []
    for name in {**found, **expected}:
        here, there = found.get(name, {}), expected.get(name, {})
        keys = [key for key in {**here, **there} if here.get(key) != there.get(key)]
        parts += [f"{name}.{key} is {here.get(key)!r}, and should be {there.get(key)!r}" for key in keys]
    return "; ".join(parts) or "the order of the jobs"


def plan(chance: random.Random, length: int) -> list[Step]:
    """Draw steps. They make sense whichever of them are left out.

    Each walk has habits of its own, and never does some things: what is rare on average is frequent on some walks.
    """
    habits = Habits(*(chance.choice((0.0, 0.2, 0.5, 0.9)) for _ in Habits._fields))
    weights = {draw: weight * chance.choice((0, 1, 1, 3)) for draw, weight in _DRAWS.items()}
    draws = {partial(_submit, habits): _SUBMITS, **weights}
    steps: list[Step] = []
    for number in range(length):
        draw = chance.choices(list(draws), weights=list(draws.values()))[0]
        names = list(dict.fromkeys(arguments[0] for method, arguments, _ in steps if method == "submit"))
        steps.append(draw(chance, names, number))
    return [*steps, ("claim", ["ann"], {"free": 100, "ahead": 0, "queues": None})]


def _submit(habits: Habits, chance: random.Random, names: list[str], number: int) -> Step:
    name = chance.choice(names) if names and chance.random() < 0.05 else f"job{number}"
    options = {
        "parents": [each for each in _some(chance, names[-6:]) if each != name]
        if chance.random() < habits.kinship
        else [],
        "goes_with_parent": chance.random() > habits.heedlessness,
        "queue": chance.choice(_QUEUES),
        "priority": chance.choice((0, 0, 0, 5, -5)),
        "delay": chance.choice((0, 0, 0, 20, 100)),
        "expires_at": chance.choice((50, 100, 200)) if chance.random() < habits.haste else None,
        "key": chance.choice(("x", "y")) if chance.random() < habits.keys else None,
        "most": chance.choice((1, 1, 2, 3)),
        "retry_delay": chance.choice((0, 0, 30)),
    }
    return "submit", [name], options


def _claim(chance: random.Random, names: list[str], number: int) -> Step:
    queues = None if chance.random() < 0.7 else chance.sample(_QUEUES, chance.randint(1, 2))
    room = {"free": chance.choice((1, 1, 2, 5)), "ahead": chance.choice((0, 0, 2))}
    return "claim", [chance.choice(_WORKERS)], {**room, "queues": queues}


def _settle(chance: random.Random, names: list[str], number: int) -> Step:
    which = -1 if chance.random() < 0.85 else chance.choice((0, 1, -2))
    end, is_final = chance.choice(_ENDS), chance.random() < 0.2
    options = {"which": which, "end": end, "is_final": is_final and end == "failed", "delay": chance.choice((0, 20))}
    return "settle", [_name(chance, names)], options


def _reschedule(chance: random.Random, names: list[str], number: int) -> Step:
    changes = {"delay": chance.choice((0, 50)), "priority": chance.choice((-9, 9)), "queue": chance.choice(_QUEUES)}
    kept = chance.choice(list(changes))
    return "reschedule", [_name(chance, names)], {key: changes[key] if key == kept else None for key in changes}


def _prune(chance: random.Random, names: list[str], number: int) -> Step:
    statuses = chance.sample(_FINISHED, chance.randint(1, 4))
    return "prune", [statuses], {"older_than": chance.choice((None, 0, 50)), "keep": chance.choice((None, 0, 2))}


def _take_away(chance: random.Random, names: list[str], number: int) -> Step:
    return "take_away", [], {"older_than": chance.choice((0, 10, 50))}


def _let_pass(chance: random.Random, names: list[str], number: int) -> Step:
    return "let_pass", [chance.choice((5, 20, 20, 50, -10, -60))], {}


def _on_job(method: str, **choices: Sequence[Any]) -> Callable[[random.Random, list[str], int], Step]:
    def draw(chance: random.Random, names: list[str], number: int) -> Step:
        return method, [_name(chance, names)], {key: chance.choice(values) for key, values in choices.items()}

    return draw


def _on_one_of(method: str, those: Sequence[str], **choices: Sequence[Any]) -> Callable[..., Step]:
    def draw(chance: random.Random, names: list[str], number: int) -> Step:
        return method, [chance.choice(those)], {key: chance.choice(values) for key, values in choices.items()}

    return draw


def _name(chance: random.Random, names: list[str]) -> str:
    return chance.choice(names[-12:] or ["nobody"])


def _some(chance: random.Random, names: list[str]) -> list[str]:
    return chance.sample(names, min(len(names), chance.randint(1, 3)))


_SUBMITS = 24
_DRAWS: dict[Callable[[random.Random, list[str], int], Step], int] = {
    _claim: 18,
    _settle: 24,
    _on_job("begin", which=(-1, -1, 0)): 3,
    _on_one_of("standing", _WORKERS): 2,
    _on_one_of("strike_off", _WORKERS): 3,
    _on_one_of("resign", _WORKERS): 2,
    _take_away: 2,
    _on_job("cancel", running=(True, False)): 5,
    _on_job("requeue", delay=(0, 0, 40)): 7,
    _reschedule: 3,
    _on_one_of("pause", ("", "a"), is_paused=(True, False, False)): 2,
    _on_one_of("configure", _QUEUES, max_running=(None, 1, 2)): 2,
    _prune: 3,
    _let_pass: 8,
}


def walk_for(seconds: float, *, first_seed: int) -> Walked:
    """Walk with one seed after the other until the time is over."""
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
