"""A graph for a terminal, line by line."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from itertools import chain
from typing import NamedTuple

from gigq.cleaning import clean
from gigq.drawing import summary
from gigq.drawing.collapsing import readable
from gigq.drawing.graph import EdgeKind, Graph, Node, levels
from gigq.drawing.lines import lines_of
from gigq.drawing.looks import LOOKS
from gigq.drawing.rails import Row, rails
from gigq.drawing.words import columns, shortened
from gigq.status import Phase

_MOST_RAILS = 24
"""Columns that lines may take; with more of them nobody can follow one."""
_LEAST_NAME = 12
_MOST_NAMED = 3
_GAP = "  "
_PLAIN = str.maketrans({**dict.fromkeys("├┤┬┴┼╮╭╯╰", "+"), "│": "|", "─": "-"})


class Terminal(NamedTuple):
    """What a terminal can show.

    Attributes:
        width: its columns.
        is_unicode: whether it shows lines and signs; otherwise they are made of ASCII. Names stay as they are.
        is_coloured: whether it shows colours, set by escape sequences.
    """

    width: int = 80
    is_unicode: bool = True
    is_coloured: bool = False


class _Part(NamedTuple):
    """A piece of a line, and the numbers of the escape sequence for its colour; empty for none."""

    text: str
    colour: str = ""


def to_text(graph: Graph, terminal: Terminal) -> list[str]:
    """Return the lines of a drawing: jobs below those that they wait for, with lines between them.

    Where too many lines would be side by side, the jobs are listed by levels instead, each with the names of those that
    it waits for. Names are cleaned: no character of theirs reaches the terminal that could do something there.
    """
    shown = readable(graph)
    alone, others = _parted(shown)
    rows = rails(others)
    if max((row.width for row in rows), default=0) > min(_MOST_RAILS, terminal.width // 3):
        lines = _listed(shown, terminal)
    else:
        lines = chain(_joined(shown, rows, terminal), _alone(shown, alone, terminal))
    return [_fitted(line, terminal) for line in (*_head(shown, terminal), *lines)]


# the head


def _head(shown: Graph, terminal: Terminal) -> Iterator[list[_Part]]:
    yield [_Part(_short(clean(shown.name), terminal.width, terminal), "1")]
    yield [_Part(summary.headline(shown))]
    yield from _wrapped([_words(phase, text, terminal) for phase, text in summary.totals(shown)], terminal.width)
    if note := summary.note(shown):
        yield [_Part(note)]
    if shown.nodes:
        yield []


def _wrapped(parts: Sequence[_Part], width: int) -> Iterator[list[_Part]]:
    line: list[_Part] = []
    for part in parts:
        if line and sum(columns(each.text) for each in line) + columns(part.text) > width:
            yield line
            line = []
        line += [part, _Part(_GAP)]
    if line:
        yield line


# the jobs


def _parted(shown: Graph) -> tuple[list[Node], Graph]:
    """Return the nodes without edges, and the graph of the others."""
    ends = {end for edge in shown.edges for end in edge[:2]}
    others = [node for node in shown.nodes if node.id in ends]
    return [node for node in shown.nodes if node.id not in ends], shown._replace(nodes=others)


def _alone(shown: Graph, alone: Sequence[Node], terminal: Terminal) -> Iterator[list[_Part]]:
    """Yield the jobs without edges, apart from the others: below each other they would look like a chain."""
    if alone:
        table = _table(shown, terminal, terminal.width - 2 * len(_GAP))
        if len(alone) < len(shown.nodes):
            yield []
            yield [_Part("Without dependencies:")]
        for node in alone:
            yield [_Part(_GAP), _sign(node, terminal), _Part(" "), *table[node.id]]


def _joined(shown: Graph, rows: Sequence[Row], terminal: Terminal) -> Iterator[list[_Part]]:
    """Yield the jobs with lines between them."""
    nodes = {node.id: node for node in shown.nodes}
    notes = _notes(shown, only={"found", "circle"})
    left = max((row.width for row in rows), default=0)
    table = _table(shown, terminal, terminal.width - left - len(_GAP))
    for row in rows:
        if row.node is None:
            yield [_lines(row.before, terminal)]
        else:
            sign = _sign(nodes[row.node], terminal)
            after = row.after.ljust(left - len(row.before) - 1) + _GAP
            yield [_lines(row.before, terminal), sign, _lines(after, terminal), *table[row.node], *notes[row.node]]


def _listed(shown: Graph, terminal: Terminal) -> Iterator[list[_Part]]:
    """Yield the jobs by levels."""
    level_of = levels(shown)
    notes = _notes(shown, only={"needs", "found", "awaited", "circle"})
    table = _table(shown, terminal, terminal.width * 2 // 3)
    for level in range(max(level_of.values(), default=-1) + 1):
        yield [_Part(f"{level + 1}.", "1")]
        for node in shown.nodes:
            if level_of[node.id] == level:
                yield [_Part(_GAP), _sign(node, terminal), _Part(" "), *table[node.id], *notes[node.id]]


def _table(shown: Graph, terminal: Terminal, width: int) -> dict[str, list[_Part]]:
    """Return the name of each node and what is known of it, in two columns."""
    names = {node.id: clean(node.name) for node in shown.nodes}
    words = {node.id: ", ".join(text for _, text in lines_of(node)) for node in shown.nodes}
    widest = min(width // 2, max(map(columns, words.values()), default=0))
    room = min(max(_LEAST_NAME, width - widest - len(_GAP)), max(map(columns, names.values()), default=0))
    table = {}
    for node in shown.nodes:
        name = _short(names[node.id], room, terminal)
        colour = LOOKS[node.phase].terminal if node.phase else ""
        padding = " " * (room - columns(name)) + _GAP
        table[node.id] = [_Part(name + padding), _Part(words[node.id].ljust(widest), colour)]
    return table


def _notes(shown: Graph, *, only: Set[EdgeKind]) -> defaultdict[str, list[_Part]]:
    """Return for each node what is to be said of its edges of these kinds."""
    names = {node.id: clean(node.name) for node in shown.nodes}
    others: defaultdict[tuple[str, EdgeKind], list[str]] = defaultdict(list)
    for parent, child, kind in shown.edges:
        if kind in only:
            here, other = (parent, child) if kind == "circle" else (child, parent)
            others[here, kind].append(names[other])
    notes: defaultdict[str, list[_Part]] = defaultdict(list)
    for (node, kind), named in others.items():
        more = f" and {len(named) - _MOST_NAMED:,} more" if len(named) > _MOST_NAMED else ""
        notes[node].append(_Part(f"{_GAP}{_NOTES[kind]} {', '.join(named[:_MOST_NAMED])}{more}"))
    return notes


_NOTES: dict[EdgeKind, str] = {
    "needs": "after",
    "found": "found by",
    "awaited": "awaited by",
    "circle": "in a circle: waits for",
}


# parts


def _lines(text: str, terminal: Terminal) -> _Part:
    return _Part(text if terminal.is_unicode else text.translate(_PLAIN), "2")


def _sign(node: Node, terminal: Terminal) -> _Part:
    if node.phase is None:
        return _Part("●" if terminal.is_unicode else "*")
    look = LOOKS[node.phase]
    return _Part(look.sign if terminal.is_unicode else look.plain, look.terminal)


def _words(phase: Phase | None, text: str, terminal: Terminal) -> _Part:
    if phase is None:
        return _Part(text)
    look = LOOKS[phase]
    return _Part(f"{look.sign if terminal.is_unicode else look.plain} {text}", look.terminal)


def _short(text: str, width: int, terminal: Terminal) -> str:
    return shortened(text, width, columns, ellipsis="…" if terminal.is_unicode else "..")


def _fitted(line: Sequence[_Part], terminal: Terminal) -> str:
    """Return a line that is no wider than the terminal."""
    room, found = terminal.width, []
    for place, part in enumerate(line):
        is_last = not any(each.text.strip() for each in line[place + 1 :])
        text = _short(part.text.rstrip() if is_last else part.text, room, terminal)
        room -= columns(text)
        found.append(f"\x1b[{part.colour}m{text}\x1b[0m" if terminal.is_coloured and part.colour and text else text)
        if is_last or room <= 0:
            break
    return "".join(found)
