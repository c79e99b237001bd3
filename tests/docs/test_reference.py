"""The reference of the Python interface names all of it, and nothing that is not there."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import gigq
from gigq import Job, JobContext, JobQueue, Task, Worker, Workflow
from gigq.filters import FilterOptions

TEXT = (Path(__file__).parents[2] / "docs/reference/api.md").read_text()
NAMED = set(re.findall(r"`([\w.]+)", TEXT))
CLASSES = [JobQueue, Worker, Task, Workflow]


@pytest.mark.parametrize("name", gigq.__all__)
def test_the_reference_names_everything_public(name: str) -> None:
    assert name in NAMED


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_the_reference_names_every_public_method_and_no_other(kind: type) -> None:
    there = {f"{kind.__name__}.{name}" for name in dir(kind) if not name.startswith("_")}
    assert {name for name in NAMED if name.startswith(f"{kind.__name__}.")} == there


def test_the_reference_names_every_field() -> None:
    assert {each.name for each in fields(Job)} - NAMED == set()
    assert {name for name in dir(JobContext) if not name.startswith("_")} - NAMED == set()


def test_the_reference_names_every_filter() -> None:
    assert FilterOptions.__annotations__.keys() - NAMED == set()


@pytest.mark.parametrize("kind", [JobQueue, Worker], ids=lambda kind: kind.__name__)
def test_the_reference_has_the_arguments_of_a_class_with_their_defaults(kind: type) -> None:
    shown = re.search(rf"`{kind.__name__}\((.*)\)` ", TEXT)
    assert shown is not None
    names: dict[str, Any] = {}
    exec(f"def show(self, {shown[1]}): pass", names)
    described = inspect.signature(names["show"]).parameters.values()
    real = inspect.signature(vars(kind)["__init__"]).parameters.values()
    assert [(each.name, each.kind, each.default) for each in described] == [
        (each.name, each.kind, each.default) for each in real
    ]
