"""The SQL of the store is that of SQLite 3.34, which Enterprise Linux 9 ships."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import gigq

STORE = Path(gigq.__file__).parent / "store"

NEWER = re.compile(
    r"\bRETURNING\b|\) STRICT\b|->>|\bDROP COLUMN\b|\bMATERIALIZED\b"  # 3.35, 3.37, 3.38, 3.35, 3.35
    r"|\b(RIGHT|FULL)( OUTER)? JOIN\b|\bIS( NOT)? DISTINCT FROM\b"  # 3.39
    r"|\b(unixepoch|format|concat|concat_ws|timediff|jsonb\w*|json_error_position|octet_length|sqrt|floor|ceil)\("
)
"""What SQLite has learnt since."""


def sql_of(module: Path) -> list[str]:
    """The texts of a module that are not docstrings."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [text.value for text in texts if id(text) not in prose]


@pytest.mark.parametrize("module", sorted(STORE.rglob("*.py")), ids=lambda path: str(path.relative_to(STORE)))
def test_the_sql_needs_no_sqlite_newer_than_3_34(module: Path) -> None:
    assert [text for text in sql_of(module) if NEWER.search(text)] == []


@pytest.mark.parametrize(
    "sql",
    ["UPDATE jobs SET name = 1 RETURNING id", "SELECT result ->> '$.a' FROM jobs", "CREATE TABLE t (a INTEGER) STRICT"],
)
def test_newer_sql_is_recognised(sql: str) -> None:
    assert NEWER.search(sql)
