"""What the queue does is what the model does, on any walk; and on some that are too rare to wait for."""

from __future__ import annotations

from typing import Any

import pytest
from model.walk import Step, as_code, failure, replay, shrunk, walk


def submit(name: str, parents: list[str] | None = None, **options: Any) -> Step:
    usual = {"goes_with_parent": True, "queue": "a", "priority": 0, "delay": 0, "expires_at": None}
    return "submit", [name], {**usual, "key": None, "most": 1, "retry_delay": 0, "parents": parents or [], **options}


def claim(**options: Any) -> Step:
    return "claim", ["ann"], {"free": 1, "ahead": 0, "queues": None, **options}


def settle(name: str, end: str) -> Step:
    return "settle", [name], {"which": -1, "end": end, "is_final": False, "delay": 0}


@pytest.mark.parametrize("first_seed", range(0, 200, 20))
def test_on_any_walk_the_queue_does_what_the_model_does(first_seed: int) -> None:
    for seed in range(first_seed, first_seed + 20):
        walk(seed)


def test_the_children_of_a_job_that_expired_together_with_its_parent_count_it_once() -> None:
    replay(
        [
            submit("parent", expires_at=5),
            submit("child", ["parent"], expires_at=5),
            submit("other"),
            submit("heedless", ["child", "other"], goes_with_parent=False),
            ("let_pass", [10], {}),
            claim(),
        ]
    )


def test_what_was_cancelled_because_of_a_job_that_could_not_come_back_comes_back_with_it_in_the_end() -> None:
    replay(
        [
            submit("root"),
            submit("middle", ["root"], key="k"),
            submit("leaf", ["middle"]),
            claim(),
            settle("root", "failed"),
            submit("other", key="k"),
            ("requeue", ["root"], {"delay": 0}),
            ("cancel", ["other"], {"running": False}),
            ("requeue", ["middle"], {"delay": 0}),
            claim(free=5),
        ]
    )


def test_a_parent_that_ended_otherwise_is_not_pruned_with_its_child() -> None:
    replay(
        [
            submit("parent"),
            submit("child", ["parent"], goes_with_parent=False),
            claim(),
            settle("parent", "failed"),
            ("let_pass", [5], {}),
            claim(),
            settle("child", "completed"),
            ("let_pass", [5], {}),
            ("prune", [["completed"]], {"older_than": 0, "keep": None}),
        ]
    )


def test_a_walk_on_which_something_goes_wrong_is_shrunk_to_the_steps_that_matter_and_shown_as_code() -> None:
    wrong = settle("two", "in the air")
    steps = [submit("one"), submit("two"), ("let_pass", [5], {}), claim(free=2), settle("one", "completed"), wrong]
    assert failure(steps[:-1]) is None
    shortest = shrunk(steps)
    assert shortest == [submit("two"), claim(free=2), wrong]
    assert as_code(shortest).count("\n") == 6
