"""A queue in the database of an application, among the application's own tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gigq import Job, JobQueue, NotAQueue

SCHEMA = """
    PRAGMA application_id = 77;
    PRAGMA user_version = 5;
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
    CREATE VIEW names AS SELECT name FROM users;
    CREATE TRIGGER greeting AFTER INSERT ON users BEGIN UPDATE users SET name = upper(name) WHERE id = new.id; END;
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "app.db")


def run(path: str, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def value(path: str, sql: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchone()[0]


def test_what_an_application_has_in_its_database_stays(path: str) -> None:
    run(path, SCHEMA)
    with JobQueue(path) as queue:
        queue.submit(Job("job", "functions:nothing"))
        run(path, "INSERT INTO users (name) VALUES ('ada')")
        assert queue.check() == []
    pragmas = [value(path, f"PRAGMA {name}") for name in ("application_id", "user_version")]
    assert (pragmas, value(path, "SELECT name FROM names")) == ([77, 5], "ADA")


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE users RENAME TO people; ALTER TABLE people ADD COLUMN age",
        "DROP VIEW names; CREATE TABLE more (a); CREATE INDEX more_a ON more (a)",
        "VACUUM",
        "PRAGMA foreign_keys = ON; CREATE TABLE pets (owner REFERENCES users (id) ON DELETE CASCADE)",
        "PRAGMA user_version = 6",
        "ANALYZE",
    ],
)
def test_an_application_may_change_its_own_tables_while_the_queue_is_open(path: str, change: str) -> None:
    run(path, SCHEMA)
    with JobQueue(path) as queue:
        queue.submit(Job("before", "functions:nothing"))
        run(path, change)
        queue.submit(Job("after", "functions:nothing"))
        assert (queue.count(), queue.prune("cancelled"), queue.check()) == (2, 0, [])


@pytest.mark.parametrize(
    ("taken", "named"),
    [
        ("TABLE jobs (id TEXT, title TEXT)", "table 'jobs'"),
        ("TABLE Jobs (id)", "table 'Jobs'"),
        ("TABLE EXECUTIONS (id)", "table 'EXECUTIONS'"),
        ("VIEW Job_Overview AS SELECT 1", "view 'Job_Overview'"),
        ("INDEX Jobs_Ready ON users (name)", "index 'Jobs_Ready'"),
    ],
)
def test_a_name_that_the_application_uses_itself_is_refused(path: str, taken: str, named: str) -> None:
    run(path, f"{SCHEMA}; CREATE {taken}")
    with pytest.raises(NotAQueue, match=f"has a {named} of another application; give the queue a file of its own"):
        JobQueue(path)
    assert value(path, "SELECT count(*) FROM sqlite_master WHERE name = 'job_schema'") == 0
