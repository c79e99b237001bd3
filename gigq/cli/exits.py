"""How a command ends: the exit codes, and the errors that lead to them."""

from __future__ import annotations

DONE, REFUSED, USAGE, UNFINISHED, UNCONFIRMED, INTERRUPTED = 0, 1, 2, 3, 4, 130

EXIT_CODES = {
    DONE: "done",
    REFUSED: "refused, failed or not found; one line on standard error says why",
    USAGE: "the command was typed wrongly, or an environment variable has a value that its option cannot have",
    UNFINISHED: "waited in vain: the time given by --timeout is over",
    UNCONFIRMED: "nothing was done, because nobody could be asked; --yes says that it is meant",
    INTERRUPTED: "interrupted",
}
"""Every exit code that a command can have, with its meaning."""


class UsageError(Exception):
    """The command was typed wrongly: exit code 2."""


class Refused(Exception):
    """The command was understood and not carried out: exit code 1, or the one that is given."""

    def __init__(self, message: str, *, code: int = REFUSED) -> None:
        super().__init__(message)
        self.code = code


class BadValue(Exception):
    """A word cannot be the value of an argument. The message says what it is not, without the argument's name."""
