"""The style sheet of a picture: its own, and no word of it reaches beyond its picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gigq.drawing.graph import Graph
from gigq.drawing.looks import DARK, LIGHT, LOOKS, Ground, blended
from gigq.status import Phase

FONT = "font-family:system-ui,-apple-system,Segoe UI,Roboto,Helvetica Neue,Helvetica,Arial,sans-serif"
_DASHES = {"found": "6 4", "awaited": "2 4"}

_SHAPES = (
    f"text{{{FONT};font-size:12px;font-variant-numeric:tabular-nums}}",
    ".title{font-size:16px;font-weight:600}",
    ".name{font-size:13px;font-weight:600}",
    ".panel,.box{stroke-width:1}",
    ".line{fill:none;stroke-width:1.4}",
    ".sign{stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}",
    ".dashed{stroke-dasharray:1.4 2.4}",
    ".running .box{stroke-width:2}",
    ".waiting .box{stroke-dasharray:4 3}",
    *(f".{kind}{{stroke-dasharray:{dashes}}}" for kind, dashes in _DASHES.items()),
    ".head{stroke-dasharray:none}",
)
"""Rules that hold on any ground."""


def style_of(scope: str, graph: Graph) -> str:
    """Return the rules for the phases and lines of a graph, light, and dark where the page asks for that.

    The picture has a ground of its own in both, so that it can be read also on a page that is dark and does not say so.
    """
    shown = {phase for node in graph.nodes for phase in (node.phase, *node.counts)}
    phases = [phase for phase in Phase if phase in shown]
    light = scoped(scope, [*_SHAPES, *_colours(LIGHT, phases, is_dark=False)])
    dark = scoped(scope, _colours(DARK, phases, is_dark=True))
    return f"{light}@media (prefers-color-scheme:dark){{{dark}}}"


def scoped(scope: str, rules: Iterable[str]) -> str:
    """Return the rules for what is inside of the element with this class."""
    parts = (rule.partition("{") for rule in rules)
    return "".join(
        ",".join(f".{scope} {selector}" for selector in selectors.split(",")) + "{" + rest
        for selectors, _, rest in parts
    )


def _colours(ground: Ground, phases: list[Phase], *, is_dark: bool) -> Iterator[str]:
    yield f".panel{{fill:{ground.panel};stroke:{ground.hairline}}}"
    yield f".box{{fill:{ground.box};stroke:{ground.border}}}"
    yield f".title,.name{{fill:{ground.text}}}"
    yield f".muted,.words{{fill:{ground.muted}}}"
    yield f".line{{stroke:{ground.line}}}"
    yield f".head{{fill:{ground.line};stroke:none}}"
    yield f".line.circle{{stroke:{ground.warning}}}"
    yield f".head.circle{{fill:{ground.warning}}}"
    for phase in phases:
        colour = LOOKS[phase].dark if is_dark else LOOKS[phase].light
        yield f".job.{phase} .box{{fill:{blended(colour, ground.panel, ground.tint)};stroke:{colour}}}"
        yield f".{phase} .words{{fill:{colour}}}"
        yield f".{phase} .sign{{stroke:{colour}}}"
        yield f".{phase} .filled{{fill:{colour}}}"
