"""Schedules: each tick submits one job, whichever worker sees it and whatever happened meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import functions
import pytest

from gigq import InvalidJob, JobQueue, ManualClock, Worker
from gigq.store import schedules as stored

START = datetime(2026, 3, 1, 11, 59, 30, tzinfo=UTC)
MINUTES = "* * * * *"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def queue(open_queue: Callable[..., JobQueue], clock: ManualClock) -> JobQueue:
    return open_queue(clock=clock)


@pytest.fixture
def worker(path: str, clock: ManualClock) -> Iterator[Worker]:
    with Worker(path, clock=clock) as worker:
        yield worker


def test_the_jobs_of_a_schedule_have_one_tag_and_wait_for_hours_before_a_retry(
    queue: JobQueue, worker: Worker, clock: ManualClock
) -> None:
    queue.schedules.add("s", functions.fail, cron=MINUTES, tags="mail", retry_on=ValueError, retry_delay=21_600)
    job_id = queue.schedules.run("s")
    worker.process_one()
    job = queue.get_job(job_id)
    assert job
    assert (job.tags, job.run_at) == (("mail",), clock.now() + timedelta(hours=6))


def ticks(queue: JobQueue) -> list[str]:
    """The ticks that have submitted a job, the earliest first."""
    return [job["metadata"]["tick"][11:19] for job in reversed(queue.list_jobs())]


def drain(worker: Worker) -> None:
    while worker.process_one():
        pass


def test_a_schedule_submits_a_job_at_each_tick(queue: JobQueue, clock: ManualClock, worker: Worker) -> None:
    queue.schedules.add("report", functions.add, cron=MINUTES, params={"a": 3}, tags=["nightly"])
    drain(worker)
    assert ticks(queue) == []
    for _ in range(4):
        clock.advance(45)
        drain(worker)
    assert ticks(queue) == ["12:00:00", "12:01:00", "12:02:00"]
    (job, *_) = queue.list_jobs("completed")
    assert (job["name"], job["result"], job["tags"], job["metadata"]["schedule"]) == (
        "report",
        3,
        ["nightly"],
        "report",
    )


def test_an_interval_ticks_from_when_it_was_added(queue: JobQueue, clock: ManualClock, worker: Worker) -> None:
    queue.schedules.add("beat", functions.nothing, every=timedelta(seconds=40))
    for _ in range(4):
        clock.advance(20)
        drain(worker)
    assert ticks(queue) == ["12:00:10", "12:00:50"]


def test_two_workers_submit_one_job_for_each_tick(
    queue: JobQueue, clock: ManualClock, worker: Worker, path: str
) -> None:
    queue.schedules.add("report", functions.nothing, cron=MINUTES)
    clock.advance(30)
    with Worker(path, clock=clock) as other:
        worker.process_one()
        other.process_one()
    assert ticks(queue) == ["12:00:00"]


@pytest.mark.parametrize(
    ("missed", "submitted"),
    [("once", ["12:30:00"]), ("skip", ["12:30:00"]), ("all", [f"12:{minute:02}:00" for minute in range(31)])],
)
def test_missed_ticks_are_made_up_for_as_configured(
    queue: JobQueue, clock: ManualClock, worker: Worker, missed: str, submitted: list[str]
) -> None:
    queue.schedules.add("report", functions.nothing, cron=MINUTES, missed=missed)
    clock.advance(30 + 1800)
    drain(worker)
    assert ticks(queue) == submitted


@pytest.mark.parametrize(("missed", "number"), [("once", 1), ("skip", 0), ("all", 2)])
def test_a_tick_more_than_a_minute_ago_was_missed(
    queue: JobQueue, clock: ManualClock, worker: Worker, missed: str, number: int
) -> None:
    queue.schedules.add("report", functions.nothing, cron="0 * * * *", missed=missed)
    clock.advance(30 + 3600 + 61)
    drain(worker)
    assert len(ticks(queue)) == number
    assert [each.next_at for each in queue.schedules] == [datetime(2026, 3, 1, 14, tzinfo=UTC)]


def test_at_most_a_hundred_missed_ticks_are_made_up_for(queue: JobQueue, clock: ManualClock, worker: Worker) -> None:
    queue.schedules.add("report", functions.nothing, cron=MINUTES, missed="all")
    clock.advance(7 * 86_400)
    drain(worker)
    assert (len(ticks(queue)), ticks(queue)[-1]) == (stored.MOST_MADE_UP, "11:59:00")


def test_without_overlap_no_tick_submits_while_the_last_job_is_unfinished(
    queue: JobQueue, clock: ManualClock, worker: Worker
) -> None:
    queue.schedules.add("report", functions.nothing, cron=MINUTES, overlap=False, missed="all", queue="elsewhere")
    queue.pause("elsewhere")
    for _ in range(3):
        clock.advance(60)
        drain(worker)
    assert ticks(queue) == ["12:00:00"]
    queue.resume()
    queue.resume("elsewhere")
    drain(worker)
    clock.advance(60)
    drain(worker)
    assert ticks(queue) == ["12:00:00", "12:03:00"]


def test_the_cron_line_is_read_in_its_time_zone(queue: JobQueue) -> None:
    berlin = queue.schedules.add("a", functions.nothing, cron="0 9 * * *", timezone="Europe/Berlin")
    utc = queue.schedules.add("b", functions.nothing, cron="0 9 * * *")
    assert berlin.next_at == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert utc.next_at == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_no_tick_is_repeated_when_the_clock_goes_back(queue: JobQueue, clock: ManualClock, worker: Worker) -> None:
    queue.schedules.add("report", functions.nothing, cron=MINUTES)
    clock.advance(30)
    drain(worker)
    clock.set(START - timedelta(minutes=5))
    for _ in range(7):
        drain(worker)
        clock.advance(60)
    drain(worker)
    assert ticks(queue) == ["12:00:00", "12:01:00"]


# pause, resume, run, remove


def test_a_paused_schedule_submits_nothing_and_makes_up_for_nothing(
    queue: JobQueue, clock: ManualClock, worker: Worker
) -> None:
    queue.schedules.add("report", functions.nothing, cron=MINUTES, missed="all")
    assert queue.schedules.pause("report")
    clock.advance(600)
    drain(worker)
    assert queue.schedules.resume("report")
    drain(worker)
    assert ticks(queue) == []
    clock.advance(60)
    drain(worker)
    assert ticks(queue) == ["12:10:00"]


def test_resuming_a_schedule_that_is_not_paused_changes_nothing(
    queue: JobQueue, clock: ManualClock, worker: Worker
) -> None:
    before = queue.schedules.add("report", functions.nothing, every=60)
    clock.advance(90)
    assert queue.schedules.resume("report")
    assert queue.schedules.get("report") == before
    drain(worker)
    assert ticks(queue) == ["12:00:30"], "the tick that had come is not lost"


def test_a_paused_schedule_can_be_run_now(queue: JobQueue) -> None:
    before = queue.schedules.add("report", functions.nothing, cron=MINUTES)
    queue.schedules.pause("report")
    job_id = queue.schedules.run("report")
    assert [job["id"] for job in queue.list_jobs()] == [job_id]
    after = queue.schedules.get("report")
    assert after is not None
    assert (after.last_job, after.last_at, after.next_at) == (job_id, START, before.next_at)


def test_removing_a_schedule_leaves_its_jobs(queue: JobQueue) -> None:
    queue.schedules.add("report", functions.nothing, cron=MINUTES)
    queue.schedules.run("report")
    assert queue.schedules.remove("report")
    assert (list(queue.schedules), queue.stats()["total"]) == ([], 1)


def test_the_next_ticks_of_a_paused_schedule_can_be_previewed(queue: JobQueue) -> None:
    queue.schedules.add("report", functions.nothing, cron="0 0 * * mon")
    queue.schedules.pause("report")
    assert [each.day for each in queue.schedules.preview("report", 3)] == [2, 9, 16]
    queue.schedules.add("beat", functions.nothing, every=90)
    assert queue.schedules.preview("beat", 2) == [START + timedelta(seconds=90), START + timedelta(seconds=180)]


def test_adding_a_schedule_again_changes_it_and_keeps_its_next_tick_if_the_rule_is_the_same(
    queue: JobQueue, clock: ManualClock
) -> None:
    first = queue.schedules.add("report", functions.nothing, cron="0 * * * *")
    clock.advance(7200)
    again = queue.schedules.add("report", functions.add, cron="0 * * * *", params={"a": 1}, overlap=False)
    assert (again.next_at, again.function, again.overlap) == (first.next_at, "functions:add", False)
    other = queue.schedules.add("report", functions.nothing, cron="30 * * * *")
    assert other.next_at == datetime(2026, 3, 1, 14, 30, tzinfo=UTC)
    assert [each.name for each in queue.schedules] == ["report"]


def test_a_paused_schedule_that_is_added_again_stays_paused(queue: JobQueue) -> None:
    queue.schedules.add("report", functions.nothing, cron=MINUTES)
    queue.schedules.pause("report")
    assert queue.schedules.add("report", functions.nothing, cron=MINUTES).is_paused


def test_a_task_keeps_its_options(queue: JobQueue, clock: ManualClock, worker: Worker) -> None:
    queue.schedules.add("hello", functions.greet, every=60, params={"name": "you"}, priority="high")
    job_id = queue.schedules.run("hello")
    job = queue.get_status(job_id)
    assert (job["max_attempts"], job["tags"], job["priority"], job["params"]) == (5, ["hello"], 100, {"name": "you"})
    assert job["name"] == "hello"


@pytest.mark.parametrize("act", ["remove", "pause", "resume"])
def test_a_schedule_that_does_not_exist_cannot_be_changed(queue: JobQueue, act: str) -> None:
    assert getattr(queue.schedules, act)("nothing") is False
    assert queue.schedules.get("nothing") is None


@pytest.mark.parametrize("act", ["run", "preview"])
def test_a_schedule_that_does_not_exist_cannot_be_run(queue: JobQueue, act: str) -> None:
    with pytest.raises(ValueError, match="no schedule has the name 'nothing'"):
        getattr(queue.schedules, act)("nothing")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "give one of the two"),
        ({"cron": MINUTES, "every": 5}, "give one of the two"),
        ({"cron": "61 * * * *"}, "minute"),
        ({"every": 0.5}, "1 second"),
        ({"every": "5"}, "every is '5', without a unit"),
        ({"cron": MINUTES, "timezone": "Mars/Base"}, "timezone is 'Mars/Base'; it must be"),
        ({"cron": MINUTES, "missed": "never"}, "missed is 'never'"),
        ({"cron": MINUTES, "run_at": START}, "the same run_at"),
        ({"cron": MINUTES, "id": "x"}, "the same id"),
    ],
)
def test_an_invalid_schedule_is_refused_with_the_reason(queue: JobQueue, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        queue.schedules.add("report", functions.nothing, **given)
    assert list(queue.schedules) == []


def test_a_job_that_could_not_be_submitted_cannot_be_scheduled(queue: JobQueue) -> None:
    with pytest.raises(InvalidJob, match="missing a required argument"):
        queue.schedules.add("report", functions.add, cron=MINUTES)
    with pytest.raises(InvalidJob):
        queue.schedules.add("", functions.nothing, cron=MINUTES)


def test_a_schedule_whose_row_was_spoilt_is_paused_and_the_others_go_on(
    queue: JobQueue, clock: ManualClock, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("bad cron", "bad job", "good"):
        queue.schedules.add(name, functions.nothing, cron=MINUTES)
    with queue.database.write() as tx:
        tx.execute("UPDATE job_schedules SET cron = 'often' WHERE name = 'bad cron'")
        tx.execute("""UPDATE job_schedules SET job = '{"function": "f", "queue": "q"}' WHERE name = 'bad job'""")
    clock.advance(30)
    drain(worker)
    assert {each.name: each.is_paused for each in queue.schedules} == {"bad cron": True, "bad job": True, "good": False}
    assert [job["name"] for job in queue.list_jobs()] == ["good"]
    assert "schedule 'bad cron' cannot be read here" in caplog.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_attempts", 0),
        ("timeout", "soon"),
        ("priority", [1]),
        ("priority", 10**30),
        ("queue", None),
        ("tags", None),
        ("tags", [[1]]),
        ("tags", ["nightly", "\ud800"]),
        ("metadata", "[" * 100_000),
    ],
)
def test_a_schedule_whose_job_the_file_refuses_submits_nothing_and_stops_no_worker(
    queue: JobQueue, clock: ManualClock, worker: Worker, field: str, value: object
) -> None:
    for name in ("bad", "good"):
        queue.schedules.add(name, functions.nothing, cron=MINUTES)
    with queue.database.write() as tx:
        job = json.loads(tx.value("SELECT job FROM job_schedules WHERE name = 'bad'"))
        tx.execute("UPDATE job_schedules SET job = ? WHERE name = 'bad'", (json.dumps(job | {field: value}),))
    clock.advance(30)
    drain(worker)
    assert [job["name"] for job in queue.list_jobs("completed")] == ["good"]
    assert queue.stats()["total"] == 1
    assert [each.name for each in queue.schedules if each.is_paused] == ["bad"]


def test_a_schedule_whose_zone_is_unknown_here_is_left_to_another_machine(
    queue: JobQueue, clock: ManualClock, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    before = queue.schedules.add("elsewhere", functions.nothing, cron=MINUTES)
    with queue.database.write() as tx:
        tx.execute("UPDATE job_schedules SET timezone = 'Mars/Base'")
    clock.advance(30)
    drain(worker)
    drain(worker)
    after = queue.schedules.get("elsewhere")
    assert after is not None
    assert (after.is_paused, after.next_at) == (False, before.next_at)
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


def test_an_idle_worker_wakes_for_the_next_tick(path: str) -> None:
    with (
        JobQueue(path) as queue,
        Worker(path, polling_interval=3600, handlers={"stop": lambda: worker.stop()}) as worker,
    ):
        queue.schedules.add("soon", "stop", every=1)
        worker.start()
        assert queue.stats()["completed"] == 1
