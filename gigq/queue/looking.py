"""Finding jobs in a file of any size: pages, counts, and the id that an incomplete one means."""

from __future__ import annotations

import re
from typing import Literal, get_args

from gigq import checks
from gigq.errors import AmbiguousId, JobNotFound
from gigq.filters import Filters
from gigq.pages import Count, Page
from gigq.records import JobRecord
from gigq.store import paging
from gigq.store.engine.budget import Budget
from gigq.store.engine.database import Database
from gigq.store.sources import are_ended
from gigq.store.ways import Place

Order = Literal["submitted", "ended"]

_MOST_CANDIDATES = 10
_CURSOR = r"([0-9]{1,18})(?:@([0-9T:.-]+Z))?"  # compiled when it is first used


def find(
    database: Database,
    filters: Filters,
    budget: Budget,
    *,
    limit: int | None,
    offset: int = 0,
    order: Order | None = None,
    after: str | None = None,
) -> Page[JobRecord]:
    """Return a page of the jobs that pass the filters. One read transaction. Raises as `JobQueue.find_jobs`."""
    most, skipped = checks.optional(limit, "limit", checks.count), checks.count(offset, "offset")
    chosen = checks.optional(order, "order", _order) or ("ended" if are_ended(filters) else "submitted")
    checks.not_both(after=after, offset=skipped or None)
    place = None if after is None else _place(after, order=chosen)
    with database.read() as tx:
        return paging.find(
            tx, filters, budget, by_end=chosen == "ended", after=place, offset=skipped, limit=most
        )


def whole(page: Page[JobRecord], budget: Budget) -> Page[JobRecord]:
    """Return a page that the time was enough for.

    Raises:
        ReadTooLong: it was not.
    """
    if page.is_cut:
        raise budget.exceeded()
    return page


def count(database: Database, filters: Filters, budget: Budget, *, at_most: int | None) -> Count:
    """Return how many jobs pass the filters. One read transaction."""
    most = checks.optional(at_most, "at_most", checks.count)
    with database.read() as tx:
        return paging.count(tx, filters, budget, at_most=most)


def full_id(database: Database, handle: str, budget: Budget) -> str:
    """Return the id that an incomplete one means. One read transaction. Raises as `JobQueue.full_id`."""
    from gigq.store import handles  # only here: a list needs none

    with budget.read(database) as tx:
        ids = handles.ids_like(tx, handle, most=_MOST_CANDIDATES + 1)
        if not ids and handle.lower() != handle:  # a UUID, as others write it
            ids = handles.ids_like(tx, handle.lower(), most=_MOST_CANDIDATES + 1)
        if not ids:
            raise JobNotFound(handle)
        if len(ids) == 1:
            return ids[0]
        candidates = handles.candidates(tx, ids)[:_MOST_CANDIDATES]
    raise AmbiguousId(handle, candidates, are_all=len(ids) <= _MOST_CANDIDATES)


def _order(value: object, name: str) -> Order:
    return checks.one_of(value, name, choices=get_args(Order))


def _place(cursor: object, *, order: Order) -> Place:
    found = re.fullmatch(_CURSOR, checks.text(cursor, "after"))
    if found is None:
        raise ValueError(f"after is {checks.shown(cursor)}; it must be the cursor of a page")
    seq, ended_at = found.groups()
    if (ended_at is None) != (order == "submitted"):
        other = "submitted" if ended_at is None else "ended"
        raise ValueError(f"after is {checks.shown(cursor)}, the cursor of a page in the order {other!r}, not {order!r}")
    return Place(int(seq), ended_at)
