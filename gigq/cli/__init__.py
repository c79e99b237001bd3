"""The command line: words in, an answer and an exit code out."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gigq.cli import output
from gigq.cli.common import colour_of
from gigq.cli.exits import (
    DONE,
    EXIT_CODES,
    INTERRUPTED,
    REFUSED,
    UNCONFIRMED,
    UNFINISHED,
    USAGE,
    Refused,
    UsageError,
)  # fmt: skip
from gigq.cli.parser import add_defaults, parse
from gigq.errors import GigqError, NotAQueue

if TYPE_CHECKING:
    from gigq.cli.answer import Answer
    from gigq.cli.args import Args
    from gigq.cli.command import Command

__all__ = [
    "DONE", "EXIT_CODES", "INTERRUPTED", "REFUSED", "UNCONFIRMED", "UNFINISHED", "USAGE", "Refused", "UsageError",
    "main",
]  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code, which is one of `EXIT_CODES`.

    Args:
        argv: the words after ``gigq``; those of this process by default.
    """
    output.accept_any_text()
    if argv is None and sys.argv[1:2] == ["__complete"]:
        from gigq.cli.completion import end_soon

        end_soon()
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    finally:
        output.discard_unwritable()


def _run(argv: Sequence[str]) -> int:
    try:
        code = _dispatch(argv)
        output.flush()
    except BrokenPipeError:
        return DONE  # the reader has seen enough, as in `gigq list | head -1`
    except KeyboardInterrupt:
        return INTERRUPTED
    except UsageError as error:
        output.note(str(error))
        return USAGE
    except Refused as error:
        output.note(str(error))
        return error.code
    except (GigqError, ValueError, OSError) as error:
        output.note(str(error) or type(error).__name__)
        return REFUSED
    return code


def _dispatch(argv: Sequence[str]) -> int:
    if argv[:1] == ["__complete"]:
        from gigq.cli.completion import complete

        complete(argv[1:])
        return DONE
    typed = parse(argv)
    if typed.asks_for or typed.command is None:
        from gigq.cli.help import asked

        output.write(asked(typed, os.environ))
        return DONE
    try:
        return _carried_out(typed.command, typed.values)
    except ValueError as error:
        raise Refused(_in_typed_words(str(error), typed.command)) from None


def _in_typed_words(message: str, command: Command) -> str:
    from gigq.cli.wording import in_typed_words

    # Of several arguments for one value the first counts.
    names = {each.dest: each.typed_name for each in reversed(command.arguments)}
    return in_typed_words(message, {"db_path": "--db", **names})


def _carried_out(command: Command, values: dict[str, Any]) -> int:
    from gigq.cli.args import Args
    from gigq.cli.forms import checked
    from gigq.cli.out import Output
    from gigq.cli.terminal import terminal_of

    add_defaults(command, values, os.environ)
    form = checked(values["form"], command.fields)
    colour = colour_of(values["color"], os.environ)
    terminal = terminal_of(sys.stdout, os.environ, colour=colour)
    out = Output(form, terminal, environ=os.environ, colour=colour, is_paged=command.is_long)
    args = Args(values, absent=command.absent, environ=os.environ, out=out)
    try:
        answer = _acted(command, args)
    except NotAQueue as error:
        raise Refused(args.why_not_opened(str(error))) from None
    if answer is None:
        return DONE
    out.answer(answer)
    return answer.code


def _acted(command: Command, args: Args) -> Answer | None:
    from gigq.cli.command import BY_ITSELF, NOTHING

    command.check(args)
    how = command.opens if isinstance(command.opens, str) else command.opens(args)
    if how in (NOTHING, BY_ITSELF):
        return command.run(args)
    with args.open(how) as queue:
        return command.run(queue, args)
