"""Pauses and limits of named queues."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from store.verbs import File

from gigq import QueueRecord
from gigq.claims import Claim
from gigq.clock import to_text
from gigq.reports import Report
from gigq.status import ExecutionStatus
from gigq.store import claiming, settling

DONE = Report(status=ExecutionStatus.COMPLETED, result="null")


def outlook(file: File) -> claiming.Outlook:
    with file.queue.database.read() as tx:
        return claiming.outlook(tx)


def finish(file: File, claims: list[Claim]) -> None:
    for claim in claims:
        file.settle(claim, ExecutionStatus.COMPLETED)


# pauses


@pytest.mark.parametrize("paused", ["a", None])
def test_no_job_of_a_paused_queue_is_claimed_or_expected(file: File, paused: str | None) -> None:
    file.submit("in a", queue="a")
    file.queue.pause(paused)
    assert (file.claim(5), outlook(file)) == ([], (False, None))
    file.queue.resume(paused)
    assert outlook(file).is_ready
    assert file.names(file.claim(5)) == ["in a"]


def test_other_queues_go_on_while_one_is_paused(file: File) -> None:
    for queue in "abc":
        file.submit(queue, queue=queue)
    file.queue.pause("b")
    assert file.names(file.claim(5)) == ["a", "c"]


def test_a_queue_is_paused_before_it_exists(file: File) -> None:
    file.queue.pause("not yet")
    file.submit(queue="not yet")
    assert file.claim(5) == []


def test_a_pause_of_all_queues_includes_those_that_come_later(file: File) -> None:
    file.queue.pause()
    file.submit(queue="new")
    assert file.claim(5, queues=["new"]) == []


def test_a_queue_paused_by_its_name_stays_paused_when_all_are_resumed(file: File) -> None:
    for queue in "ab":
        file.submit(queue, queue=queue)
    file.queue.pause("a")
    file.queue.pause()
    file.queue.resume()
    assert file.names(file.claim(5)) == ["b"]
    file.queue.resume("a")
    assert file.names(file.claim(5)) == ["a"]


def test_resuming_one_queue_while_all_are_paused_changes_nothing_yet(file: File) -> None:
    file.submit(queue="a")
    file.queue.pause()
    file.queue.resume("a")
    assert file.claim(5) == []


def test_a_pause_returns_the_queues_that_it_concerns_with_their_jobs(file: File) -> None:
    file.submit(queue="mail")
    (mail,) = file.queue.pause("mail")
    assert (mail.name, mail.is_paused, mail.ready) == ("mail", True, 1)
    (misspelt,) = file.queue.pause("mial")
    assert (misspelt.is_paused, misspelt.ready, misspelt.scheduled, misspelt.running) == (True, 0, 0, 0)
    assert [(each.name, each.is_paused) for each in file.queue.pause()] == [("mail", True), ("mial", True)]


def test_a_resume_returns_the_queues_that_it_concerns_so_that_one_sees_which_stay_paused(file: File) -> None:
    file.submit(queue="mail")
    file.queue.pause()
    file.queue.pause("mail")
    file.submit(queue="video")
    assert [each.name for each in file.queue.resume("mail") if each.is_paused] == ["mail"]
    file.queue.pause("mail")
    assert [each.name for each in file.queue.resume() if each.is_paused] == ["mail"]
    assert not any(each.is_paused for each in file.queue.resume("mail"))


def test_a_queue_that_was_only_resumed_is_not_in_use(file: File) -> None:
    file.queue.pause("a")
    (record,) = file.queue.resume("a")
    assert (record.name, record.is_paused) == ("a", False)
    file.queue.resume("never seen")
    assert file.queue.queues() == []


def test_a_ready_job_of_a_paused_queue_has_a_phase_of_its_own(file: File) -> None:
    ready, later = file.submit(), file.submit(delay=60)
    waiting = file.submit(dependencies=[ready])
    file.queue.pause()
    assert [file.job(each).phase for each in (ready, later, waiting)] == ["paused", "scheduled", "waiting"]
    assert (file.queue.count(phase="paused"), file.queue.count(phase="ready")) == (1, 0)


# limits that are given, and limits that stay


def limits(record: QueueRecord) -> tuple[float | None, ...]:
    return record.max_running, record.rate_limit, record.rate_period


@pytest.mark.parametrize(
    ("changes", "then"),
    [
        ({}, (2, 5, 60.0)),
        ({"max_running": 3}, (3, 5, 60.0)),
        ({"max_running": None}, (None, 5, 60.0)),
        ({"rate_limit": 6}, (2, 6, 60.0)),
        ({"rate_period": "2m"}, (2, 5, 120.0)),
        ({"rate_limit": None}, (2, None, None)),
        ({"max_running": None, "rate_limit": None}, (None, None, None)),
    ],
)
def test_configure_changes_only_what_is_given_and_none_takes_a_limit_away(
    file: File, changes: dict[str, Any], then: tuple[float | None, ...]
) -> None:
    file.queue.configure("a", max_running=2, rate_limit=5, rate_period=60)
    assert limits(file.queue.configure("a", **changes)) == then
    assert [limits(each) for each in file.queue.queues()] == ([then] if any(then) else [])


def test_a_rate_has_a_period_of_one_second_unless_another_is_given(file: File) -> None:
    assert limits(file.queue.configure("a", rate_limit=5)) == (None, 5, 1.0)
    file.queue.configure("a", rate_limit=None)
    assert limits(file.queue.configure("a", rate_limit=7)) == (None, 7, 1.0)


@pytest.mark.parametrize("changes", [{"rate_period": 60}, {"rate_limit": None, "rate_period": 60}])
def test_a_period_without_a_rate_is_refused_and_nothing_changes(file: File, changes: dict[str, Any]) -> None:
    file.queue.configure("a", max_running=2)
    with pytest.raises(ValueError, match="rate_period is 60, without a rate_limit"):
        file.queue.configure("a", max_running=3, **changes)
    assert limits(file.queue.configure("a")) == (2, None, None)


def test_a_pause_survives_a_change_of_limits_and_asking_for_them_leaves_no_trace(file: File) -> None:
    assert limits(file.queue.configure("unheard of")) == (None, None, None)
    assert file.queue.queues() == []
    file.queue.pause("a")
    assert file.queue.configure("a", max_running=1).is_paused


# how many may run


def test_no_more_jobs_run_than_the_limit_in_all_workers_together(file: File) -> None:
    file.queue.configure("a", max_running=2)
    bob = file.register("bob")
    for _ in range(4):
        file.submit(queue="a")
    first = file.claim(1)
    assert len(file.claim(5, worker=bob)) == 1
    assert (file.claim(5), outlook(file)) == ([], (False, None))
    finish(file, first)
    assert outlook(file).is_ready
    assert len(file.claim(5)) == 1


def test_other_queues_fill_the_slots_that_a_limit_leaves(file: File) -> None:
    file.queue.configure("a", max_running=1)
    for queue in ("a", "a", "b", "b"):
        file.submit(queue, queue=queue)
    assert file.names(file.claim(3)) == ["a", "b", "b"]


def test_no_job_of_a_queue_with_limits_is_claimed_ahead(file: File) -> None:
    file.queue.configure("a", max_running=100)
    for _ in range(3):
        file.submit(queue="a")
    assert len(file.claim(1, ahead=10, returned=["functions:nothing"])) == 1


@pytest.mark.parametrize(("max_running", "is_news"), [(1, True), (None, False)])
def test_the_end_of_a_job_wakes_workers_where_another_may_wait_for_its_place(
    file: File, max_running: int | None, is_news: bool
) -> None:
    file.queue.configure("a", max_running=max_running)
    file.submit(queue="a")
    (claim,) = file.claim()
    with file.write() as tx:
        settling.settle(tx, claim.execution_id, DONE)
        assert tx.has_news is is_news


# how many may start


def test_no_more_jobs_start_within_any_period_than_the_rate_limit(file: File) -> None:
    file.queue.configure("a", rate_limit=3, rate_period=10)
    for _ in range(20):
        file.submit(queue="a")
    starts: list[float] = []
    for second in range(40):
        claims = file.claim(2)
        starts += [second] * len(claims)
        finish(file, claims)
        file.clock.advance(1)
    assert starts == [0, 0, 1, 10, 10, 11, 20, 20, 21, 30, 30, 31]


def test_a_start_counts_from_the_call_of_the_function_and_not_from_the_claim(file: File) -> None:
    file.queue.configure("a", rate_limit=1, rate_period=10)
    for _ in range(2):
        file.submit(queue="a")
    (claim,) = file.claim()
    file.clock.advance(0.1)
    file.settle(claim, ExecutionStatus.COMPLETED, started_at=to_text(file.clock.now()))
    file.clock.advance(9.95)
    assert file.claim() == []
    file.clock.advance(0.05)
    assert len(file.claim()) == 1


def test_a_function_that_still_runs_was_called_at_most_a_fifth_of_a_second_after_its_claim(file: File) -> None:
    file.queue.configure("a", rate_limit=1, rate_period=10)
    for _ in range(2):
        file.submit(queue="a")
    file.claim()
    file.clock.advance(10.1)
    assert file.claim() == []
    file.clock.advance(0.1)
    assert len(file.claim()) == 1


def test_a_job_that_was_given_back_before_it_began_has_not_started(file: File) -> None:
    file.queue.configure("a", rate_limit=1, rate_period=10)
    file.submit(queue="a")
    (claim,) = file.claim()
    with file.write() as tx:
        tx.execute("UPDATE executions SET started_at = NULL")
    file.settle(claim, ExecutionStatus.RELEASED)
    assert len(file.claim()) == 1


def test_the_outlook_says_when_the_next_job_may_start(file: File) -> None:
    file.queue.configure("a", rate_limit=1, rate_period=60)
    file.submit(queue="a")
    finish(file, file.claim())
    assert outlook(file) == (False, None)
    file.submit(queue="a")
    assert outlook(file) == (False, file.clock.now() + timedelta(seconds=60))
    file.clock.advance(60)
    assert outlook(file).is_ready


def test_both_limits_hold_together(file: File) -> None:
    file.queue.configure("a", max_running=1, rate_limit=2, rate_period=60)
    for _ in range(5):
        file.submit(queue="a")
    first = file.claim(5)
    assert len(first) == 1
    finish(file, first)
    second = file.claim(5)
    assert len(second) == 1
    finish(file, second)
    assert file.claim(5) == []


def test_earlier_starts_count_when_the_limit_is_changed(file: File) -> None:
    file.queue.configure("a", rate_limit=2, rate_period=60)
    for _ in range(9):
        file.submit(queue="a")
    finish(file, file.claim(9))
    file.queue.configure("a", rate_limit=3, rate_period=60)
    assert len(file.claim(9)) == 1


def test_a_clock_that_is_set_back_freezes_no_queue(file: File) -> None:
    file.queue.configure("a", rate_limit=1, rate_period=60)
    for _ in range(2):
        file.submit(queue="a")
    finish(file, file.claim())
    file.clock.set(file.clock.now() - timedelta(hours=1))
    assert len(file.claim()) == 1


# how they stand


def test_queues_are_shown_with_their_numbers_and_their_rules(file: File) -> None:
    file.submit(queue="b")
    oldest = file.clock.now()
    file.claim()
    file.clock.advance(10)
    file.submit(queue="b", priority=-5)
    file.clock.advance(10)
    file.submit(queue="b", priority=5)
    file.submit(queue="b", delay=60)
    file.queue.configure("a", rate_limit=5, rate_period=60)
    file.queue.pause("a")
    a, b = file.queue.queues()
    assert (a.name, a.is_paused, a.ready, a.rate_limit, a.rate_period, a.oldest_ready_at) == ("a", True, 0, 5, 60, None)
    assert (b.name, b.is_paused, b.ready, b.scheduled, b.running) == ("b", False, 2, 1, 1)
    assert b.oldest_ready_at == oldest + timedelta(seconds=10)
    assert b.as_dict()["oldest_ready_at"] == "2026-01-01T00:00:10.000000Z"


def test_a_pause_of_all_queues_is_shown_for_each(file: File) -> None:
    file.submit(queue="a")
    file.queue.pause()
    assert [(each.name, each.is_paused) for each in file.queue.queues()] == [("a", True)]


@pytest.mark.parametrize("wrong", ["", 5, ["a"], "\ud800"])
def test_a_value_that_is_no_name_of_a_queue_is_refused(file: File, wrong: str) -> None:
    for act in (file.queue.pause, file.queue.resume, file.queue.configure):
        with pytest.raises(ValueError, match=r"^queue (is|must not be empty)"):
            act(wrong)


@pytest.mark.parametrize(
    "limits",
    [{"max_running": 0}, {"max_running": True}, {"max_running": 1.5}, {"rate_limit": -1}, {"rate_limit": "9"},
     {"rate_limit": 1, "rate_period": 0}, {"rate_limit": 1, "rate_period": -1}],
)  # fmt: skip
def test_an_impossible_limit_is_refused_by_name(file: File, limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"max_running|rate_limit|rate_period|duration"):
        file.queue.configure("a", **limits)  # type: ignore[arg-type]
    assert file.queue.queues() == []


def test_a_start_counts_though_its_job_has_been_deleted(file: File) -> None:
    file.queue.configure("a", rate_limit=2, rate_period=3600)
    for _ in range(6):
        file.submit(queue="a")
    for expected in (1, 1, 0, 0):
        claims = file.claim()
        finish(file, claims)
        file.clock.advance(1)
        file.queue.clear_completed()
        assert len(claims) == expected


def test_a_queue_that_is_named_twice_is_served_once(file: File) -> None:
    for queue in "aabb":
        file.submit(queue=queue)
    assert len({claim.job_id for claim in file.claim(9, queues=["a", "b", "a"])}) == 4
