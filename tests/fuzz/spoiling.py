"""Write nonsense into a file as a person with a SQLite tool may, and let a worker run its jobs.

The tests try one value in each column; all of them by command, which takes some minutes::

    PYTHONPATH=.:tests python tests/fuzz/spoiling.py
"""

from __future__ import annotations

import argparse
import random
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from store.verbs import SOMEWHERE, File

from gigq import Job, JobQueue, ManualClock, Worker
from gigq.status import ExecutionStatus
from gigq.store import manual, waits


def no_text(value: bytes) -> str:
    """Bytes as the test writes them into a column of text."""
    return f"CAST(x'{value.hex()}' AS TEXT)"


GARBAGE = [
    *(
        "'nonsense'",
        "''",
        "'[1]'",
        "'[[1, 5], [\"a\", null]]'",
        "'[[99999999999999999999, null]]'",
        "'{\"a\": 1}'",
        "NULL",
        "x'ff00'",
        "char(0)",
    ),
    *("-7", "0", "1", "2.5", "2147483648", "9223372036854775807", "1e300"),
    *(no_text("Müller".encode("latin-1")), no_text(b'["\xfc"]')),
    *("'2026-02-31T00:00:00.000000Z'", "'2026-01-01T24:00:00.000000Z'", "'0000-01-01T00:00:00.000000Z'"),
    *("'2026-01-01T00:00:61.000000Z'", "'2026-01-01'", "'9999-12-31T23:59:59.999999Z'"),
]
"""As SQL."""

PLACES = [
    *(("jobs", f"id = '{name}'") for name in ("spoilt", "later", "held", "lost")),
    ("executions", "1"),
    ("job_queues", "name = 'default'"),
    ("job_schedules", "1"),
    ("job_workers", "1"),
    ("job_tags", "1"),
    ("job_missing_functions", "1"),
    ("job_waits", "1"),
    ("job_actions", "1"),
]
"""Tables, and which of their rows."""

GOOD = ("good", "good child", "good elsewhere")

BADLY = (b"failed", b"timeout", b"cancelled")

RULES_BETWEEN_COLUMNS = {("jobs", "status"), ("jobs", "completed_at"), ("executions", "status")}
"""A value here says something about the whole row that is not so, if SQLite is told not to check it."""


def busy_file(folder: Path) -> Path:
    """Make a file with jobs that a worker has left, that somebody has claimed manually, and that are ready."""
    path = folder / "busy.db"
    with JobQueue(path, durability="normal", clock=ManualClock()) as queue:
        file = File(queue, ManualClock())
        queue.submit(Job("lost", "functions:nothing", id="lost", max_attempts=1))
        file.claim()
        queue.submit(Job("held", "functions:nothing", id="held", max_attempts=1, timeout=5))
        with file.write() as tx:
            person = manual.register(tx, "manual", SOMEWHERE._replace(pid=2))
        (held,) = file.claim(worker=person)
        queue.submit(Job("absent", "nowhere:nothing", id="absent"))
        (absent,) = file.claim()
        file.settle(absent, ExecutionStatus.RELEASED, error="no module", is_missing=True)
        with file.write() as tx:
            assert waits.note(tx, held.execution_id, waiter="held", jobs=["lost"])
        _submit_the_rest(queue)
    return path


def _submit_the_rest(queue: JobQueue) -> None:
    options: dict[str, Any] = {"priority": "high", "max_attempts": 2, "retry_delay": 60, "metadata": {"k": 1}}
    queue.submit(Job("spoilt", "functions:fail", id="spoilt", tags=["t"], expires_at="2027-01-01", **options))
    queue.submit(Job("later", "functions:fail", id="later", delay=3, unique_key="k", **options))
    queue.submit(Job("good", "functions:nothing", id="good"))
    queue.submit(Job("good child", "functions:collect", id="good child", dependencies=["good"]))
    queue.submit(Job("good elsewhere", "functions:nothing", id="good elsewhere", queue="other"))
    queue.configure("default", max_running=50, rate_limit=1000, rate_period=1)
    with queue.acting_as("ann"):
        queue.pause("nobody's")
    queue.schedules.add("interval", "functions:nothing", every=3600)
    queue.schedules.add("cron", "functions:nothing", cron="0 3 * * *")


def flaws(busy: Path, path: str, table: str, rows: str, *, is_checked: bool, values: int) -> list[str]:
    """Write nonsense into each column of some rows, let a worker work each time, and return what went wrong.

    Args:
        busy: the file to begin with, each time.
        path: where its copies are made.
        rows: which, as SQL.
        is_checked: whether SQLite checks what is written.
        values: how many are tried in each column. Which ones is always the same.
    """
    chance = random.Random(f"{table} {rows} {is_checked}")
    found: list[str] = []
    for column, is_text in _columns(busy, table):
        # Without checks only text is tried: to turn them off, and then write text into numbers, is to ask for it.
        if is_checked or (is_text and (table, column) not in RULES_BETWEEN_COLUMNS):
            garbage = chance.sample(GARBAGE, len(GARBAGE))
            written = _written(busy, path, garbage, f"UPDATE {table} SET {column} = %s WHERE {rows}", is_checked)
            for value in islice(written, values):
                found += [f"{table}.{column} = {value}: {flaw}" for flaw in _flaws_after_work(path)]
    return found


def _columns(path: Path, table: str) -> list[tuple[str, bool]]:
    """The columns of a table, and whether they hold text."""
    with closing(sqlite3.connect(path)) as tool:
        return [(row[1], row[2] == "TEXT") for row in tool.execute(f"PRAGMA table_info({table})")]


def _written(busy: Path, path: str, garbage: list[str], statement: str, is_checked: bool) -> Iterator[str]:
    """Write one value after the other, each into a file of its own, and yield those that SQLite does not refuse."""
    is_new = False
    for value in garbage:
        if not is_new:
            shutil.copy(busy, path)
        with closing(sqlite3.connect(path, isolation_level=None)) as editor:
            editor.execute(f"PRAGMA ignore_check_constraints = {not is_checked}")
            try:
                editor.execute(statement % value)
            except sqlite3.Error:
                is_new = True
                continue
            is_new = False
            is_paused = editor.execute("SELECT 1 FROM job_queues WHERE name = 'default' AND is_paused = 1").fetchone()
        if not is_paused:  # which a person may well write
            yield value


def _flaws_after_work(path: str) -> list[str]:
    """The error of the worker; or the good jobs that are not done, and the bad ends that have no reason."""
    try:
        _work(path)
    except Exception as error:
        return [repr(error)]
    with closing(sqlite3.connect(path)) as tool:
        tool.text_factory = bytes
        jobs = tool.execute("SELECT id, status, error FROM jobs").fetchall()
    good = {name.encode() for name in GOOD}
    return [
        f"{name!r} is {status!r}: {error!r}"
        for name, status, error in jobs
        if (status != b"completed" if name in good else status in BADLY and not error)
    ]


def _work(path: str) -> None:
    """Let a worker do what there is to do, for half a minute of its time: then it considers a silent one dead."""
    clock = ManualClock(datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC))
    with Worker(path, durability="normal", clock=clock) as worker:
        for _ in range(8):
            worker.process_one()
            clock.advance(4)


def main() -> int:
    argparse.ArgumentParser(
        description="Write each kind of nonsense into each column while a worker works."
    ).parse_args()
    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        busy = busy_file(Path(folder))
        for table, rows in PLACES:
            for is_checked in (True, False):
                found += flaws(busy, f"{folder}/jobs.db", table, rows, is_checked=is_checked, values=len(GARBAGE))
    print(*found, f"{len(found)} flaws", sep="\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
