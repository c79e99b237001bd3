"""Connections that cannot be joined are refused with the reason, before anything is written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue, NotAQueue, QueueBusy, QueueGone, StoreError, Workflow


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    with JobQueue(tmp_path / "app.db", timeout=0.05) as queue, closing(sqlite3.connect(queue.db_path)) as connection:
        connection.execute("CREATE TABLE notes (text TEXT)")
        yield queue


JOB = Job("job", "functions:nothing", id="job")


@contextmanager
def begun(path: str, begin: str = "BEGIN IMMEDIATE", **options: Any) -> Iterator[sqlite3.Connection]:
    """A connection in a transaction that has written nothing yet."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0, **options)) as connection:
        connection.execute(begin)
        yield connection


def refuse(queue: JobQueue, connection: object, kind: type[Exception], match: str) -> None:
    """Every way to join is refused alike, and nothing is stored."""
    workflow = Workflow("workflow")
    workflow.add_job(JOB)
    ways: list[Callable[[], object]] = [
        lambda: queue.submit(JOB, connection=connection),
        lambda: queue.submit_many([], connection=connection),
        lambda: workflow.submit_all(queue, connection=connection),
        lambda: queue.complete("job", connection=connection),
        lambda: queue.transaction(connection).__enter__(),
    ]
    for way in ways:
        with pytest.raises(kind, match=match):
            way()
    with closing(sqlite3.connect(queue.db_path)) as other:
        assert other.execute("SELECT count(*) FROM jobs").fetchone() == (0,)


@pytest.mark.parametrize("given", ["app.db", 5, True, object(), [sqlite3], sqlite3.connect, threading])
def test_what_holds_no_connection(queue: JobQueue, given: object) -> None:
    refuse(queue, given, ValueError, "it must be a sqlite3.Connection in a transaction, or hold one, as Django's")


def test_no_open_transaction(queue: JobQueue) -> None:
    for level in (None, "DEFERRED"):
        with closing(sqlite3.connect(queue.db_path, isolation_level=level)) as connection:
            refuse(queue, connection, ValueError, "no transaction open, so the job would be committed alone; begin one")
            assert not connection.in_transaction


def test_another_file(queue: JobQueue, tmp_path: Path) -> None:
    with begun(str(tmp_path / "other.db")) as connection:
        refuse(queue, connection, ValueError, r"the queue is in '.*app\.db', and connection is to '.*other\.db'")
    with begun(":memory:") as connection:
        refuse(queue, connection, ValueError, "connection is to a database in memory; a transaction is of one file")


def test_a_copy_of_the_file(queue: JobQueue, tmp_path: Path) -> None:
    shutil.copy(queue.db_path, tmp_path / "copy.db")
    with begun(str(tmp_path / "copy.db")) as connection:
        refuse(queue, connection, ValueError, "a transaction is of one file")


def test_a_file_that_is_only_attached(queue: JobQueue, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db", isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS jobs", (queue.db_path,))
        connection.execute("BEGIN IMMEDIATE")
        refuse(queue, connection, ValueError, "which connection has only attached, as 'jobs'.*connect to the file of")


def test_a_hard_link_to_the_file(queue: JobQueue, tmp_path: Path) -> None:
    os.link(queue.db_path, tmp_path / "link.db")
    with begun(str(tmp_path / "link.db"), "BEGIN") as connection:
        refuse(queue, connection, ValueError, r"which connection has open by the hard link '.*link\.db'")


def test_the_file_may_have_others_attached(queue: JobQueue, tmp_path: Path) -> None:
    with closing(sqlite3.connect(queue.db_path, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS other", (str(tmp_path / "other.db"),))
        connection.execute("BEGIN IMMEDIATE")
        queue.submit(JOB, connection=connection)
        connection.execute("COMMIT")
    assert queue.count() == 1


@pytest.mark.parametrize(
    "sql", ["TABLE jobs (id)", "TABLE JOBS (id)", "TABLE job_schema (version)", "VIEW job_tags AS SELECT 1"]
)
def test_a_temporary_table_over_one_of_the_queue(queue: JobQueue, sql: str) -> None:
    with begun(queue.db_path) as connection:
        connection.execute(f"CREATE TEMP {sql}")
        refuse(queue, connection, ValueError, "has a temporary table or view .*, which hides the queue's own; drop it")


def test_other_temporary_tables_are_no_hindrance(queue: JobQueue) -> None:
    with begun(queue.db_path) as connection:
        connection.execute("CREATE TEMP TABLE orders (id)")
        queue.submit(JOB, connection=connection)
        connection.execute("COMMIT")
    assert queue.count() == 1


def test_a_file_of_a_newer_version(queue: JobQueue) -> None:
    with closing(sqlite3.connect(queue.db_path)) as newer:
        newer.execute("UPDATE job_schema SET version = 99")
        newer.execute("CREATE TABLE more (a)")
        newer.commit()
    with begun(queue.db_path) as connection:
        refuse(queue, connection, NotAQueue, "has the tables of version 99")
    with closing(sqlite3.connect(queue.db_path)) as newer:
        newer.execute("UPDATE job_schema SET version = 2")
        newer.commit()


@pytest.mark.unsound("the tables are gone")
def test_a_file_that_has_lost_its_tables(queue: JobQueue) -> None:
    with begun(queue.db_path) as connection:
        connection.execute("DROP TABLE job_schema")
        with pytest.raises(NotAQueue, match="it was changed while it was open"):
            queue.submit(JOB, connection=connection)
        connection.execute("ROLLBACK")
    queue.submit(JOB)


def test_tables_that_the_same_transaction_has_made_are_no_hindrance(queue: JobQueue) -> None:
    with begun(queue.db_path) as connection:
        connection.execute("CREATE TABLE orders (id)")
        queue.submit(JOB, connection=connection)
        connection.execute("ROLLBACK")
    with closing(sqlite3.connect(queue.db_path)) as newer:  # as many changes of the tables as were rolled back
        newer.execute("CREATE TABLE more (a)")
        newer.execute("UPDATE job_schema SET version = 99")
        newer.commit()
    with pytest.raises(NotAQueue, match="has the tables of version 99"):
        queue.submit(JOB)
    with closing(sqlite3.connect(queue.db_path)) as newer:
        newer.execute("UPDATE job_schema SET version = 2")
        newer.commit()


def test_a_lock_that_another_writer_has_is_waited_for(queue: JobQueue) -> None:
    with begun(queue.db_path) as other, begun(queue.db_path, "BEGIN") as connection:
        with pytest.raises(QueueBusy, match=r"was locked by another writer for 0\.05 seconds"):
            queue.submit(JOB, connection=connection)
        with JobQueue(queue.db_path, timeout=30) as patient:
            timer = threading.Timer(0.1, other.interrupt)
            thread = threading.Thread(target=lambda: (timer.start(), timer.join()))
            thread.start()
            thread.join()
            other.execute("ROLLBACK")
            patient.submit(JOB, connection=connection)
            connection.execute("COMMIT")
    assert queue.count() == 1


def test_a_transaction_that_has_read_what_others_have_changed_can_write_no_more(queue: JobQueue) -> None:
    with begun(queue.db_path, "BEGIN") as connection:
        connection.execute("SELECT count(*) FROM notes").fetchone()
        queue.submit(Job("other", "functions:nothing"))
        with pytest.raises(QueueBusy, match=r"has read what others have changed .* begin it with BEGIN IMMEDIATE"):
            queue.submit(JOB, connection=connection)


def test_a_connection_that_may_not_write(queue: JobQueue) -> None:
    queue.submit(Job("other", "functions:nothing", id="other"))
    refused = pytest.raises(StoreError, match="readonly database")
    with begun(f"file:{queue.db_path}?mode=ro", "BEGIN", uri=True) as connection, refused:
        queue.submit(JOB, connection=connection)
    with closing(sqlite3.connect(queue.db_path, isolation_level=None)) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        with pytest.raises(StoreError, match="readonly database"):
            queue.submit(JOB, connection=connection)
    assert queue.count() == 1


def test_a_closed_connection(queue: JobQueue) -> None:
    connection = sqlite3.connect(queue.db_path)
    connection.close()
    refuse(queue, connection, sqlite3.ProgrammingError, "closed")


def test_a_connection_of_another_thread(queue: JobQueue) -> None:
    with begun(queue.db_path) as connection:
        with ThreadPoolExecutor(1) as other, pytest.raises(sqlite3.ProgrammingError, match="thread"):
            other.submit(queue.submit, JOB, connection=connection).result()


def test_a_queue_in_memory(queue: JobQueue) -> None:
    refused = pytest.raises(ValueError, match="a queue in memory can join no connection")
    with JobQueue(":memory:") as memory, begun(queue.db_path) as connection, refused:
        memory.submit(JOB, connection=connection)


def test_a_queue_that_only_looks(queue: JobQueue) -> None:
    with JobQueue(queue.db_path, read_only=True) as looking, begun(queue.db_path) as connection:
        for act in (
            lambda: looking.submit(JOB, connection=connection),
            lambda: looking.transaction(connection).__enter__(),
            lambda: looking.transaction().__enter__(),
        ):
            with pytest.raises(StoreError, match="was opened read-only"):
                act()


def test_a_queue_that_is_closed(queue: JobQueue) -> None:
    with begun(queue.db_path) as connection:
        queue.close()
        for act in (lambda: queue.submit(JOB, connection=connection), lambda: queue.transaction().__enter__()):
            with pytest.raises(StoreError, match="this queue is closed"):
                act()


def test_a_file_that_was_replaced(queue: JobQueue) -> None:
    os.rename(queue.db_path, f"{queue.db_path}-old")
    with JobQueue(queue.db_path), begun(queue.db_path) as connection, pytest.raises(QueueGone):
        queue.submit(JOB, connection=connection)


def test_a_refusal_leaves_the_callers_transaction_as_it_was(queue: JobQueue) -> None:
    with begun(queue.db_path) as connection:
        connection.execute("INSERT INTO notes VALUES ('kept')")
        connection.execute("CREATE TEMP TABLE jobs (id)")
        before = (connection.row_factory, connection.text_factory)
        with pytest.raises(ValueError, match="temporary"):
            queue.submit(JOB, connection=connection)
        assert (connection.row_factory, connection.text_factory) == before
        connection.execute("COMMIT")
    with closing(sqlite3.connect(queue.db_path)) as other:
        assert other.execute("SELECT text FROM notes").fetchall() == [("kept",)]
