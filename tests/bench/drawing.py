"""How long a picture takes, in processor time: `PYTHONPATH=.:tests/drawing python tests/bench/drawing.py`."""

from __future__ import annotations

import time
from collections.abc import Callable

from shapes import GRAPHS, wild

from gigq.drawing.graph import Graph, acyclic, components, tidied
from gigq.drawing.layers import layered
from gigq.drawing.mermaid import to_mermaid
from gigq.drawing.ordering import crossings, with_few_crossings
from gigq.drawing.svg import to_svg
from gigq.drawing.text import Terminal, to_text

DRAWN: dict[str, Callable[[Graph], object]] = {
    "svg": to_svg,
    "mermaid": to_mermaid,
    "text": lambda graph: to_text(graph, Terminal()),
}


def seconds(draw: Callable[[Graph], object], graph: Graph) -> float:
    taken = []
    for _ in range(3):
        start = time.process_time()
        draw(graph)
        taken.append(time.process_time() - start)
    return min(taken)


def main() -> None:
    print(f"{'graph':<16}" + "".join(f"{name:>10}" for name in DRAWN))
    for name, graph in GRAPHS.items():
        print(f"{name:<16}" + "".join(f"{seconds(draw, graph) * 1000:7.0f} ms" for draw in DRAWN.values()))
    before = after = 0
    for seed in range(20):
        for part in components(acyclic(tidied(wild(30, 45, seed=seed, reach=10)))):
            graph = layered(part)
            before += crossings(graph.layers, graph.below)
            ordered = with_few_crossings(graph)
            after += crossings(ordered.layers, ordered.below)
    print(f"crossings in 20 graphs of 30 jobs: {before} in the order of the jobs, {after} as drawn")


if __name__ == "__main__":
    main()
