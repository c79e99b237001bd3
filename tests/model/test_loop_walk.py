"""Whatever happens to workers, their loops remember what their slots have and nothing else; and some rare walks."""

from __future__ import annotations

from typing import Any

import pytest
from model.guards import Guard, occurrences
from model.loop_guards import LOOP_GUARDS
from model.loop_walk import Step, as_code, failure, plan, replay, shrunk, walk

ANN = ["ann"]


BOB = ["bob"]


def submit(number: int, function: str = "nothing", **options: Any) -> Step:
    return "submit", [number, function], {"attempts": 3, "timeout": None, "is_suspect": False, **options}


def lack(name: str, function: str, *, is_lacking: bool = True) -> Step:
    return "lack", [name, function], {"is_lacking": is_lacking}


@pytest.mark.parametrize("first_seed", range(0, 120, 20))
def test_on_any_walk_a_worker_remembers_its_executions_and_releases_none_without_a_reason(first_seed: int) -> None:
    for seed in range(first_seed, first_seed + 20):
        walk(seed, length=40)


def test_a_reserved_job_that_is_cancelled_is_forgotten() -> None:
    """It was remembered for ever: a second later, and from then on, each turn gave back all that had not begun."""
    replay(
        [
            *[submit(2), ("turn", ANN, {}), ("end_all", ANN, {}), ("turn", ANN, {})],
            *[submit(9), ("turn", ANN, {}), ("fill", ANN, {}), ("turn", ANN, {})],
            ("cancel", [0.9], {}),
            ("turn", ANN, {}),
            *[("end_all", ANN, {}), ("turn", ANN, {}), ("let_pass", [1.0], {})],
            *[submit(9), ("turn", ANN, {}), ("end_all", ANN, {}), ("turn", ANN, {}), ("turn", ANN, {})],
        ]
    )


def test_jobs_whose_free_slots_are_gone_when_they_are_claimed_are_given_back() -> None:
    scaled_down: list[Step] = [
        ("turn", ANN, {}),
        submit(2),
        ("scale", [1], {}),
        ("let_pass", [0.2], {}),
        ("turn", ANN, {}),
    ]
    replay([*scaled_down, ("fill", ANN, {}), ("let_pass", [1.0], {}), ("turn", ANN, {})])


def test_jobs_whose_slots_go_before_they_begin_are_given_back() -> None:
    claimed: list[Step] = [("turn", ANN, {}), submit(2), ("turn", ANN, {})]
    replay([*claimed, ("scale", [1], {}), ("rest", ANN, {}), ("let_pass", [1.0], {}), ("turn", ANN, {})])


def test_the_start_of_a_job_whose_free_slot_was_gone_is_sent_once() -> None:
    scaled_down: list[Step] = [
        ("turn", ANN, {}),
        submit(2),
        ("scale", [1], {}),
        ("let_pass", [0.2], {}),
        ("turn", ANN, {}),
    ]
    replay(
        [*scaled_down, ("fill", ANN, {}), ("end", ["ann", 0.0, "completed"], {}), ("fill", ANN, {}), ("rest", ANN, {})]
    )


def test_the_start_of_a_job_that_is_cancelled_before_it_is_written_is_forgotten() -> None:
    """A slot begins what was claimed ahead, and before that is written the job is cancelled."""
    prefetched: list[Step] = [submit(2), ("turn", ANN, {}), ("end_all", ANN, {}), ("turn", ANN, {}), submit(5)]
    begun: list[Step] = [
        ("turn", ANN, {}),
        ("fill", ANN, {}),
        ("end", ["ann", 0.0, "completed"], {}),
        ("turn", ANN, {}),
    ]
    replay([("turn", ANN, {}), *prefetched, *begun, ("fill", ANN, {}), ("cancel", [0.3], {}), *[("turn", ANN, {})] * 2])


def test_a_worker_that_stops_waits_for_its_last_job_without_turning() -> None:
    stop: Step = ("stop", ANN, {"is_graceful": True})
    replay([submit(1), ("turn", ANN, {}), ("fill", ANN, {}), stop, ("let_pass", [1.0], {}), ("rest", ANN, {})])


def test_a_worker_whose_suspect_runs_waits_for_it_without_turning() -> None:
    replay(
        [
            *[submit(1, is_suspect=True), submit(9), ("turn", ANN, {}), ("fill", ANN, {})],
            *[("let_pass", [1.0], {}), ("rest", ANN, {})],
        ]
    )


def test_the_jobs_that_waited_for_a_suspect_are_claimed_when_it_is_cancelled() -> None:
    begun: list[Step] = [("turn", ANN, {}), submit(3, is_suspect=True), ("turn", ANN, {}), ("fill", ANN, {})]
    replay([*begun, ("turn", ANN, {}), ("cancel", [0.0], {}), ("turn", ANN, {}), ("turn", ANN, {})])


def test_a_worker_waits_while_a_tick_is_due_that_only_another_machine_can_make() -> None:
    replay([("schedule_elsewhere", [], {}), ("turn", ANN, {}), ("rest", ANN, {})])


def test_a_claim_that_was_committed_though_it_was_said_to_have_failed_is_given_back() -> None:
    replay([("turn", ANN, {}), submit(3), ("spoil", [0, "committed"], {}), ("turn", ANN, {}), ("rest", ANN, {})])


def test_a_missing_function_is_looked_for_with_one_job_at_a_time() -> None:
    """While one looked, each turn claimed another one."""
    replay([lack("ann", "add"), submit(30, "add"), ("turn", ANN, {}), ("let_pass", [0.3], {})])


def test_a_job_that_looked_for_a_missing_function_and_is_taken_is_followed_by_another() -> None:
    """In the turn in which it ended it counted as if it still looked."""
    missed: list[Step] = [lack("bob", "add"), submit(3, "mine"), submit(3, "add"), ("check_file", [], {})]
    replay([*missed, ("spoil", [8, "committed"], {}), ("fill", BOB, {}), ("turn", BOB, {}), submit(30, "add")])


def test_what_waits_for_a_slot_is_given_back_when_its_function_is_missing_and_nothing_else_is() -> None:
    returned: list[Step] = [submit(2), ("turn", ANN, {}), ("end_all", ANN, {}), ("turn", ANN, {}), submit(2, "add")]
    prefetched: list[Step] = [("end_all", ANN, {}), submit(9), submit(9, "add"), ("turn", ANN, {})]
    begun: list[Step] = [("fill", ANN, {}), ("end", ["ann", 0.0, "completed"], {}), ("fill", ANN, {})]
    replay([*returned, *prefetched, lack("ann", "add"), *begun, ("rest", ANN, {})])


def test_a_worker_leaves_the_jobs_for_a_handler_to_the_worker_that_has_it() -> None:
    replay([submit(10, "mine"), ("turn", BOB, {}), ("fill", BOB, {}), ("turn", ANN, {}), ("rest", BOB, {})])


def test_a_walk_that_goes_wrong_is_made_shorter_and_shown_as_code() -> None:
    wrong: Step = ("turn", ["nobody"], {})
    steps = [*plan(1, 20), wrong, *plan(2, 20)]
    problem = failure(steps)
    assert problem == "KeyError: 'nobody'"
    assert shrunk(steps, problem) == [wrong]
    assert "('turn', ['nobody'], {})" in as_code([wrong])


@pytest.mark.parametrize("guard", LOOP_GUARDS, ids=lambda guard: f"{guard.file}: {guard.name}")
def test_the_text_of_a_guard_is_in_its_file_exactly_once(guard: Guard) -> None:
    assert occurrences(guard) == 1
