"""A file of version 1 becomes one of this version in one transaction, or stays as it is."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from store.old_file import dump, read, write
from store.test_versions import schema

from gigq import Job, JobQueue, NotAQueue, QueueBusy
from gigq.store.migrations import STEPS, VIEWS_OF
from gigq.store.tables import TABLES, VERSION

OLDEST = Path(__file__).with_name("files") / "version-1.sqlite3"
TESTS = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, [TESTS.parent, TESTS]))}

OPEN = """
import sys
from gigq import Job, JobQueue
print("ready", flush=True)
sys.stdin.readline()
with JobQueue(sys.argv[1]) as queue:
    queue.submit(Job("new", "functions:nothing"))
"""


@pytest.fixture
def old(path: str) -> str:
    """The path of a copy of the stored file of version 1."""
    return str(shutil.copy(OLDEST, path))


NEW = ("job_missing_functions", "job_waits", "job_workflows", "job_steps", "job_actions")


def rows(path: str) -> dict[str, list[tuple[object, ...]]]:
    return {table: read(path, f"SELECT * FROM {table}") for table in TABLES if table not in NEW}


def test_there_is_a_step_to_every_version_from_the_one_before() -> None:
    assert list(STEPS) == list(range(2, VERSION + 1))
    assert list(VIEWS_OF) == list(range(1, VERSION))


def test_an_upgraded_file_has_the_tables_and_views_of_a_new_one(old: str, tmp_path: Path) -> None:
    JobQueue(old).close()
    JobQueue(tmp_path / "new.db").close()
    assert schema(Path(old)) == schema(tmp_path / "new.db")


def test_the_rows_stay_as_they_were_but_for_the_mode_of_manual_workers(old: str) -> None:
    before = rows(old)
    JobQueue(old).close()
    after = rows(old)
    assert (before.pop("job_schema"), after.pop("job_schema")) == ([(1,)], [(VERSION,)])
    manual = [tuple("manual" if value == "hand" else value for value in row) for row in before.pop("job_workers")]
    assert [row[:-2] for row in after.pop("job_workers")] == manual  # without the columns that are new
    assert [row[: len(old_row)] for row, old_row in zip(after.pop("jobs"), before["jobs"], strict=True)] == before.pop(
        "jobs"
    )
    assert [row[:-1] for row in after.pop("job_queues")] == before.pop("job_queues")
    assert after == before


def test_what_has_become_of_the_executions_is_counted(old: str) -> None:
    JobQueue(old).close()
    found = {name: rest for name, *rest in read(old, "SELECT name, has_begun, releases FROM jobs")}
    assert found["tried four times"] == [1, 1]
    assert found["failed"] == [1, 0]
    assert found["completed"] == found["expiring"] == found["running"] == [0, 0]


def test_a_file_is_only_upgraded_by_a_caller_that_may_create_one(old: str) -> None:
    before = dump(old)
    with pytest.raises(NotAQueue, match="with tables of version 1; stop the programs that still use it, then start a worker"):
        JobQueue(old, initialize=False)
    assert dump(old) == before


@pytest.mark.parametrize("kind", ["TABLE ready_jobs (mine)", "VIEW ready_jobs AS SELECT 1", "INDEX ready_jobs ON o (m)"])
def test_a_view_is_never_put_in_the_place_of_something_of_another_application(old: str, kind: str) -> None:
    write(old, f"CREATE TABLE o (m); CREATE {kind}")
    before = dump(old)
    with pytest.raises(NotAQueue, match=r"a 'ready_jobs' of another application.*; rename that, and open the queue"):
        JobQueue(old)
    assert dump(old) == before


def test_a_file_that_has_lost_its_views_is_upgraded(old: str) -> None:
    write(old, "DROP VIEW job_overview")
    with JobQueue(old) as queue:
        assert queue.check() == []


def test_tables_and_views_of_other_applications_are_left_alone(old: str) -> None:
    script = "CREATE TABLE orders (id, job); CREATE VIEW mine AS SELECT id, phase FROM job_overview"
    write(old, script)
    JobQueue(old).close()
    assert ("held", "running") in read(old, "SELECT * FROM mine")
    assert read(old, "SELECT * FROM orders") == []


@pytest.fixture
def old_connection(old: str) -> Iterator[sqlite3.Connection]:
    """A process of version 1 that has the file open."""
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        yield connection


def test_a_connection_of_older_code_notices_the_upgrade(old: str, old_connection: sqlite3.Connection) -> None:
    before = old_connection.execute("PRAGMA schema_version").fetchone()
    JobQueue(old).close()
    assert old_connection.execute("PRAGMA schema_version").fetchone() != before
    assert old_connection.execute("SELECT version FROM job_schema").fetchone() == (VERSION,)


def test_an_upgrade_waits_for_an_older_worker_that_is_writing(old: str, old_connection: sqlite3.Connection) -> None:
    before = dump(old)
    old_connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(QueueBusy):
        JobQueue(old, timeout=0.1)
    old_connection.execute("ROLLBACK")
    assert dump(old) == before
    with JobQueue(old) as queue:
        assert queue.check() == []


def test_eight_processes_upgrade_a_file_at_once_and_all_of_them_can_use_it(
    old: str, open_queue: Callable[..., JobQueue]
) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OPEN, old],
            env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(8)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=120)
    assert [process.returncode for process in processes] == [0] * 8
    queue = open_queue()
    queue.submit(Job("another", "functions:nothing"))
    assert (queue.count(name="new"), read(old, "SELECT version FROM job_schema")) == (8, [(VERSION,)])
