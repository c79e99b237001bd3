"""`JobQueue.backup`: a whole copy of one moment, or none."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import functions
import pytest
from small_disk import CannotMount, Disk

from gigq import Job, JobQueue, StoreError, Worker
from gigq.testing import drain


@pytest.fixture
def destination(tmp_path: Path) -> str:
    return str(tmp_path / "copies" / "copy.db")


@pytest.fixture(autouse=True)
def folder(destination: str) -> Path:
    Path(destination).parent.mkdir()
    return Path(destination).parent


def test_the_copy_is_a_queue_with_all_that_was_committed(queue: JobQueue, destination: str, folder: Path) -> None:
    done = queue.submit(Job("sum", functions.add, {"a": 1, "b": 2}))
    drain(queue)
    waiting = queue.submit(Job("later", functions.add, {"a": 3, "b": 4}))
    before = queue.clock.now()

    copy = queue.backup(destination)

    assert copy[:3] == (destination, os.path.getsize(destination), 2)
    assert before <= copy.taken_at <= queue.clock.now() and copy.problems == ()
    assert stat.S_IMODE(os.stat(destination).st_mode) == 0o600
    assert os.listdir(folder) == ["copy.db"], "one file, and nothing next to it"
    with JobQueue(destination) as restored:
        assert restored.get_result(done) == 3
        assert drain(restored) == 1 and restored.get_result(waiting) == 7
    assert queue.stats()["pending"] == 1, "the queue itself has not changed"


def test_a_queue_in_memory_and_one_that_is_only_looked_at_can_be_copied(
    path: str, queue: JobQueue, tmp_path: Path
) -> None:
    queue.enqueue(functions.nothing)
    with JobQueue(path, read_only=True) as looked_at:
        assert looked_at.backup(tmp_path / "a.db").jobs == 1
    with JobQueue(":memory:") as memory:
        memory.enqueue(functions.nothing)
        assert memory.backup(tmp_path / "b.db").jobs == 1
        assert memory.stats()["pending"] == 1
    with JobQueue(tmp_path / "b.db") as restored:
        assert restored.check() == [] and drain(restored) == 1


def test_what_is_written_meanwhile_waits_for_nothing_and_is_not_in_it(
    path: str, queue: JobQueue, destination: str
) -> None:
    queue.submit_many(Job(str(n), "print", {"text": "x" * 50_000}) for n in range(400))
    steps = []

    def write(done: int, total: int) -> None:
        steps.append((done, total))
        with JobQueue(path, timeout=0) as other:
            other.submit(Job(f"meanwhile {len(steps)}", functions.nothing))

    copy = queue.backup(destination, on_progress=write)

    assert copy.jobs == 400 and queue.count() == 400 + len(steps)
    assert len(steps) > 1 and steps[-1][0] == steps[-1][1] == copy.size
    assert [done for done, _ in steps] == sorted(done for done, _ in steps), "it never began again"


def test_a_file_that_is_there_stays_unless_it_is_to_be_overwritten(
    queue: JobQueue, destination: str, folder: Path
) -> None:
    Path(destination).write_text("precious")
    with pytest.raises(FileExistsError, match=r"there is a file at '.*copy.db' already; give another"):
        queue.backup(destination)
    assert Path(destination).read_text() == "precious"

    assert queue.backup(destination, overwrite=True).jobs == 0
    assert os.listdir(folder) == ["copy.db"] and stat.S_IMODE(os.stat(destination).st_mode) == 0o600


def test_a_file_that_is_made_meanwhile_stays(queue: JobQueue, destination: str, folder: Path) -> None:
    with pytest.raises(FileExistsError, match="made meanwhile"):
        queue.backup(destination, on_progress=lambda done, total: Path(destination).write_text("precious"))
    assert Path(destination).read_text() == "precious" and os.listdir(folder) == ["copy.db"]
    os.unlink(destination)


def test_a_copy_that_another_program_has_open_is_not_overwritten(queue: JobQueue, destination: str) -> None:
    queue.backup(destination)
    with JobQueue(destination) as other:
        other.enqueue(functions.nothing)
        with pytest.raises(StoreError, match="is open in another program, or was not closed"):
            queue.backup(destination, overwrite=True)
        assert other.count() == 1


@pytest.mark.parametrize("end", ["", "-wal", "-shm"])
def test_the_queue_itself_is_no_destination(path: str, queue: JobQueue, end: str) -> None:
    for overwrite in (False, True):
        with pytest.raises(ValueError, match="which is the queue's own file"):
            queue.backup(path + end, overwrite=overwrite)
    os.symlink(path, f"{path}.link")
    with pytest.raises(ValueError, match="which is the queue's own file"):
        queue.backup(f"{path}.link", overwrite=True)


def test_impossible_destinations_are_refused_in_one_sentence(queue: JobQueue, folder: Path) -> None:
    for destination, reason in (
        (":memory:", "the copy would be gone"),
        (str(folder), "is a folder"),
        (str(folder / "no" / "copy.db"), "there is no folder"),
        ("", "must not be empty"),
        ("/dev/null", "is not an ordinary file"),
        (str(folder / ("x" * 300)), "too long"),
    ):
        with pytest.raises((ValueError, StoreError, FileExistsError), match=reason):
            queue.backup(destination, overwrite=True)
    assert os.listdir(folder) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, sqlite3.OperationalError])
def test_what_stops_it_leaves_nothing_behind(
    queue: JobQueue, destination: str, folder: Path, error: type[BaseException]
) -> None:
    def stop(done: int, total: int) -> None:
        raise error

    with pytest.raises(error):
        queue.backup(destination, on_progress=stop)
    assert os.listdir(folder) == []
    assert queue.backup(destination).jobs == 0, "and the queue can be used as before"


def test_backups_to_one_place_at_a_time_do_not_meet(queue: JobQueue, destination: str, folder: Path) -> None:
    queue.enqueue(functions.nothing)
    inner = []

    def again(done: int, total: int) -> None:
        if not inner:
            inner.append("begun")
            inner[:] = [queue_again.backup(destination, overwrite=True).jobs]

    with JobQueue(queue.db_path) as queue_again:
        assert queue.backup(destination, overwrite=True, on_progress=again).jobs == 1
    assert inner == [1] and os.listdir(folder) == ["copy.db"]
    with JobQueue(destination) as copy:
        assert copy.check() == []


def test_a_destination_may_have_the_longest_name_of_a_queue(queue: JobQueue, folder: Path) -> None:
    assert queue.backup(folder / ("ä" * 123)).jobs == 0


def test_a_disk_that_gets_full_is_said_to_be_that_of_the_copy(queue: JobQueue, folder: Path) -> None:
    queue.submit_many(Job(str(n), "print", {"text": "x" * 50_000}) for n in range(40))
    try:
        disk = Disk(folder, megabytes=1)
    except CannotMount as reason:
        pytest.skip(str(reason))
    try:
        with pytest.raises(StoreError, match=r"the disk is full: '.*copy.db\.\w+\.partial' could not be written"):
            queue.backup(folder / "copy.db")
        assert os.listdir(folder) == []
    finally:
        disk.unmount()


def test_it_is_refused_inside_a_transaction_on_the_queue(queue: JobQueue, destination: str, folder: Path) -> None:
    with queue.transaction(), pytest.raises(RuntimeError, match="cannot be backed up inside a transaction"):
        queue.backup(destination)
    with JobQueue(":memory:") as memory, memory.transaction(), pytest.raises(RuntimeError):
        memory.backup(destination)
    assert os.listdir(folder) == []


def test_a_queue_that_is_damaged_is_copied_with_what_is_wrong(path: str, queue: JobQueue, destination: str) -> None:
    queue.enqueue(functions.nothing)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP INDEX jobs_ready")
    copy = queue.backup(destination)
    assert copy.problems == tuple(queue.check()) == ("the index jobs_ready is missing",)
    queue.repair()
    os.unlink(destination)


def test_a_file_that_another_program_has_taken_out_of_its_log_is_copied_too(path: str, destination: str) -> None:
    with JobQueue(path) as queue:
        queue.enqueue(functions.nothing)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    with JobQueue(path, read_only=True) as queue:
        assert queue.backup(destination).jobs == 1


def test_a_job_that_was_running_is_lost_in_the_copy_and_runs_again(queue: JobQueue, destination: str) -> None:
    queue.enqueue(functions.nothing)
    assert queue.dequeue() is not None
    copy = queue.backup(destination)
    assert copy.problems == ()
    with JobQueue(destination) as restored:
        assert restored.stats()["running"] == 1
        restored.requeue_stuck(older_than=0)
        with Worker(destination, burst=True) as worker:
            worker.start()
        assert restored.stats()["completed"] == 1
