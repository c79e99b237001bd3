"""A worker claims ahead as fast as it consumes, and only what could not take the other jobs down with it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from runtime.calls import claim
from worker.test_inflight import add

from gigq.reports import Report
from gigq.runtime.runner import Ended
from gigq.status import ExecutionStatus
from gigq.store.claiming import Room
from gigq.worker.inflight import Inflight
from gigq.worker.prefetch import Prefetch

COMPLETED = Report.completed("null")
RELEASED = Report.released("given back")


def ended(number: int, *, report: Report = COMPLETED, function: str = "f") -> list[Ended]:
    return [(claim(execution_id=1 + each, function=function), report) for each in range(number)]


def shared(waiting: Iterable[int] = (), *, since: float = 0.0) -> Prefetch:
    """What a worker in thread mode may claim while these wait for a slot."""
    inflight = Inflight()
    add(inflight, waiting, now=since)
    return Prefetch(inflight, is_shared=True)


def ahead(prefetch: Prefetch, **given: int) -> int:
    return prefetch.room(0, (), ahead=True, **given).ahead


def test_nothing_is_claimed_ahead_before_something_has_ended() -> None:
    assert ahead(shared()) == 0


@pytest.mark.parametrize(("number", "limit"), [(0, 0), (1, 4), (7, 28), (47, 188), (48, 192), (49, 192), (500, 192)])
def test_four_times_what_ended_in_the_last_turn_is_claimed_ahead_and_at_most_192(number: int, limit: int) -> None:
    prefetch = shared()
    prefetch.note_settled(ended(number))
    assert ahead(prefetch) == limit


def test_each_turn_counts_at_least_half_of_the_one_before() -> None:
    prefetch = shared()
    prefetch.note_settled(ended(20))
    prefetch.note_settled(ended(1))
    assert ahead(prefetch) == 40
    for limit in (20, 8, 4, 0):
        prefetch.note_settled([])
        assert ahead(prefetch) == limit


def test_jobs_that_were_given_back_say_nothing_about_the_pace() -> None:
    prefetch = shared()
    prefetch.note_settled(ended(20, report=RELEASED))
    assert ahead(prefetch) == 0


@pytest.mark.parametrize(("waiting", "limit"), [(1, 7), (8, 0), (9, 0)])
def test_jobs_that_wait_already_are_subtracted(waiting: int, limit: int) -> None:
    prefetch = shared(range(100, 100 + waiting))
    prefetch.note_settled(ended(2))
    assert ahead(prefetch) == limit


@pytest.mark.parametrize(("unsettled", "limit"), [(1, 7), (8, 0), (200, 0)])
def test_reports_that_are_not_settled_are_subtracted_or_they_would_pile_up(unsettled: int, limit: int) -> None:
    prefetch = shared()
    prefetch.note_settled(ended(2))
    assert ahead(prefetch, ended=unsettled) == limit


def test_a_loop_that_is_asked_for_single_turns_claims_nothing_ahead() -> None:
    prefetch = shared()
    prefetch.note_settled(ended(9))
    assert prefetch.room(1, (), ahead=False) == Room(free=1, returned={"f"}, suspects=True)


def test_only_functions_that_have_returned_here_are_claimed_ahead() -> None:
    prefetch = shared()
    prefetch.note_settled(ended(1, function="good"))
    for status in ExecutionStatus.FAILED, ExecutionStatus.TIMEOUT, ExecutionStatus.RELEASED, ExecutionStatus.CANCELLED:
        prefetch.note_settled(ended(1, report=Report(status=status), function=status.value))
    assert set(prefetch.room(0, (), ahead=True).returned) == {"good"}


@pytest.mark.parametrize(
    ("is_shared", "running", "suspects"), [(True, [], True), (True, [7], False), (False, [], None), (False, [7], None)]
)
def test_threads_take_a_suspect_only_while_nothing_runs(
    is_shared: bool, running: list[int], suspects: bool | None
) -> None:
    assert Prefetch(Inflight(), is_shared=is_shared).room(1, running, ahead=True).suspects is suspects


def test_nothing_is_claimed_while_a_suspect_runs() -> None:
    prefetch = shared()
    prefetch.note_claimed([claim(execution_id=7, crashes=1, attempt=3)])
    assert prefetch.runs_suspect([7])
    assert prefetch.room(4, [7], ahead=True) == Room(free=0)
    assert not prefetch.runs_suspect([])
    assert prefetch.room(5, [], ahead=True) == Room(free=5, suspects=True, returned=set())


def test_child_processes_run_other_jobs_beside_a_suspect() -> None:
    prefetch = Prefetch(Inflight(), is_shared=False)
    prefetch.note_claimed([claim(execution_id=7, crashes=1, attempt=3)])
    assert not prefetch.runs_suspect([7])


@pytest.mark.parametrize(("now", "is_overdue"), [(10.0, False), (10.9, False), (11.0, True), (99.0, True)])
def test_a_job_that_has_waited_for_a_second_is_overdue(now: float, is_overdue: bool) -> None:
    assert shared([1], since=10.0).is_overdue(now) is is_overdue


def test_nothing_is_overdue_where_nothing_waits() -> None:
    assert not shared().is_overdue(1e9)
