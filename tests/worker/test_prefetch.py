"""A worker claims ahead as fast as it consumes, and only what could not take the others down with it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from runtime.test_call import claim

from gigq.reports import Report
from gigq.runtime.runner import Ended
from gigq.status import ExecutionStatus
from gigq.store.claiming import Room
from gigq.worker.prefetch import Prefetch

COMPLETED = Report(status=ExecutionStatus.COMPLETED, result="null")


def ended(number: int, *, first: int = 1, report: Report = COMPLETED, function: str = "f") -> list[Ended]:
    return [(claim(execution_id=first + each, function=function), report) for each in range(number)]


def shared() -> Prefetch:
    return Prefetch(is_shared=True)


def reserve_with(waiting: Iterable[int], *, since: float = 0.0) -> Prefetch:
    reserve = shared()
    reserve.note_claimed([claim(execution_id=each, is_ahead=True) for each in waiting], now=since)
    return reserve


def ahead(reserve: Prefetch) -> int:
    return reserve.room(0, (), ahead=True).ahead


def test_nothing_is_claimed_ahead_before_something_has_ended() -> None:
    assert ahead(shared()) == 0


@pytest.mark.parametrize(("number", "limit"), [(0, 0), (1, 4), (7, 28), (47, 188), (48, 192), (49, 192), (500, 192)])
def test_four_times_what_ended_in_the_last_turn_is_claimed_ahead_and_at_most_192(number: int, limit: int) -> None:
    reserve = shared()
    reserve.note_settled(ended(number), ())
    assert ahead(reserve) == limit


def test_the_turns_before_count_half_a_quarter_and_so_on() -> None:
    reserve = shared()
    reserve.note_settled(ended(20), ())
    reserve.note_settled(ended(1), ())
    assert ahead(reserve) == 40
    for limit in (20, 8, 4, 0):
        reserve.note_settled([], ())
        assert ahead(reserve) == limit


def test_what_was_given_back_says_nothing_of_the_pace() -> None:
    reserve = shared()
    reserve.note_settled(ended(20, report=Report(status=ExecutionStatus.RELEASED)), ())
    assert ahead(reserve) == 0


@pytest.mark.parametrize(("waiting", "limit"), [(1, 7), (8, 0), (9, 0)])
def test_what_waits_already_is_not_claimed_ahead_once_more(waiting: int, limit: int) -> None:
    reserve = reserve_with(range(100, 100 + waiting))
    reserve.note_settled(ended(2), ())
    assert ahead(reserve) == limit


def test_what_was_claimed_for_a_free_slot_does_not_wait() -> None:
    reserve = shared()
    reserve.note_claimed([claim(execution_id=1)], now=0)
    reserve.note_settled(ended(1, first=2), ())
    assert ahead(reserve) == 4
    assert not reserve.is_overdue(1e9)


def test_who_asks_for_single_turns_claims_nothing_ahead() -> None:
    reserve = shared()
    reserve.note_settled(ended(9), ())
    assert reserve.room(1, (), ahead=False) == Room(free=1, returned={"f"}, suspects=True)


def test_only_functions_that_have_returned_here_are_claimed_ahead() -> None:
    reserve = shared()
    reserve.note_settled(ended(1, function="good"), ())
    for status in ExecutionStatus.FAILED, ExecutionStatus.TIMEOUT, ExecutionStatus.RELEASED, ExecutionStatus.CANCELLED:
        reserve.note_settled(ended(1, report=Report(status=status), function=status.value), ())
    assert set(reserve.room(0, (), ahead=True).returned) == {"good"}


@pytest.mark.parametrize(
    ("is_shared", "running", "suspects"), [(True, [], True), (True, [7], False), (False, [], None), (False, [7], None)]
)
def test_a_suspect_comes_to_threads_only_while_nothing_runs(
    is_shared: bool, running: list[int], suspects: bool | None
) -> None:
    assert Prefetch(is_shared=is_shared).room(1, running, ahead=True).suspects is suspects


def test_nothing_is_claimed_beside_a_suspect() -> None:
    reserve = shared()
    reserve.note_claimed([claim(execution_id=7, crashes=1, attempt=3)], now=0)
    assert reserve.room(4, [7], ahead=True) == Room(free=0)
    assert reserve.room(5, [], ahead=True) == Room(free=5, suspects=True, returned=set())


def test_what_has_begun_is_told_until_that_is_written() -> None:
    reserve = reserve_with([1, 2, 3])
    reserve.note_begun([1, 2])
    assert set(reserve.begun) == {1, 2}
    reserve.note_settled([], reserve.begun)
    assert set(reserve.begun) == set()


def test_what_begins_while_a_turn_is_written_is_told_in_the_next() -> None:
    reserve = reserve_with([1, 2])
    reserve.note_begun([1])
    written = reserve.begun
    reserve.note_begun([2])
    reserve.note_settled([], written)
    assert set(reserve.begun) == {2}


def test_what_was_not_claimed_ahead_has_nothing_to_tell_when_it_begins() -> None:
    reserve = reserve_with([1])
    reserve.note_begun([7])
    assert set(reserve.begun) == set()


def test_what_has_begun_and_ended_between_two_turns_needs_no_start_of_its_own() -> None:
    reserve = reserve_with([1])
    reserve.note_begun([1])
    reserve.note_settled(ended(1), ())
    assert set(reserve.begun) == set()


@pytest.mark.parametrize(("now", "is_overdue"), [(10.0, False), (10.9, False), (11.0, True), (99.0, True)])
def test_who_waits_for_a_second_is_overdue(now: float, is_overdue: bool) -> None:
    assert reserve_with([1], since=10.0).is_overdue(now) is is_overdue


def test_the_one_that_waits_longest_decides() -> None:
    reserve = reserve_with([1], since=10.0)
    reserve.note_claimed([claim(execution_id=2, is_ahead=True)], now=10.9)
    assert reserve.is_overdue(11.0)
    reserve.note_begun([1])
    assert not reserve.is_overdue(11.0)


def test_what_was_given_back_waits_no_more() -> None:
    reserve = reserve_with([1, 2], since=0.0)
    reserve.note_settled(ended(2, report=Report(status=ExecutionStatus.RELEASED)), ())
    assert not reserve.is_overdue(1e9)
