"""Start jobs on a `ProcessRunner`, and wait for them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from calls import claim
from runtime.gates import PATIENCE

from gigq import SystemClock
from gigq.claims import Claim
from gigq.reports import Report
from gigq.runtime.process.runner import ProcessRunner
from gigq.runtime.runner import Ended

Make = Callable[..., ProcessRunner]


def job(function: str, execution_id: int = 1, /, *, timeout: float | None = None, **params: object) -> Claim:
    path = function if ":" in function else f"process_functions:{function}"
    return claim(execution_id=execution_id, function=path, params=json.dumps(params), timeout=timeout)


def all_ended(runner: ProcessRunner, count: int = 1) -> list[Ended]:
    """Wait until this many have ended."""
    deadline = SystemClock().monotonic() + PATIENCE
    ended = runner.ended()
    while len(ended) < count:
        assert SystemClock().monotonic() < deadline, f"{len(ended)} of {count} have ended"
        runner.wait(1)
        ended += runner.ended()
    return ended


def report_of(runner: ProcessRunner, claim: Claim) -> Report:
    runner.start([claim])
    ((ended, report),) = all_ended(runner)
    assert ended == claim
    return report


def result_of(runner: ProcessRunner, claim: Claim) -> Any:
    report = report_of(runner, claim)
    assert report.result is not None, report.error
    return json.loads(report.result)


def open_files() -> set[str]:
    return {name for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")}


SCRIPT = """
import os, sys
sys.path[:0] = {path!r}
from process_runs import ProcessRunner, all_ended, claim
from gigq import SystemClock
from gigq.codec import RESULT_LIMIT

def double(number):
    return 2 * number

def main():
    runner = ProcessRunner(slots=1, clock=SystemClock(), handlers={{"twice": double}}, result_limit=RESULT_LIMIT)
    try:
        {body}
    finally:
        runner.close()

{guard}
"""


def script(folder: Path, body: str, *, guard: str = "if __name__ == '__main__': main()") -> list[str]:
    """Write a script that has a runner, and return the command that runs it."""
    file = folder / "my_script.py"
    path = [entry for entry in sys.path if entry]
    file.write_text(SCRIPT.format(path=[str(Path.cwd()), *path], body=body, guard=guard))
    return [sys.executable, "-W", "error", str(file)]
