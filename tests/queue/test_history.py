"""`JobQueue.history`: what was, read from the file; it says how far it looked, and what it cannot know."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from store.verbs import File

from gigq import Job, JobQueue, JobStatus, ManualClock, ReadTooLong
from gigq.status import ExecutionStatus
from gigq.store import spans
from gigq.testing import drain

THEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def queue(open_queue: Callable[..., JobQueue], clock: ManualClock) -> JobQueue:
    return open_queue(clock=clock)


@pytest.fixture
def file(queue: JobQueue, clock: ManualClock) -> File:
    return File(queue, clock)


def run(
    file: File,
    name: str = "job",
    function: str = "m:f",
    *,
    seconds: float = 1,
    status: str = "completed",
    **options: Any,
) -> None:
    """Submit a job, and let it run and end."""
    report = {key: options.pop(key) for key in ("error", "error_type", "is_final") if key in options}
    file.queue.submit(Job(name, function, **options))
    (claim,) = file.claim()
    file.clock.advance(seconds)
    file.settle(claim, ExecutionStatus(status), **report)


# executions


def test_executions_are_returned_the_newest_first_with_what_a_list_shows(file: File, queue: JobQueue) -> None:
    run(file, "a", queue="q")
    run(file, "b", status="failed", error="ValueError: " + "x" * 1_000, error_type="ValueError", is_final=True)
    b, a = queue.history.executions()
    assert (a.name, a.function, a.queue, a.attempt, a.status) == ("a", "m:f", "q", 1, ExecutionStatus.COMPLETED)
    assert (a.claimed_at, a.started_at, a.completed_at) == (None, THEN, THEN + timedelta(seconds=1))
    assert (b.error_type, len(b.error or ""), b.as_dict()["status"]) == ("ValueError", 500, "failed")


def test_one_that_runs_says_when_it_was_claimed(file: File, queue: JobQueue) -> None:
    file.submit()
    file.claim()
    (running,) = queue.history.executions()
    assert (running.status, running.claimed_at, running.completed_at) == (ExecutionStatus.RUNNING, THEN, None)


def test_executions_are_paged(file: File, queue: JobQueue) -> None:
    for number in range(7):
        run(file, str(number))
    found, cursor = [], None
    while True:
        page = queue.history.executions(limit=3, after=cursor)
        found.append([each.name for each in page])
        cursor = page.cursor
        if cursor is None:
            break
    assert found == [["6", "5", "4"], ["3", "2", "1"], ["0"]]
    assert page.bound == 7


def test_those_that_ran_at_some_instant_of_a_span_are_found(file: File, queue: JobQueue, clock: ManualClock) -> None:
    run(file, "before", seconds=10)
    run(file, "into", seconds=20)  # 10 to 30
    run(file, "inside", seconds=1)
    run(file, "out of", seconds=20)  # 31 to 51
    run(file, "after")

    def names(since: float, until: float) -> list[str]:
        span = THEN + timedelta(seconds=since), THEN + timedelta(seconds=until)
        return [each.name for each in queue.history.executions(*span)]

    assert names(20, 40) == ["out of", "inside", "into"]
    assert names(10, 30.5) == ["inside", "into", "before"]
    assert names(60, 70) == []
    assert names(-10, 0) == []


def test_one_that_has_run_for_longer_than_ten_thousand_others_is_found(
    file: File, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "QUIET", 3)
    file.submit("still running")
    file.claim()
    file.submit("long", max_attempts=1)
    (long,) = file.claim()
    for _ in range(10):
        run(file, "short")
    begun = file.clock.now()
    file.clock.advance(60)
    run(file, "new")
    file.settle(long, ExecutionStatus.TIMEOUT)
    assert [each.name for each in queue.history.executions(since=begun)] == ["new", "short", "long", "still running"]
    pages = queue.history.executions(since=begun, limit=3)
    rest = queue.history.executions(since=begun, after=pages.cursor)
    assert [each.name for each in rest] == ["still running"]
    assert queue.history.failures(begun)[0].failures == 1
    assert sum(each.timeout for each in queue.history.throughput(begun, 60)) == 1
    assert sum(each.runs for each in queue.history.functions(begun)) == 3


@pytest.mark.parametrize(("name", "value"), [("after", "x"), ("after", "²"), ("limit", -1), ("since", "soon")])
def test_an_invalid_argument_is_refused(queue: JobQueue, name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        queue.history.executions(**{name: value})


# throughput


@pytest.mark.parametrize("bucket", ["50m", 10**30])
def test_the_last_span_may_end_after_the_last_instant_that_there_is(queue: JobQueue, bucket: Any) -> None:
    found = queue.history.throughput("9999-12-31T22:30:00Z", bucket, "9999-12-31T23:59:59.9Z")
    assert [each.seconds for each in found] == ([3000, 2399.9] if bucket == "50m" else [5399.9])


def test_throughput_counts_what_ended_in_each_span_also_where_nothing_did(
    file: File, queue: JobQueue, clock: ManualClock
) -> None:
    run(file, seconds=10)
    run(file, seconds=10, status="failed")
    clock.advance(100)
    run(file, seconds=10, status="timeout")
    clock.advance(20)
    found = queue.history.throughput(THEN, "1m")
    assert [(each.at.minute, each.seconds) for each in found] == [(0, 60.0), (1, 60.0), (2, 30.0)]
    assert [(each.completed, each.failed, each.timeout) for each in found] == [(1, 1, 0), (0, 0, 0), (0, 0, 1)]
    assert (found.since, found.until, found.is_cut, found.looked_at) == (THEN, clock.now(), False, 3)
    assert queue.history.throughput(THEN, 60, until=THEN + timedelta(seconds=20))[0].as_dict()["completed"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, 60), "since is None; it must be an instant, or a duration"),
        (("1h", 0.5), "bucket is 0.5; it must be whole seconds"),
        (("1h", 0), "bucket is 0; it must be more than 0"),
        (("30d", "1s"), "bucket is '1s'; it makes 2,592,001 spans, and 10,000 are the most"),
    ],
)
def test_spans_that_cannot_be_are_refused(queue: JobQueue, arguments: tuple[Any, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        queue.history.throughput(*arguments)


# functions


def test_functions_say_what_each_has_cost_the_dearest_first(file: File, queue: JobQueue, clock: ManualClock) -> None:
    for seconds in (1, 2, 3, 94):
        run(file, function="m:slow", seconds=seconds)
    run(file, function="m:quick", seconds=10, status="failed", is_final=True)
    run(file, function="m:quick", seconds=90, status="lost", max_attempts=1)
    slow, quick = queue.history.functions("1h")
    assert (slow.function, slow.runs, slow.failures, slow.slot_seconds, slow.share) == ("m:slow", 4, 0, 100.0, 0.5)
    assert slow.running == (2.0, 94.0, 94.0)
    assert (quick.runs, quick.failures, quick.wasted_seconds, quick.running.p50) == (2, 2, 100.0, 10.0)


def test_the_wait_of_a_job_begins_when_it_is_ready(file: File, queue: JobQueue, clock: ManualClock) -> None:
    queue.submit(Job("later", "m:f", delay=3600))
    clock.advance(3600)
    with file.write() as tx:
        from gigq.store import due

        due.make_due_ready(tx)
    clock.advance(7)
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.COMPLETED)
    assert queue.history.functions(None)[0].waiting.p50 == 7.0


def test_what_ended_outside_the_window_does_not_count(file: File, queue: JobQueue, clock: ManualClock) -> None:
    run(file)
    clock.advance(600)
    run(file, function="m:g")
    assert [each.function for each in queue.history.functions("1m")] == ["m:g"]
    assert [each.function for each in queue.history.functions("1h", until=THEN + timedelta(minutes=1))] == ["m:f"]


# failures


def test_failures_of_one_cause_are_one_group(file: File, queue: JobQueue, clock: ManualClock) -> None:
    for number in range(3):
        run(file, status="failed", error=f"KeyError: {number}", error_type="KeyError", is_final=True)
    run(file, status="failed", error="KeyError: 7", error_type="KeyError", function="m:g", is_final=True)
    first, second = queue.history.failures()
    assert (first.function, first.error_type, first.message) == ("m:f", "KeyError", "KeyError: …")
    assert (first.failures, first.jobs, first.dead, second.failures) == (3, 3, 3, 1)
    assert (first.first_at, first.last_at) == (THEN + timedelta(seconds=1), THEN + timedelta(seconds=3))
    assert queue.get_job(first.job_id).error == first.error == "KeyError: 2"  # type: ignore[union-attr]
    assert first.key != second.key


def test_attempts_that_were_tried_again_count_and_only_the_last_one_is_dead(file: File, queue: JobQueue) -> None:
    file.submit("job", max_attempts=2)
    for error in ("OSError: first", "ValueError: last"):
        (claim,) = file.claim()
        file.settle(claim, ExecutionStatus.FAILED, error=error, error_type=error.partition(":")[0])
    file.submit("retrying", max_attempts=5)
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.FAILED, error="OSError: first", error_type="OSError")
    found = {each.error_type: (each.failures, each.jobs, each.dead) for each in queue.history.failures()}
    assert found == {"OSError": (2, 2, 0), "ValueError": (1, 1, 1)}


def test_one_group_is_sent_back_and_no_other(file: File, queue: JobQueue) -> None:
    for number in range(4):
        kind = ("KeyError", "OSError")[number % 2]
        run(file, f"{kind} {number}", status="failed", error=f"{kind}: {number}", error_type=kind, is_final=True)
    groups = {each.error_type: each for each in queue.history.failures()}
    with queue.acting_as("ann"):
        assert queue.requeue_jobs(failure=groups["KeyError"]) == 2
        assert queue.requeue_jobs(failure=groups["KeyError"].key) == 0
        assert queue.delete_jobs(failure=groups["OSError"].key, name="OSError 1") == 1
    assert {job.name for job in queue.find_jobs("pending")} == {"KeyError 0", "KeyError 2"}
    deleted, requeued = queue.history.actions()
    assert requeued.filter["failure"] == groups["KeyError"].key
    assert deleted.filter == {"status": ["failed", "timeout"], "name": "OSError 1", "failure": groups["OSError"].key}


def test_a_job_that_was_not_told_why_it_was_lost_is_in_a_group_too(file: File, queue: JobQueue) -> None:
    run(file, status="lost", max_attempts=1)
    (group,) = queue.history.failures()
    assert (group.error_type, group.message, group.dead) == (None, "lost", 1)


# as of


def test_what_was_is_what_was_seen_then(file: File, queue: JobQueue, clock: ManualClock) -> None:
    """A busy run, of which the queue is looked at after each step; later the same is said of each instant."""
    chance, seen = random.Random(7), {}
    held = list[Any]()
    for step in range(120):
        clock.advance(chance.choice((0.25, 1, 30)))
        act = chance.random()
        if act < 0.4:
            parent = chance.choice([job.id for job in queue.find_jobs("pending")] or [None])
            options = {"dependencies": [parent]} if parent and chance.random() < 0.3 else {}
            queue.submit(Job(str(step), "m:f", max_attempts=2, retry_delay=chance.choice((0, 20)), **options))
        elif act < 0.7:
            held += file.claim()
        elif held:
            claim = held.pop(chance.randrange(len(held)))
            status = chance.choice(("completed", "failed", "failed", "timeout", "cancelled", "released"))
            file.settle(claim, ExecutionStatus(status))
        if chance.random() < 0.1 and (pending := queue.find_jobs("pending")):
            queue.cancel(pending[0].id)
        running = {job.id for job in queue.find_jobs("running")}
        seen[clock.now()] = ({status: queue.stats()[status] for status in JobStatus}, running)
    assert Counter(status for counts, _ in seen.values() for status, number in counts.items() if number).keys() == {
        *JobStatus
    }
    clock.advance(3600)
    for instant, (statuses, running) in seen.items():
        past = queue.history.as_of(instant)
        assert (past.statuses, {each.job_id for each in past.running}, past.blurred) == (statuses, running, ())


def test_before_the_first_job_there_was_nothing(file: File, queue: JobQueue) -> None:
    run(file)
    past = queue.history.as_of(THEN - timedelta(seconds=1))
    assert (set(past.statuses.values()), past.running, past.blurred) == ({0}, (), ())


def test_it_says_what_was_deleted_and_what_was_sent_back_since(
    file: File, queue: JobQueue, clock: ManualClock
) -> None:
    run(file, "old")
    run(file, "bad", status="failed", is_final=True)
    clock.advance(60)
    then = clock.now()
    assert queue.history.as_of(then).blurred == ()
    clock.advance(60)
    run(file, "new")
    queue.requeue_jobs("failed")
    assert queue.history.as_of(then).blurred == (
        "1 job had ended by then and was sent back since; it counts as pending.",
    )
    queue.prune(older_than=30)
    deleted, sent_back = queue.history.as_of(then).blurred
    assert deleted.startswith("Jobs that had ended before 2026-01-01 00:02:03 UTC may have been deleted since, and are")
    assert queue.history.functions(None).known_since == clock.now()
    assert sent_back.startswith("1 job")


def test_an_instant_that_has_not_come_is_refused(queue: JobQueue) -> None:
    with pytest.raises(ValueError, match="instant is '2030-01-01T00:00:00Z', which has not come"):
        queue.history.as_of("2030-01-01T00:00:00Z")


# time


def test_a_look_without_any_time_says_that_it_was_cut(file: File, queue: JobQueue) -> None:
    run(file, status="failed", is_final=True)
    page = queue.history.executions(within=0)
    assert (page, page.is_cut, page.looked_at) == ([], True, 0)
    assert len(queue.history.executions(after=page.cursor)) == 1
    history = queue.history
    for found in (history.functions(within=0), history.failures(within=0), history.throughput("1h", 60, within=0)):
        assert (found, found.is_cut) == ([], True)
    with pytest.raises(ReadTooLong):
        queue.history.as_of(file.clock.now(), within=0)


def test_a_read_only_queue_and_one_in_memory_have_a_history(
    file: File, queue: JobQueue, open_queue: Callable[..., JobQueue], clock: ManualClock
) -> None:
    run(file, status="failed", is_final=True)
    looking = open_queue(clock=clock, read_only=True)
    for each in (looking, JobQueue(":memory:", clock=clock)):
        with each:
            history = each.history
            found = [history.executions(), history.functions(), history.failures(), history.as_of(THEN).running]
            assert [len(some) for some in found] == [1, 1, 1, 1] if each is looking else [0, 0, 0, 0]
            assert history.actions() == []


def test_what_was_found_is_plain_values(file: File, queue: JobQueue) -> None:
    run(file)
    found = queue.history.functions("1h").as_dict()
    assert found["until"] == "2026-01-01T00:00:01.000000Z"
    assert (found["known_since"], found["items"][0]["running"]["p50"]) == (None, 1.0)


def test_the_largest_limit_that_there_is_is_none(queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "functions:nothing"))
    drain(queue)
    largest = 2**63 - 1
    assert [each.job_id for each in queue.history.executions(limit=largest)] == [job_id]
    assert queue.count("completed", at_most=largest) == queue.count(at_most=largest) == 1
    assert queue.count(at_most=largest).is_exact
