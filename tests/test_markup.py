"""Safe markup: text is escaped because it is text, and what is made is well-formed."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from gigq.markup import Markup, element, joined, visible


def test_text_is_escaped_and_markup_is_not() -> None:
    inner = element("b", "1 < 2 & 'so' on")
    assert str(element("p", "<b>", inner)) == "<p>&lt;b&gt;<b>1 &lt; 2 &amp; &#39;so&#39; on</b></p>"


def test_attributes_are_escaped_renamed_and_left_out() -> None:
    made = element("rect", class_="a\"b", stroke_width=1.25, x=3, y=-0.01, rx=None, aria_label="<>")
    assert str(made) == '<rect class="a&quot;b" stroke-width="1.2" x="3" y="0" aria-label="&lt;&gt;"/>'


def test_an_empty_element_has_an_end_tag_unless_html_has_none_for_it() -> None:
    assert str(joined(element("td"), element("br"), element("td", None, ""))) == "<td></td><br/><td></td>"


@pytest.mark.parametrize("name", ["", "a b", "a>", "1a", "a/", "ä", "on\nload"])
def test_a_name_that_would_be_more_than_a_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        element(name)
    with pytest.raises(ValueError, match="cannot be the name"):
        element("p", **{name: 1})


def test_markup_is_no_text_that_could_be_joined_to_other_text() -> None:
    made = element("p", "x")
    assert not isinstance(made, str)
    with pytest.raises(TypeError):
        made + "<script>"  # type: ignore[operator]


def test_every_character_gives_well_formed_xml() -> None:
    for code in (*range(0x20), *range(0x7F, 0xA0), 0xD800, 0xDFFF, 0xFFFE, 0xFFFF, 0x202E, 0x2028, 0x10FFFF):
        text = f"a{chr(code)}b"
        tree = ET.fromstring(str(element("p", text, title=text)))
        assert tree.text == tree.attrib["title"] == visible(text)


def test_a_long_number_is_no_exponent() -> None:
    assert str(element("p", 1234567.04, " ", 10**9, " ", 0.25)) == "<p>1234567 1000000000 0.2</p>"


def test_only_the_functions_of_the_module_make_markup_out_of_text() -> None:
    assert isinstance(element("p"), Markup) and isinstance(joined("<"), Markup)
    assert str(joined("<", None, 3)) == "&lt;3"
