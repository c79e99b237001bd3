"""The command line: words in, lines and an exit code out."""

from __future__ import annotations

import os
from collections.abc import Sequence

from gigq.cli import output
from gigq.cli.call import Call, Refused, UsageError
from gigq.cli.commands import in_typed_words
from gigq.cli.parser import build_parser
from gigq.errors import GigqError, NotAQueue

__all__ = ["DONE", "EXIT_CODES", "INTERRUPTED", "REFUSED", "USAGE", "main"]

DONE, REFUSED, USAGE, INTERRUPTED = 0, 1, 2, 130

EXIT_CODES = {
    DONE: "done",
    REFUSED: "refused, failed or not found; one line on standard error says why",
    USAGE: "the command was typed wrongly, or an environment variable has a value that its option cannot have",
    INTERRUPTED: "interrupted",
}
"""Every exit code that a command can have, with its meaning."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code, which is one of `EXIT_CODES`.

    Args:
        argv: the words after ``gigq``; those of this process by default.
    """
    output.accept_any_text()
    try:
        return _run(argv)
    finally:
        output.discard_unwritable()


def _run(argv: Sequence[str] | None) -> int:
    try:
        _dispatch(argv)
        output.flush()
    except BrokenPipeError:
        return DONE  # the reader has seen enough, as in `gigq list | head -1`
    except KeyboardInterrupt:
        return INTERRUPTED
    except UsageError as error:
        output.note(str(error))
        return USAGE
    except (Refused, GigqError, ValueError, OSError) as error:
        output.note(str(error) or type(error).__name__)
        return REFUSED
    return DONE


def _dispatch(argv: Sequence[str] | None) -> None:
    try:
        options = build_parser().parse_args(argv)
    except SystemExit:  # argparse has printed a help page, or the version
        return
    call = Call(options=options, environ=os.environ)
    try:
        options.run(call)
    except NotAQueue as error:
        raise Refused(call.why_not_opened(str(error))) from None
    except ValueError as error:
        raise Refused(in_typed_words(str(error), options.names)) from None
