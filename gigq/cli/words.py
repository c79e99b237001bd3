"""The words of a command line one by one, those of a file in the place of ``@file``."""

from __future__ import annotations

from collections.abc import Sequence

from gigq.cli.exits import UsageError

_MOST = 1_000_000
"""Characters of a file of words."""


class Words:
    """The words that are still to be read. Those of a file are no names of files themselves."""

    def __init__(self, words: Sequence[str]) -> None:
        self._left = [(word, False) for word in reversed(words)]

    def __bool__(self) -> bool:
        return bool(self._left)

    @property
    def next(self) -> str:
        """The next word; empty if there is none."""
        return self._left[-1][0] if self._left else ""

    def value(self) -> str:
        """Take the next word as it is, for the value of an option."""
        return self._left.pop()[0]

    def take(self) -> str | None:
        """Take the next word. For ``@file`` return None: the file's words are the next ones.

        Raises:
            UsageError: the file cannot be read.
        """
        word, is_from_file = self._left.pop()
        if is_from_file or not word.startswith("@") or word == "@":
            return word
        self._left += [(each, True) for each in reversed(_words_in(word[1:]))]
        return None


def is_option(word: str) -> bool:
    """Whether a word has the form of an option. A dash alone is a word, and so is a negative number."""
    return word.startswith("-") and word != "-" and not word[1:].replace(".", "", 1).isdecimal()


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
