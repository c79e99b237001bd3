"""Connections that are lent for one transaction, which nobody but the lender can end."""

from __future__ import annotations

import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from types import FrameType

import pytest

from gigq.store.engine.lent import LentConnection, statements


@pytest.fixture
def lent() -> Iterator[LentConnection]:
    connection = sqlite3.connect(":memory:", factory=LentConnection, isolation_level=None)
    connection.executescript("CREATE TABLE t (a); BEGIN IMMEDIATE; INSERT INTO t VALUES (0)")
    connection.lend()
    yield connection
    connection.unlend()
    connection.close()


def rows(connection: sqlite3.Connection) -> list[object]:
    return [value for (value,) in connection.execute("SELECT a FROM t")]


Run = Callable[[LentConnection, str], object]

ROUTES: dict[str, Run] = {
    "connection": lambda connection, sql: connection.execute(sql),
    "cursor": lambda connection, sql: connection.cursor().execute(sql),
    "plain cursor": lambda connection, sql: sqlite3.Cursor(connection).execute(sql),
    "script": lambda connection, sql: connection.executescript(f"INSERT INTO t VALUES ('script'); {sql};"),
    "script of a cursor": lambda connection, sql: connection.cursor().executescript(sql),
    "script of a plain cursor": lambda connection, sql: sqlite3.Cursor(connection).executescript(sql),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "sql", ["COMMIT", "end transaction", "/* now */ ROLLBACK", "BEGIN", "ATTACH ':memory:' AS more", "DETACH more"]
)
def test_no_statement_ends_the_transaction_or_leaves_the_file(lent: LentConnection, route: str, sql: str) -> None:
    with pytest.raises(sqlite3.DatabaseError, match=r"not authorized|is not possible here"):
        ROUTES[route](lent, sql)
    assert lent.in_transaction
    lent.unlend()
    lent.rollback()
    assert rows(lent) == []


@pytest.mark.parametrize(
    "act",
    [
        LentConnection.rollback,
        LentConnection.close,
        sqlite3.Connection.commit,
        sqlite3.Connection.rollback,
        lambda lent: setattr(lent, "isolation_level", None),
        lambda lent: sqlite3.Connection.__exit__(lent, None, None, None),
    ],
)
def test_no_method_ends_the_transaction(lent: LentConnection, act: Callable[[LentConnection], object]) -> None:
    try:
        act(lent)
    except sqlite3.DatabaseError as error:
        assert any(words in str(error) for words in ("not authorized", "is not possible here"))
    assert lent.in_transaction
    assert rows(lent) == [0]


def test_an_authorizer_of_the_users_lifts_no_denial(lent: LentConnection) -> None:
    asked = list[int]()

    def authorize(action: int, *details: str | None) -> int:
        asked.append(action)
        return sqlite3.SQLITE_OK

    lent.set_authorizer(authorize)
    with pytest.raises(sqlite3.DatabaseError, match="COMMIT is not possible here: the end of the block commits"):
        lent.execute(" COMMIT ; ")
    lent.execute("SELECT a FROM t")
    assert sqlite3.SQLITE_READ in asked


def test_a_commit_of_a_library_does_nothing(lent: LentConnection) -> None:
    lent.commit()
    assert lent.in_transaction


def test_a_copy_is_refused_where_it_would_wait_for_ever(lent: LentConnection) -> None:
    with closing(sqlite3.connect(":memory:")) as copy, pytest.raises(sqlite3.OperationalError, match="after the block"):
        lent.backup(copy)
    assert lent.in_transaction


def test_a_with_block_is_a_savepoint(lent: LentConnection) -> None:
    with lent:
        lent.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(ZeroDivisionError), lent:
        lent.execute("INSERT INTO t VALUES (2)")
        _ = 1 / 0
    assert (rows(lent), lent.in_transaction) == ([0, 1], True)


def test_a_script_runs_statement_by_statement(lent: LentConnection) -> None:
    lent.executescript(
        """
        INSERT INTO t VALUES ('a;b'); -- a comment; with a semicolon
        CREATE TRIGGER twice AFTER INSERT ON t WHEN new.a = 1 BEGIN
          INSERT INTO t VALUES (2);
          INSERT INTO t VALUES (3);
        END;
        INSERT INTO t VALUES (1)
        """
    )
    assert (rows(lent), lent.in_transaction) == ([0, "a;b", 1, 2, 3], True)


def test_a_script_that_is_empty_has_no_statements() -> None:
    assert [*statements(" \n")] == []


def test_other_errors_are_those_of_sqlite(lent: LentConnection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table: missing"):
        lent.executemany("INSERT INTO missing VALUES (?)", [(1,)])


def test_an_interrupt_in_the_middle_of_the_authorizer_is_not_lost(lent: LentConnection) -> None:
    def interrupt(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_name == "authorize":
            sys.setprofile(None)
            signal.raise_signal(signal.SIGINT)

    sys.setprofile(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            lent.execute("INSERT INTO t VALUES (1)")
    finally:
        sys.setprofile(None)
    assert rows(lent) == [0]


def test_what_an_authorizer_of_the_caller_raises_is_raised(lent: LentConnection) -> None:
    def broken(*details: object) -> int:
        raise LookupError("no such rule")

    lent.set_authorizer(broken)
    with pytest.raises(LookupError, match="no such rule"):
        lent.execute("INSERT INTO t VALUES (1)")
    lent.set_authorizer(None)


def test_what_an_authorizer_of_the_caller_denies_is_denied(lent: LentConnection) -> None:
    lent.set_authorizer(lambda *details: sqlite3.SQLITE_DENY)
    with pytest.raises(sqlite3.DatabaseError, match="not possible here"):
        lent.execute("INSERT INTO t VALUES (1)")
    lent.set_authorizer(None)
