"""What others do to a file by hand is found by a check, a sentence for each kind, and mended by a repair."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import functions
import pytest
from store.verbs import File

from gigq.status import ExecutionStatus
from gigq.store.checking import PARTS, kind_of
from gigq.store.repairing import repair
from gigq.testing import drain


@pytest.fixture
def tool(path: str, file: File) -> Iterator[sqlite3.Connection]:
    """What people have open beside a queue: it checks no foreign keys, as they are off by default."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def busy(file: File) -> dict[str, str]:
    """A queue with a job in every status, with parents and children and tags."""
    done = file.submit("done", tags=["a", "b"])
    file.complete(done)
    bad = file.submit("bad")
    file.submit("lost with bad", dependencies=[bad])
    file.fail(bad)
    tried = file.submit("tried", priority=9, max_attempts=5, retry_delay=60)
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.FAILED, error="no")
    running = file.submit("running", priority=8)
    file.claim()
    parent = file.submit("parent")
    child = file.submit("child", dependencies=[done, parent], tags=["a"])
    grandchild = file.submit("grandchild", dependencies=[child])
    assert file.queue.check() == []
    return {
        "done": done, "bad": bad, "tried": tried, "running": running, "parent": parent, "child": child,
        "grandchild": grandchild,
    }  # fmt: skip


def only(name: str) -> str:
    return f"WHERE name = '{name}'"


SEQ = "(SELECT seq FROM jobs WHERE name = '{}')"

DAMAGES: dict[str, tuple[str, list[str], list[str]]] = {
    "a job is deleted and its rows are left": (
        f"DELETE FROM jobs {only('done')}",
        ["1 row of executions refers to jobs that are gone", "1 row of job_dependencies refers to jobs that are gone",
         "2 rows of job_tags refer to jobs that are gone"],
        ["Deleted 1 execution of jobs that are gone", "Deleted 2 tags of jobs that are gone",
         "Deleted 1 dependency row of jobs that are gone; their children wait for them no longer"],
    ),
    "a parent is deleted": (
        f"DELETE FROM jobs {only('parent')}",
        ["1 row of job_dependencies refers to jobs that are gone",
         "1 job waits for more or fewer parents than are unfinished: {child}"],
        ["Deleted 1 dependency row of jobs that are gone; their children wait for them no longer",
         "Corrected for how many parents 1 job must wait"],
    ),
    "a parent is deleted with its dependencies": (
        f"PRAGMA foreign_keys = ON; DELETE FROM jobs {only('parent')}",
        ["1 job waits for more or fewer parents than are unfinished: {child}"],
        ["Corrected for how many parents 1 job must wait"],
    ),
    "a failed parent is deleted": (
        f"DELETE FROM jobs {only('bad')}",
        ["1 row of executions refers to jobs that are gone", "1 row of job_dependencies refers to jobs that are gone",
         "1 row of jobs refers to jobs that are gone"],
        ["Deleted 1 execution of jobs that are gone",
         "Deleted 1 dependency row of jobs that are gone; their children wait for them no longer",
         "Cleared 1 reference to a failed parent that is gone"],
    ),
    "a running job is deleted": (
        f"DELETE FROM jobs {only('running')}",
        ["1 row of executions refers to jobs that are gone"],
        ["Deleted 1 execution of jobs that are gone"],
    ),
    "all executions are deleted": (
        "DELETE FROM executions",
        ["1 job is running without an open execution: {running}",
         "4 jobs have more or fewer attempts than their executions: {done}, {bad}, {tried}, …"],
        ["Corrected the attempts of 4 jobs", "Settled 1 running job without an open execution as lost"],
    ),
    "a running job is set to pending": (
        f"UPDATE jobs SET status = 'pending' {only('running')}",
        ["1 job has an open execution and is not running: {running}"],
        ["Closed 1 open execution of jobs that are not running"],
    ),
    "a running job is set to completed": (
        f"UPDATE jobs SET status = 'completed', completed_at = updated_at, error = 'no' {only('running')}",
        ["1 job has an open execution and is not running: {running}",
         "1 job has completed without a result, or has one and has not completed: {running}",
         "1 job has completed and has an error: {running}"],
        ["Closed 1 open execution of jobs that are not running",
         "Set the result of 1 completed job without one to null",
         "Cleared the error of 1 completed job"],
    ),
    "a pending job is set to running": (
        f"UPDATE jobs SET status = 'running' {only('parent')}",
        ["1 job is running without an open execution: {parent}"],
        ["Settled 1 running job without an open execution as lost"],
    ),
    "the workers are deleted": (
        "DELETE FROM job_workers",
        ["1 open execution belongs to no worker: 4"],
        ["Settled 1 execution of unknown workers as lost"],
    ),
    "the attempts are set back": (
        f"UPDATE jobs SET attempts = 2 {only('tried')}",
        ["1 job has more or fewer attempts than its executions: {tried}"],
        ["Corrected the attempts of 1 job"],
    ),
    "the attempts of all jobs are set to 0": (
        "UPDATE jobs SET attempts = 0",
        ["1 job has more or fewer attempts than its executions: {running}"],
        ["Corrected the attempts of 1 job"],
    ),
    "a child is given no blockers, and its parent fails by the repair": (
        f"UPDATE jobs SET blockers = 0 {only('child')};"
        f"UPDATE jobs SET status = 'running', max_attempts = 1 {only('parent')}",
        ["1 job is running without an open execution: {parent}",
         "1 job waits for more or fewer parents than are unfinished: {child}"],
        ["Corrected for how many parents 1 job must wait", "Settled 1 running job without an open execution as lost"],
    ),
    "a job is given other blockers": (
        f"UPDATE jobs SET blockers = 7 {only('child')}",
        ["1 job waits for more or fewer parents than are unfinished: {child}"],
        ["Corrected for how many parents 1 job must wait"],
    ),
    "a parent is set to failed": (
        f"UPDATE jobs SET status = 'failed', completed_at = updated_at {only('parent')}",
        ["1 job waits for more or fewer parents than are unfinished: {child}",
         "1 unfinished job needs a parent that has ended badly: {child}"],
        ["Corrected for how many parents 1 job must wait",
         "Cancelled 1 job that needed a parent that has ended badly"],
    ),
    "a cancelled child is set to pending": (
        f"UPDATE jobs SET status = 'pending', completed_at = NULL {only('lost with bad')}",
        ["1 job waits for more or fewer parents than are unfinished: ",
         "1 unfinished job needs a parent that has ended badly: "],
        ["Corrected for how many parents 1 job must wait",
         "Cancelled 1 job that needed a parent that has ended badly"],
    ),
    "a finished job is given a time to run": (
        f"UPDATE jobs SET run_at = created_at {only('done')}",
        ["1 job has a run_at and is not pending: {done}"],
        ["Cleared the run_at of 1 job not pending"],
    ),
    "a result is deleted": (
        f"UPDATE jobs SET result = NULL {only('done')}",
        ["1 job has completed without a result, or has one and has not completed: {done}"],
        ["Set the result of 1 completed job without one to null"],
    ),
    "a pending job is given a result": (
        f"UPDATE jobs SET result = '1' {only('parent')}",
        ["1 job has completed without a result, or has one and has not completed: {parent}"],
        ["Cleared the result of 1 job not completed"],
    ),
    "a job is made to depend on one that depends on it": (
        f"INSERT INTO job_dependencies VALUES ({SEQ.format('parent')}, {SEQ.format('child')}, 0)",
        ["1 job waits for more or fewer parents than are unfinished: {parent}",
         "2 jobs depend on each other in circles: {parent}, {child}"],
        ["Deleted 1 dependency row that closed a circle"],
    ),
    "a job is made to depend on itself": (
        f"INSERT INTO job_dependencies VALUES ({SEQ.format('done')}, {SEQ.format('done')}, 0)",
        ["1 job depends on itself: {done}"],
        ["Deleted 1 dependency row that closed a circle"],
    ),
    "an index, a unique index and a view are dropped": (
        "DROP INDEX jobs_ready; DROP INDEX executions_open; DROP VIEW job_overview",
        ["the index jobs_ready is missing", "the index executions_open is missing", "the view job_overview is missing"],
        ["Created the index jobs_ready again", "Created the index executions_open again",
         "Created the view job_overview again"],
    ),
    "everything is deleted but what belongs to it": (
        "DELETE FROM jobs",
        ["4 rows of executions refer to jobs that are gone", "4 rows of job_dependencies refer to jobs that are gone",
         "3 rows of job_tags refer to jobs that are gone"],
        ["Deleted 4 executions of jobs that are gone", "Deleted 3 tags of jobs that are gone",
         "Deleted 4 dependency rows of jobs that are gone; their children wait for them no longer"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_repair_mends_what_the_check_finds_and_says_what_it_did(
    file: File, busy: dict[str, str], tool: sqlite3.Connection, damage: str
) -> None:
    script, found, mended = DAMAGES[damage]
    tool.executescript(script)
    problems = file.queue.check()
    assert len(problems) == len(found)
    for problem, beginning in zip(problems, found, strict=True):
        assert problem.startswith(beginning.format(**busy)), problems
    assert file.queue.repair() == mended
    assert file.queue.check() == []
    assert file.queue.repair() == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_after_a_repair_every_unfinished_job_runs(
    file: File, busy: dict[str, str], tool: sqlite3.Connection, damage: str
) -> None:
    tool.executescript(DAMAGES[damage][0])
    file.queue.repair()
    with file.write() as tx:
        tx.execute("DELETE FROM job_workers")  # the one of the job that still runs
    file.queue.repair()
    for _ in range(5):
        file.clock.advance(3600)
        drain(file.queue)
    assert file.queue.count("pending") == file.queue.count("running") == 0
    assert file.queue.check() == []


def test_several_damages_at_once_are_mended_at_once(
    file: File, busy: dict[str, str], tool: sqlite3.Connection
) -> None:
    tool.executescript("DELETE FROM jobs WHERE name IN ('parent', 'done', 'running'); DELETE FROM job_workers")
    assert len(file.queue.check()) > 3
    file.queue.repair()
    assert file.queue.check() == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_repair_that_fails_leaves_the_file_as_it_was(
    file: File, busy: dict[str, str], tool: sqlite3.Connection, damage: str
) -> None:
    tool.executescript(DAMAGES[damage][0])
    before = list(tool.iterdump())
    with pytest.raises(ZeroDivisionError), file.write() as tx:
        assert repair(tx)
        raise ZeroDivisionError
    assert list(tool.iterdump()) == before
    file.queue.repair()


def test_the_check_names_the_first_rows_of_a_kind_and_counts_the_others(file: File, tool: sqlite3.Connection) -> None:
    ids = [file.submit() for _ in range(12)]
    tool.execute("UPDATE jobs SET blockers = 1")
    assert file.queue.check() == [
        f"12 jobs wait for more or fewer parents than are unfinished: {', '.join(ids[:3])}, …"
    ]
    assert file.queue.repair() == ["Corrected for how many parents 12 jobs must wait"]


def test_a_running_job_of_a_registered_worker_goes_on_through_a_repair(
    file: File, busy: dict[str, str], tool: sqlite3.Connection
) -> None:
    tool.execute("UPDATE jobs SET blockers = 1 WHERE name = 'tried'")
    file.queue.repair()
    assert file.queue.get_status(busy["running"])["status"] == "running"


def test_a_lost_job_is_tried_again_if_it_has_attempts_left_and_fails_otherwise(
    file: File, tool: sqlite3.Connection
) -> None:
    again, last = file.submit(), file.submit(max_attempts=1)
    file.claim(2)
    tool.execute("DELETE FROM executions")
    file.queue.repair()
    assert file.queue.get_status(again)["status"] == "pending"
    status = file.queue.get_status(last)
    assert (status["status"], status["error"]) == ("failed", "lost: a repair of the file found no execution of it")


def test_the_child_of_a_job_that_was_deleted_by_hand_does_not_wait_for_ever(
    file: File, tool: sqlite3.Connection
) -> None:
    parent = file.submit("parent", delay=3600)
    child = file.submit("child", dependencies=[parent])
    tool.execute("DELETE FROM jobs WHERE id = ?", (parent,))
    file.queue.repair()
    assert drain(file.queue) == 1
    assert file.queue.get_status(child)["status"] == "completed"


def test_the_child_of_deleted_parents_gets_no_results_of_them(file: File, tool: sqlite3.Connection) -> None:
    parent = file.submit("parent", delay=3600)
    children = [file.submit("child", function=name, dependencies=[parent]) for name in ("functions:collect", "f")]
    tool.execute("DELETE FROM jobs WHERE id = ?", (parent,))
    file.queue.repair()
    assert drain(file.queue, handlers={"f": functions.nothing}) == 2
    assert [file.queue.get_result(child) for child in children] == [[], None]


def test_a_sound_file_is_not_written_by_a_repair(path: str, file: File) -> None:
    file.submit()
    before = Path(f"{path}-wal").read_bytes()
    assert file.queue.repair() == []
    assert Path(f"{path}-wal").read_bytes() == before


def test_a_damaged_index_is_built_anew(path: str, file: File, tool: sqlite3.Connection) -> None:
    ids = [file.submit() for _ in range(3)]
    tool.execute("PRAGMA writable_schema = ON")
    whole = tool.execute("SELECT sql FROM sqlite_master WHERE name = 'jobs_ready'").fetchone()[0]
    tool.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'jobs_ready'", (f"{whole} AND priority > 0",))
    with closing(sqlite3.connect(path, isolation_level=None)) as blind:  # keeps the index as if no job were in it
        blind.execute("UPDATE jobs SET queue = 'mail'")
    tool.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'jobs_ready'", (whole,))
    version = tool.execute("PRAGMA schema_version").fetchone()[0]
    tool.execute(f"PRAGMA schema_version = {version + 1}")
    (problem,) = file.queue.check()
    assert problem.startswith("SQLite: ")
    assert "jobs_ready" in problem
    assert file.queue.repair() == ["Rebuilt the indexes"]
    assert file.queue.check() == []
    assert [claim.job_id for claim in file.claim(3)] == ids


@pytest.mark.parametrize("part", [each for each in PARTS if kind_of(each) != "table"])
def test_every_index_and_view_that_was_dropped_comes_back(file: File, tool: sqlite3.Connection, part: str) -> None:
    tool.execute(f"DROP {kind_of(part)} {part}")
    assert file.queue.check() == [f"the {kind_of(part)} {part} is missing"]
    assert file.queue.repair() == [f"Created the {kind_of(part)} {part} again"]
    assert file.queue.check() == []


def test_what_an_index_would_not_allow_is_mended_before_it_comes_back(file: File, tool: sqlite3.Connection) -> None:
    ids = [file.submit(name, priority=priority) for name, priority in (("first", 0), ("running", 9), ("ended", 0))]
    file.queue.cancel(ids[2])
    file.claim()
    tool.executescript(
        """
        DROP INDEX jobs_unique;
        DROP INDEX executions_open;
        UPDATE jobs SET unique_key = 'k';
        INSERT INTO executions (job_seq, attempt, worker_id, worker_seq, status)
        SELECT job_seq, attempt, worker_id, worker_seq, status FROM executions;
        """
    )
    assert file.queue.repair() == [
        "Closed 1 open execution of jobs that have a later one",
        "Cleared the unique key of 1 job, which another unfinished job has",
        "Created the index jobs_unique again",
        "Created the index executions_open again",
    ]
    assert [file.job(each).unique_key for each in ids] == [None, "k", "k"]
    assert [each.status for each in file.job(ids[1]).executions] == ["lost", "running"]
    assert file.queue.check() == []


@pytest.mark.unsound("what a table held cannot be made again")
def test_a_dropped_table_is_reported_and_not_mended(file: File, tool: sqlite3.Connection) -> None:
    tool.execute("DROP TABLE job_tags")
    problems = file.queue.check()
    assert "the table job_tags is missing" in problems
