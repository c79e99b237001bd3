"""The parts that pictures are made of: the line of an edge, and words behind the sign of their phase."""

from __future__ import annotations

from collections.abc import Sequence

from gigq.drawing.layout import ARROW, Direction, Line, Point
from gigq.drawing.looks import LOOKS
from gigq.markup import Markup, element, joined, number
from gigq.status import Phase

SHAPE_WIDTH = 18.0
"""Pixels from the left of a sign to its words."""
_HALF = 3.8
"""Half the width of the head of an arrow."""


def words_of(phase: Phase | None, text: str, x: float, y: float) -> Markup:
    """Return words with the sign of their phase before them; the line of writing is at `y`."""
    if phase is None:
        return element("text", text, class_="words", x=x, y=y)
    sign = element("g", _shape(phase), transform=f"translate({number(x)} {number(y - 10)})")
    return element("g", sign, element("text", text, class_="words", x=x + SHAPE_WIDTH, y=y), class_=phase.value)


def sign_of(phase: Phase) -> Markup:
    """Return the sign of a phase as a picture of its own, for a page that has its word next to it."""
    return element("svg", _shape(phase), viewBox="0 0 12 12", width=12, height=12, aria_hidden="true")


def _shape(phase: Phase) -> Markup:
    look = LOOKS[phase]
    classes = ["sign", "filled" if look.is_filled else "", "dashed" if look.is_dashed else ""]
    return element("path", class_=" ".join(filter(None, classes)), d=look.shape, fill="none", stroke="currentColor")


def line_of(line: Line, direction: Direction) -> Markup:
    """Return an edge with the head of its arrow, which is at the upper end of what closes a circle."""
    points = line.points if direction == "down" else [(y, x) for x, y in line.points]
    is_back = line.edge.kind == "circle"
    step = ARROW if is_back else -ARROW
    (x, y) = tip = points[0] if is_back else points[-1]
    head = [(x - _HALF, y + step), tip, (x + _HALF, y + step)]
    return joined(
        element("path", class_=f"line {line.edge.kind}", d=_way(points, direction)),
        element("path", class_=f"head {line.edge.kind}", d=f"M{'L'.join(_at(each, direction) for each in head)}Z"),
    )


def _way(points: Sequence[Point], direction: Direction) -> str:
    """Return the path through points that go down: straight and curved in turn, without the last pixels at its tip."""
    way, here = [f"M{_at(points[0], direction)}"], points[0]
    for place, point in enumerate(points[1:]):
        if place % 2 == 0 or point[0] == here[0]:
            if point != here:
                way.append(f"L{_at(point, direction)}")
        else:
            middle = (here[1] + point[1]) / 2
            bends = [(here[0], middle), (point[0], middle), point]
            way.append(f"C{' '.join(_at(each, direction) for each in bends)}")
        here = point
    return "".join(way)


def _at(point: Point, direction: Direction) -> str:
    x, y = point if direction == "down" else (point[1], point[0])
    return f"{number(x)} {number(y)}"
