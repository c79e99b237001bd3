"""Everything that a file holds, and what is wrong with it, read through a connection that the saboteur leaves alone."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from gigq import SystemClock
from gigq.store.checking import check
from gigq.store.engine.database import Transaction
from gigq.store.tables import TABLES

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
DAMAGE = "damage"
_CREATED = {"sqlite_sequence", *TABLES}


class Observer:
    """One connection to one file, for as many looks as the test takes. Close it before the process forks."""

    def __init__(self, path: str) -> None:
        # Not `sqlite3.connect`, which the saboteur replaces.
        self._connection = sqlite3.Connection(path, timeout=0, isolation_level=None)
        self._known: tuple[int, str] | None = None  # what was found, and the version of the data in which it was

    def content(self, *, may_be_damaged: bool = False) -> str:
        """Return everything in the file as text, which is equal for two files that hold the same.

        Random ids are replaced by numbers in the order in which they appear; the pids of workers are left out. Nobody
        may have the write lock of the file. It must be sound, or its damage is part of the text.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            # Most trials fail, and then nobody has committed anything since the last look.
            if self._known is None or self._known[0] != version:
                self._known = version, self._found(may_be_damaged=may_be_damaged)
        finally:
            self._connection.execute("ROLLBACK")
        return self._known[1]

    def version(self) -> int | None:
        """Return the version of the file's tables, which is recorded last; None if the file is no queue."""
        if "job_schema" not in self._tables():
            return None
        found: int | None = self._connection.execute("SELECT max(version) FROM job_schema").fetchone()[0]
        return found

    def close(self) -> None:
        self._connection.close()

    def _found(self, *, may_be_damaged: bool) -> str:
        problems = check(Transaction(self._connection, SystemClock().now()))
        assert may_be_damaged or problems == []
        return "\n".join(_without_ids([*(f"{DAMAGE}: {problem}" for problem in problems), *self._lines()]))

    def _lines(self) -> Iterator[str]:
        for table in sorted(_CREATED.intersection(self._tables())):
            rows = self._connection.execute(f"SELECT * FROM {table}")  # tables are in the order of their keys
            names = [column[0] for column in rows.description]
            pid = names.index("pid") if "pid" in names else len(names)
            del names[pid : pid + 1]
            yield from (f"{table}: {dict(zip(names, row[:pid] + row[pid + 1 :], strict=True))}" for row in rows)

    def _tables(self) -> set[str]:
        return {name for (name,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _without_ids(lines: list[str]) -> Iterator[str]:
    known: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return known.setdefault(found[0], f"id {len(known)}")

    for line in lines:
        # What is this long holds no random id, and to search it takes longer than all the rest.
        yield line if len(line) > 10_000 else _UUID.sub(number, line)


def version(path: str) -> int | None:
    """Return the version of a file's tables; None if there is no file, or it is no queue."""
    if not Path(path).exists():
        return None
    with closing(Observer(path)) as observer:
        return observer.version()
