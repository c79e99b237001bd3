"""A connection that is taken back from the code that has it: no row slips through, and no lock is left."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator

import pytest

from gigq import JobQueue, TransactionTimeout
from gigq.store.engine.job_database import JobDatabase, Loan

Use = Callable[[sqlite3.Connection], object]

LONG = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000000) SELECT count(*) FROM n"


def again_and_again(use: Use) -> Use:
    def go_on(db: sqlite3.Connection) -> None:
        while True:
            use(db)

    return go_on


def commit_by_any_means(db: sqlite3.Connection) -> None:
    insert(db)
    for sql in ("COMMIT", "ROLLBACK"):
        with pytest.raises((sqlite3.DatabaseError, TransactionTimeout)):
            db.execute(sql)
    db.commit()


def swallow(db: sqlite3.Connection) -> None:
    for _ in range(10):
        try:
            insert(db)
        except TransactionTimeout:
            continue


def read_half(db: sqlite3.Connection) -> None:
    for _ in db.execute("SELECT a FROM other"):
        db.execute("SELECT a FROM other").fetchone()
        insert(db)


def function_of_mine(db: sqlite3.Connection) -> None:
    db.create_function("more", 1, lambda a: a + 1)
    db.execute("INSERT INTO mine SELECT more(a) FROM other LIMIT 20")


def insert(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO mine VALUES (1)")


USES: dict[str, Use] = {
    "inserts": again_and_again(insert),
    "many": again_and_again(lambda db: db.executemany("INSERT INTO mine VALUES (?)", [(each,) for each in range(99)])),
    "script": again_and_again(lambda db: db.executescript("INSERT INTO mine VALUES (1); INSERT INTO mine VALUES (2);")),
    "long statement": lambda db: db.execute(LONG).fetchone(),
    "rows": again_and_again(lambda db: [each for each in db.execute("SELECT a FROM other")]),
    "half-read": again_and_again(read_half),
    "commit": again_and_again(commit_by_any_means),
    "with": again_and_again(lambda db: (db.__enter__() and insert(db)) or db.__exit__(None, None, None)),
    "function": again_and_again(function_of_mine),
    "authorizer": again_and_again(lambda db: db.set_authorizer(lambda *details: sqlite3.SQLITE_OK)),
    "dump": again_and_again(lambda db: list(db.iterdump())),
    "slow rows": lambda db: db.executemany("INSERT INTO mine VALUES (?)", slow_rows(db)),
    "swallows": again_and_again(swallow),
}


def slow_rows(db: sqlite3.Connection) -> Iterator[list[int]]:
    """In the second of them it waits, with no statement running, until the connection has been taken back."""
    yield [1]
    while db.in_transaction:
        threading.Event().wait(0.001)
    yield [2]


@pytest.fixture
def database(queue: JobQueue) -> Iterator[JobDatabase]:
    with queue.database.write() as tx:
        tx.execute("CREATE TABLE mine (a)")
        tx.execute("CREATE TABLE other (a)")
        tx.executemany("INSERT INTO other VALUES (?)", [(number,) for number in range(200)])
    database = JobDatabase(queue.database)
    yield database
    database.close()


def lend(database: JobDatabase, seconds: float) -> Loan:
    return database.lend(lambda tx: None, seconds=seconds, refusal=lambda: TransactionTimeout("it is over"))


def rows_of_mine(queue: JobQueue) -> int:
    """Also proves that the write lock is free."""
    with queue.database.write() as tx:
        found: int = tx.value("SELECT count(*) FROM mine")
    return found


@pytest.mark.parametrize("use", USES)
def test_wherever_the_code_is_it_gets_the_refusal_and_nothing_is_written(
    queue: JobQueue, database: JobDatabase, use: str
) -> None:
    for seconds in (0.001, 0.003, 0.01, 0.02):
        loan = lend(database, seconds)
        with pytest.raises(TransactionTimeout, match="it is over"), loan.lent() as db:
            if use == "swallows":
                while loan.is_open:
                    swallow(db)
            else:
                USES[use](db)
        with pytest.raises(TransactionTimeout):
            loan.commit(lambda tx: None)
        loan.end()
        assert rows_of_mine(queue) == 0


@pytest.mark.parametrize("sql", ["INSERT INTO mine VALUES (1)", LONG, "PRAGMA query_only = OFF", "BEGIN"])
def test_a_cursor_that_is_not_of_the_connection_is_refused(queue: JobQueue, database: JobDatabase, sql: str) -> None:
    loan = lend(database, 10)
    with loan.lent() as db:
        cursor = sqlite3.Cursor(db)
        with pytest.raises(sqlite3.ProgrammingError, match=r"use db.cursor\(\)"):
            cursor.execute(sql)
    with pytest.raises(sqlite3.ProgrammingError):
        cursor.execute(sql)
    loan.end()
    with pytest.raises(sqlite3.ProgrammingError):
        cursor.execute(sql)
    assert rows_of_mine(queue) == 0


def test_rows_may_come_from_another_cursor_of_the_connection_and_from_a_callback(
    queue: JobQueue, database: JobDatabase
) -> None:
    def add(number: int) -> int:
        db.executemany("INSERT INTO mine VALUES (?)", iter([[number]] * 2))
        return number

    loan = lend(database, 10)
    with loan.lent() as db:
        cursor = db.executemany("INSERT INTO mine SELECT ?", db.execute("SELECT a FROM other"))
        assert cursor.rowcount == 200
        db.create_function("add_two", 1, add)
        assert db.execute("SELECT add_two(7)").fetchone() == (7,)
        with pytest.raises(ValueError, match="no more"):
            db.executemany("INSERT INTO mine VALUES (?)", (int("no more") for _ in "a"))
    loan.commit(lambda tx: None)
    assert rows_of_mine(queue) == 202


def test_a_blob_is_taken_back_too(queue: JobQueue, database: JobDatabase) -> None:
    loan = lend(database, 60)
    with pytest.raises(TransactionTimeout), loan.lent() as db:
        db.execute("INSERT INTO mine VALUES (zeroblob(10))")
        with db.blobopen("mine", "a", db.execute("SELECT max(rowid) FROM mine").fetchone()[0]) as blob:
            blob.write(b"abc")
            loan.take_back()
            blob.write(b"def")
    loan.end()
    assert rows_of_mine(queue) == 0


def test_what_was_committed_is_not_taken_back(queue: JobQueue, database: JobDatabase) -> None:
    loan = lend(database, 60)
    with loan.lent() as db:
        insert(db)
    loan.commit(lambda tx: None)
    loan.take_back()
    assert rows_of_mine(queue) == 1


def test_a_connection_is_of_no_use_after_its_loan_even_while_it_is_lent_again(
    queue: JobQueue, database: JobDatabase
) -> None:
    first = lend(database, 60)
    with first.lent() as kept:
        insert(kept)
    with pytest.raises(sqlite3.ProgrammingError, match="the transaction is over"):
        insert(kept)
    first.commit(lambda tx: None)
    with pytest.raises(sqlite3.ProgrammingError, match="the transaction is over"):
        insert(kept)
    with database.write() as tx:
        tx.execute("INSERT INTO mine VALUES (2)")
    with pytest.raises(sqlite3.ProgrammingError, match="the transaction is over"):
        insert(kept)
    assert rows_of_mine(queue) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_the_child_of_a_fork_cannot_use_it(queue: JobQueue, database: JobDatabase) -> None:
    loan = lend(database, 60)
    with loan.lent() as db:
        insert(db)
        child = os.fork()
        if not child:
            try:
                insert(db)
            except sqlite3.ProgrammingError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    loan.commit(lambda tx: None)
    assert rows_of_mine(queue) == 1


def test_cursors_of_a_class_of_the_code_are_guarded_as_well(database: JobDatabase) -> None:
    class Loud(sqlite3.Cursor):
        def first(self) -> object:
            return self.fetchone()[0]

    loan = lend(database, 60)
    with loan.lent() as db:
        cursor = db.cursor(Loud)
        assert cursor.execute("SELECT 5").first() == 5
        with pytest.raises(TypeError, match=r"it must be a subclass of sqlite3\.Cursor"):
            db.cursor(lambda connection: sqlite3.Cursor(connection))
    with pytest.raises(sqlite3.ProgrammingError, match="the transaction is over"):
        cursor.execute("SELECT 5")
    loan.end()
