"""Questions before what takes many jobs, or cannot be undone: asked on a terminal; elsewhere ``--yes`` must be typed.

A script never meets a question, and a person always does before something is destroyed. One thing that can be taken
back asks nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, TextIO

from gigq.cli.answer import Answer
from gigq.cli.command import Argument, argument
from gigq.cli.exits import UNCONFIRMED, Refused, UsageError
from gigq.cli.forms import IDS
from gigq.cli.styled import Line, Styled, shown, status_cell
from gigq.handles import short
from gigq.pages import Count

if TYPE_CHECKING:
    from gigq.cli.args import Args
    from gigq.records import JobRecord

SAMPLES = 3
"""How many of the things that are meant are shown with a question."""

_ALONE = "there is no terminal to ask on; add --yes to do it, or --dry-run to see more"


def sure(*, all: str = "") -> tuple[Argument, ...]:
    """Return the arguments of a command that asks.

    Args:
        all: what ``--all`` takes, such as "every pending job"; empty for a command without it.
    """
    every = [argument("--all", action="store_true", help=f"{all}; needed where nothing else chooses")] if all else []
    return (
        *every,
        argument("-y", "--yes", action="store_true", help="do not ask; needed where there is no terminal to ask on"),
        argument("--dry-run", action="store_true", help="only say what would be done, and change nothing"),
    )


def confirm(
    args: Args,
    verb: str,
    count: int,
    samples: Sequence[Line] = (),
    *,
    noun: str = "job",
    what: str | None = None,
    ids: Iterable[str] = (),
    warning: str = "",
    is_asked: bool = True,
) -> Answer | None:
    """Ask whether something is meant, unless ``--yes`` was typed.

    Args:
        args: of a command that has the arguments of `sure`.
        verb: what would be done, such as "cancel".
        count: to how many. A person is not asked about none, but a script needs ``--yes`` all the same: otherwise it
            would work until there is something to do.
        samples: lines that show some of them, of which the first three are shown.
        noun: what they are, one of them.
        what: all of it in words, where the number alone says too little. It is asked about even if the number is 0.
        ids: the IDs of all of them, for ``--dry-run -q``.
        warning: a sentence that says what cannot be taken back.
        is_asked: False asks a person nothing.

    Returns:
        What the command answers instead of going on, with ``--dry-run``; None if it is to go on.

    Raises:
        Refused: nobody could be asked (exit code 4), or the answer was no (1). Nothing may be done.
    """
    number = count if isinstance(count, Count) else Count(count)
    is_something = what is not None or number > 0 or not number.is_exact
    what = what or f"{verb} {number.in_words()} {noun}{'' if number == 1 and number.is_exact else 's'}"
    if args.dry_run:
        return _dry(what, verb, number, samples, list(ids) if args.out.form.kind == IDS else ())
    if args.yes:
        return None
    with _asking(args) as answers:
        if answers is None:
            raise Refused(f"this would {what}, and {_ALONE}", code=UNCONFIRMED)
        if is_asked and is_something and not _said_yes(args, what, samples, count, warning, answers):
            raise Refused("nothing was changed")
    return None


def can_ask(args: Args) -> bool:
    """Whether a person is there who can answer a question."""
    with _asking(args) as answers:
        return answers is not None


def require_choice(args: Args, is_chosen: bool, *, choices: str) -> None:
    """Refuse a command that would take everything, unless ``--all`` was typed; and ``--all`` beside a choice.

    Args:
        is_chosen: whether something was typed that chooses.
        choices: what could be typed, such as "an ID, or filters such as --queue NAME".

    Raises:
        UsageError: neither was typed, or both.
    """
    if not is_chosen and not args.all:
        raise UsageError(f"give {choices}; or --all")
    if is_chosen and args.all:
        raise UsageError("--all takes everything; leave it out, or what chooses")


def sample(job: JobRecord) -> Line:
    """Return a job as a question shows it."""
    return Styled(short(job.id)) + "  " + status_cell(job.phase.value) + f"  {job.name}"


def _dry(what: str, verb: str, count: Count, samples: Sequence[Line], ids: Iterable[str]) -> Answer:
    value = {"dry_run": True, "verb": verb, "count": int(count), "is_exact": count.is_exact}
    return Answer(value, [f"This would {what}{_such_as(count, samples)}", *_indented(samples)], ids=ids)


def _said_yes(args: Args, what: str, samples: Sequence[Line], count: int, warning: str, answers: TextIO) -> bool:
    lines: list[Line] = [f"This will {what}{_such_as(count, samples)}", *_indented(samples)]
    lines += [warning] if warning else []
    for line in lines:
        print(shown(line, args.out.errors), file=sys.stderr)
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    typed = answers.readline()
    if not typed.endswith("\n"):  # Ctrl-D leaves the cursor behind the question
        print(file=sys.stderr)
    return typed.strip().lower() in ("y", "yes")


def _such_as(count: int, samples: Sequence[Line]) -> str:
    if not samples:
        return "."
    return ", such as" if count > len(samples[:SAMPLES]) else ":"


def _indented(samples: Sequence[Line]) -> list[Line]:
    return ["  " + each if isinstance(each, str) else Styled("  ") + each for each in islice(samples, SAMPLES)]


@contextmanager
def _asking(args: Args) -> Iterator[TextIO | None]:
    """Where a person answers; None if nobody can be asked.

    That is the terminal on standard input. Where IDs come in there, it is the terminal that the person sits at.
    """
    if not args.out.errors.is_terminal:
        yield None
    elif sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty():
        yield sys.stdin
    elif getattr(args, "ids", None) and "-" in args.ids:
        with suppress(OSError), open("/dev/tty", encoding="utf-8", errors="replace") as terminal:
            yield terminal
            return
        yield None
    else:
        yield None
