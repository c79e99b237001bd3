"""Deleting finished jobs, keeping those that others need, and shrinking the file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from store.test_plans import plans, scanning
from store.verbs import File

from gigq import Job, JobQueue
from gigq.reports import Report
from gigq.status import ExecutionStatus
from gigq.store import pruning, settling
from gigq.store.pruning import BEGINNING, END, Place

BOTH = ("completed", "cancelled")


def finish(file: File, name: str, *, how: str = "completed", after: float = 1.0) -> str:
    """Add a job with this status, which ended some seconds after the one before it."""
    job_id = file.submit(name)
    file.clock.advance(after)
    if how == "completed":
        file.complete(job_id)
    elif how == "cancelled":
        file.queue.cancel(job_id)
    else:
        file.fail(job_id)
    return job_id


def names_between(file: File, after: Place, before: Place, limit: int = 10) -> list[str]:
    with file.queue.database.read() as tx:
        found = pruning.finished(tx, BOTH, after=after, before=before, limit=limit)
        return [tx.value("SELECT name FROM jobs WHERE seq = ?", (place.seq,)) for place, _ in found]


def place_of(file: File, name: str) -> Place:
    with file.queue.database.read() as tx:
        return Place(*tx.execute("SELECT completed_at, seq FROM jobs WHERE name = ?", (name,)).fetchone())


def left(file: File) -> set[str]:
    return {job["name"] for job in file.queue.list_jobs()}


@pytest.fixture
def four(file: File) -> File:
    for name, how in (("a", "completed"), ("b", "cancelled"), ("c", "completed"), ("d", "cancelled")):
        finish(file, name, how=how)
    finish(file, "dead", how="failed")
    file.submit("pending")
    return file


def test_finished_jobs_come_in_the_order_in_which_they_ended_whatever_their_status(four: File) -> None:
    assert names_between(four, BEGINNING, END) == ["a", "b", "c", "d"]
    assert names_between(four, BEGINNING, END, limit=3) == ["a", "b", "c"]


def test_a_portion_starts_where_the_last_one_ended(four: File) -> None:
    assert names_between(four, place_of(four, "b"), END) == ["c", "d"]
    assert names_between(four, BEGINNING, place_of(four, "c")) == ["a", "b"]


@pytest.mark.parametrize(("keep", "older"), [(0, ["a", "b", "c", "d"]), (1, ["a", "b", "c"]), (4, []), (5, [])])
def test_the_newest_jobs_are_counted_over_all_statuses(four: File, keep: int, older: list[str]) -> None:
    with four.queue.database.read() as tx:
        before = pruning.newest(tx, BOTH, keep=keep)
    assert names_between(four, BEGINNING, before) == older


def test_jobs_that_ended_at_the_same_instant_are_in_order_of_submission(file: File) -> None:
    for name in "abc":
        finish(file, name, after=0)
    assert names_between(file, place_of(file, "a"), END) == ["b", "c"]


def test_a_job_that_has_been_requeued_in_the_meantime_is_not_deleted(file: File) -> None:
    finish(file, "again", how="cancelled")
    place = place_of(file, "again")
    file.queue.requeue_jobs("cancelled")
    with file.write() as tx:
        assert pruning.delete(tx, [place.seq], BOTH, before=END, limit=10) == (0, [])
    assert left(file) == {"again"}


def test_a_job_that_ended_again_after_the_span_is_not_deleted(file: File) -> None:
    job_id = finish(file, "again", how="cancelled")
    place = place_of(file, "again")
    file.clock.advance(10)
    file.queue.requeue_job(job_id)
    file.complete(job_id)
    with file.write() as tx:
        end = Place(place.completed_at, place.seq + 1)
        assert pruning.delete(tx, [place.seq], BOTH, before=end, limit=10) == (0, [])


def test_no_more_jobs_are_looked_at_than_asked_for(file: File) -> None:
    jobs = [place_of(file, name).seq for name in "abc" if finish(file, name)]
    with file.write() as tx:
        assert pruning.delete(tx, jobs, BOTH, before=END, limit=2) == (2, jobs[2:])


@pytest.mark.parametrize("how", ["pending", "running", "failed", "cancelled and young"])
def test_a_parent_stays_as_long_as_a_child_that_has_not_completed(file: File, how: str) -> None:
    parent = file.submit("parent")
    child = file.submit("child", dependencies=[parent], max_attempts=1)
    file.complete(parent)
    file.clock.advance(3600)
    if how in ("running", "failed"):
        (claim,) = file.claim()
        if how == "failed":
            file.settle(claim, ExecutionStatus.FAILED, error="no")
    elif how == "cancelled and young":
        file.queue.cancel(child)

    assert file.queue.prune(older_than=60) == 0
    assert left(file) == {"parent", "child"}


def test_a_dead_letter_stays_as_long_as_a_job_that_it_blocks(file: File) -> None:
    parent = file.submit("parent", max_attempts=1)
    child = file.submit("child", dependencies=[parent])
    file.fail(parent)

    assert file.queue.prune("failed") == 0
    assert not file.queue.requeue_job(child)
    assert file.queue.prune(("failed", "cancelled")) == 2


def test_a_long_chain_of_cancelled_jobs_is_deleted_in_one_call_from_its_end(file: File) -> None:
    parents: Sequence[str] = ()
    for number in range(500):
        parents = [file.submit(str(number), dependencies=parents)]
    file.queue.cancel_jobs(name="0")

    assert file.queue.prune() == 500
    assert left(file) == set()


def test_a_parent_of_two_is_deleted_with_the_second(file: File) -> None:
    parent = file.submit("parent")
    first, second = (file.submit(name, dependencies=[parent], max_attempts=1) for name in ("first", "second"))
    file.complete(parent)
    file.queue.cancel(first)
    file.fail(second)

    assert file.queue.prune("cancelled") == 1
    assert file.queue.prune() == 0
    assert file.queue.prune(("completed", "failed")) == 2


def test_many_old_parents_that_are_needed_do_not_hide_jobs_that_are_not(file: File) -> None:
    parents = [file.submit(f"parent {number}") for number in range(300)]
    for parent in parents:
        file.complete(parent)
    file.submit("child", dependencies=parents)
    file.clock.advance(1)
    spare = file.submit("spare", priority=1)
    file.complete(spare)
    assert file.queue.prune() == 1
    assert file.queue.count() == 301


def finish_many(file: File, number: int) -> None:
    file.queue.submit_many(Job("job", "functions:nothing", {"text": 100 * "x"}) for _ in range(number))
    done = Report(status=ExecutionStatus.COMPLETED, result="null")
    while claims := file.claim(500):
        with file.write() as tx:
            settling.settle_all(tx, [(claim.execution_id, done) for claim in claims])


def test_the_file_becomes_smaller_after_a_prune(file: File, path: str) -> None:
    finish_many(file, 5000)
    file.submit("pending")
    pages = file.value("PRAGMA page_count")

    assert file.queue.prune() == 5000
    assert file.value("PRAGMA page_count") < pages / 2
    file.queue.close()
    assert os.path.getsize(path) < pages * 4096 / 2


def test_a_megabyte_stays_free_for_the_jobs_to_come(file: File) -> None:
    finish_many(file, 200)
    pages = file.value("PRAGMA page_count")

    file.queue.prune()

    assert file.value("PRAGMA page_count") == pages
    assert file.value("PRAGMA freelist_count") > 0


def test_the_log_stays_small_during_a_prune(file: File, path: str) -> None:
    finish_many(file, 5000)
    file.queue.prune()
    assert os.path.getsize(f"{path}-wal") < 10_000_000


def test_a_queue_in_the_file_of_another_application_is_pruned_and_the_file_keeps_its_size(
    tmp_path: Path, file: File
) -> None:
    path = str(tmp_path / "app.db")
    with closing(sqlite3.connect(path)) as application:
        application.execute("CREATE TABLE customers (name TEXT)")
    with JobQueue(path, clock=file.clock) as queue:
        theirs = File(queue, file.clock)
        finish_many(theirs, 3000)
        pages = theirs.value("PRAGMA page_count")
        assert queue.prune() == 3000
        assert theirs.value("PRAGMA page_count") == pages
        assert queue.check() == []


def test_an_instant_before_which_nothing_ended_deletes_nothing(four: File) -> None:
    assert four.queue.clear_completed(four.clock.now() - timedelta(days=1)) == 0


def test_a_prune_reads_indexes_whatever_is_in_the_file(four: File) -> None:
    found = plans(four, lambda: four.queue.prune(older_than=0, keep=1))
    assert any("COVERING INDEX jobs_finished" in step for plan in found.values() for step in plan)
    assert scanning(found) == {}
