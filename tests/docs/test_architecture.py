"""The map of the code shows what is there, and every name on it exists."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import house
import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs/contributing.md", *sorted((ROOT / "docs").glob("*/*.md"))]
MAP = (ROOT / "docs/explanation/architecture.md").read_text()
FILE = re.compile(r"\b(?:gigq|tests|docs|examples)/(?:[\w.-]+/)*(?:[\w-]+\.\w+)?")
NAME = re.compile(r"`([a-z]\w*(?:\.\w+)+)`")
NAMES = sorted({name for name in NAME.findall(MAP) if not name.endswith((".py", ".md", ".svg"))})


def found(name: str) -> Any:
    """The object with this dotted name below `gigq`."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if (ROOT / "gigq" / "/".join(parts[:end])).with_suffix(".py").exists():
            each: Any = importlib.import_module(f"gigq.{'.'.join(parts[:end])}")
            for attribute in parts[end:]:
                each = getattr(each, attribute)
            return each
    raise LookupError(name)


def test_the_map_has_names_to_check() -> None:
    assert len(NAMES) > 30


@pytest.mark.parametrize("name", NAMES)
def test_a_name_on_the_map_exists(name: str) -> None:
    assert found(name) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_that_a_page_names_exists(page: Path) -> None:
    assert sorted({name for name in FILE.findall(page.read_text()) if not (ROOT / name).exists()}) == []


def test_the_map_lists_every_module_with_the_first_line_of_its_docstring() -> None:
    modules = [path for path in house.PACKAGE.rglob("*.py") if not path.name.startswith("__")]
    rows = [f"({'../../' + str(path.relative_to(ROOT))}) | {house.first_line(path)} |" for path in modules]
    assert [row for row in rows if row not in MAP] == []


def test_the_picture_shows_every_module() -> None:
    shown = re.findall(r">([^<>]+)</text>", house.picture())
    modules = [path for path in house.PACKAGE.rglob("*.py") if not path.name.startswith("__")]
    assert sorted(path.stem for path in modules if path.stem not in shown) == []
    assert len(shown) > len(modules)


def test_the_picture_stays_inside_its_frame() -> None:
    texts = re.findall(r'<text(?: class="\w*")? x="([\d.]+)" y="\d+">([^<]+)</text>', house.picture())
    assert texts
    assert [text for x, text in texts if float(x) + len(text) * 7.83 > house.WIDTH - house.PAD] == []
