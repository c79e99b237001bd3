"""How long it takes to start: PYTHONPATH=. python tests/bench/start.py [--rounds 21]

Runs in turn a program that only imports sqlite3, argparse and json, one that imports gigq, and the commands that answer
at once. Prints for each the median of the processor time in milliseconds, its ratio to the first one, and how many
modules it has loaded. The ratio is the figure to compare between machines. Where the site-packages of the interpreter
import much when it starts, all ratios come out smaller: use a virtual environment without packages. Not on Windows.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import yardstick

from gigq import Job, JobQueue

COMMAND = "from gigq.cli import main; main()"

PROGRAMS = {
    "sqlite3, argparse, json": ["import sqlite3, argparse, json"],
    "import gigq": ["import gigq"],
    "gigq version": [COMMAND, "version"],
    "gigq --help": [COMMAND, "--help"],
    "gigq list": [COMMAND, "list"],
    "gigq stats": [COMMAND, "stats"],
    "gigq status": [COMMAND, "status", "the-first"],
    "completion of an id": [COMMAND, "__complete", "bash", "9", "status", ""],
}


def main() -> None:
    parser = yardstick.options(__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    chosen = parser.parse_args()
    with yardstick.place(chosen) as folder:
        environment = prepare(folder)
        times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
        for program in PROGRAMS.values():
            seconds(program, environment)  # compiles the modules
        for _ in range(chosen.rounds):
            for name, program in PROGRAMS.items():
                times[name].append(seconds(program, environment))
        bare, *_ = times.values()
        print(f"{'program':>24} {'CPU ms':>7} {'ratio':>6} {'modules':>7}")
        for name, program in PROGRAMS.items():
            ratio = statistics.median(ours / base for ours, base in zip(times[name], bare, strict=True))
            milliseconds = statistics.median(times[name]) * 1000
            print(f"{name:>24} {milliseconds:>7.1f} {ratio:>6.2f} {modules(program, environment):>7}")


def prepare(folder: Path) -> dict[str, str]:
    """Store 20 jobs, and return an environment in which the commands find them, and their own compiled modules."""
    path = folder / "start.db"
    with JobQueue(path) as queue:
        queue.submit(Job("job", "module.function", id="the-first"))
        queue.submit_many(Job("job", "module.function", {"number": number}) for number in range(20))
    ours = {"GIGQ_DB": str(path), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | ours


def seconds(program: list[str], environment: dict[str, str]) -> float:
    """Run a program in a new interpreter, and return the processor time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", *program], env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def modules(program: list[str], environment: dict[str, str]) -> int:
    """Return how many modules a program has loaded when it ends."""
    code = f"import atexit, sys; atexit.register(lambda: print(len(sys.modules), file=sys.stderr)); {program[0]}"
    words = [sys.executable, "-c", code, *program[1:]]
    return int(subprocess.run(words, env=environment, capture_output=True, check=True, text=True).stderr)


if __name__ == "__main__":
    main()
