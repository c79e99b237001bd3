"""Records as dicts of plain values, as JSON holds them."""

from __future__ import annotations

import json
from collections.abc import Callable

import functions
import pytest
from store.verbs import File

from gigq import JobQueue, ManualClock


@pytest.fixture
def file(open_queue: Callable[..., JobQueue], clock: ManualClock) -> File:
    return File(open_queue(clock=clock), clock)


def test_a_worker_as_a_dict_has_plain_values(file: File) -> None:
    (record,) = file.queue.workers()
    shown = record.as_dict()
    assert json.loads(json.dumps(shown)) == shown
    assert shown.keys() == set(record._fields)
    assert (shown["id"], shown["concurrency"], shown["queues"], shown["seen_at"]) == (
        "ann", 1, None, "2026-01-01T00:00:00.000000Z",
    )  # fmt: skip


def test_a_schedule_as_a_dict_has_plain_values(file: File) -> None:
    record = file.queue.schedules.add("report", functions.nothing, every=60, queue="night")
    shown = record.as_dict()
    assert json.loads(json.dumps(shown)) == shown
    assert shown.keys() == set(record._fields)
    assert (shown["name"], shown["every"], shown["queue"], shown["next_at"], shown["last_at"]) == (
        "report", 60, "night", "2026-01-01T00:01:00.000000Z", None,
    )  # fmt: skip


def test_a_job_as_a_dict_has_plain_values_and_its_executions(file: File) -> None:
    job_id = file.submit(tags=["t"])
    claim = file.queue.dequeue()
    assert claim is not None
    file.queue.execute_job(claim)
    record = file.queue.get_job(job_id)
    assert record is not None
    shown = record.as_dict()
    assert json.loads(json.dumps(shown)) == shown == file.queue.get_status(job_id)
    assert shown.keys() == {"exists", "function_module", "function_name", "retry_after", *record._fields}
    assert shown["executions"] == [record.executions[0].as_dict()]


def test_the_duration_of_a_job_is_known_once_it_has_ended(file: File, clock: ManualClock) -> None:
    job_id = file.submit()
    claim = file.queue.dequeue()
    clock.advance(2.5)
    assert file.queue.find_jobs()[0].duration is None
    file.queue.complete(claim or job_id)
    assert file.queue.find_jobs()[0].duration == 2.5
