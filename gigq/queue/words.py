"""The words of what a queue says of itself: instants, numbers, and workers in trouble."""

from __future__ import annotations

from datetime import datetime
from shlex import quote

from gigq.durations import span
from gigq.store.backlog import Number
from gigq.store.worker_health import WorkerHealth

_LONGEST = 300


def trouble(worker: WorkerHealth) -> str:
    """Return why a worker starts no job, as what follows its name."""
    if worker.is_gone:
        return "is dead: its process has ended"
    if not worker.is_alive:
        return f"is silent: it was last seen {span(worker.silence)} ago, at {instant(worker.seen_at)}"
    if worker.is_stopping or worker.trouble is None:
        return "is about to stop"
    return f"can start none: {first_line(worker.trouble)}"


def is_handler(function: str) -> bool:
    """Whether no worker could import it: it names no module."""
    return not {":", "."} & set(function)


def may_find(function: str, worker: WorkerHealth) -> bool:
    """Whether nothing says that a worker does not find a function."""
    return (not is_handler(function) or function in worker.handlers) and function not in worker.missing


def quoted(name: str) -> str:
    """Return a name in quotes, of one that is very long the beginning and the end."""
    text = repr(name)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST // 2]}…{text[-_LONGEST // 2:]}"


def typed(name: str) -> str:
    """Return the name of a queue as a shell takes it; of a very long one, a word in its place."""
    return quote(name) if len(name) <= _LONGEST else "QUEUE"


def counted(number: int, noun: str) -> str:
    """Return ``1 job``, ``2 jobs``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def and_more(number: int) -> str:
    """Return what follows names if there are so many more."""
    return f", and {number:,} more" if number > 0 else ""


def when(then: datetime, now: datetime) -> str:
    """Return an instant to come, and how long it takes to come."""
    return f"{instant(then)}, in {span((then - now).total_seconds())}"


def instant(then: datetime) -> str:
    """Return an instant as people write it."""
    return f"{then:%Y-%m-%d %H:%M:%S} UTC"


def first_line(text: str) -> str:
    """Return the first line of a text, at most 300 characters of it."""
    line = text.partition("\n")[0]
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def ever_since(then: datetime, now: datetime) -> str:
    """Return since when, and for how long."""
    return f"since {instant(then)}, for {span((now - then).total_seconds())}"


def jobs(number: Number, noun: str = "job") -> str:
    """Return how many jobs there are, or that there are more than so many."""
    return f"{'' if number.is_exact else 'more than '}{counted(number.number, noun)}"


def they(number: Number, verb: str) -> str:
    """Return the form of a verb that follows `jobs`."""
    return f"{verb}s" if number == (1, True) else verb


def waiting(number: Number, since: datetime, now: datetime, *, of: str = "") -> str:
    """Return how many ready jobs wait, and how long the one has waited that has waited longest."""
    waited = span((now - since).total_seconds())
    oldest = f"for {waited}" if number == (1, True) else f"the oldest for {waited}"
    return f"{jobs(number, 'ready job')}{of} {they(number, 'wait')}, {oldest}"
