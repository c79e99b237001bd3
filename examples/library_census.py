"""Count the lines, functions, classes and imports of Python's standard library, or of any folder.

Run it from the root of the repository, with nothing installed; it takes about ten seconds:

    $ PYTHONPATH=. python3 examples/library_census.py
    package                 files      lines  functions    classes    imports
    (all)                     863    359,115     18,814      3,281      4,813
    idlelib                   125     34,537      2,349        382        864
    encodings                 122     32,340        561        592        161
    distutils                  91     22,380        939        127        719
    …
    left out: lib2to3/tests/data/bom.py: SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)?
    …

    All of it is in one file. Ask it:
    sqlite3 /home/you/gigq/census.db 'SELECT name, duration FROM job_overview ORDER BY …'
    …

Kill it in the middle with `kill -9`, and start it again: it goes on where it was, counts no file twice, and prints
the same table. Start it twice at once, and the two share the work. Started once more it prints the table from the
file; edit one of the modules, and only that one is counted again. A folder can be given, and `--db FILE`.
"""

import argparse
import ast
import shlex
import sys
import sysconfig
import threading
import time
import tokenize
import warnings
from collections import Counter, defaultdict
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from gigq import JobQueue, Worker, Workflow, task

COLUMNS = "files", "lines", "functions", "classes", "imports"
SKIPPED = {"site-packages", "dist-packages", "__pycache__", "test"}  # `test` alone is larger than all the rest
QUESTIONS = """
All of it is in one file. Ask it:
sqlite3 {db} 'SELECT name, duration FROM job_overview ORDER BY duration_seconds DESC LIMIT 5'
sqlite3 {db} 'SELECT worker_id, status, count(*) AS jobs FROM execution_overview GROUP BY worker_id, status'
sqlite3 {db} 'SELECT substr(completed_at, 12, 8) AS second, count(*) AS jobs FROM execution_overview GROUP BY second'"""


# What `count` raises it would raise again. Only being killed is worth another attempt.
@task(max_attempts=10, no_retry_on=[Exception])
def count(folder: str, name: str) -> dict[str, dict[str, int]]:
    with tokenize.open(Path(folder, name)) as file:
        source = file.read()
    found = Counter(type(node).__name__ for node in ast.walk(ast.parse(source, name)))
    functions, imports = found["FunctionDef"] + found["AsyncFunctionDef"], found["Import"] + found["ImportFrom"]
    numbers = dict(zip(COLUMNS, (1, len(source.splitlines()), functions, found["ClassDef"], imports), strict=True))
    return {"(all)": numbers, Path(name).parts[0].removesuffix(".py"): numbers}


@task(max_attempts=10, on_parent_failure="run")
def merge(parent_results: dict[str, dict[str, dict[str, int]] | None]) -> dict[str, Counter[str]]:
    merged: dict[str, Counter[str]] = defaultdict(Counter)
    for census in filter(None, parent_results.values()):  # a file that could not be parsed has None
        for package, numbers in census.items():
            merged[package].update(numbers)
    return merged


def plan(folder: Path) -> Workflow:
    """A job for each file, one that merges fifty of them, and so on until a last one has merged all."""
    workflow, jobs = Workflow("census"), []
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder)
        if path.is_file() and SKIPPED.isdisjoint(name.parts):
            file = count.options(name=str(name), id=id_of(folder, name, path.stat().st_mtime_ns))
            jobs.append(workflow.add_task(file, {"folder": str(folder), "name": str(name)}))
    while len(jobs) > 1:
        lots = [jobs[start : start + 50] for start in range(0, len(jobs), 50)]
        jobs = [workflow.add_task(merge.options(id=id_of(*(job.id for job in lot))), depends_on=lot) for lot in lots]
    return workflow


# An id is made of what its job will read. So the same job, submitted again, is stored once and not run again,
# and a file that was edited is a new job.
def id_of(*what: object) -> str:
    return str(uuid5(NAMESPACE_URL, " ".join(map(str, what))))


def work(queue: JobQueue, db: Path) -> None:
    """Run two jobs at a time, until none is left."""
    with Worker(db, concurrency=2) as worker:
        thread = threading.Thread(target=worker.start)
        thread.start()
        try:
            while thread.is_alive() and (left := queue.count(["pending", "running"])):
                if sys.stderr.isatty():
                    print(f"{left:6,} jobs to go ", end="\r", file=sys.stderr)
                time.sleep(0.1)
        finally:
            worker.stop()
            thread.join()


def show(queue: JobQueue, ids: list[str]) -> None:
    census = queue.get_result(ids[-1]) or {}
    print(f"{'package':18}" + "".join(f"{column:>11}" for column in COLUMNS))
    for package in sorted(census, key=lambda package: -census[package]["lines"])[:11]:
        print(f"{package:18}" + "".join(f"{census[package][column]:11,}" for column in COLUMNS))
    for job in reversed(queue.list_jobs("failed")):
        if job["id"] in ids:
            print(f"left out: {job['name']}: {job['error'].splitlines()[-1]}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Count what is in the Python files of a folder.")
    parser.add_argument("folder", nargs="?", type=Path, default=sysconfig.get_path("stdlib"))
    parser.add_argument("--db", type=Path, default="census.db")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # SyntaxWarning and the like are about the files, not about us
    with JobQueue(options.db) as queue:
        ids = plan(options.folder.resolve()).submit_all(queue) or parser.error(f"no .py file in {options.folder}")
        work(queue, options.db)
        show(queue, ids)
    print(QUESTIONS.format(db=shlex.quote(str(options.db.resolve()))))
