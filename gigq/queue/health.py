"""Whether a queue is well: what a monitor asks every minute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gigq.clock import Clock
from gigq.durations import span
from gigq.errors import ReadTooLong, StoreError
from gigq.health_records import Health
from gigq.queue import reasons
from gigq.queue.held_back import able, total
from gigq.queue.words import counted, quoted
from gigq.store import soundness
from gigq.store.backlog import Backlog, ReadyJobs
from gigq.store.engine.budget import Budget
from gigq.store.engine.database import Database


def health(database: Database, clock: Clock, *, oldest_ready: float | None, budget: Budget) -> Health:
    """Return whether a queue is well. One read transaction, which takes a moment however many jobs there are.

    A file that cannot be read is not well.

    Args:
        oldest_ready: seconds that a ready job may wait; None for any time.

    Raises:
        ReadTooLong: the time was over.
        StoreError: the queue is closed.
    """
    database.must_be_open()
    try:
        with budget.read(database) as tx:
            found = reasons.look(tx)
            problems = [*soundness.problems(tx, database.path), *_troubles(found, oldest_ready)]
    except ReadTooLong:
        raise
    except StoreError as error:
        return Health(False, (str(error),), clock.now(), 0, 0, 0, 0, None)
    crew, ready = able(found.workers), _not_paused(found)
    return Health(
        is_ok=not problems,
        sentences=tuple(problems) or tuple(reasons.sentences(found)),
        at=found.now,
        workers=len(crew),
        slots=sum(each.concurrency for each in crew),
        busy=sum(each.running for each in crew),
        ready=total(found, found.queues).number,
        oldest_ready_age=max((_age(found, each) for each in ready), default=None),
    )


def _troubles(found: Backlog, oldest_ready: float | None) -> Iterator[str]:
    yield from (reason.text for reason in reasons.reasons(found) if reason.is_trouble)
    old = [each for each in _not_paused(found) if oldest_ready is not None and _age(found, each) > oldest_ready]
    if old and oldest_ready is not None:
        oldest = max(old, key=lambda each: _age(found, each))
        others = f"; so has one of {counted(len(old) - 1, 'more queue')}" if len(old) > 1 else ""
        waited, limit = span(_age(found, oldest)), span(oldest_ready)
        yield f"A ready job of queue {quoted(oldest.queue)} has waited {waited}, longer than {limit}{others}."


def _not_paused(found: Backlog) -> Sequence[ReadyJobs]:
    return [] if found.are_all_paused else [each for each in found.queues if not each.facts.is_paused]


def _age(found: Backlog, ready: ReadyJobs) -> float:
    return max(0.0, (found.now - ready.since).total_seconds())
