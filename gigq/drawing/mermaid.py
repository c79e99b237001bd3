"""A graph as the text of a Mermaid flowchart, which GitHub and others draw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gigq.cleaning import clean
from gigq.drawing import summary
from gigq.drawing.collapsing import readable
from gigq.drawing.graph import Graph, Node
from gigq.drawing.lines import lines_of
from gigq.drawing.looks import LIGHT, LOOKS, blended
from gigq.drawing.words import shortened
from gigq.status import Phase

_ARROWS = {"needs": "-->", "found": "-.->", "awaited": "-.->", "circle": "<---"}
_SAFE = frozenset(" _-.,()/")
"""The marks that mean nothing to Mermaid inside a quoted text; every other one is written by its number."""
_COLON = f"#{ord(':')};"
"""A colon, which means something in a label, as in ``fa:fa-car``, but nothing in a comment."""
_LENGTHS = (60, 24, 8)
"""Letters of a name, the most of these with which the text is not too long."""
_MOST_TEXT = 50_000
"""Characters of which Mermaid draws no more, unless it is told to."""


def to_mermaid(graph: Graph) -> str:
    """Return a flowchart. Where phases are known, each has a class of its own, which gives it its colours."""
    shown = readable(graph)
    texts = (_flowchart(shown, longest) for longest in _LENGTHS)
    return next((text for text in texts if len(text) <= _MOST_TEXT), _flowchart(shown, _LENGTHS[-1]))


def _flowchart(shown: Graph, longest: int) -> str:
    number_of = {node.id: f"job{number}" for number, node in enumerate(shown.nodes, 1)}
    sentence = summary.sentence(shown._replace(name=shortened(shown.name, longest, len)))
    lines = [f"%% {escaped(sentence).replace(_COLON, ':')}", "flowchart TD"]
    lines += [f'    {number_of[node.id]}["{_label(node, longest)}"]' for node in shown.nodes]
    lines += [f"    {number_of[parent]} {_ARROWS[kind]} {number_of[child]}" for parent, child, kind in shown.edges]
    return "\n".join([*lines, *_classes(shown, number_of)]) + "\n"


def escaped(text: str) -> str:
    """Return text for a quoted label of Mermaid: marks become character codes such as ``#35;``, also those of HTML."""
    return "".join(
        f"#{ord(letter)};" if letter.isascii() and not (letter.isalnum() or letter in _SAFE) else letter
        for letter in clean(text)
    ).replace("direction", "directio#110;")  # followed by LR, it is a command wherever it stands in a line (11.12)


def _label(node: Node, longest: int) -> str:
    name = shortened(clean(node.name), longest, len)
    words = (f"{LOOKS[phase].sign} {escaped(text)}" if phase else escaped(text) for phase, text in lines_of(node))
    return "<br/>".join([escaped(name) or " ", *words])


def _classes(shown: Graph, number_of: dict[str, str]) -> Iterator[str]:
    members: defaultdict[Phase, list[str]] = defaultdict(list)
    for node in shown.nodes:
        if node.phase:
            members[node.phase].append(number_of[node.id])
    for phase, numbers in members.items():
        colour = LOOKS[phase].light
        ground = blended(colour, LIGHT.panel, LIGHT.tint)
        yield f"    classDef {phase} fill:{ground},stroke:{colour},color:{colour}"
        yield f"    class {','.join(numbers)} {phase}"
