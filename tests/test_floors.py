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
    "markup workflow_order drawing/ "
    "errors status clock cron codec paths unfit priority checks cleaning liveness process retry filters job_ids job query query_syntax times durations handles redaction redacted_text"
    " new_job plain records queue_records workflow_records claims reports steps logs missing importing main_guard lazy"
    " version measure survey derived_ids foreign progress_line pages tracebacks"
    " affected history_records health_records graph_records next_records failing percentiles findings",
    "store/ runtime/",
    "queue/",
    "worker/",
    "tasks workflow testing executor/",
    "cli/ dashboard/",
    "__init__ __main__",
)
"""The house from the ground up: modules, and folders with a slash. `docs/explanation/architecture.md` draws it."""

FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}
TO_COME = {"dashboard/"}
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


WITH_TEXTS = {
    "cli.bulk", "cli.candidates", "cli.commands.dead_letters", "cli.commands.difference", "cli.following",
    "cli.job_story", "cli.selecting", "job", "runtime.durable",
}  # fmt: skip
"""Few commands load these, and most of their types are imported for checkers alone; or, as of `Job`, people see them."""


def test_named_fields_are_declared_where_annotations_are_no_texts_to_be_compiled_at_a_start() -> None:
    found = {module for module in MODULES if "annotations" in texts_of(module) and has_named_fields(module)}

    assert found == WITH_TEXTS


def texts_of(module: str) -> set[str]:
    """What a module imports from `__future__`."""
    froms = [each for each in tree_of(module).body if isinstance(each, ast.ImportFrom) and each.module == "__future__"]
    return {alias.name for each in froms for alias in each.names}


def has_named_fields(module: str) -> bool:
    classes = [each for each in ast.walk(tree_of(module)) if isinstance(each, ast.ClassDef)]
    bases = {ast.unparse(base) for each in classes for base in each.bases}
    return not bases.isdisjoint({"NamedTuple", "TypedDict"})


def test_only_the_store_imports_sqlite() -> None:
    assert {folder_of(module) for module in who_imports("sqlite3")} == {"store"}


def test_only_the_clock_imports_time() -> None:
    assert who_imports("time") == {"clock"}


def test_below_the_faces_only_the_codec_the_wire_to_child_processes_and_the_log_import_json() -> None:
    assert {module for module in who_imports("json") if floor_of(module) < FACES} == {
        "codec",
        "runtime.process.wire",
        "logs",
    }


def test_only_paths_imports_what_a_name_stands_for_and_lazy_our_own_modules() -> None:
    importing = {module for module in who_imports("importlib", "pkgutil", "runpy") if floor_of(module) < FACES}
    assert importing == {"lazy", "paths"}


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


PARTS_OF_SQL = {
    "READY", "OPEN",  # the predicates of partial indexes
    "phase_of", "may",  # conditions made of statuses and moves
    "SUBMITTER",  # a column of another row
    "where", "self._where", "self._when", "condition",  # what filters ask for
    "source.sql", "self._source.sql", "ALL_UNFINISHED",  # queries of such conditions
    "distinct",  # a query of columns and predicates
    "listed", "tabled", "assigned",  # as many question marks as there are values
    "OVERLAPS", "ENDED",  # conditions on the instants of executions
    # in one module each
    "MOST", "_FAILED",
    "_AGGREGATES", "_COLUMNS", "_EXPIRES",
    "_FIRSTS", "_PLACES", "_MARKS", "_ROWS", "_insert", "_SAMPLED", "_is_needed",
    "_for_each", "_none_of", "_JOB", "UNFINISHED_PARENTS", "BLOCKED_FOR_EVER", "WRONG_ATTEMPTS",
    "EMPTY_WORKFLOWS", "OF_NO_WORKFLOW", "FOREIGN_LAST_JOB", "NOT_WAITED_FOR", "FOREIGN_STEPS",
    "SUBMITTED_BY_LATER",
    "_RENAMED", "_ROW", "_null_for_missing", "VIEWS_OF",  # names in older files
}  # fmt: skip
"""The names in the store whose text may be put into SQL: constants, and functions that make it of constants."""

BUILDERS = ("store.tables", "store.views", "store.engine.lists", "store.filtering", "store.sources")
"""Modules that only make such texts, and know no value from outside."""

KEYWORDS = re.compile(
    r"\b(SELECT|FROM|WHERE|JOIN|INSERT|INTO|VALUES|UPDATE|SET|DELETE|CREATE|DROP|ALTER|PRAGMA|ORDER BY|EXISTS|IN|AND"
    r"|OR)\s"
)

STORE = [module for module in MODULES if folder_of(module) == "store"]


def text_of(node: ast.AST) -> str | None:
    """The text of a string, with ``{}`` for each hole; None for anything else."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def holes_in(function: ast.AST) -> Iterator[ast.expr]:
    """What is put into the SQL in a function, or in a module."""
    for node in ast.walk(function):
        if isinstance(node, ast.JoinedStr) and KEYWORDS.search(text_of(node) or ""):
            yield from (part.value for part in node.values if isinstance(part, ast.FormattedValue))


def sources_of(expression: ast.expr, function: ast.AST) -> set[str]:
    """The names from which the value of an expression in a function comes, as far back as the function shows."""
    match expression:
        case ast.Name(id=name):
            given = [value for each, value in bindings_in(function) if each == name]
            return set().union(*(sources_of(value, function) for value in given)) if given else {name}
        case ast.Call(func=ast.Name(id="reversed"), args=[inner]) | ast.Subscript(value=inner):
            return sources_of(inner, function)
        case ast.Call(func=ast.Name(id=name)):
            return {name}
        case ast.Call(func=ast.Attribute(value=inner)) if not isinstance(inner, ast.Constant):
            return sources_of(inner, function)
        case ast.JoinedStr():
            return set().union(*(sources_of(hole, function) for hole in holes_in(expression)))
    return {ast.unparse(expression)}


def bindings_in(function: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The names to which a function gives a value, and each of these values."""
    for node in ast.walk(function):
        if isinstance(function, ast.FunctionDef) and isinstance(node, ast.Assign | ast.For):
            targets, value = (node.targets, node.value) if isinstance(node, ast.Assign) else ([node.target], node.iter)
            for target in targets:
                yield from ((each.id, value) for each in ast.walk(target) if isinstance(each, ast.Name))


@pytest.mark.parametrize("module", [module for module in STORE if module not in BUILDERS])
def test_nothing_is_put_into_sql_but_texts_of_our_own(module: str) -> None:
    tree = tree_of(module)
    functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and each.name not in PARTS_OF_SQL]
    constants = [each for each in tree.body if not isinstance(each, ast.FunctionDef | ast.ClassDef)]
    found = {name for each in functions + constants for hole in holes_in(each) for name in sources_of(hole, each)}
    assert found - PARTS_OF_SQL == set()


def formatted_in(tree: ast.AST) -> Iterator[ast.expr]:
    """What is put together with an operator, or formatted by a method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp):
            yield from (node.left, node.right)
        elif isinstance(node, ast.Attribute) and node.attr in ("format", "format_map"):
            yield node.value


@pytest.mark.parametrize("module", STORE)
def test_sql_is_formatted_by_no_other_means(module: str) -> None:
    texts = [text_of(each) or "" for each in formatted_in(tree_of(module))]
    assert [text for text in texts if KEYWORDS.search(text)] == []


# moves

ASSIGNMENTS = re.compile(r"\bUPDATE\s+jobs\s+SET\b(.*?)(?:\bWHERE\b|\bFROM\b|$)", re.DOTALL)


def writes_a_status(sql: str) -> bool:
    """Whether it changes the status of stored jobs, or something that cannot be told from the text."""
    while (shorter := re.sub(r"\([^()]*\)", "", sql)) != sql:  # subqueries have clauses of their own
        sql = shorter
    is_upsert = re.search(r"\bINTO\s+jobs\b.*\bDO\s+UPDATE\b|\bREPLACE\s+INTO\s+jobs\b", sql, re.DOTALL)
    return bool(is_upsert) or any(re.search(r"\bstatus\s*=|\{\}", each) for each in ASSIGNMENTS.findall(sql))


@pytest.mark.parametrize(
    ("sql", "is_move"),
    [
        ("UPDATE jobs SET status = 'failed' WHERE seq = ?", True),
        ("UPDATE jobs\n   SET run_at = NULL,\n       status = ?\n WHERE seq = ?", True),
        ("UPDATE jobs SET blockers = (SELECT count(*) FROM jobs WHERE seq = 1), status = 'failed'", True),
        ("UPDATE jobs SET {} WHERE seq = ?", True),
        ("INSERT INTO jobs (id) VALUES (?) ON CONFLICT (id) DO UPDATE SET status = excluded.status", True),
        ("UPDATE jobs SET run_at = NULL WHERE status = 'pending'", False),
        ("UPDATE jobs SET blockers = (SELECT count(*) FROM jobs WHERE status = 'pending') WHERE seq = ?", False),
        ("UPDATE executions SET status = 'failed' WHERE id = ?", False),
        ("INSERT INTO jobs (id) VALUES (?) ON CONFLICT (id) DO NOTHING", False),
    ],
)
def test_a_statement_that_moves_a_job_is_recognised(sql: str, is_move: bool) -> None:
    assert writes_a_status(sql) == is_move


def test_the_status_of_a_stored_job_is_changed_in_one_module() -> None:
    moving = {
        module for module in MODULES for node in ast.walk(tree_of(module)) if writes_a_status(text_of(node) or "")
    }
    assert moving == {"store.moves"}
