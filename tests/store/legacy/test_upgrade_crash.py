"""The upgrade of a file of GigQ 0.5.1, interrupted or raced, happens once or not at all."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from forked import ForkedProcess
from store import old_file
from store.old_file import OldFile, read, tool

from gigq import Job, JobQueue, StoreError

TESTS = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, [TESTS.parent, TESTS]))}

CRASH = """
import itertools, os, shutil, sqlite3, sys
from gigq import JobQueue
from store.old_file import dump

path, again = sys.argv[1:]
connect = sqlite3.connect

def opened_until(last):
    statements = itertools.count(1)
    def step(statement):
        is_read = statement.lstrip().startswith(("SELECT", "PRAGMA"))  # which leaves the file as it was
        if not is_read and next(statements) == last:
            os._exit(9)
    def watched(*arguments, **options):
        connection = connect(*arguments, **options)
        connection.set_trace_callback(step)
        return connection
    sqlite3.connect = watched
    with JobQueue(path):
        os._exit(0)

def is_sound(copy):
    with JobQueue(copy) as queue:
        return queue.check() == [] and queue.stats()["total"] == 21

whole = dump(path)
for last in itertools.count(1):
    if not os.fork():
        opened_until(last)
    code = os.waitstatus_to_exitcode(os.wait()[1])
    files = [suffix for suffix in ("", "-wal", "-shm") if os.path.exists(path + suffix)]
    if last % 10 == 0:
        for suffix in files:
            shutil.copy(path + suffix, again + suffix)
        assert is_sound(again), last
        os.unlink(again)
    if dump(path) != whole:  # it crashed after the commit, or not at all
        assert is_sound(path), last
        break
    assert code == 9, (last, code)
print(last)
"""
"""After each crash the file is as it was, and is upgraded again, which crashes one statement later; after every tenth
crash a copy is upgraded to the end."""

OPEN = """
import sys
from gigq import Job, JobQueue
print("ready", flush=True)
with open(sys.argv[2], "rb"):  # until the test opens it too
    pass
with JobQueue(sys.argv[1]) as queue:
    queue.submit(Job("new", "functions:nothing"))
"""


@pytest.fixture
def written(path: str) -> str:
    """The stored file, which the older package has written."""
    old_file.write(path, old_file.WRITTEN)
    return path


@pytest.fixture
def old_worker(written: str) -> Iterator[sqlite3.Connection]:
    """The connection of a process of the older package."""
    with closing(sqlite3.connect(written)) as connection:
        yield connection


def test_a_crash_at_any_statement_leaves_the_old_file_intact_and_it_is_upgraded_when_opened_again(
    written: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CRASH, written, str(tmp_path / "again.db")],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


def test_eight_processes_open_an_old_file_at_once_and_all_of_them_can_use_it(
    written: str, tmp_path: Path, open_queue: Callable[..., JobQueue]
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    processes = [ForkedProcess(OPEN, [written, str(gate)]) for _ in range(8)]
    assert [process.stdout.readline() for process in processes] == [b"ready\n"] * 8
    with gate.open("wb"):
        errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8
    assert sorted(errors)[:7] == [b""] * 7, "one of them upgrades the file, and says so"
    assert b"was upgraded from GigQ 0.5.1" in max(errors)
    queue = open_queue()
    assert (queue.count(), queue.count(name="new")) == (29, 8)


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        # submit
        (
            ["INSERT INTO jobs (id, name, function_name, function_module, status, created_at, updated_at)"
             " VALUES ('x', 'x', 'add', 'chores', 'pending', '', '')"],
            "no column named function_name",
        ),
        # claim
        (
            ["SELECT j.* FROM jobs j WHERE j.status = 'pending' AND (j.dependencies IS NULL OR j.dependencies = '[]')"],
            "no such column: j.dependencies",
        ),
        # complete
        (
            ["UPDATE jobs SET status = 'completed', updated_at = '', completed_at = '', result = '1', error = NULL,"
             " worker_id = NULL WHERE name = 'running'",
             "UPDATE job_executions SET status = 'completed' WHERE id = 'x'"],
            "no such table: job_executions",
        ),
        # retry
        (
            ["UPDATE jobs SET status = 'pending', updated_at = '', worker_id = NULL, error = 'no', retry_after = NULL"
             " WHERE name = 'running'"],
            "no such column: retry_after",
        ),
        # cancel
        (["UPDATE jobs SET status = 'cancelled', updated_at = '' WHERE name = 'running'"], "CHECK constraint failed"),
        # requeue_job
        (["UPDATE jobs SET status = 'pending', attempts = 0, error = NULL WHERE name = 'failed'"],
         "CHECK constraint failed"),
    ],
)  # fmt: skip
def test_a_process_that_still_has_the_old_file_open_can_no_longer_write(
    old_worker: sqlite3.Connection, open_queue: Callable[..., JobQueue], statements: list[str], message: str
) -> None:
    old_worker.execute("SELECT * FROM jobs").fetchall()
    queue = open_queue()
    before = queue.list_jobs()
    with pytest.raises(sqlite3.Error, match=message), old_worker:  # all in one transaction, as theirs
        for statement in statements:
            old_worker.execute(statement)
    assert queue.list_jobs() == before


def test_an_upgrade_waits_for_an_old_worker_that_is_writing(written: str) -> None:
    with closing(tool(written)) as old_worker:
        old_worker.execute("PRAGMA journal_mode = WAL")
        old_worker.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked by another writer"):
            JobQueue(written, timeout=0.1)
        old_worker.execute("ROLLBACK")
    assert len(read(written, "SELECT * FROM job_executions")) == 13
    with JobQueue(written) as queue:
        assert queue.check() == []


@pytest.mark.unsound("it was cut off")
def test_a_truncated_old_file_is_refused_and_left_unchanged(path: str) -> None:
    old = OldFile(path)
    for number in range(200):
        old.add(f"job {number}")
    file = Path(path)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2 // 4096 * 4096])
    before = file.read_bytes()
    with pytest.raises(StoreError, match="malformed"):
        JobQueue(path)
    assert file.read_bytes() == before


@pytest.mark.unsound("it was cut off")
def test_a_truncated_queue_is_refused(path: str) -> None:
    with JobQueue(path) as queue:
        queue.submit_many(Job("job", "functions:nothing") for _ in range(200))
    file = Path(path)
    file.write_bytes(file.read_bytes()[:8192])
    with pytest.raises(StoreError, match="malformed"), JobQueue(path) as queue:
        queue.check()
