"""Take one guard after the other out of the store, and see whether the tests notice.

A guard is a condition that one could leave out without an error in ordinary use. Each is removed by itself from a copy
of the tree, in which the tests then run. By command, which takes some minutes for all of them::

    TMPDIR=/dev/shm PYTHONPATH=.:tests python tests/model/guards.py [WORD …]

With words, only the guards whose description or file has one of them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TESTS = ("tests/model", "tests/store", "tests/queue/test_schedules.py", "tests/faults/test_faults.py")
_AT_ONCE = 2
_SECONDS = 600


class Guard(NamedTuple):
    """A guard: what it is for, its file in `gigq`, its text and what stands there without it."""

    name: str
    file: str
    old: str
    new: str = ""


_READY = "status = 'pending' AND blockers = 0 AND run_at IS NULL"

GUARDS = [
    # children
    Guard(
        "a parent's end is counted off unfinished children only", "store/dependencies.py",
        "blockers - 1\n         WHERE seq IN (SELECT child FROM job_dependencies WHERE parent = ?)\n"
        "           AND status IN ('pending', 'running')",
        "blockers - 1\n         WHERE seq IN (SELECT child FROM job_dependencies WHERE parent = ?)",
    ),
    # Not here: that a parent's return is counted for unfinished children only. Nobody reads the blockers of a finished
    # job, and its own return counts them anew; the condition spares a write for each of them.
    Guard("only pending children go with a parent", "store/dependencies.py", "           AND status = 'pending'\n"),
    Guard("children that run all the same stay", "store/dependencies.py", "           AND on_parent_failure = 'cancel'\n"),
    Guard("a child that runs all the same is never forbidden", "store/dependencies.py",
          "           AND child.on_parent_failure = 'cancel'\n"),
    Guard("only a bad end forbids", "store/dependencies.py",
          "           AND parents.status IN ('failed', 'timeout', 'cancelled')\n"),
    Guard("a returning job waits for unfinished parents only", "store/dependencies.py",
          "\n                              AND parents.status IN ('pending', 'running')"),
    Guard("only an unfinished job holds its key", "store/dependencies.py", " AND completed_at IS NULL"),
    Guard("a revived job's key must be free", "store/dependencies.py",
          "elif other is None:\n            reopen", "if other is None:\n            reopen"),
    # claiming
    *(
        Guard(f"what is ready {name}, {where}", "store/claiming.py",
              f"{columns}\n          FROM jobs\n         WHERE {_READY}",
              f"{columns}\n          FROM jobs\n         WHERE {without}")
        for where, columns in (("of one queue", "SELECT {_FIELDS}"), ("of several", "SELECT -priority, seq"))
        for name, without in (
            ("has no blockers", "status = 'pending' AND run_at IS NULL"),
            ("has no run_at", "status = 'pending' AND blockers = 0"),
            ("is pending", "blockers = 0 AND run_at IS NULL"),
        )
    ),
    Guard("only an open execution begins", "store/claiming.py",
          "SET started_at = ? WHERE id = ? AND status = 'running'", "SET started_at = ? WHERE id = ?"),
    Guard("only the job of an open execution begins", "store/claiming.py",
          "(SELECT job_seq FROM executions WHERE id = ? AND status = 'running')",
          "(SELECT job_seq FROM executions WHERE id = ?)"),
    Guard("what is due has come", "store/claiming.py", " AND run_at <= ?\"", " AND coalesce(?, 1)\""),
    Guard("only a retry is due when the clock went back", "store/claiming.py", " AND attempts > 0\n"),
    Guard("a retry of the past waits", "store/claiming.py", "AND updated_at > ?", "AND coalesce(?, 1)"),
    Guard("not ahead for the last attempt", "store/claiming.py", " and claim.attempt < claim.max_attempts"),
    Guard("not ahead after a crash", "store/claiming.py", " and claim.crashes == 0"),
    Guard("not ahead from a queue with limits", "store/claiming.py",
          "    if claim.queue in limited:\n        return False\n"),
    Guard("not ahead what has not returned here", "store/claiming.py", "claim.function in room.returned and ", ""),
    Guard("a suspect job is taken alone", "store/claiming.py",
          "        return list(best[: bool(room.suspects)])\n", "        return list(best)\n"),
    Guard("a suspect job only where it can be alone", "store/claiming.py", "best[: bool(room.suspects)]", "best[:1]"),
    Guard("no suspect job beside others", "store/claiming.py", "best[: suspects[0] if suspects else None]", "best"),
    Guard("no job is suspect where none can take others down", "store/claiming.py",
          "if room.suspects is not None and claim.must_run_alone", "if claim.must_run_alone"),
    # expiring
    Guard("what was started does not expire", "store/due.py", " AND attempts = 0\n           AND", "\n           AND"),
    Guard("what has expired has had its time", "store/due.py",
          "AND expires_at <= ?", "AND coalesce(?, 1)"),
    Guard("what went with its parent expires not again", "store/due.py",
          "WHERE seq = ?\n               AND status = 'pending'", "WHERE seq = ?"),
    Guard("its children count that once", "store/due.py", "if cancelled.rowcount:", "if True:"),
    # settling
    Guard("only an open execution is settled", "store/settling.py", "IN {ids} AND status = 'running'\"", "IN {ids}\""),
    Guard("only a bad end is the children's", "store/settling.py",
          "if move.target in FINISHED and parents_among", "if parents_among"),
    Guard("a released attempt is given back", "store/settling.py", "job.attempts - (move is Move.RELEASE)", "job.attempts"),
    # steering
    Guard("only a pending job is cancelled", "store/control.py", "WHERE id = ? AND status = 'pending'\"", "WHERE id = ?\""),
    Guard("only with running=True a running one", "store/control.py",
          "if execution is not None and running:", "if execution is not None:"),
    Guard("only what ended badly is requeued", "store/control.py", " or job[1] not in ENDED_BADLY"),
    Guard("what a parent forbids is not requeued", "store/control.py", " or failed_parent_of(tx, job[0]) is not None"),
    Guard("what has a taken key is not requeued", "store/control.py", " or is_key_taken(tx, job[2])"),
    Guard("only a pending job is rescheduled", "store/control.py", "\n           AND status = 'pending'"),
    # submitting
    Guard("the same id is stored once", "store/submitting.py", "\n            ON CONFLICT (id) DO NOTHING"),
    Guard("a stored child is left before its parents are looked for", "store/submitting.py",
          "elif not (job.dependencies and _is_stored(tx, job.id)):", "else:"),
    Guard("only an unfinished job holds a key", "store/submitting.py", " AND completed_at IS NULL"),
    Guard("only unfinished parents block", "store/submitting.py",
          "sum(parent[\"status\"] in UNFINISHED for parent in parents)", "len(parents)"),
    Guard("a child that runs all the same is not cancelled", "store/submitting.py",
          "    if job.on_parent_failure == \"run\":\n        return None\n"),
    Guard("only a bad end dooms", "store/submitting.py", "if parent[\"status\"] in ENDED_BADLY", "if True"),
    Guard("what is stored already stays as it is", "store/submitting.py",
          "    if inserted.rowcount == 0:\n        return\n"),
    # workers
    Guard("the dead hold only what is open", "store/workers.py",
          "FROM executions INDEXED BY executions_open\n         WHERE status = 'running' AND worker_seq = ?",
          "FROM executions\n         WHERE worker_seq = ?"),
    Guard("only what is open is taken away", "store/workers.py", "WHERE status = 'running' AND started_at < ?",
          "WHERE started_at < ?"),
    Guard("only what began before is taken away", "store/workers.py", " AND started_at < ?\"", " AND coalesce(?, 1)\""),
    Guard("what had not begun is released", "store/workers.py", "released if started_at is None else lost", "lost"),
    Guard("nobody asks a hand to stop", "store/workers.py",
          "END\n         WHERE mode <> 'manual' AND", "END\n         WHERE"),
    Guard("nobody asks a hand for slots", "store/workers.py",
          "wanted_concurrency = ? WHERE mode <> 'manual' AND", "wanted_concurrency = ? WHERE"),
    Guard("a milder wish changes no harder one", "store/workers.py",
          "CASE WHEN stop = 'now' THEN stop ELSE ? END", "?"),
    Guard("nobody waits for the heartbeat of a hand", "store/workers.py",
          "CASE WHEN mode <> 'manual' THEN heartbeat END", "heartbeat"),
    Guard("a hand does not listen to the bell", "store/workers.py",
          "SELECT 1 FROM job_workers WHERE mode <> 'manual' LIMIT 1", "SELECT 1 FROM job_workers LIMIT 1"),
    # hand
    Guard("only a hand's jobs are overdue", "store/manual.py",
          "\n               AND executions.worker_seq IN (SELECT seq FROM job_workers WHERE mode = 'manual')"),
    Guard("a hand that holds something stays", "store/manual.py",
          "\n           AND NOT EXISTS (\n               SELECT 1\n"
          "                 FROM executions INDEXED BY executions_open\n"
          "                WHERE status = 'running' AND worker_seq = job_workers.seq)"),
    Guard("only open executions are held by hand", "store/manual.py", " AND executions.status = 'running' AND job_workers.mode",
          " AND job_workers.mode"),
    Guard("what a worker runs is not held by hand", "store/manual.py", " AND job_workers.mode = 'manual'\n", "\n"),
    Guard("only a hand's row is taken out", "store/manual.py", "WHERE mode = 'manual' AND machine_id", "WHERE machine_id"),
    *(
        Guard(f"only rows of the same {column.strip()}", "store/manual.py", f"{column} = ?", f"({column} = ? OR 1)")
        for column in ("machine_id", "boot_id", "pid_namespace", " pid")
    ),
    Guard("what was taken away is not ended for another", "store/manual.py",
          "None if own is not None and _was_taken_from(tx, own, job) else _open_claim", "_open_claim"),
    # limits
    Guard("a paused queue is not open", "store/limits.py",
          "if not self._rules.get(queue, NO_RULE).is_paused:", "if True:"),
    Guard("a pause of all holds all back", "store/limits.py",
          "if not self._rules.get(ALL, NO_RULE).is_paused:", "if True:"),
    Guard("no more run than may", "store/limits.py", "- _running(tx, queue)"),
    Guard("no more start than may", "store/limits.py", " - len(recent)"),
    Guard("what started before the last period counts no more", "store/limits.py",
          "since < at <= tx.stamp", "at <= tx.stamp"),
    Guard("what is to come was before the clock went back", "store/limits.py", "since < at <= tx.stamp", "since < at"),
    Guard("a function may be called after its claim", "store/limits.py", " if latest <= tx.now else None"),
    Guard("only a running one may still be called", "store/limits.py",
          "started_at if status != \"running\" else _latest_start", "_latest_start"),
    Guard("only its own jobs count for a queue", "store/limits.py", "AND jobs.queue = ?", "AND coalesce(?, 1)"),
    # upkeep
    Guard("what came back meanwhile is not deleted", "store/pruning.py",
          "AND status IN {words}", "AND (status IN {words} OR 1)"),
    Guard("what is younger is not deleted with its child", "store/pruning.py",
          "AND (completed_at, seq) < (?, ?)\n           AND NOT", "AND coalesce(?, ?)\n           AND NOT"),
    Guard("what a child needs is not deleted", "store/pruning.py", "\n           AND NOT {_is_needed(\"jobs\")}", ""),
    Guard("what has completed needs its parent no more", "store/pruning.py",
          "\n                   AND children.status <> 'completed'"),
    # schedules
    Guard("a paused schedule does not tick", "store/schedules.py",
          "WHERE is_paused = 0 AND next_at <= ?\"", "WHERE next_at <= ?\""),
    Guard("a schedule does not tick early", "store/schedules.py", "AND next_at <= ?\"", "AND coalesce(?, 1)\""),
    Guard("what is not paused cannot be resumed", "store/schedules.py", "    if schedule.is_paused:\n", "    if True:\n"),
    Guard("without overlap nothing is submitted beside", "store/schedules.py",
          "if schedule.overlap or not _is_unfinished(tx, schedule.name):", "if True:"),
    Guard("only an unfinished job keeps a schedule back", "store/schedules.py",
          "\n               AND jobs.completed_at IS NULL"),
    Guard("while the rule stays, so does the tick", "store/schedules.py",
          "CASE WHEN cron IS excluded.cron AND every IS excluded.every AND timezone = excluded.timezone\n"
          "                              THEN next_at ELSE excluded.next_at END", "excluded.next_at"),
    # outputs
    Guard("progress only of what is open", "store/progress.py", "WHERE id = ? AND status = 'running')", "WHERE id = ?)"),
    # the file
    Guard("a write takes the lock first", "store/engine/database.py",
          "self._transaction(\"BEGIN IMMEDIATE\")", "self._transaction(\"BEGIN\")"),
    Guard("a transaction that failed is rolled back", "store/engine/database.py",
          "try:\n                    self._roll_back()\n", "try:\n                    pass\n"),
    Guard("what could not be rolled back gives the lock up", "store/engine/database.py", "self._pool.discard_unfinished()", "pass"),
    Guard("before it asks again it rolls back", "store/engine/database.py",
          "                    raise\n                self._roll_back()\n", "                    raise\n"),
    Guard("only for a locked file it asks again", "store/engine/database.py",
          "                if primary_code(error) != sqlite3.SQLITE_BUSY:\n                    raise\n"),
    Guard("a file that was replaced is noticed", "store/engine/database.py",
          "self.path != MEMORY and self._look() != self._identity", "False"),
    Guard("a file that was upgraded is noticed", "store/engine/database.py", "                        self._on_change(tx, self.path)\n", "                        pass\n"),
    Guard("in memory one goes after the other", "store/engine/database.py",
          "threading.RLock() if self.path == MEMORY else nullcontext()", "nullcontext()"),
    Guard("a closed queue is not opened again", "store/engine/connections.py", "if self._is_closed:", "if False:"),
    Guard("who was forked inside a transaction uses no queue", "store/engine/connections.py", "if PROCESS.is_spoilt:", "if False:"),
    Guard("a connection from before a fork is not used", "store/engine/connections.py",
          "(handle.generation == PROCESS.generation or self._path == \":memory:\")", "True"),
    Guard("a file of newer code is refused", "store/schema.py", "1 <= version <= VERSION", "1 <= version"),
    Guard("the tables of others are left alone", "store/schema.py", "    if taken:\n", "    if False:\n"),
    Guard("a file is made once", "store/schema.py",
          "    if _version_of(tx, path) is not None:  # another process was quicker\n        return\n"),
    Guard("no two executions have the same id", "store/tables.py",
          "  id INTEGER PRIMARY KEY AUTOINCREMENT,", "  id INTEGER PRIMARY KEY,"),
    Guard("no two workers have the same row", "store/tables.py",
          "  seq INTEGER PRIMARY KEY AUTOINCREMENT,", "  seq INTEGER PRIMARY KEY,"),
    Guard("no two open executions of a job", "store/tables.py",
          "CREATE UNIQUE INDEX executions_open", "CREATE INDEX executions_open"),
    Guard("no two unfinished jobs with a key", "store/tables.py",
          "CREATE UNIQUE INDEX jobs_unique", "CREATE INDEX jobs_unique"),
]  # fmt: skip


def wanted() -> Iterator[Guard]:
    """The guards that were asked for, each of whose texts stands in its file exactly once."""
    words = sys.argv[1:]
    for guard in GUARDS:
        if not words or any(word in f"{guard.file}: {guard.name}" for word in words):
            found = (ROOT / "gigq" / guard.file).read_text(encoding="utf-8").count(guard.old)
            if found != 1:
                sys.exit(
                    f"{guard.file}, {guard.name}: its text stands there {found} times; mend the table:\n{guard.old}"
                )
            yield guard


def copied(tree: Path, folder: str) -> Path:
    """Copy what the tests need."""
    copy = Path(folder)
    for name in ("gigq", "tests"):
        shutil.copytree(tree / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(tree / "pyproject.toml", copy)
    return copy


def first_failure(tree: Path, *, likely: str = "") -> str | None:
    """Run the tests of a tree up to the first that fails, the likely ones before all others, and return its name."""
    tests = [test for test in (likely, *TESTS) if (tree / test).is_file() or test in TESTS]
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "--tb=no", "-rfE", *tests]
    environment = os.environ | {"PYTHONPATH": f"{tree}:{tree / 'tests'}", "TMPDIR": str(tree)}
    try:
        run = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "the tests do not end"
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", run.stdout, re.MULTILINE)
    return None if run.returncode == 0 else found[1] if found else run.stdout + run.stderr


def without(guard: Guard, tree: Path) -> str | None:
    """Return the first test that notices that a guard is gone."""
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(tree, folder)
        file = copy / "gigq" / guard.file
        file.write_text(file.read_text(encoding="utf-8").replace(guard.old, guard.new), encoding="utf-8")
        return first_failure(copy, likely=str(Path("tests", guard.file).with_name(f"test_{Path(guard.file).name}")))


def main() -> None:
    guards, unnoticed = list(wanted()), 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(_AT_ONCE) as pool:
        tree = copied(ROOT, folder)  # others may be at work in the tree itself
        if failed := first_failure(tree):
            sys.exit(f"with all guards in place, {failed} fails already")
        for guard, failed in zip(guards, pool.map(without, guards, [tree] * len(guards)), strict=True):
            unnoticed += failed is None
            print(f"{guard.file}: {guard.name}: {f'noticed by {failed}' if failed else 'NOT NOTICED'}", flush=True)
    if unnoticed:
        sys.exit(f"{unnoticed} of {len(guards)} guards can be removed, and no test notices")


if __name__ == "__main__":
    main()
