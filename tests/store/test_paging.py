"""Pages of jobs, and counts: by key at any depth, and within a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from itertools import combinations
from random import Random
from typing import Any

import pytest
from store.verbs import File

from gigq import Job, JobQueue, JobRecord, Page, ReadTooLong, Workflow
from gigq.clock import to_instant
from gigq.status import ExecutionStatus, JobStatus, Phase
from gigq.store import choosing

NONE = {"name": "nobody has this name"}
FILTERS: list[dict[str, Any]] = [
    {}, *({"status": status} for status in JobStatus), *({"phase": phase} for phase in Phase),
    {"status": ["failed", "running"]}, {"status": ["completed", "cancelled"]}, {"status": "pending", "phase": "failed"},
    {"status": ["pending"], "phase": ["retrying", "waiting"]},
    {"phase": ["ready", "waiting"]}, {"status": "failed", "phase": "retrying"}, {"status": "completed", "error": "no"},
    {"status": []}, {"tags": ["a"]}, {"tags": ["a", "b"]},
    {"tags": ["b"], "status": "completed"}, {"queue": "other"}, {"phase": "ready", "queue": "other"},
    {"error": "NO"}, {"error": "ValueError"}, {"error": "no", "phase": "retrying"}, {"function": "functions.nothing"},
    {"search": "wAITing"}, {"workflow": "flow"}, {"workflow": "flow", "status": "pending"}, {"args": {"n": 3}}, NONE,
    {"ended_since": "2026-01-01T00:00:20Z"}, {"ended_until": "2026-01-01T00:00:20Z"},
    {"since": "2026-01-01T00:00:10Z"}, {"until": "2026-01-01T00:00:10Z"},
]  # fmt: skip
PAIRS = [one | other for one, other in Random(7).sample(list(combinations(FILTERS, 2)), 30)]


@pytest.fixture
def mixed(file: File) -> File:
    """Jobs of each status and phase, several of some, some of them with the same end."""
    for number in range(4):
        file.submit(f"job {number}", tags=["a", "b"] if number % 2 else ["a"], params={"n": number})
        (claim,) = file.claim()
        is_good = number % 2 == 0
        how = ExecutionStatus.COMPLETED if is_good else ExecutionStatus.FAILED
        report = {} if is_good else {"error": "no route", "error_type": "ValueError", "is_final": True}
        file.settle(claim, how, **report)
        file.clock.advance(5)
    file.submit("timeout", max_attempts=1)
    file.settle(file.claim()[0], ExecutionStatus.TIMEOUT, error="too long")
    for number in range(3):
        file.submit("cancelled", queue="other", unique_key=f"{number}")
    file.queue.cancel_jobs("pending")
    file.submit("retrying", retry_delay=50)
    file.settle(file.claim()[0], ExecutionStatus.FAILED, error="no", error_type="KeyError")
    file.submit("running")
    file.submit("reserved", queue="other")
    file.claim(2)
    with file.write() as tx:
        tx.execute("UPDATE jobs SET started_at = NULL WHERE name = 'reserved'")
    file.submit("later", delay=60)
    parents = [file.submit(name, queue="other") for name in ("ready", "also ready")]
    file.submit("waiting", dependencies=parents)
    file.submit("waiting for both", dependencies=parents, delay=60)
    file.submit("paused", queue="stopped")
    file.queue.pause("stopped")
    _submit_workflow(file.queue)
    return file


def _submit_workflow(queue: JobQueue) -> None:
    flow = Workflow("flow", id="flow")
    flow.chain(Job("first", "m:f"), [Job("left", "m:f"), Job("right", "m:f")])
    flow.submit_all(queue)


def pages(owner: JobQueue, limit: int | None, /, **options: Any) -> Iterator[Page[JobRecord]]:
    page = owner.find_jobs(limit=limit, **options)
    yield page
    while page.cursor is not None:
        page = owner.find_jobs(limit=limit, after=page.cursor, **options)
        yield page


def ids(owner: JobQueue, limit: int | None, /, **options: Any) -> list[str]:
    return [job.id for page in pages(owner, limit, **options) for job in page]


PASSES: dict[str, Callable[[JobRecord, Any], bool]] = {
    "status": lambda job, wanted: job.status in ([wanted] if isinstance(wanted, str) else wanted),
    "phase": lambda job, wanted: job.phase in ([wanted] if isinstance(wanted, str) else wanted),
    "tags": lambda job, wanted: set(wanted) <= set(job.tags),
    "queue": lambda job, wanted: job.queue == wanted,
    "name": lambda job, wanted: job.name == wanted,
    "function": lambda job, wanted: job.function.replace(":", ".") == wanted,
    "search": lambda job, wanted: wanted.lower() in job.name,
    "error": lambda job, wanted: job.error is not None
    and (wanted.lower() in job.error or (job.executions[-1:] != () and job.executions[-1].error_type == wanted)),
    "workflow": lambda job, wanted: job.workflow is not None and job.workflow["id"] == wanted,
    "args": lambda job, wanted: job.params.items() >= wanted.items(),
    "since": lambda job, wanted: job.created_at >= to_instant(wanted),
    "until": lambda job, wanted: job.created_at < to_instant(wanted),
    "ended_since": lambda job, wanted: job.completed_at is not None and job.completed_at >= to_instant(wanted),
    "ended_until": lambda job, wanted: job.completed_at is not None and job.completed_at < to_instant(wanted),
}
"""What a filter means, without SQL."""


@pytest.mark.parametrize("many", ["few jobs", "many unfinished ones", "many of everything"])
def test_pages_of_any_length_and_in_no_time_make_up_the_whole(
    mixed: File, monkeypatch: pytest.MonkeyPatch, many: str
) -> None:
    if many != "few jobs":  # other indexes lead to the jobs
        monkeypatch.setattr(choosing, "_MOST_PARENTS", 1)
    if many == "many of everything":
        monkeypatch.setattr(choosing, "_MOST_CHILDREN", 1)
        monkeypatch.setattr(choosing, "MOST", 1)
    queue = mixed.queue
    jobs = [job for job in map(queue.get_job, ids(queue, None)) if job]
    assert {job.phase for job in jobs} == set(Phase)
    for filters in [*FILTERS, *PAIRS]:
        passing = [job for job in jobs if all(PASSES[name](job, wanted) for name, wanted in filters.items())]
        by_end = sorted([job for job in passing if job.completed_at], key=lambda job: job.completed_at, reverse=True)
        for order, expected in (("submitted", passing), ("ended", by_end)):
            whole = [job.id for job in expected]
            for limit, within in ((None, None), (1, None), (2, 0)) if filters in FILTERS else ((3, 0),):
                assert ids(queue, limit, order=order, within=within, **filters) == whole, filters
        assert queue.count(**filters) == len(passing), filters
        assert queue.count(**filters).is_exact
        assert queue.count(at_most=1, **filters) == min(len(passing), 1), filters


def test_jobs_come_in_the_order_of_their_submission_or_of_their_end(mixed: File) -> None:
    submitted = mixed.queue.find_jobs(order="submitted")
    assert [job.created_at for job in submitted] == sorted((job.created_at for job in submitted), reverse=True)
    ended = mixed.queue.find_jobs(order="ended")
    assert [job.completed_at for job in ended] == sorted((job.completed_at for job in ended), reverse=True)
    assert len(ended) == 8


@pytest.mark.parametrize(
    ("filters", "is_by_end"),
    [
        ({}, False), ({"status": "failed"}, True), ({"status": ["failed", "completed"]}, True),
        ({"status": ["failed", "running"]}, False), ({"phase": "timeout"}, True), ({"phase": "ready"}, False),
        ({"ended_since": "2026-01-01T00:00:00Z"}, True), ({"error": "x"}, False), ({"status": []}, True),
    ],
)  # fmt: skip
def test_jobs_that_have_ended_come_in_that_order_unless_it_is_said_otherwise(
    mixed: File, filters: dict[str, Any], is_by_end: bool
) -> None:
    order = "ended" if is_by_end else "submitted"
    assert mixed.queue.find_jobs(**filters) == mixed.queue.find_jobs(order=order, **filters)
    other = mixed.queue.find_jobs(limit=1, order="ended" if order == "submitted" else "submitted")
    with pytest.raises(ValueError, match="the cursor of a page in the order"):
        mixed.queue.find_jobs(after=other.cursor, **filters)


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1@", "1@x", "1;2", "1" * 30, "٣", "1@2026-01-01T00:00:00Z' OR 1"])
def test_what_is_no_cursor_is_refused(file: File, cursor: str) -> None:
    with pytest.raises(ValueError, match="after "):
        file.queue.find_jobs(after=cursor)


def test_a_page_is_not_moved_by_jobs_that_come_meanwhile(file: File) -> None:
    for number in range(4):
        file.submit(str(number))
    first = file.queue.find_jobs(limit=2)
    file.submit("new")
    second = file.queue.find_jobs(limit=2, after=first.cursor)
    assert [job.name for job in (*first, *second)] == ["3", "2", "1", "0"]
    assert (first.bound, second.bound, second.cursor) == (4, 5, None)


def test_gaps_that_deleted_jobs_have_left_are_stepped_over(file: File) -> None:
    ids = [file.submit("kept")]
    deleted = file.queue.submit_many(Job("deleted", "m:f") for _ in range(600))
    ids.append(file.submit("kept"))
    with file.write() as tx:
        tx.execute("DELETE FROM jobs WHERE name = 'deleted'")
    assert deleted
    page = file.queue.find_jobs(limit=5, name="kept", within=0)
    more = file.queue.find_jobs(limit=5, name="kept", within=0, after=page.cursor)
    assert [job.id for job in (*page, *more)] == ids[::-1]
    assert (page.looked_at, more.looked_at, more.cursor) == (1, 1, None)


def test_a_look_that_finds_nothing_in_its_time_says_how_far_it_came_and_goes_on_from_there(file: File) -> None:
    file.queue.submit_many(Job("job", "m:f") for _ in range(600))
    found = list(pages(file.queue, 1, within=0, **NONE))
    assert [len(page) for page in found] == [0, 0, 0]
    assert [page.looked_at for page in found] == [256, 256, 88]
    assert [page.is_cut for page in found] == [True, True, False]


def test_records_are_loaded_as_far_as_the_time_goes(file: File) -> None:
    file.queue.submit_many(Job("job", "m:f") for _ in range(100))
    page = file.queue.find_jobs(within=0)
    assert (len(page), page.is_cut) == (64, True)
    assert (len(file.queue.find_jobs(within=0, after=page.cursor)), len(file.queue.find_jobs(within=60))) == (36, 100)


def test_a_list_of_dicts_is_whole_or_refused(file: File) -> None:
    file.queue.submit_many(Job("job", "m:f") for _ in range(700))
    assert len(file.queue.list_jobs(within="1m")) == 700
    with pytest.raises(ReadTooLong, match=r"longer than the 0 seconds that within= allows"):
        file.queue.list_jobs(within=0)
    with pytest.raises(ReadTooLong):
        file.queue.find_jobs(offset=290, limit=1, within=0, **NONE)


@pytest.mark.parametrize(
    ("offset", "limit", "found"), [(0, 0, 0), (2, None, 1), (3, 1, 0), (9, 5, 0), (9, None, 0), (1, 9, 2)]
)
def test_an_offset_may_lie_behind_the_last_job(file: File, offset: int, limit: int | None, found: int) -> None:
    file.queue.submit_many(Job("job", "m:f") for _ in range(3))
    page = file.queue.find_jobs(offset=offset, limit=limit)
    assert (len(page), page.cursor, page.is_cut) == (found, None, False)


def test_an_offset_and_a_cursor_are_not_taken_together(file: File) -> None:
    with pytest.raises(ValueError, match="after and offset were both given"):
        file.queue.find_jobs(after="1", offset=1)


def test_a_count_says_whether_it_is_exact(file: File) -> None:
    file.queue.submit_many(Job("job", "m:f") for _ in range(300))
    count = file.queue.count
    assert [each.in_words() for each in (count(), count(at_most=10), count(at_most=300))] == [
        "300", "more than 10", "300",
    ]  # fmt: skip
    cut = count(name="job", within=0)
    assert (cut.in_words(), cut.is_exact, cut.is_cut, cut.looked_at) == ("at least 256", False, True, 256)
    assert count(name="job", at_most=10, within=0).in_words() == "more than 10"
    assert cut.as_dict() == {"count": 256, "is_exact": False, "is_cut": True, "looked_at": 256, "bound": 300}


def test_what_cannot_answer_in_part_is_stopped_and_the_next_look_is_not(file: File) -> None:
    file.queue.submit_many(Job("job", "m:f") for _ in range(3_000))
    queue = file.queue
    for look in (partial(queue.stats, "default"), queue.metrics, queue.queues, queue.check):
        with pytest.raises(ReadTooLong, match="was stopped; allow more, or leave within= out"):
            look(within=0)
    assert queue.stats("default")["total"] == queue.stats("default", within=60)["total"] == 3_000


def test_on_a_connection_of_the_callers_own_its_handler_stays(file: File) -> None:
    file.queue.submit_many(Job("job", "m:f") for _ in range(300))
    asked: list[int] = []
    with closing(sqlite3.connect(file.queue.db_path)) as connection:
        connection.set_progress_handler(lambda: asked.append(1), 10)
        connection.execute("BEGIN IMMEDIATE")
        with file.queue.transaction(connection):
            assert file.queue.find_jobs(limit=1, within=0, **NONE).is_cut
        del asked[:]
        connection.execute("SELECT count(*) FROM jobs WHERE name = 'x'").fetchall()
        connection.rollback()
    assert asked


@pytest.mark.parametrize(("set_back", "is_found"), [(timedelta(minutes=30), True), (timedelta(0), False)])
def test_jobs_that_were_submitted_while_the_clock_was_wrong_are_found(
    file: File, set_back: timedelta, is_found: bool
) -> None:
    file.clock.advance("10d")
    file.submit("just in time")
    file.clock.set(file.clock.now() - set_back - timedelta(seconds=1))
    file.submit("before")
    file.clock.advance("1d")
    file.submit("later")
    since = file.clock.now() - timedelta(days=1, minutes=20) if is_found else file.clock.now() - timedelta(hours=20)
    found = [job.name for job in file.queue.find_jobs(since=since, within=60)]
    assert found == [job.name for job in file.queue.find_jobs(since=since)]
    assert ("just in time" in found) == is_found


def test_a_page_knows_the_logs_of_no_job(file: File) -> None:
    job_id = file.submit()
    file.settle(file.claim()[0], ExecutionStatus.FAILED, error="no", traceback="T", log="a line", is_final=True)
    (listed,) = file.queue.find_jobs()
    assert [(each.traceback, each.log) for each in listed.executions] == [("T", None)]
    assert [each.log for each in file.job(job_id).executions] == ["a line"]
    assert file.queue.list_jobs()[0].keys() == file.queue.get_status(job_id).keys()


def test_a_page_as_plain_values(file: File) -> None:
    job_id = file.submit()
    page = file.queue.find_jobs(limit=1).as_dict()
    assert page.pop("items") == [file.queue.get_status(job_id)]
    assert page == {"cursor": None, "is_cut": False, "looked_at": 1, "bound": 1}


@pytest.mark.parametrize("order", ["submitted", "ended"])
def test_a_page_of_any_size_begins_with_a_short_step_where_the_time_is_limited(
    queue: JobQueue, order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gigq.store.paging._FIRST", 5)
    queue.submit_many(Job("job", "m:f") for _ in range(12))
    queue.cancel_jobs("pending")
    assert queue.find_jobs(order=order, limit=10, within=0).looked_at == 5
    assert queue.find_jobs(order=order, limit=10).looked_at == 11
    monkeypatch.setattr("gigq.store.paging._SMALLEST", 3)
    assert queue.find_jobs(order=order, name="none", limit=10, within=0).looked_at == 3
    assert queue.count(name="none", within=0).looked_at == 3
