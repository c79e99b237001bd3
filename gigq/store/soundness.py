"""A quick look at whether a file is sound, however large it is. `checking` reads all of it."""

from __future__ import annotations

from collections.abc import Iterator

from gigq.store.checking import kind_of, missing_parts
from gigq.store.engine import files
from gigq.store.engine.transaction import Transaction
from gigq.store.tables import OPEN

LEAST_ROOM = 32 << 20
"""Bytes that should be left on the disk: the log alone may take several times the 4 MB at which it is started over."""


def problems(tx: Transaction, path: str) -> Iterator[str]:
    """Yield what is wrong with the file, as far as its ends and its open executions show it."""
    for part in missing_parts(tx):
        yield f"The {kind_of(part)} {part} is missing in the file; `gigq doctor --repair` makes it anew."
    yield from _of_open_executions(tx)
    _read_the_ends(tx)
    if path != files.MEMORY:
        room = files.room(path)
        if room is not None and room < LEAST_ROOM:
            yield f"The disk of {path!r} is nearly full: {room / 1e6:.1f} MB are left."


def _of_open_executions(tx: Transaction) -> Iterator[str]:
    number = tx.value(
        f"""
        SELECT count(*)
          FROM executions INDEXED BY executions_open
         WHERE {OPEN}
           AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.seq = executions.job_seq AND jobs.status = 'running')
        """
    )
    if number:
        yield f"{number:,} open execution{' has' if number == 1 else 's have'} no running job; see `gigq doctor`."


def _read_the_ends(tx: Transaction) -> None:
    """Read the last rows of the tables that grow, where a file that was cut off fails."""
    for sql in (
        "SELECT * FROM jobs ORDER BY seq DESC LIMIT 1",
        "SELECT * FROM executions ORDER BY id DESC LIMIT 1",
        "SELECT id FROM jobs ORDER BY id DESC LIMIT 1",
    ):
        tx.execute(sql).fetchall()
