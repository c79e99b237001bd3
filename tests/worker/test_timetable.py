"""The loop waits for what comes first: the heartbeat, a deadline, a job that becomes due, or the next look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gigq import ManualClock
from gigq.store.claiming import Outlook
from gigq.worker.options import WorkerOptions
from gigq.worker.throttle import Throttle
from gigq.worker.timetable import Timetable

NOTHING = Outlook(False, None)


def timetable(clock: ManualClock, **options: Any) -> Timetable:
    return Timetable(WorkerOptions(worker_id="ann", **options), clock)


def resting(clock: ManualClock, **options: Any) -> Timetable:
    """One whose heartbeat was renewed just now."""
    table = timetable(clock, **options)
    table.note_beat()
    return table


def in_seconds(clock: ManualClock, seconds: float) -> Outlook:
    return Outlook(False, clock.now() + timedelta(seconds=seconds))


def wait(table: Timetable, outlook: Outlook = NOTHING, **given: Any) -> float:
    return table.wait(outlook, **{"deadline": None, "is_free": True, "hears_bell": True, **given})


@pytest.mark.parametrize(("lease", "interval"), [(1.0, 0.1), (5.0, 0.5), (15.0, 1.0), (3600.0, 1.0)])
def test_the_heartbeat_comes_ten_times_a_lease_and_at_least_once_a_second(
    clock: ManualClock, lease: float, interval: float
) -> None:
    assert timetable(clock, lease=lease).beat_interval == interval


def test_the_first_heartbeat_is_due_at_once_and_the_next_after_its_interval(clock: ManualClock) -> None:
    table = timetable(clock)
    assert table.is_beat_due
    table.note_beat()
    assert not table.is_beat_due
    assert wait(table) == 1.0
    clock.advance(1.0)
    assert table.is_beat_due


def test_a_heartbeat_can_be_made_due(clock: ManualClock) -> None:
    table = resting(clock)
    table.beat_now()
    assert table.is_beat_due
    assert wait(table) == 0.0


def test_the_loop_waits_no_longer_than_its_polling_interval(clock: ManualClock) -> None:
    assert wait(resting(clock, polling_interval=0.25)) == 0.25


def test_a_polling_interval_of_zero_is_a_short_one(clock: ManualClock) -> None:
    assert wait(resting(clock, polling_interval=0.0)) == 0.005


def test_the_loop_wakes_at_a_deadline(clock: ManualClock) -> None:
    assert wait(resting(clock), deadline=clock.monotonic() + 0.5) == 0.5
    assert wait(resting(clock), deadline=clock.monotonic() - 3.0) == -3.0


def test_the_loop_wakes_when_a_job_becomes_due_if_it_has_a_slot_for_it(clock: ManualClock) -> None:
    assert wait(resting(clock), in_seconds(clock, 0.75)) == 0.75
    assert wait(resting(clock), in_seconds(clock, 0.75), is_free=False) == 1.0


def test_without_a_bell_the_queue_is_looked_at_more_and_more_rarely_until_there_is_a_job(clock: ManualClock) -> None:
    table = resting(clock)
    waits = [wait(table, hears_bell=False) for _ in range(8)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.005, 0.05)
    table.note_claimed()
    assert wait(table, hears_bell=False) == 0.005


def test_without_a_bell_a_worker_without_a_free_slot_does_not_look(clock: ManualClock) -> None:
    assert wait(resting(clock), hears_bell=False, is_free=False) == 1.0


@pytest.mark.parametrize(("seconds", "is_soon"), [(-5.0, True), (9.9, True), (10.1, False)])
def test_what_is_due_within_ten_seconds_is_soon(clock: ManualClock, seconds: float, is_soon: bool) -> None:
    assert timetable(clock).is_soon(in_seconds(clock, seconds)) is is_soon


def test_nothing_is_not_soon(clock: ManualClock) -> None:
    assert not timetable(clock).is_soon(NOTHING)


def test_a_throttle_allows_something_once_in_its_time(clock: ManualClock) -> None:
    throttle = Throttle(60.0, clock)
    assert throttle.allows()
    clock.advance(59.0)
    assert not throttle.allows()
    clock.advance(1.0)
    assert throttle.allows()
    assert not throttle.allows()


def test_a_free_worker_waits_until_it_may_look_for_a_missing_function_again(clock: ManualClock) -> None:
    search = clock.monotonic() + 0.4
    assert wait(resting(clock), next_search=search) == pytest.approx(0.4)
    assert wait(resting(clock), next_search=search, is_free=False) == 1.0
