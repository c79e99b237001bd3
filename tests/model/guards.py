"""Take the guards of the store out, one at a time, and see whether the tests notice.

A guard is a condition that could be left out without an error in ordinary use. Each is taken out of a copy of the tree,
in which the tests then run. Run it by hand; all of them take some minutes::

    TMPDIR=/dev/shm PYTHONPATH=.:tests python tests/model/guards.py [WORD …]

With words, only the guards whose description or file contains one of them.
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
TESTS = ("tests/model/test_walk.py", "tests/store", "tests/queue/test_schedules.py", "tests/faults/test_faults.py")
_AT_ONCE = 2
_SECONDS = 600


class Guard(NamedTuple):
    """A guard: what it is for, its file in `gigq`, its text, the text without it, and the test that should notice."""

    name: str
    file: str
    old: str
    new: str = ""
    test: str = ""


READY = "status = 'pending' AND blockers = 0 AND run_at IS NULL"

GUARDS = [
    # moves. Of the conditions on the old status only this one decides anything. The others are no guards: the caller
    # has found the job in such a status, under the lock of the same transaction.
    Guard("a running or finished job is not cancelled as a pending one", "store/moves.py",
          "\n               AND {may(Move.CANCEL, without=JobStatus.RUNNING)}"),
    Guard("a returning job waits for unfinished parents only", "store/moves.py",
          "\n                              AND parents.status IN ('pending', 'running')"),
    Guard("a released job keeps the error of an earlier attempt", "store/moves.py",
          "CASE WHEN :is_released THEN error ELSE :error END", ":error"),
    # children
    Guard(
        "a finished parent is counted off unfinished children only", "store/dependencies.py",
        "ready_at END\n         WHERE seq IN (SELECT child FROM job_dependencies WHERE parent = :parent)\n"
        "           AND status IN ('pending', 'running')",
        "ready_at END\n         WHERE seq IN (SELECT child FROM job_dependencies WHERE parent = :parent)",
    ),
    # Not here: that a parent's return is counted for unfinished children only. Nobody reads the blockers of a finished
    # job, and they are counted again when it returns itself; the condition saves a write for each of them.
    Guard("only pending children are cancelled with a parent", "store/dependencies.py",
          "           AND status = 'pending'\n"),
    Guard("children that do not need their parent are not cancelled with it", "store/dependencies.py",
          "           AND on_parent_failure = 'cancel'\n"),
    Guard("a failed parent does not block a child that does not need it", "store/dependencies.py",
          "           AND child.on_parent_failure = 'cancel'\n"),
    Guard("only a parent that ended badly blocks a return", "store/dependencies.py",
          "           AND parents.status IN ('failed', 'timeout', 'cancelled')\n"),
    Guard("only an unfinished job holds its key", "store/dependencies.py", " AND completed_at IS NULL"),
    Guard("a job is only revived if its key is free", "store/dependencies.py",
          "if other is None and is_key_taken(tx, unique_key):", "if False:"),
    # jobs that a running job submits
    *(
        Guard(name, f"store/{file}.py", old, new, test="tests/store/test_found.py")
        for name, file, old, new in (
            ("what is detached keeps nothing waiting", "adopting", "[] if is_detached else _waiting_for(tx, by.seq)",
             "_waiting_for(tx, by.seq)"),
            ("a completed child waits no more", "adopting", "(jobs.status <> 'completed'\n", "(1\n"),
            ("the last job of a workflow may run again", "adopting",
             "OR jobs.seq = (SELECT last_job FROM job_workflows WHERE seq = jobs.workflow_seq))", ")"),
            ("jobs of one submitter do not wait for each other", "adopting",
             " if by is None or job not in path_to(tx, seq)", ""),
            ("no job comes to wait for itself", "adopting",
             "        _refuse_circles(tx, waiting, dependent, by)\n", ""),
            ("only unfinished jobs are waited for", "found", " AND found.status IN ('pending', 'running')", " AND 1"),
            ("a job that has failed before cancels what waits", "adopting",
             "                cancel_blocked(tx, child)\n", "                pass\n"),
            ("a restart detaches what was found", "adopting",
             '    tx.execute("UPDATE jobs SET is_detached = 1 WHERE submitted_by = ?", (job,))\n', ""),
            ("a restart leaves to a job what its own parents have found", "adopting",
             "        wait_for(tx, child, _found_by_parents(tx, child))\n", "        pass\n"),
            ("a restart brings back what was cancelled because of those", "adopting", "        revive(tx, root)\n",
             "        pass\n"),
            ("a job does not wait for what its own submitter submits", "submitting",
             "        generous -= found.path_to(tx, submitter)\n", "        pass\n"),
            ("a job comes back after its parents", "dependencies", "            parents[child].append(parent)\n",
             "            pass\n"),
            ("what an unfinished job has submitted is not pruned", "pruning",
             "                   AND submitter.status <> 'completed'))", "                   AND 0))"),
            ("what an unfinished job has submitted is not deleted", "deleting",
             "                  AND submitter.completed_at IS NULL)", "                  AND 0)"),
            ("a parent that was named stays in a repair", "repairing", "(FOUND - 1, sys.maxsize)", "(sys.maxsize,)"),
        )
    ),
    # claiming
    *(
        Guard(f"what is ready {name}, {where}", file,
              f"{columns}\n          FROM jobs\n         WHERE {{READY}}",
              f"{columns}\n          FROM jobs\n         WHERE {without}")
        for where, file, columns in (
            ("of one queue", "store/claiming.py", "SELECT {_COLUMNS}"),
            ("of several", "store/ready.py", "SELECT -priority, seq"),
        )
        for name, without in (
            ("has no blockers", READY.replace(" AND blockers = 0", "")),
            ("has no run_at", READY.replace(" AND run_at IS NULL", "")),
            ("is pending", READY.replace("status = 'pending' AND ", "")),
        )
    ),
    Guard("only an open execution begins", "store/claiming.py", "SET started_at = ? WHERE id = ? AND {OPEN}",
          "SET started_at = ? WHERE id = ?"),
    Guard("only the job of an open execution begins", "store/claiming.py",
          "(SELECT job_seq FROM executions WHERE id = :execution AND {OPEN})",
          "(SELECT job_seq FROM executions WHERE id = :execution)"),
    Guard("no job is claimed ahead for its last attempt", "store/claiming.py",
          " and claim.attempt < claim.max_attempts"),
    Guard("no job is claimed ahead after a crash", "store/claiming.py", " and claim.crashes == 0"),
    Guard("no job is claimed ahead from a queue with limits", "store/claiming.py",
          "    if limits.is_limited(claim.queue):\n        return False\n"),
    Guard("no function is claimed ahead that has not returned here", "store/claiming.py",
          "claim.function in room.returned and "),
    Guard("jobs of many queues are read until enough may start", "store/ready.py",
          "        if seq in ends and function not in tried:\n            return None\n"),
    Guard("jobs behind more than are passed over are not forgotten", "store/ready.py",
          "if closed and any(_is_long", "if False and any(_is_long"),
    Guard("one job is claimed of a function that may be missing", "store/ready.py",
          "            if function in probed:\n                tried.add(function)\n"),
    Guard("a suspect is claimed alone", "store/claiming.py",
          "        return found[: bool(room.suspects)]\n", "        return found\n"),
    Guard("a suspect is only claimed where it can be alone", "store/claiming.py",
          "found[: bool(room.suspects)]", "found[:1]"),
    Guard("no suspect is claimed with other jobs", "store/claiming.py",
          "found[: suspects[0] if suspects else None]", "found"),
    Guard("no job is a suspect where it can harm no other", "store/claiming.py",
          "if room.suspects is not None and claim.must_run_alone", "if claim.must_run_alone"),
    # due and expired
    Guard("a job is not ready before it is due", "store/due.py", " AND run_at <= :now", " AND coalesce(:now, 1)"),
    Guard("a job waits a day for its function from when it became ready", "store/missing.py",
          "max(min(instant_of(since) or tx.now, tx.now), min(ready_at or tx.now, tx.now))",
          "min(instant_of(since) or tx.now, tx.now)"),
    Guard("a job that was given back goes on waiting for its function", "store/moves.py",
          "CASE WHEN :is_released THEN ready_at ELSE :now END", ":now"),
    Guard("a function that was found is missing no longer", "store/missing.py",
          "        if function in functions:\n", "        if False:\n"),
    Guard("handlers of one's own are claimed", "store/missing.py", "names.difference(own)", "names"),
    Guard("only a retry is ready when the clock was set back", "store/due.py",
          "AND run_at IS NOT NULL AND attempts > 0\n", "AND run_at IS NOT NULL\n"),
    Guard("a retry that was scheduled in the past waits", "store/due.py",
          "AND updated_at > :now", "AND coalesce(:now, 1)"),
    Guard("a job that was started does not expire", "store/due.py",
          "AND expires_at IS NOT NULL AND has_begun = 0\n           AND", "AND expires_at IS NOT NULL\n           AND"),
    Guard("a job does not expire before its time", "store/due.py", "AND expires_at <= :now", "AND coalesce(:now, 1)"),
    Guard("the children of an expired job count that once", "store/due.py",
          "if moves.cancel(tx, [seq], error=f\"expired: it was not started by {expires_at}\"):",
          "if moves.cancel(tx, [seq], error=f\"expired: it was not started by {expires_at}\") or True:"),
    # settling
    Guard("only an open execution is settled", "store/settling.py", "WHERE id IN {ids} AND {OPEN}\"",
          "WHERE id IN {ids}\""),
    Guard("only a bad end reaches the children", "store/settling.py",
          "if move.target in FINISHED and parents_among", "if parents_among"),
    Guard("a released attempt does not count", "store/settling.py",
          "job.attempts - (move is Move.RELEASE)", "job.attempts"),
    Guard("attempts that were set back by hand do not become negative", "store/settling.py",
          "max(0, job.attempts - (move is Move.RELEASE))", "job.attempts - (move is Move.RELEASE)"),
    Guard("of endless releases only some are kept", "store/settling.py",
          "if move is Move.RELEASE and job.releases > _LAST_RELEASES:", "if False:"),
    Guard("the first release is kept", "store/settling.py", "LIMIT -1 OFFSET 1)", "LIMIT -1 OFFSET 0)"),
    Guard("a job that began and was given back does not expire", "store/moves.py",
          "max(has_begun, NOT :is_released, :has_begun AND coalesce(:start, started_at) IS NOT NULL)",
          "max(has_begun, NOT :is_released)"),
    Guard("a job that expired does not expire again when it is requeued", "store/moves.py",
          "expires_at = CASE WHEN expires_at > :now THEN expires_at END", "expires_at = expires_at"),
    # control
    Guard("only a pending job is cancelled", "store/control.py",
          "         WHERE id = :id\n           AND status = 'pending'\n        \"\"\",\n        {\"id\": job_id},",
          "         WHERE id = :id\n        \"\"\",\n        {\"id\": job_id},"),
    Guard("a running job is only cancelled with running=True", "store/control.py",
          "if execution is not None and running:", "if execution is not None:"),
    Guard("only a job that ended badly is requeued", "store/control.py", " or job[1] not in ENDED_BADLY"),
    Guard("no job is requeued that a failed parent blocks", "store/control.py",
          " or failed_parent_of(tx, job[0]) is not None"),
    Guard("no job is requeued whose key is taken", "store/control.py", " or is_key_taken(tx, job[2])"),
    Guard("only a pending job is rescheduled", "store/control.py",
          "\n           AND status = 'pending'\n        \"\"\",\n        {\n", "\n        \"\"\",\n        {\n"),
    # submitting
    Guard("the same id is stored once", "store/submitting.py",
          "    VALUES ('pending', 0, 0, 0, ?, ?, {_MARKS})\n        ON CONFLICT (id) DO NOTHING",
          "    VALUES ('pending', 0, 0, 0, ?, ?, {_MARKS})"),
    Guard("the same id is stored once, of many", "store/submitting.py",
          "     WHERE true\n        ON CONFLICT (id) DO NOTHING", "     WHERE true"),
    Guard("the same id is stored once, with other columns", "store/submitting.py",
          "\n            ON CONFLICT (id) DO NOTHING"),
    Guard("a child that is stored is left before its parents are looked for", "store/submitting.py",
          "not (job.dependencies and _is_stored(tx, job.id)) and ", ""),
    Guard("only an unfinished job holds a key", "store/submitting.py", " AND completed_at IS NULL"),
    Guard("only unfinished parents block", "store/submitting.py",
          "sum(parent[\"status\"] in UNFINISHED for parent in parents)", "len(parents)"),
    Guard("a child that does not need its parents is not cancelled", "store/submitting.py",
          "    if job.on_parent_failure == \"run\":\n        return None\n"),
    Guard("only a parent that ended badly cancels a new job", "store/submitting.py",
          "if parent[\"status\"] in ENDED_BADLY", "if True"),
    Guard("a job that is stored already stays as it is", "store/submitting.py",
          "    if inserted.rowcount == 0:\n        return False\n"),
    # workers
    Guard("a dead worker holds only open executions", "store/workers.py",
          "FROM executions INDEXED BY executions_open\n         WHERE {OPEN} AND worker_seq = :worker",
          "FROM executions\n         WHERE worker_seq = :worker"),
    Guard("only open executions are reclaimed", "store/workers.py", "WHERE {OPEN} AND started_at < ?",
          "WHERE started_at < ?"),
    Guard("only executions that began before are reclaimed", "store/workers.py",
          " AND started_at < ?\"", " AND coalesce(?, 1)\""),
    Guard("an execution that had not begun is released", "store/workers.py",
          "released if started_at is None else lost", "lost"),
    Guard("no manual worker is asked to stop", "store/workers.py",
          "END\n         WHERE mode <> 'manual' AND", "END\n         WHERE"),
    Guard("no manual worker is asked for slots", "store/workers.py",
          "wanted_concurrency = ? WHERE mode <> 'manual' AND", "wanted_concurrency = ? WHERE"),
    Guard("a graceful stop does not soften a stop now", "store/workers.py",
          "CASE WHEN stop = 'now' THEN stop ELSE ? END", "?"),
    Guard("nobody waits for the heartbeat of a manual worker", "store/workers.py",
          "CASE WHEN mode <> 'manual' THEN heartbeat END", "heartbeat"),
    Guard("a manual worker does not listen to the bell", "store/workers.py",
          "SELECT 1 FROM job_workers WHERE mode <> 'manual' LIMIT 1", "SELECT 1 FROM job_workers LIMIT 1"),
    # manual consumption
    Guard("only jobs that were claimed manually are overdue", "store/manual.py",
          "\n               AND executions.worker_seq IN (SELECT seq FROM job_workers WHERE mode = 'manual')"),
    Guard("a manual worker that holds a job stays registered", "store/manual.py",
          "\n           AND NOT EXISTS (\n               SELECT 1\n"
          "                 FROM executions INDEXED BY executions_open\n"
          "                WHERE {OPEN} AND worker_seq = job_workers.seq)"),
    Guard("only an open execution is held", "store/manual.py", " AND executions.{OPEN} AND job_workers.mode",
          " AND job_workers.mode"),
    Guard("what a worker runs is not held manually", "store/manual.py", " AND job_workers.mode = 'manual'\n", "\n"),
    Guard("only the rows of manual workers are deleted", "store/manual.py",
          "WHERE mode = 'manual' AND machine_id", "WHERE machine_id"),
    *(
        Guard(f"only rows of the same {column}", "store/manual.py",
              f" {column} = :{value}", f" ({column} = :{value} OR 1)")
        for column, value in (
            ("machine_id", "machine"), ("boot_id", "boot"), ("pid_namespace", "namespace"), ("pid", "pid"),
        )
    ),
    Guard("a program that has lost a job does not end the execution of another", "store/manual.py",
          "None if own is not None and _was_taken_from(tx, own, job) else _open_claim", "_open_claim"),
    # limits
    Guard("a paused queue is not open", "store/limits.py",
          "self._rules[queue].is_paused or ", ""),
    Guard("a pause of all queues pauses each", "store/limits.py",
          "self._are_all_paused = self._rules[ALL].is_paused", "self._are_all_paused = False"),
    Guard("no more jobs run than may", "store/limits.py", "rule.max_running - running"),
    Guard("no more jobs start than may", "store/limits.py", " - len(recent)"),
    Guard("starts before the last period no longer count", "store/limits.py",
          "since < start.at <= tx.stamp", "start.at <= tx.stamp"),
    Guard("a start in the future was before the clock was set back", "store/limits.py",
          "since < start.at <= tx.stamp", "since < start.at"),
    Guard("a function may be called a moment after its claim", "store/limits.py", " if latest <= tx.now else start"),
    Guard("only a running execution may yet be called", "store/limits.py",
          "    if status != \"running\":", "    if False:"),
    Guard("a queue counts its own jobs only", "store/limits.py", "SELECT jobs.queue, count(*)", "SELECT 'b', count(*)"),
    # pruning
    Guard("a job that has come back is not deleted", "store/pruning.py",
          "AND status IN {words}", "AND (status IN {words} OR 1)"),
    Guard("a younger parent is not deleted with its child", "store/pruning.py",
          "AND (completed_at, seq) < (?, ?)\n           AND NOT", "AND coalesce(?, ?)\n           AND NOT"),
    Guard("a job that a child needs is not deleted", "store/pruning.py", "\n           AND NOT {_is_needed(\"jobs\")}"),
    # actions of people
    Guard("what changed nothing leaves no row", "store/acting.py", " or not (done or self._seq)", "",
          "tests/queue/test_actions.py"),
    Guard("an action is of its queue alone", "store/acting.py",
          "if acting is not None and acting[0] is database else None", "if acting is not None else None",
          "tests/queue/test_actions.py"),
    Guard("only the last actions are kept", "store/acting.py", "WHERE seq <= ?", "WHERE seq <= ? AND 0",
          "tests/queue/test_actions.py"),
    Guard("a verb takes no job after its bound", "store/paging.py", '{"bound": bound}', '{"bound": 2**62}',
          "tests/queue/test_affected.py"),
    Guard("a prune takes no job after its bound", "store/pruning.py",
          "                  AND seq <= ?\n                ORDER BY", "                  AND 0 <= ?\n                ORDER BY",
          "tests/queue/test_affected.py"),
    Guard("a look back goes on past a long row of others", "store/spans.py", "if found == 0 else 0", "",
          "tests/queue/test_history.py"),
    Guard("a long execution is found after the walk", "store/spans.py",
          "           AND jobs.started_at < :since\n", "           AND jobs.started_at IS NULL\n", "tests/queue/test_history.py"),
    Guard("what was sent back since is told", "store/as_of.py", "jobs.attempts + 1) <= executions.attempt",
          "jobs.attempts + 1) < 0", "tests/queue/test_history.py"),
    Guard("only dead jobs of one group are sent back", "store/failures.py", "if keys[exact] == key:", "if keys:",
          "tests/queue/test_history.py"),
    Guard("what a chunk took along is not what others changed", "queue/bulk.py",
          " and state.is_child and state.updated_at in self._stamps", " and state.is_child", ""),
    Guard("what others changed is not what a chunk took along", "queue/bulk.py", " and state.is_child", "",
          "tests/queue/test_affected.py"),
    Guard("a running job is not deleted", "store/deleting.py", " or found[1] == JobStatus.RUNNING"),
    Guard("a job that an unfinished one depends on is not deleted", "store/deleting.py",
          " or _is_needed(tx, found[0])"),
    Guard("a finished child does not keep its parent from being deleted", "store/deleting.py",
          "\n                  AND children.completed_at IS NULL"),
    Guard("a completed child no longer needs its parent", "store/pruning.py",
          "\n                   AND children.status <> 'completed'"),
    # schedules
    Guard("a paused schedule does not tick", "store/schedules.py",
          "WHERE is_paused = 0 AND next_at <= ?\"", "WHERE next_at <= ?\""),
    Guard("a schedule does not tick early", "store/schedules.py", "AND next_at <= ?\"", "AND coalesce(?, 1)\""),
    Guard("a schedule that is not paused is not resumed", "store/schedules.py",
          "    if schedule.is_paused:\n", "    if True:\n"),
    Guard("without overlap a tick waits for the last job", "store/schedules.py",
          "if schedule.overlap or not _is_unfinished(tx, schedule.name):", "if True:"),
    Guard("only an unfinished job holds a schedule up", "store/schedules.py",
          "\n               AND jobs.completed_at IS NULL"),
    Guard("while the rule stays the same, so does the next tick", "store/schedules.py",
          "CASE WHEN cron IS excluded.cron AND every IS excluded.every AND timezone = excluded.timezone\n"
          "                              THEN next_at ELSE excluded.next_at END", "excluded.next_at"),
    # steps
    Guard("a job that has lost its lease remembers nothing", "store/fencing.py",
          "WHERE executions.id = :execution AND executions.{OPEN}", "WHERE executions.id = :execution"),
    Guard("a requeue from a step forgets the steps of that job alone", "store/steps.py",
          "DELETE FROM job_steps WHERE job_seq = ? AND seq >= ?\", (job, first)",
          "DELETE FROM job_steps WHERE seq >= ?\", (first,)"),
    Guard("a name with a slash of its own is not inside another step", "store/steps.py", "depth > 0 and "),
    Guard("a restart begins without a cursor", "store/steps.py",
          "SET cursor = NULL, generation = generation + 1", "SET generation = generation + 1"),
    # transactions of jobs
    Guard("a job that has completed itself is not stopped", "worker/duties.py",
          "return taken - completed_among(tx, taken)", "return taken", "tests/worker/test_loop.py"),
    Guard("a job that has completed itself is told so", "worker/duties.py",
          "Move.COMPLETE if claim.execution_id in done else move", "move", "tests/worker/test_loop.py"),
    Guard("a connection that was taken back is refused", "store/engine/revocable.py",
          "if self.refusal is not None:", "if False:", "tests/store/engine/test_revocable.py"),
    Guard("what was taken back is not committed", "store/engine/job_database.py",
          "                if self._is_taken:\n                    raise self._refusal()\n", "",
          "tests/store/engine/test_revocable.py"),
    Guard("who outlives its function writes nothing", "runtime/call.py",
          "output.has_ended = True", "pass", "tests/queue/test_transact.py"),
    # outputs
    Guard("progress and cursors are written for open executions only", "store/progress.py",
          "WHERE id = :execution AND {OPEN})", "WHERE id = :execution)"),
    Guard("a complete log stays complete", "store/progress.py",
          'WHERE id = ? AND {OPEN}"', 'WHERE id = ?"', "tests/worker/test_running_logs.py"),
    Guard("a log that has not changed is not written again", "worker/progress.py",
          " and owned.log != log.kept:", ":", "tests/worker/test_running_logs.py"),
    Guard("logs that could not be written are left for a while", "worker/progress.py",
          "        if self._offered:\n", "        if False:\n", "tests/worker/test_running_logs.py"),
    Guard("a cursor is written with the report", "store/settling.py",
          "    if cursors:\n        write_cursors(tx, cursors)\n"),
    # the file
    Guard("a write takes the lock first", "store/engine/database.py",
          "self._transaction(\"BEGIN IMMEDIATE\")", "self._transaction(\"BEGIN\")"),
    Guard("a transaction that failed is rolled back", "store/engine/database.py",
          "try:\n                        self._roll_back()\n", "try:\n                        pass\n"),
    Guard("a transaction that cannot be rolled back gives up the lock", "store/engine/database.py",
          "self._pool.discard_unfinished()", "pass"),
    Guard("before it tries again it rolls back", "store/engine/patience.py",
          "if connection is not None and connection.in_transaction:", "if False:"),
    Guard("it tries again only if the file is locked", "store/engine/patience.py",
          "        if primary_code(error) != sqlite3.SQLITE_BUSY:\n            raise\n"),
    Guard("a file that was replaced is noticed", "store/engine/opened_file.py",
          "self.path != MEMORY and files.identity(self.file) != self.identity", "False"),
    Guard("a file that was upgraded is noticed", "store/engine/database.py",
          "not in (None, schema):\n            self.on_change(tx, self.path)\n",
          "not in (None, schema):\n            pass\n"),
    Guard("a file that was upgraded is noticed on other connections", "store/engine/database.py",
          "!= self._schema:\n            self.on_change(tx, self.path)\n", "!= self._schema:\n            pass\n"),
    Guard("in memory one transaction runs at a time", "store/engine/database.py",
          "with PROCESS.passage(), turn, session as tx:", "with session as tx:"),
    Guard("a closed queue is not opened again", "store/engine/connections.py",
          "        if self._is_closed:\n", "        if False:\n"),
    Guard("a process forked inside a transaction uses no queue", "store/engine/connections.py",
          "if PROCESS.is_spoilt:", "if False:"),
    Guard("a connection from before a fork is not used", "store/engine/connections.py",
          "handle.generation != PROCESS.generation and handle.generation is not _FOR_EVER", "False"),
    Guard("a file of newer code is refused", "store/schema.py", "1 <= version <= VERSION", "1 <= version"),
    Guard("the tables of other applications are left alone", "store/creating.py",
          "        if taken:\n", "        if False:\n"),
    Guard("a file is made once", "store/schema.py",
          "        if version is None:\n            copy = create", "        if True:\n            copy = create"),
    Guard("a file is upgraded once", "store/schema.py", "        elif version < VERSION:", "        else:"),
    Guard("an older file that was put back is not used", "store/schema.py",
          "    if version < VERSION:\n        raise NotAQueue", "    if False:\n        raise NotAQueue"),
    Guard("what has the name of a new view is left alone", "store/migrations.py", "    if taken:\n", "    if False:\n"),
    Guard("no two executions have the same id", "store/tables.py",
          "  id INTEGER PRIMARY KEY AUTOINCREMENT,", "  id INTEGER PRIMARY KEY,"),
    Guard("no two workers have the same row", "store/tables.py",
          "  seq INTEGER PRIMARY KEY AUTOINCREMENT,      -- never reused\n  id TEXT NOT NULL,  ",
          "  seq INTEGER PRIMARY KEY,\n  id TEXT NOT NULL,  "),
    Guard("no two open executions of a job", "store/indexes.py",
          "CREATE UNIQUE INDEX executions_open", "CREATE INDEX executions_open"),
    Guard("no two unfinished jobs with a key", "store/indexes.py",
          "CREATE UNIQUE INDEX jobs_unique", "CREATE INDEX jobs_unique"),
    # what people give, and are told
    Guard("of a job that comes twice only the first is new", "store/submitting.py",
          "        old.add(job.id)\n"),
    Guard("an id that comes again without its key is no longer that of the job that has it", "store/submitting.py",
          "    holders.pop(job.id, None)  # the same id came before, with a key\n"),
    Guard("a limit that is not given stays", "queue/queues.py",
          "rule = _changed(queues.rule(tx, name), changes)", "rule = _changed(Rule(), changes)"),
    Guard("a job that gives itself back pauses", "retry.py", "max(_SHORTEST_RELEASE, delay)", "delay",
          "tests/test_retry.py"),
    Guard("the longest wait is never below the first", "retry.py", "max(_HOUR, delay)", "_HOUR",
          "tests/test_retry.py"),
    Guard("a longest wait below the first is refused", "job.py",
          "if longest is not None and longest < first:", "if False:"),
    # running
    Guard("an exception handler of a function does not swallow its timeout", "errors.py",
          "class JobTimeout(BaseException):", "class JobTimeout(Exception):", "tests/test_retry.py"),
    Guard("what a function swallows is raised again", "runtime/interrupt.py",
          "self._raise_again(state.stop_reason)", "pass"),
    Guard("a job sees no context variables of another", "runtime/isolation.py",
          "            variable.set(value)\n        _own_decimal_context()", "            variable.set(value)"),
    Guard("a fork of a job ends with its function", "runtime/call.py",
          "        if os.getpid() != process:\n            end_fork()", "        if False:\n            end_fork()",
          "tests/runtime/test_forks.py"),
    Guard("a child process leaves signals to its worker", "runtime/process/signals.py",
          "signal.signal(number, _leave_it_to_the_worker)", "pass", "tests/runtime/process/test_child_signals.py"),
    Guard("a signal does not end a child process that is being started", "runtime/process/launching.py",
          "before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)",
          "before = signal.pthread_sigmask(signal.SIG_BLOCK, ())", "tests/runtime/process/test_child_signals.py"),
    Guard("the loop does not wait for whoever reads its log", "worker/worker.py",
          "with self._log.carrying(), ExitStack() as last:\n            if",
          "with ExitStack() as last:\n            if",
          "tests/worker/test_worker_log.py"),
    Guard("a fork does not stop the worker of its parent", "worker/serving.py",
          "self._process not in (None, os.getpid())", "False", "tests/worker/test_running.py"),
    Guard("a block that raises does not wait for jobs", "worker/background.py",
          "if error is None and not self._is_forked:", "if not self._is_forked:", "tests/worker/test_running.py"),
    Guard("a wait sees what its own connection commits meanwhile", "store/engine/marks.py",
          "return connection, version, connection.total_changes", "return connection, version",
          "tests/store/engine/test_marks.py"),
    Guard("a wait in a transaction of its own thread is refused", "queue/waiting.py",
          "if (joined := joined_by(database)) and joined.keeps_out:", "if False:", "tests/queue/test_waiting.py"),
    Guard("a wait does not look at its jobs while nothing was committed", "queue/waiting.py",
          "(mark != seen and now >= rests_until)", "now >= rests_until", "tests/queue/test_waiting.py"),
    Guard("looks that take long are less frequent", "queue/waiting.py",
          "mark != seen and now >= rests_until", "mark != seen", "tests/queue/test_waiting.py"),
    Guard("the log of a worker is not waited for again and again", "worker/log.py",
          "0.0 if self._stuck_at == self._relay.received else self._timeout", "self._timeout",
          "tests/worker/test_worker_log.py"),
    Guard("a worker wakes to look for a missing function", "worker/timetable.py",
          "            waits.append(next_search - now)\n", "            pass\n", "tests/worker/test_timetable.py"),
    # transactions of callers
    Guard("a job is not committed alone", "store/joining.py",
          "    if not connection.in_transaction:\n", "    if False:\n", "tests/joining/test_refused_connections.py"),
    Guard("a connection to another file is refused", "store/joining.py",
          '    if _is(database, found["main"]):\n', "    if True:\n", "tests/joining/test_refused_connections.py"),
    Guard("a temporary table hides none of the queue's", "store/joining.py",
          "        _check_names(connection)\n", "", "tests/joining/test_refused_connections.py"),
    Guard("a transaction that can write no more is told from a lock", "store/joining.py",
          '== sqlite3.SQLITE_BUSY_SNAPSHOT:', "== -1:", "tests/joining/test_refused_connections.py"),
    Guard("where foreign keys are off what belongs to a job goes with it", "store/deleting.py",
          "    if not tx.has_foreign_keys:\n", "    if False:\n", "tests/joining/test_kinds_of_connection.py"),
    Guard("a refused verb leaves nothing in a caller's transaction", "store/engine/joined.py",
          '            self._run("ROLLBACK TO gigq")\n', "", "tests/joining/test_kinds_of_connection.py"),
    Guard("another task takes no part", "store/engine/joined.py",
          "if self._task is not None and self._task is not _current_task():", "if False:",
          "tests/joining/test_transactions.py"),
    Guard("another queue object does not wait for its own thread", "store/engine/joined.py",
          "        if not (self._is_for_all or database in self._members):\n", "        if False:\n",
          "tests/joining/test_transactions.py"),
    Guard("a fork inside a transaction writes nothing in it", "store/engine/joined.py",
          "        if self._process != os.getpid():\n", "        if False:\n", "tests/joining/test_transactions.py"),
    Guard("a claim that was rolled back ends no execution of another", "store/manual.py",
          "    if found is not None and found not in since:\n", "    if False:\n",
          "tests/joining/test_transactions.py"),
    Guard("a row of another worker is not taken for one's own", "store/manual.py",
          "WHERE seq = ? AND id = ? AND started_at = ?", "WHERE seq = ? OR id = ? OR started_at = ?",
          "tests/joining/test_transactions.py"),
    Guard("a worker that is not called first waits for a commit that is to come", "worker/loop.py",
          "            if self._duties.is_locked:\n", "            if False:\n",
          "tests/joining/test_bell_of_a_caller.py"),
    # files of others
    Guard("a commit waits for readers", "store/engine/patience.py",
          "self._commit_after_readers(connection, error)", "raise"),
    Guard("a file that is opened is switched to WAL", "store/engine/opened_file.py",
          "        if not is_used:\n", "        if False:\n"),
    Guard("a file is switched to WAL while it is open", "store/engine/connections.py",
          "        if self.uses_wal:\n", "        if False:\n"),
    Guard("a look at what cannot be read does not keep its snapshot", "store/engine/database.py",
          "        self._pool.discard()\n        return meaning\n", "        return meaning\n",
          "tests/fuzz/test_spoilt_rows.py"),
    Guard("metadata that are no text stop no worker", "store/claiming.py", "str(claim.metadata)", "claim.metadata",
          "tests/fuzz/test_spoilt_rows.py"),
    Guard("an open execution has the attempts of its job", "store/checking.py",
          "(jobs.attempts > 0 OR executions.status = 'running')", "jobs.attempts > 0",
          "tests/store/test_repairing.py"),
    # workflows
    Guard("a last job is not cancelled with its workflow", "store/workflow_control.py",
          "\n           AND seq IS NOT :last", "", "tests/queue/test_workflow_verbs.py"),
    Guard("a workflow sends back what failed, and not what was cancelled", "store/workflow_control.py",
          "status IN ('failed', 'timeout')", "status IN ('failed', 'timeout', 'cancelled')",
          "tests/queue/test_workflow_verbs.py"),
    Guard("a last job runs again only if it waits for one that was sent back", "store/last_jobs.py",
          "    if not blockers:\n        return\n", "", "tests/queue/test_workflow_verbs.py"),
    Guard("a last job runs again only if something was sent back", "store/workflow_control.py",
          "if requeued and workflow.last_job is not None:", "if workflow.last_job is not None:",
          "tests/queue/test_workflow_verbs.py"),
    Guard("a last job that is running is given back", "store/last_jobs.py",
          "elif status == JobStatus.RUNNING:", "elif False:", "tests/queue/test_workflow_verbs.py"),
    Guard("nothing is added that waits for the last job", "store/last_jobs.py",
          "    _refuse_circle(tx, last)\n", "", "tests/queue/test_stored_workflows.py"),
    Guard("a last job waits for what stands for others", "store/workflows.py",
          "others = [*(held if last is not None else ()), *(each for each in ids if not each.is_new)]", "others = []",
          "tests/queue/test_stored_workflows.py"),
    Guard("a last job is not one that is in the file already", "store/workflows.py",
          "    _refuse_old(ids, last, name)\n", "", "tests/queue/test_stored_workflows.py"),
    Guard("a workflow has one last job", "store/workflows.py",
          "if last is not None and workflow.last_job is not None:", "if False:",
          "tests/queue/test_stored_workflows.py"),
    Guard("a workflow without jobs is not stored", "store/workflows.py",
          "if any(each.is_new for each in ids):", "if True:", "tests/queue/test_stored_workflows.py"),
    Guard("a workflow stays as long as it has a job", "store/workflows.py",
          "\n           AND NOT EXISTS (SELECT 1 FROM jobs WHERE workflow_seq = job_workflows.seq)", "",
          "tests/queue/test_stored_workflows.py"),
    Guard("a last job stays as long as it is there", "store/workflows.py",
          "\n           AND NOT EXISTS (SELECT 1 FROM jobs WHERE seq = last_job)", "",
          "tests/queue/test_stored_workflows.py"),
    Guard("a job waits once for one that stands for two of its parents", "store/submitting.py",
          "tuple(dict.fromkeys(holders.get(each, each) for each in job.dependencies))",
          "tuple(holders.get(each, each) for each in job.dependencies)", "tests/queue/test_stored_workflows.py"),
    Guard("only workers that serve the queues of a workflow count for its time", "store/time_left.py",
          "if any(map(each.serves, queues))", "", "tests/queue/test_workflow_verbs.py"),
    Guard("only live workers count for it", "store/time_left.py",
          "if each.is_alive and not each.is_stopping", "", "tests/queue/test_workflow_verbs.py"),
    Guard("the bell is not among the files of the queue", "store/engine/fifo.py",
          'f".{name}-bell"', 'f"{name}-bell"', "tests/store/engine/test_bell.py"),
    # the runs of executors
    Guard("a private queue is served by those who name it alone", "store/limits.py",
          "MARK not in queue if self._queues is None", "True if self._queues is None", "tests/store/test_runs.py"),
    Guard("a call that another worker runs stays in its queue", "store/runs.py",
          " AND status = 'pending' AND queue <> ?", " AND queue <> ?"),
    Guard("what a run takes over is pending", "store/runs.py",
          "         WHERE seq = :seq\n           AND status = 'pending'\n", "         WHERE seq = :seq\n"),
    Guard("a run has all the attempts of what it takes over", "store/runs.py", "attempts = 0,\n", "\n"),
    Guard("a run makes what it takes over at once", "store/runs.py", "run_at = NULL, ", ""),
    Guard("only pending calls are cancelled with those who need them", "store/runs.py",
          "WHERE id IN {these} AND status = 'pending'\", values)", "WHERE id IN {these}\", values)"),
    Guard("the calls of a living worker are no leftovers", "store/runs.py", " if queue not in served"),
    Guard("only calls that have ended are deleted", "store/runs.py", " AND completed_at IS NOT NULL"),
    Guard("a call that an unfinished job needs is not deleted", "store/runs.py",
          "\n                                  AND children.completed_at IS NULL"),
    Guard("a running call is not forgotten", "store/runs.py", "status != JobStatus.RUNNING and "),
    Guard("what a run has asked for is not forgotten", "store/runs.py", " and job_id not in spared"),
    Guard("only runs of the same name are rivals", "store/runs.py", "startswith(name + MARK)", "startswith(name)"),
]  # fmt: skip


def occurrences(guard: Guard) -> int:
    """How often the text of a guard occurs in its file: only where that is once can it be taken out."""
    return (ROOT / "gigq" / guard.file).read_text(encoding="utf-8").count(guard.old)


def wanted() -> Iterator[Guard]:
    """The guards that were asked for."""
    words = sys.argv[1:]
    for guard in GUARDS:
        if not words or any(word in f"{guard.file}: {guard.name}" for word in words):
            if occurrences(guard) != 1:
                sys.exit(f"{guard.file}, {guard.name}: change its text in this table:\n{guard.old}")
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
        own = str(Path("tests", guard.file).with_name(f"test_{Path(guard.file).name}"))
        return first_failure(copy, likely=guard.test or own)


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
