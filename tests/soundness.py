"""What is wrong with the queues that a test leaves behind."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from gigq import SystemClock
from gigq.clock import to_text
from gigq.store.checking import check
from gigq.store.engine.transaction import Transaction


def problems_in(folder: Path) -> list[str]:
    """Return a sentence for each thing that is wrong with any queue in a folder. Writes into none of them."""
    return [f"{path.name}: {problem}" for path in _files_in(folder) for problem in _problems_of(path)]


def _files_in(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if not path.name.endswith(("-wal", "-shm", "-journal")) and not path.is_symlink() and path.is_file()
    ]


def _problems_of(path: Path) -> list[str]:
    """What is wrong with a file, if it is a queue, or is called like a database and is none."""
    # One connection, which cannot write, instead of a `JobQueue`: opening that costs more than the check of a small
    # file. And not `open`, to see what it is: closing a descriptor drops the locks of queues that are still open.
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = lambda text: text.decode(errors="backslashreplace")  # as gigq reads it
        try:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'job_schema'").fetchall():
                return []
            return check(Transaction(connection, to_text(SystemClock().now())))
        except sqlite3.DatabaseError as error:
            is_other = error.sqlite_errorcode == sqlite3.SQLITE_NOTADB and path.suffix != ".db"
            return [] if is_other else [f"SQLite: {error}"]
