"""A file of every released version opens with this code, complete, and its jobs go on from where they were."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from store.files.make import PATH

from gigq import JobQueue, ManualClock, Worker
from gigq.store.tables import VERSION

FILES = sorted(PATH.parent.glob("version-*.sqlite3"))

ENDED = {
    "completed": "completed",
    "failed": "failed",
    "cancelled with its parent": "cancelled",
    "completed all the same": "completed",
    "timeout": "timeout",
    "cancelled": "cancelled",
    "tried four times": "completed",
}

UNFINISHED = {
    "retrying": "retrying",
    "parent": "ready",
    "waiting": "waiting",
    "ready": "ready",
    "limited": "ready",
    "paused": "paused",
    "scheduled": "scheduled",
    "expiring": "scheduled",
    "running": "running",
    "limited and running": "running",
    "reserved": "reserved",
    "held": "running",
}

SHORTLY_AFTER = datetime(2026, 3, 1, 12, 1, tzinfo=UTC)
THE_NEXT_DAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def old(request: pytest.FixtureRequest, path: str) -> str:
    """The path of a copy of a stored file."""
    shutil.copy(request.param, path)
    return path


def test_there_is_a_file_of_every_version() -> None:
    assert [file.stem for file in FILES] == [f"version-{number}" for number in range(1, VERSION + 1)]


def test_the_file_of_this_version_has_the_tables_of_this_code(path: str) -> None:
    """If not: until this version is released run `make.py` again, and after that make another version."""
    JobQueue(path).close()
    assert schema(PATH) == schema(Path(path))


def schema(path: Path) -> set[str]:
    """The statements of the schema, without their comments."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {" ".join(re.sub("--.*", "", sql).split()) for (sql,) in found}


def test_a_file_of_an_older_version_is_sound_and_has_all_its_jobs(
    old: str, open_queue: Callable[..., JobQueue]
) -> None:
    queue = open_queue(clock=ManualClock(SHORTLY_AFTER))
    assert queue.check() == []
    assert {job["id"]: job["phase"] for job in queue.list_jobs()} == ENDED | UNFINISHED
    assert all(queue.why(job_id) for job_id in ENDED | UNFINISHED)
    tried = [execution["status"] for execution in queue.get_status("tried four times")["executions"]]
    assert tried == ["released", "lost", "failed", "completed"]
    assert {queue.get_status(job_id)["executions"][0]["status"] for job_id in ENDED if "with" not in job_id} == {
        "completed", "failed", "timeout", "cancelled", "released",
    }  # fmt: skip


def test_the_values_in_an_older_file_are_as_they_were(old: str, open_queue: Callable[..., JobQueue]) -> None:
    queue = open_queue(clock=ManualClock(SHORTLY_AFTER))
    done = queue.get_job("completed")
    assert done is not None
    assert (done.params, done.result, done.tags, done.duration) == ({"a": 1, "b": 2}, 3, ("sum", "ümlaut"), 1.0)
    assert (done.progress, done.executions[0].log) == (
        {"current": 1, "total": 2, "percentage": 50.0, "message": "half"},
        "a line\n",
    )
    assert queue.get_status("failed")["metadata"] == {"why": "to fail"}
    assert queue.get_status("waiting")["dependencies"] == ["parent", "completed"]
    limits = {record.name: (record.max_running, record.rate_limit, record.is_paused) for record in queue.queues()}
    assert limits == {"default": (None, None, False), "limited": (2, 10, False), "paused": (None, None, True)}
    assert [(each.name, each.cron, each.every, each.is_paused) for each in queue.schedules] == [
        ("hourly", None, 3600.0, True),
        ("nightly", "0 3 * * *", None, False),
    ]
    assert [(worker.id, worker.mode, worker.completed) for worker in queue.workers()] == [
        ("ann", "thread", 4),
        ("by hand", "manual", 0),
    ]


def test_a_worker_of_this_version_finishes_the_jobs_that_an_older_version_has_left(
    old: str, open_queue: Callable[..., JobQueue]
) -> None:
    clock = ManualClock(THE_NEXT_DAY)
    queue = open_queue(clock=clock)
    queue.resume("paused")
    with Worker(old, clock=clock) as worker:
        for _ in range(40):  # seconds: after 15 of silence it takes the jobs from the worker that is gone
            worker.process_one()
            clock.advance(1)
    ended = {job["name"]: job["status"] for job in queue.list_jobs()}
    went_on = dict.fromkeys(UNFINISHED, "completed") | {"expiring": "cancelled"}
    assert ended == ENDED | went_on | {"nightly": "completed"}
    assert queue.result("waiting") == [3, 3]
    assert [worker.id for worker in queue.workers()] == ["by hand"], "its process may live on another machine"
