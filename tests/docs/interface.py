"""Writes the reference of the Python interface from signatures and docstrings, as Markdown."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from itertools import groupby, pairwise
from typing import Any, ForwardRef, is_typeddict

import gigq
from gigq import errors, testing
from gigq.filters import FilterOptions
from gigq.queue.schedules import Schedules

GROUPS: dict[str, list[str]] = {
    "defining jobs": ["Job", "JobOptions", "task", "Task", "Workflow", "Priority"],
    "the queue": ["JobQueue"],
    "schedules": [],
    "records": [
        "JobRecord", "ExecutionRecord", "JobClaim", "QueueRecord", "WorkerRecord", "ScheduleRecord",
        "JobStatus", "Phase", "ExecutionStatus",
    ],
    "workers": ["Worker", "Event"],
    "inside a job": ["current_job", "JobContext", "RetryLater", "GiveUp"],
}  # fmt: skip
"""The public names in the order of the page. Exceptions have a table of their own, and the rest comes last."""

PLACED = {name for names in GROUPS.values() for name in names}
CONSTRUCTED = {"Job", "JobQueue", "Worker", "Workflow", "ManualClock", "RetryLater"}
"""Classes that users instantiate themselves."""

_WIDEST = 100


def part(group: str) -> str:
    """The text of one group of names."""
    extra = {"the queue": [("Filters", FilterOptions)], "schedules": [("Schedules", Schedules)]}.get(group, [])
    named = [(name, getattr(gigq, name)) for name in GROUPS[group] if hasattr(gigq, name)]
    return tidied("\n".join(described(name, each) for name, each in named + extra))


def others() -> str:
    """The text of the public names that are in no group."""
    left = [name for name in gigq.__all__ if name not in PLACED | exceptions().keys() and not name.startswith("__")]
    named = [("gigq.testing.drain", testing.drain), *((name, getattr(gigq, name)) for name in left)]
    return (
        tidied("\n".join(described(name, each) for name, each in named))
        + "\n### `__version__`\n\nThe version, as text.\n"
    )


def tidied(text: str) -> str:
    """Markdown without more than one empty line at a time."""
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def exceptions() -> dict[str, type[BaseException]]:
    """Our errors, in the order of their module."""
    ours = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.GigqError)]
    return {each.__name__: each for each in ours if each.__module__ == errors.__name__}


def error_table() -> str:
    """The errors, their other base classes, and what they mean."""
    lines = ["| error | also a | means |", "| --- | --- | --- |"]
    for name, error in exceptions().items():
        also = [f"`{base.__name__}`" for base in error.__bases__ if base not in (errors.GigqError, Exception)]
        text, *sections = _blocks(inspect.getdoc(error) or "")
        attributes = [entry for section in sections for entry in _entries(section)]
        parts = [
            " ".join(_inline(text).split()),
            *(f"{_names(names)}: {_inline(about)}" for names, about in attributes),
        ]
        lines.append(f"| `{name}` | {', '.join(also)} | {' '.join(_closed(each) for each in parts)} |")
    return "\n".join(lines) + "\n"


def described(name: str, each: Any) -> str:
    """A public object under a heading of its own, with its public methods under theirs."""
    if is_typeddict(each):
        return _heading(name, 3) + _document(each) + _field_table(each)
    if not isinstance(each, type):
        return _heading(name, 3) + _signature(name, each) + _document(each)
    head = _heading(name, 3) + (_signature(name, each) if name in CONSTRUCTED else "") + _document(each)
    if issubclass(each, Enum):
        return head + _members(each)
    table = _field_table(each) if is_dataclass(each) and name not in CONSTRUCTED else ""
    return "".join([head, table, *(_method(name, each, method) for method in _methods(each))])


# objects


def _heading(text: str, level: int) -> str:
    return f"\n{'#' * level} {text}\n\n"


def _methods(kind: type) -> Iterator[str]:
    """The public methods and properties of a class in the order of its source, those of its own bases first."""
    names: dict[str, None] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("gigq"):
            names |= dict.fromkeys(vars(base))
    taken = {field.name for field in fields(kind)} if is_dataclass(kind) else set()
    kinds = (property, classmethod, staticmethod) if kind.__name__ in CONSTRUCTED else (property,)
    for name in names:
        found = inspect.getattr_static(kind, name)
        is_callable = isinstance(found, kinds) or inspect.isfunction(found)
        if is_callable and not name.startswith("_") and name not in taken:
            yield name


def _method(owner: str, kind: type, name: str) -> str:
    found = inspect.getattr_static(kind, name)
    head = _heading(f"{owner}.{name}", 4)
    if isinstance(found, property):
        returns = inspect.signature(found.fget).return_annotation if found.fget else ""
        return head + _fenced(f"{owner}.{name}: {_type(returns)}") + _document(found)
    return head + _signature(f"{owner}.{name}", getattr(kind, name)) + _document(found)


def _members(enum: type[Enum]) -> str:
    """The members of an enum, each with its docstring if it has one."""
    source = textwrap.dedent(inspect.getsource(enum))
    (tree,) = ast.parse(source).body
    assert isinstance(tree, ast.ClassDef)
    texts: dict[str, str] = {}
    for member, meaning in pairwise(tree.body):
        if isinstance(member, ast.Assign) and isinstance(meaning, ast.Expr) and isinstance(meaning.value, ast.Constant):
            texts[ast.unparse(member.targets[0])] = str(meaning.value.value)
    lines = ["| member | value | means |", "| --- | --- | --- |"]
    for each in enum:
        lines.append(f"| `{each.name}` | `{each.value}` | {_inline(' '.join(texts.get(each.name, '').split()))} |")
    return "\n".join(lines) + "\n"


def _field_table(kind: type) -> str:
    """The fields of a record or a dict of options: name, type, and what its docstring says of them."""
    texts = {name: about for section in _blocks(inspect.getdoc(kind) or "") for name, about in _attributes(section)}
    lines = ["| field | type | means |", "| --- | --- | --- |"]
    for name, annotation in _annotations(kind).items():
        shown = _type(annotation).replace("|", "\\|")
        lines.append(f"| `{name}` | `{shown}` | {_inline(texts.get(name, ''))} |")
    return "\n".join(lines) + "\n"


def _annotations(kind: type) -> dict[str, Any]:
    if is_dataclass(kind):
        return {field.name: field.type for field in fields(kind) if field.repr}
    return {name: annotation for base in reversed(kind.__mro__) for name, annotation in _own(base).items()}


def _own(kind: type) -> dict[str, Any]:
    return dict(vars(kind).get("__annotations__", {}))


# signatures


def _signature(name: str, each: Any) -> str:
    signature = inspect.signature(each)
    is_method = "." in name and not name.startswith("gigq.") and not inspect.ismethod(each)
    shown = [parameter for parameter in signature.parameters.values() if not (is_method and parameter.name == "self")]
    parameters = _separated(shown)
    returns = "" if isinstance(each, type) else _returns(signature.return_annotation)
    line = f"{name}({', '.join(parameters)}){returns}"
    if len(line) > _WIDEST:
        line = f"{name}(\n" + "".join(f"    {each},\n" for each in parameters) + f"){returns}"
    return _fenced(line)


def _separated(parameters: Iterable[inspect.Parameter]) -> list[str]:
    """Parameters as they are written in a definition, with `/` and `*` between their kinds."""
    texts: list[str] = []
    is_starred = False
    for kind, some in groupby(parameters, key=lambda parameter: parameter.kind):
        if kind is inspect.Parameter.KEYWORD_ONLY and not is_starred:
            texts.append("*")
        texts += [_parameter(each) for each in some]
        if kind is inspect.Parameter.POSITIONAL_ONLY:
            texts.append("/")
        is_starred |= kind is inspect.Parameter.VAR_POSITIONAL
    return texts


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    text = stars + parameter.name
    if parameter.annotation is not inspect.Parameter.empty:
        text += f": {_type(parameter.annotation)}"
    if parameter.default is not inspect.Parameter.empty:
        text += f" = {_default(parameter.default)}" if ":" in text else f"={_default(parameter.default)}"
    return text


def _default(value: Any) -> str:
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, str):
        return f'"{value}"'
    if value is MISSING or "<" in repr(value):
        return "…"
    return f"{value:_}" if isinstance(value, int) and not isinstance(value, bool) and value > 9999 else repr(value)


def _type(annotation: Any) -> str:
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(gigq|typing|datetime|collections\.abc)(\.\w+)*\.(?=[A-Z])", "", text)


def _returns(annotation: Any) -> str:
    return "" if annotation is inspect.Signature.empty else f" -> {_type(annotation)}"


def _fenced(code: str, language: str = "py") -> str:
    return f"```{language}\n{code}\n```\n\n"


# docstrings

_SECTIONS = {
    "Args:": "Arguments", "Attributes:": "Attributes", "Raises:": "Raises", "Returns:": "Returns", "Yields:": "Yields",
}  # fmt: skip


def _document(each: Any) -> str:
    """A docstring as Markdown."""
    text = inspect.getdoc(each) or ""
    if isinstance(each, type) and (is_typeddict(each) or (is_dataclass(each) and each.__name__ not in CONSTRUCTED)):
        hidden = ("Attributes:", "Args:")  # they are in the table of fields
    else:
        hidden = ()
    methods = set(_methods(each)) if isinstance(each, type) else set()
    owner = each.__name__ if isinstance(each, type) else ""
    blocks = [block for block in _blocks(text) if not block.startswith(hidden or ("\0",))]
    return "".join(_block(block, owner, methods) + "\n" for block in blocks)


def _blocks(text: str) -> list[str]:
    """The paragraphs and sections of a docstring; what is indented belongs to the section above it."""
    blocks: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        is_inside = paragraph.startswith(" ") and blocks and blocks[-1].split("\n")[0] in _SECTIONS
        if is_inside:
            blocks[-1] += "\n" + paragraph
        else:
            blocks.append(paragraph)
    return blocks


def _block(block: str, owner: str, methods: set[str]) -> str:
    first, _, rest = block.partition("\n")
    if first.strip() in _SECTIONS:
        return f"**{_SECTIONS[first.strip()]}**\n\n{_section(block)}"
    if first in ("Example:", "Examples:"):
        return _fenced(textwrap.dedent(rest), "pycon").rstrip("\n") + "\n"
    if first.lstrip().startswith(">>>"):
        return _fenced(textwrap.dedent(block), "pycon").rstrip("\n") + "\n"
    if block.startswith("==="):
        return _table(block, owner, methods)
    if block.startswith(" "):
        return _fenced(textwrap.dedent(block)).rstrip("\n") + "\n"
    if first.startswith("- "):
        return "".join(_item(item) for item in re.split(r"\n(?=- )", block))
    return _lines(block)


def _section(block: str) -> str:
    entries = _entries(block)
    if not entries:
        return _lines(textwrap.dedent(block.partition("\n")[2]))
    return "".join(_item(f"- {_names(names)}: {about}" if names else f"- {about}") for names, about in entries)


def _entries(block: str) -> list[tuple[str, str]]:
    """The entries of a section: names, and what is said of them."""
    first, _, rest = block.partition("\n")
    if first.strip() not in _SECTIONS:
        return []
    entries: list[tuple[str, str]] = []
    for line in textwrap.dedent(rest).splitlines():
        names, colon, about = line.partition(":")
        if line.startswith(" ") and entries:
            entries[-1] = (entries[-1][0], f"{entries[-1][1]} {line.strip()}")
        elif colon and re.fullmatch(r"[\w*.]+(, [\w*.]+)*", names):
            entries.append((names, about.strip()))
        elif line.strip():
            entries.append(("", line.strip()))
    return entries if any(names for names, _ in entries) else []


def _attributes(block: str) -> Iterator[tuple[str, str]]:
    """What a section says of each of its names."""
    if block.startswith(("Attributes:", "Args:")):
        for names, about in _entries(block):
            for name in names.split(", "):
                yield name, about


def _names(names: str) -> str:
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

    flat = re.sub(r"`[^`]*`", keep, " ".join(_inline(text).split()))
    parts = re.split(r"(?<=[.!?]) (?=[A-Z\0\"“])", flat)
    return [re.sub(r"\0(\d+)\0", lambda match: code[int(match[1])], part) for part in parts]


def _inline(text: str) -> str:
    """Inline marks of reStructuredText as Markdown."""
    return re.sub(r"``([^`]+)``", r"`\1`", text).replace("`None`", "None")


def _closed(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _table(block: str, owner: str, methods: set[str]) -> str:
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

    linked = [(word, re.sub(r"`(\w+)`", link, _inline(rest))) for word, rest in rows]
    return "\n".join(["| | |", "| --- | --- |", *(f"| {word} | {rest} |" for word, rest in linked)]) + "\n"


PARTS: dict[str, Callable[[], str]] = {
    **{f"api {group}": lambda group=group: part(group) for group in GROUPS},  # type: ignore[misc]
    "api errors": error_table,
    "api the rest": others,
}
