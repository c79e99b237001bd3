"""Graphs of all kinds and sizes, which the tests draw."""

from __future__ import annotations

import random

from gigq.drawing.graph import Edge, Graph, Node
from gigq.status import Phase

PHASES = list(Phase)


def nodes(number: int) -> list[Node]:
    return [Node(f"n{each}", f"job {each}", "app:work", PHASES[each % len(PHASES)], "2 s") for each in range(number)]


def chain(number: int) -> Graph:
    return Graph("chain", nodes(number), [Edge(f"n{each}", f"n{each + 1}") for each in range(number - 1)])


def diamond() -> Graph:
    pairs = [("n0", "n1"), ("n0", "n2"), ("n1", "n3"), ("n2", "n3")]
    return Graph("diamond", nodes(4), [Edge(*pair) for pair in pairs])


def fan_out(number: int) -> Graph:
    """One job, many that wait for it, and one that waits for these."""
    middle = [f"n{each}" for each in range(1, number + 1)]
    edges = [Edge("n0", each) for each in middle] + [Edge(each, f"n{number + 1}") for each in middle]
    return Graph("fan-out", nodes(number + 2), edges)


def star(number: int) -> Graph:
    return Graph("star", nodes(number + 1), [Edge("n0", f"n{each}") for each in range(1, number + 1)])


def wild(number: int, edges: int, *, seed: int, reach: int) -> Graph:
    """Edges at random, each from a node to one of the next `reach`."""
    dice = random.Random(seed)
    starts = [dice.randrange(number - 1) for _ in range(edges)]
    pairs = [(start, min(number - 1, start + 1 + dice.randrange(reach))) for start in starts]
    return Graph(f"wild {number}", nodes(number), [Edge(f"n{start}", f"n{end}") for start, end in pairs])


def several() -> Graph:
    """Five trees of different sizes, and jobs without edges."""
    edges, first = [], 0
    for size in (3, 5, 2, 7, 4, 1, 1, 1):
        edges += [Edge(f"n{first + (each - 1) // 2}", f"n{first + each}") for each in range(1, size)]
        first += size
    return Graph("several", nodes(first), edges)


def circle() -> Graph:
    pairs = [("n0", "n1"), ("n1", "n2"), ("n2", "n0"), ("n2", "n3"), ("n3", "n2")]
    return Graph("circle", nodes(4), [Edge(*pair) for pair in pairs])


def found() -> Graph:
    """Jobs that others found, and a last one that waits for all."""
    pairs = [("n0", "n1"), ("n0", "n2"), ("n1", "n3"), ("n1", "n4"), ("n4", "n5"), ("n5", "n6"), ("n2", "n7")]
    last = [Edge(f"n{each}", "n8") for each in range(8)]
    return Graph("found", nodes(9), [Edge(*pair, "found") for pair in pairs] + last)


def anything(seed: int) -> Graph:
    """Edges of all kinds between any nodes, some of them twice, in circles, or from a node to itself."""
    dice = random.Random(seed)
    size = dice.choice((1, 2, 3, 5, 8, 13, 21, 34))
    names = ("", "a", "job " + "x" * dice.randrange(60))
    made = [
        Node(f"n{each}", dice.choice(names), dice.choice(("", "m:f", "m:g")), dice.choice((None, *PHASES)), "2 s")
        for each in range(size)
    ]
    ends = [(f"n{dice.randrange(size)}", f"n{dice.randrange(size)}") for _ in range(dice.randrange(2 * size))]
    edges = [Edge(*pair, dice.choice(("needs", "needs", "needs", "found", "awaited"))) for pair in ends]
    nodes = [node._replace(is_outside=dice.random() < 0.1) for node in made]
    return Graph(f"anything {seed}", nodes, edges)


GRAPHS = {
    "empty": Graph("empty", [], []),
    "one": chain(1),
    "chain of 3": chain(3),
    "chain of 300": chain(300),
    "diamond": diamond(),
    "fan-out of 8": fan_out(8),
    "fan-out of 60": fan_out(60),
    "fan-out of 298": fan_out(298),
    "star of 5,000": star(5000),
    "chain of 2,000": chain(2000),
    "several": several(),
    "alone": Graph("alone", nodes(40), []),
    "circle": circle(),
    "found": found(),
    "wild 12": wild(12, 18, seed=1, reach=6),
    "wild 40": wild(40, 60, seed=2, reach=12),
    "wild 120": wild(120, 180, seed=3, reach=40),
    "wild 300": wild(300, 380, seed=4, reach=20),
    "dense": wild(60, 1500, seed=5, reach=60),
    "huge": wild(1500, 4000, seed=6, reach=100),
}

HOSTILE = [
    "<script>alert(1)</script>", "'onmouseover=alert(1) x='", '"><svg onload=1>', "</title><b>", "]]>", "<!--",
    "&amp;", "&#0;", "a\x00b", "\x1b[31mred", "\x1b]0;title\x07", "\x9b31m", "tab\tline\nreturn\r", "\ud800",
    "\udfff\ud800", "\ufffe\uffff", "\u202eevil\u202c", "\u2066x\u2069", "\u2028\u2029", "javascript:alert(1)",
    "../..", "%2f", "#?", "x" * 10_000, "עברית", "تقرير شهري", "客户地址提取",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\U0001f44d\U0001f3fd\U0001f1eb\U0001f1f7", "e\u0301" * 50,
    "\u200d\u200d", "", " ", "end", "a;b#c`d`[e]{f}|g|",
]  # fmt: skip
"""Names that would do something where they are not escaped."""
