"""The steps that earlier executions of a job have made, read ahead for the one that runs now.

Nobody else writes the steps of a running job, so what was read stays true.
"""

from __future__ import annotations

from gigq.steps import RememberedStep
from gigq.store.engine.database import Database
from gigq.store.engine.transaction import Transaction

_AT_ONCE = 500
"""Steps that one statement reads. A look for each took 0.1 ms, most of it for its transaction."""

_SMALL = 1000
"""Characters of a result that is read ahead; longer ones are read when they are asked for."""

_MOST = 5000
"""Steps that are kept in memory: they are dropped when they are asked for, so only those that never are pile up."""


_WASTED = 4
"""Steps that may be read ahead for each one that is asked for."""


class Recaller:
    """Finds the steps of one job for one of its executions. Safe to use from its threads.

    The execution asks for each once, or calls `look_again`.

    The first question reads all steps of a job that has few, so that the others need not look into the file.
    """

    def __init__(self, job: int) -> None:
        self._job = job
        self._ahead: dict[tuple[str, int], RememberedStep | None] = {}  # None: its result is long
        self._has_looked = self._is_complete = False
        self._asked = self._read = 0

    def recall(self, database: Database, name: str, occurrence: int) -> RememberedStep | None:
        """Return what is remembered of a step; None if it has not been made. At most one read transaction."""
        self._asked += 1
        if self._has_looked:
            is_complete = self._is_complete  # read first, because another thread may be adding what it finds
            found, is_known = self._pop(name, occurrence)
            if found is not None or (is_complete and not is_known):
                return found
        with database.read() as tx:
            if not self._has_looked:
                self._read_ahead(tx, after=0)
                self._has_looked = True
                found, is_known = self._pop(name, occurrence)
                if found is not None or (self._is_complete and not is_known):
                    return found
            return self._look(tx, name, occurrence)

    def look_again(self) -> None:
        """Look for every step in the file from now on, for those that this execution has made are asked for again."""
        self._ahead.clear()
        self._is_complete = False

    def _pop(self, name: str, occurrence: int) -> tuple[RememberedStep | None, bool]:
        """Return a step that was read ahead, if it was, and whether it is known that there is such a step."""
        is_known = (name, occurrence) in self._ahead
        return self._ahead.pop((name, occurrence), None), is_known

    def _look(self, tx: Transaction, name: str, occurrence: int) -> RememberedStep | None:
        row = tx.execute(
            """
            SELECT seq, depth, kind, fingerprint, arguments, result
              FROM job_steps
             WHERE job_seq = ? AND name = ? AND occurrence = ?
            """,
            (self._job, name, occurrence),
        ).fetchone()
        if row is None:
            return None
        # Or else a job that asks in reverse order would read for each step all those that it has asked for before.
        if not self._is_complete and len(self._ahead) < _MOST and self._read < _AT_ONCE + _WASTED * self._asked:
            self._read_ahead(tx, after=row[0])
        return RememberedStep._make(row[1:])

    def _read_ahead(self, tx: Transaction, *, after: int) -> None:
        """Read the steps that were completed after this one: most likely they are asked for in that order."""
        rows = tx.execute(
            """
            SELECT name, occurrence, depth, kind, fingerprint, arguments,
                   CASE WHEN length(result) <= :small THEN result END
              FROM job_steps
             WHERE job_seq = :job AND seq > :after
             ORDER BY seq
             LIMIT :limit
            """,
            {"job": self._job, "after": after, "small": _SMALL, "limit": _AT_ONCE},
        ).fetchall()
        self._read += len(rows)
        for name, occurrence, *rest in rows:
            self._ahead[name, occurrence] = None if rest[-1] is None else RememberedStep._make(rest)
        self._is_complete = after == 0 and len(rows) < _AT_ONCE
