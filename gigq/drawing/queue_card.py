"""A queue as a card for a notebook."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from gigq.drawing import cards
from gigq.durations import span
from gigq.markup import Content, Markup
from gigq.queue_records import QueueRecord
from gigq.status import Phase

_MOST_ROWS = 12
_QUEUE = ("queue", "ready", "scheduled", "running", "oldest ready", "")
_WORKER = ("worker", "slots busy", "last seen", "")
_NOT_COUNTED = "There are very many jobs; those that wait for others are not counted."


class WorkerRow(NamedTuple):
    """A worker, as the card shows it.

    Attributes:
        state: what is the matter with it; empty for nothing.
        silence: seconds since its last heartbeat.
    """

    id: str
    state: str
    running: int
    concurrency: int
    silence: float


class Overview(NamedTuple):
    """What the card of a queue shows.

    Attributes:
        phases: how many jobs there are in each; at most `most` where that is given.
        most: up to what number phases were counted; None if they were counted to the end.
        problems: what is wrong, as sentences.
        calm: what to say if nothing is.
    """

    path: str
    at: datetime
    phases: Mapping[Phase, int]
    most: int | None
    queues: Sequence[QueueRecord]
    workers: Sequence[WorkerRow]
    problems: Sequence[str]
    calm: str


def queue_card(found: Overview) -> Markup:
    """Return how many jobs there are, in which queues, which workers there are, and what is wrong."""
    counted = [(phase, _counted(number, phase, found.most)) for phase, number in found.phases.items() if number]
    return cards.card(
        found.path,
        cards.line(f"as of {found.at:%Y-%m-%d %H:%M:%S} UTC"),
        *(map(cards.warning, found.problems) if found.problems else [cards.line(found.calm)]),
        cards.phases(counted) if counted else cards.line("no jobs"),
        cards.line(_NOT_COUNTED) if found.most is not None else None,
        *_table(_QUEUE, [_queue(each, found.at) for each in found.queues]),
        *_table(_WORKER, [_worker(each) for each in found.workers]),
    )


def _counted(number: int, phase: Phase, most: int | None) -> str:
    return f"{number:,} {phase}" if most is None or number < most else f"over {most - 1:,} {phase}"


def _table(titles: Sequence[str], rows: Sequence[Sequence[Content]]) -> Sequence[Content]:
    if not rows:
        return []
    more = len(rows) - _MOST_ROWS
    return [cards.table(titles, rows[:_MOST_ROWS]), cards.line(f"and {more:,} more") if more > 0 else None]


def _queue(queue: QueueRecord, at: datetime) -> Sequence[Content]:
    oldest = queue.oldest_ready_at
    states = [
        "paused" if queue.is_paused else "",
        f"at most {queue.max_running:,} at a time" if queue.max_running is not None else "",
        f"at most {queue.rate_limit:,} every {span(queue.rate_period or 0)}" if queue.rate_limit is not None else "",
    ]
    age = "" if oldest is None else f"{span((at - oldest).total_seconds())} old"
    return queue.name, queue.ready, queue.scheduled, queue.running, age, ", ".join(filter(None, states))


def _worker(worker: WorkerRow) -> Sequence[Content]:
    slots = f"{worker.running} of {worker.concurrency}"
    return worker.id, slots, f"{span(worker.silence)} ago", worker.state
