"""Pictures of jobs that depend on each other: drawn in the terminal, or written as Mermaid or SVG."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gigq.cli.args import Args
from gigq.cli.command import Exclusive, argument, exclusive
from gigq.cli.exits import Refused
from gigq.cli.styled import Line, Styled

if TYPE_CHECKING:
    from gigq.drawing.graph import Graph

STANDARD_OUTPUT = "-"


def kinds(mermaid: str) -> Exclusive:
    """Return the options that choose the kind of the picture.

    Args:
        mermaid: the help of ``--mermaid``.
    """
    return exclusive(
        argument("--mermaid", action="store_true", help=mermaid),
        argument("--svg", metavar="FILE", nargs="?", const=STANDARD_OUTPUT, completes="files",
            help="as SVG, into this file or on standard output; give it after the ID"),
    )  # fmt: skip


def drawn(args: Args, graph: Graph) -> Iterator[Line]:
    """Yield the lines of a picture for the terminal."""
    from gigq.drawing.text import Terminal, to_text  # only here: few commands draw

    shown = args.terminal
    terminal = Terminal(shown.width_or(100), is_unicode=shown.is_unicode, is_coloured=shown.is_coloured)
    yield from map(Styled.drawn, to_text(graph, terminal))


def mermaid(graph: Graph) -> list[str]:
    """Return the lines of a picture as Mermaid."""
    from gigq.drawing.mermaid import to_mermaid

    return to_mermaid(graph).splitlines()


def svg(graph: Graph) -> str:
    """Return a picture as SVG."""
    from gigq.drawing.svg import to_svg

    return str(to_svg(graph))


def write(file: str, picture: str) -> None:
    """Write a picture into a file.

    Raises:
        Refused: it cannot be written.
    """
    try:
        with open(file, "w", encoding="utf-8") as opened:
            opened.write(picture)
    except (OSError, ValueError) as error:
        raise Refused(f"{file!r} cannot be written: {getattr(error, 'strerror', None) or error}") from None
