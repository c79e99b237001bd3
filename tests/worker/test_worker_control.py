"""A running worker is controlled through the file: jobs are cancelled, slots added and removed, the worker stopped."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import functions
import pytest
from running import Pipes, Running

from gigq import Job, JobCancelled, JobQueue, JobStatus, Worker
from gigq.process import this_process
from gigq.runtime.threads import MAX_ABANDONED
from gigq.store import claiming, workers
from gigq.store.claiming import Room

# cancel


def test_a_running_job_is_cancelled_at_once_and_its_function_is_interrupted(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes
) -> None:
    interrupted = threading.Event()

    def until_cancelled() -> None:
        try:
            functions.spin(pipes.tell)
        except JobCancelled:
            interrupted.set()
            raise

    job_id = queue.submit(Job("endless", "endless"))
    child = queue.submit(Job("child", functions.nothing, dependencies=[job_id]))
    grandchild = queue.submit(Job("grandchild", functions.nothing, dependencies=[child]))
    run(handlers={"endless": until_cancelled}, concurrency=1)
    pipes.wait_until_begun()
    assert queue.cancel(job_id, running=True)
    assert [queue.get_status(each)["status"] for each in (job_id, child, grandchild)] == ["cancelled"] * 3
    assert interrupted.wait(30)
    assert queue.result(queue.submit(Job("next", functions.add, {"a": 1})), timeout=30) == 1
    assert [each["status"] for each in queue.get_status(job_id)["executions"]] == ["cancelled"]


def test_a_cancelled_job_that_returns_anyway_stays_cancelled(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes
) -> None:
    job_id = queue.submit(Job("stubborn", functions.hold, {"tell": pipes.tell, "until": pipes.until}))
    run(concurrency=1)
    pipes.wait_until_begun()
    assert queue.cancel(job_id, running=True)
    pipes.let_end()
    assert queue.result(queue.submit(Job("next", functions.add, {"a": 1})), timeout=30) == 1
    assert queue.get_status(job_id)["status"] == "cancelled"


# scale


def test_a_running_worker_can_have_more_slots(queue: JobQueue, run: Callable[..., Running], pipes: Pipes) -> None:
    ids = queue.submit_many(Job("slow", functions.hold, {"tell": pipes.tell, "until": pipes.until}) for _ in range(3))
    run(concurrency=1)
    pipes.wait_until_begun()
    assert queue.scale(3) == 1
    pipes.wait_until_begun()
    pipes.wait_until_begun()
    assert [worker.concurrency for worker in queue.workers()] == [3]
    for _ in ids:
        pipes.let_end()
    queue.wait(ids, timeout=30)


def test_a_worker_with_fewer_slots_lets_running_jobs_end_and_then_runs_fewer_at_once(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes
) -> None:
    """Jobs that it claims ahead, once they are quick, may not run in a thread that it should no longer have either."""
    lock, now, most = threading.Lock(), [0], [0]

    def counted() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        sum(range(20_000))
        with lock:
            now[0] -= 1

    slow = queue.submit_many(Job("slow", functions.hold, {"tell": pipes.tell, "until": pipes.until}) for _ in range(4))
    worker = run(concurrency=4, handlers={"counted": counted}, polling_interval=0.05)
    for _ in slow:
        pipes.wait_until_begun()
    queue.scale(1)
    deadline = queue.clock.monotonic() + 30
    while [each.concurrency for each in queue.workers()] != [1]:
        assert queue.clock.monotonic() < deadline
        worker.thread.join(0.01)
    for _ in slow:
        pipes.let_end()
    queue.wait(slow, timeout=30)
    queue.wait(queue.submit_many(Job("quick", "counted") for _ in range(400)), timeout=60)
    assert most == [1]


# stop


def test_all_workers_stop_when_they_are_asked_to_through_the_queue(
    queue: JobQueue, run: Callable[..., Running]
) -> None:
    started = [run(), run()]
    queue.wait(queue.submit(Job("job", functions.nothing)), timeout=30)
    deadline = queue.clock.monotonic() + 30
    while len(queue.workers()) < 2:
        assert queue.clock.monotonic() < deadline
    assert queue.stop_workers() == 2
    for each in started:
        each.thread.join(30)
        assert (each.thread.is_alive(), each.error) == (False, None)
    assert queue.workers() == []


def test_a_worker_that_is_asked_to_stop_lets_running_jobs_end(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes
) -> None:
    job_id = queue.submit(Job("slow", functions.hold, {"tell": pipes.tell, "until": pipes.until}))
    running = run()
    pipes.wait_until_begun()
    queue.stop_workers()
    pipes.let_end()
    running.thread.join(30)
    assert not running.thread.is_alive()
    assert queue.get_status(job_id)["status"] == "completed"


def test_a_worker_that_is_asked_to_stop_now_gives_running_jobs_back(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes
) -> None:
    job_id = queue.submit(Job("endless", functions.spin, {"tell": pipes.tell}))
    running = run(shutdown_timeout=600)
    pipes.wait_until_begun()
    assert queue.stop_workers(graceful=False) == 1
    running.thread.join(30)
    assert not running.thread.is_alive()
    record = queue.get_job(job_id)
    assert record is not None
    assert (record.phase, record.attempts, record.executions[0].status) == ("ready", 0, "released")


# burst


def test_a_burst_returns_when_nothing_is_left(queue: JobQueue, run: Callable[..., Running]) -> None:
    ids = queue.submit_many(Job(str(number), functions.nothing) for number in range(200))
    running = run(burst=True, concurrency=2)
    running.thread.join(60)
    assert not running.thread.is_alive()
    assert {queue.get_status(each)["status"] for each in ids} == {"completed"}


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_a_burst_with_free_slots_runs_what_the_end_of_a_job_makes_ready(
    path: str, queue: JobQueue, mode: Literal["thread", "process"]
) -> None:
    parent = queue.submit(Job("parent", functions.nothing))
    child = queue.submit(Job("child", functions.collect, dependencies=[parent]))
    with Worker(path, mode=mode, concurrency=2, burst=True) as worker:
        worker.start()
    assert queue.get_result(child) == [None]


def test_a_burst_of_an_empty_queue_returns(queue: JobQueue, run: Callable[..., Running]) -> None:
    running = run(burst=True)
    running.thread.join(30)
    assert not running.thread.is_alive()


def test_a_burst_waits_for_what_is_due_within_seconds_and_not_for_what_is_due_later(
    queue: JobQueue, run: Callable[..., Running]
) -> None:
    retried = queue.submit(Job("retried", functions.fail, max_attempts=2, retry_delay=0.5))
    tomorrow = queue.submit(Job("tomorrow", functions.nothing, delay=86_400))
    running = run(burst=True)
    running.thread.join(60)
    assert not running.thread.is_alive()
    assert queue.get_status(retried)["attempts"] == 2
    assert queue.get_status(tomorrow)["phase"] == "scheduled"


# what may be imported


@pytest.mark.parametrize("allow", [["functions"], ["functions."], ["json", "functions"]])
def test_a_function_of_an_allowed_module_runs(path: str, queue: JobQueue, allow: list[str]) -> None:
    job_id = queue.submit(Job("job", functions.add, {"a": 1}))
    with Worker(path, allow=allow) as worker:
        worker.process_one()
    assert queue.get_result(job_id) == 1


@pytest.mark.parametrize(
    ("function", "allow"),
    [
        ("functions:nothing", []),
        ("functions:nothing", ["function"]),
        ("functions:nothing", ["func."]),
        ("os:getcwd", ["functions"]),
        ("functions:os.getcwd", ["functions"]),
        ("xml.sax:parseString", ["xml"]),
    ],
)
def test_a_function_of_any_other_module_is_left_to_other_workers_and_says_what_to_do(
    path: str, queue: JobQueue, function: str, allow: list[str]
) -> None:
    job_id = queue.submit(Job("job", function, max_attempts=1))
    with Worker(path, "ann", allow=allow) as worker:
        assert not worker.process_one()
    record = queue.get_job(job_id)
    assert record is not None
    assert (record.status, record.attempts, record.error) == (JobStatus.PENDING, 0, None)
    assert record.executions[-1].error == (
        f"worker ann cannot find {function!r}: the worker may not import it; "
        "allow its module with allow=[…], or give the worker a handler"
    )


def test_one_text_allows_one_module(path: str, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", functions.add, {"a": 1}))
    with Worker(path, allow="functions") as worker:
        worker.process_one()
    assert queue.result(job_id) == 1


def test_a_handler_is_always_allowed(path: str, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "mine"))
    with Worker(path, allow=[], handlers={"mine": lambda: 7}) as worker:
        worker.process_one()
    assert queue.get_result(job_id) == 7


# time


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs, so workers look instead")
def test_an_idle_worker_is_woken_by_a_job_long_before_it_would_look(
    queue: JobQueue, run: Callable[..., Running]
) -> None:
    run(polling_interval=600, lease=600)
    queue.wait(queue.submit(Job("first", functions.nothing)), timeout=30)
    waits = []
    for _ in range(20):
        before = queue.clock.monotonic()
        queue.wait(queue.submit(Job("job", functions.nothing)), timeout=30)
        waits.append(queue.clock.monotonic() - before)
    assert sorted(waits)[10] < 0.5, f"the next heartbeat comes after a second: {waits}"


def test_an_idle_worker_starts_a_delayed_job_at_its_time(queue: JobQueue, run: Callable[..., Running]) -> None:
    run(polling_interval=600)
    records = []
    for _ in range(3):
        job_id = queue.submit(Job("later", functions.nothing, delay=0.25))
        due = queue.wait(job_id, timeout=30)
        assert due.started_at is not None
        records.append((due.started_at - due.created_at).total_seconds())
    assert min(records) >= 0.25
    assert min(records) < 0.6, f"the next heartbeat comes after a second: {records}"


# stuck


def test_a_worker_whose_threads_do_not_return_says_so_and_claims_no_more_until_they_do(
    queue: JobQueue, run: Callable[..., Running], caplog: pytest.LogCaptureFixture
) -> None:
    there, here = os.pipe()

    def stay() -> None:
        os.read(there, 1)  # in C code, where no exception reaches it

    stubborn = [Job("stay", "stay", timeout=0.05, max_attempts=1) for _ in range(MAX_ABANDONED)]
    good = Job("good", functions.nothing, priority=-1)
    queue.submit_many([*stubborn, good])
    running = run(worker_id="ann", handlers={"stay": stay})
    queue.wait([job.id for job in stubborn], timeout=30)
    end = time.monotonic() + 30
    while not (trouble := queue.workers()[0].trouble) and time.monotonic() < end:
        time.sleep(0.01)
    assert trouble == "too many threads have not returned from jobs that were stopped"
    assert queue.why(good.id) == [
        "No worker that serves queue 'default' can start a job.", f"Worker ann can start none: {trouble}."
    ]  # fmt: skip
    os.close(here)
    queue.wait(good.id, timeout=30)
    running.stop()
    os.close(there)
    assert [record.message for record in caplog.records if record.filename == "trouble.py"] == [
        f"{trouble}; until that changes, no jobs are claimed here", "jobs are claimed here again"
    ]  # fmt: skip


def test_the_jobs_of_a_dead_process_can_be_requeued_without_a_worker(queue: JobQueue) -> None:
    job_id = queue.submit(Job("orphan", functions.nothing))
    child = os.fork() if hasattr(os, "fork") else pytest.skip("this system has no fork")
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    with queue.database.write() as tx:
        key = workers.register(tx, "gone", this_process()._replace(pid=child), concurrency=1)
        claiming.claim(tx, key, room=Room(free=1))
    assert queue.requeue_stuck() == 1
    assert queue.get_status(job_id)["executions"][0]["status"] == "lost"
    assert queue.workers() == []


def test_the_jobs_of_a_living_worker_are_requeued_only_if_a_person_says_how_old_is_too_old(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes
) -> None:
    job_id = queue.submit(Job("endless", functions.spin, {"tell": pipes.tell}, max_attempts=1))
    run(shutdown_timeout=0)
    pipes.wait_until_begun()
    assert queue.requeue_stuck() == 0
    for too_old in (600, "10m", "2026-01-01", datetime.now() - timedelta(minutes=10)):
        assert queue.requeue_stuck(older_than=too_old) == 0
    assert queue.requeue_stuck(older_than=datetime.now() + timedelta(minutes=1)) == 1
    assert queue.get_status(job_id)["status"] == "failed"
    assert queue.result(queue.submit(Job("next", functions.add, {"a": 1})), timeout=30) == 1


# claimed ahead


def test_jobs_that_wait_for_a_slot_that_stays_busy_are_given_to_another_worker(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes
) -> None:
    quick = [Job("quick", functions.nothing) for _ in range(300)]
    long = Job("long", functions.hold, {"tell": pipes.tell, "until": pipes.until})
    after = [Job("after", functions.nothing) for _ in range(300)]
    queue.submit_many([*quick, long, *after])
    run(worker_id="first", concurrency=1, shutdown_timeout=5)
    pipes.wait_until_begun()
    run(worker_id="second", concurrency=1)
    records = queue.wait([job.id for job in (*quick, *after)], timeout=60)
    assert {record.attempts for record in records} == {1}
    assert queue.get_status(long.id)["status"] == "running"
    pipes.let_end()
    assert queue.wait(long.id, timeout=30).worker_id == "first"


@pytest.mark.parametrize("concurrency", [1, 4])
def test_each_of_two_thousand_jobs_runs_once(
    queue: JobQueue, run: Callable[..., Running], tmp_path: Path, concurrency: int
) -> None:
    trace = tmp_path / "trace"
    ids = queue.submit_many(
        Job("append", functions.append, {"path": str(trace), "line": str(number)}) for number in range(2000)
    )
    run(concurrency=concurrency)
    records = queue.wait(ids, timeout=120)
    assert Counter(trace.read_text().split()) == Counter(str(number) for number in range(2000))
    assert {(record.attempts, record.status) for record in records} == {(1, "completed")}
    # On a busy machine jobs that were claimed ahead may be given back before they begin.
    executions = [each.status for record in records for each in record.executions if each.status != "released"]
    assert executions == ["completed"] * 2000
    assert all(each.started_at is not None for record in records for each in record.executions)


def test_one_call_of_process_one_runs_one_job(path: str, queue: JobQueue) -> None:
    """However quick the jobs before it were."""
    queue.submit_many(Job("job", functions.nothing) for _ in range(10))
    with Worker(path) as worker:
        for number in range(1, 6):
            assert worker.process_one()
            assert queue.stats()["completed"] == number
            assert queue.stats()["running"] == 0
