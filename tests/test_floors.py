"""The floors of the house: which module may import which, and what stands in one place only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import gigq

ROOT = Path(gigq.__file__).parent

FLOOR_OF_MODULE = {
    "errors": 0, "status": 0, "retry": 0, "clock": 0, "codec": 0, "paths": 0, "job": 0, "filters": 0, "records": 0,
    "admission": 0, "liveness": 0, "claim": 0, "terms": 0, "version": 0, "cron": 0,
    "base": 2, "reader": 2, "analyst": 2, "steerer": 2, "regulator": 2, "schedules": 2, "keeper": 2, "consumer": 2,
    "queue": 2, "hand": 2, "pruning": 2, "worker": 2, "loop": 2, "duties": 2, "reserve": 2, "events": 2, "telling": 2,
    "tracking": 2,
    "task": 3, "workflow": 3, "testing": 3,
    "__init__": 5, "__main__": 5,
}  # fmt: skip
FLOOR_OF_FOLDER = {"store": 1, "runtime": 1, "cli": 4, "dashboard": 4}
OPEN_FLOORS = (0, 2, 3)
"""On these a module may import its neighbours; on the others only those of its own folder."""

SQL = re.compile(r"\b(SELECT|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE|PRAGMA|BEGIN)\s")


def module_name(path: Path) -> str:
    """`store/schema.py` is ``store.schema``, and `store/__init__.py` is ``store``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def folder_of(module: str) -> str:
    first = module.partition(".")[0]
    return first if (ROOT / first).is_dir() else ""


def floor_of(module: str) -> int:
    folder = folder_of(module)
    floor = FLOOR_OF_FOLDER.get(folder) if folder else FLOOR_OF_MODULE.get(module)
    if floor is None:
        pytest.fail(f"gigq.{module} stands on no floor; give it a place in {__file__}")
    return floor


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def imports_of(module: str) -> frozenset[str]:
    """All that a module imports, wherever the statement stands: modules by their full names."""
    return frozenset(imported(tree_of(module)))


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: import by the full name"
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if inside.removeprefix("gigq.") in MODULES else str(node.module)


def ours(module: str) -> list[str]:
    """The modules of gigq that a module imports, without their ``gigq.``; the package itself is its `__init__`."""
    found = (name for name in imports_of(module) if name == "gigq" or name.startswith("gigq."))
    return ["__init__" if name == "gigq" else name.removeprefix("gigq.") for name in found]


def who_imports(*names: str) -> set[str]:
    """The modules that import one of these, or something inside it."""
    return {
        module
        for module in MODULES
        if any(each == name or each.startswith(f"{name}.") for each in imports_of(module) for name in names)
    }


def is_allowed(module: str, other: str) -> bool:
    here, there = floor_of(module), floor_of(other)
    same_folder = folder_of(module) != "" and folder_of(module) == folder_of(other)
    return there < here or same_folder or (there == here and here in OPEN_FLOORS)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_stands_on_a_floor(module: str) -> None:
    assert floor_of(module) in range(6)


def test_the_table_names_no_module_that_is_gone() -> None:
    assert set(FLOOR_OF_MODULE) - set(MODULES) == set()


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_or_stay_in_the_folder(module: str) -> None:
    assert [other for other in ours(module) if not is_allowed(module, other)] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {module: set(ours(module)) - {module} for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these import each other: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("store", ("gigq.paths", "inspect", "importlib", "pkgutil")),
        ("store", ("gigq.runtime",)),
        ("runtime", ("gigq.store", "sqlite3")),
        ("cli", ("gigq.store", "sqlite3")),
        ("dashboard", ("gigq.store", "sqlite3")),
    ],
)
def test_a_folder_does_not_import_what_it_must_not_know(folder: str, forbidden: tuple[str, ...]) -> None:
    assert [module for module in who_imports(*forbidden) if folder_of(module) == folder] == []


def test_only_the_store_imports_sqlite() -> None:
    assert {folder_of(module) for module in who_imports("sqlite3")} == {"store"}


def test_only_the_clock_imports_time() -> None:
    assert who_imports("time") == {"clock"}


def test_below_the_faces_only_the_codec_and_the_wire_to_child_processes_import_json() -> None:
    assert {module for module in who_imports("json") if floor_of(module) < 4} == {"codec", "runtime.wire"}


def test_only_paths_imports_what_a_name_stands_for() -> None:
    assert {module for module in who_imports("importlib", "pkgutil", "runpy") if floor_of(module) < 4} == {"paths"}


def test_only_the_clock_asks_the_system_for_the_wall_clock() -> None:
    asking = {
        module
        for module in MODULES
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today")
        if isinstance(node.value, ast.Name) and node.value.id in ("datetime", "date")
    }
    assert asking == {"clock"}


def test_base_exceptions_are_caught_in_one_place() -> None:
    catching = [
        module
        for module in MODULES
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.ExceptHandler) and catches_everything(node)
    ]
    assert catching == ["runtime.call"]


def catches_everything(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(isinstance(node, ast.Name) and node.id == "BaseException" for node in ast.walk(handler.type))


@pytest.mark.parametrize("module", [module for module in MODULES if folder_of(module) != "store"])
def test_sql_stands_only_in_the_store(module: str) -> None:
    tree = tree_of(module)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert [text.value for text in texts if id(text) not in prose and SQL.search(text.value)] == []
