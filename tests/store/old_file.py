"""Files of the GigQ package 0.5.1: one that it has written itself, and rows like those that it writes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

WRITTEN = (Path(__file__).parent / "old_files" / "gigq-0.5.1.sql").read_text()
TABLES = "\n".join(line for line in WRITTEN.splitlines() if not line.startswith("INSERT "))

THEN = "2026-03-01T12:00:00"
"""The instant of everything in the rows below, in the machine's local time."""


def tool(path: str) -> sqlite3.Connection:
    """Any SQLite tool."""
    return sqlite3.connect(path, isolation_level=None)


def write(path: str, script: str) -> None:
    with closing(tool(path)) as connection:
        connection.executescript(script)


def read(path: str, sql: str) -> list[tuple[Any, ...]]:
    with closing(tool(path)) as connection:
        return connection.execute(sql).fetchall()


def dump(path: str) -> list[str]:
    """The whole content of the file, as SQL."""
    with closing(tool(path)) as connection:
        return list(connection.iterdump())


def without_not_null(path: str) -> str:
    """A script after which all columns of the empty tables may be NULL, as if somebody had copied them."""
    tables = read(path, "SELECT sql FROM sqlite_master WHERE type = 'table'")
    return "DROP TABLE jobs; DROP TABLE job_executions;" + ";".join(sql.replace(" NOT NULL", "") for (sql,) in tables)


class OldFile:
    """A file of the older package, with jobs like those that it writes."""

    def __init__(self, path: str) -> None:
        self.path = path
        write(path, TABLES)

    def add(self, job_id: str | None, **columns: Any) -> str:
        """Add a pending job, or one with these columns, and return its id."""
        row = {
            "id": job_id, "name": job_id or "", "function_module": "functions", "function_name": "add",
            "params": '{"a": 1}', "priority": 0, "dependencies": "[]", "max_attempts": 3, "timeout": 300,
            "description": "", "status": "pending", "created_at": THEN, "updated_at": THEN, "attempts": 0,
            "retry_delay": 0,
        }  # fmt: skip
        self._insert("jobs", row | columns)
        return job_id or ""

    def add_child(self, job_id: str, parents: Sequence[str], **columns: Any) -> str:
        row = {"function_name": "collect", "params": "{}", "dependencies": json.dumps(parents)}
        return self.add(job_id, **row | columns)

    def add_execution(self, job_id: str, status: str, **columns: Any) -> None:
        (number,) = read(self.path, "SELECT count(*) FROM job_executions")[0]
        row = {"id": f"e{number}", "job_id": job_id, "worker_id": f"worker-{number}", "status": status}
        ended = {} if status == "running" else {"completed_at": THEN}
        self._insert("job_executions", row | {"started_at": THEN} | ended | columns)

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        marks = ", ".join("?" * len(row))
        with closing(tool(self.path)) as connection:
            connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
