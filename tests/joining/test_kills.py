"""A process that is killed around its commit leaves its data with the job, or neither."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from gigq import Job, JobQueue

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the process that is killed is forked")

KILLS = 50


def submit_for_ever(path: str, prefix: str, tell: int) -> None:
    """Write a note and a job in one transaction after the other, and tell of each before it is committed."""
    queue = JobQueue(path)
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    for number in count():
        name = f"{prefix}-{number}"
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO notes VALUES (?)", (name,))
        queue.submit(Job(name, "functions:nothing", id=name), connection=connection)
        os.write(tell, b".")
        connection.execute("COMMIT")


def kill_one(path: str, prefix: str, after: int) -> None:
    heard, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            submit_for_ever(path, prefix, tell)
        finally:
            os._exit(1)
    os.close(tell)
    for _ in range(after):
        assert os.read(heard, 1) == b"."
    os.kill(child, signal.SIGKILL)
    os.close(heard)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_fifty_kills_leave_both_or_neither(tmp_path: Path) -> None:
    path = str(tmp_path / "app.db")
    with JobQueue(path) as queue, queue.transaction() as db:
        db.execute("CREATE TABLE notes (text TEXT)")
    for kill in range(KILLS):
        kill_one(path, str(kill), after=1 + kill % 4)
    with closing(sqlite3.connect(path)) as connection:
        notes = [text for (text,) in connection.execute("SELECT text FROM notes ORDER BY text")]
        jobs = [job_id for (job_id,) in connection.execute("SELECT id FROM jobs ORDER BY id")]
    assert notes == jobs
    assert len(notes) >= KILLS, "of those that told of a second transaction the first is there"
