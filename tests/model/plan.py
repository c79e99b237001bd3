"""The steps of a walk, drawn at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, NamedTuple

from model.flows import NOBODYS
from model.kin import BADLY, HAND
from model.plain import Model
from model.system import BY_HAND

Step = tuple[str, list[Any], dict[str, Any]]
"""A method, its arguments and its options."""

_QUEUES = tuple("abcdefghijkl")
"""More than a claim asks one after the other; most walks have only two of them."""

_FUNCTIONS = ("nothing", "spin", "add")
_WORKERS = ("ann", "bob", "cid")
_SCHEDULES = ("early", "late")
_STEPS = ("one", "two", "three")
_ENDS = ("completed", "completed", "completed", "failed", "failed", "timeout", "released", "cancelled", "lost")
_FINISHED = ("completed", "failed", "timeout", "cancelled")
_RATE_PERIOD = 30.5
"""Half a second off all starts, so that nothing depends on the moment between a claim and the call."""

_JUMPS = (3600, -3600)
_MORE_THAN_A_DAY = 90_000

KNOWS_NOTHING: dict[str, list[str]] = {"returned": [], "absent": [], "probed": []}
"""What a worker knows of functions that has run none, and lacks none."""


class Habits(NamedTuple):
    """How often a job has parents, runs although they ended badly, expires, has a unique key, has little time.

    And how often a queue has a rate, the clock jumps, there are many queues, a worker lacks functions, and what a job
    finds is detached.
    """

    kinship: float
    heedlessness: float
    haste: float
    keys: float
    hurry: float
    rates: float
    jumps: float
    crowds: float
    lacks: float
    detachment: float


class Drawing(NamedTuple):
    """What a step is drawn with: the walk's habits, what it has come to so far, and the step's number."""

    chance: random.Random
    habits: Habits
    model: Model
    number: int

    @property
    def has_rates(self) -> bool:
        """Whether queues may have a rate on this walk."""
        return self.habits.rates > 0.4

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues of this walk."""
        return _QUEUES if self.habits.crowds > 0.4 else _QUEUES[:2]

    def happens(self, probability: float) -> bool:
        return self.chance.random() < probability

    def one_of(self, *those: Any) -> Any:
        return self.chance.choice(those)

    def some(self, those: Sequence[str]) -> list[str]:
        return self.chance.sample(those, min(len(those), self.chance.randint(1, 3)))

    def a_job(self, *statuses: str) -> str:
        """The name of a job: mostly of one with this status."""
        jobs = self.model.jobs.values()
        fit = [job["name"] for job in jobs if job["status"] in statuses] if self.happens(0.8) else []
        return self.one_of(*(fit or [*self.model.jobs][-12:] or ["nobody"]))

    def options(self) -> dict[str, Any]:
        """The options that a schedule's job may have too."""
        return {
            "function": self.one_of(*_FUNCTIONS),
            "goes_with_parent": not self.happens(self.habits.heedlessness),
            "queue": self.one_of(*self.queues),
            "priority": self.one_of(0, 0, 0, 5, -5),
            "key": self.one_of("x", "y") if self.happens(self.habits.keys) else None,
            "most": self.one_of(1, 1, 2, 3),
            "retry_delay": self.one_of(0, 0, 30),
            "timeout": 40 if self.happens(self.habits.hurry) else inf,
        }


def plan(chance: random.Random, length: int) -> list[Step]:
    """Draw steps. They make sense whichever of them are left out.

    Each walk has habits of its own, and never does some things: what is rare on average is frequent on some walks.
    """
    habits = Habits(*(chance.choice((0.0, 0.2, 0.5, 0.9)) for _ in Habits._fields))
    draws = {draw: weight * chance.choice((0, 1, 1, 3)) for draw, weight in _DRAWS.items()} | {_submit: _SUBMITS}
    steps, model = list[Step](), Model()
    for number in range(length):
        draw = chance.choices(list(draws), weights=list(draws.values()))[0]
        step = draw(Drawing(chance, habits, model, number))
        steps.append(step)
        if step[0] == "let_pass":
            model.now += step[1][0]
        answer(model, step)
    return [*steps, ("claim", ["ann"], {"queues": None, "free": 100, "ahead": 0, "suspects": None, **KNOWS_NOTHING})]


def answer(model: Model, step: Step) -> Any:
    """Do a step in the model; steps that only try the queue do nothing there."""
    method, arguments, options = step
    return getattr(model, method)(*arguments, **options) if hasattr(model, method) else None


def _submit(draw: Drawing) -> Step:
    name = draw.a_job() if draw.happens(0.05) else f"job{draw.number}"
    parents = draw.some([*draw.model.jobs][-6:]) if draw.happens(draw.habits.kinship) else []
    expires_at = draw.one_of(50, 100, 200) if draw.happens(draw.habits.haste) else inf
    options = {"parents": [each for each in parents if each != name], "delay": draw.one_of(0, 0, 0, 20, 100)}
    return "submit", [name], {**draw.options(), **options, "expires_at": expires_at}


def _submit_many(draw: Drawing) -> Step:
    """One job for each queue, and some of them twice."""
    names = [f"job{draw.number}{queue}" for queue in draw.queues]
    plain = {"parents": [], "delay": 0, "expires_at": inf}
    jobs = [(name, draw.options() | plain | {"queue": name[-1]}) for name in names + draw.some(names)]
    return "submit_many", [jobs], {}


def _claim(draw: Drawing) -> Step:
    queues = None if draw.happens(0.7) else draw.one_of(draw.some(draw.queues), [*draw.queues])
    lacks = draw.some(_FUNCTIONS) if draw.happens(draw.habits.lacks) else []
    room = {
        "free": draw.one_of(1, 1, 2, 5),
        "ahead": draw.one_of(0, 2, 4),
        "suspects": draw.one_of(None, None, True, False),
    }
    known = {"returned": draw.some(_FUNCTIONS), "absent": lacks[1:], "probed": lacks[:1]}
    return "claim", [draw.one_of(*_WORKERS)], {"queues": queues, **room, **known}


def _take_by_hand(draw: Drawing) -> Step:
    queues = None if draw.happens(0.7) else draw.some(draw.queues)
    return "claim", [HAND], {"queues": queues, "free": 1, "ahead": 0, "suspects": None, **KNOWS_NOTHING}


def _settle(draw: Drawing) -> Step:
    end = draw.one_of(*_ENDS)
    is_final = end == "failed" and draw.happens(0.2)
    return "settle", [draw.a_job("running")], {"end": end, "is_final": is_final, "delay": draw.one_of(1, 20)}


def _miss(draw: Drawing) -> Step:
    """Not where a queue may have a rate: what was claimed and not called is known to count later, or not at all."""
    return ("find", [draw.one_of(*_FUNCTIONS)], {}) if draw.has_rates else ("miss", [draw.a_job("running")], {})


def _settle_by_name(draw: Drawing) -> Step:
    how = {"end": draw.one_of(*BY_HAND), "delay": draw.one_of(1, 20)}
    return "settle", [draw.a_job("running")], {**how, "worker": HAND}


def _reschedule(draw: Drawing) -> Step:
    changes = {"delay": draw.one_of(0, 50), "priority": draw.one_of(-9, 9), "queue": draw.one_of(*draw.queues)}
    kept = draw.one_of(*changes)
    return "reschedule", [draw.a_job("pending")], {kept: changes[kept]}


def _prune(draw: Drawing) -> Step:
    return "prune", [draw.some(_FINISHED)], {"older_than": draw.one_of(-inf, 0, 50), "keep": draw.one_of(0, 0, 2)}


def _limit(draw: Drawing) -> Step:
    limits: dict[str, float] = {"max_running": draw.one_of(inf, 1, 2)} if draw.happens(0.7) else {}
    if not draw.has_rates or draw.happens(0.3):
        limits["rate_limit"] = inf
    elif draw.happens(0.7):
        limits |= {"rate_limit": draw.one_of(1, 2, 3), "rate_period": _RATE_PERIOD}
    return "say", [draw.one_of(*draw.queues)], limits  # what is not given stays


def _hold_back(draw: Drawing) -> Step:
    return "say", [draw.one_of("", "a")], {"is_paused": draw.one_of(True, False, False, False)}


def _schedule(draw: Drawing) -> Step:
    job = draw.options() | {"parents": [], "delay": 0, "expires_at": inf}
    rule = {"every": draw.one_of(20, 30), "overlap": draw.happens(0.5)}
    return "schedule", [draw.one_of(*_SCHEDULES)], {**rule, "job": job}


def _tick(draw: Drawing) -> Step:
    return "tick", [[f"tick{draw.number}", f"tock{draw.number}"]], {}


def _let_pass(draw: Drawing) -> Step:
    """Move the clock; not back where a queue may have a rate, because which starts it then forgets is not specified."""
    if draw.happens(draw.habits.lacks / 5):
        return "let_pass", [_MORE_THAN_A_DAY], {}
    seconds = draw.one_of(*_JUMPS) if draw.happens(draw.habits.jumps / 5) else draw.one_of(5, 20, 20, 50, -10, -60)
    return "let_pass", [abs(seconds) if draw.has_rates else seconds], {}


def _on_job(method: str, *statuses: str, **choices: Sequence[Any]) -> Callable[[Drawing], Step]:
    return lambda draw: (
        method,
        [draw.a_job(*statuses)],
        {key: draw.one_of(*values) for key, values in choices.items()},
    )


def _on_job_of(method: str, those: Sequence[Any]) -> Callable[[Drawing], Step]:
    return lambda draw: (method, [draw.a_job("running"), draw.one_of(*those)], {})


def _remember(draw: Drawing) -> Step:
    return "remember", [draw.a_job("running"), draw.one_of(*_STEPS)], {"writes": draw.happens(0.5)}


def _find_job(draw: Drawing) -> Step:
    """What a retry finds is the same only if little can be found."""
    options = _submit(draw)[2]
    how = {"what": draw.one_of(1, 1, 2), "is_detached": draw.happens(draw.habits.detachment)}
    return "find_job", [draw.a_job("running"), f"found{draw.number}"], {**options, **how}


def _submit_workflow(draw: Drawing) -> Step:
    """Jobs that may wait for each other, and for some that are in the queue."""
    jobs: list[tuple[str, dict[str, Any]]] = []
    for letter in "abcd"[: draw.one_of(1, 2, 4)]:
        options = _submit(draw)[2]
        own = [name for name, _ in jobs if draw.happens(draw.habits.kinship)]
        jobs.append((f"flow{draw.number}{letter}", {**options, "parents": [*options["parents"][:1], *own]}))
    last = {key: value for key, value in _submit(draw)[2].items() if key not in NOBODYS} | {"parents": []}
    return "submit_workflow", [f"flow{draw.number}", jobs], {"last": last if draw.happens(0.7) else None}


def _on_workflow(method: str) -> Callable[[Drawing], Step]:
    def draw_one(draw: Drawing) -> Step:
        flows = {job["workflow"] for job in draw.model.jobs.values()} - {None}
        return method, [draw.one_of(*(sorted(flows) or ["none"]))], {}

    return draw_one


def _together(draw: Drawing) -> Step:
    """Several in one transaction, which is committed or rolled back."""
    draws = (_submit, _settle_by_name, _reschedule, _on_job("cancel", "pending", "running", running=(True, False)))
    numbers = [1000 * draw.number + each for each in range(draw.one_of(1, 2, 3))]
    steps = [draw.one_of(*draws)(draw._replace(number=number)) for number in numbers]
    return "together", [steps], {"commit": draw.happens(0.6)}


def _on_one_of(those: Sequence[str], method: str, **choices: Sequence[Any]) -> Callable[[Drawing], Step]:
    return lambda draw: (method, [draw.one_of(*those)], {key: draw.one_of(*each) for key, each in choices.items()})


_SUBMITS = 24
_DRAWS: dict[Callable[[Drawing], Step], int] = {
    _submit_many: 2,
    _claim: 18,
    _take_by_hand: 4,
    _settle: 22,
    _settle_by_name: 2,
    _miss: 6,
    _on_one_of(_FUNCTIONS, "find"): 2,
    _on_job("begin", "running"): 3,
    _on_job("report_late", "running", "pending"): 3,
    _on_one_of(_WORKERS, "leave", is_dead=(True, True, False)): 5,
    lambda draw: ("reclaim", [], {"older_than": draw.one_of(inf, 0, 10, 50)}): 3,
    _on_job("cancel", "pending", "running", running=(True, False)): 5,
    _on_job("requeue", *BADLY, delay=(0, 0, 40)): 7,
    _on_job("requeue", *BADLY, delay=(0,), restart=(True,)): 3,
    _on_job("requeue", *BADLY, delay=(0,), from_step=_STEPS): 2,
    _find_job: 12,
    _remember: 6,
    lambda draw: ("complete_itself", [draw.a_job("running"), draw.number], {}): 6,
    _on_job_of("set_cursor", (1, 2, 3)): 2,
    _together: 3,
    _submit_workflow: 4,
    _on_workflow("cancel_workflow"): 2,
    _on_workflow("requeue_workflow"): 5,
    _reschedule: 3,
    _hold_back: 2,
    _limit: 2,
    _schedule: 3,
    _on_one_of(_SCHEDULES, "pause", is_paused=(True, False)): 2,
    _tick: 4,
    _prune: 3,
    lambda draw: ("delete", [draw.a_job()], {}): 2,
    lambda draw: ("repair", [], {}): 1,
    _let_pass: 8,
}
