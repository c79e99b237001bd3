"""A job on its way into the file: prepared by the queue, stored by the store."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from datetime import datetime
from typing import NamedTuple


class NewJob(NamedTuple):
    """A job in the form in which it is stored: the fields of `gigq.Job`, the function as a path, and values as JSON."""

    id: str
    name: str
    description: str
    function: str
    args: str
    params: str
    queue: str
    priority: int
    run_at: datetime | None
    delay: float | None
    expires_at: datetime | None
    timeout: float | None
    max_attempts: int
    retry_delay: float
    retry_backoff: float
    retry_max_delay: float
    retry_jitter: float
    retry_on: str
    no_retry_on: str
    pass_parent_results: bool | None
    on_parent_failure: str
    metadata: str
    unique_key: str | None
    dependencies: tuple[str, ...]
    tags: tuple[str, ...]
