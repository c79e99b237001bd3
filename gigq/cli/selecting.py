"""The jobs that a command is about: named by their IDs, or chosen by filters, typed as options or as words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gigq.cli import values
from gigq.cli.choosing import comes_from_input, job_ids
from gigq.cli.command import Argument, argument
from gigq.cli.exits import UsageError
from gigq.cli.options import FILTERS, choice, filters

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
    """Return the IDs of jobs, and what chooses jobs instead."""
    return [
        argument("ids", metavar="ID", nargs="*", default=[], type=values.prefix, completes="jobs", help=_WORDS),
        choice("--status", statuses, "only jobs with this status"),
        *filters(),
    ]


def is_chosen(args: Args) -> bool:
    """Whether anything was typed that names or chooses jobs. Text to search for that is empty chooses nothing."""
    return bool(args.ids or _typed(args))


def selected(queue: JobQueue, args: Args, *, statuses: Sequence[JobStatus]) -> Selection:
    """Return the jobs that were typed.

    Args:
        statuses: those that the command takes.

    Raises:
        UsageError: IDs and filters were typed, one filter twice, or a status that the command does not take.
        JobNotFound, AmbiguousId, Refused: an ID names no job, several, or nothing.
        ValueError: a word is no filter.
    """
    typed = _typed(args)
    words = [each for each in args.ids or () if _is_filter(queue, each)]
    named = [each for each in args.ids or () if each not in words]
    if named and (words or typed):
        raise UsageError("give either IDs or filters")
    if named:
        is_piped = comes_from_input(named)
        return Selection(job_ids(queue, named), {}, is_piped=is_piped)
    chosen = args.resolved(queue, _merged(typed, _parsed(words)))
    for status in chosen.get("status", ()):
        if status not in statuses:
            raise UsageError(f"the status is {status}; this command takes {' and '.join(statuses)}")
    return Selection(None, chosen)


def _typed(args: Args) -> dict[str, Any]:
    """Return the filters of options. Text to search for that is empty would choose everything, and is none."""
    typed = args.given("status", *FILTERS)
    return {name: value for name, value in typed.items() if (name, value) != ("search", "")}


def _is_filter(queue: JobQueue, word: str) -> bool:
    """Whether a word is filters, such as ``queue:mail``, rather than an ID that somebody has made up."""
    key, colon, _ = word.strip().partition(":")
    if not colon:
        return False
    from gigq.query import KEYS  # only here: most commands are about an ID

    return (key in KEYS or key.startswith("args.")) and queue.get_job(word) is None


def _parsed(words: Sequence[str]) -> dict[str, Any]:
    if not words:
        return {}
    from gigq.query import parse

    return parse(" ".join(words))


def _merged(typed: dict[str, Any], parsed: dict[str, Any]) -> dict[str, Any]:
    """Return the filters of options and of words together.

    Raises:
        UsageError: a filter is among both.
    """
    for name in typed:
        if name in parsed:
            raise UsageError(f"the filter {name!r} was given twice, as an option and as a word")
    return typed | parsed
