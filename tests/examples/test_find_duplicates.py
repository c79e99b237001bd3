"""The promises of examples/find_duplicates.py: it finds all that there is, also if it is killed in the middle."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gigq import JobQueue, NotAQueue, SystemClock

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "find_duplicates.py"
FOLDERS = 30
WORDS = """
         66 jobs
        145 files
          3 groups of equal files
        127 bytes too many
"""


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Path]:
    """Where the jobs are; at the end the file must be sound."""
    db = tmp_path / "duplicates.db"
    yield db
    with JobQueue(db, initialize=False) as queue:
        assert queue.check() == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with others in it, and files of which some are equal."""
    folder = tmp_path / "files"
    for number in range(FOLDERS):
        each = folder / f"{number % 3}" / f"{number}"
        each.mkdir(parents=True)
        for name in ("a", "b", "c"):
            (each / name).write_text(f"{number} {name}")
        (each / "same").write_text("same" + number % 2 * "!")
        (each / "empty").touch()
    for number in range(25):
        (folder / f"{number}.txt").write_text(f"{number}" if number else "1")
    (folder / "loop").symlink_to(folder)
    return folder


def command(folder: Path, db: Path) -> list[str]:
    return [sys.executable, str(EXAMPLE), str(folder), "--db", str(db)]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def found(folder: Path, db: Path) -> str:
    """Run the example to its end, and return what it printed."""
    done = subprocess.run(command(folder, db), env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def completed(db: Path) -> int:
    try:
        with JobQueue(db, initialize=False) as queue:
            return queue.count("completed")
    except NotAQueue:
        return 0


def test_it_finds_the_equal_files_of_a_folder(folder: Path, db: Path) -> None:
    printed = found(folder, db)
    assert printed == f"{WORDS.strip(chr(10))}\nThe report is in {db.with_suffix('.txt')}\n"
    largest, second, third = db.with_suffix(".txt").read_text().splitlines()
    assert largest.startswith("          5 bytes")
    assert largest.count(" = ") == second.count(" = ") == FOLDERS // 2 - 1
    assert third == f"          1 bytes  {folder}/0.txt = {folder}/1.txt"
    assert found(folder, db) == printed


def test_after_a_kill_it_goes_on_where_it_was(folder: Path, db: Path) -> None:
    clock = SystemClock()
    deadline = clock.monotonic() + 60
    with subprocess.Popen(command(folder, db), env=ENVIRONMENT, stderr=subprocess.PIPE) as killed:
        while completed(db) < 10:
            assert clock.monotonic() < deadline
            assert killed.poll() is None
        killed.kill()
    assert completed(db) >= 10
    assert found(folder, db).startswith(WORDS.strip("\n"))
    with JobQueue(db, initialize=False) as queue:
        assert queue.count() == queue.count("completed") == 67
        assert all(len(job.executions) <= 2 for job in queue.find_jobs())
