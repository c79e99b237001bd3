"""How many executions ended in each second of a span, and how."""

from __future__ import annotations

from collections import Counter

from gigq.errors import ReadTooLong
from gigq.store.engine.budget import Budget
from gigq.store.engine.lists import listed, portions
from gigq.store.engine.transaction import Transaction
from gigq.store.spans import ENDED, Span, Walk, long_ones

Ends = Counter[tuple[str, str]]
"""How many executions ended, by the second, as ``YYYY-MM-DDTHH:MM:SS``, and the status."""


def ends(tx: Transaction, span: Span, budget: Budget) -> tuple[Ends, Walk]:
    """Return how many executions ended in each second of a span, and how far the look went."""
    found = Ends()

    def look(first: int, last: int) -> int:
        rows = tx.execute(
            f"""
            SELECT substr(executions.completed_at, 1, 19) AS second, executions.status, count(*)
              FROM executions
             WHERE executions.id BETWEEN :first AND :last
               AND {ENDED}
             GROUP BY 1, 2
            """,
            {**span._asdict(), "first": first, "last": last},
        ).fetchall()
        found.update({(second, status): number for second, status, number in rows})
        return sum(number for _, _, number in rows)

    walk = Walk(tx, span, budget)
    walk.go(look)
    if not walk.is_cut:
        try:
            with budget.stopping(tx):
                found.update(_ends_of(tx, span, long_ones(tx, span, before=walk.first)))
        except ReadTooLong:
            walk.is_cut = True
    return found, walk


def _ends_of(tx: Transaction, span: Span, executions: list[int]) -> Ends:
    found = Ends()
    for portion in portions(executions):
        ids, values = listed(portion)
        rows = tx.execute(
            f"""
            SELECT substr(completed_at, 1, 19), status
              FROM executions
             WHERE id IN {ids} AND completed_at >= ? AND completed_at < ?
            """,
            (*values, *span),
        )
        found.update(rows.fetchall())
    return found
