"""Jobs as rows of a table: the columns, and those that are left out because nothing is in them."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from gigq.cli.args import Args
from gigq.cli.styled import Styled, status_cell
from gigq.cli.table import Cell, age, shown_ids, table
from gigq.durations import span
from gigq.records import JobRecord
from gigq.redaction import Redactor
from gigq.status import Phase

_CUT_FIRST = ("error", "tags", "function", "name", "worker", "queue")
_DROPPED_FIRST = ("worker", "priority", "ended", "ran")
_BEGUN = (Phase.RUNNING, Phase.RESERVED)


class _Row(NamedTuple):
    """A job in a table.

    Attributes:
        handle: its ID, as it is shown.
    """

    args: Args
    job: JobRecord
    handle: str
    hide: Redactor
    now: datetime

    def since(self, instant: datetime | None) -> str:
        return "" if instant is None else age(self.args, instant, self.now)


class _Column(NamedTuple):
    """A column.

    Attributes:
        is_always: whether a terminal shows it even if nothing is in it.
        is_wide: whether it is shown only with ``--wide``.
    """

    cell: Callable[[_Row], Cell]
    is_always: bool = True
    is_wide: bool = False


_COLUMNS = {
    "id": _Column(lambda row: row.handle),
    "name": _Column(lambda row: row.hide.text(row.job.name)),
    "phase": _Column(lambda row: phase_cell(row.job)),
    "queue": _Column(lambda row: row.job.queue, is_wide=True),
    "function": _Column(lambda row: row.job.function, is_wide=True),
    "tags": _Column(lambda row: ", ".join(row.job.tags), is_wide=True),
    "priority": _Column(lambda row: row.job.priority, is_always=False),
    "attempts": _Column(lambda row: f"{row.job.attempts}/{row.job.max_attempts}"),
    "age": _Column(lambda row: row.since(row.job.created_at)),
    "ran": _Column(lambda row: ran(row.job, row.now), is_always=False),
    "ended": _Column(lambda row: row.since(row.job.completed_at), is_always=False),
    "worker": _Column(lambda row: row.job.worker_id, is_always=False),
    "error": _Column(lambda row: row.hide.text((row.job.error or "").partition("\n")[0]), is_always=False),
}


def job_table(args: Args, jobs: Sequence[JobRecord], hide: Redactor, *, now: datetime) -> Iterator[Styled]:
    """Yield the lines of a table of jobs, whose secrets are hidden.

    On a terminal, columns in which nothing is are left out, and on a narrow one others too, so that errors can be read;
    in a pipe there are always the same.
    """
    handles = shown_ids(args, [job.id for job in jobs])
    rows = [_Row(args, job, handle, hide, now) for job, handle in zip(jobs, handles, strict=True)]
    cells = {title: [column.cell(row) for row in rows] for title, column in _COLUMNS.items()}
    titles = [title for title in _COLUMNS if _is_shown(args, _COLUMNS[title], cells[title])]
    lines = zip(*(cells[title] for title in titles), strict=True)
    flexible = [title for title in _CUT_FIRST if title in titles]
    return table(args, titles, lines, flexible=flexible, right=("ran", "age", "ended"), dropped=_DROPPED_FIRST)


def phase_cell(job: JobRecord) -> Styled:
    """Return the phase of a job, with how much of it is done."""
    percentage = (job.progress or {}).get("percentage") if job.phase is Phase.RUNNING else None
    return status_cell(job.phase, "" if percentage is None else f"{int(percentage)} %")


def ran(job: JobRecord, now: datetime) -> str:
    """Return how long a job has been running, or how long its last execution ran; empty if it never began."""
    if job.phase in _BEGUN:
        return "" if job.started_at is None else span((now - job.started_at).total_seconds())
    return "" if job.duration is None else span(job.duration)


def _is_shown(args: Args, column: _Column, cells: Sequence[Cell]) -> bool:
    is_wide = bool(args.given("wide").get("wide"))
    is_shown = is_wide or column.is_always or any(cells) or not args.terminal.width_or(0)
    return is_shown and (is_wide or not column.is_wide)
