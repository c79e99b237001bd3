"""What a worker is asked to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """What a worker was asked to be. Durations are seconds.

    Raises:
        ValueError: it cannot be that.
    """

    worker_id: str
    mode: str
    concurrency: int
    queues: Sequence[str] | None
    lease: float
    polling_interval: float
    shutdown_timeout: float
    handlers: Sequence[str] = ()
    burst: bool = False
    prune_after: float | None = None

    def __post_init__(self) -> None:
        slots, lease = self.concurrency, self.lease
        if isinstance(slots, bool) or not isinstance(slots, int) or slots < 1:
            raise ValueError(f"concurrency is {slots!r}; it must be a whole number of at least 1")
        if not 1 <= lease <= 86_400:
            raise ValueError(f"lease is {lease!r}; it must be from 1 second, or busy workers seem dead, to a day")
