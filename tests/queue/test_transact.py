"""The transactions of a running job: each effect and what is known of it are one commit."""

from __future__ import annotations

import contextlib
import contextvars
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gigq import (
    Job,
    JobQueue,
    LeaseLost,
    ManualClock,
    TransactionTimeout,
    current_job,
)
from gigq.clock import later
from gigq.store.engine.forking import PROCESS
from gigq.testing import drain

Function = Callable[..., object]
ACCOUNT = "CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0))"


class Bank:
    """A queue in whose file there is an account, and functions that jobs may call."""

    def __init__(self, queue: JobQueue) -> None:
        self.queue = queue
        with queue.database.write() as tx:
            tx.execute(ACCOUNT)
            tx.execute("INSERT INTO account VALUES ('ada', 100)")

    def run(self, function: Function, **options: Any) -> dict[str, Any]:
        """Submit a job, and run all that there is; return what the file holds of it."""
        job_id = self.queue.submit(Job("job", "job", **options))
        drain(self.queue, handlers={"job": function, "child": lambda **results: "child"})
        return self.queue.get_status(job_id)

    @property
    def balance(self) -> int:
        with self.queue.database.read() as tx:
            found: int = tx.value("SELECT balance FROM account")
            return found

    @property
    def steps(self) -> list[tuple[str, int, str]]:
        with self.queue.database.read() as tx:
            return tx.execute("SELECT name, occurrence, result FROM job_steps ORDER BY seq").fetchall()


@pytest.fixture(params=["file", "memory"])
def bank(request: pytest.FixtureRequest, queue: JobQueue) -> Iterator[Bank]:
    if request.param == "file":
        yield Bank(queue)
        return
    with JobQueue(":memory:") as in_memory:
        yield Bank(in_memory)
        assert in_memory.check() == []


@pytest.fixture
def filed(queue: JobQueue) -> Bank:
    return Bank(queue)


def refusal(call: Function, *args: Any, kind: type[Exception] = RuntimeError) -> str:
    with pytest.raises(kind) as refused:
        call(*args)
    return str(refused.value)


def pay(db: sqlite3.Connection, amount: int) -> int:
    db.execute("UPDATE account SET balance = balance + ?", [amount])
    return amount


def fail_first(attempt: int) -> None:
    if current_job().attempt == attempt:
        raise ConnectionError("the network is down")


# transact


def test_an_effect_happens_once_however_often_the_job_is_tried(bank: Bank) -> None:
    def job() -> int:
        paid = current_job().transact("pay", pay, 10)
        fail_first(1)
        fail_first(2)
        return paid

    status = bank.run(job)
    assert (status["status"], status["attempts"], status["result"]) == ("completed", 3, 10)
    assert bank.balance == 110
    assert bank.steps == [("pay", 1, "10")]


def test_calls_of_one_name_are_told_apart_by_their_order(bank: Bank) -> None:
    def job() -> list[int]:
        paid = [current_job().transact("pay", pay, amount) for amount in (1, 2)]
        fail_first(1)
        return [*paid, current_job().transact("pay", pay, amount=3)]

    assert bank.run(job)["result"] == [1, 2, 3]
    assert bank.balance == 106
    assert bank.steps == [("pay", 1, "1"), ("pay", 2, "2"), ("pay", 3, "3")]


def test_what_a_function_that_raises_has_written_is_rolled_back(bank: Bank) -> None:
    def job() -> None:
        current_job().transact("pay", spend, 150)

    def spend(db: sqlite3.Connection, amount: int) -> None:
        pay(db, 1)
        pay(db, -amount)

    status = bank.run(job)
    assert (status["status"], status["attempts"]) == ("failed", 3)
    assert "IntegrityError: CHECK constraint failed" in status["error"]
    assert (bank.balance, bank.steps) == (100, [])


def test_a_function_that_handles_the_error_goes_on(bank: Bank) -> None:
    def job() -> str:
        try:
            current_job().transact("spend", pay, -150)
        except sqlite3.IntegrityError:
            current_job().transact("spend less", pay, -50)
        return "done"

    assert bank.run(job)["result"] == "done"
    assert bank.balance == 50


def test_it_returns_what_json_gives_back_the_first_time_too(bank: Bank) -> None:
    def job() -> list[object]:
        found = current_job().transact("look", lambda db: (1, {2: 3}))
        fail_first(1)
        return [type(found).__name__, found]

    assert bank.run(job)["result"] == ["list", [1, {"2": 3}]]


def test_a_result_that_json_cannot_hold_rolls_the_effect_back(bank: Bank) -> None:
    def job() -> None:
        current_job().transact("pay", pay_and_return_a_set)

    def pay_and_return_a_set(db: sqlite3.Connection) -> set[int]:
        pay(db, 1)
        return {1}

    status = bank.run(job)
    assert status["status"] == "failed"
    assert "NotSerializable" in status["error"]
    assert (bank.balance, bank.steps) == (100, [])


def test_a_remembered_call_with_other_arguments_fails_for_good(bank: Bank) -> None:
    def job() -> None:
        current_job().transact("pay", pay, current_job().attempt)
        fail_first(1)

    status = bank.run(job)
    assert (status["status"], status["attempts"]) == ("failed", 2)
    assert "StepChanged: step 'pay' was remembered for [1] and is now called for [2]" in status["error"]
    assert bank.balance == 101


def test_a_job_that_is_submitted_in_it_exists_if_the_effect_does(bank: Bank) -> None:
    def job() -> None:
        def pay_and_tell(db: sqlite3.Connection) -> None:
            pay(db, 1)
            bank.queue.submit(Job("child", "child"))
            fail_first(1)

        current_job().transact("pay", pay_and_tell)
        fail_first(2)

    assert bank.run(job)["status"] == "completed"
    assert bank.balance == 101
    assert [job["status"] for job in bank.queue.list_jobs(name="child")] == ["completed"]


def test_a_job_that_was_taken_away_writes_nothing(bank: Bank) -> None:
    errors: list[BaseException] = []

    def job() -> None:
        bank.queue.cancel(str(current_job().id), running=True)
        for write in (lambda: current_job().transact("pay", pay, 1), lambda: pay_at_last(1)):
            with pytest.raises(LeaseLost, match="was taken from this worker") as refused:
                write()
            errors.append(refused.value)

    assert bank.run(job)["status"] == "cancelled"
    assert len(errors) == 2
    assert (bank.balance, bank.steps) == (100, [])


def test_a_transaction_inside_another_one_is_refused(bank: Bank) -> None:
    def job() -> list[str]:
        def outer(db: sqlite3.Connection) -> list[str]:
            return [refusal(current_job().transact, "inner", pay, 1), refusal(pay_at_last, 1)]

        return current_job().transact("outer", outer)

    first, second = bank.run(job)["result"]
    assert first == "transact('inner', …) is called inside a transaction of its job; use the connection of that one"
    assert second == "transaction() is called inside a transaction of its job; use the connection of that one"
    assert bank.balance == 100


@pytest.mark.parametrize("call", [lambda job: job.transact("pay", pay, 1), lambda job: job.transaction().__enter__()])
def test_outside_a_job_it_is_refused(call: Callable[[Any], object]) -> None:
    with pytest.raises(RuntimeError, match="needs the file of a queue, and no job is running here; run it as a job"):
        call(current_job())


def test_a_thread_of_the_job_may_call_it(filed: Bank) -> None:
    def job() -> int:
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(current_job().transact, "pay", pay, 5))
        thread.start()
        thread.join()
        return current_job().transact("pay more", pay, 6)

    assert filed.run(job)["result"] == 6
    assert filed.balance == 111


def test_a_thread_that_outlives_the_function_can_write_nothing(filed: Bank) -> None:
    go_on, said = threading.Event(), list[str]()
    threads: list[threading.Thread] = []

    def late(job: Any) -> None:
        go_on.wait(30)
        said.append(refusal(job.transact, "pay", pay, 1))

    def job() -> None:
        threads.append(threading.Thread(target=late, args=(current_job(),)))
        threads[0].start()

    filed.run(job)
    go_on.set()
    threads[0].join(30)
    assert len(said) == 1
    assert "has ended; only while it runs can it write to the file" in said[0]
    assert filed.balance == 100


def test_settings_of_a_connection_end_with_the_call(bank: Bank) -> None:
    def strange(db: sqlite3.Connection) -> None:
        db.row_factory = lambda cursor, row: {"row": row}
        db.text_factory = bytes
        db.isolation_level = "EXCLUSIVE"
        db.create_function("one", 0, lambda: 1)
        db.set_authorizer(lambda *details: sqlite3.SQLITE_OK)
        db.set_progress_handler(lambda: 0, 1)
        db.execute("CREATE TEMP TABLE mine (a)")
        db.execute("PRAGMA query_only = ON")
        assert db.execute("SELECT name FROM account").fetchone() == {"row": (b"ada",)}

    def look(db: sqlite3.Connection) -> list[Any]:
        return [*db.execute("SELECT name FROM account").fetchone()]

    def job() -> object:
        current_job().transact("strange", strange)
        return current_job().transact("look", look)

    assert bank.run(job)["result"] == ["ada"]
    assert bank.steps == [("strange", 1, "null"), ("look", 1, '["ada"]')]


# the last act


def pay_at_last(amount: int) -> int:
    with current_job().transaction() as db:
        pay(db, amount)
    return amount


def test_the_effect_and_the_completion_are_one(bank: Bank) -> None:
    child = Job("child", "child", dependencies=["parent"])

    def job() -> int:
        bank.queue.submit(child)
        with bank.queue.database.read() as tx:
            assert tx.value("SELECT count(*) FROM jobs WHERE status = 'completed'") == 0
        return pay_at_last(7)

    status = bank.run(job, id="parent")
    assert (status["status"], status["result"], bank.balance) == ("completed", 7, 107)
    assert [each["status"] for each in status["executions"]] == ["completed"]
    assert bank.queue.get_status(child.id)["status"] == "completed"


@pytest.mark.parametrize("result", [{1, 2}, object()])
def test_a_result_that_cannot_be_stored_leaves_nothing(bank: Bank, result: object) -> None:
    def job() -> object:
        pay_at_last(7)
        return result

    status = bank.run(job)
    assert (status["status"], status["attempts"], bank.balance) == ("failed", 1, 100)


def test_an_exception_after_the_block_leaves_nothing(bank: Bank) -> None:
    def job() -> None:
        pay_at_last(7)
        fail_first(1)

    status = bank.run(job)
    assert (status["status"], status["attempts"], bank.balance) == ("completed", 2, 107)


def test_a_block_that_raises_is_rolled_back_and_a_function_that_handles_that_goes_on(bank: Bank) -> None:
    def job() -> str:
        job = current_job()
        try:
            with job.transaction() as db:
                bank.queue.submit(Job("child", "child"))
                pay(db, 1)
                pay(db, -500)
        except sqlite3.IntegrityError:
            job.transact("note", pay, 5)
        with job.transaction() as db:
            pay(db, 20)
        return "the account has too little"

    status = bank.run(job)
    assert (status["status"], status["result"], bank.balance) == ("completed", "the account has too little", 125)
    assert bank.queue.count(name="child") == 0


def test_after_the_block_the_function_may_only_return(filed: Bank) -> None:
    said: list[str] = []

    def job() -> None:
        job = current_job()
        with job.transaction() as db:
            pay(db, 1)
        for late in (lambda: job.transact("more", pay, 1), lambda: pay_at_last(1)):
            said.append(refusal(late))
        said.append(refusal(db.execute, "SELECT 1", kind=sqlite3.ProgrammingError))

    assert filed.run(job)["status"] == "completed"
    assert "is its last act, and is committed when its function returns; do this before the transaction" in said[0]
    assert said[0] == said[1]
    assert said[2] == "the transaction is over: its connection can be used inside its block only"
    assert filed.balance == 101


def test_after_the_block_other_objects_are_refused_at_once(bank: Bank) -> None:
    said = list[str]()

    def function() -> None:
        with current_job().transaction() as db:
            db.execute("UPDATE account SET balance = 7")
        for act in (lambda: bank.queue.submit(Job("job", "child")), lambda: bank.queue.transaction().__enter__()):
            said.append(refusal(act))

    assert bank.run(function)["status"] == "completed"
    assert bank.balance == 7
    assert all("is its last act, and is committed when its function returns" in each for each in said)
    bank.queue.submit(Job("job", "child"))


def test_after_it_was_taken_back_the_function_may_write_again(filed: Bank) -> None:
    def function() -> None:
        with current_job().transaction(limit=0.001):
            pass
        while filed.queue.count() == 1:
            with contextlib.suppress(RuntimeError):
                filed.queue.submit(Job("job", "child"))

    assert filed.run(function, max_attempts=1)["error"].startswith("TransactionTimeout")
    assert filed.queue.count() == 2


def test_inside_a_transaction_of_a_queue_it_is_refused_at_once(bank: Bank) -> None:
    def function() -> None:
        with bank.queue.transaction():
            current_job().transaction().__enter__()

    assert "has a transaction open on" in bank.run(function, max_attempts=1)["error"]


def test_a_block_of_a_queue_inside_it_is_a_savepoint(bank: Bank) -> None:
    def function() -> None:
        with current_job().transaction() as db:
            with bank.queue.transaction() as same:
                same.execute("UPDATE account SET balance = 7")
                bank.queue.submit(Job("job", "child"))
            with pytest.raises(ZeroDivisionError), bank.queue.transaction():
                db.execute("UPDATE account SET balance = 8")
                bank.queue.submit(Job("job", "child"))
                _ = 1 / 0

    assert bank.run(function)["status"] == "completed"
    assert (bank.balance, bank.queue.count()) == (7, 2)


@pytest.mark.parametrize("way", ["transaction", "transact"])
def test_what_sqlite_has_rolled_back_is_not_completed(bank: Bank, way: str) -> None:
    def end_it(db: sqlite3.Connection) -> None:
        db.execute("UPDATE account SET balance = 7")
        with contextlib.suppress(sqlite3.IntegrityError):
            db.execute("INSERT OR ROLLBACK INTO account VALUES ('ada', 1)")

    def function() -> None:
        if way == "transact":
            current_job().transact("end it", end_it)
        else:
            with current_job().transaction() as db:
                end_it(db)

    record = bank.run(function, max_attempts=1)
    assert "has been rolled back because of an error inside its block" in record["error"]
    assert (bank.balance, bank.steps, bank.queue.check()) == (100, [], [])


def test_a_thread_of_the_job_may_not_begin_it(filed: Bank) -> None:
    said: list[str] = []

    def begin() -> None:
        said.append(refusal(pay_at_last, 1))

    def job() -> None:
        thread = threading.Thread(target=contextvars.copy_context().run, args=(begin,))
        thread.start()
        thread.join()

    filed.run(job)
    assert said == ["transaction() is called in another thread than the job's function, which would commit it"]


def test_a_job_that_is_submitted_in_the_block_begins_after_the_commit(filed: Bank) -> None:
    def job() -> None:
        with current_job().transaction() as db:
            pay(db, 1)
            filed.queue.submit(Job("child", "child"))
            with JobQueue(filed.queue.db_path) as other:
                other.submit(Job("child", "child"))
        fail_first(1)

    assert filed.run(job)["status"] == "completed"
    assert [job["status"] for job in filed.queue.list_jobs(name="child")] == ["completed"] * 2


def test_a_queue_is_closed_in_the_block_though_other_threads_wait_for_the_lock(filed: Bank) -> None:
    """Among these is the loop of the worker, which would wait until the limit of the transaction."""
    waiting = threading.Thread(target=filed.queue.enqueue, args=["child"])

    def job() -> None:
        with current_job().transaction(limit=2):
            waiting.start()
            while waiting.ident not in PROCESS.inside:
                time.sleep(0.001)
            with JobQueue(filed.queue.db_path) as other:
                other.enqueue("child")

    assert filed.run(job, max_attempts=1)["error"] is None
    waiting.join(60)
    assert filed.queue.count() == 3


def test_libraries_that_commit_what_they_write_work_in_it(bank: Bank) -> None:
    def to_sql(connection: sqlite3.Connection, rows: list[tuple[str, int]]) -> int:
        """As pandas does it."""
        before = connection.total_changes
        cursor = connection.cursor()
        try:
            cursor.execute('CREATE TABLE "frame" ("name" TEXT, "value" INTEGER)')
            cursor.executemany('INSERT INTO "frame" VALUES (?, ?)', rows)
            connection.commit()
        finally:
            cursor.close()
        return connection.total_changes - before

    def job() -> int:
        with current_job().transaction() as db:
            written = to_sql(db, [("a", 1), ("b", 2)])
            db.row_factory = sqlite3.Row
            assert [row["name"] for row in db.execute("SELECT * FROM frame")] == ["a", "b"]
        fail_first(1)
        return written

    assert bank.run(job)["result"] == 2


def test_a_rule_that_is_looked_at_last_fails_the_job_with_its_own_error(bank: Bank) -> None:
    def job() -> None:
        with current_job().transaction() as db:
            db.execute(
                "CREATE TABLE note (about TEXT REFERENCES account (name) DEFERRABLE INITIALLY DEFERRED)"
            )
            db.execute("INSERT INTO note VALUES ('bob')")

    status = bank.run(job, max_attempts=1)
    assert (status["status"], status["error"]) == (
        "failed",
        "sqlite3.IntegrityError: FOREIGN KEY constraint failed",
    )


@pytest.mark.parametrize("limit", [0, -1, 4000, "soon", None, float("nan")])
def test_a_limit_that_it_cannot_have_is_refused(filed: Bank, limit: Any) -> None:
    def job() -> None:
        with pytest.raises((ValueError, TypeError), match="limit"), current_job().transaction(limit=limit):
            pass

    assert filed.run(job)["status"] == "completed"


# the lock is lent


def test_after_the_limit_the_lock_is_taken_back(filed: Bank) -> None:
    """Wherever the function is: here it waits for another writer, who gets the lock."""
    has_paid = threading.Event()

    def another_writer() -> None:
        with filed.queue.database.write() as tx:
            tx.execute("UPDATE account SET balance = balance + 1000")
        has_paid.set()

    thread = threading.Thread(target=another_writer)

    def job() -> None:
        with current_job().transaction(limit=0.05) as db:
            pay(db, 1)
            thread.start()
            assert has_paid.wait(30)
            pay(db, 1)

    status = filed.run(job, max_attempts=1)
    thread.join(30)
    assert status["status"] == "failed"
    assert "was open for its limit of 0.05 seconds and is rolled back, because others could write" in status["error"]
    assert status["error"].startswith("TransactionTimeout: the transaction of job ")
    assert filed.balance == 1100


@pytest.mark.parametrize("place", ["in the block", "at its end", "after it"])
def test_a_function_that_does_not_notice_is_not_completed(filed: Bank, place: str) -> None:
    def job() -> None:
        with current_job().transaction(limit=0.02) as db:
            pay(db, 1)
            if place != "after it":
                wait_until_it_is_over(db, is_told=place == "in the block")
        wait_until_it_is_over(None)

    def wait_until_it_is_over(db: sqlite3.Connection | None, *, is_told: bool = False) -> None:
        with sqlite3.connect(filed.queue.db_path, timeout=30, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        other.close()
        if db is not None and is_told:
            refusal(db.execute, "SELECT 1", kind=TransactionTimeout)

    status = filed.run(job, max_attempts=1)
    assert (status["status"], filed.balance) == ("failed", 100)
    assert status["error"].startswith("TransactionTimeout")


# Raised while Python forgets a cursor, the error is lost there, and is raised again a moment later.
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
def test_a_job_does_not_hold_the_lock_for_longer_than_it_may_run(filed: Bank) -> None:
    """Its worker may be waiting for the lock, and so be unable to stop it."""
    def job() -> None:
        with current_job().transaction(limit=60) as db:
            while True:
                pay(db, 1)

    status = filed.run(job, max_attempts=1, timeout=0.1)
    assert (status["status"], filed.balance) == ("timeout", 100)


def test_nothing_is_left_of_a_transaction_but_what_it_has_written(filed: Bank) -> None:
    for _ in range(3):
        filed.run(lambda: pay_at_last(1))
        filed.run(lambda: {pay_at_last(1)})
    assert filed.balance == 103


def test_a_transaction_has_its_time_though_the_wall_clock_is_set_meanwhile(path: str) -> None:
    clock = ManualClock()

    def job() -> object:
        clock.set(later(clock.now(), 3600))
        return current_job().transact("pay", lambda db: db.execute("SELECT 1").fetchone()[0])

    with JobQueue(path, clock=clock) as queue:
        assert Bank(queue).run(job, max_attempts=1, timeout=60)["status"] == "completed"
