"""Each operation of researcharr's job service, by the interface that docs/coming-from/researcharr.md gives it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import functions
import pytest
from coming_from.asking import gigq, names, record, slots, status, taken
from running import Pipes, Running

from gigq import (
    Event,
    Job,
    JobFailed,
    JobNotFinished,
    JobQueue,
    ManualClock,
    NotAQueue,
    NotImportable,
    Worker,
    current_job,
)
from gigq.testing import drain

PATIENCE = 30


def process_media(media_id: int, quality: str = "medium") -> dict[str, Any]:
    """A handler of researcharr as a function with its own arguments and `current_job()`."""
    job = current_job()
    job.progress(0, 100, "Starting...")
    job.progress(100, 100, "Complete")
    return {"media": media_id, "quality": quality, "job": job.id}


async def process_media_async() -> None:
    """A handler as researcharr has them."""


HANDLERS = {"process_media": process_media}


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events if event.job_id]


def work(path: str, clock: ManualClock | None = None, **options: Any) -> list[Event]:
    """Let one worker run everything that is ready, and return its events."""
    events: list[Event] = []
    with Worker(path, on_event=events.append, clock=clock, **options) as worker:
        while worker.process_one():
            pass
    return events


# the service


def test_researcharr_initialize(tmp_path: Path) -> None:
    with pytest.raises(NotAQueue):
        JobQueue(tmp_path / "jobs.db", initialize=False)
    with JobQueue(tmp_path / "jobs.db") as queue:
        assert (queue.stats()["total"], queue.check()) == (0, [])


def test_researcharr_key_prefix_is_a_file_or_a_named_queue(queue: JobQueue) -> None:
    queue.submit(Job("job", functions.nothing, queue="myapp"))
    assert (queue.dequeue(queues="other"), taken(queue, queues="myapp").queue) == (None, "myapp")


def test_researcharr_environment_variables(path: str, live: JobQueue) -> None:
    job_id = live.enqueue(slots, path)
    assert gigq("worker", "--burst", GIGQ_DB=path, GIGQ_CONCURRENCY="4").returncode == 0
    assert live.get_result(job_id) == [4]


# handlers


def test_researcharr_register_handler(queue: JobQueue) -> None:
    job_id = queue.enqueue("process_media", 123, quality="high")
    drain(queue, handlers=HANDLERS)
    assert queue.get_result(job_id) == {"media": 123, "quality": "high", "job": job_id}


def test_researcharr_handler_that_awaits(queue: JobQueue) -> None:
    async def wrapped(backup_id: int) -> int:
        return await asyncio.to_thread(functions.add, backup_id, 1)

    job_id = queue.enqueue("process_backup", 7)
    drain(queue, handlers={"process_backup": lambda backup_id: asyncio.run(wrapped(backup_id))})
    assert queue.get_result(job_id) == 8


def test_researcharr_async_function_is_refused_at_submit(queue: JobQueue) -> None:
    with pytest.raises(
        NotImportable, match=r"async, and jobs are plain calls; wrap it: def job\(\): return asyncio.run"
    ):
        queue.enqueue(process_media_async)


def test_researcharr_wrap_an_existing_function(queue: JobQueue) -> None:
    job_id = queue.enqueue("process_backup", 7)
    drain(queue, handlers={"process_backup": functions.add})
    assert queue.get_result(job_id) == 7


def test_researcharr_handler_that_is_not_registered(queue: JobQueue) -> None:
    job_id = queue.enqueue("process_media", 123)
    drain(queue)
    assert status(queue, job_id) == "pending"
    assert "cannot find 'process_media'" in str(record(queue, job_id).executions[-1].error)


# submit_job


def test_researcharr_submit_job_with_args_and_kwargs(queue: JobQueue) -> None:
    queue.submit(Job("process_media", "process_media", {"quality": "high"}, args=(123,)))
    claim = taken(queue)
    assert (claim.args, claim.params) == ([123], {"quality": "high"})


def test_researcharr_submit_job_with_a_priority(queue: JobQueue) -> None:
    for level in ("low", "normal", "high", "critical"):
        queue.submit(Job(level, functions.nothing, priority=level))
    assert [taken(queue).name for _ in range(4)] == ["critical", "high", "normal", "low"]


def test_researcharr_submit_job_with_a_timeout(queue: JobQueue) -> None:
    job_id = queue.submit(Job("endless", functions.spin, timeout=0.05, max_attempts=1))
    drain(queue)
    assert (status(queue, job_id), record(queue, job_id).error) == ("timeout", "timed out after 0.05 seconds")


def test_researcharr_submit_job_with_max_retries(queue: JobQueue) -> None:
    job_id = queue.submit(Job("flaky", functions.fail, max_attempts=4))
    assert (drain(queue), status(queue, job_id)) == (4, "failed")


def test_researcharr_submit_job_with_retry_delay_and_backoff(queue: JobQueue, clock: ManualClock) -> None:
    options = {"max_attempts": 10, "retry_delay": 2.0, "retry_backoff": 2.0, "retry_max_delay": 300}
    job_id = queue.submit(Job("flaky", functions.fail, **options))  # type: ignore[arg-type]
    waits = []
    while drain(queue):
        run_at = record(queue, job_id).run_at
        if run_at is not None:
            waits.append((run_at - clock.now()).total_seconds())
            clock.advance(waits[-1])
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300]


def test_researcharr_submit_similar_jobs_in_a_batch(queue: JobQueue) -> None:
    ids = queue.submit_many(Job("media", "process_media", args=[number]) for number in range(100))
    assert (len(ids), drain(queue, handlers=HANDLERS)) == (100, 100)


# track


def test_researcharr_get_job_status(queue: JobQueue) -> None:
    job_id = queue.enqueue("process_media", 123)
    assert queue.get_status(job_id)["status"] == "pending"
    drain(queue, handlers=HANDLERS)
    assert queue.get_status(job_id)["status"] == "completed"


def test_researcharr_wait_for_completion(live: JobQueue, run: Callable[..., Running]) -> None:
    run(handlers=HANDLERS)
    record = live.wait(live.enqueue("process_media", 123), timeout=PATIENCE)
    assert (record.status, record.result["media"]) == ("completed", 123)


def test_researcharr_wait_no_longer_than_a_timeout(queue: JobQueue) -> None:
    with pytest.raises(JobNotFinished):
        queue.wait(queue.enqueue("process_media", 123), timeout=1)


def test_researcharr_get_job_result(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.enqueue("process_media", 123)
    assert queue.get_result(job_id) is None
    claim = taken(queue)
    clock.advance(1.5)
    queue.complete(claim, "done")
    assert (queue.get_result(job_id), record(queue, job_id).duration) == ("done", 1.5)


def test_researcharr_get_job_result_of_a_failed_job(queue: JobQueue) -> None:
    job_id = queue.submit(Job("broken", functions.fail, max_attempts=1))
    drain(queue)
    with pytest.raises(JobFailed, match="ValueError: no"):
        queue.result(job_id)


def test_researcharr_progress_callback(path: str, live: JobQueue, run: Callable[..., Running]) -> None:
    may_end, reported = threading.Event(), threading.Event()

    def long_running_task(items: list[str]) -> None:
        current_job().progress(1, len(items), f"Processed 1/{len(items)} items")
        may_end.wait(PATIENCE)

    job_id = live.enqueue("long_running_task", ["a", "b"])
    run(
        handlers={"long_running_task": long_running_task},
        on_event=lambda event: reported.set() if event.kind == "job.progress" else None,
        lease=1,
    )
    assert reported.wait(PATIENCE)
    wanted = {"current": 1, "total": 2, "percentage": 50.0, "message": "Processed 1/2 items"}
    assert (live.get_status(job_id)["status"], live.get_status(job_id)["progress"]) == ("running", wanted)
    may_end.set()
    live.wait(job_id, timeout=PATIENCE)


def test_researcharr_event_job_started_and_completed(path: str, queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.enqueue("process_media", 123)
    events = work(path, clock, handlers=HANDLERS)
    assert kinds(events) == ["job.started", "job.completed"]
    assert {event.job_id for event in events if event.job_id} == {job_id}


def test_researcharr_event_job_progress(path: str, queue: JobQueue, clock: ManualClock) -> None:
    queue.enqueue("process_media", 123)
    last = [event.progress for event in work(path, clock, handlers=HANDLERS) if event.job_id][-1]
    assert last == {"current": 100, "total": 100, "percentage": 100.0, "message": "Complete"}


def test_researcharr_event_job_failed(path: str, queue: JobQueue, clock: ManualClock) -> None:
    queue.submit(Job("broken", functions.fail, max_attempts=2))
    events = work(path, clock)
    assert kinds(events) == ["job.started", "job.retrying", "job.started", "job.failed"]
    assert events[-2].error == "ValueError: no"


# dead letters


def test_researcharr_get_dead_letters(queue: JobQueue) -> None:
    for name in ("first", "second", "third"):
        queue.submit(Job(name, functions.fail, max_attempts=1))
    drain(queue)
    assert names(queue.dead_letters(limit=2)) == ["third", "second"]


def test_researcharr_error_of_a_dead_letter(queue: JobQueue) -> None:
    queue.submit(Job("broken", functions.fail, max_attempts=1))
    drain(queue)
    (dead,) = queue.dead_letters()
    assert (dead["function"], dead["error"]) == ("functions:fail", "ValueError: no")


def test_researcharr_retry_dead_letter(queue: JobQueue) -> None:
    job_id = queue.submit(Job("broken", functions.fail, max_attempts=1))
    drain(queue)
    assert (queue.requeue_job(job_id), queue.dead_letters(), taken(queue).id) == (True, [], job_id)
    assert queue.requeue_job(job_id) is False


def test_researcharr_max_dead_letters(queue: JobQueue) -> None:
    queue.submit_many(Job(str(number), functions.fail, max_attempts=1) for number in range(12))
    drain(queue)
    assert queue.prune(status=("failed", "timeout"), keep=5) == 7
    assert names(queue.dead_letters()) == ["11", "10", "9", "8", "7"]


# workers


def test_researcharr_start_workers_with_a_count(live: JobQueue, run: Callable[..., Running], pipes: Pipes) -> None:
    hold = {"tell": pipes.tell, "until": pipes.until}
    ids = live.submit_many(Job("slow", functions.hold, hold) for _ in range(4))
    run(concurrency=4)
    for _ in ids:
        pipes.wait_until_begun()
    assert [worker.concurrency for worker in live.workers()] == [4]
    for _ in ids:
        pipes.let_end()
    live.wait(ids, timeout=PATIENCE)


def test_researcharr_get_workers(live: JobQueue, run: Callable[..., Running], pipes: Pipes) -> None:
    job_id = live.submit(Job("slow", functions.hold, {"tell": pipes.tell, "until": pipes.until}))
    run(worker_id="media")
    pipes.wait_until_begun()
    (worker,) = live.workers()
    assert (worker.id, worker.running, worker.completed, worker.failed) == ("media", 1, 0, 0)
    assert worker.started_at <= worker.seen_at <= datetime.now(UTC)
    pipes.let_end()
    live.wait(job_id, timeout=PATIENCE)


def test_researcharr_scale_workers(live: JobQueue, run: Callable[..., Running], pipes: Pipes) -> None:
    hold = {"tell": pipes.tell, "until": pipes.until}
    ids = live.submit_many(Job("slow", functions.hold, hold) for _ in range(2))
    run(concurrency=1)
    pipes.wait_until_begun()
    assert live.scale(8) == 1
    pipes.wait_until_begun()
    assert [worker.concurrency for worker in live.workers()] == [8]
    for _ in ids:
        pipes.let_end()
    live.wait(ids, timeout=PATIENCE)


def test_researcharr_stop_workers_gracefully(live: JobQueue, run: Callable[..., Running], pipes: Pipes) -> None:
    job_id = live.submit(Job("slow", functions.hold, {"tell": pipes.tell, "until": pipes.until}))
    running = run()
    pipes.wait_until_begun()
    assert live.stop_workers(graceful=True) == 1
    pipes.let_end()
    running.thread.join(PATIENCE)
    assert (running.thread.is_alive(), live.workers(), live.get_status(job_id)["status"]) == (False, [], "completed")


def test_researcharr_stop_workers_at_once(live: JobQueue, run: Callable[..., Running], pipes: Pipes) -> None:
    job_id = live.submit(Job("endless", functions.spin, {"tell": pipes.tell}))
    running = run()
    pipes.wait_until_begun()
    assert live.stop_workers(graceful=False) == 1
    running.thread.join(PATIENCE)
    assert (running.thread.is_alive(), live.workers()) == (False, [])
    assert (live.get_status(job_id)["status"], live.get_status(job_id)["attempts"]) == ("pending", 0)


# metrics


def test_researcharr_get_metrics_of_the_queue(queue: JobQueue) -> None:
    queue.submit_many([Job("broken", functions.fail, max_attempts=1), Job("fine", functions.nothing)])
    drain(queue)
    queue.submit_many([Job("taken", functions.nothing), Job("waiting", functions.nothing)])
    taken(queue)
    counts = queue.metrics()["statuses"]
    assert [counts[each] for each in ("pending", "running", "completed")] == [1, 1, 1]
    assert counts["failed"] + counts["timeout"] == 1


def test_researcharr_get_metrics_of_the_workers(live: JobQueue, run: Callable[..., Running], pipes: Pipes) -> None:
    job_id = live.submit(Job("slow", functions.hold, {"tell": pipes.tell, "until": pipes.until}))
    run(concurrency=2)
    pipes.wait_until_begun()
    assert live.metrics()["workers"] == {"total": 1, "idle": 0, "busy": 1, "lost": 0, "slots": 2}
    pipes.let_end()
    live.wait(job_id, timeout=PATIENCE)


# schedules


def test_researcharr_submit_a_backup_each_day_at_two(path: str, queue: JobQueue, clock: ManualClock) -> None:
    queue.schedules.add("daily backup", "process_backup", cron="0 2 * * *", priority="normal")
    days: list[date] = []
    with Worker(path, handlers={"process_backup": lambda: days.append(clock.now().date())}, clock=clock) as worker:
        for _ in range(49):
            while worker.process_one():
                pass
            clock.advance(3600)
    assert days == [date(2026, 1, 1), date(2026, 1, 2)]
    assert [job["metadata"]["tick"][11:16] for job in queue.list_jobs()] == ["02:00", "02:00"]


# trouble


def test_researcharr_why_explains_jobs_that_are_not_processed(queue: JobQueue) -> None:
    job_id = queue.enqueue("process_media", 123)
    queue.pause()
    reasons = " ".join(queue.why(job_id))
    assert "paused" in reasons and "There is no worker" in reasons


def test_researcharr_why_names_a_handler_that_no_worker_has(live: JobQueue, run: Callable[..., Running]) -> None:
    run(handlers={"other": functions.nothing})
    live.wait(live.enqueue("other"), timeout=PATIENCE)
    live.pause()
    job_id = live.enqueue("process_media", 123)
    assert any("handler" in reason and "process_media" in reason for reason in live.why(job_id))


def test_researcharr_connection_is_tested_by_opening_and_checking_the_file(queue: JobQueue, path: str) -> None:
    with JobQueue(path, initialize=False) as other:
        assert other.check() == []
