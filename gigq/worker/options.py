"""The options of a worker, checked."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Self

from gigq import checks
from gigq.checks import Default
from gigq.clock import to_seconds
from gigq.codec import RESULT_LIMIT
from gigq.worker.employment import Employment
from gigq.worker.tally import Tally

Mode = Literal["thread", "process"]
"""Where a worker runs jobs: in threads of its process, or in child processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """What a worker was asked to be, as `Worker` describes it. Durations are seconds.

    Attributes:
        mode: also ``inline``, one job at a time in the thread of the caller.
        handlers: the names of functions.
        employment: of a worker that works for one program alone; None for one that works for a queue.
        tally: counts what the worker does; None if nobody looks at that.
    """

    worker_id: str
    mode: Mode | Literal["inline"] = "thread"
    concurrency: int = 1
    queues: Sequence[str] | None = None
    handlers: Sequence[str] = ()
    lease: float = 15.0
    polling_interval: float = 5.0
    shutdown_timeout: float = 30.0
    burst: bool = False
    max_jobs: int | None = None
    prune_after: float | None = None
    result_limit: int = RESULT_LIMIT
    default: Default | None = None
    capture_logs: bool = False
    employment: Employment | None = None
    tally: Tally | None = None

    @classmethod
    def of(cls, **given: Any) -> Self:
        """Check what a caller gave.

        Raises:
            ValueError: a worker cannot be that.
        """
        options = cls(**{name: _CHECKS[name](value, name) for name, value in given.items()})
        if options.max_jobs is not None and options.mode != "process":
            raise ValueError(f'max_jobs is {options.max_jobs}, and mode "{options.mode}"; it goes with mode="process"')
        return options


def new_name() -> str:
    """Return a name for a worker that was given none: the host, the process ID and four random digits."""
    return f"{socket.gethostname()}-{os.getpid()}-{os.urandom(2).hex()}"


_CHECKS: Mapping[str, Callable[[Any, str], Any]] = {
    "worker_id": checks.text,
    "mode": partial(checks.one_of, choices=("thread", "process")),
    "concurrency": checks.slots,
    "queues": partial(checks.optional, check=checks.some_texts),
    "handlers": checks.texts,
    # Workers that are busy may be silent for almost a second.
    "lease": lambda value, name: checks.between(to_seconds(value, name), name, least=1, most=86_400),
    "polling_interval": to_seconds,
    "shutdown_timeout": to_seconds,
    "burst": lambda value, name: bool(value),
    "max_jobs": partial(checks.optional, check=partial(checks.whole, least=1, or_else=", or None for no limit")),
    "prune_after": partial(checks.optional, check=to_seconds),
    "result_limit": partial(checks.whole, least=1),
    "default": partial(checks.optional, check=checks.function),
    "capture_logs": lambda value, name: bool(value),
    "employment": lambda value, name: value,
    "tally": lambda value, name: value,
}
"""What checks the value of each option, and brings it into the form that the worker keeps."""
