"""The promise of examples/exact_transfer.py: no money is lost or doubled by processes that are killed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "exact_transfer.py"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="child processes need Unix")


def test_it_prints_what_its_docstring_shows() -> None:
    """Which payments are interrupted, and where, is drawn with a seed; so all of it is the same each time."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLE)], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=120, check=True,
    )  # fmt: skip
    docstring = ast.get_docstring(ast.parse(EXAMPLE.read_text()))
    assert docstring is not None
    assert [line.strip() for line in docstring.splitlines()][5:8] == done.stdout.splitlines()
    first, second, _ = done.stdout.splitlines()
    assert first.startswith("20 payments: 20 completed, ")
    assert second == "money before: 5,000, and after: 5,000"


def test_it_has_less_than_80_lines_of_code() -> None:
    code = [line for line in EXAMPLE.read_text().partition('"""\n\n')[2].splitlines() if line.strip()]
    assert len(code) < 80
