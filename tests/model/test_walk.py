"""On any walk, and on some that are too rare to wait for, the queue does what the model does."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from model.plan import KNOWS_NOTHING, Step
from model.walk import as_code, failure, replay, shrunk, walk

USUAL = {
    "function": "nothing", "goes_with_parent": True, "queue": "a", "priority": 0, "key": None, "most": 1,
    "retry_delay": 0, "timeout": inf, "delay": 0, "expires_at": inf,
}  # fmt: skip


def submit(name: str, *parents: str, **options: Any) -> Step:
    return "submit", [name], {**USUAL, "parents": parents, **options}


def claim(worker: str = "ann", **options: Any) -> Step:
    room = {"free": 1, "ahead": 0, "suspects": None}
    return "claim", [worker], {"queues": None, **room, **KNOWS_NOTHING, **options}


def settle(name: str, end: str) -> Step:
    return "settle", [name], {"end": end}


@pytest.mark.parametrize("first_seed", range(0, 200, 20))
def test_on_any_walk_the_queue_does_what_the_model_does(first_seed: int) -> None:
    for seed in range(first_seed, first_seed + 20):
        walk(seed)


def test_the_children_of_a_job_that_expired_together_with_its_parent_count_it_once() -> None:
    replay(
        [
            submit("parent", expires_at=5),
            submit("child", "parent", expires_at=5),
            submit("other"),
            submit("heedless", "child", "other", goes_with_parent=False),
            ("let_pass", [10], {}),
            claim(),
        ]
    )


def test_a_job_is_given_back_many_times_and_does_not_expire_meanwhile() -> None:
    polls = [claim(), ("settle", ["job"], {"end": "released", "delay": 5}), ("let_pass", [5], {})]
    ahead = [claim(free=0, ahead=1, returned=["nothing"]), ("leave", ["ann"], {"is_dead": False})]
    replay([submit("job", expires_at=50, most=2), *polls * 25, *ahead, claim()])


def test_a_job_fails_when_its_function_was_missing_for_a_day_and_it_was_ready_as_long() -> None:
    miss: list[Step] = [claim(free=9), *(("miss", [name], {}) for name in ("old", "late", "child", "found"))]
    half_a_day: Step = ("let_pass", [45_000], {})
    parent = [submit("parent", function="add"), submit("child", "parent")]
    replay(
        [
            *[submit("old"), *parent, submit("found", function="spin"), *miss, half_a_day],
            *[submit("late", delay=5), ("let_pass", [5], {}), settle("parent", "completed")],
            *[*miss, ("find", ["spin"], {}), half_a_day, *miss, half_a_day, *miss, half_a_day, *miss],
        ]
    )


def test_jobs_cancelled_because_of_one_that_could_not_come_back_come_back_with_it_in_the_end() -> None:
    replay(
        [
            submit("root"),
            submit("middle", "root", key="k"),
            submit("leaf", "middle"),
            claim(),
            settle("root", "failed"),
            submit("other", key="k"),
            ("requeue", ["root"], {"delay": 0}),
            ("cancel", ["other"], {"running": False}),
            ("requeue", ["middle"], {"delay": 0}),
            claim(free=5),
        ]
    )


def test_a_parent_that_ended_in_another_status_is_not_pruned_with_its_child() -> None:
    replay(
        [
            submit("parent"),
            submit("child", "parent", goes_with_parent=False),
            claim(),
            settle("parent", "failed"),
            ("let_pass", [5], {}),
            claim(),
            settle("child", "completed"),
            ("let_pass", [5], {}),
            ("prune", [["completed"]], {"older_than": 0, "keep": 0}),
        ]
    )


def test_a_child_that_is_stored_may_be_submitted_again_though_its_parent_is_gone() -> None:
    replay(
        [
            submit("parent"),
            submit("child", "parent"),
            claim(),
            settle("parent", "completed"),
            claim(),
            settle("child", "completed"),
            ("prune", [["completed"]], {"older_than": -inf, "keep": 1}),
            submit("child", "parent"),
        ]
    )


def test_a_walk_that_goes_wrong_is_reduced_to_the_steps_that_matter_and_shown_as_code() -> None:
    wrong = settle("two", "in the air")
    steps = [submit("one"), submit("two"), ("let_pass", [5], {}), claim(free=2), settle("one", "completed"), wrong]
    assert failure(steps[:-1]) is None
    shortest = shrunk(steps)
    assert shortest == [submit("two"), claim(free=2), wrong]
    assert as_code(shortest).count("\n") == 8


def test_what_waits_for_a_job_waits_for_what_it_finds_and_a_retry_finds_the_same() -> None:
    found: Step = ("find_job", ["crawl", "page"], {**submit("")[2], "parents": [], "what": 1, "is_detached": False})
    replay(
        [
            submit("crawl", most=2),
            submit("report", "crawl"),
            claim(),
            found,
            settle("crawl", "failed"),
            claim(),
            found,
            settle("crawl", "completed"),
            claim(),
            settle("page", "failed"),
            ("requeue", ["page"], {"delay": 0}),
            claim(),
            settle("page", "completed"),
            claim(free=5),
        ]
    )


def test_a_job_that_begins_anew_submits_anew_and_what_it_had_submitted_is_cancelled() -> None:
    found: Step = ("find_job", ["crawl", "page"], {**submit("")[2], "parents": [], "what": 1, "is_detached": False})
    again = found[0], ["crawl", "other"], found[2]
    replay(
        [
            submit("crawl"),
            submit("report", "crawl"),
            claim(),
            ("remember", ["crawl", "one"], {}),
            ("set_cursor", ["crawl", 3], {}),
            found,
            settle("crawl", "failed"),
            ("requeue", ["crawl"], {"delay": 0, "restart": True}),
            claim(),
            ("remember", ["crawl", "one"], {}),
            again,
            settle("crawl", "completed"),
            claim(free=5),
        ]
    )


def test_the_last_job_of_a_workflow_runs_again_when_what_had_failed_has_ended() -> None:
    jobs = [(name, submit("", *parents)[2]) for name, parents in (("flowa", ()), ("flowb", ("flowa",)))]
    last = {key: value for key, value in submit("")[2].items() if key not in ("key", "goes_with_parent")}
    replay(
        [
            ("submit_workflow", ["flow", jobs], {"last": last}),
            claim(),
            settle("flowa", "failed"),
            claim(),
            settle("flowend", "completed"),
            ("requeue_workflow", ["flow"], {}),
            *[claim(), settle("flowa", "completed"), claim(), settle("flowb", "completed"), claim()],
        ]
    )
