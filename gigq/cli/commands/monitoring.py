"""The commands for monitors, and for who wants to know what the file is: `gigq health`, `gigq info`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import argument, command
from gigq.cli.exits import DONE, REFUSED
from gigq.cli.fields import HEALTH, INFO
from gigq.cli.styled import GREEN, RED, Line, Styled
from gigq.cli.table import labelled
from gigq.clock import to_text

if TYPE_CHECKING:
    from gigq.health_records import QueueInfo
    from gigq.queue.job_queue import JobQueue

_UNITS = ("B", "kB", "MB", "GB", "TB")


@command(
    argument("--older-than", metavar="DURATION", type=values.limit,
        help="how long a ready job may wait in a queue that is not paused, or none for any time; default: 10m"),
    fields=HEALTH,
    examples=(
        ("gigq health", "one line, and exit code 1 if something is wrong"),
        ("HEALTHCHECK CMD gigq --db /data/jobs.db health", "in a Dockerfile"),
    ),
)  # fmt: skip
def health(queue: JobQueue, args: Args) -> Answer:
    """Say in one line whether the queue is well, for Docker, Nagios and cron.

    Exit code 1 if something is wrong: jobs that no live worker takes, a ready job that has waited for too long, a
    worker that can start no job, a file that cannot be read or contradicts itself, a disk that is nearly full.
    Pauses, limits and busy slots are not wrong.
    """
    given = args.given("older_than")
    found = queue.health(oldest_ready=given["older_than"]) if given else queue.health()
    word = Styled("OK", GREEN) if found.is_ok else Styled("NOT OK", RED)
    return Answer(found, [word + f": {' '.join(found.sentences)}"], code=DONE if found.is_ok else REFUSED)


@command(fields=INFO)
def info(queue: JobQueue, args: Args) -> Answer:
    """Show what the file is: its path, sizes, versions, and how much it holds."""
    found = queue.info()
    return Answer(found, labelled((label, [text]) for label, text in _fields(found, queue.clock.now()) if text))


def _fields(found: QueueInfo, now: datetime) -> Iterator[tuple[str, Line]]:
    free = f", {found.free_pages:,} of them free" if found.free_pages else ""
    jobs = ", ".join(f"{number:,} {status}" for status, number in found.statuses.items() if number)
    yield "File", found.path
    yield "Size", _bytes(found.size)
    yield "Log", f"{_bytes(found.log_size)} ({found.journal_mode})"
    yield "Pages", f"{found.pages:,} of {_bytes(found.page_size)}{free}"
    yield "Left on disk", "" if found.disk_free is None else _bytes(found.disk_free)
    yield "Written", _ago(found.written_at, now)
    yield "Jobs", f"{found.jobs:,}{f': {jobs}' if jobs else ''}"
    yield "Oldest job", _ago(found.oldest_job_at, now)
    yield "Newest job", _ago(found.newest_job_at, now)
    yield "Executions", f"{found.claims:,} since the file was made"
    yield "Workers", f"{found.workers:,}"
    yield "Schedules", f"{found.schedules:,}"
    yield "Workflows", f"{found.workflows:,}"
    yield "Versions", f"gigq {found.gigq_version}, SQLite {found.sqlite_version}, tables {found.schema_version}"


def _bytes(number: float) -> str:
    place = 0
    while number >= 1000 and place < len(_UNITS) - 1:
        number, place = number / 1000, place + 1
    return f"{number:.0f} {_UNITS[place]}" if place == 0 or number >= 100 else f"{number:.1f} {_UNITS[place]}"


def _ago(instant: datetime | None, now: datetime) -> str:
    from gigq.durations import span

    return "" if instant is None else f"{to_text(instant)}, {span((now - instant).total_seconds())} ago"
