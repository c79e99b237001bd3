"""Where boxes and lines of a drawing are: nothing is on top of anything else, and few lines cross."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from itertools import combinations, pairwise

import pytest
from shapes import GRAPHS, anything, chain, circle, diamond, fan_out, found, nodes, star, wild

from gigq.drawing.collapsing import MOST_IN_LEVEL, MOST_NODES, is_readable, readable
from gigq.drawing.graph import Edge, Graph, acyclic, components, counts, implied, levels, tidied
from gigq.drawing.layers import layered
from gigq.drawing.layout import ARROW, Box, Drawing, Line, drawn
from gigq.drawing.ordering import crossings, with_few_crossings


def picture(graph: Graph, *, sizes: tuple[float, ...] = (46.0,)) -> Drawing:
    """The drawing of a graph, with boxes of different heights."""
    shown = readable(graph)
    return drawn(shown, {node.id: (140.0, sizes[number % len(sizes)]) for number, node in enumerate(shown.nodes)})


@pytest.fixture(scope="module", params=GRAPHS)
def graph(request: pytest.FixtureRequest) -> Graph:
    return GRAPHS[request.param]


@pytest.fixture(scope="module")
def drawing(graph: Graph) -> Drawing:
    return picture(graph, sizes=(46.0, 34.0, 90.0))


def test_no_box_overlaps_another(drawing: Drawing) -> None:
    ordered = sorted(drawing.boxes, key=lambda box: box.x)
    for number, one in enumerate(ordered):
        for other in ordered[number + 1 :]:
            if other.x >= one.x + one.width:
                break
            assert one.y + one.height <= other.y or other.y + other.height <= one.y, (one, other)


def test_no_line_passes_through_the_box_of_another_node(drawing: Drawing) -> None:
    for line in drawing.lines:
        points = sampled(drawing, line)
        corners = [(pick(x for x, _ in points), pick(y for _, y in points)) for pick in (min, max)]
        others = [box for box in drawing.boxes if box.node not in line.edge[:2] and touches(box, *corners)]
        assert not any(touches(box, *piece) for piece in pairwise(points) for box in others), line.edge


def sampled(drawing: Drawing, line: Line) -> list[tuple[float, float]]:
    """The points of a line and of its curves, as they are drawn."""
    found = [line.points[0]]
    for number, (start, end) in enumerate(pairwise(line.points)):
        if number % 2:
            found += [curve(start, end, share / 8, drawing.direction == "down") for share in range(1, 8)]
        found.append(end)
    return found


def curve(start: tuple[float, float], end: tuple[float, float], share: float, is_down: bool) -> tuple[float, float]:
    """A point of the curve whose ends point in the direction of the drawing."""
    along, across = (1, 0) if is_down else (0, 1)
    middle = (start[along] + end[along]) / 2
    rest = 1 - share
    weights = (rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3)
    bends = {along: (start[along], middle, middle, end[along]), across: (start[across],) * 2 + (end[across],) * 2}
    x, y = (sum(w * p for w, p in zip(weights, bends[axis], strict=True)) for axis in (0, 1))
    return x, y


def touches(box: Box, start: tuple[float, float], end: tuple[float, float]) -> bool:
    """Whether a short piece of a line comes into a box."""
    left, right = sorted((start[0], end[0]))
    top, bottom = sorted((start[1], end[1]))
    return left < box.x + box.width and right > box.x and top < box.y + box.height and bottom > box.y


def test_everything_is_inside_the_drawing(drawing: Drawing) -> None:
    for box in drawing.boxes:
        assert box.x >= 0 and box.x + box.width <= drawing.width + 0.1
        assert box.y >= 0 and box.y + box.height <= drawing.height + 0.1
    for line in drawing.lines:
        assert all(-0.1 <= x <= drawing.width + 0.1 and -0.1 <= y <= drawing.height + 0.1 for x, y in line.points)


def test_every_line_leads_from_the_box_of_its_parent_to_that_of_its_child(drawing: Drawing) -> None:
    boxes = {box.node: box for box in drawing.boxes}
    for line in drawing.lines:
        parent, child = boxes[line.edge.parent], boxes[line.edge.child]
        if drawing.direction == "down":
            ends = [(parent.x + parent.width / 2, parent.y + parent.height), (child.x + child.width / 2, child.y)]
        else:
            ends = [(parent.x + parent.width, parent.y + parent.height / 2), (child.x, child.y + child.height / 2)]
        assert [line.points[0], line.points[-1]] == [pytest.approx(end, abs=0.1) for end in ends]
        along = 1 if drawing.direction == "down" else 0
        assert line.points[-1][along] - line.points[-2][along] >= ARROW - 0.01


@pytest.mark.parametrize("seed", range(30))
def test_whatever_the_edges_are_everything_is_in_its_place(seed: int) -> None:
    graph = anything(seed)
    drawing = picture(graph, sizes=(46.0, 34.0, 90.0))
    test_no_box_overlaps_another(drawing)
    test_no_line_passes_through_the_box_of_another_node(drawing)
    test_everything_is_inside_the_drawing(drawing)
    test_every_line_leads_from_the_box_of_its_parent_to_that_of_its_child(drawing)
    test_every_node_has_a_box_and_every_edge_a_line(graph, drawing)


def test_every_node_has_a_box_and_every_edge_a_line(graph: Graph, drawing: Drawing) -> None:
    shown = readable(graph)
    assert Counter(box.node for box in drawing.boxes) == Counter(node.id for node in shown.nodes)
    assert Counter(line.edge for line in drawing.lines) == Counter(shown.edges)


def test_a_chain_is_a_straight_line() -> None:
    assert len({box.x for box in picture(chain(30)).boxes}) == 1


def test_a_parent_is_in_the_middle_over_its_children() -> None:
    boxes = {box.node: box for box in picture(diamond()).boxes}
    assert boxes["n0"].x == boxes["n3"].x == pytest.approx((boxes["n1"].x + boxes["n2"].x) / 2)


def test_a_line_through_many_layers_is_straight_between_its_ends() -> None:
    graph, long = chain(8), Edge("n0", "n7")
    (line,) = [line for line in picture(graph._replace(edges=[*graph.edges, long])).lines if line.edge == long]
    assert len({x for x, _ in line.points[2:-2]}) == 1


def test_a_job_that_is_needed_late_is_drawn_late() -> None:
    graph = chain(5)
    late = graph._replace(nodes=[*graph.nodes, nodes(6)[5]], edges=[*graph.edges, Edge("n5", "n4")])
    boxes = {box.node: box for box in picture(late).boxes}
    assert boxes["n5"].y == boxes["n3"].y


def test_jobs_for_which_one_waits_at_the_end_are_drawn_early() -> None:
    graph = chain(9)
    last = [Edge(f"n{each}", "n8") for each in range(8)]
    leaves = [Edge("n0", "n9"), Edge("n9", "n8"), Edge("n1", "n10"), Edge("n10", "n8")] + [
        Edge("n0", f"n{each}") for each in range(11, 16)
    ]
    more = [Edge(f"n{each}", "n8") for each in range(11, 16)]
    layers = layered(Graph("last", nodes(16), [*graph.edges, *last, *leaves, *more])).layers
    assert {1, 9, 11, 15} <= set(layers[1]) and 10 in layers[2]


def test_many_jobs_side_by_side_grow_downwards() -> None:
    wide, narrow = picture(fan_out(40)), picture(fan_out(5))
    assert (wide.direction, narrow.direction) == ("right", "down")
    assert wide.width < 800 and narrow.width < 1000


def test_parts_without_an_edge_between_them_leave_little_room_unused() -> None:
    drawing = picture(Graph("alone", nodes(40), []))
    used = sum((box.width + 32) * (box.height + 32) for box in drawing.boxes)
    assert used / ((drawing.width + 32) * (drawing.height + 32)) > 0.85
    assert 0.7 < drawing.width / drawing.height < 2


@pytest.mark.parametrize("seed", range(20))
def test_far_fewer_lines_cross_than_in_the_order_of_the_jobs(seed: int) -> None:
    for part in components(acyclic(tidied(wild(30, 45, seed=seed, reach=10)))):
        before = layered(part)
        after = with_few_crossings(before)
        naive = crossings(before.layers, before.below)
        assert crossings(after.layers, after.below) <= max(2, naive * 0.45)
        assert [sorted(layer) for layer in after.layers] == [sorted(layer) for layer in before.layers]


def test_crossings_are_counted_as_one_by_one() -> None:
    dice = random.Random(7)
    upper, lower = list(range(9)), list(range(9, 18))
    pairs = [(each, other) for each in upper for other in lower if dice.random() < 0.4]
    below = [[other for one, other in pairs if one == each] for each in upper] + [[]] * 9
    one_by_one = sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a, b in combinations(pairs, 2))
    assert crossings([upper, lower], below) == one_by_one > 20


def test_a_tree_is_drawn_without_crossings() -> None:
    dice = random.Random(3)
    edges = [Edge(f"n{dice.randrange(each)}", f"n{each}") for each in range(1, 80)]
    dice.shuffle(edges)
    graph = layered(Graph("tree", nodes(80), edges))
    ordered = with_few_crossings(graph)
    assert crossings(graph.layers, graph.below) > 50
    assert crossings(ordered.layers, ordered.below) == 0


# what is drawn of a graph


def test_a_graph_that_can_be_read_is_drawn_job_by_job() -> None:
    assert len(readable(chain(MOST_NODES)).nodes) == MOST_NODES
    assert len(readable(fan_out(MOST_IN_LEVEL)).nodes) == MOST_IN_LEVEL + 2


def test_a_job_that_waits_for_all_others_does_not_make_a_graph_unreadable() -> None:
    branches = [Edge(f"n{number}", f"n{number + 7}") for number in range(266)]
    graph = Graph("branches", nodes(274), [*branches, *(Edge(f"n{number}", "n273") for number in range(273))])
    assert len(graph.edges) > 500
    assert len(readable(graph).nodes) == 274


@pytest.mark.parametrize("name", GRAPHS)
def test_what_is_drawn_can_be_read_and_counts_every_job(name: str) -> None:
    shown = readable(GRAPHS[name])
    assert is_readable(shown)
    assert counts(shown.nodes) == counts(GRAPHS[name].nodes)


def test_a_large_fan_out_is_three_boxes() -> None:
    shown = readable(fan_out(298))
    assert [node.name for node in shown.nodes] == ["job 0", "298 × work", "job 299"]  # noqa: RUF001
    assert [edge.kind for edge in shown.edges] == ["needs", "needs"]


def test_the_functions_of_a_level_have_a_box_each_and_rare_ones_one_together() -> None:
    graph = star(400)
    dice = [node._replace(function=f"app:f{min(number % 20, 11)}") for number, node in enumerate(graph.nodes)]
    shown = readable(graph._replace(nodes=dice))
    names = [node.name for node in shown.nodes]
    assert len(names) == 7
    assert names[0] == "job 0"
    assert any(name.endswith("functions") for name in names)


def test_where_functions_are_too_many_a_level_is_one_box() -> None:
    graph = wild(2000, 9000, seed=1, reach=30)
    made = [node._replace(function=f"app:f{number % 6}") for number, node in enumerate(graph.nodes)]
    shown = readable(graph._replace(nodes=made))
    assert [node.name.split(" ", 2)[2] for node in shown.nodes] == ["6 functions"] * 40
    assert [edge[:2] for edge in shown.edges] == [(one.id, other.id) for one, other in pairwise(shown.nodes)]


def test_a_graph_whose_lines_pass_too_many_levels_is_drawn_by_levels() -> None:
    graph = chain(150)
    other = [Edge(f"n{150 + number}", f"n{75 + number}") for number in range(70)]
    long = [Edge(f"n{number}", f"n{150 + number}") for number in range(70)]
    shown = readable(Graph("long", nodes(220), [*graph.edges, *other, *long]))
    assert is_readable(shown) and len(shown.nodes) == 40


def test_of_very_many_levels_neighbouring_ones_are_taken_together() -> None:
    shown = readable(chain(2000))
    assert len(shown.nodes) == 40
    assert sorted(levels(shown).values()) == list(range(40))


def test_a_circle_is_drawn_and_marked() -> None:
    shown = readable(circle())
    assert Counter(edge.kind for edge in shown.edges) == {"needs": 3, "circle": 2}
    assert levels(shown) == {"n0": 0, "n1": 1, "n2": 2, "n3": 3}


def test_edges_that_follow_from_others_are_left_out_where_a_job_waits_for_many() -> None:
    shown = readable(found())
    assert shown.left_out == 5
    assert {edge.parent for edge in shown.edges if edge.child == "n8"} == {"n3", "n6", "n7"}
    submitter = [Edge("n0", "n1", "found"), Edge("n0", "n2"), Edge("n1", "n2")]
    assert readable(Graph("finder", nodes(3), submitter)).left_out == 1
    few = readable(Graph("few", nodes(3), [Edge("n0", "n1"), Edge("n1", "n2"), Edge("n0", "n2")]))
    assert (len(few.edges), few.left_out) == (3, 0)


def test_implied_edges_are_those_that_a_longer_way_replaces() -> None:
    graph = acyclic(tidied(wild(40, 90, seed=9, reach=12)))
    for edge in graph.edges:
        others = [each for each in graph.edges if each != edge]
        assert (edge in implied(graph)) == leads_to(others, edge.parent, edge.child)


def leads_to(edges: list[Edge], start: str, end: str) -> bool:
    reached = {start}
    while more := {edge.child for edge in edges if edge.parent in reached} - reached:
        reached |= more
    return end in reached


def test_edges_to_nowhere_to_oneself_and_twice_are_tidied_away() -> None:
    twice = [Edge("n0", "n1", "found"), Edge("n0", "n1"), Edge("n0", "n1", "found")]
    edges = [*twice, Edge("n1", "n1"), Edge("gone", "n1")]
    assert tidied(Graph("odd", nodes(2), edges)).edges == [Edge("n0", "n1", "needs")]


SCRIPT = """
import sys
from shapes import GRAPHS
from gigq.drawing.svg import to_svg
from gigq.drawing.mermaid import to_mermaid
from gigq.drawing.text import Terminal, to_text
from hashlib import sha256
graphs = [GRAPHS[name] for name in ("wild 40", "found", "several", "circle", "fan-out of 298", "dense")]
texts = [str(to_svg(each)) + to_mermaid(each) + "".join(to_text(each, Terminal())) for each in graphs]
print(sha256("".join(texts).encode()).hexdigest())
"""


def test_the_same_graph_gives_the_same_bytes_in_every_process() -> None:
    prints = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(prints) == 1
