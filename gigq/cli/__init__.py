"""The command line: words come in, lines and an exit code go out."""

from __future__ import annotations

import os
from collections.abc import Sequence

from gigq.cli import output
from gigq.cli.call import Call, Refused, UsageError
from gigq.cli.parser import build_parser
from gigq.errors import GigqError

__all__ = ["main"]

DONE, REFUSED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code: 0 done, 1 refused or failed, 2 usage, 130 interrupted.

    Args:
        argv: the words after ``gigq``; those of this process by default.
    """
    output.accept_any_text()
    try:
        return _run(argv)
    finally:
        output.let_go()


def _run(argv: Sequence[str] | None) -> int:
    try:
        _obey(argv)
        output.flush()
    except BrokenPipeError:
        return DONE  # whoever reads has seen enough, as in `gigq list | head -1`
    except KeyboardInterrupt:
        return INTERRUPTED
    except UsageError as error:
        output.complain(str(error))
        return USAGE
    except (Refused, GigqError, ValueError, OSError) as error:
        output.complain(str(error) or type(error).__name__)
        return REFUSED
    return DONE


def _obey(argv: Sequence[str] | None) -> None:
    try:
        options = build_parser().parse_args(argv)
    except SystemExit:  # argparse has printed a help page
        return
    options.run(Call(options=options, environ=os.environ))
