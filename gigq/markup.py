"""HTML and SVG, built by functions that return a type for safe markup: text is escaped because it is text."""

from __future__ import annotations

import re

from gigq.cleaning import clean

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_SPECIAL = re.compile("[&<>\"']")
_NOT_IN_XML = re.compile("[\ufffe\uffff]")
"""What no XML document can hold, besides the control characters and lone surrogates that `clean` makes visible."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_WITHOUT_END_TAG = frozenset(("br", "hr", "img", "input", "link", "meta", "path", "rect"))
"""Elements that are closed by their start tag, in HTML and in SVG; any other has an end tag, though it be empty."""


class Markup:
    """HTML or SVG that is safe to be put into a page. Only the functions of this module make it.

    It is no `str`: what is a `str` is text, and is escaped.
    """

    __slots__ = ("_source",)

    def __init__(self, source: str, /) -> None:
        self._source = source

    def __str__(self) -> str:
        return self._source


Content = Markup | str | int | float | None
"""What an element holds: markup as it is, text escaped, None for nothing."""


def element(name: str, /, *content: Content, **attributes: str | int | float | None) -> Markup:
    """Return an element with its content and its attributes, in the order given.

    Args:
        name: the name of the element.
        content: markup, or text, which is escaped. None stands for nothing.
        attributes: as keywords: ``stroke_width`` is the attribute ``stroke-width``, and ``class_`` is ``class``. An
            attribute that is None is left out.
    """
    start = _checked(name) + "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if name in _WITHOUT_END_TAG:
        return Markup(f"<{start}/>")
    return Markup(f"<{start}>{''.join(map(_source_of, content))}</{name}>")


def joined(*content: Content) -> Markup:
    """Return several pieces of content, one after the other, without an element around them."""
    return Markup("".join(map(_source_of, content)))


def number(value: float) -> str:
    """Return a number with at most one decimal, as coordinates have it."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")  # + 0.0: or else there were a -0


def visible(text: str) -> str:
    r"""Return text as one line that XML can hold: what is not for the eye becomes visible, such as ``\x00``."""
    return _NOT_IN_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", clean(text))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: _ENTITIES[found[0]], visible(text))


def _source_of(content: Content) -> str:
    if isinstance(content, Markup):
        return str(content)
    if content is None:
        return ""
    return _escaped(content) if isinstance(content, str) else number(content)


def _attribute(key: str, value: str | int | float) -> str:
    name = _checked(key.rstrip("_").replace("_", "-"))
    return f' {name}="{_escaped(value) if isinstance(value, str) else number(value)}"'


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of an element or an attribute")
    return name
