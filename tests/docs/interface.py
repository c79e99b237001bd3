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
from pathlib import Path
from typing import Any, ForwardRef, is_typeddict

import docstrings

import gigq
from gigq import Job, JobOptions, errors, testing
from gigq.filters import FilterOptions
from gigq.queue.history import History
from gigq.queue.schedules import Schedules

GROUPS: dict[str, list[str]] = {
    "defining jobs": ["Job", "JobOptions", "task", "Task", "Workflow", "Priority"],
    "the queue": ["JobQueue", "Affected"],
    "history": [
        "Findings", "ExecutionSummary", "Throughput", "FunctionStats", "Percentiles", "FailureGroup", "AsOf",
        "ActionRecord",
    ],
    "schedules": [],
    "records": [
        "JobId", "JobRecord", "Page", "Count", "Candidate",
        "ExecutionRecord", "StepRecord", "WorkflowRecord", "WorkflowStatus", "JobClaim",
        "QueueRecord", "WorkerRecord", "ScheduleRecord", "JobStatus", "Phase", "ExecutionStatus",
        "HeldJob",
        "NextJob", "NextJobs",
        "GraphJob", "GraphLevel", "JobGraph",
        "Health", "QueueInfo",
    ],
    "workers": ["Worker", "QueueExecutor", "Event"],
    "inside a job": ["current_job", "JobContext", "RetryLater", "GiveUp"],
}  # fmt: skip
"""The public names in the order of the page. Exceptions have a table of their own, and the rest comes last."""

PLACED = {name for names in GROUPS.values() for name in names}
CONSTRUCTED = {"Job", "JobQueue", "QueueExecutor", "Worker", "Workflow", "ManualClock", "RetryLater"}
"""Classes that users instantiate themselves."""

_WIDEST = 100


def part(group: str) -> str:
    """The text of one group of names."""
    extra = {
        "the queue": [("Filters", FilterOptions)],
        "history": [("History", History)],
        "schedules": [("Schedules", Schedules)],
    }.get(group, [])
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


def types() -> str:
    """The names of types in signatures that stand for others, and what they stand for."""
    signatures = "".join(re.findall(r"^```py\n(.*?)^```", "".join(map(part, GROUPS)), re.MULTILINE | re.DOTALL))
    found: dict[str, str] = {}
    for path in sorted(Path(gigq.__file__).parent.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            name = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""
            if re.fullmatch(r"[A-Z][a-z]\w+", name) and re.search(rf"\b{name}\b", signatures):
                assert isinstance(node, ast.Assign)
                found.setdefault(name, ast.unparse(node.value).replace("'", '"'))
    lines = ["| type | stands for |", "| --- | --- |"]
    lines += [f"| `{name}` | `{text}` |".replace(" | ", " \\| ") for name, text in sorted(found.items())]
    return "\n".join(line.replace("` \\| `", "` | `", 1) for line in lines) + "\n"


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
        text, *sections = docstrings.blocks(inspect.getdoc(error) or "")
        attributes = [entry for section in sections for entry in docstrings.entries(section)]
        parts = [
            " ".join(docstrings.inline(text).split()),
            *(f"{docstrings.quoted(names)}: {docstrings.inline(about)}" for names, about in attributes),
        ]
        lines.append(f"| `{name}` | {', '.join(also)} | {' '.join(docstrings.closed(each) for each in parts)} |")
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
    table = _field_table(each) if _is_record(each) and name not in CONSTRUCTED else ""
    return "".join([head, table, *(_method(name, each, method) for method in _methods(each))])


# objects


def _is_record(kind: Any) -> bool:
    return is_dataclass(kind) or hasattr(kind, "_fields")


def _heading(text: str, level: int) -> str:
    return f"\n{'#' * level} {text}\n\n"


def _methods(kind: type) -> Iterator[str]:
    """The public methods and properties of a class that have docstrings, in the order of its source."""
    names: dict[str, None] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("gigq"):
            names |= dict.fromkeys(vars(base))
    taken = {field.name for field in fields(kind)} if is_dataclass(kind) else set()
    kinds = (property, classmethod, staticmethod) if kind.__name__ in CONSTRUCTED else (property,)
    for name in names:
        found = inspect.getattr_static(kind, name)
        is_callable = isinstance(found, kinds) or inspect.isfunction(found)
        if is_callable and not name.startswith("_") and name not in taken and inspect.getdoc(found):
            yield name


def _method(owner: str, kind: type, name: str) -> str:
    found = inspect.getattr_static(kind, name)
    head = _heading(f"{owner}.{name}", 4)
    if isinstance(found, property):
        returns = inspect.signature(found.fget).return_annotation if found.fget else ""
        return head + docstrings.fenced(f"{owner}.{name}: {_type(returns)}") + _document(found)
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
    rows = [(f"`{each.name}`", f"`{each.value}`", " ".join(texts.get(each.name, "").split())) for each in enum]
    return _rows("member", "value", rows)


def _field_table(kind: type) -> str:
    """The fields of a record or a dict of options: name, type, and what its docstring says of them."""
    sources = [kind] if kind is not JobOptions else [kind, Job]  # whose options have the meaning that they have there
    blocks = [block for each in sources for block in docstrings.blocks(inspect.getdoc(each) or "")]
    texts = {name: about for block in blocks for name, about in docstrings.attributes(block)}
    named = {name: _type(annotation).replace("|", "\\|") for name, annotation in _annotations(kind).items()}
    return _rows("field", "type", [(f"`{name}`", f"`{shown}`", texts.get(name, "")) for name, shown in named.items()])


def _rows(first: str, second: str, rows: list[tuple[str, str, str]]) -> str:
    """A table whose last column, what each row means, is left out where no row says anything."""
    width = 3 if any(about for *_, about in rows) else 2
    cells = [
        (first, second, "means"),
        ("---",) * 3,
        *((name, shown, docstrings.inline(about)) for name, shown, about in rows),
    ]
    return "".join(f"| {' | '.join(line[:width])} |\n" for line in cells)


def _annotations(kind: type) -> dict[str, Any]:
    if is_dataclass(kind):
        return {field.name: field.type for field in fields(kind) if field.repr}
    return {name: annotation for base in reversed(kind.__mro__) for name, annotation in _own(base).items()}


def _own(kind: type) -> dict[str, Any]:
    """The fields of a class with their types, those in its body as its module writes them: with names for the long."""
    found = dict(vars(kind).get("__annotations__", {}))
    if found:
        (made,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
        assert isinstance(made, ast.ClassDef)
        written = [each for each in made.body if isinstance(each, ast.AnnAssign)]
        found |= {ast.unparse(each.target): ast.unparse(each.annotation) for each in written}
    return found


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
    return docstrings.fenced(line)


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
    is_large = isinstance(value, int) and not isinstance(value, bool) and value > 9999
    return f"{value:_}" if is_large else _type(repr(value)).replace("datetime.datetime(", "datetime(")


def _type(annotation: Any) -> str:
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = text.replace("datetime.datetime", "datetime")
    return re.sub(r"\b(gigq|typing|datetime|collections\.abc)(\.\w+)*\.(?=[A-Z])", "", text)


def _returns(annotation: Any) -> str:
    return "" if annotation is inspect.Signature.empty else f" -> {_type(annotation)}"


def _document(each: Any) -> str:
    """A docstring as Markdown."""
    text = inspect.getdoc(each) or ""
    if isinstance(each, type) and (is_typeddict(each) or (_is_record(each) and each.__name__ not in CONSTRUCTED)):
        hidden = ("Attributes:", "Args:")  # they are in the table of fields
    else:
        hidden = ()
    methods = set(_methods(each)) if isinstance(each, type) else set()
    owner = each.__name__ if isinstance(each, type) else ""
    shown = [block for block in docstrings.blocks(text) if not block.startswith(hidden or ("\0",))]
    return "".join(docstrings.markdown(block, owner, methods) + "\n" for block in shown)


PARTS: dict[str, Callable[[], str]] = {
    **{f"api {group}": lambda group=group: part(group) for group in GROUPS},  # type: ignore[misc]
    "api types": types,
    "api errors": error_table,
    "api the rest": others,
}
