"""A graph in the terminal: lines that fit, which only carry what a terminal may be told."""

from __future__ import annotations

import re

import pytest
from shapes import GRAPHS, HOSTILE, PHASES, chain, circle, diamond, fan_out, found, wild

from gigq.cleaning import clean
from gigq.drawing.graph import Edge, Graph, Node
from gigq.drawing.text import Terminal, to_text
from gigq.drawing.words import columns
from gigq.status import Phase


def drawn(graph: Graph, **options: object) -> str:
    return "\n".join(to_text(graph, Terminal(**options)))  # type: ignore[arg-type]


def test_a_diamond_has_lines_between_its_jobs() -> None:
    assert drawn(diamond()).endswith("""

○    job 0  ready 2 s
├─╮
◷ │  job 1  scheduled 2 s
│ ◌  job 2  waiting 2 s
├─╯
‖    job 3  paused 2 s""")


def test_a_chain_takes_a_line_for_each_job() -> None:
    assert drawn(chain(3)).splitlines()[4:] == [
        "○  job 0  ready 2 s",
        "◷  job 1  scheduled 2 s",
        "◌  job 2  waiting 2 s",
    ]


def test_a_fan_out_goes_apart_and_together() -> None:
    assert drawn(fan_out(3)).splitlines()[-8:] == [
        "○      job 0  ready 2 s",
        "├─┬─╮",
        "◷ │ │  job 1  scheduled 2 s",
        "│ ◌ │  job 2  waiting 2 s",
        "├─╯ │",
        "│   ‖  job 3  paused 2 s",
        "├───╯",
        "↻      job 4  retrying 2 s",
    ]


def test_a_line_passes_behind_others() -> None:
    pairs = [("a", "z"), ("b", "y"), ("c", "z"), ("c", "y"), ("d", "z")]
    graph = Graph("behind", [Node(name, name) for name in "abcdyz"], [Edge(*pair) for pair in pairs])
    assert drawn(graph).splitlines()[3:] == [
        "●      a",
        "│ ●    b",
        "│ │ ●  c",
        "├─┼─╯",
        "│ ●    y",
        "│",
        "│ ●    d",
        "├─╯",
        "●      z",
    ]
    assert "├─│─╯" in drawn(graph._replace(edges=[Edge("a", "z"), Edge("b", "y"), Edge("c", "z"), Edge("d", "y")]))


def test_a_job_that_waits_for_none_does_not_seem_to_follow_the_one_above() -> None:
    graph = Graph("two", [Node(name, name) for name in "abcd"], [Edge("a", "b"), Edge("c", "d")])
    assert drawn(graph).splitlines()[3:] == ["●  a", "●  b", "", "●  c", "●  d"]


def test_jobs_without_dependencies_come_last() -> None:
    graph = Graph("loose", [Node(name, name) for name in "abc"], [Edge("a", "c")])
    assert drawn(graph).splitlines()[3:] == ["●  a", "●  c", "", "Without dependencies:", "  ● b"]


def test_too_many_lines_side_by_side_become_a_list_by_levels() -> None:
    lines = drawn(wild(60, 110, seed=3, reach=40), width=50).splitlines()
    assert [line for line in lines if re.fullmatch(r"\d+\.", line)] == [f"{level}." for level in range(1, 8)]
    assert any(re.search(r"  after job \d+", line) for line in lines)


def test_found_jobs_say_by_whom_and_circles_are_told() -> None:
    assert "found by job 0" in drawn(found())
    assert "in a circle: waits for job 2" in drawn(circle())


@pytest.mark.parametrize("name", GRAPHS)
def test_no_line_is_wider_than_the_terminal(name: str) -> None:
    for width in (40, 80, 200) if len(GRAPHS[name].nodes) <= 300 else (80,):
        assert [line for line in to_text(GRAPHS[name], Terminal(width)) if columns(line) > width] == []


@pytest.mark.parametrize("name", ["several", "found", "circle", "wild 12", "diamond"])
def test_every_job_is_on_a_line_of_its_own(name: str) -> None:
    text = drawn(GRAPHS[name], width=120)
    assert [node.name for node in GRAPHS[name].nodes if not re.search(rf"[^\w\n] {node.name}  ", text)] == []


@pytest.mark.parametrize("name", [name for name in GRAPHS if "fan" not in name and "000" not in name])
def test_without_unicode_everything_but_names_is_ascii(name: str) -> None:
    assert drawn(GRAPHS[name], is_unicode=False).replace("×", "x").isascii()  # noqa: RUF001


def test_lines_without_unicode_are_still_lines() -> None:
    assert drawn(diamond(), is_unicode=False).splitlines()[-6:] == [
        "o    job 0  ready 2 s",
        "+-+",
        "@ |  job 1  scheduled 2 s",
        "| .  job 2  waiting 2 s",
        "+-+",
        "=    job 3  paused 2 s",
    ]


def test_colours_are_added_and_nothing_else() -> None:
    for graph in (diamond(), fan_out(298), found()):
        plain, coloured = drawn(graph), drawn(graph, is_coloured=True)
        assert "\x1b" not in plain
        assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
        assert coloured.count("\x1b[0m") == len(re.findall(r"\x1b\[(?!0m)", coloured)) > 0


@pytest.mark.parametrize("is_coloured", [False, True])
def test_names_cannot_tell_the_terminal_anything(is_coloured: bool) -> None:
    hostile = [Node(str(number), name, name, PHASES[number % 11]) for number, name in enumerate(HOSTILE)]
    edges = [Edge(str(number), str(number + 1)) for number in range(len(HOSTILE) - 1)]
    for line in to_text(Graph("\x1b[2J\n" + HOSTILE[0], hostile, edges), Terminal(is_coloured=is_coloured)):
        bare = re.sub(r"\x1b\[[0-9;]*m", "", line)
        assert clean(bare) == bare
        assert columns(bare) <= 80


def test_a_phase_is_never_shown_without_its_word() -> None:
    text = drawn(Graph("all", [Node(phase, "name", phase=phase) for phase in Phase], []))
    for phase in Phase:
        assert re.search(rf"name  {phase}\b", text)


def test_an_empty_workflow_says_so() -> None:
    assert to_text(Graph("nothing", [], []), Terminal()) == ["nothing", "no jobs"]
