"""The choice among jobs on a command line: filters as words of their grammar, or as options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gigq.cli import values
from gigq.cli.command import Argument, argument
from gigq.cli.exits import UsageError
from gigq.cli.options import choice, filters
from gigq.status import JobStatus, Phase

if TYPE_CHECKING:
    from datetime import datetime

    from gigq.cli.args import Args
    from gigq.queue.job_queue import JobQueue

_AS_THEY_ARE = ("status", "phase", "queue", "name", "tags", "workflow", "search")
_IN_WORDS = ("function", "error", "worker", "priority", "since", "until", "ended")
"""Options that are read as the words of the grammar are."""

_KNOWN = {"status": tuple(JobStatus), "phase": tuple(Phase)}

WORDS = argument(
    "filters", metavar="FILTER", nargs="*", default=[], completes="filters",
    help="only jobs that pass these, such as status:failed since:2h args.user:42 'free text'; see gigq help filters",
)  # fmt: skip
"""Filters in the grammar."""


def options(*, status: bool = True) -> list[Argument]:
    """Return the options that say what the words of the grammar say.

    Args:
        status: whether a status and a phase can be asked for.
    """
    first = [
        choice("--status", tuple(JobStatus), "only jobs with this status"),
        choice("--phase", tuple(Phase), "only jobs in this phase, a finer word than the status"),
    ]
    # fmt: off
    return [
        *(first if status else ()),
        *filters(),
        argument("--function", metavar="PATH", completes="functions", help="only jobs that call this function"),
        argument("--error", metavar="CLASS", help="only jobs whose last attempt ended with this class of error"),
        argument("--arg", dest="arguments", metavar="KEY=VALUE", action="append", type=values.text_parameter,
            help="only jobs with this argument, such as user=42 or user.name=ann; repeat it to require several"),
        argument("--priority", metavar="NUMBER", help="only jobs with this priority, a number or the name of a level"),
        argument("--worker", metavar="NAME", completes="workers", help="only jobs that this worker runs, or ran last"),
        argument("--since", metavar="TIME", help="only jobs submitted since then, such as 2h, 09:30 or 2026-01-31"),
        argument("--until", metavar="TIME", help="only jobs submitted before then"),
        argument("--ended", metavar="TIME", help="only jobs that ended since then, or in a range such as 2h..1h"),
    ]
    # fmt: on


def check(args: Args) -> None:
    """Refuse filters that cannot be understood, before the queue is opened.

    Raises:
        UsageError: one cannot be.
    """
    from gigq.clock import SystemClock  # only here: the help needs nothing of it

    _typed(args, SystemClock().now())


def chosen(queue: JobQueue, args: Args, words: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the filters that were typed, for `find_jobs`, `count` and the verbs for several jobs.

    Args:
        words: those in the grammar, if the command does not take them as `WORDS`.

    Raises:
        UsageError: one cannot be understood, or is given twice.
        WorkflowNotFound, JobNotFound, AmbiguousId: there is none with an ID that was typed, whole or in part, or there
            are several.
    """
    found = args.resolved(queue, _typed(args, queue.clock.now(), words))
    return found | ({"ids": [queue.full_id(each) for each in found["ids"]]} if "ids" in found else {})


def only(statuses: Iterable[JobStatus], takes: Sequence[JobStatus]) -> list[JobStatus]:
    """Return the statuses that were typed.

    Raises:
        UsageError: the command does not take one of them.
    """
    for status in (wanted := list(statuses)):
        if status not in takes:
            raise UsageError(f"the status is {status}; this command takes {' and '.join(takes)}")
    return wanted


def are_typed(args: Args) -> bool:
    """Whether any option of `options` was typed. Text to search for that is empty would choose every job."""
    typed = args.given(*_AS_THEY_ARE, *_IN_WORDS, "arguments")
    return any((name, value) != ("search", "") for name, value in typed.items())


def _typed(args: Args, now: datetime, words: Sequence[str] | None = None) -> dict[str, Any]:
    found = {name: value for name, value in args.given(*_AS_THEY_ARE).items() if (name, value) != ("search", "")}
    words = args.filters if words is None else words
    for word in words:
        _check_word(word)
    for text in (" ".join(_words_of(args)), " ".join(words)):
        if text:
            _add(found, _parsed(text, now))
    return found


def _check_word(word: str) -> None:
    """Refuse a lone word without a key, such as ``failed``. As text to search for, it would match nothing, or too much.

    Raises:
        UsageError: it is one. Text with blanks, or in quotes of the grammar, is meant as it is.
    """
    if not word or ":" in word or word[0] in "\"'" or any(map(str.isspace, word)):
        return
    if word == "-":
        raise UsageError("'-' stands for the IDs of jobs, and this command takes filters; see gigq help filters")
    meant = next((f"{key}:{word}" for key, known in _KNOWN.items() if word in known), f"--search {word}")
    raise UsageError(f"{word!r:.80} is no filter; did you mean {meant}? See gigq help filters")


def _parsed(text: str, now: datetime) -> dict[str, Any]:
    from gigq.errors import InvalidFilter
    from gigq.query import parse  # only here: most command lines have no filters

    try:
        return parse(text, now=now)
    except InvalidFilter as error:
        raise UsageError(f"{error}; see gigq help filters") from None


def _words_of(args: Args) -> Iterator[str]:
    """Yield the words of the grammar that options stand for."""
    for name, value in args.given(*_IN_WORDS).items():
        yield f"{name}:{_quoted(value)}"
    for path, value in args.given("arguments").get("arguments", ()):
        is_word = value and not any(each in "\"'\\" or each.isspace() for each in value)
        yield f"args.{_quoted(path)}:{value if is_word else _quoted(value)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _add(found: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        before = found.get(name)
        if before is None:
            found[name] = value
        elif isinstance(value, list) and isinstance(before, list):
            found[name] = [*before, *value]
        elif isinstance(value, dict) and not value.keys() & before.keys():
            found[name] = {**before, **value}
        else:
            raise UsageError(f"{name.removesuffix('_id')} is given twice, as a filter and as an option; give one")
