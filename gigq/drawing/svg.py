"""A graph as an SVG that needs nothing else: no script, no font, no other file."""

from __future__ import annotations

from hashlib import blake2b
from math import ceil

from gigq.drawing import summary
from gigq.drawing.collapsing import readable
from gigq.drawing.graph import Graph, Node, neighbours
from gigq.drawing.header import header_of
from gigq.drawing.layout import Box, Drawing, drawn
from gigq.drawing.lines import lines_of
from gigq.drawing.marks import SHAPE_WIDTH, line_of, words_of
from gigq.drawing.style import style_of
from gigq.drawing.words import WORD_SIZE, ems, shortened
from gigq.markup import Markup, element, joined, number, visible
from gigq.status import Phase

_MARGIN = 20.0
_PADDING = 12.0
_NAME_SIZE = 13.0
_BOLD = 1.08
"""How much wider a text is in bold letters."""
_LEAST_WIDTH, _MOST_WIDTH = 96.0, 232.0
_FIRST_LINE, _LINE_HEIGHT, _REST = 22.0, 17.0, 10.0
_STACK = 4.0
"""Pixels by which the second box of several jobs looks out from under the first."""


_MOST_DESCRIBED = 40
"""Jobs that are described one by one, to those who do not see the picture."""


def to_svg(graph: Graph) -> Markup:
    """Return the picture of a graph. The same graph always gives the same text."""
    shown = readable(graph)
    room = _width(shown)
    picture = drawn(shown, {node.id: _size(node, room) for node in shown.nodes})
    header = header_of(shown, width=picture.width)
    width = max(picture.width, header.width) + 2 * _MARGIN
    height = picture.height + header.height + 2 * _MARGIN
    body = joined(
        element("rect", class_="panel", x=0.5, y=0.5, width=width - 1, height=height - 1, rx=8),
        _moved(header.markup, _MARGIN, _MARGIN),
        _moved(_graph(shown, picture), (width - picture.width) / 2, _MARGIN + header.height),
    )
    return _whole(shown, body, width, height)


def _whole(shown: Graph, body: Markup, width: float, height: float) -> Markup:
    """Return the picture around a body. Its class follows from that: two on one page do not disturb each other."""
    scope = f"gigq-{blake2b(str(body).encode(), digest_size=6).hexdigest()}"
    return element(
        "svg",
        element("title", summary.sentence(shown)),
        element("desc", _description(shown)),
        element("style", style_of(scope, shown)),
        body,
        xmlns="http://www.w3.org/2000/svg",
        class_=scope,
        viewBox=f"0 0 {number(width)} {number(height)}",
        width=width,
        height=height,
        role="img",
        aria_label=summary.sentence(shown),
    )


def _description(shown: Graph) -> str:
    """Return the jobs in words, each after those that it waits for."""
    names = {node.id: node.name for node in shown.nodes}
    parents = neighbours(shown.edges, of="child")
    told = []
    for node in shown.nodes[:_MOST_DESCRIBED]:
        after = ", ".join(names[parent] for parent in parents.get(node.id, ())[:_MOST_DESCRIBED])
        told.append(", ".join(filter(None, [node.name, *map(_in_words, lines_of(node)), after and f"after {after}"])))
    more = len(shown.nodes) - len(told)
    return "; ".join(told) + (f"; and {more:,} more" if more else "") + "."


def _moved(content: Markup, x: float, y: float) -> Markup:
    return element("g", content, transform=f"translate({number(x)} {number(y)})")


def _graph(shown: Graph, picture: Drawing) -> Markup:
    """Return the lines, and the boxes over them."""
    nodes = {node.id: node for node in shown.nodes}
    # Without a style sheet, which some pages take away, lines would be filled.
    lines = element("g", *(line_of(each, picture.direction) for each in picture.lines), fill="none", stroke="#848b93")
    return joined(lines, *(_box(nodes[box.node], box) for box in picture.boxes))


# boxes


def _in_words(line: tuple[Phase | None, str]) -> str:
    return line[1]


def _width(shown: Graph) -> float:
    """Return the width of all boxes: what the longest words take, within bounds."""
    names = max((_name_width(visible(node.name)) for node in shown.nodes), default=0.0)
    words = max((ems(text) * WORD_SIZE for node in shown.nodes for _, text in lines_of(node)), default=0.0)
    return float(ceil(min(_MOST_WIDTH, max(_LEAST_WIDTH, names + 2 * _PADDING, words + SHAPE_WIDTH + 2 * _PADDING))))


def _name_width(name: str) -> float:
    return ems(name) * _NAME_SIZE * _BOLD


def _size(node: Node, width: float) -> tuple[float, float]:
    return width, _FIRST_LINE + _LINE_HEIGHT * len(lines_of(node)) + _REST


def _box(node: Node, box: Box) -> Markup:
    """Return one node, which shows its whole name when it is pointed at."""
    lines = lines_of(node)
    name = visible(node.name)
    shown = shortened(name, box.width - 2 * _PADDING, _name_width)
    place = {"x": box.x, "y": box.y, "width": box.width, "height": box.height, "rx": 7}
    under = {**place, "x": box.x + _STACK, "y": box.y + _STACK}
    return element(
        "g",
        element("title", " · ".join(filter(None, [node.name, node.function, *map(_in_words, lines)]))),
        element("rect", class_="box", **under) if node.counts else None,
        element("rect", class_="box", **place),
        element("text", shown, class_="name", x=box.x + _PADDING, y=box.y + _FIRST_LINE - 1),
        *(
            words_of(phase, text, box.x + _PADDING, box.y + _FIRST_LINE + _LINE_HEIGHT * number)
            for number, (phase, text) in enumerate(lines, 1)
        ),
        class_=f"job {node.phase or ''}".rstrip(),
    )
