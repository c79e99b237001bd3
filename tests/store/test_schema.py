"""The file is recognised, and refuses values that it must not hold."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from running import Pipes, Running
from store.verbs import File

from gigq import Job, JobQueue, ManualClock, NotAQueue
from gigq.clock import to_text
from gigq.store.indexes import INDEXES
from gigq.store.tables import TABLES, VERSION
from gigq.store.views import VIEWS

OLDEST = Path(__file__).with_name("files") / "version-1.sqlite3"


@pytest.fixture
def tool(path: str) -> Iterator[sqlite3.Connection]:
    """Any SQLite tool."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def test_the_file_holds_what_the_schema_says_and_nothing_else(queue: JobQueue, tool: sqlite3.Connection) -> None:
    found = {name for (name,) in tool.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")}
    assert found == {*TABLES, *INDEXES, *VIEWS}
    assert tool.execute("SELECT * FROM job_schema").fetchall() == [(VERSION,)]


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
        # what a worker reckons with
        "UPDATE jobs SET name = x'ff'",
        "UPDATE jobs SET metadata = x'7b7d'",
        "UPDATE jobs SET priority = 'high'",
        "UPDATE jobs SET priority = 1.5",
        "UPDATE jobs SET blockers = 'none'",
        "UPDATE jobs SET timeout = 0",
        "UPDATE jobs SET timeout = 'long'",
        "UPDATE jobs SET timeout = 9e999",
        "UPDATE jobs SET max_attempts = 'many'",
        "UPDATE jobs SET attempts = x'00'",
        "UPDATE jobs SET status = 'pending', attempts = 3, max_attempts = 3",
        "UPDATE jobs SET retry_delay = -1",
        "UPDATE jobs SET retry_backoff = 'x'",
        "UPDATE jobs SET retry_max_delay = 9e999",
        "UPDATE jobs SET retry_jitter = 1.1",
        "UPDATE jobs SET crashes = ''",
        "UPDATE executions SET attempt = 0",
        "UPDATE executions SET worker_seq = 'ann'",
        "UPDATE job_workers SET heartbeat = 1e300",
        "UPDATE job_workers SET pid = 2147483648",
        "UPDATE job_workers SET concurrency = ''",
        "UPDATE job_workers SET wanted_concurrency = 'two'",
        "UPDATE job_queues SET max_running = 0",
        "UPDATE job_queues SET rate_limit = 'x', rate_period = 1",
        "UPDATE job_queues SET rate_limit = 1, rate_period = 'x'",
        "UPDATE job_schedules SET every = 0",
        "INSERT INTO executions (job_seq, attempt, worker_id, worker_seq, status, started_at)"
        " SELECT job_seq, 2, 'x', 1, 'running', started_at FROM executions",
        "INSERT INTO job_dependencies VALUES (1, 99, 0)",
    ],
)
def test_the_file_itself_refuses_what_cannot_be_true(file: File, tool: sqlite3.Connection, statement: str) -> None:
    file.submit("job")
    file.claim()
    file.queue.configure("default", max_running=1)
    file.queue.schedules.add("schedule", "functions:nothing", every=60)
    tool.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError):
        tool.execute(statement)


@pytest.mark.parametrize("column", ["jobs.run_at", "jobs.expires_at", "job_schedules.next_at"])
@pytest.mark.parametrize(
    "instant",
    [
        "soon",
        "",
        "12:00",
        "2026-01-01",
        "2026-01-01 12:00:00",
        "2026-01-01T12:00:00Z",
        "2026-01-01T12:00:00.000000+00:00",
        "2026-01-01T12:00:00.00000xZ",
        "2026-01-01T12:00:60.000000Z",
        "2026-01-01T12:60:00.000000Z",
        "2026-01-01T24:00:00.000000Z",
        "2026-02-29T12:00:00.000000Z",
        "2026-13-01T12:00:00.000000Z",
        "0000-01-01T00:00:00.000000Z",
        b"2026-01-01T12:00:00.000000Z",
        20260101,
    ],
)
def test_the_file_itself_refuses_an_instant_in_any_other_form_than_ours(
    file: File, tool: sqlite3.Connection, column: str, instant: object
) -> None:
    file.submit("job")
    file.queue.schedules.add("schedule", "functions:nothing", every=60)
    table, name = column.split(".")
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        tool.execute(f"UPDATE {table} SET {name} = ?", [instant])


@pytest.mark.parametrize(
    "instant",
    [
        "0001-01-01T00:00:00.000000Z",
        "1970-01-01T00:00:00.000001Z",
        "2024-02-29T23:59:59.999999Z",
        "2026-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59.999999Z",
    ],
)
def test_the_file_accepts_every_instant_that_we_can_write(file: File, tool: sqlite3.Connection, instant: str) -> None:
    job_id = file.submit("job")
    tool.execute("UPDATE jobs SET run_at = ?", [instant])
    assert to_text(file.job(job_id).run_at) == instant


def test_a_queue_may_be_in_the_applications_own_file(path: str, tool: sqlite3.Connection) -> None:
    tool.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    tool.execute("PRAGMA user_version = 42")
    with JobQueue(path) as queue:
        assert queue.check() == []
    assert tool.execute("PRAGMA user_version").fetchone() == (42,)


def test_a_queue_that_another_process_has_just_made_is_used(path: str, tool: sqlite3.Connection) -> None:
    class Meanwhile(ManualClock):
        """Makes a queue when it is first asked for the time: in the transaction that looks at the file."""

        other: JobQueue | None = None

        def now(self) -> datetime:
            if self.other is None:
                self.other = JobQueue(path)
                self.other.submit(Job("job", "functions:nothing"))
            return super().now()

    tool.execute("PRAGMA journal_mode = WAL")
    tool.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    clock = Meanwhile()
    with JobQueue(path, clock=clock) as queue:
        assert clock.other is not None
        assert queue.count() == clock.other.count() == 1
        clock.other.close()


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


def test_an_open_queue_ignores_new_tables_of_other_applications(queue: JobQueue, tool: sqlite3.Connection) -> None:
    tool.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    queue.submit(Job("job", "functions:nothing"))
    assert queue.count() == 1


def test_an_open_queue_refuses_a_file_that_a_newer_gigq_has_changed(queue: JobQueue, tool: sqlite3.Connection) -> None:
    tool.execute("ALTER TABLE jobs ADD COLUMN colour TEXT")
    tool.execute("UPDATE job_schema SET version = 99")
    for use in (queue.count, lambda: queue.submit(Job("job", "functions:nothing"))):
        with pytest.raises(NotAQueue, match=r"version 99, .*; it was changed while it was open"):
            use()
    tool.execute("UPDATE job_schema SET version = ?", (VERSION,))
    assert queue.count() == 0


def upgrade(tool: sqlite3.Connection) -> None:
    """What a later version of this code may do to the file."""
    tool.execute("BEGIN IMMEDIATE")
    tool.execute("ALTER TABLE jobs ADD COLUMN colour TEXT")
    tool.execute("UPDATE job_schema SET version = ?", (VERSION + 1,))
    tool.execute("COMMIT")


UPGRADED = f"version {VERSION + 1}, .* install the gigq that wrote it; it was changed while it was open"


def test_a_worker_stops_with_an_error_when_newer_code_upgrades_its_file(
    path: str, run: Callable[..., Running], pipes: Pipes, tool: sqlite3.Connection
) -> None:
    running = run()
    with JobQueue(path) as queue:
        queue.submit(Job("job", "functions:hold", args=[pipes.tell, pipes.until]))
    pipes.wait_until_begun()
    upgrade(tool)
    pipes.let_end()
    running.thread.join(60)
    with pytest.raises(NotAQueue, match=UPGRADED):
        raise running.error or AssertionError("it ended as if nothing were")
    assert tool.execute("SELECT status FROM jobs").fetchall() == [("running",)], "left to the newer code"


def test_the_process_of_a_worker_ends_with_one_line_when_newer_code_upgrades_its_file(
    path: str, tool: sqlite3.Connection
) -> None:
    JobQueue(path).close()
    worker = subprocess.Popen(
        [sys.executable, "-m", "gigq", "--db", path, "worker"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert worker.stderr is not None
    assert " started: " in worker.stderr.readline()
    upgrade(tool)
    _, said = worker.communicate(timeout=60)
    assert worker.returncode == 1
    (line,) = said.splitlines()
    assert re.search(UPGRADED, line)


def test_a_backup_that_is_put_back_into_an_open_file_is_used_from_then_on(
    path: str, tmp_path: Path, tool: sqlite3.Connection
) -> None:
    with JobQueue(path) as queue:
        queue.submit(Job("kept", "functions:nothing"))
        with closing(sqlite3.connect(tmp_path / "backup.db")) as backup:
            tool.backup(backup)
            queue.submit(Job("lost", "functions:nothing"))
            backup.backup(tool)
        queue.submit(Job("new", "functions:nothing"))
        assert [job["name"] for job in queue.list_jobs()] == ["new", "kept"]


def test_an_older_backup_that_is_put_back_into_an_open_file_is_refused_until_that_is_opened_again(
    path: str, tmp_path: Path, tool: sqlite3.Connection
) -> None:
    backup = shutil.copy(OLDEST, tmp_path / "backup.db")
    with JobQueue(path) as queue, closing(sqlite3.connect(backup, isolation_level=None)) as old:
        for statement in (
            "PRAGMA journal_mode = DELETE",
            "PRAGMA page_size = 4096",
            "VACUUM",
        ):  # the stored one is small
            old.execute(statement)
        old.backup(tool)
        for use in (queue.count, lambda: queue.submit(Job("job", "functions:nothing"))):
            with pytest.raises(NotAQueue, match="replaced by a queue of version 1 while it was open; open it again"):
                use()
    with JobQueue(path) as queue:
        assert queue.check() == []


def test_an_open_queue_refuses_a_file_that_has_lost_its_tables(queue: JobQueue, tool: sqlite3.Connection) -> None:
    for view in VIEWS:
        tool.execute(f"DROP VIEW {view}")
    for table in reversed(TABLES):
        tool.execute(f"DROP TABLE {table}")
    with pytest.raises(NotAQueue, match="lost its tables while it was open"):
        queue.count()


def test_an_empty_file_becomes_a_queue(path: str) -> None:
    open(path, "w").close()
    with pytest.raises(NotAQueue, match="holds no queue"):
        JobQueue(path, initialize=False)
    with JobQueue(path) as queue:
        assert queue.stats()["total"] == 0


@pytest.mark.unsound("the version of its tables is gone")
def test_a_file_that_has_lost_its_version_is_refused_with_what_is_missing(path: str, queue: JobQueue) -> None:
    queue.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as tool:
        tool.execute("DELETE FROM job_schema")
    with pytest.raises(NotAQueue, match=r"jobs.db' has lost the row of job_schema .*; restore a backup$"):
        JobQueue(path)
