"""Files that somebody has corrupted with a SQLite tool: reading returns values or one sentence, and good jobs run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from fuzz.spoiling import PLACES, busy_file, flaws

from gigq import Job, JobNotFound, JobQueue, StoreError, Worker
from gigq.steps import Step
from gigq.store import steps, waits
from gigq.store.repairing import repair

pytestmark = pytest.mark.unsound("somebody has corrupted it")

VALUES: list[object] = ["nonsense", -7, 1e300, b"\xff\x00", None, "[1]", '{"a": 1}']

TABLES = (
    "jobs", "executions", "job_queues", "job_schedules", "job_workers", "job_tags", "job_missing_functions",
    "job_waits", "job_dependencies", "job_steps", "job_actions",
)  # fmt: skip

LOOKS: dict[str, Callable[[JobQueue], object]] = {
    "steps": lambda queue: queue.steps("failed"),
    "get_status": lambda queue: [queue.get_status(name) for name in ("done", "waiting", "held")],
    "list_jobs": lambda queue: queue.list_jobs(),
    "dead_letters": lambda queue: queue.dead_letters(),
    "why": lambda queue: [queue.why(name) for name in ("done", "waiting", "held")],
    "why of all": lambda queue: queue.why(),
    "next_jobs": lambda queue: queue.next_jobs(),
    "graph": lambda queue: queue.graph("held"),
    "stats": lambda queue: queue.stats(),
    "metrics": lambda queue: queue.metrics(),
    "queues": lambda queue: queue.queues(),
    "workers": lambda queue: queue.workers(),
    "actions": lambda queue: queue.history.actions(),
    "executions": lambda queue: queue.history.executions(),
    "throughput": lambda queue: queue.history.throughput("1h", "1m"),
    "functions": lambda queue: queue.history.functions(),
    "failures": lambda queue: queue.history.failures(),
    "as of": lambda queue: queue.history.as_of("2026-01-02T00:00:00Z"),
    "schedules": lambda queue: list(queue.schedules),
    "check": lambda queue: queue.check(),
    "repair": lambda queue: repair_and_undo(queue),
}

ONLY_READ_BY = {"job_actions": ("actions", "check")}
"""Tables that few looks read."""


class Undo(Exception):
    """What a transaction has done is not wanted."""


def repair_and_undo(queue: JobQueue) -> None:
    with suppress(Undo), queue.database.write() as tx:
        repair(tx)
        raise Undo


@pytest.fixture
def spoilt(path: str) -> Iterator[tuple[JobQueue, sqlite3.Connection]]:
    """A queue with a row in every table, and a connection that writes what it likes. Nothing is sound at the end."""
    with JobQueue(path, durability="normal") as queue, closing(sqlite3.connect(path, isolation_level=None)) as editor:
        queue.submit(Job("done", "functions:nothing", id="done"))
        queue.submit(Job("failed", "functions:fail", id="failed", max_attempts=1))
        absent = queue.submit(Job("absent", "nowhere:nothing", id="absent", priority="low"))
        with Worker(path, durability="normal") as worker:
            assert [worker.process_one() for _ in range(3)] == [True, True, False]
        assert [queue.get_status(absent)["status"], queue.workers()] == ["pending", []]
        queue.submit(Job("held", "functions:nothing", id="held", priority="high"))
        queue.dequeue("ann")
        with queue.database.write() as tx:
            (number,) = tx.execute("SELECT id FROM executions WHERE status = 'running'").fetchone()
            assert waits.note(tx, number, waiter="held", jobs=["failed"])
            step = Step("fetch", 1, 0, "step", "f", "[]", "7", "2026-01-01T00:00:00.000000Z")
            steps.remember(tx, 2, 2, step)  # of the job that has failed
        queue.submit(Job("waiting", "functions:nothing", id="waiting", dependencies=["held"], tags=["tag"]))
        queue.configure("default", max_running=50, rate_limit=1000, rate_period=10)
        queue.schedules.add("schedule", "functions:nothing", every=3600)
        with queue.acting_as("ann"):
            queue.pause("nobody's")
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


def test_reading_a_corrupted_row_returns_values_or_raises_one_sentence(
    spoilt: tuple[JobQueue, sqlite3.Connection],
) -> None:
    queue, editor = spoilt
    wrong: list[str] = []
    for spoiling in spoilings(editor):
        for name in ONLY_READ_BY.get(spoiling.partition(".")[0], LOOKS):
            try:
                LOOKS[name](queue)
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
        ("cursor", "half"),
    ],
)
def test_a_corrupted_job_is_reported_with_its_column(
    spoilt: tuple[JobQueue, sqlite3.Connection], column: str, value: object
) -> None:
    queue, editor = spoilt
    editor.execute("PRAGMA ignore_check_constraints = ON")
    editor.execute(f"UPDATE jobs SET {column} = ? WHERE id = 'done'", [value])
    for look in (lambda: queue.get_status("done"), queue.list_jobs, lambda: queue.why("done")):
        with pytest.raises(StoreError, match=f"job 'done' cannot be read: its {column} is "):
            look()
    assert queue.get_status("failed")["status"] == "failed"


def test_what_is_written_after_a_look_at_a_corrupted_row_is_seen_by_the_next_look(
    spoilt: tuple[JobQueue, sqlite3.Connection],
) -> None:
    """The error kept what it had read half of, and the next look saw the file as it had been then."""
    queue, editor = spoilt
    editor.execute("UPDATE executions SET started_at = 'soon'")
    with pytest.raises(StoreError) as kept:
        queue.metrics()
    editor.execute("UPDATE executions SET started_at = completed_at")
    queue.metrics()
    assert queue.submit(Job("next", "functions:nothing")).is_new
    assert kept.value.__cause__ is not None


def test_a_corrupted_execution_is_reported_with_its_job(spoilt: tuple[JobQueue, sqlite3.Connection]) -> None:
    queue, editor = spoilt
    editor.execute("UPDATE executions SET started_at = 'soon' WHERE status = 'failed'")
    with pytest.raises(StoreError, match="an execution of job 'failed' cannot be read: its started_at is 'soon'"):
        queue.get_status("failed")


@pytest.mark.parametrize(
    ("spoiling", "problem"),
    [
        (
            "UPDATE jobs SET params = '[1]' WHERE id IN ('done', 'failed')",
            "its params is '[1]', which gigq never wrote; mend it in the file; 1 more like it",
        ),
        ("UPDATE jobs SET created_at = 'yesterday' WHERE id = 'done'", "job 'done' cannot be read: its created_at is"),
        ("UPDATE executions SET started_at = 'soon' WHERE status = 'failed'", "an execution of job 'failed' cannot"),
        ("UPDATE job_workers SET handlers = 'x'", "job_workers holds what gigq never wrote (JSONDecodeError: "),
        ("UPDATE job_schedules SET job = '{}'", "job_schedules holds what gigq never wrote (KeyError: 'function'); "),
    ],
)
def test_a_check_finds_what_no_look_could_read(
    spoilt: tuple[JobQueue, sqlite3.Connection], spoiling: str, problem: str
) -> None:
    queue, editor = spoilt
    editor.execute("PRAGMA ignore_check_constraints = ON")
    editor.execute(spoiling)
    (found,) = queue.check()
    assert problem in found


def test_text_that_is_not_utf_8_is_shown_with_escapes(path: str, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "functions:nothing"))
    with closing(sqlite3.connect(path, isolation_level=None)) as editor:
        editor.execute("UPDATE jobs SET description = CAST(? AS TEXT)", ["Müller".encode("latin-1")])
    assert queue.get_status(job_id)["description"] == r"M\xfcller"


def test_json_that_is_not_utf_8_is_reported_with_its_column(spoilt: tuple[JobQueue, sqlite3.Connection]) -> None:
    queue, editor = spoilt
    editor.execute("UPDATE jobs SET params = CAST(? AS TEXT) WHERE id = 'done'", ['{"a": "ü"}'.encode("latin-1")])
    with pytest.raises(StoreError, match=r"job 'done' cannot be read: its params is .*xfc"):
        queue.get_status("done")


RUNS: list[tuple[str, Any]] = [
    *((column, value) for column in ("args", "params") for value in ("nonsense", "", -7, b"\xff\x00", "[" * 5000)),
    ("args", '{"a": 1}'),
    ("params", "[1]"),
    *(("function", value) for value in ("", "os:system:", -7, b"\xff\x00", "\0", ":")),
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


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return busy_file(tmp_path_factory.mktemp("busy"))


@pytest.mark.parametrize("is_checked", [True, False], ids=["as it is", "without checks"])
@pytest.mark.parametrize(("table", "rows"), PLACES)
def test_a_worker_survives_any_value_in_any_column_and_runs_the_good_jobs(
    busy: Path, path: str, table: str, rows: str, is_checked: bool
) -> None:
    assert flaws(busy, path, table, rows, is_checked=is_checked, values=1) == []
