"""`queue.transaction()`: what a queue does in a thread, and SQL of the caller's, as one transaction."""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue, LeaseLost, QueueBusy, QueueExecutor, StoreError, UnknownParent, Worker, Workflow

MEMORY = ":memory:"


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "app.db")


@pytest.fixture(params=["file", "memory"])
def queue(request: pytest.FixtureRequest, path: str) -> Iterator[JobQueue]:
    with JobQueue(path if request.param == "file" else MEMORY, timeout=0.05) as queue:
        with queue.transaction() as db:
            db.execute("CREATE TABLE notes (text TEXT UNIQUE)")
        yield queue


@pytest.fixture
def file(path: str) -> Iterator[JobQueue]:
    with JobQueue(path, timeout=0.05) as queue:
        yield queue


def job(name: str, **options: Any) -> Job:
    return Job(name, "functions:nothing", id=name, **options)


def ids(queue: JobQueue) -> list[str]:
    return sorted(record.id for record in queue.find_jobs())


def notes(queue: JobQueue) -> list[str]:
    with queue.transaction() as db:
        return [text for (text,) in db.execute("SELECT text FROM notes ORDER BY rowid")]


def test_the_end_of_the_block_commits_both(queue: JobQueue) -> None:
    with queue.transaction() as db:
        db.execute("INSERT INTO notes VALUES ('a')")
        queue.submit(job("a"))
    assert (notes(queue), ids(queue)) == (["a"], ["a"])


def test_an_exception_rolls_both_back(queue: JobQueue) -> None:
    with pytest.raises(ZeroDivisionError), queue.transaction() as db:
        db.execute("INSERT INTO notes VALUES ('a')")
        queue.submit(job("a"))
        _ = 1 / 0
    assert (notes(queue), ids(queue)) == ([], [])


def test_an_error_of_the_callers_own_sql_is_its_own(queue: JobQueue) -> None:
    with pytest.raises(sqlite3.IntegrityError), queue.transaction() as db:
        db.execute("INSERT INTO notes VALUES ('a'), ('a')")
    assert notes(queue) == []


def test_a_refused_verb_leaves_the_rest_whole(queue: JobQueue) -> None:
    with queue.transaction() as db:
        db.execute("INSERT INTO notes VALUES ('a')")
        queue.submit(job("a"))
        with pytest.raises(UnknownParent):
            queue.submit_many([job("b"), job("c", dependencies=["none"])])
        queue.submit(job("d"))
    assert (notes(queue), ids(queue)) == (["a"], ["a", "d"])


def test_verbs_see_what_the_transaction_has_written(queue: JobQueue) -> None:
    with queue.transaction() as db:
        queue.submit(job("a"))
        claim = queue.dequeue()
        assert claim is not None
        queue.complete(claim, {"n": 1})
        db.execute("INSERT INTO notes SELECT result FROM jobs")
        assert queue.get_result("a") == {"n": 1}
        assert queue.cancel("a") is False
        assert queue.prune() == 1
        assert queue.check() == []
    assert (notes(queue), ids(queue)) == (['{"n":1}'], [])


def test_an_inner_block_is_a_savepoint(queue: JobQueue) -> None:
    with queue.transaction() as db:
        queue.submit(job("a"))
        with pytest.raises(ZeroDivisionError), queue.transaction() as inner:
            inner.execute("INSERT INTO notes VALUES ('inner')")
            queue.submit(job("b"))
            _ = 1 / 0
        with queue.transaction(db) as inner:
            assert inner is db
            queue.submit(job("c"))
    assert (notes(queue), ids(queue)) == ([], ["a", "c"])


def test_settings_of_the_caller_do_not_reach_the_queue(queue: JobQueue) -> None:
    with queue.transaction() as db:
        queue.submit(job("a", tags=["ü"]))
        assert db.execute("SELECT tag FROM job_tags").fetchall() == [("ü",)]
        db.row_factory, db.text_factory = (lambda cursor, row: {"only": row[0]}), bytes
        assert ids(queue) == ["a"]
        assert db.execute("SELECT id FROM jobs").fetchall() == [{"only": b"a"}]
    assert ids(queue) == ["a"]
    with queue.transaction() as db:
        assert (db.row_factory, db.text_factory) == (None, str)


def test_a_library_that_commits_commits_nothing_early(queue: JobQueue) -> None:
    with pytest.raises(ZeroDivisionError), queue.transaction() as db:
        db.execute("INSERT INTO notes VALUES ('a')")
        db.commit()
        with db:
            queue.submit(job("a"))
        _ = 1 / 0
    assert (notes(queue), ids(queue)) == ([], [])


@pytest.mark.parametrize("sql", ["COMMIT", "ROLLBACK", "ATTACH ':memory:' AS more"])
def test_nothing_but_the_end_of_the_block_ends_it(queue: JobQueue, sql: str) -> None:
    with queue.transaction() as db:
        queue.submit(job("a"))
        with pytest.raises(sqlite3.DatabaseError, match=f"{sql[:6]}.* is not possible here: the end of the block"):
            db.execute(sql)
    assert ids(queue) == ["a"]


def test_the_connection_is_closed_with_the_block(file: JobQueue) -> None:
    with file.transaction() as db:
        pass
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        db.execute("SELECT 1")


def test_what_was_rolled_back_by_sqlite_is_not_gone_on_with(file: JobQueue) -> None:
    with pytest.raises(StoreError, match="the transaction has been rolled back because of an error"):
        with file.transaction() as db:
            db.execute("CREATE TABLE notes (text UNIQUE)")
            with pytest.raises(sqlite3.IntegrityError):
                db.execute("INSERT OR ROLLBACK INTO notes VALUES (1), (1)")
            with pytest.raises(sqlite3.DatabaseError, match="leave the block, and begin again"):
                db.execute("CREATE TABLE alone (a)")
            with pytest.raises(RuntimeError, match="was committed or rolled back inside the block"):
                file.submit(job("a"))
    assert ids(file) == []
    with file.transaction() as db:
        assert db.execute("SELECT name FROM sqlite_master WHERE name IN ('notes', 'alone')").fetchall() == []


# other objects, threads, tasks and processes


def test_another_queue_object_is_refused_at_once_where_it_would_wait_for_its_own_thread(path: str) -> None:
    with JobQueue(path, timeout=60) as queue, JobQueue(path, timeout=60) as other, queue.transaction() as db:
        queue.submit(job("a"))
        ways: list[Callable[[], object]] = [
            lambda: other.submit(job("b")),
            lambda: other.cancel("a"),
            lambda: other.transaction().__enter__(),
        ]
        for way in ways:
            with pytest.raises(RuntimeError, match="by another queue object, for which this one would wait in vain"):
                way()
        assert ids(other) == []
        other.submit(job("b"), connection=db)
        with other.transaction(db):
            other.submit(job("c"))
        with pytest.raises(RuntimeError, match="by another queue object"):
            other.submit(job("d"))
        assert ids(queue) == ["a", "b", "c"]


def test_a_worker_of_the_same_thread_is_refused_at_once(path: str, file: JobQueue) -> None:
    with Worker(path) as worker, file.transaction():
        ways: list[Callable[[], object]] = [worker.process_one, worker.start, worker.running]
        for way in ways:
            with pytest.raises(RuntimeError, match="has a transaction open on .*; run jobs after it"):
                way()


def test_an_executor_of_the_same_thread_is_refused_at_once(path: str, file: JobQueue) -> None:
    with QueueExecutor(path, 1) as executor, file.transaction():
        ways: list[Callable[[], object]] = [lambda: executor.submit(len, "a"), lambda: QueueExecutor(path, 1)]
        for way in ways:
            with pytest.raises(RuntimeError, match="has a transaction open on .*; ask for calls after it"):
                way()


def test_a_queue_that_only_looks_sees_what_is_committed(file: JobQueue) -> None:
    with JobQueue(file.db_path, read_only=True) as looking, file.transaction():
        file.submit(job("a"))
        assert ids(looking) == []


def test_another_connection_to_the_file_is_refused_at_once(path: str) -> None:
    with JobQueue(path, timeout=60) as queue, closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with queue.transaction():
            connection.execute("BEGIN")
            for way in (
                lambda: queue.submit(job("a"), connection=connection),
                lambda: queue.transaction(connection).__enter__(),
            ):
                with pytest.raises(RuntimeError, match="has another transaction open"):
                    way()


def run_in_fork(act: Callable[[], object]) -> None:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_other_threads_do_not_take_part(file: JobQueue) -> None:
    with file.transaction():
        file.submit(job("a"))
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(ids, file).result() == []
            with pytest.raises(QueueBusy):
                thread.submit(file.submit, job("b")).result()


def test_other_threads_take_turns_in_memory() -> None:
    with JobQueue(MEMORY) as queue, ThreadPoolExecutor(1) as thread:
        with queue.transaction():
            queue.submit(job("a"))
            seen = thread.submit(ids, queue)
            queue.submit(job("b"))
        assert seen.result() == ["a", "b"]


def test_a_thread_that_ends_inside_a_block_leaves_nothing_to_later_ones(file: JobQueue) -> None:
    left: list[Any] = []

    def begin() -> None:
        block = file.transaction()
        block.__enter__()
        file.submit(job("a"))
        left.append(block)

    for act in (begin, lambda: left.append(ids(file))):
        thread = threading.Thread(target=act)
        thread.start()
        thread.join()
    block, seen = left
    assert seen == []
    block.__exit__(None, None, None)
    assert ids(file) == ["a"]


def test_another_task_of_the_same_thread_does_not_take_part(queue: JobQueue) -> None:
    async def main() -> None:
        inside, may_end = asyncio.Event(), asyncio.Event()

        async def first() -> None:
            with queue.transaction():
                queue.submit(job("a"))
                inside.set()
                await may_end.wait()
                queue.submit(job("b"))

        async def second() -> None:
            await inside.wait()
            try:
                with pytest.raises(RuntimeError, match="another task of this thread has a transaction open"):
                    queue.submit(job("c"))
            finally:
                may_end.set()

        await asyncio.gather(first(), second())

    asyncio.run(main())
    assert ids(queue) == ["a", "b"]


def test_a_loop_that_runs_inside_a_block_takes_part(queue: JobQueue) -> None:
    async def submit() -> None:
        queue.submit(job("a"))

    with pytest.raises(ZeroDivisionError), queue.transaction():
        asyncio.run(submit())
        _ = 1 / 0
    assert ids(queue) == []


def test_a_generator_that_is_dropped_inside_a_block_rolls_it_back(queue: JobQueue) -> None:
    def generate() -> Iterator[None]:
        with queue.transaction():
            queue.submit(job("a"))
            yield

    generator = generate()
    next(generator)
    assert ids(queue) == ["a"]
    del generator
    gc.collect()
    assert ids(queue) == []
    queue.submit(job("b"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_fork_inside_a_block_leaves_the_transaction_to_the_parent(file: JobQueue) -> None:
    def in_child() -> None:
        with pytest.raises(RuntimeError, match="forked inside a transaction"):
            file.submit(job("b"))
        with pytest.raises(StoreError, match="forked inside a transaction"):
            ids(file)

    with file.transaction():
        file.submit(job("a"))
        run_in_fork(in_child)
        file.submit(job("c"))
    assert (ids(file), file.check()) == (["a", "c"], [])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_block_that_ends_in_a_fork_ends_nothing(file: JobQueue) -> None:
    block = file.transaction()
    block.__enter__()
    file.submit(job("a"))

    def in_child() -> None:
        with pytest.raises(RuntimeError, match="only its parent can end"):
            block.__exit__(None, None, None)

    run_in_fork(in_child)
    block.__exit__(None, None, None)
    assert (ids(file), file.check()) == (["a"], [])


# no memory of what was rolled back


@pytest.fixture
def own(path: str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def claimed_and_rolled_back(queue: JobQueue, connection: sqlite3.Connection) -> Any:
    connection.execute("BEGIN IMMEDIATE")
    with queue.transaction(connection):
        claim = queue.dequeue()
    connection.execute("ROLLBACK")
    assert claim is not None
    return claim


def test_a_claim_that_was_rolled_back_ends_no_execution_of_another(file: JobQueue, own: sqlite3.Connection) -> None:
    file.submit(job("a"))
    stale = claimed_and_rolled_back(file, own)
    with JobQueue(file.db_path) as other:
        claim = other.dequeue()
        assert claim is not None
        assert claim.execution_id == stale.execution_id
        for act in (
            lambda: file.complete(stale),
            lambda: file.fail(stale, "no"),
            lambda: file.execute_job(stale),
        ):
            with pytest.raises(LeaseLost, match="the transaction that has claimed it was rolled back"):
                act()
        file.close()
        other.complete(claim, 1)
        assert other.get_result("a") == 1


def test_a_claim_that_was_rolled_back_is_lost_where_nobody_else_has_made_one(
    file: JobQueue, own: sqlite3.Connection
) -> None:
    file.submit(job("a"))
    stale = claimed_and_rolled_back(file, own)
    with pytest.raises(LeaseLost):
        file.complete(stale)
    claim = file.dequeue()
    assert claim is not None
    file.complete(claim, 1)


def test_a_registration_that_was_rolled_back_is_made_again(file: JobQueue, own: sqlite3.Connection) -> None:
    file.submit_many([job("a"), job("b")])
    claimed_and_rolled_back(file, own)
    with JobQueue(file.db_path) as other:
        taken = other.dequeue()
        claim = file.dequeue()
        assert taken is not None
        assert claim is not None
        file.close()
        assert other.get_status(taken.id)["status"] == "running"
        assert other.get_status(claim.id)["status"] == "pending"


def test_a_workflow_that_was_rolled_back_is_stored_again(file: JobQueue, own: sqlite3.Connection) -> None:
    workflow = Workflow("w")
    first = workflow.add_job(job("a"))
    workflow.add_job(job("b"), depends_on=first)
    for end, found in (("ROLLBACK", []), ("COMMIT", ["a", "b"])):
        own.execute("BEGIN IMMEDIATE")
        assert workflow.submit_all(file, connection=own) == ["a", "b"]
        own.execute(end)
        assert ids(file) == found
    assert workflow.submit_all(file) == ["a", "b"]


def test_a_block_that_its_caller_has_ended_is_refused(file: JobQueue, own: sqlite3.Connection) -> None:
    own.execute("BEGIN")
    with pytest.raises(RuntimeError, match="was committed or rolled back inside the block"), file.transaction(own):
        file.submit(job("a"))
        own.execute("COMMIT")
    own.execute("BEGIN")
    with pytest.raises(RuntimeError, match="was committed or rolled back inside the block"), file.transaction(own):
        own.execute("COMMIT")
        file.submit(job("b"))
    assert ids(file) == ["a"]


def test_a_block_on_the_callers_connection_that_raises_takes_back_what_it_wrote(
    file: JobQueue, own: sqlite3.Connection
) -> None:
    own.execute("BEGIN")
    file.submit(job("a"), connection=own)
    with pytest.raises(ZeroDivisionError), file.transaction(own) as db:
        file.submit(job("b"))
        db.execute("CREATE TABLE notes (text)")
        _ = 1 / 0
    own.execute("COMMIT")
    assert ids(file) == ["a"]
    assert own.execute("SELECT 1 FROM sqlite_master WHERE name = 'notes'").fetchall() == []


def test_a_submit_that_waits_in_vain_hints_at_a_transaction_of_its_own_thread(
    file: JobQueue, own: sqlite3.Connection
) -> None:
    file.submit(job("claimed"))
    claim = file.dequeue()
    assert claim is not None
    own.execute("BEGIN IMMEDIATE")
    workflow = Workflow("w")
    workflow.add_job(job("a"))
    hint = r"another writer for 0\.05 seconds; if this thread has a transaction open on the file, pass its connection: "
    for act in (lambda: file.submit(job("a")), lambda: file.complete(claim), lambda: workflow.submit_all(file)):
        with pytest.raises(QueueBusy, match=hint):
            act()
    own.execute("ROLLBACK")
    file.complete(claim)


def test_without_such_a_connection_there_is_no_hint(file: JobQueue) -> None:
    script = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN IMMEDIATE'); print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, file.db_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(QueueBusy, match=r"0\.05 seconds$"):
            file.submit(job("a"))
        other.communicate(b"\n")
