"""`JobQueue.examine`: what should worry somebody."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import functions
import pytest

from gigq import Job, JobQueue, ManualClock
from gigq.queue import examining
from gigq.store.engine import mounts


def areas(queue: JobQueue) -> list[str]:
    return [each.area for each in queue.examine()]


def test_a_queue_that_is_well_has_nothing_to_worry_about(queue: JobQueue) -> None:
    queue.enqueue(functions.nothing)
    assert queue.examine() == []
    with JobQueue(":memory:") as memory:
        assert memory.examine() == []


@pytest.mark.unsound("it has something to find")
def test_a_broken_rule_is_to_be_repaired_and_a_lost_table_is_to_be_restored(path: str, queue: JobQueue) -> None:
    queue.enqueue(functions.nothing)
    with closing(sqlite3.connect(path)) as tool, tool:
        tool.execute("UPDATE jobs SET blockers = 1")
    (found,) = queue.examine()
    assert (found.area, found.remedy, found.is_problem) == ("content", "gigq doctor --repair", True)
    assert [found.what] == queue.check()
    queue.close()
    with closing(sqlite3.connect(path)) as tool, tool:
        tool.execute("DROP TABLE job_workers")
    with JobQueue(path, read_only=True) as looked_at:
        found = looked_at.examine()[0]
        assert found.what == "the table job_workers is missing" and "put a backup in the place of" in found.remedy


@pytest.mark.unsound("somebody has spoilt a row")
def test_a_row_that_cannot_be_read_does_not_hide_the_rest(path: str, queue: JobQueue) -> None:
    queue.dequeue("w1")
    queue.enqueue(functions.nothing)
    assert queue.dequeue("w1") is not None
    with closing(sqlite3.connect(path)) as tool, tool:
        tool.execute("UPDATE job_workers SET seen_at = 'once'")
    assert [each.area for each in queue.examine()] == ["content"]


def test_a_file_that_everybody_may_open_is_advice(path: str, queue: JobQueue) -> None:
    os.chmod(path, 0o644)
    (found,) = queue.examine()
    assert not found.is_problem and found.remedy == f"chmod o-rwx {path}" and "0644" in found.what


def test_a_file_that_another_program_took_out_of_wal_is_said(path: str, queue: JobQueue) -> None:
    queue.close()
    with closing(sqlite3.connect(path)) as tool:
        tool.execute("PRAGMA journal_mode = DELETE")
    with JobQueue(path, read_only=True) as looked_at:
        (found,) = looked_at.examine()
    assert (found.area, found.is_problem) == ("file", False) and "'delete'" in found.what


def test_a_network_file_system_is_a_problem_unless_it_is_said_to_be_fine(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "NETWORK", frozenset([mounts.kind_of(os.stat(queue.db_path).st_dev, open_mounts())]))
    (found,) = queue.examine()
    assert found.area == "mount" and found.is_problem and "GIGQ_NETWORK_FILES=ok" in found.remedy
    monkeypatch.setenv("GIGQ_NETWORK_FILES", "ok")
    assert queue.examine() == []


def open_mounts() -> str:
    with open(mounts.MOUNTS, encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize(("limit", "value", "area"), [("LEAST_ROOM", 1 << 62, "disk"), ("_LARGE_LOG", -1, "log")])
def test_a_full_disk_and_a_long_log_are_problems(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, area: str
) -> None:
    queue.submit_many(Job(str(n), functions.nothing) for n in range(3000))
    monkeypatch.setattr(examining, limit, value)
    assert areas(queue) == [area]


def test_an_old_sqlite_is_a_problem(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examining, "_OLDEST_SQLITE", (99, 0))
    (found,) = queue.examine()
    assert found.area == "sqlite" and "gigq needs 99.0 or later" in found.what


def test_a_worker_that_holds_jobs_and_is_silent_is_a_problem(open_queue: Callable[..., JobQueue]) -> None:
    clock = ManualClock(datetime.now(UTC))
    queue = open_queue(clock=clock)
    queue.enqueue(functions.nothing)
    assert queue.dequeue("w1") is not None
    assert queue.examine() == []
    with queue.database.write() as tx:
        tx.execute("UPDATE job_workers SET mode = 'thread', machine_id = 'elsewhere'")
    clock.advance(60)
    (found,) = queue.examine()
    assert (found.area, found.what) == ("workers", "worker w1 was last seen 1 min ago and holds 1 job")


def test_what_a_worker_does_not_find_or_cannot_do_is_said(queue: JobQueue) -> None:
    queue.enqueue(functions.nothing)
    assert queue.dequeue("w1") is not None
    with queue.database.write() as tx:
        tx.execute("""UPDATE job_workers SET mode = 'thread', trouble = 'no threads', missing = '{"a:b": "gone"}'""")
    found = {each.area: each.what for each in queue.examine()}
    assert found["workers"] == "worker w1 can start no job: no threads"
    assert found["functions"] == "worker w1 does not find the function a:b: gone"


def test_a_clock_that_is_behind_what_was_written_is_a_problem(open_queue: Callable[..., JobQueue]) -> None:
    now = datetime.now(UTC)
    open_queue(clock=ManualClock(now + timedelta(hours=2))).enqueue(functions.nothing)
    (found,) = open_queue(clock=ManualClock(now)).examine()
    assert found.area == "clock" and found.what.startswith("the file was written 2 h in the future")
