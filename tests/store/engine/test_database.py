"""Transactions wait, end and fail as they should, across threads, processes and forks."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from inspect import CO_GENERATOR
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from gigq import Job, JobQueue, NotAQueue, QueueBusy, QueueGone, StoreError, UnknownParent, close_connections
from gigq.clock import SystemClock
from gigq.store.engine.forking import PROCESS

JOB = "functions:nothing"


def read(connection: sqlite3.Connection) -> None:
    """Begin to read, and go on with it: what holds up writers where there is no log."""
    connection.execute("BEGIN")
    connection.execute("SELECT * FROM jobs").fetchall()


def sqlite_tool(path: str) -> sqlite3.Connection:
    """Any other program that has the file open."""
    return sqlite3.connect(path, isolation_level=None, timeout=0)


def test_a_new_file_is_readable_by_its_owner_alone(path: str) -> None:
    with JobQueue(path) as queue:
        queue.submit(Job("job", JOB))
        modes = {name.name: name.stat().st_mode & 0o777 for name in Path(path).parent.iterdir()}
    assert modes == {"jobs.db": 0o600, "jobs.db-wal": 0o600, "jobs.db-shm": 0o600}


def test_a_file_that_can_only_be_made_by_opening_it_is_readable_by_its_owner_alone_too(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "mknod", raising=False)  # as on Windows
    with JobQueue(path) as queue:
        queue.submit(Job("job", JOB))
        assert Path(path).stat().st_mode & 0o777 == 0o600


def test_an_existing_file_keeps_its_mode(path: str) -> None:
    Path(path).touch(0o640)
    with JobQueue(path):
        assert Path(path).stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("form", ["{}", "sqlite:///{}"])
def test_a_path_and_a_url_name_the_same_file(path: str, form: str) -> None:
    with JobQueue(path) as queue, JobQueue(form.format(path)) as same:
        job_id = queue.submit(Job("job", JOB))
        assert same.get_status(job_id)["exists"]


@pytest.mark.parametrize("bad", [None, 5, ["jobs.db"], Path, object()])
def test_a_value_of_another_kind_is_refused_with_what_it_must_be(bad: Any) -> None:
    with pytest.raises(TypeError, match=r'^db_path is .*; it must be a path, a URL such as sqlite:///jobs.db, or'):
        JobQueue(bad)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("file:jobs.db?mode=ro", "is a URL of SQLite; give a path, or a URL such as sqlite:///jobs.db"),
        ("sqlite:///jobs.db?mode=ro", r"ends with '\?mode=ro', which means nothing here; end it with the name of"),
        ("sqlite:///jobs.db#1", "ends with '#1'"),
    ],
)
def test_a_url_that_asks_for_more_than_a_file_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        JobQueue(url)


def test_a_path_may_be_a_path_object_or_bytes(path: str) -> None:
    for same in (Path(path), path.encode()):
        with JobQueue(same) as queue:  # type: ignore[arg-type]
            assert queue.db_path == path


def test_an_empty_path_is_refused() -> None:
    with pytest.raises(ValueError, match="db_path must not be empty"):
        JobQueue("")


@pytest.mark.parametrize("bad", ["postgresql://host/db", "sqlite://host/jobs.db", "a\0b"])
def test_a_value_that_is_no_path_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        JobQueue(bad)


def test_names_that_mean_something_to_sqlite_are_ordinary_names(tmp_path: Path) -> None:
    for name in ("a?mode=memory.db", "file:x.db", "50%.db", "#.db", "ü 漢.db"):
        with JobQueue(tmp_path / name) as queue:
            queue.submit(Job("job", JOB))
        assert (tmp_path / name).stat().st_size > 0


def test_a_missing_file_is_not_created_by_looking(path: str) -> None:
    with pytest.raises(NotAQueue, match="no queue"):
        JobQueue(path, initialize=False)
    assert not Path(path).exists()


def test_a_text_file_is_no_queue(path: str) -> None:
    Path(path).write_text("not a database, but long enough to be taken for a header\n" * 100)
    with pytest.raises(NotAQueue, match="not a SQLite database"):
        JobQueue(path)
    os.remove(path)


def test_full_durability_is_the_default(path: str) -> None:
    for durability, level in (("full", 2), ("normal", 1)):
        with JobQueue(path, durability=durability) as queue, queue.database.read() as tx:  # type: ignore[arg-type]
            assert tx.value("PRAGMA synchronous") == level
    with JobQueue(path) as queue, queue.database.read() as tx:
        assert tx.value("PRAGMA synchronous") == 2
        assert tx.value("PRAGMA foreign_keys") == 1
        assert tx.value("PRAGMA journal_mode") == "wal"


def test_an_unknown_durability_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="fast"):
        JobQueue(path, durability="fast")  # type: ignore[arg-type]


def test_a_lock_that_cannot_be_had_is_an_error_and_not_nothing_to_do(path: str) -> None:
    with JobQueue(path, timeout=0.05) as queue:
        other = sqlite_tool(path)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(QueueBusy, match=r"0\.05 seconds"):
            queue.submit(Job("job", JOB))
        other.execute("ROLLBACK")
        other.close()
        assert queue.stats()["total"] == 0


def test_a_reader_tries_again_where_a_file_without_a_log_is_locked(path: str) -> None:
    with JobQueue(path, timeout=0.05) as queue:
        close_connections()
        other = sqlite_tool(path)
        other.execute("PRAGMA journal_mode = DELETE").fetchone()
        read(other)  # so that the new connection cannot switch it back
        queue.stats()
        other.execute("COMMIT")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(QueueBusy, match=r"0\.05 seconds"):
            queue.stats()
        other.execute("ROLLBACK")
        other.close()
        assert queue.stats()["total"] == 0


def test_a_writer_waits_for_the_lock(path: str) -> None:
    with JobQueue(path) as queue, ThreadPoolExecutor(1) as pool:
        other = sqlite_tool(path)
        other.execute("BEGIN IMMEDIATE")
        waiting = pool.submit(queue.submit, Job("job", JOB))
        assert not waiting.done()
        other.execute("COMMIT")
        other.close()
        assert queue.get_status(waiting.result(10))["exists"]


def test_an_error_inside_a_transaction_leaves_nothing_behind(queue: JobQueue) -> None:
    queue.submit(Job("job", JOB))
    with pytest.raises(ZeroDivisionError), queue.database.write() as tx:
        tx.execute("DELETE FROM jobs")
        raise ZeroDivisionError
    assert queue.stats()["total"] == 1


def test_a_commit_that_a_reader_holds_up_is_an_error_and_leaves_nothing_behind(path: str) -> None:
    """Only in a file that somebody has taken out of WAL mode, where readers and the writer wait for each other."""
    with JobQueue(path, timeout=0.05) as queue:
        close_connections()
        other = sqlite_tool(path)
        assert other.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
        read(other)
        before = time.monotonic()
        with pytest.raises(QueueBusy, match=r"others were reading it for 0\.05 seconds .* not in WAL mode"):
            queue.submit(Job("early", JOB))
        assert time.monotonic() - before >= 0.05
        other.execute("ROLLBACK")
        other.close()
        queue.submit(Job("late", JOB))
        assert [job["name"] for job in queue.list_jobs()] == ["late"]


def test_a_commit_waits_for_those_who_read_a_file_that_is_not_in_wal_mode(path: str) -> None:
    with JobQueue(path) as queue, ThreadPoolExecutor(1) as pool:
        close_connections()
        other = sqlite_tool(path)
        other.execute("PRAGMA journal_mode = DELETE").fetchone()
        read(other)
        waiting = pool.submit(queue.submit, Job("job", JOB))
        with closing(sqlite_tool(path)) as third, suppress(sqlite3.OperationalError):
            while not waiting.done():  # until the writer is so far that it waits for the reader alone
                third.execute("SELECT * FROM jobs").fetchall()
        assert not waiting.done()
        other.execute("ROLLBACK")
        other.close()
        assert queue.get_status(waiting.result(10))["exists"]


def mode_of(path: str) -> str:
    with closing(sqlite_tool(path)) as other:
        return str(other.execute("PRAGMA journal_mode").fetchone()[0])


def copy_of(queue: JobQueue, path: str) -> None:
    """Copy a queue as tools do: into a file that is not in WAL mode."""
    with queue.database.read() as tx:
        tables = "\n".join(tx.connection.iterdump())
    with closing(sqlite_tool(path)) as other:
        other.executescript(tables)


@pytest.mark.parametrize("initialize", [True, False])
def test_a_restored_copy_is_switched_to_wal_when_it_is_opened(
    tmp_path: Path, queue: JobQueue, initialize: bool
) -> None:
    job_id = queue.submit(Job("job", JOB))
    copy = str(tmp_path / "copy.db")
    copy_of(queue, copy)
    assert mode_of(copy) == "delete"
    with JobQueue(copy, initialize=initialize) as restored:
        assert mode_of(copy) == "wal"
        assert restored.get_status(job_id)["exists"]


def test_the_switch_to_wal_waits_for_a_reader(tmp_path: Path, queue: JobQueue) -> None:
    copy = str(tmp_path / "copy.db")
    copy_of(queue, copy)
    other = sqlite_tool(copy)
    read(other)
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(JobQueue, copy)
        assert not opening.done()
        other.execute("COMMIT")
        opening.result(10).close()
    other.close()
    assert mode_of(copy) == "wal"


def test_a_copy_that_somebody_reads_all_the_time_is_used_as_it_is_and_switched_by_a_heartbeat(
    tmp_path: Path, queue: JobQueue
) -> None:
    copy = str(tmp_path / "copy.db")
    copy_of(queue, copy)
    other = sqlite_tool(copy)
    read(other)
    with JobQueue(copy, timeout=0.02) as restored:
        assert (restored.count(), mode_of(copy)) == (0, "delete")
        restored.database.tend_log()  # as each heartbeat does
        assert mode_of(copy) == "delete"
        other.execute("COMMIT")
        restored.submit(Job("job", JOB))
        assert mode_of(copy) == "delete"
        restored.database.tend_log()
        assert mode_of(copy) == "wal"
    other.close()


def test_a_file_that_a_tool_has_switched_while_it_was_open_is_switched_back(path: str, queue: JobQueue) -> None:
    close_connections()
    with closing(sqlite_tool(path)) as other:
        other.execute("PRAGMA journal_mode = DELETE").fetchone()
    queue.submit(Job("job", JOB))
    assert mode_of(path) == "wal"


def test_another_applications_file_is_not_switched_by_a_look(path: str) -> None:
    with closing(sqlite_tool(path)) as other:
        other.execute("CREATE TABLE jobs (title)")
    for options in ({}, {"initialize": False}, {"read_only": True}):
        with pytest.raises(NotAQueue):
            JobQueue(path, **options)  # type: ignore[arg-type]
    assert mode_of(path) == "delete"


def test_a_column_that_somebody_has_renamed_is_an_error_and_not_nothing_to_do(path: str, queue: JobQueue) -> None:
    queue.submit(Job("job", JOB))
    with closing(sqlite_tool(path)) as other:
        other.execute("ALTER TABLE jobs RENAME COLUMN max_attempts TO tries")
        with pytest.raises(StoreError, match=r"no such column: jobs\.max_attempts"):
            queue.dequeue()
        other.execute("ALTER TABLE jobs RENAME COLUMN tries TO max_attempts")
    assert queue.count("pending") == 1


def test_a_value_that_does_not_fit_is_an_error_and_leaves_nothing_behind(queue: JobQueue) -> None:
    with queue.database.write() as tx:
        tx.execute(f"PRAGMA max_page_count = {tx.value('PRAGMA page_count')}")
    with pytest.raises(StoreError, match="the disk is full"):
        queue.submit(Job("large", JOB, {"text": "x" * 100_000}))
    assert queue.count() == 0
    with queue.database.write() as tx:
        tx.execute("PRAGMA max_page_count = 1000")
    queue.submit(Job("large", JOB, {"text": "x" * 100_000}))
    assert queue.count() == 1


def test_a_damaged_file_is_one_sentence(path: str) -> None:
    with JobQueue(path) as queue:
        queue.submit(Job("job", JOB))
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 5 * 4096)
    with JobQueue(path) as queue, pytest.raises(StoreError, match=r"is damaged \(.*\); restore a backup"):
        queue.stats()
    os.remove(path)


def no_rollback(action: int, operation: str | None, *rest: object) -> int:
    """An authorizer for SQLite that refuses a ROLLBACK, as any other failure of it would."""
    is_refused = (action, operation) == (sqlite3.SQLITE_TRANSACTION, "ROLLBACK")
    return sqlite3.SQLITE_DENY if is_refused else sqlite3.SQLITE_OK


def fail_to_roll_back(queue: JobQueue) -> sqlite3.Connection:
    with pytest.raises(StoreError, match="not authorized"), queue.database.write() as tx:
        tx.execute("DELETE FROM jobs")
        tx.connection.set_authorizer(no_rollback)
        raise ZeroDivisionError
    return tx.connection


def test_a_rollback_that_fails_keeps_neither_the_lock_nor_what_was_written(path: str, queue: JobQueue) -> None:
    queue.submit(Job("job", JOB))
    fail_to_roll_back(queue)
    with closing(sqlite_tool(path)) as other:
        other.execute("BEGIN IMMEDIATE")
    assert queue.count() == 1


def test_a_queue_in_memory_survives_a_rollback_that_fails() -> None:
    """Its only connection cannot be given up; the next use rolls back, and says so."""
    with JobQueue(":memory:") as queue:
        queue.submit(Job("job", JOB))
        fail_to_roll_back(queue).set_authorizer(None)
        with pytest.raises(StoreError, match="transaction"):
            queue.count()
        assert queue.count() == 1


class CtrlC:
    """A Ctrl-C at the n-th line that this thread runs in a function of the store."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __enter__(self) -> CtrlC:
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, argument: object) -> Callable[..., object] | None:
        # Python looks for signals where it calls and where it loops; in a generator a tracer can be at other places.
        if (
            not frame.f_code.co_filename.endswith(("database.py", "transaction.py", "connections.py"))
            or frame.f_code.co_flags & CO_GENERATOR
        ):
            return None
        self.left -= 1
        if self.left == 0:
            sys.settrace(None)
            raise KeyboardInterrupt
        return self._trace


def test_wherever_ctrl_c_comes_while_a_write_is_undone_the_lock_is_released(queue: JobQueue, path: str) -> None:
    with closing(sqlite_tool(path)) as other:
        for number in count(1):
            with suppress(KeyboardInterrupt, UnknownParent), CtrlC(number) as ctrl_c:
                queue.submit(Job("child", JOB, dependencies=["never submitted"]))
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
            queue.submit(Job("job", JOB))
            if ctrl_c.left > 0:
                break
    assert number > 30
    assert queue.count() == number


def test_fifty_threads_share_a_queue(queue: JobQueue) -> None:
    def use(number: int) -> None:
        for each in range(4):
            job_id = queue.submit(Job(f"{number}-{each}", JOB))
            assert queue.get_status(job_id)["exists"]

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(use, range(50)))
    assert queue.count() == 200


def test_the_connection_of_a_thread_closes_with_the_thread(queue: JobQueue, path: str) -> None:
    def files() -> int:
        return sum(os.path.realpath(f"/proc/self/fd/{each}") == path for each in os.listdir("/proc/self/fd"))

    if not Path("/proc/self/fd").exists():
        pytest.skip("the open files of a process are only seen under /proc")
    before = files()
    for _ in range(20):
        thread = threading.Thread(target=queue.stats)
        thread.start()
        thread.join()
    # To close a descriptor would drop the locks of the other connections, so SQLite keeps one, and uses it again.
    assert before >= 1
    assert files() <= before + 1


def test_a_closed_queue_says_so(path: str) -> None:
    queue = JobQueue(path)
    queue.close()
    queue.close()
    with pytest.raises(StoreError, match="closed"):
        queue.stats()


def test_a_closed_queue_is_closed_for_threads_that_have_not_used_it_yet(path: str) -> None:
    queue = JobQueue(path)
    queue.close()
    with ThreadPoolExecutor(1) as pool, pytest.raises(StoreError, match="closed"):
        pool.submit(queue.stats).result()


def test_a_queue_may_be_closed_while_other_threads_use_it(path: str) -> None:
    def use(queue: JobQueue) -> None:
        try:
            while True:
                queue.submit(Job("job", JOB))
        except StoreError as error:
            assert "closed" in str(error)

    for _ in range(10):
        queue = JobQueue(path, durability="normal")
        threads = [threading.Thread(target=use, args=[queue]) for _ in range(4)]
        for thread in threads:
            thread.start()
        queue.close()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()


def test_who_closes_connections_does_not_wait_for_threads_that_come_later() -> None:
    reached, come_out, order = threading.Event(), threading.Event(), list[str]()

    def stay() -> None:
        with PROCESS.passage():
            reached.set()
            come_out.wait()
            with PROCESS.passage():  # who is inside may enter once more
                order.append("inside")

    def close() -> None:
        with PROCESS.closing():
            order.append("closed")

    def enter() -> None:
        with PROCESS.passage():
            order.append("came later")

    threads = [threading.Thread(target=each) for each in (stay, close, enter)]
    threads[0].start()
    reached.wait()
    threads[1].start()
    clock = SystemClock()
    while not PROCESS._closers:
        clock.sleep(0)
    threads[2].start()
    threads[2].join(0.05)
    come_out.set()
    for thread in threads:
        thread.join()
    assert order == ["inside", "closed", "came later"]


def test_connections_closed_for_the_whole_process_open_again(queue: JobQueue) -> None:
    queue.submit(Job("job", JOB))
    close_connections()
    assert queue.stats()["total"] == 1


FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def run_script(script: str, path: str) -> None:
    # Python warns of a fork with threads, and this is what is tested.
    options = ["-W", "error", "-W", "ignore::DeprecationWarning"]
    subprocess.run([sys.executable, *options, "-c", script, path], timeout=120, check=True)


@FORKS
def test_parent_and_child_of_a_fork_both_go_on_with_an_open_queue(path: str) -> None:
    run_script(
        """
import os, sys
from gigq import Job, JobQueue
queue = JobQueue(sys.argv[1])
queue.submit(Job("before", "functions:nothing"))
child = os.fork()
for number in range(200 if child else 400):  # the parent ends, and closes, in the middle of the child
    queue.submit(Job("parent" if child else "child", "functions:nothing"))
queue.close()
if child:
    assert os.waitpid(child, 0)[1] == 0
""",
        path,
    )
    with JobQueue(path) as queue:
        assert (queue.count(name="parent"), queue.count(name="child")) == (200, 400)
        assert queue.check() == []


@FORKS
def test_forking_while_threads_write_loses_nothing(path: str) -> None:
    run_script(
        """
import os, sys, threading
from gigq import Job, JobQueue
queue = JobQueue(sys.argv[1])
def write(name):
    for number in range(100):
        queue.submit(Job(name, "functions:nothing"))
threads = [threading.Thread(target=write, args=["thread"]) for _ in range(4)]
for thread in threads:
    thread.start()
children = []
for number in range(5):
    child = os.fork()
    if child == 0:
        write("child")
        queue.close()
        os._exit(0)
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 5
for thread in threads:
    thread.join()
queue.close()
""",
        path,
    )
    with JobQueue(path) as queue:
        assert (queue.count(name="thread"), queue.count(name="child")) == (400, 500)
        assert queue.check() == []


@FORKS
def test_the_child_of_a_fork_inside_a_transaction_is_refused_and_the_parent_goes_on(path: str) -> None:
    run_script(
        """
import os, sys
from gigq import Job, JobQueue, StoreError
queue = JobQueue(sys.argv[1])
with queue.database.write() as tx:
    child = os.fork()
    if child == 0:
        for use in (queue.count, lambda: JobQueue(sys.argv[1])):
            try:
                use()
                os._exit(1)
            except StoreError:
                pass
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
queue.submit(Job("after", "functions:nothing"))
queue.close()
""",
        path,
    )
    with JobQueue(path) as queue:
        assert queue.count(name="after") == 1
        assert queue.check() == []


@pytest.mark.unsound("it is moved away from its log")
@pytest.mark.parametrize("replace", [True, False])
def test_a_file_that_was_deleted_or_replaced_is_noticed(tmp_path: Path, path: str, replace: bool) -> None:
    with JobQueue(path) as queue:
        queue.submit(Job("job", JOB))
        os.rename(path, tmp_path / "moved.db")
        if replace:
            JobQueue(path).close()
        with pytest.raises(QueueGone, match="deleted or replaced"):
            queue.submit(Job("lost", JOB))
        with pytest.raises(QueueGone):
            queue.stats()


@FORKS
def test_sixty_processes_open_a_new_file_at_once(path: str) -> None:
    run_script(
        """
import os, sys
from gigq import Job, JobQueue
gate, hand = os.pipe()
children = []
for number in range(60):
    child = os.fork()
    if child == 0:
        os.close(hand)
        os.read(gate, 1)  # ends for all of them when the last hand is gone
        with JobQueue(sys.argv[1]) as queue:
            queue.submit(Job("job", "functions:nothing"))
        os._exit(0)
    children.append(child)
os.close(hand)
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 60
""",
        path,
    )
    with JobQueue(path) as queue:
        assert queue.count() == 60


def test_a_queue_in_memory_is_one_queue_for_all_threads() -> None:
    with JobQueue(":memory:") as queue, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: queue.submit(Job(str(number), JOB)), range(100)))
        assert queue.count() == 100
        assert queue.check() == []


def test_another_thread_may_close_the_queue(open_queue: Callable[..., JobQueue]) -> None:
    queue = open_queue()
    thread = threading.Thread(target=queue.close)
    thread.start()
    thread.join()
    with pytest.raises(StoreError, match="closed"):
        queue.count()
