"""The grammar of filters, typed on a command line or in a search box: ``status:failed since:2h "lost row"``."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from gigq import times
from gigq.checks import any_text
from gigq.clock import SystemClock, to_instant, to_text
from gigq.codec import canonical, decode
from gigq.job_ids import ids_of
from gigq.priority import to_priority
from gigq.query_syntax import Word, invalid, quoted, unescaped, words
from gigq.status import JobStatus, Phase


class Key(NamedTuple):
    """A word of the grammar.

    Attributes:
        filter: the filter of `find_jobs` that it gives.
        example: it, with a value.
        meaning: which jobs it finds.
    """

    filter: str
    example: str
    meaning: str


KEYS = {
    "status": Key("status", "status:failed", "jobs with this status; repeat it, or use commas, for several"),
    "phase": Key("phase", "phase:retrying", "jobs in this phase, a finer word than the status; several as above"),
    "queue": Key("queue", "queue:mail", "jobs of this queue"),
    "function": Key("function", "function:app.send", "jobs that call this function"),
    "name": Key("name", 'name:"send mail"', "jobs with exactly this name"),
    "tag": Key("tags", "tag:nightly", "jobs with this tag; repeat it to require several"),
    "priority": Key("priority", "priority:high", "jobs with this priority: a number or the name of a level"),
    "worker": Key("worker_id", "worker:web-1", "jobs that this worker runs, or ran last"),
    "workflow": Key("workflow", "workflow:0193-5c2e", "jobs of the workflow with this id"),
    "id": Key("ids", "id:7f3a91c2", "the job with this id; repeat it for several, and give commands only its end"),
    "error": Key("error", "error:ValueError", "jobs whose last attempt ended with this class of error"),
    "args": Key("args", "args.user:42", "jobs with this value in their arguments, at any depth: args.user.name:ann"),
    "since": Key("since", "since:2h", "jobs submitted in the last 2 hours; times and ranges as below"),
    "until": Key("until", "until:2026-01-31", "jobs submitted before then"),
    "ended": Key("ended_since", "ended:yesterday..09:30", "jobs that ended then"),
}
"""The words of the grammar. Text without one is searched for in ids, names, functions, arguments and errors."""

_PERIODS = {"since": ("since", "until"), "until": ("since", "until"), "ended": ("ended_since", "ended_until")}
_WORDS_OF = {"status": JobStatus, "phase": Phase}
_TEXTS = ("queue", "function", "name", "worker", "workflow", "error")

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,400})(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,4})?")
_CONSTANTS = {"true": True, "false": False, "null": None}
_PLAIN = re.compile(r"[\w./@%+*#~^$!?=<>|&\-]+")
_PLAIN_PATH = re.compile(r"""[^\s:"'\\]+""")


def parse(text: str, *, now: datetime | None = None) -> dict[str, Any]:
    """Return filters as the keyword arguments that `find_jobs`, `count` and the verbs for several jobs take.

    A value with blanks is put in quotes, in which a backslash stands before a quote and a backslash. Text that has no
    key is searched for as a whole. Durations count from `now`, and times without a zone are local.

    Args:
        text: the filters; without any, every job passes.
        now: the time; by default the clock's.

    Raises:
        InvalidFilter: a word that is no filter, or a value that its filter cannot have. It says which one, and where.

    Example:
        >>> from gigq.query import parse
        >>> parse('status:failed,timeout queue:mail args.user:42 "lost row"')
        {'status': ['failed', 'timeout'], 'queue': 'mail', 'args': {'user': 42}, 'search': 'lost row'}
    """
    at = SystemClock().now() if now is None else now
    found: dict[str, Any] = {}
    free: list[str] = []
    for word in words(text):
        if word.key is None:
            free.append(word.value)
        else:
            _add(found, text, word, at)
    if free:
        found["search"] = " ".join(free)
    return found


def text_of(filters: Mapping[str, Any]) -> str:
    """Return filters in the words of the grammar: `parse` makes the same of them. None stands for no filter.

    Raises:
        ValueError: a filter that the grammar has no word for, or a value that it cannot have.

    Example:
        >>> from gigq.query import text_of
        >>> text_of({"status": "failed", "tags": ["a", "b c"], "args": {"user": "42"}})
        'status:failed tag:a tag:"b c" args.user:"42"'
    """
    return " ".join(word for name, value in filters.items() if value is not None for word in _told(name, value))


# from text


def _add(found: dict[str, Any], text: str, word: Word, now: datetime) -> None:
    """Add what a word says.

    Raises:
        InvalidFilter: it says nothing that can be understood, or what another word has said.
    """
    try:
        for name, value in _filters_of(word, now):
            _put(found, name, value)
    except ValueError as error:
        raise invalid(str(error), text, word.start, word.end) from None


def _put(found: dict[str, Any], name: str, value: Any) -> None:
    earlier = found.get(name)
    if isinstance(value, list):
        found[name] = list(dict.fromkeys([*(earlier or ()), *value]))
    elif isinstance(value, dict):
        ((path, _),) = value.items()
        if earlier and path in earlier:
            raise ValueError("it was given twice")
        found[name] = {**(earlier or {}), **value}
    elif name in found:
        raise ValueError(f"{name.replace('_', ' ')} was given twice")
    else:
        found[name] = value


def _filters_of(word: Word, now: datetime) -> Iterator[tuple[str, Any]]:
    key = str(word.key)
    if key[:5].lower() == "args.":
        yield "args", {_path(key[5:]): _argument(word)}
        return
    key = key.lower()
    if key == "args":
        raise ValueError("args needs the name of an argument, such as args.user:42")
    if key not in KEYS:
        raise ValueError(_unknown(str(word.key)))
    if not word.value:
        raise ValueError(f"{key} needs a value, such as {KEYS[key].example}")
    any_text(word.value, key)
    if key in _PERIODS:
        yield from _period(key, word.value, now)
    else:
        yield KEYS[key].filter, _VALUES[key](word.value)


def _choices(value: str, key: str) -> list[str]:
    return [_choice(each.strip().lower(), key) for each in value.split(",") if each.strip()] or [_choice(value, key)]


def _choice(value: str, key: str) -> str:
    words = [word.value for word in _WORDS_OF[key]]
    if value in words:
        return value
    for other, its_words in _WORDS_OF.items():
        if value in list(its_words):
            raise ValueError(f"it is no {key}; write {other}:{value}")
    raise ValueError(f"there is no {key} {value!r:.80}{_meant(value, words)}; there are {', '.join(words)}")


def _priority(value: str) -> int:
    return to_priority(int(value) if re.fullmatch("[+-]?[0-9]{1,30}", value) else value)


_VALUES: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(_TEXTS, str),
    "tag": lambda value: [value],
    "id": lambda value: [value],
    "priority": _priority,
    "status": lambda value: _choices(value, "status"),
    "phase": lambda value: _choices(value, "phase"),
}


def _period(key: str, value: str, now: datetime) -> Iterator[tuple[str, datetime]]:
    names = _PERIODS[key]
    if key == "ended" or ".." in value:
        bounds = times.period(value, now=now)
    else:
        instant = times.moment(value, now=now)
        bounds = (None, instant) if key == "until" else (instant, None)
    yield from ((name, bound) for name, bound in zip(names, bounds, strict=True) if bound is not None)


def _path(typed: str) -> str:
    path = unescaped(typed[1:-1]) if typed[:1] == '"' else typed
    if not path:
        raise ValueError("args needs the name of an argument, such as args.user:42")
    return any_text(path, "args")


def _argument(word: Word) -> Any:
    """Return a value as JSON if it can be read as that, and as text otherwise; what is in quotes is text."""
    text = any_text(word.value, "args")
    if word.is_quoted:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if not text:
        raise ValueError('args needs a value, such as args.user:42, or args.user:"" for an empty one')
    if _NUMBER.fullmatch(text) and math.isfinite(number := decode(text)):
        return number
    return text


def _unknown(key: str) -> str:
    names = [f"{name}.PATH" if name == "args" else name for name in KEYS]
    meant = _meant(key.lower().removesuffix("s"), KEYS) or _meant(key.lower(), KEYS)
    return f"there is no filter {key!r:.80}{meant}; there are {', '.join(names)}, and text to search for in quotes"


def _meant(word: str, among: Any) -> str:
    from difflib import get_close_matches  # takes longer to import than the rest of this module

    close = get_close_matches(word[:80], list(among), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


# to text


def _told(name: str, value: Any) -> Iterator[str]:
    if name == "args":
        yield from (f"args.{_told_path(path)}:{_told_argument(each)}" for path, each in value.items())
    elif name in ("ended_since", "ended_until"):
        yield f"ended:{_told_instant(value)}.." if name == "ended_since" else f"ended:..{_told_instant(value)}"
    elif name in ("since", "until"):
        yield f"{name}:{_told_instant(value)}"
    elif name == "search":
        yield quoted(value) if not _PLAIN.fullmatch(value) else value
    else:
        several = ids_of(value, name) if name == "ids" else [value] if isinstance(value, str | int) else list(value)
        yield from (f"{_word_of(name)}:{_told_text(str(each))}" for each in several)


def _word_of(name: str) -> str:
    found = next((key for key, of in KEYS.items() if of.filter == name), None) or _PERIOD_OF.get(name)
    if found is None:
        raise ValueError(f"the filter {name!r:.80} has no word")
    return found


_PERIOD_OF = {"ended_until": "ended"}


def _told_path(path: str) -> str:
    return path if _PLAIN_PATH.fullmatch(path) else quoted(path)


def _told_argument(value: Any) -> str:
    if isinstance(value, str):
        is_plain = _PLAIN.fullmatch(value) and value not in _CONSTANTS and not _NUMBER.fullmatch(value)
        return value if is_plain else quoted(value)
    if value is None or isinstance(value, bool | int | float):
        return str(canonical(value))
    raise ValueError(f"an argument is {value!r:.80}; only text, numbers, true, false and null can be looked for")


def _told_text(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quoted(text)


def _told_instant(instant: Any) -> str:
    return to_text(to_instant(instant)).replace(".000000", "")
