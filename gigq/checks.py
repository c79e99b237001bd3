"""Checks of the values that callers give: each returns the value as it is kept, or says what it must be.

Every check takes a value and its name, and raises ``ValueError("NAME is VALUE; it must be …")``. `gigq.clock` has those
of instants and durations, and `gigq.priority` that of priorities.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from gigq.clock import Duration, to_seconds

T = TypeVar("T")

_USUAL = {
    "retries": "max_attempts", "max_retries": "max_attempts", "eta": "run_at", "scheduled_for": "run_at",
    "execute_at": "run_at", "countdown": "delay", "expires": "expires_at", "kwargs": "params",
}  # fmt: skip
"""What other queues call their options, and we ours. No spelling is near enough to guess these."""

Default = Callable[[Any], Any]
"""Makes of an object that JSON lacks one that it has, as ``default`` of `json.dumps` does."""

Texts = str | Iterable[str]
"""One text, or several."""

_MOST_SHOWN = 80
"""Characters of a value in a message."""

_MOST_SLOTS = 10_000
"""Jobs that a worker may run at a time: more threads than a process can have are a slip of the keyboard."""

MOST_INTEGER = 2**63 - 1
"""The largest integer that a SQLite column holds."""


def shown(value: object) -> str:
    """Return a value as messages show it: as Python writes it, cut where that is long."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"


def optional(value: Any, name: str, check: Callable[[Any, str], T]) -> T | None:
    """Check a value unless it is None."""
    return None if value is None else check(value, name)


def known(names: Collection[str], *, among: Collection[str], what: str) -> None:
    """Refuse unknown names, as Python does a misspelt argument: by TypeError, with the name that was perhaps meant."""
    for name in names:
        if name not in among:
            raise TypeError(f"there is no {what} {name!r}; {_perhaps(name, among)}")


def not_both(**values: object) -> None:
    """Refuse two values that are both given, that is, not None."""
    if None not in values.values():
        raise ValueError(f"{' and '.join(values)} were both given; give one")


def text(value: object, name: str) -> str:
    """Return text that is not empty and that UTF-8 can hold."""
    found = any_text(value, name)
    if not found:
        raise ValueError(f"{name} must not be empty")
    return found


def any_text(value: object, name: str) -> str:
    """Return text that UTF-8 can hold; it may be empty."""
    if not isinstance(value, str):
        raise ValueError(f"{name} is {shown(value)}; it must be text")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"{name} is {shown(value)}; it must be text without lone surrogates, which UTF-8 cannot hold")
    return str.__str__(value)  # str() of an Enum that is text would be "Class.NAME"


def sequence(value: object, name: str) -> tuple[Any, ...]:
    """Return the entries of a list, a tuple or any other iterable but text and mappings."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise ValueError(f"{name} is {shown(value)}; it must be a list")
    return tuple(value)


def several(value: object, name: str) -> tuple[Any, ...]:
    """Return the entries of a list as `sequence` does; one text is a list of one, and not one of its characters."""
    if isinstance(value, bytes | Mapping) or not isinstance(value, Iterable):
        raise ValueError(f"{name} is {shown(value)}; it must be text, or a list of texts")
    return (value,) if isinstance(value, str) else tuple(value)


def texts(value: object, name: str) -> tuple[str, ...]:
    """Return the distinct texts of a list, or the one text, none of them empty, in the order given."""
    if isinstance(value, str):
        return (text(value, name),)
    return tuple(dict.fromkeys(text(each, f"an entry of {name}") for each in several(value, name)))


def some_texts(value: object, name: str) -> tuple[str, ...]:
    """Return what `texts` does, of which there must be at least one."""
    found = texts(value, name)
    if not found:
        raise ValueError(f"{name} must not be empty")
    return found


def mapping(value: object, name: str) -> dict[str, Any]:
    """Return the entries of a mapping as a dict of their own."""
    if not (isinstance(value, dict) or isinstance(value, Mapping)):  # noqa: SIM101 (one call takes three times as long)
        raise ValueError(f"{name} is {shown(value)}; it must be a dict")
    return dict(value)


def function(value: object, name: str) -> Callable[..., Any]:
    """Return a function, or whatever else can be called.

    Raises:
        TypeError: it is something else.
    """
    if not callable(value):
        raise TypeError(f"{name} is {shown(value)}; it must be a function")
    return value


def keywords(value: object, name: str) -> dict[str, Any]:
    """Return the entries of a mapping whose keys are names of arguments."""
    found = mapping(value, name)
    for key in found:
        if not isinstance(key, str):
            raise ValueError(f"{name} has the key {shown(key)}; its keys must be text, the names of arguments")
    return found


def one_of(value: object, name: str, *, choices: Collection[T]) -> T:
    """Return the choice that this value is."""
    for choice in choices:
        if value is choice or (isinstance(value, str) and value == choice):
            return choice
    *others, last = [f'"{each}"' if isinstance(each, str) else f"{each}" for each in choices]
    raise ValueError(f"{name} is {shown(value)}; it must be {', '.join(others)} or {last}")


def whole(value: object, name: str, *, least: int, most: int = MOST_INTEGER, or_else: str = "") -> int:
    """Return a whole number from `least` to `most`; `or_else` is what the message adds, such as ``, or None``."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        is_too_large = isinstance(value, int) and value > most
        span = f"from {least:,} to {most:,}" if most < MOST_INTEGER or is_too_large else f"from {least:,} up"
        raise ValueError(f"{name} is {shown(value)}; it must be a whole number {span}{or_else}")
    return int(value)


def count(value: object, name: str) -> int:
    """Return a whole number from 0 up."""
    return whole(value, name, least=0)


def slots(value: object, name: str) -> int:
    """Return how many jobs a worker may run at a time."""
    return whole(value, name, least=1, most=_MOST_SLOTS)


def between(value: object, name: str, *, least: float, most: float) -> float:
    """Return a number from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{name} is {shown(value)}; it must be a number from {least:g} to {most:g}")
    return float(value)


def positive_seconds(value: Duration, name: str, *, or_else: str = "") -> float:
    """Return a duration as seconds, more than 0; `or_else` as for `whole`."""
    seconds = to_seconds(value, name)
    if seconds == 0:
        raise ValueError(f"{name} is {shown(value)}; it must be more than 0{or_else}")
    return seconds


def _perhaps(name: str, among: Collection[str]) -> str:
    usual = _USUAL.get(name)
    if usual in among:
        return f"did you mean {usual!r}?"
    from difflib import get_close_matches  # takes longer to import than everything else in this module

    close = get_close_matches(name, among, n=1)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(among)}"
