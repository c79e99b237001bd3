"""Find the equal files of a folder, with a workflow that discovers its work while it runs.

Run it from the root of the repository, with nothing installed; on Python's standard library it takes some seconds:

    $ PYTHONPATH=. python3 examples/find_duplicates.py
            403 jobs
          2,419 files
             34 groups of equal files
         50,819 bytes too many
    The report is in /home/you/gigq/duplicates.txt

At first there are two jobs: one walks the folder, and the report waits for it. To walk a folder submits a job for each
folder in it, and one for every twenty files. The report waits for all of these, unknown when it was submitted.
Killed in the middle with `kill -9` and started again, it goes on where it was; with a new `--db FILE` it looks anew.
"""

import argparse
import hashlib
import sysconfig
from collections import defaultdict
from pathlib import Path

from gigq import JobQueue, Worker, Workflow, current_job, task

AT_ONCE, SKIPPED = 20, {"site-packages", "__pycache__", ".git"}
File = tuple[str, int, str]  # its path, its size, and a hash of what is in it


# What cannot be read now cannot be read in a second attempt either. Only being killed is worth one.
@task(max_attempts=10, no_retry_on=[OSError])
def walk(folder: str) -> list[File]:
    entries = sorted(each for each in Path(folder).iterdir() if not each.is_symlink())
    files = [str(each) for each in entries if each.is_file() and each.stat().st_size > 0]
    lots = [files[start : start + AT_ONCE] for start in range(0, len(files), AT_ONCE)]
    folders = [each for each in entries if each.is_dir() and each.name not in SKIPPED]
    current_job().submit_many(walk.options(name=f"walk {each.name}").to_job(str(each)) for each in folders)
    current_job().submit_many(read.options(name=f"read {Path(folder).name}").to_job(lot) for lot in lots)
    return []


@task(max_attempts=10, no_retry_on=[OSError])
def read(paths: list[str]) -> list[File]:
    contents = ((path, Path(path).read_bytes()) for path in paths)
    return [(path, len(content), hashlib.sha256(content).hexdigest()) for path, content in contents]


@task(max_attempts=10, on_parent_failure="run")
def report(path: str, parent_results: dict[str, list[File] | None]) -> dict[str, int]:
    groups: dict[tuple[int, str], list[str]] = defaultdict(list)
    for files in filter(None, parent_results.values()):  # None: a folder or a file could not be read
        for name, size, digest in files:
            groups[size, digest].append(name)
    equal = sorted(((size, names) for (size, _), names in groups.items() if len(names) > 1), reverse=True)
    Path(path).write_text("".join(f"{size:11,} bytes  {' = '.join(sorted(names))}\n" for size, names in equal))
    numbers = {"groups of equal files": len(equal), "bytes too many": sum(s * (len(n) - 1) for s, n in equal)}
    return {"jobs": len(parent_results), "files": sum(map(len, groups.values())), **numbers}


def plan(folder: Path, result: Path) -> Workflow:
    workflow = Workflow("duplicates", id=f"duplicates in {folder}")  # of this id the file holds one
    workflow.chain(walk.options(name=f"walk {folder.name}").to_job(str(folder)), report.to_job(str(result)))
    return workflow


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Find the equal files of a folder.")
    parser.add_argument("folder", nargs="?", type=Path, default=sysconfig.get_path("stdlib"))
    parser.add_argument("--db", type=Path, default="duplicates.db")
    options = parser.parse_args()
    result = options.db.resolve().with_suffix(".txt")
    with JobQueue(options.db) as queue:
        first, last = plan(Path(options.folder).resolve(), result).submit_all(queue)
        with Worker(options.db, concurrency=2).running(until=last, progress=True):
            pass
        for what, number in queue.result(last).items():
            print(f"{number:11,} {what}")
        for job in reversed(queue.find_jobs("failed")):
            print(f"left out: {job.name}: {(job.error or '').splitlines()[-1]}")
    print(f"The report is in {result}")
