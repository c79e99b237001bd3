"""Each operation of dbjobq's `JobQueue`, by the interface that docs/coming-from/dbjobq.md gives it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import functions
import pytest
from coming_from.asking import names, record, status, taken

from gigq import ExecutionStatus, InvalidJob, Job, JobQueue, ManualClock, NotImportable, NotSerializable, Worker, task
from gigq.testing import drain

# the constructor


def test_dbjobq_create_a_queue_by_a_url(tmp_path: Path) -> None:
    with JobQueue(f"sqlite:///{tmp_path / 'jobs.db'}") as queue:
        job_id = queue.enqueue(functions.add, a=1)
    with JobQueue(tmp_path / "jobs.db") as queue:
        assert (taken(queue).id, queue.check()) == (job_id, [])


# enqueue


def test_dbjobq_enqueue_a_function(queue: JobQueue) -> None:
    job_id = queue.enqueue(functions.add, a=1, b=2)
    assert (drain(queue), queue.get_result(job_id)) == (1, 3)


def test_dbjobq_enqueue_by_the_name_of_a_job_type(queue: JobQueue) -> None:
    job_id = queue.enqueue("process_order", a=123)
    drain(queue, handlers={"process_order": functions.add})
    assert queue.get_result(job_id) == 123


def test_dbjobq_enqueue_by_an_import_path(queue: JobQueue) -> None:
    job_id = queue.enqueue("functions:add", a=123)
    assert (drain(queue), queue.get_result(job_id)) == (1, 123)


def test_dbjobq_enqueue_with_max_retries(queue: JobQueue) -> None:
    job_id = queue.enqueue(task(functions.fail, max_attempts=2))
    assert (drain(queue), status(queue, job_id)) == (2, "failed")


def test_dbjobq_enqueue_with_a_priority(queue: JobQueue) -> None:
    queue.enqueue(functions.add, a=1)
    urgent = queue.enqueue(task(functions.add, priority=10), a=2)
    assert taken(queue).id == urgent


def test_dbjobq_enqueue_with_execute_at(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.enqueue(task(functions.add, run_at=clock.now() + timedelta(hours=1)), a=1)
    assert queue.dequeue() is None
    clock.advance(3600)
    assert taken(queue).id == job_id


def test_dbjobq_enqueue_with_a_naive_execute_at(queue: JobQueue) -> None:
    local = datetime(2026, 10, 20, 15, 0, 0)
    job_id = queue.enqueue(task(functions.add, run_at=local), a=1)
    assert record(queue, job_id).run_at == local.astimezone(UTC)


def test_dbjobq_enqueue_takes_an_option_for_an_argument_of_the_function(queue: JobQueue) -> None:
    """Here the two differ: an option among the arguments is one of them, and refused if the function has no such."""
    with pytest.raises(InvalidJob, match="unexpected keyword argument 'priority'"):
        queue.enqueue(functions.add, a=1, priority=10)
    assert queue.count() == 0


# the decorator


def test_dbjobq_job_decorator_without_options(queue: JobQueue) -> None:
    job_id = queue.enqueue(task(functions.add), a=1)
    assert (record(queue, job_id).max_attempts, record(queue, job_id).priority) == (3, 0)


def test_dbjobq_job_decorator_with_options(queue: JobQueue) -> None:
    job_id = queue.enqueue(functions.greet, name="ana")
    assert (record(queue, job_id).max_attempts, record(queue, job_id).tags) == (5, ("hello",))
    assert (drain(queue), queue.get_result(job_id), functions.greet("bo")) == (1, "hello ana", "hello bo")


def test_dbjobq_job_decorator_options_are_overridden(queue: JobQueue) -> None:
    job_id = queue.enqueue(functions.greet.options(max_attempts=10, priority=15), name="ana")
    assert (record(queue, job_id).max_attempts, record(queue, job_id).priority) == (10, 15)


# dequeue


def test_dbjobq_dequeue_takes_the_highest_priority_first(queue: JobQueue) -> None:
    for priority in (5, 10, 1):
        queue.submit(Job(str(priority), functions.nothing, priority=priority))
    assert [taken(queue).name for _ in range(3)] == ["10", "5", "1"]


def test_dbjobq_dequeue_marks_the_job_as_running(queue: JobQueue) -> None:
    job_id = queue.enqueue(functions.nothing)
    taken(queue)
    assert status(queue, job_id) == "running"


def test_dbjobq_dequeue_returns_none_when_the_queue_is_empty(queue: JobQueue) -> None:
    assert queue.dequeue() is None


def test_dbjobq_dequeue_is_safe_between_threads(queue: JobQueue) -> None:
    ids = queue.submit_many(Job("job", functions.nothing) for _ in range(40))
    with ThreadPoolExecutor(4) as threads:
        claims = list(threads.map(lambda _: taken(queue).id, ids))
    assert sorted(claims) == sorted(ids)


# complete, fail


def test_dbjobq_complete(queue: JobQueue) -> None:
    job_id = queue.enqueue(functions.nothing)
    taken(queue)
    queue.complete(job_id)
    assert (status(queue, job_id), queue.get_result(job_id)) == ("completed", None)


def test_dbjobq_fail_retries_with_exponential_backoff(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.submit(Job("risky", functions.nothing, max_attempts=4, retry_delay=2, retry_backoff=2))
    waits = []
    for _ in range(3):
        queue.fail(taken(queue).id, "no answer")
        run_at = record(queue, job_id).run_at
        assert run_at is not None
        waits.append((run_at - clock.now()).total_seconds())
        clock.advance(waits[-1])
    assert waits == [2, 4, 8]


def test_dbjobq_fail_marks_as_failed_after_the_last_attempt(queue: JobQueue) -> None:
    job_id = queue.submit(Job("risky", functions.nothing, max_attempts=2))
    for _ in range(2):
        queue.fail(taken(queue).id, "no answer")
    assert (status(queue, job_id), record(queue, job_id).error) == ("failed", "no answer")


# retry


def test_dbjobq_retry_at_once(queue: JobQueue) -> None:
    job_id = queue.enqueue(task(functions.fail, max_attempts=1))
    drain(queue)
    assert (queue.requeue_job(job_id), taken(queue).attempt) == (True, 1)


def test_dbjobq_retry_with_a_delay(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.enqueue(task(functions.fail, max_attempts=1))
    drain(queue)
    assert (queue.requeue_job(job_id, delay=60), queue.dequeue()) == (True, None)
    clock.advance(60)
    assert taken(queue).id == job_id


def test_dbjobq_retry_all_failed_jobs(queue: JobQueue, clock: ManualClock) -> None:
    queue.submit_many(Job("broken", functions.fail, max_attempts=1) for _ in range(3))
    drain(queue)
    assert (queue.requeue_jobs("failed", delay=5), drain(queue)) == (3, 0)
    clock.advance(5)
    assert drain(queue) == 3


# execute_job


def test_dbjobq_execute_job_completes_on_success(queue: JobQueue) -> None:
    job_id = queue.enqueue(functions.add, a=1)
    assert queue.execute_job(taken(queue)) is ExecutionStatus.COMPLETED
    assert (status(queue, job_id), queue.get_result(job_id)) == ("completed", 1)


def test_dbjobq_execute_job_retries_on_failure(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.enqueue(task(functions.fail, retry_delay=2, retry_backoff=2))
    assert queue.execute_job(taken(queue)) is ExecutionStatus.FAILED
    assert (record(queue, job_id).phase, queue.dequeue()) == ("retrying", None)
    clock.advance(2)
    assert taken(queue).attempt == 2


def test_dbjobq_execute_job_fails_after_the_last_attempt(queue: JobQueue) -> None:
    job_id = queue.enqueue(task(functions.fail, max_attempts=2))
    for _ in range(2):
        queue.execute_job(taken(queue))
    assert (status(queue, job_id), queue.dequeue()) == ("failed", None)


def test_dbjobq_execute_job_by_the_name_of_a_job_type(queue: JobQueue) -> None:
    job_id = queue.enqueue("process_order", a=123)
    queue.execute_job(taken(queue), handlers={"process_order": functions.add})
    assert queue.get_result(job_id) == 123


def test_dbjobq_worker(path: str, queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.enqueue(functions.add, a=1)
    with Worker(path, clock=clock) as worker:
        assert (worker.process_one(), worker.process_one()) == (True, False)
    assert queue.get_result(job_id) == 1


# look


def test_dbjobq_get_job(queue: JobQueue) -> None:
    job_id = queue.enqueue(functions.add, a=1)
    found = record(queue, job_id)
    assert (found.status, found.attempts, found.max_attempts, found.function) == ("pending", 0, 3, "functions:add")
    assert queue.get_job("job-123") is None


def test_dbjobq_list_jobs(queue: JobQueue) -> None:
    queue.submit_many([Job("first", functions.nothing), Job("second", functions.nothing)])
    assert names(queue.list_jobs()) == ["second", "first"]


def test_dbjobq_list_jobs_by_status(queue: JobQueue) -> None:
    queue.submit_many([Job("broken", functions.fail), Job("fine", functions.nothing)])
    drain(queue)
    assert names(queue.list_jobs(status="failed")) == ["broken"]


def test_dbjobq_list_jobs_with_a_limit(queue: JobQueue) -> None:
    queue.submit_many(Job(str(number), functions.nothing) for number in range(12))
    drain(queue)
    assert names(queue.list_jobs(status="completed", limit=10)) == [str(number) for number in range(11, 1, -1)]


def test_dbjobq_get_pending_jobs(queue: JobQueue) -> None:
    queue.submit_many([Job("taken", functions.nothing), Job("waiting", functions.nothing)])
    taken(queue)
    assert (names(queue.list_jobs("pending")), queue.count("pending")) == (["waiting"], 1)


def test_dbjobq_get_running_jobs(queue: JobQueue, clock: ManualClock) -> None:
    queue.submit_many([Job("taken", functions.nothing), Job("waiting", functions.nothing)])
    taken(queue)
    (running,) = queue.list_jobs("running")
    assert (running["name"], running["started_at"]) == ("taken", "2026-01-01T00:00:00.000000Z")


def test_dbjobq_get_completed_jobs(queue: JobQueue) -> None:
    queue.submit_many(Job(str(number), functions.nothing) for number in range(3))
    drain(queue)
    assert names(queue.list_jobs("completed")) == ["2", "1", "0"]
    assert names(queue.list_jobs("completed", limit=1)) == ["2"]


def test_dbjobq_get_failed_jobs(queue: JobQueue) -> None:
    queue.submit(Job("broken", functions.fail, max_attempts=2))
    drain(queue)
    (failed,) = queue.list_jobs("failed")
    assert (failed["function"], failed["error"], failed["attempts"]) == ("functions:fail", "ValueError: no", 2)


def test_dbjobq_monitor_the_health_of_a_queue(queue: JobQueue) -> None:
    queue.submit_many([Job("broken", functions.fail, max_attempts=1, priority=2), Job("taken", functions.nothing)])
    queue.execute_job(taken(queue))
    taken(queue)
    queue.submit(Job("waiting", functions.nothing))
    counts = queue.stats()
    assert (counts["pending"], counts["running"], counts["failed"]) == (1, 1, 1)


# notes


def test_dbjobq_a_function_must_be_importable(queue: JobQueue) -> None:
    with pytest.raises(NotImportable):
        queue.enqueue(lambda: None)


def test_dbjobq_arguments_must_be_json(queue: JobQueue, path: str) -> None:
    with open(path, "rb") as file, pytest.raises(NotSerializable):
        queue.enqueue(functions.add, a=file)
