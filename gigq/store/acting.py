"""Who is acting: what people do to a queue is written down in the transaction that does it.

`ACTING` says who acts in this thread or task, and nobody does in most programs: then a verb looks at it, and that is
all. The last 1,000 actions are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from gigq.store.engine.database import Database
from gigq.store.engine.transaction import Transaction

if TYPE_CHECKING:
    from gigq.job_ids import JobId
    from gigq.new_job import NewJob

ACTING: ContextVar[tuple[Database, str, str] | None] = ContextVar("gigq_acting", default=None)
"""The queue to which somebody does something, who that is, and by which face."""

KEPT = 1000
"""Actions that are kept."""

_MOST_IDS = 20
"""Ids of one action that are written down."""


@contextmanager
def acting(database: Database, actor: str, face: str) -> Iterator[None]:
    """Have what is done to this queue in this thread, while the block runs, written down as done by this person."""
    before = ACTING.set((database, actor, face))
    try:
        yield
    finally:
        ACTING.reset(before)


class Action:
    """One thing that a person does, in one transaction or in several. It has one row, which the first of them writes.

    Args:
        verb: the name of the method.
        of: to what it is done: filters of jobs, or an id or a name, as JSON can hold them. None is left out.
        how: its other arguments, as `given` returns them.
        bound: only jobs up to this seq.
    """

    def __init__(
        self,
        database: Database,
        verb: str,
        *,
        of: Mapping[str, Any],
        how: Mapping[str, Any] | None = None,
        bound: int | None = None,
    ) -> None:
        acting = ACTING.get()
        self._who = acting[1:] if acting is not None and acting[0] is database else None
        self._what = (verb, of, how or {}, bound)
        self._seq: int | None = None

    def note(self, tx: Transaction, done: int, *, changed: int = 0, skipped: int = 0) -> None:
        """Write down what has been done so far, this transaction included. What changed nothing leaves no row."""
        if self._who is None or not (done or self._seq):
            return
        numbers = {"now": tx.stamp, "done": int(done), "changed": changed, "skipped": skipped}
        if self._seq is None:
            self._seq = self._begin(tx, numbers)
        else:
            tx.execute(
                """
                UPDATE job_actions
                   SET ended_at = :now, done = :done, changed = :changed, skipped = :skipped
                 WHERE seq = :seq
                """,
                {**numbers, "seq": self._seq},
            )

    def _begin(self, tx: Transaction, numbers: Mapping[str, Any]) -> int:
        from gigq.codec import MEGABYTE, encode  # only here: few programs get so far

        assert self._who is not None
        actor, face = self._who
        verb, of, how, bound = self._what
        chosen = {name: value for name, value in of.items() if value is not None}
        texts = {
            "filter": encode(chosen, name="filters", limit=MEGABYTE),
            "options": encode(dict(how), name="options", limit=MEGABYTE),
        }
        added = tx.execute(
            """
            INSERT INTO job_actions (at, ended_at, actor, face, verb, filter, options, bound, done, changed, skipped)
            VALUES (:now, :now, :actor, :face, :verb, :filter, :options, :bound, :done, :changed, :skipped)
            """,
            {**numbers, **texts, "actor": actor, "face": face, "verb": verb, "bound": bound},
        )
        tx.execute("DELETE FROM job_actions WHERE seq <= ?", ((added.lastrowid or 0) - KEPT,))
        return added.lastrowid or 0


def note(
    tx: Transaction, database: Database, verb: str, done: int, /, how: Mapping[str, Any] | None = None, **of: Any
) -> None:
    """Write down what a person does in one transaction; see `Action`."""
    if ACTING.get() is not None:
        Action(database, verb, of=of, how=how).note(tx, done)


def note_submit(tx: Transaction, database: Database, jobs: Sequence[NewJob], ids: Sequence[JobId]) -> None:
    """Write down that a person submits jobs: the ids of the first, and the function and the name if it is one."""
    if ACTING.get() is not None:
        new = [job_id for job_id in ids if job_id.is_new]
        how = {"function": jobs[0].function, "name": jobs[0].name} if len(jobs) == 1 else {}
        note(tx, database, "submit", len(new), how, ids=[str(job_id) for job_id in new[:_MOST_IDS]])


def given(**options: Any) -> dict[str, Any]:
    """Return the options of a verb without those that are None, False or 0, as they are unless somebody gives them."""
    return {name: value for name, value in options.items() if value}
