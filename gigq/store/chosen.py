"""The jobs that somebody has chosen by filters, when it is the turn of each."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gigq.store.engine.lists import listed, portions
from gigq.store.engine.transaction import Transaction


class State(NamedTuple):
    """Where a job is, since when, and whether it depends on others."""

    status: str
    updated_at: str
    is_child: bool


def ids(tx: Transaction, jobs: Sequence[int]) -> Iterator[tuple[int, str | None]]:
    """Yield these jobs in their order, each with its id; None for one that was deleted."""
    for portion in portions(jobs):
        seqs, values = listed(portion)
        found = dict(tx.execute(f"SELECT seq, id FROM jobs WHERE seq IN {seqs}", values).fetchall())
        yield from ((seq, found.get(seq)) for seq in portion)


def state(tx: Transaction, seq: int) -> State | None:
    """Return where a job is; None if it was deleted."""
    row = tx.execute(
        """
        SELECT status, updated_at, EXISTS (SELECT 1 FROM job_dependencies WHERE child = jobs.seq)
          FROM jobs
         WHERE seq = ?
        """,
        (seq,),
    ).fetchone()
    return State(*row) if row else None
