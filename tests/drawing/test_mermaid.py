"""A graph as Mermaid: names are labels and nothing else, whatever they are."""

from __future__ import annotations

import re

import pytest
from shapes import GRAPHS, HOSTILE, chain, circle, found, nodes

from gigq.drawing.graph import Edge, Graph, Node
from gigq.drawing.mermaid import escaped, to_mermaid

LINE = re.compile(
    r'%% [^\n"%{}]*|flowchart TD'
    r'|    job\d+\["[^"\[\]`{}<>|;#]*(?:(?:#\d+;|<br/>)[^"\[\]`{}<>|;#]*)*"\]'
    r"|    job\d+ (-->|-\.->|<---) job\d+"
    r"|    classDef [a-z]+ fill:#[0-9a-f]{6},stroke:#[0-9a-f]{6},color:#[0-9a-f]{6}"
    r"|    class job\d+(,job\d+)* [a-z]+"
)


def lines(graph: Graph) -> list[str]:
    return to_mermaid(graph).splitlines()


def test_a_chain_is_a_flowchart() -> None:
    graph = Graph("two", [Node("a", "first"), Node("b", "second")], [Edge("a", "b")])
    assert to_mermaid(graph) == (
        "%% two: 2 jobs.\nflowchart TD\n" '    job1["first"]\n    job2["second"]\n    job1 --> job2\n'
    )


def test_phases_are_words_signs_and_classes() -> None:
    written = lines(chain(3))
    assert written[2] == '    job1["job 0<br/>○ ready 2 s"]'
    assert written[-2:] == ["    classDef waiting fill:#f1f2f3,stroke:#4b5a6b,color:#4b5a6b", "    class job3 waiting"]


@pytest.mark.parametrize("name", GRAPHS)
def test_every_line_is_of_a_known_form(name: str) -> None:
    assert [line for line in lines(GRAPHS[name]) if not LINE.fullmatch(line)] == []


WORST = chain(300)._replace(nodes=[node._replace(name="#" * 500) for node in nodes(300)])


@pytest.mark.parametrize("graph", [*GRAPHS.values(), WORST], ids=[*GRAPHS, "worst"])
def test_a_flowchart_is_within_the_limits_of_mermaid(graph: Graph) -> None:
    """500 edges and 50,000 characters, unless who shows it allows more."""
    text = to_mermaid(graph)
    assert len(text) <= 50_000
    assert len(re.findall(r"^    job\d+ (?:-->|-\.->|<---) ", text, re.MULTILINE)) <= 500


COMMANDS = ["direction LR", "subgraph x", "%%{init: {}}%%", "style a fill:#f00;", "$$x$$", "@{x}"]


@pytest.mark.parametrize("name", HOSTILE + COMMANDS)
def test_whatever_a_name_is_the_lines_keep_their_form(name: str) -> None:
    graph = Graph(name or " ", [Node(name, name), Node("b", name, name, *nodes(1)[0][3:5])], [Edge(name, "b")])
    assert [line for line in lines(graph) if not LINE.fullmatch(line)] == []


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ('say "hi"', "say #34;hi#34;"),
        ("a[0]", "a#91;0#93;"),
        ("`md`", "#96;md#96;"),
        ("#1; <b>&amp;", "#35;1#59; #60;b#62;#38;amp#59;"),
        ("a\nb", "a#92;nb"),
        ("end", "end"),  # a word of Mermaid outside of quotes only
        ("a direction LR", "a directio#110; LR"),  # one inside of them, too
        ("100 %, 2/3 (x_y-z.w)", "100 #37;, 2/3 (x_y-z.w)"),
        ("客户 👍🏽", "客户 👍🏽"),
    ],
)
def test_marks_become_character_codes(text: str, label: str) -> None:
    assert escaped(text) == label


def test_edges_are_drawn_by_their_kinds() -> None:
    assert "    job1 -.-> job2" in lines(found())
    assert "    job1 <--- job3" in lines(circle())
