"""What docstrings say: every field of every public record, and an example wherever people look for one."""

from __future__ import annotations

import doctest
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

import gigq
from gigq import JobQueue, testing
from gigq.filters import FilterOptions
from gigq.queue.history import History
from gigq.queue.schedules import Schedules

PUBLIC = {name: getattr(gigq, name) for name in gigq.__all__ if not name.startswith("__")}
RECORDS = [each for each in PUBLIC.values() if is_dataclass(each) or hasattr(each, "_fields")] + [FilterOptions]

WITHOUT_EXAMPLE = {
    "Clock", "SystemClock",  # nobody needs one but to replace it, by a ManualClock
    "ExecutionStatus", "Phase",  # words, as JobStatus
}  # fmt: skip
"""Public classes without an example, besides exceptions and dictionaries of options."""

CLASSES = {
    name: each
    for name, each in PUBLIC.items()
    if isinstance(each, type) and not issubclass(each, BaseException | dict) and name not in WITHOUT_EXAMPLE
}
METHODS = {
    f"{owner.__name__}.{method}": getattr(owner, method)
    for owner, methods in {
        JobQueue: "submit submit_many enqueue get_status list_jobs find_jobs wait result cancel requeue_job dequeue",
        Schedules: "add",
    }.items()
    for method in methods.split()
}
WITH_EXAMPLE: dict[str, Any] = {
    **CLASSES,
    **METHODS,
    "History": History,
    "Schedules": Schedules,
    "task": gigq.task,
    "drain": testing.drain,
}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_field_is_described(record: Any) -> None:
    names = [each.name for each in fields(record)] if is_dataclass(record) else list(record.__annotations__)
    assert [name for name in names if name not in set(described(record))] == []


def described(record: type) -> Iterator[str]:
    """The names that the sections Args and Attributes of a docstring begin with: ``name: …``, or ``one, other: …``."""
    text = inspect.getdoc(record) or ""
    for section in re.findall(r"^(?:Args|Attributes):\n((?:    .*\n?|\n)+)", text, re.MULTILINE):
        for names in re.findall(r"^    (\w+(?:, \w+)*):", section, re.MULTILINE):
            yield from names.split(", ")


@pytest.mark.parametrize("name", WITH_EXAMPLE)
def test_an_example_runs_and_leaves_no_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # Without recursion, for each method has a test of its own, and in a module with a name, so that jobs are found.
    (found,) = doctest.DocTestFinder(recurse=False).find(WITH_EXAMPLE[name], name, globs={"__name__": "doctest"})
    assert found.examples, "it has no example"
    output: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(found, out=output.append)
    assert "".join(output) == ""
    assert list(tmp_path.iterdir()) == []
