"""`JobQueue.changes`: whether anything was committed, told in microseconds."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gigq import Job, JobQueue, QueueGone, StoreError

JOB = Job("job", "functions:nothing")


@pytest.fixture(params=["file", "memory"])
def watched(request: pytest.FixtureRequest, path: str) -> Iterator[JobQueue]:
    with JobQueue(path if request.param == "file" else ":memory:") as queue:
        yield queue


def in_a_thread(act: Callable[[], object]) -> object:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(act()))
    thread.start()
    thread.join()
    return found[0]


def test_looks_change_nothing(watched: JobQueue) -> None:
    before = watched.changes()
    watched.find_jobs()
    watched.stats()
    assert watched.changes() == before


@pytest.mark.parametrize(
    "act",
    [
        lambda queue: queue.submit(JOB),
        lambda queue: queue.pause("mail"),
        lambda queue: in_a_thread(lambda: queue.submit(JOB)),
        lambda queue: (queue.submit(JOB), queue.cancel(JOB), queue.prune()),
    ],
    ids=["submit", "pause", "in another thread", "submit and prune"],
)
def test_a_commit_of_this_very_process_changes_it(watched: JobQueue, act: Callable[[JobQueue], object]) -> None:
    before = watched.changes()
    act(watched)
    after = watched.changes()
    assert after != before
    assert watched.changes() == after


def test_a_commit_of_another_connection_changes_it(queue: JobQueue, path: str) -> None:
    before = queue.changes()
    with JobQueue(path) as other:
        other.submit(JOB)
    with closing(sqlite3.connect(path)) as connection, connection:
        between = queue.changes()
        connection.execute("UPDATE jobs SET description = 'by hand'")
    assert len({before, between, queue.changes()}) == 3


def test_all_threads_are_told_the_same(watched: JobQueue) -> None:
    assert in_a_thread(watched.changes) == watched.changes()


def test_what_is_rolled_back_is_no_commit(queue: JobQueue) -> None:
    before = queue.changes()
    with pytest.raises(ZeroDivisionError), queue.transaction():
        queue.submit(JOB)
        assert queue.changes() == before
        raise ZeroDivisionError
    assert queue.changes() == before


def test_in_memory_nobody_knows_while_a_transaction_is_open() -> None:
    with JobQueue(":memory:") as queue:
        with queue.transaction():
            queue.submit(JOB)
            during = queue.changes()
        assert queue.changes() != during


def test_no_table_is_read(queue: JobQueue) -> None:
    queue.changes()
    connection = vars(queue.database)["_watching"]._pool.current()
    said: list[str] = []
    connection.set_trace_callback(said.append)
    queue.changes()
    assert said == ["PRAGMA data_version"]


def test_a_queue_that_only_looks_is_told_of_what_others_write(path: str) -> None:
    with JobQueue(path) as writer:
        writer.submit(JOB)
        with JobQueue(path, read_only=True) as reader:
            before = reader.changes()
            assert reader.changes() == before
            writer.submit(Job("second", "functions:nothing"))
            assert reader.changes() != before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_the_child_of_a_fork_and_its_parent_go_on(queue: JobQueue) -> None:
    queue.changes()
    child = os.fork()
    if child == 0:
        mark = queue.changes()
        os._exit(0 if queue.changes() == mark else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    mark = queue.changes()
    queue.submit(JOB)
    assert queue.changes() != mark


def test_a_file_that_is_gone_is_said_to_be(path: str, tmp_path: Path) -> None:
    with JobQueue(path) as queue:
        queue.changes()
        shutil.copy(path, copy := tmp_path / "copy.db")
        os.replace(copy, path)
        with pytest.raises(QueueGone, match="was deleted or replaced"):
            queue.changes()


def test_a_closed_queue_is_not_opened_again(path: str) -> None:
    with JobQueue(path) as queue:
        queue.changes()
    with pytest.raises(StoreError, match="this queue is closed"):
        queue.changes()
