"""A graph as SVG: well-formed, legible, with a word for every sign, and alone responsible for how it looks."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser

import pytest
from shapes import GRAPHS, HOSTILE, PHASES, chain, circle, fan_out, found, nodes

from gigq.drawing.graph import Edge, Graph, Node
from gigq.drawing.looks import DARK, LIGHT, LOOKS, Ground, blended
from gigq.drawing.svg import to_svg
from gigq.drawing.words import clusters, columns, ems, shortened
from gigq.status import Phase

SVG = "{http://www.w3.org/2000/svg}"
ALL_PHASES = Graph("all phases", nodes(len(PHASES)), [])
NASTY = Graph(
    HOSTILE[0],
    [Node(f"<{number}>", name, name, PHASES[number % 11], "1 s") for number, name in enumerate(HOSTILE)],
    [Edge(f"<{number}>", f"<{number + 1}>") for number in range(len(HOSTILE) - 1)],
)


@cache
def picture(name: str) -> str:
    return str(to_svg(GRAPHS[name]))


def tree_of(graph: Graph) -> ET.Element:
    return ET.fromstring(str(to_svg(graph)))


@pytest.mark.parametrize("name", GRAPHS)
def test_every_picture_is_well_formed_and_says_what_it_is(name: str) -> None:
    tree = ET.fromstring(picture(name))
    title, description = tree.find(f"{SVG}title"), tree.find(f"{SVG}desc")
    assert tree.tag == f"{SVG}svg" and tree.attrib["role"] == "img"
    assert title is not None and title.text == tree.attrib["aria-label"]
    numbers = r"(no jobs|[\d,]+ of [\d,]+ jobs? (has|have) ended.*)\."
    assert title.text and re.fullmatch(f"{GRAPHS[name].name}: {numbers}", title.text)
    assert description is not None and description.text


@pytest.mark.parametrize("name", GRAPHS)
def test_a_picture_needs_nothing_else(name: str) -> None:
    source = picture(name)
    assert re.findall(r"<script|href|url\(|@import|@font-face|\bon\w+=|\bid=|style=", source) == []
    assert source.replace("http://www.w3.org/2000/svg", "").count("://") == 0


def test_names_that_would_do_something_are_text() -> None:
    tree = tree_of(NASTY)
    assert {each.tag for each in tree.iter()} == {
        f"{SVG}{name}" for name in ("svg", "title", "desc", "style", "rect", "g", "path", "text")
    }
    titles = [each.text or "" for each in tree.iter(f"{SVG}title")][1:]
    for wanted, title in zip(["<script>alert(1)</script>", "'onmouseover=alert(1) x='"], titles, strict=False):
        assert title.startswith(wanted)
    assert len(titles) == len(HOSTILE)


def test_a_page_that_holds_a_picture_sees_its_elements_alone() -> None:
    seen = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.add(tag)

    Reader().feed(str(to_svg(NASTY)))
    assert seen == {"svg", "title", "desc", "style", "rect", "g", "path", "text"}


# legible


def test_no_phase_is_shown_without_its_word() -> None:
    tree = tree_of(ALL_PHASES)
    for group in tree.iter(f"{SVG}g"):
        if any("sign" in each.attrib.get("class", "") for each in group.findall(f"{SVG}g/{SVG}path")):
            words = "".join(each.text or "" for each in group.findall(f"{SVG}text"))
            assert group.attrib["class"] in words.split()
    boxes = [group for group in tree.iter(f"{SVG}g") if group.attrib.get("class", "").startswith("job ")]
    for box in boxes:
        words = " ".join(each.text or "" for each in box.iter(f"{SVG}text"))
        assert box.attrib["class"].removeprefix("job ") in words
    signs = [each for each in tree.iter() if each.get("class", "").startswith("sign")]
    assert len(boxes) == len(PHASES) == len(signs) / 2


def test_every_phase_has_a_look_of_its_own() -> None:
    assert set(LOOKS) == set(Phase)
    assert len({look.sign for look in LOOKS.values()}) == len(PHASES)
    assert len({look.plain for look in LOOKS.values()} - set("+-|*")) == len(PHASES)  # these are lines and other jobs
    assert len({(look.shape, look.is_dashed) for look in LOOKS.values()}) == len(PHASES)


def contrast(one: str, other: str) -> float:
    """The ratio that WCAG 2 defines."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("ground", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("phase", Phase)
def test_words_have_enough_contrast(phase: Phase, ground: Ground) -> None:
    colour = LOOKS[phase].dark if ground is DARK else LOOKS[phase].light
    tint = blended(colour, ground.panel, ground.tint)
    for below in (tint, ground.panel, ground.box):  # a box of its own, the legend, a box of several jobs
        assert contrast(colour, below) >= 4.5, (phase, below)
    assert contrast(ground.text, tint) >= 4.5


@pytest.mark.parametrize("ground", [LIGHT, DARK], ids=["light", "dark"])
def test_lines_and_other_words_have_enough_contrast(ground: Ground) -> None:
    assert contrast(ground.muted, ground.panel) >= 4.5
    assert contrast(ground.text, ground.box) >= 4.5
    assert contrast(ground.line, ground.panel) >= 3
    assert contrast(ground.border, ground.panel) >= 3
    assert contrast(ground.warning, ground.panel) >= 4.5


def test_the_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def rules_of(source: str) -> Iterator[tuple[str, str]]:
    sheet = re.findall(r"<style>(.*?)</style>", source)[0]
    yield from re.findall(r"([^{}]+)\{([^{}]*)\}", sheet.replace("@media (prefers-color-scheme:dark){", ""))


def test_a_picture_has_a_ground_of_its_own_and_is_right_in_the_dark() -> None:
    source = str(to_svg(ALL_PHASES))
    light, dark = source.split("@media (prefers-color-scheme:dark)")
    assert f".panel{{fill:{LIGHT.panel}" in light and f".panel{{fill:{DARK.panel}" in dark
    tree = ET.fromstring(source)
    first = tree.find(f"{SVG}rect")
    assert first is not None and first.attrib["class"] == "panel"
    assert float(first.attrib["width"]) == pytest.approx(float(tree.attrib["width"]) - 1)


def test_the_style_of_a_picture_reaches_no_other_on_the_page() -> None:
    scopes = set()
    for name in ("diamond", "chain of 3", "found"):
        source = picture(name)
        scope = ET.fromstring(source).attrib["class"]
        scopes.add(scope)
        assert [selectors for selectors, _ in rules_of(source) if not all_begin_with(scope, selectors)] == []
    assert len(scopes) == 3


def all_begin_with(scope: str, selectors: str) -> bool:
    return all(selector.startswith(f".{scope} ") for selector in selectors.split(","))


# what is written


def texts(graph: Graph) -> list[str]:
    return [each.text or "" for each in tree_of(graph).iter(f"{SVG}text")]


def test_a_picture_has_a_title_and_says_how_much_is_done() -> None:
    assert texts(chain(12))[:4] == ["chain", "4 of 12 jobs have ended", "2 ready", "1 scheduled"]


def test_the_legend_has_only_what_there_is() -> None:
    graph = Graph("two", [Node("a", "a", phase=Phase.COMPLETED, time="in 2 s"), Node("b", "b", phase=Phase.FAILED)], [])
    assert texts(graph) == [
        "two", "2 of 2 jobs have ended", "1 completed", "1 failed", "a", "completed in 2 s", "b", "failed",
    ]  # fmt: skip


def test_a_workflow_without_a_queue_has_no_phases_and_no_legend() -> None:
    graph = Graph("plain", [Node("a", "first"), Node("b", "second")], [Edge("a", "b")])
    assert texts(graph) == ["plain", "2 jobs", "first", "second"]


def test_jobs_that_are_not_in_the_queue_are_counted() -> None:
    graph = Graph("half", [Node("a", "first", phase=Phase.READY), Node("b", "second")], [Edge("a", "b")])
    assert "1 not in the queue" in texts(graph)


def test_an_empty_workflow_says_so() -> None:
    assert texts(Graph("empty", [], [])) == ["empty", "no jobs"]


def test_lines_of_another_kind_are_explained() -> None:
    assert "found at run time" in texts(found()) and "5 lines that follow from others are not drawn" in texts(found())
    assert "closes a circle: cannot be submitted" in texts(circle())
    assert not any("found" in text or "circle" in text for text in texts(chain(3))[1:])


def test_several_jobs_as_one_box_show_how_many_are_in_each_phase() -> None:
    written = texts(fan_out(298))
    assert "298 × work" in written  # noqa: RUF001
    assert "28 failed" in written[-20:] or "27 failed" in written[-20:]


# what fits


@pytest.mark.parametrize("name", HOSTILE)
def test_a_shortened_name_fits_and_keeps_its_ends(name: str) -> None:
    for width_of in (columns, ems):
        cut = shortened(name, 12, width_of)
        assert width_of(cut) <= 12
        if cut != name:
            head, _, tail = cut.partition("…")
            assert name.startswith(head) and name.endswith(tail)


def test_a_name_is_shortened_in_the_middle() -> None:
    assert shortened("extract_customers_2026-01-02", 16, len) == "extract_…6-01-02"


def test_letters_stay_whole() -> None:
    assert clusters("e\u0301👩‍👩‍👧👍🏽🇫🇷🇩🇪") == ["e\u0301", "👩‍👩‍👧", "👍🏽", "🇫🇷", "🇩🇪"]


@pytest.mark.parametrize("length", range(1, 24))
def test_a_short_name_is_written_whole(length: int) -> None:
    name = "crawl /page/22 abcdefghij"[:length]
    assert texts(Graph("short", [Node("a", name)], []))[2] == name


def test_the_names_of_all_boxes_fit_in_them() -> None:
    tree = tree_of(NASTY._replace(edges=[]))
    for group in tree.iter(f"{SVG}g"):
        box, name = group.find(f"{SVG}rect"), group.find(f"{SVG}text")
        if box is not None and name is not None:
            assert ems(name.text or "") * 13 <= float(box.attrib["width"]) - 20
