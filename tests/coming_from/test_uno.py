"""Each operation of Uno's job queue, by the interface that docs/coming-from/uno.md gives it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import functions
import pytest
from coming_from.asking import names, record, status, taken
from store.verbs import File

from gigq import ExecutionStatus, Job, JobQueue, JobStatus, LeaseLost, ManualClock, Phase, Priority
from gigq.testing import drain

# enqueue


def test_uno_enqueue_with_args_and_kwargs(queue: JobQueue) -> None:
    job_id = queue.submit(Job("sum", "functions.add", {"b": 2}, args=[1]))
    assert (drain(queue), queue.get_result(job_id)) == (1, 3)


def test_uno_enqueue_with_a_queue(queue: JobQueue) -> None:
    job_id = queue.submit(Job("report", functions.nothing, queue="reports"))
    assert queue.dequeue(queues="mail") is None
    assert taken(queue, queues="reports").id == job_id


def test_uno_enqueue_with_a_priority(queue: JobQueue) -> None:
    queue.submit(Job("normal", functions.nothing))
    queue.submit(Job("high", functions.nothing, priority="high"))
    assert taken(queue).name == "high"


def test_uno_enqueue_with_a_schedule(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.submit(Job("later", functions.nothing, run_at=clock.now() + timedelta(minutes=5)))
    assert (queue.dequeue(), record(queue, job_id).phase) == (None, "scheduled")
    clock.advance(300)
    assert taken(queue).id == job_id


def test_uno_enqueue_with_a_schedule_in_local_time(queue: JobQueue) -> None:
    local = datetime(2026, 7, 1, 9, 30)
    job_id = queue.submit(Job("later", functions.nothing, run_at=local))
    assert record(queue, job_id).run_at == local.astimezone(UTC)


def test_uno_enqueue_with_max_retries(queue: JobQueue) -> None:
    job_id = queue.submit(Job("broken", functions.fail, max_attempts=4))
    assert (drain(queue), record(queue, job_id).attempts, status(queue, job_id)) == (4, 4, "failed")


def test_uno_enqueue_with_a_retry_delay(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.submit(Job("broken", functions.fail, max_attempts=4, retry_delay=60))
    executions = []
    for _ in range(4):
        executions.append(drain(queue))
        clock.advance(59)
        executions.append(drain(queue))
        clock.advance(1)
    assert (executions, status(queue, job_id)) == ([1, 0] * 4, "failed")


def test_uno_enqueue_with_tags(queue: JobQueue) -> None:
    queue.submit(Job("report", functions.nothing, tags=["report", "monthly"]))
    assert taken(queue).tags == ("monthly", "report")


def test_uno_enqueue_with_metadata(queue: JobQueue) -> None:
    queue.submit(Job("report", functions.nothing, metadata={"requester": "user_123"}))
    assert taken(queue).metadata == {"requester": "user_123"}


# dequeue, complete, fail


def test_uno_dequeue_for_a_named_worker(queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", functions.nothing))
    taken(queue, "worker1")
    assert (status(queue, job_id), record(queue, job_id).worker_id) == ("running", "worker1")


def test_uno_dequeue_from_an_empty_queue(queue: JobQueue) -> None:
    assert queue.dequeue() is None


def test_uno_dequeue_by_many_at_once(queue: JobQueue) -> None:
    ids = queue.submit_many(Job("job", functions.nothing) for _ in range(40))
    with ThreadPoolExecutor(4) as threads:
        claims = list(threads.map(lambda _: taken(queue).id, ids))
    assert sorted(claims) == sorted(ids)


def test_uno_complete_with_a_result(queue: JobQueue) -> None:
    job_id = queue.submit(Job("report", "generate"))
    taken(queue)
    queue.complete(job_id, result={"file_url": "/reports/123.pdf"})
    assert (status(queue, job_id), queue.get_result(job_id)) == ("completed", {"file_url": "/reports/123.pdf"})


def test_uno_complete_a_job_twice(queue: JobQueue) -> None:
    queue.submit(Job("report", "generate"))
    claim = taken(queue)
    queue.complete(claim, "first")
    with pytest.raises(LeaseLost):
        queue.complete(claim, "second")
    assert queue.get_result(claim.id) == "first"


def test_uno_fail_with_a_retry(queue: JobQueue) -> None:
    job_id = queue.submit(Job("report", "generate"))
    taken(queue)
    queue.fail(job_id, error={"type": "ValueError", "message": "Invalid parameters"}, retry=True)
    assert (status(queue, job_id), record(queue, job_id).error) == ("pending", "ValueError: Invalid parameters")
    assert taken(queue).attempt == 2


def test_uno_fail_without_a_retry(queue: JobQueue) -> None:
    job_id = queue.submit(Job("report", "generate"))
    taken(queue)
    queue.fail(job_id, error={"type": "ValueError", "message": "Invalid parameters"}, retry=False)
    assert (status(queue, job_id), record(queue, job_id).attempts) == ("failed", 1)


# cancel, get_job


def test_uno_cancel_a_pending_job(queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", functions.nothing))
    assert (queue.cancel(job_id), status(queue, job_id), queue.dequeue()) == (True, "cancelled", None)


def test_uno_cancel_a_job_that_has_begun(queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", functions.nothing))
    taken(queue)
    assert (queue.cancel(job_id), status(queue, job_id)) == (False, "running")
    assert (queue.cancel(job_id, running=True), status(queue, job_id)) == (True, "cancelled")


def test_uno_get_job(queue: JobQueue, clock: ManualClock) -> None:
    """Each field of Uno's job has a place in ours."""
    due = clock.now() + timedelta(minutes=5)
    options = {"queue": "reports", "run_at": due, "max_attempts": 4, "retry_delay": 60, "metadata": {"user_id": 123}}
    job_id = queue.submit(Job("report", "reports.generate", {"format": "pdf"}, args=[123, "monthly"], **options))  # type: ignore[arg-type]
    waiting = record(queue, job_id)
    assert (waiting.id, waiting.function, waiting.queue) == (job_id, "reports.generate", "reports")
    assert (waiting.args, waiting.params, waiting.metadata) == ([123, "monthly"], {"format": "pdf"}, {"user_id": 123})
    assert (waiting.status, waiting.priority, waiting.run_at) == (JobStatus.PENDING, Priority.NORMAL, due)
    assert (waiting.attempts, waiting.max_attempts, waiting.created_at) == (0, 4, clock.now())
    assert (waiting.started_at, waiting.completed_at, waiting.result, waiting.error) == (None, None, None, None)
    clock.advance(300)
    taken(queue)
    clock.advance(2)
    queue.complete(job_id, "done")
    ended = record(queue, job_id)
    assert (ended.started_at, ended.completed_at, ended.result) == (due, due + timedelta(seconds=2), "done")


def test_uno_get_job_that_does_not_exist(queue: JobQueue) -> None:
    assert (queue.get_job("job123"), queue.get_status("job123")) == (None, {"exists": False})


# list_jobs


def test_uno_list_jobs_by_status(queue: JobQueue) -> None:
    for name in ("first", "second", "third"):
        queue.submit(Job(name, functions.nothing))
    queue.complete(taken(queue))
    taken(queue)
    assert names(queue.list_jobs(status=["pending", "running"])) == ["third", "second"]


def test_uno_list_jobs_by_queue(queue: JobQueue) -> None:
    queue.submit(Job("here", functions.nothing))
    queue.submit(Job("elsewhere", functions.nothing, queue="reports"))
    assert names(queue.list_jobs(queue="default")) == ["here"]


def test_uno_list_jobs_by_priority(queue: JobQueue) -> None:
    queue.submit(Job("normal", functions.nothing))
    queue.submit(Job("high", functions.nothing, priority="high"))
    assert names(queue.list_jobs(priority="high")) == ["high"]


def test_uno_list_jobs_by_tags(queue: JobQueue) -> None:
    queue.submit(Job("both", functions.nothing, tags=["report", "monthly"]))
    queue.submit(Job("one", functions.nothing, tags=["report"]))
    assert names(queue.list_jobs(tags=["report"])) == ["one", "both"]
    assert names(queue.list_jobs(tags=["report", "monthly"])) == ["both"]


def test_uno_list_jobs_with_a_limit_and_an_offset(queue: JobQueue) -> None:
    for number in range(5):
        queue.submit(Job(str(number), functions.nothing))
    assert names(queue.list_jobs(limit=2, offset=1)) == ["3", "2"]


# statistics


def test_uno_get_statistics_by_status(queue: JobQueue) -> None:
    queue.submit_many(Job("job", functions.nothing) for _ in range(3))
    queue.submit(Job("broken", functions.fail, max_attempts=2, retry_delay=60))
    queue.complete(taken(queue))
    queue.fail(taken(queue), "no", retry=False)
    taken(queue)
    queue.fail(taken(queue), "no")
    metrics = queue.metrics()
    wanted = {"pending": 1, "running": 1, "completed": 1, "failed": 1, "cancelled": 0, "timeout": 0}
    assert (metrics["statuses"], metrics["phases"]["retrying"]) == (wanted, 1)
    assert queue.stats() == {**wanted, "total": 4}


def test_uno_get_statistics_by_priority(queue: JobQueue) -> None:
    for level, number in (("high", 5), ("normal", 3), ("low", 1)):
        queue.submit_many(Job("job", functions.nothing, priority=level) for _ in range(number))
    assert queue.metrics()["priorities"] == {"100": 5, "0": 3, "-100": 1}
    assert queue.count("pending", priority="high") == 5


def test_uno_get_statistics_by_queue(queue: JobQueue) -> None:
    queue.submit_many(Job("job", functions.nothing) for _ in range(3))
    queue.submit(Job("report", functions.nothing, queue="reports"))
    assert {name: each["ready"] for name, each in queue.metrics()["queues"].items()} == {"default": 3, "reports": 1}


# priority levels, order, statuses


def test_uno_four_priority_levels(queue: JobQueue) -> None:
    for level in ("low", "normal", "critical", "high"):
        queue.submit(Job(level, functions.nothing, priority=level))
    assert [taken(queue).name for _ in range(4)] == ["critical", "high", "normal", "low"]


def test_uno_first_in_first_out_inside_a_level(queue: JobQueue) -> None:
    for name in ("first", "second", "third"):
        queue.submit(Job(name, functions.nothing, priority="high"))
    assert [taken(queue).name for _ in range(3)] == ["first", "second", "third"]


def test_uno_status_reserved(open_queue: Callable[..., JobQueue], clock: ManualClock) -> None:
    """A worker prefetches only functions that have returned there, so the store does it here."""
    file = File(open_queue(clock=clock), clock)
    file.submit("running")
    job_id = file.submit("reserved")
    file.claim(1, ahead=1, returned=["functions:nothing"])
    assert (status(file.queue, job_id), record(file.queue, job_id).phase) == ("running", Phase.RESERVED)
    assert file.queue.count(phase="reserved") == 1


def test_uno_status_retrying(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.submit(Job("broken", functions.fail, retry_delay=60))
    drain(queue)
    assert (status(queue, job_id), record(queue, job_id).phase) == ("pending", "retrying")
    assert names(queue.list_jobs(phase="retrying")) == ["broken"]
    clock.advance(60)
    assert drain(queue) == 1


# storage


def test_uno_in_memory_storage() -> None:
    with JobQueue(":memory:") as queue:
        job_id = queue.submit(Job("sum", functions.add, {"a": 1}))
        assert (drain(queue), queue.get_result(job_id), queue.check()) == (1, 1, [])


def test_uno_database_storage(open_queue: Callable[..., JobQueue]) -> None:
    job_id = open_queue().submit(Job("sum", functions.add, {"a": 1}))
    assert taken(open_queue(initialize=False)).id == job_id


# management


def test_uno_prune_by_status_and_age(queue: JobQueue, clock: ManualClock) -> None:
    queue.submit_many([Job("old", functions.nothing), Job("old", functions.fail, max_attempts=1)])
    drain(queue)
    clock.advance(31 * 86_400)
    queue.submit(Job("new", functions.nothing))
    drain(queue)
    assert queue.prune(status=["completed", "failed"], older_than=timedelta(days=30)) == 2
    assert names(queue.list_jobs()) == ["new"]


def test_uno_requeue_stuck_by_age(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.submit(Job("stuck", functions.nothing, timeout=None))
    taken(queue)
    clock.advance(3601)
    assert queue.requeue_stuck(older_than=timedelta(hours=1)) == 1
    assert (status(queue, job_id), record(queue, job_id).executions[0].status) == ("pending", ExecutionStatus.LOST)


def test_uno_pause_all_queues(queue: JobQueue) -> None:
    queue.submit(Job("job", functions.nothing))
    queue.pause()
    assert queue.dequeue() is None


def test_uno_pause_one_queue(queue: JobQueue) -> None:
    queue.submit(Job("held", functions.nothing, queue="reports"))
    queue.submit(Job("free", functions.nothing))
    queue.pause("reports")
    assert (taken(queue).name, queue.dequeue()) == ("free", None)


def test_uno_resume(queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", functions.nothing))
    queue.pause()
    queue.resume()
    assert taken(queue).id == job_id


def test_uno_resume_one_queue(queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", functions.nothing, queue="reports"))
    queue.pause("reports")
    queue.resume("reports")
    assert taken(queue, queues="reports").id == job_id


# errors


def test_uno_dead_letter_queue_lists_what_used_up_its_attempts(queue: JobQueue) -> None:
    queue.submit(Job("broken", functions.fail, max_attempts=2))
    queue.submit(Job("fine", functions.nothing))
    drain(queue)
    assert names(queue.dead_letters()) == ["broken"]


def test_uno_dead_letters_are_sent_back(queue: JobQueue) -> None:
    job_id = queue.submit(Job("broken", functions.fail, max_attempts=1, queue="reports"))
    drain(queue)
    assert queue.requeue_jobs(["failed", "timeout"], queue="reports") == 1
    assert (status(queue, job_id), record(queue, job_id).attempts) == ("pending", 0)


def test_uno_error_details(queue: JobQueue) -> None:
    job_id = queue.submit(Job("broken", functions.fail, {"message": "Invalid parameters"}, max_attempts=1))
    drain(queue)
    last = record(queue, job_id).executions[-1]
    assert (last.error_type, last.error) == ("ValueError", "ValueError: Invalid parameters")
    assert last.traceback is not None and last.traceback.endswith("ValueError: Invalid parameters\n")


def test_uno_error_details_given_as_a_dict(queue: JobQueue) -> None:
    job_id = queue.submit(Job("report", "generate"))
    queue.fail(taken(queue), {"type": "ValueError", "message": "no", "traceback": "line 1"}, retry=False)
    last = record(queue, job_id).executions[-1]
    assert (last.error_type, last.error, last.traceback) == ("ValueError", "ValueError: no", "line 1")
