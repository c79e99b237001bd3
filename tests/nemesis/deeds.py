"""The functions of the jobs in a battle. Each records its start and its end in the history."""

from __future__ import annotations

from typing import Any

from nemesis.history import note

from gigq import current_job
from gigq.clock import SystemClock

_STEP = 0.005


class Flaw(Exception):
    """The error of a job that is to be tried again."""


def work(*, seconds: float = 0.0, failures: int = 0, letters: int = 0) -> dict[str, Any]:
    """Take some seconds, fail at the first attempts, and return who did it, and some letters."""
    job = current_job()
    facts = {"job": job.id, "attempt": job.attempt}
    began_at = note("began", **facts)
    try:
        _pass(seconds, began_at)
        if job.attempt <= failures:
            raise Flaw(f"attempt {job.attempt} of {failures} that fail")
    except Flaw:
        note("raised", **facts)
        raise
    except BaseException as error:  # the worker stops this job
        note("stopped", by=type(error).__name__, **facts)
        raise
    note("returned", **facts)
    return {"attempt": job.attempt, "letters": "x" * letters}


def _pass(seconds: float, began_at: float) -> None:
    clock = SystemClock()
    while clock.monotonic() < began_at + seconds:
        clock.sleep(_STEP)
