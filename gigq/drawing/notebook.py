"""A workflow as a piece of HTML for a notebook."""

from __future__ import annotations

from collections.abc import Callable

from gigq.drawing import cards
from gigq.drawing.graph import Graph
from gigq.drawing.svg import to_svg
from gigq.markup import Markup, element, joined


def html(name: str, current: Callable[[], Graph], planned: Callable[[], Graph]) -> str:
    """Return a picture, or if it cannot be drawn the reason, and what can be drawn without the file.

    Args:
        current: the graph with where its jobs stand.
        planned: the graph of the jobs in memory.
    """
    return cards.shown(lambda: _picture(name, current, planned), name)


def _picture(name: str, current: Callable[[], Graph], planned: Callable[[], Graph]) -> Markup:
    try:
        return _framed(current())
    except Exception as error:
        reason = cards.card(name, cards.warning(f"where its jobs stand is not known: {error or type(error).__name__}"))
        return joined(reason, _framed(planned()))


def _framed(graph: Graph) -> Markup:
    """Return a picture that is scrolled in its frame where it is wider than the page."""
    return element("div", to_svg(graph), style="overflow:auto")
