"""The four panes: queues, what runs, failures by cause, and what runs next."""

from __future__ import annotations

from datetime import datetime

from gigq import durations
from gigq.cli.columns import Pieces
from gigq.cli.top import bars
from gigq.cli.top.pieces import MUTED, Look
from gigq.cli.top.scene import FailureLine, JobLine, QueueLine, Scene
from gigq.cli.top.table import Column, Pane, Row
from gigq.handles import short
from gigq.status import Phase

NAMES = ("queues", "running", "failures", "next")
"""The panes, in the order in which Tab walks them."""

_BAR = 12
"""Characters of the bar of a job's progress."""

_MINUTE = 60
"""Seconds. Younger things have no age on the screen: it would be another one with every second, and over a slow line
nothing is to be sent while nothing happens."""

_QUEUES = (
    Column("queue"),
    Column("state", 9, least=56),
    Column("ready", 9, is_right=True),
    Column("running", 9, is_right=True),
    Column("scheduled", 9, least=48, is_right=True),
    Column("oldest", 6, least=64, is_right=True),
)
_RUNNING = (
    Column("job"),
    Column("id", 8),
    Column("worker", 14, least=84),
    Column("progress", _BAR + 5, least=60),
    Column("elapsed", 8, is_right=True),
    Column("left", 8, least=50, is_right=True),
)
_MATCHES = (
    Column("job"),
    Column("id", 8),
    Column("queue", 12, least=72),
    Column("status", 12),
    Column("when", 8, least=50, is_right=True),
    Column("took", 8, least=60, is_right=True),
)
_FAILURES = (
    Column("function"),
    Column("error", 40, least=76),
    Column("count", 6, is_right=True),
    Column("last", 8, is_right=True),
)
_NEXT = (
    Column("job"),
    Column("id", 8),
    Column("queue", 12, least=50),
    Column("priority", 8, least=100, is_right=True),
    Column("starts", 9, is_right=True),
)
_UNREAD = "there was no time to read them"

_REASON = 31
"""Columns for why nobody can tell when a job starts, where there is room for it."""


def panes(scene: Scene, now: datetime, look: Look, *, width: int) -> dict[str, Pane]:
    """Return the panes as tables, by their names."""
    found = (
        _queues(scene, now, look),
        _matches(scene, now, look) if scene.filter else _running(scene, now, look),
        _failures(scene, now, look, width=width),
        _next(scene, now, look, width=width),
    )
    return {pane.name: pane for pane in found}


def seconds_from(now: datetime, instant: datetime | None) -> float:
    """Return how long ago something was; negative for what is to come, and 0 for what is not known."""
    return (now - instant).total_seconds() if instant else 0.0


def _queues(scene: Scene, now: datetime, look: Look) -> Pane:
    rows = [Row(each.name, each) for each in scene.queues]
    empty, number = "no queue has unfinished jobs or a limit", _number(len(rows))
    return Pane("queues", "queues", number, _QUEUES, rows, lambda each: _queue_cells(each, now, look), empty)


def _queue_cells(queue: QueueLine, now: datetime, look: Look) -> list[Pieces]:
    phase = Phase.PAUSED if queue.is_paused else Phase.RUNNING if queue.running else Phase.READY
    word = "paused" if queue.is_paused else "running" if queue.running else "ready" if queue.ready else "idle"
    limit = "" if queue.max_running is None else f"/{queue.max_running}"
    waits = seconds_from(now, queue.ready_since)
    age = look.dash if queue.ready_since is None else durations.age(waits) if waits >= _MINUTE else "<1m"
    return [
        [look.piece(queue.name)],
        [(f"{look.sign(phase)} {word}" if word != "idle" else "  idle", str(phase) if word != "idle" else MUTED)],
        [_count(queue.ready, look)],
        [(f"{queue.running:,}{limit}", "" if queue.running else MUTED)],
        [_count(queue.scheduled, look)],
        [(age, "" if queue.ready_since else MUTED)],
    ]


def _running(scene: Scene, now: datetime, look: Look) -> Pane:
    rows = [Row(each.id, each) for each in scene.running]
    empty = "nothing is running" if scene.crew.workers else "nothing is running: start a worker with `gigq worker`"
    number = _number_of(scene.running_count)
    return Pane("running", "running", number, _RUNNING, rows, lambda each: _running_cells(each, now, look), empty)


def _running_cells(job: JobLine, now: datetime, look: Look) -> list[Pieces]:
    seconds = max(0.0, seconds_from(now, job.at))
    left = look.dash
    if job.share and job.at:
        left = durations.countdown(seconds * (1 - job.share) / job.share)
    return [
        [(f"{look.sign(job.phase)} ", str(job.phase)), look.piece(job.name)],
        [_id(job, look)],
        [look.piece(job.worker, MUTED)],
        _progress(job, look),
        [(durations.countdown(seconds) if job.at else str(job.phase), "")],
        [(left, "" if left != look.dash else MUTED)],
    ]


def _progress(job: JobLine, look: Look) -> Pieces:
    if job.share is None:
        return [(look.dash, MUTED)]
    percent = f"{int(100 * min(1.0, max(0.0, job.share)))} %"
    return [(bars.progress(job.share, _BAR, is_unicode=look.is_unicode), str(Phase.RUNNING)), (f"{percent:>5}", "")]


def _matches(scene: Scene, now: datetime, look: Look) -> Pane:
    rows = [Row(each.id, each) for each in scene.running]
    empty, number = "no job matches; Esc takes the filter away", _number_of(scene.running_count)
    if scene.searched:
        empty = f"none of the newest {scene.searched:,} jobs matches; there was no time to look at more"
    return Pane("running", "jobs", number, _MATCHES, rows, lambda each: _match_cells(each, now, look), empty)


def _match_cells(job: JobLine, now: datetime, look: Look) -> list[Pieces]:
    return [
        [look.piece(job.name)],
        [_id(job, look)],
        [look.piece(job.queue, MUTED)],
        [(f"{look.sign(job.phase)} {job.phase}", str(job.phase))],
        [(_when(now, job.at, look), "")],
        [(durations.countdown(job.seconds) if job.seconds is not None else look.dash, MUTED)],
    ]


def _failures(scene: Scene, now: datetime, look: Look, *, width: int) -> Pane:
    columns, is_wide = _FAILURES, width >= _FAILURES[1].least
    if is_wide:  # of what is left after the numbers, three fifths are for the error
        columns = (_FAILURES[0], _FAILURES[1]._replace(width=(width - 24) * 3 // 5), *_FAILURES[2:])
    rows = [Row(each.key, each) for each in scene.failures]
    empty = _UNREAD if "failures" in scene.unread else "no failures in the last 24 hours"
    return Pane(
        "failures", "failures", _number(len(rows)), columns, rows,
        lambda each: _failure_cells(each, now, look, is_wide=is_wide), empty,
    )  # fmt: skip


def _failure_cells(failure: FailureLine, now: datetime, look: Look, *, is_wide: bool) -> list[Pieces]:
    name = look.piece(failure.function.rpartition(":")[2] if not is_wide else failure.function)
    error = look.piece(failure.error, "" if is_wide else MUTED)
    return [
        [(f"{look.sign(Phase.FAILED)} ", str(Phase.FAILED)), name, *([] if is_wide else [(" ", ""), error])],
        [error],
        [(f"{failure.times:,}", "")],
        [(_when(now, failure.last_at, look), "")],
    ]


def _next(scene: Scene, now: datetime, look: Look, *, width: int) -> Pane:
    columns = _NEXT if width < 72 else (*_NEXT[:-1], _NEXT[-1]._replace(width=_REASON))
    rows = [Row(each.id, each) for each in scene.next]
    empty = _UNREAD if "next" in scene.unread else "no job is ready or scheduled"
    return Pane("next", "next", "", columns, rows, lambda each: _next_cells(each, now, look), empty)


def _next_cells(job: JobLine, now: datetime, look: Look) -> list[Pieces]:
    starts = [look.piece(job.reason, MUTED)]
    if job.at is not None or not job.reason:
        starts = [("now" if job.at is None or job.at <= now else _when(now, job.at, look), "")]
    return [
        [(f"{look.sign(job.phase)} ", str(job.phase)), look.piece(job.name)],
        [_id(job, look)],
        [look.piece(job.queue, MUTED)],
        [(f"{job.priority}", MUTED)],
        starts,
    ]


def _id(job: JobLine, look: Look) -> tuple[str, str]:
    return look.piece(short(job.id), MUTED)


def _when(now: datetime, instant: datetime | None, look: Look) -> str:
    if instant is None:
        return look.dash
    ago = seconds_from(now, instant)
    if ago < 0:
        return f"in {durations.age(-ago)}"
    return f"{durations.age(ago)} ago" if ago >= _MINUTE else "just now"


def _count(number: int, look: Look) -> tuple[str, str]:
    return f"{number:,}", "" if number else MUTED


def _number(count: int) -> str:
    return f"{count:,}" if count else ""


def _number_of(count: str) -> str:
    return "" if count == "0" else count

