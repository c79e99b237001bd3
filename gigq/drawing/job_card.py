"""A job as a card for a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from reprlib import Repr
from typing import Any

from gigq.drawing import cards
from gigq.drawing.words import ended, shortened
from gigq.markup import Content, Markup

_LONGEST = 400
"""Letters of a value or an error."""
_SHORT = Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = 20
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = _LONGEST


def job_card(job: Any) -> Markup:
    """Return where a job stands, since when, and how it ended.

    Args:
        job: a `JobRecord`, which shows itself by this function.
    """
    return cards.card(
        job.name,
        cards.line(f"{job.function} · {job.id}"),
        cards.phases([(job.phase, _where(job))]),
        cards.fields(_fields(job)),
    )


def _where(job: Any) -> str:
    words = str(job.phase)
    if job.duration is not None:
        words += f" {ended(job.phase, job.duration)}"
    return words + (f", attempt {job.attempts} of {job.max_attempts}" if job.attempts else "")


def _fields(job: Any) -> Iterator[tuple[str, Content]]:
    yield "queue", job.queue
    yield "submitted", _instant(job.created_at)
    yield "may start", _instant(job.run_at)
    yield "started", _instant(job.started_at)
    yield "ended", _instant(job.completed_at)
    yield "worker", job.worker_id
    yield "progress", _progress(job.progress)
    yield "depends on", _parents(job.dependencies)
    yield "arguments", _arguments(job) or None
    yield "result", None if job.result is None else _value(job.result)
    yield "error", job.error and shortened(job.error.partition("\n")[0], _LONGEST, len)


def _arguments(job: Any) -> str:
    named = (f"{name}={_value(value)}" for name, value in job.params.items())
    return shortened(", ".join([*map(_value, job.args), *named]), _LONGEST, len)


def _parents(ids: tuple[str, ...]) -> str | None:
    if not ids:
        return None
    more = f" and {len(ids) - 3:,} more" if len(ids) > 3 else ""
    return ", ".join(ids[:3]) + more


def _progress(progress: dict[str, Any] | None) -> str | None:
    if not progress:
        return None
    total, message = progress.get("total"), progress.get("message")
    share = f"{progress.get('current')} of {total}" if total is not None else str(progress.get("current"))
    return f"{share}: {message}" if message else share


def _value(value: object) -> str:
    return shortened(_SHORT.repr(value), _LONGEST, len)


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else f"{instant:%Y-%m-%d %H:%M:%S} UTC"
