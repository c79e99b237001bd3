"""The guarantees of examples/library_census.py: the right numbers, once each, through kill -9."""

from __future__ import annotations

import ast
import io
import os
import shlex
import sqlite3
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gigq import JobQueue

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "library_census.py"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def command(folder: Path, db: Path) -> list[str]:
    return [sys.executable, str(EXAMPLE), str(folder), "--db", str(db)]


def census(folder: Path, db: Path) -> str:
    """Run the example to its end, and return what it printed."""
    done = subprocess.run(command(folder, db), env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=True)
    # It sets up no logging, and is warned of files that cannot be parsed, and of a worker that was killed.
    assert [each for each in done.stderr.splitlines() if "SyntaxError" not in each and " is dead; " not in each] == []
    return done.stdout


def table(printed: str) -> list[list[str]]:
    return [line.split(maxsplit=5) for line in printed.partition("\n\n")[0].splitlines()]


def executions(db: Path) -> dict[str, list[str]]:
    """How each execution of each job ended, by the name and id of the job."""
    with JobQueue(db, initialize=False) as queue:
        jobs = queue.list_jobs()
    return {f"{job['name']} {job['id']}": [each["status"] for each in job["executions"]] for job in jobs}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Path]:
    """Where the census is kept; at the end the file must be sound."""
    db = tmp_path / "census.db"
    yield db
    with JobQueue(db, initialize=False) as queue:
        assert queue.check() == []


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder whose census is known."""
    return write_small(tmp_path / "small")


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What a census of that folder printed, and where it is kept: for tests that only look."""
    folder = tmp_path_factory.mktemp("counted")
    db = folder / "census.db"
    return census(write_small(folder / "small"), db), db


def write_small(folder: Path) -> Path:
    files = {
        "one.py": "import os\nfrom sys import path\n\ndef f():\n    def g(): pass\n",
        "pack/__init__.py": "",
        "pack/two.py": "class A:\n    async def f(self): pass\n",
        "pack/latin.py": "# coding: latin-1\nname = 'M\xfcller'\n",
        "pack/broken.py": "def f(:\n",
        "test/test_one.py": "import skipped\n",
        "notes.txt": "import nothing\n",
    }
    for name, source in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(source.encode("latin-1"))
    return folder


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A folder that takes long enough for the example to be killed in the middle."""
    folder = tmp_path / "large"
    for package in range(2):
        (folder / f"package_{package}").mkdir(parents=True)
        for module in range(50):
            source = "def f(a, b):\n    return [a + b, a * b]\n" * (50 + module)
            (folder / f"package_{package}" / f"module_{module}.py").write_text(source)
    (folder / "package_1" / "broken.py").write_text("print 'hello'\n")
    return folder


def kill_in_the_middle(folder: Path, db: Path, *, completed: int) -> None:
    """Start the example, and kill it with SIGKILL when this number of jobs have completed."""
    with JobQueue(db) as queue, subprocess.Popen(command(folder, db), env=ENVIRONMENT) as process:
        while queue.count("completed") < completed:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.005)
                pytest.fail("it ended before it could be killed")
        process.kill()
        process.wait()
        assert queue.count("pending") > 0, "it was too quick to be killed in the middle"


def test_the_table_counts_what_is_in_the_files(counted: tuple[str, Path]) -> None:
    printed, _ = counted
    assert table(printed) == [
        ["package", "files", "lines", "functions", "classes", "imports"],
        ["(all)", "4", "9", "3", "1", "2"],
        ["one", "1", "5", "2", "0", "2"],
        ["pack", "3", "4", "1", "1", "0"],
        ["left", "out:", "pack/broken.py:", "SyntaxError:", "invalid", "syntax"],
    ]


def test_a_file_that_cannot_be_parsed_is_tried_once_and_disturbs_no_other(counted: tuple[str, Path]) -> None:
    _, db = counted
    ended = {name.split()[0]: how for name, how in executions(db).items()}
    assert ended.pop("pack/broken.py") == ["failed"]
    assert set(map(tuple, ended.values())) == {("completed",)}


def test_killed_in_the_middle_it_goes_on_where_it_was_and_prints_the_same_table(
    large: Path, db: Path, tmp_path: Path
) -> None:
    undisturbed = table(census(large, tmp_path / "undisturbed.db"))

    for completed in (20, 70):
        kill_in_the_middle(large, db, completed=completed)
    finished = {name: how for name, how in executions(db).items() if how[-1:] in (["completed"], ["failed"])}
    assert len(finished) >= 70

    assert table(census(large, db)) == undisturbed
    ended = executions(db)
    assert {name: ended[name] for name in finished} == finished
    assert len(ended) == 101 + 3 + 1
    for how in ended.values():
        assert how[-1] in ("completed", "failed")
        assert set(how[:-1]) <= {"lost", "released"}, "what had begun, and what was only claimed ahead"
    assert sum(how.count("lost") for how in ended.values()) <= 2 * 2  # kills, and jobs at a time


def test_started_again_when_all_is_counted_it_prints_the_same_and_runs_nothing(small: Path, db: Path) -> None:
    first, ended = census(small, db), executions(db)

    assert census(small, db) == first
    assert executions(db) == ended


def test_a_file_that_was_edited_is_counted_again_and_the_others_are_not(small: Path, db: Path) -> None:
    census(small, db)
    before = executions(db)
    (small / "pack" / "broken.py").write_text("def f():\n    return 1\n")

    assert table(census(small, db))[1:] == [
        ["(all)", "5", "11", "4", "1", "2"],
        ["pack", "4", "6", "2", "1", "0"],
        ["one", "1", "5", "2", "0", "2"],
    ]
    after = executions(db)
    assert before.items() <= after.items()
    assert sorted(name.split()[0] for name in after.keys() - before.keys()) == ["merge", "pack/broken.py"]


def test_the_three_sql_queries_that_it_prints_find_something(counted: tuple[str, Path]) -> None:
    printed, db = counted
    lines = [shlex.split(line) for line in printed.splitlines() if line.startswith("sqlite3")]

    answers = []
    for program, path, question in lines:
        assert (program, path) == ("sqlite3", str(db))
        connection = sqlite3.connect(path)
        answers.append(connection.execute(question).fetchall())
        connection.close()
    slowest, workers, seconds = answers
    assert len(slowest) == 5 and all(duration.endswith("s") for _, duration in slowest)
    assert [(status, jobs) for _, status, jobs in workers] == [("completed", 5), ("failed", 1)]
    assert sum(jobs for _, jobs in seconds) == 6


def test_a_folder_without_python_files_is_refused_in_one_line(tmp_path: Path, db: Path) -> None:
    done = subprocess.run(command(tmp_path, db), env=ENVIRONMENT, capture_output=True, text=True, timeout=120)

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"library_census.py: error: no .py file in {tmp_path}"


def test_its_docstring_shows_the_head_of_the_table_that_it_prints(counted: tuple[str, Path]) -> None:
    printed, _ = counted
    docstring = ast.get_docstring(ast.parse(EXAMPLE.read_text()))

    assert docstring is not None
    assert printed.splitlines()[0] in docstring


def test_it_has_less_than_80_lines_of_code() -> None:
    source = EXAMPLE.read_text()
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in silent:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
            code.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))

    assert len(code) < 80
