"""The cost of a claim does not grow: each of its statements reads an index, whatever is in the file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from store.verbs import File, remember

from gigq import Job, JobFailed, Workflow
from gigq.missing import Lacking
from gigq.queue import waiting
from gigq.status import ExecutionStatus
from gigq.store import claiming, schedules, steps, workers
from gigq.store.claiming import Room
from gigq.store.indexes import INDEXES
from gigq.store.progress import write_cursors, write_running_logs
from gigq.store.recalling import Recaller
from gigq.store.tables import TABLES


def plans(file: File, act: Callable[[], object]) -> dict[str, list[str]]:
    """The query plan of every statement that `act` runs on this thread's connection."""
    statements: list[str] = []
    with file.queue.database.read() as tx:
        connection = tx.connection
    connection.set_trace_callback(statements.append)
    act()
    connection.set_trace_callback(None)
    explained = {}
    for statement in statements:
        words = statement.split()
        if words[0] in ("SELECT", "WITH", "UPDATE", "DELETE") and not {"sqlite_master", "sqlite_sequence"} & set(words):
            rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
            explained[" ".join(words)] = [str(row[3]) for row in rows]
    return explained


def used(found: dict[str, list[str]], index: str) -> bool:
    return any(f"INDEX {index} " in f"{step} " for steps in found.values() for step in steps)


OF_ONE_ROW = (
    "SELECT EXISTS (SELECT 1 FROM job_tags), EXISTS (SELECT 1 FROM job_dependencies)",
    "SELECT 1 FROM job_dependencies LIMIT 1",
    "SELECT 1 FROM job_workflows LIMIT 1",
)
"""Statements that read the first row of a table, if there is one."""


def scanning(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """The statements that read a whole table, and which."""
    return {sql: scanned(plan) for sql, plan in found.items() if scanned(plan) and sql not in OF_ONE_ROW}


def scanned(plan: list[str]) -> list[str]:
    """The tables that are read from one end to the other, except for those that are never long."""
    short = "executions USING INDEX executions_open", "job_queues"  # a few hundred jobs run, a few queues have limits
    whole = [step.removeprefix("SCAN ") for step in plan if step.startswith("SCAN")]
    return [step for step in whole if step.split()[0] in TABLES and step not in short]


@pytest.fixture
def full(file: File) -> File:
    """Some of everything."""
    for number in range(3):
        file.submit(queue=f"q{number}", tags=["t"], delay=None if number else 60)
    parent = file.submit()
    file.submit(dependencies=[parent])
    return file


def test_no_statement_of_a_turn_reads_a_whole_table(full: File) -> None:
    def turn() -> None:
        with full.write() as tx:
            claiming.outlook(tx)
            workers.renew(tx, full.worker)
            workers.standing(tx, full.worker)
        for claim in full.claim(10):
            full.settle(claim, ExecutionStatus.COMPLETED if claim.job_seq % 2 else ExecutionStatus.FAILED)

    found = plans(full, turn)
    assert len(found) > 10
    assert scanning(found) == {}
    assert set(OF_ONE_ROW) - found.keys() == {"SELECT 1 FROM job_workflows LIMIT 1"}


@pytest.mark.parametrize("lacking", [Lacking(), Lacking(absent=["lacking:function"], probed=["probed:function"])])
def test_no_statement_of_a_turn_reads_a_whole_table_with_many_queues(full: File, lacking: Lacking) -> None:
    for number in range(20):
        full.submit(queue=f"more {number}", function=("lacking:function", "probed:function", "m:f")[number % 3])

    def turn() -> None:
        with full.write() as tx:
            claiming.outlook(tx, lacking=lacking)
            claiming.claim(tx, full.worker, room=Room(free=3), lacking=lacking)

    found = plans(full, turn)
    assert scanning(found) == {}
    assert used(found, "jobs_ready_by_function")


def test_no_statement_about_steps_reads_a_whole_table(full: File) -> None:
    job_id = full.submit("job", priority=5)
    (claim,) = full.claim()
    remember(full, claim, "first")

    def act() -> None:
        remember(full, claim, "second")
        assert Recaller(claim.job_seq).recall(full.queue.database, "second", 1)
        with full.write() as tx:
            assert Recaller(claim.job_seq)._look(tx, "second", 1)
            assert steps.count(tx, claim.job_seq) == 2
            write_cursors(tx, {claim.execution_id: "7"})
            write_running_logs(tx, {claim.execution_id: "it began"})
        assert len(full.queue.steps(job_id)) == 2
        full.settle(claim, ExecutionStatus.FAILED, is_final=True)
        full.queue.requeue_job(job_id, from_step="second")
        full.queue.cancel(job_id)
        full.queue.requeue_job(job_id, restart=True)

    found = plans(full, act)
    assert scanning(found) == {}
    assert used(found, "sqlite_autoindex_job_steps_1")


def test_no_statement_of_a_cancel_a_requeue_or_a_look_reads_a_whole_table(full: File) -> None:
    job_id = full.submit("job")

    def act() -> None:
        full.queue.cancel(job_id)
        full.queue.requeue_job(job_id)
        full.queue.get_status(job_id)
        full.queue.full_id(job_id)
        full.queue.cancel(job_id)
        full.queue.wait([job_id], timeout=0)
        with pytest.raises(JobFailed):
            full.queue.results([job_id])
        waiting.wait(full.queue.database, full.queue.clock, [job_id], waiting.endings, timeout=0, any=True)

    assert scanning(plans(full, act)) == {}


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({"status": "failed"}, "jobs_finished"),
        ({"status": ["completed", "timeout"], "order": "submitted"}, "jobs_finished"),
        ({"ended_since": "2026-01-01", "name": "x"}, "jobs_finished"),
        ({"status": "running"}, "executions_open"),
        ({"phase": "reserved"}, "executions_open"),
        ({"phase": "ready", "queue": "q1"}, "jobs_ready"),
        ({"phase": "scheduled"}, "jobs_due"),
        ({"phase": "retrying"}, "jobs_retrying"),
        ({"phase": "waiting"}, "job_dependencies_of_parent"),
        ({"tags": ["t", "u"], "name": "x"}, "job_tags_by_tag"),
        ({"workflow": "w", "name": "x"}, "jobs_of_workflow"),
    ],
)
def test_a_list_of_what_an_index_knows_reads_no_more_than_that(
    full: File, filters: dict[str, Any], index: str
) -> None:
    def look() -> None:
        full.queue.find_jobs(limit=5, **filters)
        full.queue.count(**{name: value for name, value in filters.items() if name != "order"})

    found = plans(full, look)
    assert used(found, index)
    assert {step.split()[0] for steps in scanning(found).values() for step in steps} <= {"jobs"}
    assert [sql for sql, steps in scanning(found).items() if "jobs" in steps] == [], "no scan without an index"


def test_a_page_is_found_by_its_key(full: File) -> None:
    cursor = full.queue.find_jobs(limit=1).cursor
    ended = full.submit("ended", priority=9)
    full.complete(ended)
    found = plans(full, lambda: full.queue.find_jobs(limit=1, after=cursor))
    assert scanning(found) == {}
    steps = [step for steps in found.values() for step in steps]
    assert any("INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in step for step in steps)
    by_end = plans(full, lambda: full.queue.find_jobs(limit=1, order="ended", after=f"9@{'2026-01-01T00:00:00Z'}"))
    assert any("jobs_finished (status=? AND completed_at" in step for steps in by_end.values() for step in steps)
    walk = [step for sql, steps in by_end.items() if sql.startswith("SELECT completed_at, seq") for step in steps]
    assert walk
    assert not any("TEMP B-TREE" in step for step in walk)


def test_no_look_back_reads_a_whole_table_but_by_its_key(full: File) -> None:
    for status in (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED):
        (claim,) = full.claim()
        full.settle(claim, status, is_final=True)

    def look() -> None:
        history = full.queue.history
        history.executions(full.clock.now())
        history.functions("1h")
        history.throughput("1h", 60)
        (group,) = history.failures("1h")
        history.as_of(full.clock.now())
        history.actions()
        with full.queue.acting_as("ann"):
            full.queue.requeue_jobs(failure=group, bound=10)

    found = plans(full, look)
    # All jobs are counted in the smallest index, and few actions are kept.
    assert [tables[0].split()[0] for tables in scanning(found).values()] == ["jobs", "job_actions"]
    assert scanning(found)["SELECT count(*) FROM jobs"]
    assert used(found, "jobs_finished")
    assert used(found, "executions_open")
    assert used(found, "executions_of_job")


def test_no_statement_about_a_workflow_reads_a_whole_table(full: File) -> None:
    flow = Workflow("flow", id="flow")
    flow.chain(Job("first", "m:f", max_attempts=1), [Job("left", "m:f"), Job("right", "m:f")])
    flow.at_end(Job("end", "m:f"))

    def life() -> None:
        flow.submit_all(full.queue)
        for claim in full.claim(10):
            full.settle(claim, ExecutionStatus.FAILED, error="no")
        flow.status(full.queue)
        flow.requeue_failed(full.queue)
        flow.cancel(full.queue)
        flow.add_job(Job("late", "m:f"))
        flow.submit_all(full.queue)
        Workflow.load(full.queue, "fl")
        flow.to_mermaid(full.queue)
        full.queue.workflows(limit=10)
        full.queue.find_jobs(workflow="flow", limit=10)
        full.queue.count(workflow="flow")

    found = plans(full, life)
    assert used(found, "jobs_of_workflow")
    whole = {table for tables in scanning(found).values() for table in tables}
    assert whole == {"job_workers", "job_workflows"}, "there are few workers, and of workflows as many as are asked for"


@pytest.mark.parametrize(
    ("index", "act"),
    [
        ("jobs_ready", lambda file: file.claim(5)),
        ("jobs_ready_by_function", lambda file: _claim_of_many_queues(file)),
        ("jobs_due", lambda file: file.claim(5)),
        ("jobs_retrying", lambda file: file.claim(5)),
        ("jobs_expiring", lambda file: file.claim(5)),
        ("schedules_due", lambda file: _tick(file)),
        ("jobs_unique", lambda file: file.submit(unique_key="k")),
        ("jobs_finished", lambda file: file.queue.clear_completed(file.clock.now())),
        ("jobs_failed_parent", lambda file: file.queue.requeue_job(file.submit("x", id="x")) or _requeue(file)),
        ("executions_open", lambda file: _look(file)),
        ("executions_of_job", lambda file: file.queue.list_jobs()),
        ("job_dependencies_of_parent", lambda file: file.settle(file.claim()[0], ExecutionStatus.COMPLETED)),
        ("jobs_submitted_by", lambda file: file.submit(dependencies=[file.submit()])),
        ("jobs_of_workflow", lambda file: file.queue.find_jobs(workflow="w")),
        ("job_tags_by_tag", lambda file: file.queue.list_jobs(tags=["t"])),
        ("job_steps_of_job", lambda file: file.queue.steps(file.submit())),
    ],
)
def test_each_index_serves_the_query_that_it_is_there_for(
    full: File, index: str, act: Callable[[File], object]
) -> None:
    assert index in INDEXES
    assert used(plans(full, lambda: act(full)), index)


def test_no_index_is_without_a_query(full: File) -> None:
    tested = {
        "jobs_ready", "jobs_ready_by_function", "jobs_due", "jobs_expiring", "jobs_unique", "schedules_due",
        "jobs_retrying", "jobs_finished", "jobs_failed_parent", "executions_open",
        "executions_of_job", "job_dependencies_of_parent", "job_tags_by_tag", "jobs_of_workflow", "job_steps_of_job",
        "jobs_submitted_by",
    }  # fmt: skip
    assert tested == set(INDEXES)


def _claim_of_many_queues(file: File) -> None:
    for number in range(20):
        file.submit(queue=f"more {number}")
    file.claim(5)


def _requeue(file: File) -> None:
    file.queue.cancel("x")
    file.queue.requeue_job("x")


def _tick(file: File) -> None:
    with file.write() as tx:
        schedules.tick(tx, new_id=lambda: "new")


def _look(file: File) -> None:
    with file.write() as tx:
        workers.standing(tx, file.worker)
