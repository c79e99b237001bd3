"""The functions of the jobs in a battle. Each records its start and its end in the history."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nemesis.history import note

from gigq import Job, current_job
from gigq.clock import SystemClock

_STEP = 0.005

LEDGER = "CREATE TABLE ledger (job TEXT NOT NULL, entry TEXT NOT NULL, amount INTEGER NOT NULL)"
"""What the transfers of a battle write, in the queue's file."""


class Flaw(Exception):
    """The error of a job that is to be tried again."""


def work(*, seconds: float = 0.0, failures: int = 0, letters: int = 0) -> dict[str, Any]:
    """Take some seconds, fail at the first attempts, and return who did it, and some letters."""
    job = current_job()
    with _recorded() as began_at:
        _pass(seconds, began_at)
        if job.attempt <= failures:
            raise Flaw(f"attempt {job.attempt} of {failures} that fail")
    return {"attempt": job.attempt, "letters": "x" * letters}


def transfer(*, seconds: float = 0.0) -> dict[str, Any]:
    """Move money in the ledger, which must stay balanced, and have it audited by another job."""
    job = current_job()
    with _recorded() as began_at:
        amount = job.step("amount", _amount)
        note("remembered", job=job.id, step="amount")
        job.transact("debit", _enter, "debit", -amount)
        _pass(seconds, began_at)
        job.submit(Job("audit", work, max_attempts=1000))
        job.transact("credit", _enter, "credit", amount)
        with job.transaction() as db:
            _enter(db, "end", 0)
    return {"attempt": job.attempt}


def _amount() -> int:
    note("stepping", job=current_job().id, step="amount")
    return random.randint(1, 100)


def _enter(db: Any, entry: str, amount: int) -> None:
    db.execute("INSERT INTO ledger (job, entry, amount) VALUES (?, ?, ?)", (current_job().id, entry, amount))


@contextmanager
def _recorded() -> Iterator[float]:
    """Record in the history that a call of a function begins, and how it ends."""
    job = current_job()
    facts = {"job": job.id, "attempt": job.attempt}
    began_at = note("began", **facts)
    try:
        yield began_at
    except Flaw:
        note("raised", **facts)
        raise
    except BaseException as error:  # the worker stops this job, or has lost it, or the file cannot be written
        note("stopped", by=type(error).__name__, **facts)
        raise
    note("returned", **facts)


def _pass(seconds: float, began_at: float) -> None:
    clock = SystemClock()
    while clock.monotonic() < began_at + seconds:
        clock.sleep(_STEP)
