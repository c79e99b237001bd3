"""The reference of the Python interface has all of it, with what people need to know of each part."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import interface
import pytest

import gigq
from gigq import ExecutionRecord, Job, JobContext, JobQueue, JobRecord, Task, Worker, Workflow
from gigq.filters import FilterOptions
from gigq.queue.history import History
from gigq.queue.schedules import Schedules

TEXT = (Path(__file__).parents[2] / "docs/reference/api.md").read_text()
HEADINGS = set(re.findall(r"^###+ (.*)$", TEXT, re.MULTILINE))
CLASSES = [JobQueue, History, Schedules, Worker, Task, Workflow, JobContext]


def section(name: str) -> str:
    """The text under a heading, up to the next one."""
    found = re.search(rf"^###+ {re.escape(name)}\n(.*?)(?=^#|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", [name for name in gigq.__all__ if name != "__version__"])
def test_the_reference_has_everything_public(name: str) -> None:
    assert name in HEADINGS or f"| `{name}` |" in TEXT


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_the_reference_has_every_public_method_and_no_other(kind: type) -> None:
    there = {f"{kind.__name__}.{name}" for name in dir(kind) if not name.startswith("_")}
    assert {name for name in HEADINGS if name.startswith(f"{kind.__name__}.")} == there


@pytest.mark.parametrize("kind", [Job, JobQueue, Worker], ids=lambda kind: kind.__name__)
def test_the_reference_says_of_every_argument_what_it_means(kind: type) -> None:
    entries = re.findall(r"^- (`\w+`(?:, `\w+`)*): ", section(kind.__name__), re.MULTILINE)
    described = {name.strip("`") for names in entries for name in names.split(", ")}
    assert inspect.signature(kind).parameters.keys() - described == set()


def test_an_error_is_listed_with_its_kin_and_its_attributes() -> None:
    assert "| `JobFailed` | `RuntimeError` |" in interface.error_table()
    assert "`status`: " in interface.error_table()


def test_a_docstring_is_written_with_one_sentence_a_line_and_its_sections_as_lists() -> None:
    def example(first: int, *, second: str = "x") -> None:
        """Do it. It is ``done`` by `then. Or` now.

        ===  ==================
        run  `run` and more
             of it
        ===  ==================

        >>> example(1)

        Args:
            first: a number. It must
                be small.
            second: text.

        Raises:
            ValueError, TypeError: never.
        """

    text = interface.described("example", example)
    assert text.strip().split("\n") == [
        "### example",
        "",
        "```py",
        'example(first: int, *, second: str = "x") -> None',
        "```",
        "",
        "Do it.",
        "It is `done` by `then. Or` now.",
        "",
        "| | |",
        "| --- | --- |",
        "| run | `run` and more of it |",
        "",
        "```pycon",
        ">>> example(1)",
        "```",
        "",
        "**Arguments**",
        "",
        "- `first`: a number.",
        "  It must be small.",
        "- `second`: text.",
        "",
        "**Raises**",
        "",
        "- `ValueError`, `TypeError`: never.",
    ]


@pytest.mark.parametrize("kind", [JobRecord, ExecutionRecord, FilterOptions], ids=lambda kind: kind.__name__)
def test_the_reference_describes_every_field(kind: type) -> None:
    rows = re.findall(r"^\| `(\w+)` \| `.*` \| (.*) \|$", interface.described(kind.__name__, kind), re.MULTILINE)
    assert [name for name, about in rows if not about.strip()] == []
    assert rows
