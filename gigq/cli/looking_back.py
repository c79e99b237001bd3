"""What the commands share that look back: the span of time, and what they say of how far they looked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gigq.cli.command import Argument, argument
from gigq.cli.exits import BadValue
from gigq.clock import to_text

if TYPE_CHECKING:
    from datetime import datetime

    from gigq.cli.args import Args
    from gigq.findings import Findings

WITHIN = 10.0
"""Seconds that a person waits for a look back; then it shows what it has found."""



def moment(text: str) -> datetime:
    """Return the instant that a person means; see `gigq help times`."""
    from gigq import times  # only here: help needs no times
    from gigq.clock import SystemClock

    try:
        return times.moment(text, now=SystemClock().now())
    except ValueError as error:
        raise BadValue(str(error)) from None


def span(otherwise: str) -> tuple[Argument, Argument]:
    """Return the options of a span of time; `otherwise` is how long it is where none was typed."""
    return (
        argument("--since", metavar="TIME", type=moment,
            help=f"when it begins, such as 2h, 09:30, yesterday or 2026-01-31; default: {otherwise}"),
        argument("--until", metavar="TIME", type=moment, help="when it ends, likewise; default: now"),
    )  # fmt: skip


def span_of(args: Args, since: str, otherwise: str) -> dict[str, Any]:
    """Return the span that was typed, for a method of `History`, with the time that the look may take.

    Args:
        since: what the method calls the beginning.
        otherwise: the beginning where none was typed.
    """
    return {since: otherwise if args.since is None else args.since, "until": args.until, "within": WITHIN}


def notes_of(found: Findings[Any], what: str) -> list[str]:
    """Return what people and programs should know of how far a look went."""
    notes = []
    if found.is_cut:
        notes.append(
            f"only the newest {found.looked_at:,} executions were looked at, for {WITHIN:g} s; a later --since shows "
            f"all {what}"
        )
    if found.known_since is not None and (found.since is None or found.since < found.known_since):
        notes.append(f"what ended before {shown(found.known_since)} may have been pruned")
    return notes


def shown(instant: Any) -> str:
    """Return an instant for people, in UTC."""
    return f"{to_text(instant)[:19].replace('T', ' ')} UTC"
