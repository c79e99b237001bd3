"""The options of an executor, checked."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import os
from collections.abc import Mapping
from typing import Any, TypedDict

from gigq import checks
from gigq.checks import Texts
from gigq.clock import Clock, Duration
from gigq.job import Exceptions, Job
from gigq.priority import PriorityLevel
from gigq.store.queues import MARK

_MOST_THREADS = 32

_OWN_RULE = ("max_attempts", "retry_on", "no_retry_on")
"""Options by which a program says itself when a call is tried again."""


class ExecutorOptions(TypedDict, total=False):
    """The options of `Job` that the calls of an executor may have in common."""

    priority: PriorityLevel
    max_attempts: int
    timeout: Duration | None
    description: str | None
    retry_delay: Duration
    retry_backoff: float
    retry_max_delay: Duration | None
    retry_jitter: float
    retry_on: Exceptions
    no_retry_on: Exceptions
    tags: Texts
    metadata: Mapping[str, Any] | None


def job_options(given: Mapping[str, Any], *, queue: str) -> dict[str, Any]:
    """Return the options of all jobs of a run.

    Raises:
        TypeError: an option that calls cannot have in common.
        InvalidJob: a value that cannot be stored.
    """
    checks.known(given, among=ExecutorOptions.__annotations__, what="option")
    rule = {} if any(name in given for name in _OWN_RULE) else {"no_retry_on": [BaseException]}
    options = {"timeout": None, **rule, **given, "queue": queue}
    Job("call", "package.module:function", **options)
    return options


def checked_name(name: object) -> str | None:
    """Return the name of an executor; None for one that remembers nothing."""
    if name is None:
        return None
    text = checks.text(name, "name")
    if MARK in text:
        raise ValueError(f"name is {text!r:.80}; it must not contain {MARK!r}")
    return text


def new_queue_name(name: str | None, clock: Clock) -> str:
    """Return the name of the queue of a new run: for people, when it began."""
    return f"{name or ''}{MARK}{clock.now():%Y-%m-%dT%H:%M:%SZ}-{os.urandom(3).hex()}"


def slots(max_workers: int | None, mode: str) -> int:
    """Return how many calls may run at a time: as many as a pool of Python would have, if nothing is said."""
    if max_workers is not None:
        return checks.whole(max_workers, "max_workers", least=1)
    processors = os.cpu_count() or 1
    return min(_MOST_THREADS, processors + 4) if mode == "thread" else processors
