"""The health of a queue, and what its file is, as people and monitors read them."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from datetime import datetime
from typing import Any, NamedTuple

from gigq.plain import as_plain


class Health(NamedTuple):
    """Whether a queue is well, as its file showed when it was read.

    Attributes:
        is_ok: whether nothing is wrong. A pause, a limit and busy slots are not wrong.
        sentences: what is wrong; if nothing is, what `JobQueue.why` says.
        at: when it was read, in UTC.
        workers: how many live workers can start jobs.
        slots: how many jobs these run at a time.
        busy: how many jobs they hold, prefetched ones included.
        ready: how many jobs could start now, but for pauses, limits and busy slots; of very many, the least number.
        oldest_ready_age: how long a ready job has waited in a queue that is not paused, in seconds: the one that has
            waited longest. None if there is none.

    Example:
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     before = queue.health()
        ...     job_id = queue.enqueue("send_mail")
        ...     before.is_ok, queue.health().is_ok, queue.health().ready
        (True, False, 1)
    """

    is_ok: bool
    sentences: tuple[str, ...]
    at: datetime
    workers: int
    slots: int
    busy: int
    ready: int
    oldest_ready_age: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: instants as ISO-8601 text in UTC."""
        return as_plain(self)


class QueueInfo(NamedTuple):
    """What the file of a queue is, when it was read. Sizes are in bytes, instants in UTC.

    Attributes:
        path: the path of the file, or ``":memory:"``.
        size: the size of the file.
        log_size: the size of its write-ahead log; 0 if there is none.
        page_size: the size of a page.
        pages: how many pages the database has, those in the log included.
        free_pages: how many of these are unused. `JobQueue.prune` gives them back to the disk.
        disk_free: how much room is left on its disk for this process; None if that cannot be told.
        written_at: when the file or its log was last written; None for ``":memory:"``.
        journal_mode: SQLite's; ``wal`` but for files in memory.
        schema_version: the version of the tables.
        sqlite_version: the version of the SQLite library in this process.
        gigq_version: the version of gigq in this process.
        oldest_job_at: when the oldest job was submitted that is still in the file; None without jobs.
        newest_job_at: when the newest job was submitted; None without jobs.
        statuses: the number of jobs by status, zeros included.
        claims: how many executions were ever opened, those of deleted jobs included.
        workers: how many workers are entered, dead ones included.
        schedules: how many schedules there are.
        workflows: how many workflows there are.

    Example:
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     job_id = queue.enqueue("send_mail")
        ...     info = queue.info()
        ...     info.path, info.jobs, info.statuses["pending"], info.schema_version
        (':memory:', 1, 1, 2)
    """

    path: str
    size: int
    log_size: int
    page_size: int
    pages: int
    free_pages: int
    disk_free: int | None
    written_at: datetime | None
    journal_mode: str
    schema_version: int
    sqlite_version: str
    gigq_version: str
    oldest_job_at: datetime | None
    newest_job_at: datetime | None
    statuses: dict[str, int]
    claims: int
    workers: int
    schedules: int
    workflows: int

    @property
    def jobs(self) -> int:
        """How many jobs there are."""
        return sum(self.statuses.values())

    def as_dict(self) -> dict[str, Any]:
        """Return the attributes and `jobs` as plain values that JSON can hold; instants as ISO-8601 text in UTC."""
        return as_plain(self) | {"jobs": self.jobs}


class Finding(NamedTuple):
    """Something about a queue or its file that should worry somebody.

    Attributes:
        area: what it is about: ``content``, ``file``, ``mount``, ``disk``, ``log``, ``sqlite``, ``workers``,
            ``functions`` or ``clock``.
        what: what was found.
        why: why it matters.
        remedy: what to do: mostly a command.
        is_problem: whether something is wrong; False for advice.

    Example:
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     with queue.database.write() as tx:
        ...         changed = tx.execute("DROP INDEX jobs_ready")
        ...     for finding in queue.examine():
        ...         print(f"{finding.what}: {finding.remedy}")
        the index jobs_ready is missing: gigq doctor --repair
    """

    area: str
    what: str
    why: str
    remedy: str
    is_problem: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return the attributes as plain values."""
        return as_plain(self)
