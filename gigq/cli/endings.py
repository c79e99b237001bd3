"""Jobs that a command waits for, and how they have ended, as an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gigq.cli.answer import Answer
from gigq.cli.exits import DONE, REFUSED, UNFINISHED, Refused
from gigq.cli.hiding import redactor
from gigq.cli.styled import Line, status_cell
from gigq.cli.wait_progress import shown_progress
from gigq.errors import JobNotFinished
from gigq.handles import short
from gigq.status import JobStatus

if TYPE_CHECKING:
    from gigq.cli.args import Args
    from gigq.queue.job_queue import JobQueue
    from gigq.queue.waiting import Ending

FIELDS = ("id", "name", "status", "error")
"""The fields of an ending."""

_MOST_LINES = 10
"""Jobs of which each has a line of its own. Of more, only those that ended badly have."""


def wait_for(
    queue: JobQueue, args: Args, ids: Sequence[str], *, timeout: float | None, any: bool = False
) -> list[Ending]:
    """Wait for jobs, showing how far they are, and return how they have ended, without the secrets in their errors.

    Raises:
        Refused: the timeout is over (exit code 3).
        JobNotFound: one of the jobs is gone.
    """
    from gigq.queue import waiting  # only here: it knows what jobs do, which is much to import

    with shown_progress(queue, args, ids) as told:
        try:
            ended = waiting.wait(
                queue.database, queue.clock, ids, waiting.endings, timeout=timeout, any=any, told=told
            )
        except JobNotFinished as error:
            raise Refused(str(error), code=UNFINISHED) from None
    hidden = redactor(args)
    return [each._replace(error=hidden.maybe(each.error)) for each in ended]


def answer_of(ended: Sequence[Ending], value: Any = None) -> Answer:
    """Return the answer that jobs have ended; its exit code is 0 if all have completed, else 1.

    Args:
        value: for programs; by default how each of them has ended.
    """
    bad = [each for each in ended if each.status != JobStatus.COMPLETED]
    return Answer(
        value if value is not None else [each._asdict() for each in ended],
        _lines(ended, bad),
        ids=[each.id for each in ended],
        code=REFUSED if bad else DONE,
        suggestions=_next(ended, bad),
    )


def _lines(ended: Sequence[Ending], bad: Sequence[Ending]) -> Iterator[Line]:
    if len(ended) != 1:
        counts = Counter(each.status for each in ended)
        parts = [f"{counts[status]:,} {status.value}" for status in JobStatus if counts[status]]
        each_status = f" ({', '.join(parts)})" if len(parts) > 1 else ""
        yield f"Jobs ended: {len(ended):,}{each_status}"
    yield from map(_line, ended if len(ended) <= _MOST_LINES else bad[:_MOST_LINES])
    if len(ended) > _MOST_LINES and len(bad) > _MOST_LINES:
        yield f"and {len(bad) - _MOST_LINES:,} more that did not complete"


def _line(ending: Ending) -> Line:
    error = f": {ending.error.splitlines()[0]}" if ending.error else ""
    return status_cell(ending.status) + f"  {short(ending.id)}  {ending.name}{error}"


def _next(ended: Sequence[Ending], bad: Sequence[Ending]) -> list[str]:
    if bad:
        handle = short(bad[0].id)
        return [f"gigq status {handle}", f"gigq logs {handle}", f"gigq replay {handle}", f"gigq requeue {handle}"]
    return [f"gigq result {short(ended[0].id)}"] if len(ended) == 1 else []
