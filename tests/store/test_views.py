"""The views answer in plain words and in numbers, and what they read does not grow with the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from store.verbs import SOMEWHERE, File, remember

from gigq import Job, JobQueue, ManualClock, SystemClock, Workflow
from gigq.status import ExecutionStatus
from gigq.store import manual, workers
from gigq.store.views import VIEWS


@pytest.fixture
def tool(path: str) -> Iterator[sqlite3.Connection]:
    """Any SQLite tool."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


# what they say


def test_the_job_overview_shows_every_job_the_newest_first(file: File, tool: sqlite3.Connection) -> None:
    file.complete(file.submit("done"))
    file.submit("ready")
    parent = file.submit("parent", priority=-1, max_attempts=1)
    file.submit("waiting", dependencies=[parent])
    rows = tool.execute("SELECT name, phase, priority, attempts, max_attempts FROM job_overview").fetchall()
    assert rows == [
        ("waiting", "waiting", 0, 0, 3),
        ("parent", "ready", -1, 0, 1),
        ("ready", "ready", 0, 0, 3),
        ("done", "completed", 0, 1, 3),
    ]


def test_the_ready_jobs_are_in_the_order_in_which_workers_claim_them(file: File, tool: sqlite3.Connection) -> None:
    file.submit("second")
    file.submit("first", priority=1)
    file.submit("paused", queue="a")
    file.queue.pause("a")
    file.submit("scheduled", delay=10**8)
    parent = file.submit("third")
    file.submit("waiting", dependencies=[parent])
    rows = tool.execute("SELECT queue, name, phase FROM ready_jobs").fetchall()
    assert rows == [
        ("a", "paused", "paused"),
        ("default", "first", "ready"),
        ("default", "second", "ready"),
        ("default", "third", "ready"),
    ]
    assert file.names(file.claim(10)) == ["first", "second", "third"]


@pytest.mark.unsound("some of it is no JSON, or stands where other JSON belongs")
@pytest.mark.parametrize("text", ['{"x":NaN}', '{"x":-Infinity}', "{'", "", "nan"])
def test_the_views_bear_json_that_this_sqlite_cannot_read(file: File, tool: sqlite3.Connection, text: str) -> None:
    """SQLite before 3.42 takes JSON5 for malformed, and anyone may write anything."""
    file.complete(file.submit("done"))
    file.submit("ready")
    file.queue.schedules.add("s", "functions:nothing", every=60)
    tool.execute("UPDATE jobs SET args = ?1, params = ?1, metadata = ?1, result = ?1, progress = ?1", (text,))
    tool.execute("UPDATE job_schedules SET job = ?", (text,))
    for view in VIEWS:
        tool.execute(f"SELECT * FROM {view}").fetchall()
    tool.execute("UPDATE jobs SET result = NULL WHERE status <> 'completed'")
    assert all("which gigq never wrote" in each or "job_schedules" in each for each in file.queue.check())
    assert file.queue.metrics()["statuses"]["completed"] == 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.25, "250 ms"), (2.5, "2.5 s"), (90, "90.0 s"), (600, "10 min"), (7200, "2 h"), (864000, "10 days")],
)
def test_durations_are_shown_in_words_and_in_seconds(
    file: File, tool: sqlite3.Connection, seconds: float, words: str
) -> None:
    file.submit("job")
    (claim,) = file.claim()
    file.clock.advance(seconds)
    file.settle(claim, ExecutionStatus.COMPLETED)
    assert tool.execute("SELECT duration, duration_seconds FROM job_overview").fetchone() == (words, seconds)
    execution = "SELECT job_name, duration, duration_seconds, status FROM execution_overview"
    assert tool.execute(execution).fetchone() == ("job", words, seconds, "completed")


def test_ages_and_durations_go_on_until_now(file: File, tool: sqlite3.Connection) -> None:
    file.clock.set(SystemClock().now())
    file.submit("job")
    file.claim()
    now = (
        "SELECT age_seconds BETWEEN 0 AND 60, duration_seconds BETWEEN 0 AND 60, duration LIKE '% %s' FROM job_overview"
    )
    assert tool.execute(now).fetchone() == (1, 1, 1)


def test_the_step_overview_shows_what_jobs_have_remembered_the_newest_first(
    file: File, tool: sqlite3.Connection
) -> None:
    file.submit("job")
    (claim,) = file.claim()
    remember(file, claim, "fetch", "fetch", seconds=2.5)
    rows = tool.execute(
        "SELECT job_name, step, occurrence, attempt, duration, duration_seconds, arguments, result FROM step_overview"
    ).fetchall()
    assert rows == [
        ("job", "fetch", 2, 1, "2.5 s", 2.5, '["a.html"]', "null"),
        ("job", "fetch", 1, 1, "2.5 s", 2.5, '["a.html"]', "null"),
    ]
    file.settle(claim, ExecutionStatus.COMPLETED)


def test_the_dependency_overview_shows_what_a_job_is_waiting_for(file: File, tool: sqlite3.Connection) -> None:
    done, other = file.submit("done"), file.submit("other")
    file.complete(done)
    file.submit("child", dependencies=[done, other], on_parent_failure="run")
    columns = "job_name, job_status, parent_name, parent_status, is_waiting, on_parent_failure"
    assert tool.execute(f"SELECT {columns} FROM dependency_overview").fetchall() == [
        ("child", "pending", "other", "pending", 1, "run"),
        ("child", "pending", "done", "completed", 0, "run"),
    ]


def test_the_worker_overview_shows_who_is_alive_and_what_each_holds(file: File, tool: sqlite3.Connection) -> None:
    file.clock.set(SystemClock().now())
    file.submit("job")
    file.claim()
    with file.write() as tx:
        manual.register(tx, "program", SOMEWHERE)
        workers.register(tx, "bob", SOMEWHERE, concurrency=4, queues=["mail"])
        workers.stop(tx, is_graceful=True, worker_id="bob")
    workers_now = "SELECT id, mode, health, running, concurrency, queues, stop FROM worker_overview"
    assert tool.execute(workers_now).fetchall() == [
        ("ann", "thread", "silent", 1, 1, "all", None),  # she registered in January
        ("program", "manual", None, 0, 0, "all", None),
        ("bob", "thread", "stopping", 0, 4, '["mail"]', "graceful"),
    ]
    with file.write() as tx:
        workers.renew(tx, file.worker)
    assert tool.execute("SELECT health, silence LIKE '% %s' FROM worker_overview").fetchone() == ("alive", 1)


def test_the_schedule_overview_shows_the_rules_and_the_next_ticks(file: File, tool: sqlite3.Connection) -> None:
    for name, rule in {"daily": {"cron": "0 3 * * *", "timezone": "Europe/Berlin"}, "hourly": {"every": 3600}}.items():
        file.queue.schedules.add(name, "functions:nothing", queue="mail", **rule)
    file.queue.schedules.add("paused", "functions:nothing", every=60)
    file.queue.schedules.pause("paused")
    tool.execute("UPDATE job_schedules SET next_at = ? WHERE name = 'daily'", ["9999-01-01T00:00:00.000000Z"])
    rows = tool.execute(
        "SELECT name, status, rule, function, queue, next_in LIKE '% days', next_in_seconds > 0 FROM schedule_overview"
    ).fetchall()
    assert rows == [
        ("daily", "active", "0 3 * * * (Europe/Berlin)", "functions:nothing", "mail", 1, 1),
        ("hourly", "active", "every 60 min", "functions:nothing", "mail", 0, 0),
        ("paused", "paused", "every 60.0 s", "functions:nothing", "default", None, None),
    ]
    assert tool.execute("SELECT next_in FROM schedule_overview WHERE name = 'hourly'").fetchone() == ("due",)


def test_the_workflow_overview_counts_the_jobs_of_each_workflow_the_newest_first(
    file: File, tool: sqlite3.Connection
) -> None:
    for name in ("first", "second"):
        workflow = Workflow(name, id=name)
        workflow.chain(*(Job(word, "a:b", max_attempts=1, id=f"{name} {word}") for word in ("a", "b", "c")))
        workflow.submit_all(file.queue)
    file.complete("first a")
    file.fail("first b")
    columns = "id, name, jobs, ended, pending, running, completed, failed, cancelled, timeout"
    assert tool.execute(f"SELECT {columns} FROM workflow_overview").fetchall() == [
        ("second", "second", 3, 0, 3, 0, 0, 0, 0, 0),
        ("first", "first", 3, 3, 0, 0, 1, 1, 1, 0),
    ]
    file.claim()
    assert tool.execute("SELECT running, age LIKE '% days' FROM workflow_overview").fetchone() == (1, 1)


@pytest.mark.unsound("somebody has edited a schedule")
def test_a_schedule_whose_job_cannot_be_read_is_still_shown(file: File, tool: sqlite3.Connection) -> None:
    file.queue.schedules.add("schedule", "functions:nothing", every=60)
    tool.execute("UPDATE job_schedules SET job = '{'")
    assert tool.execute("SELECT name, function FROM schedule_overview").fetchall() == [("schedule", None)]


# what they read

LOOKS = {
    "job_overview": ["", "WHERE id = 'ready 3'"],
    "ready_jobs": ["", "WHERE id = 'ready 3'", "WHERE queue = 'b'"],
    "execution_overview": ["", "WHERE job_id = 'done 3'", "WHERE execution = 3"],
    "step_overview": ["", "WHERE job_id = 'done 3'"],
    "dependency_overview": ["", "WHERE job_id = 'child 3'", "WHERE parent_id = 'ready 3'"],
    "worker_overview": ["", "WHERE id = 'ann'"],
    "schedule_overview": ["", "WHERE name = '3'"],
    "workflow_overview": ["", "WHERE id = 'flow 3'"],
    "action_overview": [""],
}
"""Of each view, what people look for in it; each finds a row."""


def test_every_view_is_looked_at() -> None:
    assert LOOKS.keys() == VIEWS.keys()


@pytest.fixture(scope="module")
def small_and_large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[sqlite3.Connection, ...]]:
    folder = tmp_path_factory.mktemp("views")
    for name, jobs in {"small": 100, "large": 2_000}.items():
        fill(str(folder / f"{name}.db"), jobs=jobs)
    with closing(sqlite3.connect(folder / "small.db")) as small, closing(sqlite3.connect(folder / "large.db")) as large:
        yield small, large


def fill(path: str, *, jobs: int) -> None:
    """As many finished jobs as ready ones and as ones that wait, a few that run, and schedules."""
    with JobQueue(path, clock=(clock := ManualClock()), durability="normal") as queue:
        file = File(queue, clock)
        half = range(jobs // 2)
        queue.submit_many(Job("done", "a:b", id=f"done {number}", priority=1) for number in half)
        for claim in file.claim(jobs):
            remember(file, claim, "first", "second", occurrence=1)
            file.settle(claim, ExecutionStatus.COMPLETED)
        queue.submit_many(Job("ready", "a:b", id=f"ready {number}", queue="ab"[number % 2]) for number in half)
        parents = {number: ["ready 3", f"done {number}"] for number in half}
        queue.submit_many(Job("child", "a:b", id=f"child {n}", dependencies=its) for n, its in parents.items())
        file.claim(3)
        for number in range(5):
            queue.schedules.add(f"{number}", "functions:nothing", every=60)
        with queue.acting_as("ann"):
            for number in range(max(5, jobs // 20)):
                queue.cancel(f"ready {4 + number}")
        for number in range(max(5, jobs // 20)):
            workflow = Workflow("flow", id=f"flow {number}")
            workflow.chain(Job("first", "a:b"), Job("second", "a:b"))
            workflow.submit_all(queue)


@pytest.mark.parametrize(("view", "where"), [(view, where) for view, looks in LOOKS.items() for where in looks])
def test_a_look_at_a_view_reads_no_more_of_a_large_file_than_of_a_small_one(
    small_and_large: tuple[sqlite3.Connection, ...], view: str, where: str
) -> None:
    small, large = (steps(connection, f"SELECT * FROM {view} {where} LIMIT 5") for connection in small_and_large)
    assert large <= small * 1.5


def steps(connection: sqlite3.Connection, sql: str) -> int:
    """How many instructions SQLite runs for a query, which must find something."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    connection.execute(sql).fetchall()  # once before, so that the schema has been read
    connection.set_progress_handler(step, 1)
    rows = connection.execute(sql).fetchall()
    connection.set_progress_handler(None, 1)
    assert rows
    return count


@pytest.mark.parametrize(("view", "where"), [(view, where) for view, looks in LOOKS.items() for where in looks])
def test_no_view_sorts_or_ranks_and_a_row_is_searched_for_by_an_index(
    small_and_large: tuple[sqlite3.Connection, ...], view: str, where: str
) -> None:
    plan = [row[3] for row in small_and_large[0].execute(f"EXPLAIN QUERY PLAN SELECT * FROM {view} {where} LIMIT 5")]
    assert [step for step in plan if "TEMP B-TREE" in step or "MATERIALIZE" in step or "CO-ROUTINE" in step] == []
    tables = "SCAN jobs", "SCAN executions", "SCAN job_dependencies", "SCAN job_steps"
    long = [step for step in plan if step.startswith(tables)]
    of_those_that_run = "SCAN executions USING INDEX executions_open"
    assert not where or [step for step in long if step != of_those_that_run] == []
