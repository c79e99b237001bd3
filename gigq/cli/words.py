"""The words of a command line before argparse reads them: files of words, and words that stand between options."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence

from gigq.cli.exits import UsageError

_NEGATIVE = re.compile(r"-\d+|-\d*\.\d+")
_MOST = 1_000_000
"""Bytes of a file of words."""

Options = Mapping[str, argparse.Action]


def with_fields(words: Sequence[str]) -> list[str]:
    """Return words with ``--json=id`` as ``--json-fields=id``: argparse knows no value that may only follow a ``=``."""
    end = words.index("--") if "--" in words else len(words)
    return [re.sub(r"^--(jsonl?)=", r"--\1-fields=", word) for word in words[:end]] + list(words[end:])


def with_files(options: Options, words: Sequence[str], *, until_command: bool = False) -> list[str]:
    """Return words with those of a file in the place of ``@file``.

    The value of an option is no file, nor is a word after ``--``.

    Args:
        options: by what is typed for them.
        until_command: whether only words before the command are looked at.

    Raises:
        UsageError: a file cannot be read.
    """
    found: list[str] = []
    for position, (word, is_option, is_value) in enumerate(_told_apart(options, words)):
        is_file = word.startswith("@") and len(word) > 1 and not is_value
        if word == "--" or (until_command and not (is_option or is_value or is_file)):
            return [*found, *words[position:]]
        found += with_fields(_words_in(word[1:])) if is_file else [word]
    return found


def arranged(options: Options, words: Sequence[str]) -> list[str]:
    """Return words with the options first, for argparse takes no words between options and after them."""
    typed = list(_told_apart(options, words))
    separator = next((place for place, (word, *is_any) in enumerate(typed) if word == "--" and not any(is_any)), None)
    if separator is not None:
        del typed[separator]
    first = [word for word, is_option, is_value in typed if is_option or is_value]
    others = [word for word, is_option, is_value in typed if not (is_option or is_value)]
    return [*first, *(["--", *others] if others else [])]


def _told_apart(options: Options, words: Sequence[str]) -> Iterator[tuple[str, bool, bool]]:
    """Yield each word, whether it is an option, and whether it is the value of the option before it.

    The first ``--`` that is no value is neither, and so are all words after it.
    """
    waiting: str | int | None = 0
    for position, word in enumerate(words):
        if waiting == 0 and word == "--":
            yield word, False, False
            yield from ((each, False, False) for each in words[position + 1 :])
            return
        looks_like_option = word.startswith("-") and word != "-" and not _NEGATIVE.fullmatch(word)
        is_value = waiting is None or (waiting == "?" and not looks_like_option)
        is_option = looks_like_option and not is_value
        yield word, is_option, is_value
        waiting = _values_after(options, word) if is_option else 0


def _values_after(options: Options, word: str) -> str | int | None:
    """How many values follow an option, as `nargs` says it: None for one, ``?`` for one or none, 0 for none."""
    if word in options:
        return options[word].nargs
    if word.startswith("--"):
        return 0  # with its value after a =, or unknown
    for place, letter in enumerate(word[1:], 2):
        action = options.get(f"-{letter}")
        if action is None or action.nargs != 0:
            return None if action is not None and place == len(word) else 0
    return 0


def _words_in(path: str) -> list[str]:
    """The words of a file, as a shell reads them; a # begins a comment."""
    import shlex  # only here: few command lines have such files

    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(_MOST + 1)
        if len(text) > _MOST:
            raise ValueError("it is larger than 1 MB")
        return shlex.split(text, comments=True)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        hint = "a word that begins with @ goes after --"
        raise UsageError(f"the words in {path!r} cannot be read: {why}; {hint}") from None
