"""examples/census.py: the right numbers, and nothing twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gigq import JobQueue

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "census.py"

TABLE = """\
4 files, 8 lines, 4 functions and classes; left out: 1
 lines  where
     3  one.py:2 def first
     2  pack/two.py:1 class Second
     1  one.py:4 async def inner
     1  pack/two.py:2 def method
"""


def census(folder: Path, db: Path, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), str(folder), "--db", str(db), *options],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "census.db"
    with JobQueue(tmp_path / "census.db", initialize=False) as queue:
        assert queue.check() == []


@pytest.fixture
def small(tmp_path: Path) -> Path:
    files = {
        "one.py": "import os\ndef first():\n    x = 1\n    async def inner(): pass\n",
        "pack/two.py": "class Second:\n    def method(self): pass\n",
        "pack/latin.py": "# coding: latin-1\nname = 'M\xfcller'\n",
        "pack/broken.py": "def f(:\n",
        "test/test_one.py": "import skipped\n",
        "notes.txt": "import nothing\n",
    }
    for name, text in files.items():
        path = tmp_path / "small" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="latin-1")
    return tmp_path / "small"


def executions(db: Path) -> int:
    with JobQueue(db, initialize=False) as queue:
        return sum(len(job.executions) for job in queue.find_jobs("completed"))


def test_it_prints_the_longest_and_reads_a_file_again_only_when_it_was_edited(small: Path, db: Path) -> None:
    assert census(small, db) == TABLE
    assert census(small, db, "--processes") == TABLE
    assert executions(db) == 3

    os.utime(small / "one.py", ns=(0, 0))
    assert census(small, db) == TABLE
    assert executions(db) == 4
    assert census(small, db, "--forget") == f"forgot 5 calls\n{TABLE}"


def test_its_docstring_shows_the_form_of_what_it_prints() -> None:
    shown = EXAMPLE.read_text().partition('"""')[2]
    assert "files, 359,115 lines, 22,095 functions and classes; left out:" in shown
    assert " lines  where" in shown
    assert len(EXAMPLE.read_text().splitlines()) < 80
