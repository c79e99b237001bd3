"""The time that a read may take."""

from __future__ import annotations

import signal
import sqlite3
import time
from typing import Any

import pytest

from gigq import JobQueue, ReadTooLong
from gigq.store.engine.budget import Budget

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.mark.parametrize("place", ["file", ":memory:"])
def test_a_statement_is_stopped_when_the_time_is_over_and_the_next_one_runs(path: str, place: str) -> None:
    with JobQueue(path if place == "file" else place) as queue:
        began = time.monotonic()
        too_long = pytest.raises(ReadTooLong, match=r"longer than the 0\.05 seconds")
        with too_long, Budget(0.05).read(queue.database) as tx:
            tx.value(ENDLESS)
        assert time.monotonic() - began >= 0.05
        with queue.database.read() as tx:
            assert tx.value(f"SELECT * FROM ({ENDLESS.replace('FROM n)', 'FROM n LIMIT 100000)')})") == 100_000


def test_what_somebody_else_interrupts_is_not_called_too_long(queue: JobQueue) -> None:
    with queue.database.read() as tx:
        tx.connection.create_function("stop", 0, tx.connection.interrupt)
        with pytest.raises(sqlite3.OperationalError, match="interrupted"), Budget(60).stopping(tx):
            tx.value(f"SELECT stop() + ({ENDLESS})")


def test_without_a_limit_there_is_nothing_to_pay(queue: JobQueue) -> None:
    budget = Budget()
    assert (budget.is_over, budget.left, budget.seconds) == (False, None, None)
    assert (Budget(0).is_over, Budget(0).left, Budget("1m").seconds) == (True, 0.0, 60.0)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers here")
def test_ctrl_c_during_a_read_of_limited_time_is_no_error_of_the_file(queue: JobQueue) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(KeyboardInterrupt), Budget(0.1).read(queue.database) as tx:
            tx.value(ENDLESS)
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers here")
@pytest.mark.parametrize("search", [
    "gigq_finds(CAST('ab' AS BLOB), CAST('|' AS BLOB), CAST('x' || i AS BLOB))",
    "gigq_has(CAST('[' || i || ']' AS BLOB), CAST('{}' AS BLOB), 'x', '-1')",
])  # fmt: skip
def test_ctrl_c_inside_a_search_is_no_error_of_the_file(queue: JobQueue, search: str) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(KeyboardInterrupt), queue.database.read() as tx:
            tx.value(f"{ENDLESS} WHERE {search}")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert queue.count() == 0


@pytest.mark.parametrize("place", ["file", ":memory:"])
def test_the_time_of_a_read_ends_with_its_transaction_wherever_ctrl_c_comes(path: str, place: str) -> None:
    with JobQueue(path if place == "file" else place) as queue:
        with pytest.raises(KeyboardInterrupt), queue.database.read() as tx:
            kept = Budget(0).stopping(tx)  # as the traceback keeps it: it never comes to its end
            kept.__enter__()
            raise KeyboardInterrupt
        with queue.database.read() as tx:
            assert tx.value(f"SELECT * FROM ({ENDLESS.replace('FROM n)', 'FROM n LIMIT 100000)')})") == 100_000
        del kept


@pytest.mark.parametrize("within", [-1, float("nan"), float("inf"), "5", "soon", True, b"1", []])
def test_what_is_no_duration_is_refused(queue: JobQueue, within: Any) -> None:
    with pytest.raises(ValueError, match="within is "):
        queue.find_jobs(within=within)
