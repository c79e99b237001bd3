"""Deletion of old jobs, on request and by workers while they run jobs."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from running import Running

from gigq import Job, JobQueue, JobStatus, ManualClock, QueueBusy, Worker
from gigq.testing import drain

HOUR = 3600.0
WEEK = 7 * 24 * HOUR


@pytest.fixture
def queue(open_queue: Callable[..., JobQueue], clock: ManualClock) -> JobQueue:
    """The test's queue, under a clock that the test moves."""
    return open_queue(clock=clock)


def end_one(queue: JobQueue, name: str, status: str = "completed") -> str:
    """Let a job end in this status, a second after the one before it."""
    function = "functions.fail" if status == "failed" else "functions.nothing"
    job_id = queue.submit(Job(name, function, max_attempts=1))
    queue.clock.sleep(1)
    if status == "cancelled":
        queue.cancel(job_id)
    drain(queue)
    return job_id


@pytest.fixture
def ended(queue: JobQueue) -> JobQueue:
    """A queue with four jobs that ended in three statuses, and one that is unfinished."""
    for name, status in (("a", "completed"), ("b", "cancelled"), ("c", "failed"), ("d", "completed")):
        end_one(queue, name, status)
    queue.submit(Job("e", "functions.nothing"))
    return queue


def left(queue: JobQueue) -> str:
    return "".join(sorted(job["name"] for job in queue.list_jobs()))


@pytest.mark.parametrize(
    ("options", "stays"),
    [
        ({}, "ce"),
        ({"status": "completed"}, "bce"),
        ({"status": JobStatus.CANCELLED}, "acde"),
        ({"status": ("failed", "timeout")}, "abde"),
        ({"status": ["completed", "failed", "cancelled", "timeout"]}, "e"),
        ({"status": iter(["completed", "completed"])}, "bce"),
        ({"keep": 0}, "ce"),
        ({"keep": 1}, "cde"),
        ({"keep": 2}, "bcde"),
        ({"keep": 3}, "abcde"),
        ({"older_than": 0}, "cde"),
        ({"older_than": 2.5}, "bcde"),
        ({"older_than": timedelta(seconds=2)}, "bcde"),
        ({"older_than": "2s"}, "bcde"),
        ({"older_than": ManualClock().now() + timedelta(seconds=1.5)}, "bcde"),
        ({"older_than": "2026-01-01T00:00:01.500000Z"}, "bcde"),
        ({"older_than": "1h"}, "abcde"),
        ({"older_than": 1e300}, "abcde"),
        ({"older_than": 2.5, "keep": 1}, "bcde"),
        ({"older_than": 0, "keep": 2}, "bcde"),
    ],
)
def test_only_the_chosen_jobs_are_pruned(ended: JobQueue, options: dict[str, Any], stays: str) -> None:
    pruned = ended.prune(**options)
    assert left(ended) == stays
    assert pruned == 5 - len(stays)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"status": "pending"}, "status is 'pending'; it must be one of completed, failed, "),
        ({"status": ["completed", "running"]}, "status is 'running'"),
        ({"status": "gone"}, "status is 'gone'"),
        ({"status": ()}, r"status is \(\)"),
        ({"keep": -1}, "keep is -1; it must be a whole number from 0 up"),
        ({"keep": 1.5}, "keep is 1.5"),
        ({"keep": True}, "keep is True"),
        ({"older_than": -1}, "older_than is -1; it must be seconds"),
        ({"older_than": "7"}, "older_than is '7', without a unit; write 7s, or m, h or d instead of s"),
        ({"older_than": "soon"}, "older_than is 'soon'; it must be ISO-8601 text .*, or a duration such as 7d"),
    ],
)
def test_an_invalid_choice_is_refused_and_prunes_nothing(
    ended: JobQueue, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ended.prune(**options)
    assert left(ended) == "abcde"


def test_a_queue_in_memory_is_pruned_too() -> None:
    with JobQueue(":memory:") as queue:
        queue.cancel(queue.submit(Job("job", "functions.nothing")))
        assert queue.prune() == 1
        assert queue.check() == []


def test_the_transactions_of_a_prune_are_short(ended: JobQueue) -> None:
    ended.submit_many(Job("old", "functions.nothing") for _ in range(500))
    ended.cancel_jobs(name="old")
    with ended.database.read() as tx:
        connection = tx.connection
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    assert ended.prune() == 503
    connection.set_trace_callback(None)
    assert sum(statement.startswith("BEGIN IMMEDIATE") for statement in statements) >= 3


# Pruning by workers


@pytest.fixture
def worker(path: str, clock: ManualClock) -> Iterator[Worker]:
    with Worker(path, clock=clock, prune_after=WEEK) as worker:
        yield worker


def test_a_worker_deletes_what_ended_long_ago_and_leaves_dead_letters(
    queue: JobQueue, worker: Worker, clock: ManualClock
) -> None:
    for name, status in (("old", "completed"), ("unwanted", "cancelled"), ("dead", "failed")):
        end_one(queue, name, status)
    clock.advance(WEEK)
    end_one(queue, "young")
    clock.advance(1)

    worker.process_one()

    assert {job["name"] for job in queue.list_jobs()} == {"dead", "young"}


def test_a_worker_that_was_not_asked_to_prune_deletes_nothing(queue: JobQueue, path: str, clock: ManualClock) -> None:
    end_one(queue, "old")
    clock.advance(100 * WEEK)
    with Worker(path, clock=clock) as worker:
        worker.process_one()
    assert queue.count() == 1


def test_a_worker_deletes_two_hundred_jobs_in_a_turn(queue: JobQueue, worker: Worker, clock: ManualClock) -> None:
    queue.submit_many(Job("old", "functions.nothing") for _ in range(450))
    queue.cancel_jobs("pending")
    clock.advance(2 * WEEK)
    counts = []
    for _ in range(3):
        clock.advance(HOUR)  # so that the heartbeat makes it a turn
        worker.process_one()
        counts.append(queue.count())
    assert counts == [250, 50, 0]


def test_a_worker_runs_ready_jobs_however_much_there_is_to_prune(
    queue: JobQueue, worker: Worker, clock: ManualClock
) -> None:
    queue.submit_many(Job("old", "functions.nothing") for _ in range(1000))
    queue.cancel_jobs("pending")
    clock.advance(2 * WEEK)
    new = queue.submit(Job("new", "functions.nothing"))
    assert worker.process_one()
    assert queue.get_status(new)["status"] == "completed"
    assert queue.count("cancelled") == 600, "a portion for the claim, and one for the settlement"


def test_a_worker_that_has_pruned_everything_looks_again_seconds_later(
    queue: JobQueue, worker: Worker, clock: ManualClock
) -> None:
    old = end_one(queue, "old")
    clock.advance(WEEK - 5)
    worker.process_one()
    clock.advance(6)
    worker.process_one()
    assert queue.get_status(old)["exists"]
    clock.advance(6)
    worker.process_one()
    assert not queue.get_status(old)["exists"]


def test_several_workers_may_prune_at_once(open_queue: Callable[..., JobQueue], run: Callable[..., Running]) -> None:
    queue = open_queue()
    queue.submit_many(Job("old", "functions.nothing") for _ in range(1000))
    queue.cancel_jobs("pending")
    jobs = queue.submit_many(Job("new", "functions.add", {"a": 1}) for _ in range(50))
    for name in "ab":
        run(worker_id=name, prune_after=HOUR, concurrency=2)
    assert {record.result for record in queue.wait(jobs, timeout=60)} == {1}
    assert queue.count("cancelled") == 1000, "they are not an hour old"


def test_a_worker_prunes_while_it_runs_jobs(open_queue: Callable[..., JobQueue], run: Callable[..., Running]) -> None:
    queue = open_queue()
    queue.submit_many(Job("old", "functions.nothing") for _ in range(500))
    queue.cancel_jobs("pending")
    first = run(worker_id="a", prune_after=0)
    second = run(worker_id="b", prune_after=0)
    # The loop takes a turn after each job, and each turn prunes: enough jobs bring it to its end, at whatever pace.
    while queue.count("cancelled"):
        queue.submit(Job("new", "functions.nothing", {}))
    assert (first.error, second.error) == (None, None)


def test_a_prune_that_fails_is_logged_and_harms_no_job(
    queue: JobQueue, path: str, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    end_one(queue, "old")
    clock.advance(2 * WEEK)
    with Worker(path, clock=clock, prune_after=WEEK) as worker, sqlite3.connect(path) as tool:
        tool.execute("CREATE TRIGGER refuse BEFORE DELETE ON jobs BEGIN SELECT raise(ABORT, 'not now'); END")
        tool.commit()
        new = queue.submit(Job("new", "functions.nothing"))
        with caplog.at_level(logging.WARNING, "gigq.worker"):
            assert worker.process_one()
        assert queue.get_status(new)["status"] == "completed"
        assert "old jobs could not be deleted" in caplog.text
        tool.execute("DROP TRIGGER refuse")
    tool.close()


def test_a_prune_waits_for_the_lock_and_then_says_so(path: str, open_queue: Callable[..., JobQueue]) -> None:
    queue = open_queue(timeout=0.01)
    queue.cancel(queue.submit(Job("job", "functions.nothing")))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(QueueBusy):
        queue.prune()
    other.execute("ROLLBACK")
    other.close()
    assert queue.prune() == 1


def test_a_worker_refuses_an_invalid_prune_after(path: str) -> None:
    with pytest.raises(ValueError, match="it must be seconds from 0 up"):
        Worker(path, prune_after=-1)


# with filters


@pytest.fixture
def mails(path: str, clock: ManualClock) -> Iterator[JobQueue]:
    """Five cancelled jobs, one a second: of the queue mail are the second and the fourth, and the fifth failed."""
    with JobQueue(path, clock=clock) as queue:
        for number, where in enumerate("ambma"):
            queue.submit(Job(str(number), "functions.nothing", id=str(number), queue={"m": "mail"}.get(where, "other")))
            queue.cancel(str(number))
            clock.advance(1)
        yield queue


@pytest.mark.parametrize(
    ("options", "stays"),
    [
        ({"queue": "mail"}, "024"),
        ({"queue": "mail", "keep": 1}, "0234"),
        ({"queue": "mail", "keep": 2}, "01234"),
        ({"queue": "mail", "keep": 9}, "01234"),
        ({"queue": "mail", "older_than": 3}, "0234"),
        ({"queue": "mail", "older_than": 3, "keep": 2}, "01234"),
        ({"name": "3", "status": "completed"}, "01234"),
        ({"ids": ["0", "4"]}, "123"),
        ({"ended_until": "2026-01-01T00:00:02Z"}, "234"),
        ({"queue": "mail", "bound": 2}, "0234"),
        ({"queue": None, "tags": ()}, ""),
    ],
)
def test_filters_choose_among_the_jobs_that_are_pruned(
    mails: JobQueue, options: dict[str, Any], stays: str
) -> None:
    assert mails.prune(**options) == 5 - len(stays)
    assert "".join(sorted(job["id"] for job in mails.list_jobs())) == stays


def test_what_a_filter_leaves_out_stays_though_its_child_goes(queue: JobQueue) -> None:
    parent = queue.submit(Job("parent", "functions.nothing", id="parent"))
    queue.submit(Job("child", "functions.nothing", id="child", dependencies=[parent], tags=["unwanted"]))
    queue.cancel("parent")
    kept = queue.prune(name="parent")
    assert (kept, kept.reasons) == (0, {"a job that has not completed needs it": 1})
    with queue.acting_as("ann", "cli"):
        assert queue.prune(tags="unwanted") == 1
    assert [job["id"] for job in queue.list_jobs()] == ["parent"]
    assert queue.history.actions()[0].filter == {"status": ["completed", "cancelled"], "tags": ["unwanted"]}


def test_an_unknown_filter_prunes_nothing(mails: JobQueue) -> None:
    with pytest.raises(TypeError, match="colour"):
        mails.prune(colour="red")  # type: ignore[call-arg]
    assert mails.count() == 5
