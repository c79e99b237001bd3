"""Docstrings as Markdown: paragraphs with one sentence a line, sections as lists, examples as code."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterator

_SECTIONS = {
    "Args:": "Arguments", "Attributes:": "Attributes", "Raises:": "Raises", "Returns:": "Returns", "Yields:": "Yields",
}  # fmt: skip
_EXAMPLES = "Example:", "Examples:"


def fenced(code: str, language: str = "py") -> str:
    """A block of code."""
    return f"```{language}\n{code}\n```\n\n"


def blocks(text: str) -> list[str]:
    """The paragraphs and sections of a docstring; what is indented belongs to the section above it."""
    found: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if paragraph.startswith(" ") and found and found[-1].split("\n")[0] in (*_SECTIONS, *_EXAMPLES):
            found[-1] += "\n\n" + paragraph
        else:
            found.append(paragraph)
    return found


def markdown(block: str, owner: str = "", methods: Collection[str] = ()) -> str:
    """A paragraph or section, of the docstring of a class with these methods if it is one."""
    first, _, rest = block.partition("\n")
    if first.strip() in _SECTIONS:
        return f"**{_SECTIONS[first.strip()]}**\n\n{_section(block)}"
    if first in _EXAMPLES:
        return fenced(textwrap.dedent(rest), "pycon").rstrip("\n") + "\n"
    if first.lstrip().startswith(">>>"):
        return fenced(textwrap.dedent(block), "pycon").rstrip("\n") + "\n"
    if block.startswith("==="):
        return _table(block, owner, methods)
    if block.startswith(" "):
        return fenced(textwrap.dedent(block)).rstrip("\n") + "\n"
    if first.startswith("- "):
        return "".join(_item(item) for item in re.split(r"\n(?=- )", block))
    return _lines(block)


def _section(block: str) -> str:
    found = entries(block)
    if not found:
        return _lines(textwrap.dedent(block.partition("\n")[2]))
    return "".join(_item(f"- {quoted(names)}: {about}" if names else f"- {about}") for names, about in found)


def entries(block: str) -> list[tuple[str, str]]:
    """The entries of a section: names, and what is said of them."""
    first, _, rest = block.partition("\n")
    if first.strip() not in _SECTIONS:
        return []
    found: list[tuple[str, str]] = []
    for line in textwrap.dedent(rest).splitlines():
        names, colon, about = line.partition(":")
        if line.startswith(" ") and found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        elif colon and re.fullmatch(r"[\w*.]+(, [\w*.]+)*", names):
            found.append((names, about.strip()))
        elif line.strip():
            found.append(("", line.strip()))
    return found if any(names for names, _ in found) else []


def attributes(block: str) -> Iterator[tuple[str, str]]:
    """What a section says of each of its names."""
    if block.startswith(("Attributes:", "Args:")):
        for names, about in entries(block):
            for name in names.split(", "):
                yield name, about


def quoted(names: str) -> str:
    """Names as code."""
    return ", ".join(f"`{name}`" for name in names.split(", "))


def _item(text: str) -> str:
    """An item of a list, each sentence on a line of its own."""
    first, *more = _sentences(text.removeprefix("- "))
    return "".join([f"- {first}\n", *(f"  {line}\n" for line in more)])


def _lines(text: str) -> str:
    return "".join(f"{line}\n" for line in _sentences(text))


def _sentences(text: str) -> list[str]:
    """Prose with a sentence on each line; what is between backticks is never split."""
    code: list[str] = []

    def keep(match: re.Match[str]) -> str:
        code.append(match[0])
        return f"\0{len(code) - 1}\0"

    flat = re.sub(r"`[^`]*`", keep, " ".join(inline(text).split()))
    parts = re.split(r"(?<=[.!?]) (?=[A-Z0-9\0\"“])", flat)
    return [re.sub(r"\0(\d+)\0", lambda match: code[int(match[1])], part) for part in parts]


def inline(text: str) -> str:
    """Inline marks of reStructuredText as Markdown."""
    return re.sub(r"``([^`]+)``", r"`\1`", text).replace("`None`", "None")


def closed(text: str) -> str:
    """Text that ends as a sentence does."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _table(block: str, owner: str, methods: Collection[str]) -> str:
    """A simple table of reStructuredText, whose first column has one word; names of methods lead to their headings."""
    lines = [line for line in block.splitlines() if not line.startswith("=")]
    widths = [len(mark) for mark in block.splitlines()[0].split()]
    rows: list[list[str]] = []
    for line in lines:
        word, rest = line[: widths[0]].strip(), line[widths[0] :].strip()
        if word:
            rows.append([word, rest])
        else:
            rows[-1][1] += f" {rest}"

    def link(match: re.Match[str]) -> str:
        return f"[{match[0]}](#{owner.lower()}{match[1].lower()})" if match[1] in methods else match[0]

    linked = [(word, re.sub(r"`(\w+)`", link, inline(rest))) for word, rest in rows]
    return "\n".join(["| | |", "| --- | --- |", *(f"| {word} | {rest} |" for word, rest in linked)]) + "\n"
