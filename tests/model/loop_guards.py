"""Take the guards of a worker's loop out, one at a time, and see whether the walks notice, the written or random ones.

By command; each guard takes some seconds, or a minute if nothing notices::

    TMPDIR=/dev/shm PYTHONPATH=.:tests python tests/model/loop_guards.py [WORD …]

With words, only the guards whose description or file contains one of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from model.guards import ROOT, Guard, copied

_SECONDS = 60
_AT_ONCE = 2

LOOP_GUARDS = [
    # one memory
    Guard("what was taken from the worker is forgotten", "worker/loop.py",
          "            self._inflight.forget(taken)\n"),
    Guard("what was settled is forgotten", "worker/loop.py",
          "        self._inflight.forget([claim.execution_id for claim, _ in turn.ended])\n"),
    Guard("what was forgotten does not wait", "worker/inflight.py",
          "            self._owned.pop(each, None)\n            self._waiting.pop(each, None)\n",
          "            self._owned.pop(each, None)\n"),
    Guard("what was forgotten has no start to write", "worker/inflight.py",
          "            self._waiting.pop(each, None)\n            self._begun.pop(each, None)\n",
          "            self._waiting.pop(each, None)\n"),
    Guard("what has ended does not wait", "worker/inflight.py",
          "            self._waiting.pop(claim.execution_id, None)\n"),
    Guard("what has begun does not wait", "worker/inflight.py",
          "self._waiting.pop(each, None)\n            if execution is",
          "self._waiting.get(each)\n            if execution is"),
    # who owns what
    Guard("what was taken from the worker is stopped", "worker/loop.py", "            self._runner.stop(taken)\n"),
    Guard("an expelled worker registers before it claims", "worker/duties.py",
          "turn.is_beat or not is_known", "turn.is_beat"),
    Guard("what the worker does not know is given back", "worker/duties.py",
          "            settling.settle_all(tx, [(execution, _ORPHANED) for execution in orphans])\n"),
    Guard("what is held is not given back", "worker/duties.py", " if execution not in held]", "]"),
    # slots
    Guard("what waits too long is given back", "worker/loop.py",
          "if give_back or self._prefetch.is_overdue(self._clock.monotonic()):", "if give_back:"),
    Guard("what waits only a moment is not given back", "worker/prefetch.py",
          "_LONGEST_WAIT = 1.0", "_LONGEST_WAIT = 0.2"),
    Guard("what comes for a slot that is gone waits", "worker/inflight.py", " or number >= free:", ":"),
    Guard("what has not begun when slots go waits", "worker/loop.py",
          "            self._inflight.note_waiting(set(self._runner.running) - set(self._runner.begun))\n"),
    Guard("nothing runs next to a suspect", "worker/prefetch.py",
          "        if self.runs_suspect(running):\n            return Room(free=0)\n"),
    Guard("a suspect runs only by itself", "worker/prefetch.py",
          "suspects = not running if self._is_shared else None", "suspects = None"),
    # what is written
    Guard("starts are written", "worker/duties.py", "    claiming.begin(tx, turn.begun)\n"),
    Guard("progress that has changed is written", "worker/progress.py",
          "for execution, progress in self._runner.progress().items()\n", "for execution, progress in ()\n"),
    Guard("a cursor that has changed is written", "worker/progress.py",
          "for execution, cursor in self._runner.cursors().items()\n", "for execution, cursor in ()\n"),
    Guard("a log that has changed is written", "worker/progress.py",
          "for execution, log in self._runner.logs().items():\n            if (",
          "for execution, log in ():\n            if ("),
    Guard("logs of what is stopped are written", "worker/loop.py", "            self._progress.keep_logs(taken)\n"),
    Guard("reports are kept until they are settled", "worker/loop.py",
          "        outcome = self._duties.fulfil(turn)\n        self._results.note_written(len(turn.ended))\n",
          "        self._results.note_written(len(turn.ended))\n        outcome = self._duties.fulfil(turn)\n"),
    # what is sent
    Guard("a start is sent once", "worker/emitter.py", " if not each.is_start_sent]", "]"),
    Guard("a job that ended before it was seen to begin has a start", "worker/emitter.py",
          "events.append(self._start(execution, from_text(report.started_at)))", "pass"),
    Guard("the ends that others wrote are sent", "worker/emitter.py",
          "        self.taken([*(claim.execution_id for claim in refused), *outcome.lost])\n"),
    Guard("what is given back at the end is sent", "worker/emitter.py",
          "each.claim.execution_id in own]", "each.claim.execution_id in ()]"),
    # missing functions
    Guard("a missing function is not claimed again before its pause is over", "worker/lacks.py",
          "        found = self._missing.lacking(self._clock.monotonic())\n        if not",
          "        found = Lacking()\n        if not"),
    Guard("one job at a time looks for a missing function", "worker/lacks.py",
          "        searched = self._inflight.functions.intersection(found.probed)", "        searched = set()"),
    Guard("what has ended looks no longer", "worker/inflight.py", " if not each.has_ended}", "}"),
    Guard("a handler is left to the worker that has it", "store/missing.py",
          "    return names.difference(own)\n", "    return set()\n"),
    Guard("what waits and is not missing is started again", "worker/loop.py",
          "            self._runner.start(wanted)\n"),
    # when
    Guard("a worker that stops waits", "worker/loop.py", "self._claims and self._free > 0", "self._free > 0"),
    Guard("a worker waits while a suspect runs", "worker/loop.py",
          "return 0 if self._prefetch.runs_suspect(self._runner.running) else self._runner.free",
          "return self._runner.free"),
    Guard("a slot that a job was taken from looks for the next one", "worker/loop.py",
          "            self._outlook = UNKNOWN  #", "            #"),
    Guard("a heartbeat has its time", "worker/loop.py", "            self.timetable.note_beat()\n"),
    Guard("a free slot looks for the next job", "worker/loop.py",
          "self._results or self._employer.has_work or (is_free and self._outlook is UNKNOWN)", "self._results"),
]  # fmt: skip


def noticed(guard: Guard, tree: Path) -> str | None:
    """Walk without a guard, and return what the walk says if it notices."""
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(tree, folder)
        file = copy / "gigq" / guard.file
        file.write_text(file.read_text(encoding="utf-8").replace(guard.old, guard.new), encoding="utf-8")
        return problem(copy)


def problem(tree: Path) -> str | None:
    """Return what goes wrong in a tree, first on the walks that are written in the tests, then on random ones."""
    pytest = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=no", "-rf", "tests/model/test_loop_walk.py"]
    walk = ["tests/model/loop_walk.py", "--seconds", str(_SECONDS), "--seed", "0"]
    found = _said(tree, [*pytest, "-k", "not guard and not any_walk"], "FAILED ")
    return found or _said(tree, walk, "AssertionError: ")


def _said(tree: Path, arguments: list[str], beginning: str) -> str | None:
    environment = os.environ | {"PYTHONPATH": f"{tree}:{tree / 'tests'}", "TMPDIR": str(tree)}
    command = [sys.executable, *arguments]
    run = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    output = run.stdout + run.stderr
    lines = [line.removeprefix(beginning) for line in output.splitlines() if line.startswith(beginning)]
    return None if run.returncode == 0 else lines[0] if lines else output


def main() -> None:
    words, unnoticed = sys.argv[1:], 0
    guards = [each for each in LOOP_GUARDS if not words or any(word in f"{each.file}: {each.name}" for word in words)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(_AT_ONCE) as pool:
        tree = copied(ROOT, folder)  # others may be at work in the tree itself
        for guard, found in zip(guards, pool.map(noticed, guards, [tree] * len(guards)), strict=True):
            unnoticed += found is None
            print(f"{guard.file}: {guard.name}: {found or 'NOT NOTICED'}", flush=True)
    if unnoticed:
        sys.exit(f"{unnoticed} of {len(guards)} guards can be removed, and no walk notices")


if __name__ == "__main__":
    main()
