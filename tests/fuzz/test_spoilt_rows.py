"""Somebody has edited the file by hand: whoever looks gets values or one sentence, and the good jobs run."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from store.verbs import SOMEWHERE, File

from gigq import Job, JobNotFound, JobQueue, ManualClock, StoreError, Worker
from gigq.store import manual

pytestmark = pytest.mark.unsound("somebody has spoilt it by hand")

VALUES: list[object] = ["nonsense", -7, 1e300, b"\xff\x00", None, "[1]", '{"a": 1}']

TABLES = ("jobs", "executions", "job_queues", "job_schedules", "job_workers", "job_tags")

LOOKS: dict[str, Callable[[JobQueue], object]] = {
    "get_status": lambda queue: [queue.get_status(name) for name in ("done", "waiting", "held")],
    "list_jobs": lambda queue: queue.list_jobs(),
    "dead_letters": lambda queue: queue.dead_letters(),
    "why": lambda queue: [queue.why(name) for name in ("done", "waiting", "held")],
    "stats": lambda queue: queue.stats(),
    "metrics": lambda queue: queue.metrics(),
    "queues": lambda queue: queue.queues(),
    "workers": lambda queue: queue.workers(),
    "schedules": lambda queue: list(queue.schedules),
    "check": lambda queue: queue.check(),
}


@pytest.fixture
def spoilt(path: str) -> Iterator[tuple[JobQueue, sqlite3.Connection]]:
    """A queue with a row in every table, and a connection that writes what it likes. Nothing is sound at the end."""
    with JobQueue(path, durability="normal") as queue, closing(sqlite3.connect(path, isolation_level=None)) as editor:
        queue.submit(Job("done", "functions:nothing", id="done"))
        queue.submit(Job("failed", "functions:fail", id="failed", max_attempts=1))
        with Worker(path, durability="normal") as worker:
            worker.process_one()
            worker.process_one()
        queue.submit(Job("held", "functions:nothing", id="held", priority="high"))
        queue.dequeue("ann")
        queue.submit(Job("waiting", "functions:nothing", id="waiting", dependencies=["held"], tags=["tag"]))
        queue.configure("default", max_running=50, rate_limit=1000, rate_period=10)
        queue.schedules.add("schedule", "functions:nothing", every=3600)
        yield queue, editor
        editor.execute("DELETE FROM executions WHERE status = 'running'")  # which nobody could give back


def spoil(editor: sqlite3.Connection, table: str, column: str, value: object) -> bool:
    """Write a value into all rows of a table, or one of them, if the schema lets it, its checks turned off."""
    editor.execute("PRAGMA ignore_check_constraints = ON")
    for rows in ("", " WHERE rowid = (SELECT max(rowid) FROM jobs)" if table == "jobs" else " LIMIT 0"):
        with suppress(sqlite3.Error):
            editor.execute(f"UPDATE {table} SET {column} = ?{rows}", [value])
            return True
    return False


def spoilings(editor: sqlite3.Connection) -> Iterator[str]:
    """One value after the other in each column; what stood there comes back after each."""
    for table in TABLES:
        columns = [row[1] for row in editor.execute(f"PRAGMA table_info({table})")]
        editor.execute(f"CREATE TEMP TABLE kept AS SELECT * FROM {table}")
        for column in columns:
            for value in VALUES:
                if spoil(editor, table, column, value):
                    yield f"{table}.{column} = {value!r:.40}"
                    editor.execute("PRAGMA foreign_keys = OFF")
                    editor.execute(f"DELETE FROM {table}")
                    editor.execute(f"INSERT INTO {table} SELECT * FROM kept")
        editor.execute("DROP TABLE kept")


def test_whoever_looks_at_a_spoilt_row_gets_values_or_one_sentence(
    spoilt: tuple[JobQueue, sqlite3.Connection],
) -> None:
    queue, editor = spoilt
    wrong: list[str] = []
    for spoiling in spoilings(editor):
        for name, look in LOOKS.items():
            try:
                look(queue)
            except (StoreError, JobNotFound) as error:
                if "\n" in str(error) or len(str(error)) > 600:
                    wrong.append(f"{spoiling}: {name}: {error!s:.100}")
            except Exception as error:
                wrong.append(f"{spoiling}: {name}: {error!r:.100}")
    assert wrong == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", b"\xff"),
        ("result", "1,"),
        ("args", "{"),
        ("params", "[1, 2]"),
        ("metadata", "no"),
        ("created_at", "yesterday"),
        ("progress", "half"),
    ],
)
def test_a_spoilt_job_is_named_with_its_column(
    spoilt: tuple[JobQueue, sqlite3.Connection], column: str, value: object
) -> None:
    queue, editor = spoilt
    editor.execute("PRAGMA ignore_check_constraints = ON")
    editor.execute(f"UPDATE jobs SET {column} = ? WHERE id = 'done'", [value])
    for look in (lambda: queue.get_status("done"), queue.list_jobs, lambda: queue.why("done")):
        with pytest.raises(StoreError, match=f"job 'done' cannot be read: its {column} is "):
            look()
    assert queue.get_status("failed")["status"] == "failed"


def test_a_spoilt_execution_is_named_with_its_job(spoilt: tuple[JobQueue, sqlite3.Connection]) -> None:
    queue, editor = spoilt
    editor.execute("UPDATE executions SET started_at = 'soon' WHERE status = 'failed'")
    with pytest.raises(StoreError, match="an execution of job 'failed' cannot be read: its started_at is 'soon'"):
        queue.get_status("failed")


def test_text_that_is_not_utf_8_is_shown_with_escapes_for_what_cannot_be_read(path: str, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "functions:nothing"))
    with closing(sqlite3.connect(path, isolation_level=None)) as editor:
        editor.execute("UPDATE jobs SET description = CAST(? AS TEXT)", ["Müller".encode("latin-1")])
    assert queue.get_status(job_id)["description"] == r"M\xfcller"


def test_json_that_is_not_utf_8_is_one_sentence_with_the_column(spoilt: tuple[JobQueue, sqlite3.Connection]) -> None:
    queue, editor = spoilt
    editor.execute("UPDATE jobs SET params = CAST(? AS TEXT) WHERE id = 'done'", ['{"a": "ü"}'.encode("latin-1")])
    with pytest.raises(StoreError, match=r"job 'done' cannot be read: its params is .*xfc"):
        queue.get_status("done")


RUNS: list[tuple[str, Any]] = [
    *((column, value) for column in ("args", "params") for value in ("nonsense", "", -7, b"\xff\x00", "[" * 5000)),
    ("args", '{"a": 1}'),
    ("params", "[1]"),
    *(("function", value) for value in ("nonsense", "", "no.such:thing", "os:system:", -7, b"\xff\x00", "\0", ":")),
]


@pytest.mark.parametrize("is_threaded", [False, True], ids=["process_one", "start"])
def test_a_job_that_cannot_be_called_fails_with_a_readable_error_and_the_good_ones_run(
    path: str, queue: JobQueue, is_threaded: bool
) -> None:
    spoilt = queue.submit_many(Job("spoilt", "functions:nothing", priority="high") for _ in RUNS)
    good = queue.submit(Job("good", "functions:nothing"))
    with closing(sqlite3.connect(path, isolation_level=None)) as editor:
        editor.execute("PRAGMA ignore_check_constraints = ON")
        for job_id, (column, value) in zip(spoilt, RUNS, strict=True):
            editor.execute(f"UPDATE jobs SET {column} = ? WHERE id = ?", [value, job_id])
        with Worker(path, burst=True) as worker:
            if is_threaded:
                worker.start()
            else:
                while worker.process_one():
                    pass
        ended = editor.execute(
            "SELECT status, attempts, length(error) BETWEEN 1 AND 1000 FROM jobs WHERE name = 'spoilt'"
        )
        assert set(ended) == {("failed", 1, 1)}
    assert queue.get_status(good)["status"] == "completed"


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

AT_ONCE = 2
"""Values that are tried in each column, drawn from what SQLite takes there."""

GOOD = ("good", "good child", "good elsewhere")

BADLY = (b"failed", b"timeout", b"cancelled")

RULES_BETWEEN_COLUMNS = {("jobs", "status"), ("jobs", "completed_at"), ("executions", "status")}
"""Where SQLite is told not to look, whoever writes here has said something of the whole row that is not so."""


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with jobs in all hands: of a worker that is gone, of somebody by hand, and for the worker to come."""
    path = tmp_path_factory.mktemp("busy") / "jobs.db"
    with JobQueue(path, durability="normal", clock=ManualClock()) as queue:
        file = File(queue, ManualClock())
        queue.submit(Job("lost", "functions:nothing", id="lost", max_attempts=1))
        file.claim()
        queue.submit(Job("held", "functions:nothing", id="held", max_attempts=1, timeout=5))
        with file.write() as tx:
            by_hand = manual.register(tx, "by hand", replace(SOMEWHERE, pid=2))
        file.claim(worker=by_hand)
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
    queue.pause("nobody's")
    queue.schedules.add("interval", "functions:nothing", every=3600)
    queue.schedules.add("cron", "functions:nothing", cron="0 3 * * *")


def columns(path: Path, table: str) -> list[tuple[str, bool]]:
    """The columns of a table, and whether they hold text."""
    with closing(sqlite3.connect(path)) as tool:
        return [(row[1], row[2] == "TEXT") for row in tool.execute(f"PRAGMA table_info({table})")]


def edit(path: str, table: str, column: str, value: str, *, rows: str, is_checked: bool) -> bool:
    """Write by hand; False if SQLite refuses it, or it is what a person may write there."""
    with closing(sqlite3.connect(path, isolation_level=None)) as editor:
        editor.execute(f"PRAGMA ignore_check_constraints = {not is_checked}")
        try:
            editor.execute(f"UPDATE {table} SET {column} = {value} WHERE {rows}")
        except sqlite3.Error:
            return False
        return not editor.execute("SELECT 1 FROM job_queues WHERE name = 'default' AND is_paused = 1").fetchone()


def work(path: str) -> None:
    """Let a worker do what there is to do, for half a minute of its time: then a silent one is dead for it."""
    clock = ManualClock(datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC))
    with Worker(path, durability="normal", clock=clock) as worker:
        for _ in range(8):
            worker.process_one()
            clock.advance(4)


def wrong_with(path: str) -> list[str]:
    """The good jobs that were not done, and those that have ended badly and nobody can read why."""
    with closing(sqlite3.connect(path)) as tool:
        tool.text_factory = bytes
        found = tool.execute("SELECT id, status, error FROM jobs").fetchall()
    good = {name.encode() for name in GOOD}
    return [
        f"{name!r} is {status!r}: {error!r}"
        for name, status, error in found
        if (status != b"completed" if name in good else status in BADLY and not error)
    ]


@pytest.mark.parametrize("is_checked", [True, False], ids=["as it is", "without checks"])
@pytest.mark.parametrize(
    ("table", "rows"),
    [
        *(("jobs", f"id = '{name}'") for name in ("spoilt", "later", "held", "lost")),
        ("executions", "1"),
        ("job_queues", "name = 'default'"),
        ("job_schedules", "1"),
        ("job_workers", "1"),
        ("job_tags", "1"),
    ],
)
def test_whatever_somebody_writes_into_a_column_the_worker_lives_and_the_good_jobs_run(
    busy: Path, path: str, table: str, rows: str, is_checked: bool
) -> None:
    chance = random.Random(f"{table} {rows} {is_checked}")
    wrong: list[str] = []
    for column, is_text in columns(busy, table):
        # Without checks only text is tried: who turns them off, and then writes text into numbers, has asked for it.
        if is_checked or (is_text and (table, column) not in RULES_BETWEEN_COLUMNS):
            for value in takes(busy, path, table, column, chance, rows=rows, is_checked=is_checked):
                wrong += [f"{table}.{column} = {value}: {each}" for each in tried(path)]
    assert wrong == []


def takes(
    busy: Path, path: str, table: str, column: str, chance: random.Random, *, rows: str, is_checked: bool
) -> Iterator[str]:
    """Yield some of the values that SQLite takes there, each when it is in the file and nothing has looked at it."""
    taken = 0
    for value in chance.sample(GARBAGE, len(GARBAGE)):
        shutil.copy(busy, path)
        if edit(path, table, column, value, rows=rows, is_checked=is_checked):
            yield value
            taken += 1
        if taken == AT_ONCE:
            return


def tried(path: str) -> list[str]:
    try:
        work(path)
    except Exception as error:
        return [repr(error)]
    return wrong_with(path)
