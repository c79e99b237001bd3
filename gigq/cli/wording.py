"""Messages in the words that were typed, and what was perhaps meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping


def perhaps(typed: str, *, among: Iterable[str]) -> str:
    """Return what was perhaps meant, for the end of a message; empty if nothing is like what was typed."""
    from difflib import get_close_matches  # only here: it takes as long to import as most commands take

    close = get_close_matches(typed, list(among))
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""


def in_typed_words(message: str, names: Mapping[str, str]) -> str:
    """Return a message of the library with its arguments called as they are typed, such as ``--run-at``.

    Args:
        names: what people type for each argument.
    """

    def typed(found: re.Match[str]) -> str:
        return names.get(found["about"] or found["given"] or found["known"] or found[0], found[0])

    names = {**names, "None": "none"}
    return re.sub(_ARGUMENT, typed, message, flags=re.VERBOSE)


_ARGUMENT = r"""
    '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*"  # a value, which is somebody's own
    | (?:^|(?<=[:;]\ ))(?:an\ entry\ of\ )?(?P<about>\w+)(?=\ is\ |\ and\ |\ must\ )  # what the sentence is about
    | \b(?P<given>\w+)(?:=(?=[\s;,.]|$)|(?=\ were\ ))  # an argument that is named to be given, or not
    | \b(?P<known>[a-z]+_[a-z_]+|None)\b  # what can be nothing else
    """
