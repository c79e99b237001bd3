"""Verbs that take part in a transaction of this thread, on a connection that is not theirs."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gigq import Job, JobQueue, UnknownParent
from gigq.store.engine.joined import Joined, taking_part


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "jobs.db")


@contextmanager
def in_transaction(path: str) -> Iterator[sqlite3.Connection]:
    """A connection in a transaction, which is rolled back unless the block commits."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def job(name: str, **options: object) -> Job:
    return Job(name, "functions:nothing", id=name, **options)  # type: ignore[arg-type]


def ids(queue: JobQueue) -> list[str]:
    return sorted(record.id for record in queue.find_jobs())


def test_what_takes_part_is_committed_with_the_rest(path: str) -> None:
    with JobQueue(path) as queue, JobQueue(path) as other:
        with in_transaction(path) as connection, taking_part(Joined(connection, queue.database)):
            queue.submit(job("a"))
            seen_inside, seen_outside = ids(queue), ids(other)
            connection.execute("COMMIT")
        assert (seen_inside, seen_outside, ids(other)) == (["a"], [], ["a"])


def test_what_takes_part_is_rolled_back_with_the_rest(path: str) -> None:
    with JobQueue(path) as queue:
        with in_transaction(path) as connection, taking_part(Joined(connection, queue.database)):
            queue.submit(job("a"))
        assert ids(queue) == []


def test_a_refused_verb_leaves_the_rest_whole(path: str) -> None:
    with JobQueue(path) as queue:
        with in_transaction(path) as connection, taking_part(Joined(connection, queue.database)):
            queue.submit(job("a"))
            with pytest.raises(UnknownParent):
                queue.submit_many([job("b"), job("c", dependencies=["missing"])])
            connection.execute("COMMIT")
        assert ids(queue) == ["a"]


def test_another_queue_object_does_not_wait_for_its_own_thread(path: str) -> None:
    with (
        JobQueue(path) as queue,
        JobQueue(path) as other,
        in_transaction(path) as connection,
        taking_part(Joined(connection, queue.database)),
    ):
        with pytest.raises(RuntimeError, match="another queue object"):
            other.submit(job("a"))
        assert ids(other) == []


def test_all_queue_objects_take_part_where_that_is_wanted(path: str) -> None:
    with JobQueue(path) as queue, JobQueue(path) as other:
        with in_transaction(path) as connection, taking_part(Joined(connection, queue.database, is_for_all=True)):
            other.submit(job("a"))
            connection.execute("COMMIT")
        assert ids(queue) == ["a"]


def test_other_files_and_other_threads_do_not_take_part(path: str, tmp_path: Path) -> None:
    with JobQueue(path, timeout=0.01) as queue, JobQueue(tmp_path / "other.db") as elsewhere:
        with in_transaction(path) as connection, taking_part(Joined(connection, queue.database)):
            elsewhere.submit(job("a"))
            queue.submit(job("b"))
            seen = list[list[str]]()
            thread = threading.Thread(target=lambda: seen.append(ids(queue)))
            thread.start()
            thread.join()
        assert (ids(elsewhere), seen) == (["a"], [[]])
