"""The generated parts of the documentation are what the code says now."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import generate
import pytest

from gigq import ExecutionStatus, Job, JobQueue, JobStatus
from gigq.status import Move
from gigq.store.indexes import INDEXES
from gigq.store.tables import TABLES
from gigq.store.views import VIEWS
from gigq.testing import drain

REFERENCE = Path(__file__).parents[2] / "docs/reference"


@pytest.mark.parametrize("path", generate.generated(), ids=lambda path: path.name)
def test_a_generated_part_is_not_stale(path: Path) -> None:
    assert path.read_text() == generate.generated()[path], "run: python tests/docs/generate.py"


def test_an_edit_inside_a_generated_part_is_overwritten() -> None:
    text = generate.LIFE.read_text()
    changed = text.replace("pending --> running: claim", "pending --> running: take")
    assert changed != text
    assert generate.filled(changed) == text


def test_the_picture_shows_every_status_and_every_move() -> None:
    words = re.findall(r">([^<>]+)</text>", generate.picture())
    labels = {label for word in words for label in word.split(", ")}
    assert labels == {*(status.value for status in JobStatus), *(move.label for move in Move), "submit"}


def test_the_page_names_every_status_of_an_execution() -> None:
    assert [status for status in ExecutionStatus if f"| `{status}` |" not in generate.LIFE.read_text()] == []


def test_the_reference_names_every_table_index_and_view() -> None:
    text = generate.SCHEMA.read_text()
    missing = [name for name in TABLES if f"### {name}\n" not in text]
    assert missing + [name for name in (*INDEXES, *VIEWS) if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize("sql", re.findall(r"```sql\n(.*?)```", (REFERENCE / "schema.md").read_text(), re.DOTALL))
def test_a_select_of_the_reference_runs_and_finds_something(sql: str, queue: JobQueue, path: str) -> None:
    queue.submit_many([Job("done", "measure", {"length": 3}), Job("broken", "functions:fail")])
    drain(queue, handlers={"measure": dict})
    waiting = Job("waiting", "functions:nothing", delay=60)
    child = Job("child", "functions:nothing", dependencies=[waiting.id])
    queue.submit_many([waiting, child, Job("held", "functions:add"), Job("ready", "functions:add")])
    queue.dequeue("program")
    with queue.acting_as("ann"):
        queue.pause("nobody's")
    queue.schedules.add("nightly", "functions:nothing", cron="0 3 * * *")
    if "->>" in sql and sqlite3.sqlite_version_info < (3, 38):
        pytest.skip("this SQLite has no ->>")
    connection = sqlite3.connect(path)
    assert connection.execute(sql).fetchall()
    connection.close()
