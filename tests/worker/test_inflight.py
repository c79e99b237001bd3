"""A worker's memory of its executions: each is known once, and forgotten everywhere at once."""

from __future__ import annotations

from collections.abc import Iterable

from runtime.calls import claim

from gigq.reports import Report
from gigq.worker.inflight import Inflight

COMPLETED = Report.completed("null")


def waiting(*executions: int, now: float = 0.0) -> Inflight:
    """A memory of executions that were claimed ahead."""
    inflight = Inflight()
    add(inflight, executions, now=now)
    return inflight


def add(inflight: Inflight, executions: Iterable[int], *, now: float = 0.0) -> None:
    inflight.add([claim(execution_id=each, is_ahead=True) for each in executions], free=0, now=now)


def test_what_was_claimed_is_known_until_it_is_forgotten() -> None:
    inflight = waiting(1, 2)
    assert (list(inflight), len(inflight)) == ([1, 2], 2)
    inflight.forget([1, 7])
    assert (list(inflight), inflight.get(1)) == ([2], None)
    found = inflight.get(2)
    assert found is not None
    assert (found.claim.execution_id, found.is_start_sent, found.progress) == (2, False, None)


def test_a_job_that_was_claimed_ahead_waits_until_it_begins() -> None:
    inflight = waiting(1, 2, 3, now=5.0)
    assert (inflight.waiting, inflight.waiting_since) == (3, 5.0)
    inflight.note_begun([1, 2])
    assert inflight.waiting == 1


def test_a_job_that_was_claimed_for_a_free_slot_does_not_wait() -> None:
    inflight = Inflight()
    inflight.add([claim(execution_id=1), claim(execution_id=2, is_ahead=True)], free=2, now=0.0)
    assert inflight.waiting == 1
    inflight.note_begun([1])
    assert inflight.begun == [], "its start was written with its claim"


def test_a_job_whose_free_slot_is_gone_waits_like_the_others() -> None:
    inflight = Inflight()
    inflight.add([claim(execution_id=1), claim(execution_id=2)], free=1, now=0.0)
    assert inflight.waiting == 1


def test_the_job_that_has_waited_longest_is_the_one_claimed_first_that_still_waits() -> None:
    inflight = waiting(1, now=1.0)
    add(inflight, [2], now=2.0)
    add(inflight, [3], now=3.0)
    assert inflight.waiting_since == 1.0
    inflight.note_begun([1])
    assert inflight.waiting_since == 2.0
    inflight.note_ended([(claim(execution_id=2), COMPLETED)])
    assert inflight.waiting_since == 3.0
    inflight.forget([3])
    assert inflight.waiting_since is None


def test_a_start_is_to_be_written_until_it_is() -> None:
    inflight = waiting(1, 2, 3)
    inflight.note_begun([1, 2])
    assert inflight.begun == [1, 2]
    inflight.note_start_written([1, 2])
    assert inflight.begun == []


def test_a_start_that_comes_while_another_is_written_is_written_next() -> None:
    inflight = waiting(1, 2)
    inflight.note_begun([1])
    written = inflight.begun
    inflight.note_begun([2])
    inflight.note_start_written(written)
    assert inflight.begun == [2]


def test_a_report_says_itself_when_its_job_began() -> None:
    inflight = waiting(1)
    inflight.note_begun([1])
    inflight.note_ended([(claim(execution_id=1), COMPLETED)])
    assert inflight.begun == []


def test_a_job_that_has_ended_is_known_until_its_end_is_written_and_does_not_wait() -> None:
    inflight = waiting(1)
    inflight.note_ended([(claim(execution_id=1), COMPLETED)])
    assert (list(inflight), inflight.waiting) == ([1], 0)


def test_nothing_is_left_of_what_was_forgotten_in_any_state() -> None:
    inflight = waiting(1, 2, 3, 4)
    inflight.note_begun([1, 2])
    inflight.note_start_written([1])
    inflight.note_ended([(claim(execution_id=4), COMPLETED)])
    inflight.forget([1, 2, 3, 4])
    assert all(not each for each in vars(inflight).values())
