"""What the commands share that look back: the span of time, and what they say of how far they looked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gigq.cli import values
from gigq.cli.command import argument
from gigq.clock import to_text

if TYPE_CHECKING:
    from gigq.cli.args import Args
    from gigq.findings import Findings

WITHIN = 10.0
"""Seconds that a person waits for a look back; then it shows what it has found."""

SPAN = (
    argument("--since", metavar="TIME", type=values.older_than,
        help="how long ago the time begins, such as 1h or 7d, or when (ISO 8601); default: 24h"),
    argument("--until", metavar="TIME", type=values.older_than,
        help="how long ago it ends, or when; default: now"),
)  # fmt: skip
"""The options of a span of time."""


def span_of(args: Args, since: str, otherwise: str) -> dict[str, Any]:
    """Return the span that was typed, for a method of `History`, with the time that the look may take.

    Args:
        since: what the method calls the beginning.
        otherwise: the beginning where none was typed.
    """
    from gigq.clock import SystemClock, to_past

    until = None if args.until is None else to_past(args.until, "--until", now=SystemClock().now())
    return {since: otherwise if args.since is None else args.since, "until": until, "within": WITHIN}


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
