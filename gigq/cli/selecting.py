"""The jobs that a command is about: named by their IDs, or chosen by filters, typed as options or as words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gigq.cli import filtering, values
from gigq.cli.choosing import comes_from_input, job_ids
from gigq.cli.command import Argument, argument
from gigq.cli.exits import UsageError
from gigq.cli.options import choice
from gigq.errors import AmbiguousId, JobNotFound

if TYPE_CHECKING:
    from gigq.cli.args import Args
    from gigq.queue.job_queue import JobQueue
    from gigq.status import JobStatus

CHOICES = "IDs, or filters such as --queue NAME"
"""What must be typed."""

_WORDS = (
    "the ID of a job, or at least 4 characters of its end or beginning; - is the job that you named last, or the IDs "
    "on standard input; or filters, such as queue:mail error:ValueError: see gigq help filters"
)


class Selection(NamedTuple):
    """The jobs that a command is about.

    Attributes:
        ids: the whole IDs of those that were named; None if filters choose.
        filters: the keyword arguments of `JobQueue.find_jobs`.
        is_piped: whether the IDs came in on standard input, where nobody has read them.
    """

    ids: Sequence[str] | None
    filters: dict[str, Any]
    is_piped: bool = False


def selection(statuses: Sequence[JobStatus]) -> list[Argument]:
    """Return the IDs of jobs, and what chooses jobs instead: words in the grammar of filters, and options."""
    return [
        argument("ids", metavar="ID", nargs="*", default=[], type=values.prefix, completes="jobs", help=_WORDS),
        choice("--status", statuses, "only jobs with this status"),
        *filtering.options(status=False),
    ]


def is_chosen(args: Args) -> bool:
    """Whether anything was typed that names or chooses jobs."""
    return bool(args.ids) or filtering.are_typed(args)


def selected(queue: JobQueue, args: Args, *, statuses: Sequence[JobStatus]) -> Selection:
    """Return the jobs that were typed.

    Args:
        statuses: those that the command takes.

    Raises:
        UsageError: IDs and filters were typed, one that cannot be understood, or a status that is not taken.
        JobNotFound, AmbiguousId, Refused: an ID names no job, several, or nothing.
    """
    words = [each for each in args.ids if _is_filter(queue, each)]
    named = [each for each in args.ids if each not in words]
    if named and (words or filtering.are_typed(args)):
        raise UsageError("give either IDs or filters")
    if named:
        is_piped = comes_from_input(named)
        return Selection(job_ids(queue, named), {}, is_piped=is_piped)
    found = filtering.chosen(queue, args, words)
    filtering.only(found.get("status", ()), statuses)
    return Selection(None, found)


def _is_filter(queue: JobQueue, word: str) -> bool:
    """Whether a word is filters, such as ``queue:mail``, rather than an ID with a colon that somebody has made up."""
    if ":" not in word:
        return False
    try:
        whole = queue.full_id(word)
    except JobNotFound:
        return True  # perhaps mistyped ones: the grammar says which there are
    except AmbiguousId:
        return False
    from gigq.query import KEYS  # only here: most commands are about an ID

    return whole != word and word.strip().partition(":")[0].lower().removeprefix("-") in KEYS
