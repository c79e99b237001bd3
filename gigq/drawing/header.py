"""The head of a picture: its title, how much is done, and what its signs mean."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Iterator
from typing import NamedTuple

from gigq.drawing import summary
from gigq.drawing.graph import EdgeKind, Graph
from gigq.drawing.marks import SHAPE_WIDTH, words_of
from gigq.drawing.words import WORD_SIZE, ems, shortened
from gigq.markup import Markup, element, joined, visible
from gigq.status import Phase

_TITLE_SIZE = 16.0
_BOLD = 1.08
_LEAST_WIDTH = 300.0
"""Pixels that the head may take though the drawing is narrower."""
_GAP = 18.0
"""Pixels between two signs."""
_ROW = 20.0
_SAMPLE = 26.0
"""Pixels that the sample of a line takes."""


class Header(NamedTuple):
    """The head of a picture, and the room that it takes."""

    markup: Markup
    width: float
    height: float


class _Item(NamedTuple):
    """A sign with its meaning: of a phase, of a kind of edges, or none."""

    text: str
    width: float
    phase: Phase | None = None
    kind: EdgeKind | None = None


def header_of(graph: Graph, *, width: float) -> Header:
    """Return the head of a picture whose drawing is so wide."""
    room = max(width, _LEAST_WIDTH)
    title = shortened(visible(graph.name), room, _title_width)
    head = summary.headline(graph)
    rows = list(_rows(_items(graph), room))
    texts = [element("text", title, class_="title", x=0, y=15), element("text", head, class_="muted", x=0, y=35)]
    signs = [
        _item(item, x, 35 + _ROW * number) for number, row in enumerate(rows, 1) for item, x in row
    ]
    widths = [_title_width(title), ems(head) * WORD_SIZE, *(x + item.width for row in rows for item, x in row)]
    return Header(joined(*texts, *signs), max(widths), 35 + _ROW * (len(rows) + 1))


def _title_width(text: str) -> float:
    return ems(text) * _TITLE_SIZE * _BOLD


def _items(graph: Graph) -> Iterator[_Item]:
    for phase, text in summary.totals(graph):
        yield _Item(text, SHAPE_WIDTH + ems(text) * WORD_SIZE, phase=phase)
    for kind, text in summary.kinds(graph):
        yield _Item(text, _SAMPLE + 8 + ems(text) * WORD_SIZE, kind=kind)
    if text := summary.note(graph):
        yield _Item(text, ems(text) * WORD_SIZE)


def _rows(items: Iterator[_Item], room: float) -> Iterator[list[tuple[_Item, float]]]:
    """Yield rows of signs that fit, each sign with its place."""
    row: list[tuple[_Item, float]] = []
    x = 0.0
    for item in items:
        if row and x + item.width > room:
            yield row
            row, x = [], 0.0
        row.append((item, x))
        x += item.width + _GAP
    if row:
        yield row


def _item(item: _Item, x: float, y: float) -> Markup:
    if item.kind:
        sample = element("path", class_=f"line {item.kind}", d=f"M{x:.0f} {y - 4:.0f}H{x + _SAMPLE:.0f}")
        return joined(sample, element("text", item.text, class_="muted", x=x + _SAMPLE + 8, y=y))
    return words_of(item.phase, item.text, x, y)
