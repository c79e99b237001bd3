"""The file explains itself, is recognised, and refuses what must not stand in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from store.verbs import File

from gigq import JobQueue, NotAQueue
from gigq.status import ExecutionStatus
from gigq.store.schema import VERSION
from gigq.store.tables import INDEXES, TABLES, VIEWS


@pytest.fixture
def tool(path: str) -> Iterator[sqlite3.Connection]:
    """Any SQLite tool."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def test_the_file_holds_what_the_schema_says_and_nothing_else(queue: JobQueue, tool: sqlite3.Connection) -> None:
    found = {name for (name,) in tool.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")}
    assert found == {*TABLES, *INDEXES, *VIEWS}
    assert tool.execute("SELECT * FROM job_schema").fetchall() == [(VERSION,)]


def test_the_overview_tells_of_every_job_in_plain_words(file: File, tool: sqlite3.Connection) -> None:
    file.complete(file.submit("done"))
    file.submit("second")
    file.submit("first", priority=1)
    file.submit("elsewhere", queue="other")
    parent = file.submit("parent", priority=-1)
    file.submit("waiting", dependencies=[parent])
    rows = tool.execute("SELECT name, phase, queue_position, attempts FROM job_overview").fetchall()
    assert rows == [
        ("waiting", "waiting", None, "0 of 3"),
        ("parent", "ready", 3, "0 of 3"),
        ("elsewhere", "ready", 1, "0 of 3"),
        ("first", "ready", 1, "0 of 3"),
        ("second", "ready", 2, "0 of 3"),
        ("done", "completed", None, "1 of 3"),
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.25, "250 ms"), (2.5, "2.5 s"), (90, "90.0 s"), (600, "10 min"), (7200, "2 h"), (864000, "10 days")],
)
def test_durations_are_told_as_people_say_them(
    file: File, tool: sqlite3.Connection, seconds: float, words: str
) -> None:
    file.submit("job")
    (claim,) = file.claim()
    file.clock.advance(seconds)
    file.settle(claim, ExecutionStatus.COMPLETED)
    assert tool.execute("SELECT duration FROM job_overview").fetchone() == (words,)
    assert tool.execute("SELECT job_name, duration, status FROM execution_overview").fetchone() == (
        "job",
        words,
        "completed",
    )


def test_instants_are_read_by_sqlite(file: File, tool: sqlite3.Connection) -> None:
    file.submit("job")
    assert tool.execute("SELECT datetime(created_at) FROM jobs").fetchone() == ("2026-01-01 00:00:00",)


def test_a_text_column_is_compared_and_sorted_as_time(file: File, tool: sqlite3.Connection) -> None:
    for step in (0, 0.000001, 0.5, 86400):
        file.clock.advance(step)
        file.submit(str(step))
    rows = tool.execute("SELECT created_at FROM jobs ORDER BY seq").fetchall()
    assert rows == sorted(rows)
    assert {len(text) for (text,) in rows} == {27}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE jobs SET status = 'done'",
        "UPDATE jobs SET blockers = -1",
        "UPDATE jobs SET attempts = max_attempts + 1",
        "UPDATE jobs SET status = 'completed'",
        "UPDATE jobs SET on_parent_failure = 'panic'",
        "UPDATE executions SET status = 'failed'",
        "INSERT INTO executions (job_seq, attempt, worker_id, worker_seq, status, started_at)"
        " SELECT job_seq, 2, 'x', 1, 'running', started_at FROM executions",
        "INSERT INTO job_dependencies VALUES (1, 99, 0)",
    ],
)
def test_the_file_itself_refuses_what_cannot_be_true(file: File, tool: sqlite3.Connection, statement: str) -> None:
    file.submit("job")
    file.claim()
    tool.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError):
        tool.execute(statement)


def test_a_queue_may_live_in_the_applications_own_file(path: str, tool: sqlite3.Connection) -> None:
    tool.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    tool.execute("PRAGMA user_version = 42")
    with JobQueue(path) as queue:
        assert queue.check() == []
    assert tool.execute("PRAGMA user_version").fetchone() == (42,)


@pytest.mark.parametrize("table", ["jobs", "executions", "job_tags"])
def test_another_applications_table_is_refused_and_left_alone(path: str, tool: sqlite3.Connection, table: str) -> None:
    tool.execute(f"CREATE TABLE {table} (mine TEXT)")
    for initialize in (True, False):
        with pytest.raises(NotAQueue, match=table):
            JobQueue(path, initialize=initialize)
    assert tool.execute("SELECT name FROM sqlite_master").fetchall() == [(table,)]
    tool.execute(f"DROP TABLE {table}")


def test_a_file_of_the_older_package_is_refused_by_name(path: str, tool: sqlite3.Connection) -> None:
    tool.execute("CREATE TABLE jobs (id TEXT)")
    tool.execute("CREATE TABLE job_executions (id TEXT)")
    with pytest.raises(NotAQueue, match=r"0\.5\.1"):
        JobQueue(path)
    tool.execute("DROP TABLE jobs")


def test_a_newer_file_is_refused(path: str, tool: sqlite3.Connection) -> None:
    JobQueue(path).close()
    tool.execute("UPDATE job_schema SET version = 99")
    with pytest.raises(NotAQueue, match="version 99"):
        JobQueue(path)
    tool.execute("UPDATE job_schema SET version = ?", (VERSION,))


def test_an_empty_file_is_a_queue_to_be_made(path: str) -> None:
    open(path, "w").close()
    with pytest.raises(NotAQueue, match="holds no queue"):
        JobQueue(path, initialize=False)
    with JobQueue(path) as queue:
        assert queue.stats()["total"] == 0
