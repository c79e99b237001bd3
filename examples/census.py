"""Find the longest functions of Python's standard library, or of any folder, with a pool that survives.

Run it from the root of the repository, with nothing installed; it takes about ten seconds:

    $ PYTHONPATH=. python3 examples/census.py
    868 files, 359,115 lines, 22,095 functions and classes; left out: 5
     lines  where
     3,320  _pydecimal.py:523 class Decimal
     1,744  _pydecimal.py:3883 class Context
     1,561  asyncio/base_events.py:387 class BaseEventLoop
     …

Press Ctrl-C, or kill it with `kill -9`, and start it again: it goes on where it was, and prints the same. Once it is
through, it prints everything from the file. Edit a module, and only that one is read again. To forget the results, add
`--forget`. A folder can be given, `--db FILE`, and `--processes` to use child processes instead of threads.
"""

import argparse
import ast
import sysconfig
import tokenize
import warnings
from pathlib import Path

from gigq import JobFailed, QueueExecutor

SKIPPED = {"site-packages", "dist-packages", "__pycache__", "test"}


# The time of the last change is no use to the function, but it makes an edited file a new call.
def census(path: str, changed: int) -> dict:
    warnings.simplefilter("ignore")  # SyntaxWarning and the like are about the file, not about us
    with tokenize.open(path) as file:
        source = file.read()
    kinds = {ast.FunctionDef: "def", ast.AsyncFunctionDef: "async def", ast.ClassDef: "class"}
    found = [node for node in ast.walk(ast.parse(source)) if type(node) in kinds]
    sizes = [[node.end_lineno - node.lineno + 1, node.lineno, f"{kinds[type(node)]} {node.name}"] for node in found]
    return {"lines": len(source.splitlines()), "functions": len(found), "longest": sorted(sizes, reverse=True)[:10]}


def files_in(folder: Path) -> list[Path]:
    found = folder.rglob("*.py")
    return sorted(path for path in found if path.is_file() and SKIPPED.isdisjoint(path.relative_to(folder).parts))


def main() -> None:
    parser = argparse.ArgumentParser(description="Find the longest functions in the Python files of a folder.")
    parser.add_argument("folder", nargs="?", type=Path, default=sysconfig.get_path("stdlib"))
    parser.add_argument("--db", default="census.db")
    parser.add_argument("--processes", action="store_true")
    parser.add_argument("--forget", action="store_true")
    options = parser.parse_args()
    folder = Path(options.folder).resolve()
    mode = "process" if options.processes else "thread"
    with QueueExecutor(options.db, 2, name=f"census of {folder}", mode=mode, progress=True) as executor:
        if options.forget:
            print(f"forgot {executor.forget():,} calls")
        calls = {executor.submit(census, str(path), path.stat().st_mtime_ns): path for path in files_in(folder)}
        show(folder, calls)


def show(folder: Path, calls: dict) -> None:
    results, left_out, functions = [], 0, []
    for call, path in calls.items():
        try:
            results.append(call.result())
        except (SyntaxError, UnicodeError, JobFailed):  # raised by the call, and raised here
            left_out += 1
        else:
            where = path.relative_to(folder)
            functions += [(size, f"{where}:{line} {name}") for size, line, name in results[-1]["longest"]]
    lines, number = (sum(result[key] for result in results) for key in ("lines", "functions"))
    print(f"{len(calls)} files, {lines:,} lines, {number:,} functions and classes; left out: {left_out}\n lines  where")
    for size, where in sorted(functions, key=lambda each: (-each[0], each[1]))[:10]:
        print(f"{size:6,}  {where}")


if __name__ == "__main__":
    main()
