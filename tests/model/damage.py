"""Walks that end with damage: somebody edits the file by hand, a repair makes it sound, and every job still ends.

By command, for as long as you like::

    TMPDIR=/dev/shm PYTHONPATH=.:tests python tests/model/damage.py --seconds 60
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from model.plan import KNOWS_NOTHING, plan
from model.system import System

_MOST_ROUNDS = 60

_EDITS = (
    *(f"DELETE FROM {table} WHERE {{some}}" for table in ("jobs", "executions", "job_dependencies", "job_tags")),
    "DELETE FROM job_workers WHERE {some}",
    "DELETE FROM job_steps WHERE {some}",
    "DELETE FROM job_workflows",
    "UPDATE jobs SET submitted_by = 999 WHERE {some}",
    "UPDATE jobs SET submitted_by = seq + 1, is_detached = 0 WHERE {some}",
    "UPDATE jobs SET workflow_seq = 9 WHERE {some}",
    "INSERT INTO job_workflows (id, name, last_job, created_at) VALUES ('w', 'w', 1, '2026-01-01T00:00:00.000000Z')",
    "UPDATE job_steps SET execution_id = 1 WHERE {some}",
    "DELETE FROM job_queues",
    "UPDATE jobs SET blockers = 2 WHERE {some}",
    "UPDATE jobs SET blockers = 0 WHERE {some}",
    "UPDATE OR IGNORE jobs SET attempts = attempts + 1 WHERE {some}",
    "UPDATE jobs SET attempts = 0 WHERE {some}",
    "UPDATE jobs SET run_at = created_at WHERE {some}",
    "UPDATE jobs SET failed_parent = 999 WHERE {some}",
    "UPDATE jobs SET result = NULL WHERE {some}",
    "UPDATE jobs SET result = '1', error = 'no' WHERE {some}",
    "UPDATE OR IGNORE jobs SET status = 'pending', completed_at = NULL, attempts = 0 WHERE {some}",
    "UPDATE OR IGNORE jobs SET status = 'running', completed_at = NULL, attempts = max_attempts WHERE {some}",
    "UPDATE OR IGNORE jobs SET status = 'running', completed_at = NULL WHERE {some}",
    *(
        f"UPDATE jobs SET status = '{status}', completed_at = updated_at WHERE {{some}}"
        for status in ("completed", "failed", "cancelled")
    ),
    "UPDATE OR IGNORE executions SET status = 'running', completed_at = NULL WHERE {some}",
    "UPDATE executions SET status = 'released', completed_at = '2026-01-01T00:00:00.000000Z' WHERE {some}",
    "UPDATE executions SET worker_seq = 999 WHERE {some}",
    "INSERT OR IGNORE INTO job_dependencies SELECT seq, seq + 1, 9 FROM jobs WHERE {some}",
    "INSERT OR IGNORE INTO job_dependencies SELECT seq, 1, 9 FROM jobs WHERE seq > 1",
    "INSERT OR IGNORE INTO job_tags SELECT seq + 900, 't' FROM jobs WHERE {some}",
    *(f"DROP INDEX IF EXISTS {index}" for index in ("jobs_ready", "executions_open", "jobs_unique", "jobs_due")),
    "DROP VIEW IF EXISTS job_overview",
)
"""What people do with a SQLite tool, in which foreign keys are off."""

_KEYS = {"executions": "id", "job_dependencies": "child", "job_tags": "job_seq"}


def walk(seed: int, *, length: int = 40) -> int:
    """Walk, edit the file, repair it, let all jobs end, and return how many things the repair did.

    Raises:
        AssertionError: the file is unsound after the repair, the repair has changed a sound file, or a job does not
            end. The message has the seed and the edits.
    """
    chance = random.Random(seed)
    with TemporaryDirectory() as folder:
        system = System(str(Path(folder, "jobs.db")))
        with closing(system):
            for method, arguments, options in plan(chance, length):
                getattr(system, method)(*arguments, **options)
                system.state()
            edits = _edit(system.queue.database.path, chance)
            try:
                done = system.queue.repair()
                assert system.queue.check() == []
                assert system.queue.repair() == []
                _let_all_end(system)
            except Exception as error:
                lines = "\n".join(edits)
                raise AssertionError(f"seed {seed}: {error!r:.500}\n{lines}") from error
    return len(done)


def _edit(path: str, chance: random.Random) -> list[str]:
    edits = []
    with closing(sqlite3.connect(path, isolation_level=None)) as tool:
        for edit in chance.sample(_EDITS, chance.randint(1, 6)):
            table = next((each for each in _KEYS if each in edit.split(" WHERE ")[0]), "jobs")
            key = "seq" if edit.startswith("INSERT") else _KEYS.get(table, "seq")
            modulus = chance.randint(1, 4)
            edits.append(edit.format(some=f"{key} % {modulus} = {chance.randrange(modulus)}"))
            tool.execute(edits[-1])
    return edits


def _let_all_end(system: System) -> None:
    """Let one worker with room for all run what is left, once all others are gone and nothing holds a queue back."""
    system.queue.resume()
    for queue in system.queue.queues():
        system.queue.resume(queue.name)
        system.queue.configure(queue.name, max_running=None, rate_limit=None)
    system.expel_all()
    for _ in range(_MOST_ROUNDS):
        system.let_pass(3599)
        room = {"queues": None, "free": 100, "ahead": 0, "suspects": None, **KNOWS_NOTHING}
        for job in system.claim("last", **room):
            system.state()
            assert system.settle(job, end="completed")
        if not system.queue.count("pending") + system.queue.count("running"):
            return
    raise AssertionError(f"these never end: {[each.id for each in system.queue.find_jobs(['pending', 'running'])]}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Repair files that were edited at random.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    given = parser.parse_args()
    end, walks, done = time.monotonic() + given.seconds, 0, 0
    while time.monotonic() < end:
        done += walk(given.seed + walks)
        walks += 1
    print(f"{walks:,} files with {done:,} repairs, seeds {given.seed} to {given.seed + walks - 1}: all well")


if __name__ == "__main__":
    main()
