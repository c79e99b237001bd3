"""The floors of the house: which module may import which, and what stands in one place only."""

from __future__ import annotations

import ast
import re
from collections import deque
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import gigq

ROOT = Path(gigq.__file__).parent

FLOORS = (
    "errors status clock cron codec paths priority checks liveness process retry filters job records claims reports"
    " logs version",
    "store/ runtime/",
    "queue/",
    "worker/",
    "tasks workflow executor testing",
    "cli/ dashboard/",
    "__init__ __main__",
)
"""The house from the ground up: modules, and folders with a slash. `docs/explanation/architecture.md` draws it."""

FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}
TO_COME = {"executor", "dashboard/"}
"""Rooms that have their place and are not built yet."""

FACES = FLOOR_OF["cli/"]
OPEN_FLOORS = (0, 4)
"""On these a module may import its neighbours; on the others only those of its own folder."""

SQL = re.compile(r"\b(SELECT|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE|PRAGMA|BEGIN)\s")


def module_name(path: Path) -> str:
    """`store/schema.py` is ``store.schema``, and `store/__init__.py` is ``store``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def folder_of(module: str) -> str:
    """The folder at the top in which a module lies, such as ``store``; empty for one that lies at the top itself."""
    first = module.partition(".")[0]
    return first if (ROOT / first).is_dir() else ""


def floor_of(module: str) -> int:
    folder = folder_of(module)
    floor = FLOOR_OF.get(f"{folder}/" if folder else module)
    if floor is None:
        pytest.fail(f"gigq.{module} is on no floor; give it a place in {__file__}")
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


def way_to(module: str, forbidden: tuple[str, ...]) -> list[str]:
    """The shortest chain of imports from a module of ours to one of these, or to what is inside it; empty for none."""
    ways, seen = deque([[module]]), {module}
    while ways:
        way = ways.popleft()
        for name in sorted(imports_of(way[-1])):
            if any(name == each or name.startswith(f"{each}.") for each in forbidden):
                return [*way, name]
        for other in ours(way[-1]):
            if other not in seen and other != "__init__":
                seen.add(other)
                ways.append([*way, other])
    return []


def is_allowed(module: str, other: str) -> bool:
    here, there = floor_of(module), floor_of(other)
    same_folder = folder_of(module) != "" and folder_of(module) == folder_of(other)
    return there < here or same_folder or (there == here and here in OPEN_FLOORS)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_on_a_floor(module: str) -> None:
    assert floor_of(module) in range(len(FLOORS))


def test_the_table_names_no_room_that_is_gone() -> None:
    rooms = {f"{folder}/" if (folder := folder_of(module)) else module for module in MODULES}
    assert FLOOR_OF.keys() - rooms - TO_COME == set()


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
        ("store", ("gigq.paths", "inspect", "importlib", "pkgutil", "gigq.runtime")),
        ("runtime", ("gigq.store", "sqlite3")),
    ],
)
def test_a_folder_cannot_reach_what_it_must_not_know(folder: str, forbidden: tuple[str, ...]) -> None:
    """Not by way of another module of ours, either: what a module imports, it depends on."""
    found = {module: way for module in MODULES if folder_of(module) == folder and (way := way_to(module, forbidden))}
    assert found == {}


@pytest.mark.parametrize("folder", ["cli", "dashboard"])
def test_a_face_imports_neither_the_store_nor_sqlite(folder: str) -> None:
    assert [module for module in who_imports("gigq.store", "sqlite3") if folder_of(module) == folder] == []


def test_only_the_store_imports_sqlite() -> None:
    assert {folder_of(module) for module in who_imports("sqlite3")} == {"store"}


def test_only_the_clock_imports_time() -> None:
    assert who_imports("time") == {"clock"}


def test_below_the_faces_only_the_codec_and_the_wire_to_child_processes_import_json() -> None:
    assert {module for module in who_imports("json") if floor_of(module) < FACES} == {"codec", "runtime.process.wire"}


def test_only_paths_imports_what_a_name_stands_for() -> None:
    assert {module for module in who_imports("importlib", "pkgutil", "runpy") if floor_of(module) < FACES} == {"paths"}


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
