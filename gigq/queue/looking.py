"""Finding jobs in a file of any size: pages, counts, and the id that an incomplete one means."""

from __future__ import annotations

from typing import Literal, get_args

from gigq import checks
from gigq.errors import AmbiguousId, JobNotFound
from gigq.filters import Filters
from gigq.pages import Count, Page
from gigq.records import Candidate, JobRecord
from gigq.store import reading
from gigq.store.engine.budget import Budget
from gigq.store.engine.database import Database

Order = Literal["submitted", "ended"]


def find(
    database: Database,
    filters: Filters,
    budget: Budget,
    *,
    limit: int | None,
    offset: int,
    order: Order | None,
    after: str | None = None,
) -> Page[JobRecord]:
    """Return a page of the jobs that pass the filters. One read transaction."""
    checks.optional(limit, "limit", checks.count)
    checks.count(offset, "offset")
    chosen = checks.optional(order, "order", _order) or "submitted"
    skipped = offset + (0 if after is None else _place(after, "after"))
    with database.read() as tx:
        records = list(
            reading.jobs(tx, filters, limit=None if limit is None else limit + 1, offset=skipped, order=chosen)
        )
    has_more = limit is not None and len(records) > limit
    return Page(records[:limit], cursor=str(skipped + len(records) - 1) if has_more else None)


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
        found = reading.count(tx, filters)
    return Count(found) if most is None or found <= most else Count(most, is_exact=False)


def full_id(database: Database, handle: str, budget: Budget) -> str:
    """Return the id that a part of it means. Raises as `JobQueue.full_id`."""
    with database.read() as tx:
        found = reading.ids_like(tx, handle, limit=2)
        if len(found) > 1 and handle not in found:
            records = [record for each in found if (record := reading.job(tx, each))]
            raise AmbiguousId(handle, [Candidate(each.id, each.name, each.status) for each in records])
    if not found:
        raise JobNotFound(handle)
    return handle if handle in found else found[0]


def _order(value: object, name: str) -> Order:
    return checks.one_of(value, name, choices=get_args(Order))


def _place(value: object, name: str) -> int:
    text = checks.text(value, name)
    if not text.isdecimal():
        raise ValueError(f"{name} is {checks.shown(value)}; it must be the cursor of a page")
    return int(text)
