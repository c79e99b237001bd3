"""The figures of a queue: all from one instant, and what they count is what has happened."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from store.verbs import SOMEWHERE, File

from gigq import Job
from gigq.clock import to_text
from gigq.status import ExecutionStatus, JobStatus, Phase
from gigq.store import windows, workers

NOTHING = {"p50": None, "p90": None, "p99": None, "max": None}


def run(file: File, seconds: float = 0.0, status: ExecutionStatus = ExecutionStatus.COMPLETED, **report: Any) -> str:
    """Claim the next job, and settle it after this many seconds."""
    (claim,) = file.claim()
    file.clock.advance(seconds)
    file.settle(claim, status, **report)
    return claim.job_id


def window(file: File, name: str) -> dict[str, Any]:
    found: dict[str, Any] = file.queue.metrics()["windows"][name]
    return found


def ends(file: File, name: str) -> dict[str, int]:
    return {
        word: number for word, number in window(file, name).items() if word not in ("waiting", "running") and number
    }


# how much there is


def test_an_empty_queue_is_measured_as_nothing(file: File) -> None:
    found = file.queue.metrics()
    assert found["statuses"] == {status.value: 0 for status in JobStatus}
    assert found["phases"] == {phase.value: 0 for phase in Phase}
    assert (found["queues"], found["priorities"], found["claims"]) == ({}, {}, 0)
    assert window(file, "60m")["waiting"] == window(file, "60m")["running"] == NOTHING
    assert found["at"] == "2026-01-01T00:00:00.000000Z"


@pytest.fixture
def full(file: File) -> File:
    """Some of everything."""
    for status in (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.TIMEOUT):
        file.submit(max_attempts=1)
        run(file, 1, status)
    file.submit(retry_delay=60)
    run(file, 1, ExecutionStatus.FAILED)
    file.queue.cancel(file.submit())
    for _ in range(2):
        file.submit("to be claimed")
    file.claim(1, ahead=1, returned=["functions:nothing"])
    parent = file.submit(priority=5)
    file.submit(dependencies=[parent])
    file.submit(dependencies=[parent], delay=60)
    file.submit(delay=60)
    file.submit(queue="held")
    file.queue.pause("held")
    return file


def test_each_phase_is_counted_as_the_lists_count_it(full: File) -> None:
    found = full.queue.metrics()["phases"]
    assert found == {phase.value: full.queue.count(phase=phase) for phase in Phase}
    assert set(found.values()) == {1, 2}  # two wait


def test_each_status_is_counted_as_the_statistics_count_it(full: File) -> None:
    stats = full.queue.stats()
    del stats["total"]
    assert full.queue.metrics()["statuses"] == stats


def test_a_pause_of_all_makes_every_ready_job_a_paused_one(full: File) -> None:
    full.queue.pause()
    found = full.queue.metrics()["phases"]
    assert (found["ready"], found["paused"]) == (0, 2)


def test_a_job_that_has_become_due_counts_as_ready_before_a_worker_has_looked(full: File) -> None:
    full.clock.advance(60)
    found = full.queue.metrics()["phases"]
    assert found == {phase.value: full.queue.count(phase=phase) for phase in Phase}
    assert (found["scheduled"], found["retrying"]) == (0, 0)


def test_each_queue_has_its_numbers_and_the_age_of_its_oldest_ready_job(file: File) -> None:
    file.submit(queue="a")
    file.clock.advance(5)
    file.submit(queue="a")
    file.submit(queue="a", delay=60)
    file.submit(queue="b")
    file.claim(queues=["b"])
    file.queue.pause("c")
    file.clock.advance(5)
    none = {"ready": 0, "scheduled": 0, "running": 0, "is_paused": False, "oldest_ready_age": None}
    assert file.queue.metrics()["queues"] == {
        "a": none | {"ready": 2, "scheduled": 1, "oldest_ready_age": 10.0},
        "b": none | {"running": 1},
        "c": none | {"is_paused": True},
    }


def test_ready_jobs_are_counted_by_priority(file: File) -> None:
    for priority in (0, 0, 100, -5):
        file.submit(priority=priority)
    assert list(file.queue.metrics()["priorities"].items()) == [("100", 1), ("0", 2), ("-5", 1)]


def test_all_of_it_is_json(full: File) -> None:
    found = full.queue.metrics()
    assert json.loads(json.dumps(found)) == found


# how fast it goes


def test_each_end_of_an_execution_is_counted(file: File) -> None:
    wanted = [status for status in ExecutionStatus if status is not ExecutionStatus.RUNNING]
    for status in wanted:
        file.submit(max_attempts=1)
        run(file, 0, status)
        if status is ExecutionStatus.RELEASED:
            run(file, 0, ExecutionStatus.RELEASED)
    assert ends(file, "1m") == {status.value: 1 for status in wanted} | {"released": 2}


def test_second_attempts_are_retries(file: File) -> None:
    file.submit()
    for status in (ExecutionStatus.FAILED, ExecutionStatus.LOST, ExecutionStatus.COMPLETED):
        run(file, 0, status)
    assert ends(file, "1m") == {"failed": 1, "lost": 1, "completed": 1, "retried": 2}


def test_each_window_counts_what_ended_in_it(file: File) -> None:
    for wait in (3400, 100, 60):
        file.submit()
        run(file)
        file.clock.advance(wait)
    assert [ends(file, name) for name in ("1m", "5m", "60m")] == [{"completed": number} for number in (1, 2, 3)]
    file.clock.advance(3600)
    assert ends(file, "60m") == {}


def test_the_percentiles_are_times_that_occurred(file: File) -> None:
    for seconds in range(1, 11):
        file.submit(delay=seconds)
        file.clock.advance(seconds)
        run(file, seconds * 2)
    found = window(file, "5m")
    assert found["waiting"] == {"p50": 5.0, "p90": 9.0, "p99": 10.0, "max": 10.0}
    assert found["running"] == {"p50": 10.0, "p90": 18.0, "p99": 20.0, "max": 20.0}


def test_a_job_has_waited_once_however_often_it_runs(file: File) -> None:
    file.submit(retry_delay=30)
    file.clock.advance(2)
    run(file, 1, ExecutionStatus.FAILED)
    file.clock.advance(30)
    run(file, 1)
    assert window(file, "5m")["waiting"] == {"p50": 2.0, "p90": 2.0, "p99": 2.0, "max": 2.0}


def test_a_job_that_is_given_back_before_it_began_still_waits(file: File) -> None:
    file.submit("first")
    file.submit("second")
    first, second = file.claim(1, ahead=1, returned=["functions:nothing"])
    file.settle(first, ExecutionStatus.COMPLETED)
    file.settle(second, ExecutionStatus.RELEASED)
    file.clock.advance(9)
    run(file)
    assert window(file, "1m")["waiting"]["max"] == 9.0


def test_a_running_job_counts_as_having_waited(file: File) -> None:
    file.submit()
    file.clock.advance(4)
    file.claim()
    assert (window(file, "1m")["waiting"]["max"], window(file, "1m")["running"]) == (4.0, NOTHING)


def test_the_end_of_a_lost_execution_is_not_a_duration(file: File) -> None:
    file.submit()
    run(file, 50, ExecutionStatus.LOST)
    assert window(file, "1m")["running"] == NOTHING


def test_a_clock_that_is_set_back_makes_no_duration_negative(file: File) -> None:
    file.submit()
    (claim,) = file.claim()
    file.clock.set(file.clock.now() - timedelta(hours=1))
    file.settle(claim, ExecutionStatus.COMPLETED)
    assert window(file, "60m")["running"]["max"] == 0.0


def test_deleted_executions_are_not_counted_but_their_claims_are(file: File) -> None:
    file.submit()
    run(file)
    file.clock.advance(1)
    file.queue.clear_completed()
    assert (ends(file, "60m"), file.queue.metrics()["claims"]) == ({}, 1)


# a long history


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a thousand executions a long history."""
    monkeypatch.setattr(windows, "_STEP", 100)
    monkeypatch.setattr(windows, "_SAMPLE", 100)


def history(file: File, number: int, *, ended: timedelta, every: timedelta = timedelta()) -> None:
    """Executions of one second each, at regular intervals, the last of which ended this long ago."""
    file.queue.submit_many(Job("job", "functions:nothing", max_attempts=1) for _ in range(number))
    with file.write() as tx:
        first = tx.value("SELECT max(seq) FROM jobs") - number
        ends = [file.clock.now() - ended - every * (number - each) for each in range(1, number + 1)]
        rows = [
            (first + each, to_text(end - timedelta(seconds=1)), to_text(end)) for each, end in enumerate(ends, start=1)
        ]
        tx.executemany(
            """
            INSERT INTO executions (job_seq, attempt, worker_id, worker_seq, status, started_at, completed_at)
            VALUES (?, 1, 'old', 0, 'completed', ?, ?)
            """,
            rows,
        )
        tx.executemany(
            """
            UPDATE jobs
               SET status = 'completed', attempts = 1, result = 'null', started_at = ?2, completed_at = ?3
             WHERE seq = ?1
            """,
            rows,
        )


def reads(file: File) -> int:
    """How many times ten instructions SQLite runs for the windows."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    with file.queue.database.read() as tx:
        tx.connection.set_progress_handler(count, 10)
        windows.windows(tx)
        tx.connection.set_progress_handler(None, 10)
    return steps


@pytest.mark.usefixtures("short")
def test_the_history_before_the_window_is_not_read(file: File) -> None:
    history(file, 1000, ended=timedelta(days=1))
    file.submit()
    run(file)
    before = reads(file)
    history(file, 1000, ended=timedelta(days=1))
    file.submit()
    run(file)
    assert reads(file) < before * 1.2


@pytest.mark.usefixtures("short")
def test_a_long_job_is_counted_however_many_were_claimed_after_it(file: File) -> None:
    file.submit()
    (long,) = file.claim()
    history(file, 101, ended=timedelta(hours=2))
    file.clock.advance(4 * 3600)
    file.settle(long, ExecutionStatus.COMPLETED)
    assert ends(file, "60m") == {"completed": 1}
    assert window(file, "1m")["running"]["max"] == 4 * 3600


@pytest.mark.usefixtures("short")
def test_percentiles_of_many_executions_come_from_an_even_sample(file: File) -> None:
    history(file, 250, ended=timedelta(), every=timedelta(seconds=10))
    found = window(file, "60m")
    assert (found["completed"], found["running"]) == (250, {"p50": 1.0, "p90": 1.0, "p99": 1.0, "max": 1.0})
    with file.queue.database.read() as tx:
        sought, _ = windows._walk(tx, to_text(file.clock.now() - timedelta(hours=1)))
        assert 80 < len(windows._sampled_ends(tx, sought)) <= 100


# workers


def test_workers_are_idle_busy_or_lost_and_manual_ones_do_not_count(file: File) -> None:
    with file.write() as tx:
        workers.register(tx, "bob", SOMEWHERE, concurrency=4)
        workers.register(tx, "hand", SOMEWHERE, concurrency=0, mode="manual")
    file.submit()
    file.claim()
    assert file.queue.metrics()["workers"] == {"total": 2, "idle": 1, "busy": 1, "lost": 0, "slots": 5}
    file.clock.advance(16)
    with file.write() as tx:
        workers.renew(tx, file.worker)
    assert file.queue.metrics()["workers"] == {"total": 2, "idle": 0, "busy": 1, "lost": 1, "slots": 1}
