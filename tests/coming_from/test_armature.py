"""Each operation of Armature's job queue, by the interface that docs/coming-from/armature.md gives it."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import functions
import pytest
from coming_from.asking import gigq, names, record, status, taken
from running import Pipes, Running

from gigq import GiveUp, InvalidJob, Job, JobQueue, ManualClock, NotSerializable, Worker, current_job
from gigq.testing import drain

PATIENCE = 30


def send_email(to: str, subject: str, body: str = "") -> str:
    return f"{to}: {subject}"


HANDLERS = {"send_email": send_email}
EMAIL = {"to": "user@example.com", "subject": "Welcome!", "body": "Thanks for signing up"}


class TemporaryError(Exception):
    pass


class PermanentError(Exception):
    pass


def refuse() -> None:
    raise PermanentError("no such account")


def stumble() -> None:
    raise TemporaryError("no answer")


def waits_of(queue: JobQueue, clock: ManualClock, job_id: str) -> list[float]:
    """Run a job to its end, and return how long it waited before each retry."""
    waits = []
    while drain(queue):
        run_at = record(queue, job_id).run_at
        if run_at is not None:
            waits.append((run_at - clock.now()).total_seconds())
            clock.advance(waits[-1])
    return waits


# queue, job, worker


def test_armature_create_a_queue_by_name(queue: JobQueue) -> None:
    queue.submit(Job("job", functions.nothing, queue="default"))
    assert [each.name for each in queue.queues()] == ["default"]


def test_armature_enqueue_a_name_and_its_data(queue: JobQueue) -> None:
    job_id = queue.submit(Job("welcome", "send_email", EMAIL))
    drain(queue, handlers=HANDLERS)
    assert queue.get_result(job_id) == "user@example.com: Welcome!"


def test_armature_enqueue_a_job_object(queue: JobQueue) -> None:
    job = Job("welcome", "send_email", EMAIL)
    assert (queue.submit(job), record(queue, job.id).params) == (job.id, EMAIL)


def test_armature_register_handler_and_start(live: JobQueue, run: Callable[..., Running]) -> None:
    run(handlers=HANDLERS)
    assert live.result(live.enqueue("send_email", **EMAIL), timeout=PATIENCE) == "user@example.com: Welcome!"


def test_armature_stop_lets_the_running_jobs_end(live: JobQueue, run: Callable[..., Running], pipes: Pipes) -> None:
    job_id = live.submit(Job("slow", functions.hold, {"tell": pipes.tell, "until": pipes.until}))
    later = live.submit(Job("later", functions.nothing))
    running = run(shutdown_timeout=PATIENCE)
    pipes.wait_until_begun()
    running.worker.stop()
    pipes.let_end()
    running.thread.join(PATIENCE)
    assert not running.thread.is_alive()
    assert (live.get_status(job_id)["status"], live.get_status(later)["status"]) == ("completed", "pending")


def test_armature_stop_gives_back_what_does_not_end_in_time(
    live: JobQueue, run: Callable[..., Running], pipes: Pipes
) -> None:
    job_id = live.submit(Job("endless", functions.spin, {"tell": pipes.tell}))
    running = run(shutdown_timeout=0)
    pipes.wait_until_begun()
    running.stop()
    assert (live.get_status(job_id)["status"], live.get_status(job_id)["attempts"]) == ("pending", 0)


def test_armature_ctrl_c_stops_a_worker_and_lets_the_running_jobs_end(path: str, live: JobQueue) -> None:
    job_id = live.enqueue("interrupt")
    with Worker(path, handlers={"interrupt": lambda: os.kill(os.getpid(), signal.SIGINT)}) as worker:
        worker.start()
    assert record(live, job_id).status == "completed"


# states


def test_armature_state_pending(queue: JobQueue) -> None:
    assert status(queue, queue.submit(Job("job", functions.nothing))) == "pending"


def test_armature_state_processing(queue: JobQueue) -> None:
    queue.submit(Job("job", functions.nothing))
    assert status(queue, taken(queue).id) == "running"


def test_armature_state_completed(queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", functions.nothing))
    drain(queue)
    assert status(queue, job_id) == "completed"


def test_armature_state_failed_is_the_phase_retrying(queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", stumble, retry_delay=1))
    drain(queue)
    assert (status(queue, job_id), record(queue, job_id).phase) == ("pending", "retrying")


def test_armature_state_dead_is_the_status_failed(queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", stumble, max_attempts=1))
    drain(queue)
    assert (status(queue, job_id), names(queue.dead_letters())) == ("failed", ["job"])


# priorities and delays


def test_armature_with_priority(queue: JobQueue) -> None:
    for level in ("low", "normal", "high", "critical"):
        queue.submit(Job(level, functions.nothing, priority=level))
    assert [taken(queue).name for _ in range(4)] == ["critical", "high", "normal", "low"]


def test_armature_first_in_first_out_inside_a_priority(queue: JobQueue) -> None:
    for name in ("first", "second"):
        queue.submit(Job(name, functions.nothing, priority="critical"))
    assert [taken(queue).name for _ in range(2)] == ["first", "second"]


def test_armature_schedule_at(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.submit(Job("reminder", functions.nothing, run_at=clock.now() + timedelta(hours=2)))
    assert (queue.dequeue(), record(queue, job_id).phase) == (None, "scheduled")
    clock.advance(7200)
    assert taken(queue).id == job_id


def test_armature_schedule_after(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.submit(Job("cleanup", functions.nothing, delay=timedelta(minutes=30)))
    assert queue.dequeue() is None
    clock.advance(1800)
    assert taken(queue).id == job_id


def test_armature_schedule_a_report_for_tomorrow_at_nine(queue: JobQueue, clock: ManualClock) -> None:
    tomorrow = datetime.combine(clock.now() + timedelta(days=1), time(9), tzinfo=UTC)
    job_id = queue.submit(
        Job("sales", "generate_daily_report", {"report_type": "sales"}, queue="reports", run_at=tomorrow)
    )
    clock.advance(33 * 3600 - 1)
    assert queue.dequeue() is None
    clock.advance(1)
    assert taken(queue).id == job_id


# retries


def test_armature_with_max_attempts(queue: JobQueue) -> None:
    job_id = queue.submit(Job("fetch", stumble, max_attempts=5))
    assert (drain(queue), status(queue, job_id)) == (5, "failed")


def test_armature_exponential_backoff(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.submit(Job("fetch", stumble, max_attempts=5, retry_delay=1, retry_backoff=2))
    assert waits_of(queue, clock, job_id) == [1, 2, 4, 8]


def test_armature_exponential_backoff_of_an_hour_at_most(queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.submit(Job("fetch", stumble, max_attempts=15, retry_delay=1, retry_backoff=2))
    assert waits_of(queue, clock, job_id)[-3:] == [2048, 3600, 3600]


def test_armature_retryable_error(queue: JobQueue) -> None:
    job_id = queue.submit(Job("risky", stumble, retry_on=[TemporaryError]))
    assert (drain(queue), record(queue, job_id).attempts) == (3, 3)


def test_armature_permanent_error(queue: JobQueue) -> None:
    wanted = queue.submit(Job("risky", refuse, retry_on=[TemporaryError]))
    unwanted = queue.submit(Job("risky", refuse, no_retry_on=[PermanentError]))
    assert (drain(queue), status(queue, wanted), status(queue, unwanted)) == (2, "failed", "failed")


def test_armature_permanent_error_raised_by_the_handler(queue: JobQueue) -> None:
    job_id = queue.submit(Job("risky", functions.give_up))
    assert (drain(queue), record(queue, job_id).error) == (1, "GiveUp: there is no such city")


def test_armature_dead_letter_queue_is_inspected(queue: JobQueue) -> None:
    queue.submit(Job("risky", functions.fail, {"message": "no such account"}, max_attempts=1))
    drain(queue)
    (dead,) = queue.dead_letters()
    assert (dead["error"], dead["executions"][0]["error_type"]) == ("ValueError: no such account", "ValueError")


def test_armature_dead_letter_is_requeued(queue: JobQueue) -> None:
    job_id = queue.submit(Job("risky", refuse, max_attempts=1))
    drain(queue)
    assert (queue.requeue_job(job_id), taken(queue).attempt) == (True, 1)


# the worker's configuration


def test_armature_worker_concurrency(live: JobQueue, run: Callable[..., Running], pipes: Pipes) -> None:
    hold = {"tell": pipes.tell, "until": pipes.until}
    ids = live.submit_many(Job("slow", functions.hold, hold) for _ in range(5))
    run(concurrency=5)
    for _ in ids:
        pipes.wait_until_begun()
    assert live.count("running") == 5
    for _ in ids:
        pipes.let_end()
    live.wait(ids, timeout=PATIENCE)


def test_armature_worker_poll_interval(live: JobQueue, run: Callable[..., Running]) -> None:
    run(polling_interval=1)
    assert live.result(live.enqueue(functions.add, a=1), timeout=PATIENCE) == 1


def test_armature_worker_job_timeout(queue: JobQueue) -> None:
    job_id = queue.submit(Job("endless", functions.spin, timeout=0.05, max_attempts=1))
    drain(queue)
    assert (status(queue, job_id), len(queue.dead_letters())) == ("timeout", 1)


def test_armature_worker_logs_each_execution(path: str, queue: JobQueue, clock: ManualClock) -> None:
    queue.enqueue(functions.add, a=1)
    lines: list[str] = []
    with Worker(path, on_event=lambda event: lines.append(f"{event.kind} {event.name}"), clock=clock) as worker:
        worker.process_one()
    assert lines[1:3] == ["job.started add", "job.completed add"]


def test_armature_worker_keeps_what_a_job_logs(path: str, queue: JobQueue, clock: ManualClock) -> None:
    job_id = queue.enqueue("chat")

    def chat() -> None:
        logging.getLogger("app").warning("nobody answers")

    with Worker(path, handlers={"chat": chat}, capture_logs=True, clock=clock) as worker:
        worker.process_one()
    assert str(record(queue, job_id).executions[-1].log).endswith("WARNING app: nobody answers\n")


def test_armature_several_workers_of_one_queue(path: str, queue: JobQueue, clock: ManualClock) -> None:
    queue.submit_many(Job("job", functions.nothing) for _ in range(2))
    with Worker(path, "ann", clock=clock) as ann, Worker(path, "bob", clock=clock) as bob:
        assert (ann.process_one(), bob.process_one(), ann.process_one()) == (True, True, False)
    assert {job["worker_id"] for job in queue.list_jobs()} == {"ann", "bob"}


# several queues


def test_armature_several_queues(queue: JobQueue) -> None:
    for name in ("critical", "default", "background"):
        queue.submit(Job(name, functions.nothing, queue=name))
    assert [each.name for each in queue.queues()] == ["background", "critical", "default"]
    assert names(queue.list_jobs(queue="critical")) == ["critical"]


def test_armature_dedicated_worker(path: str, queue: JobQueue, clock: ManualClock) -> None:
    critical = queue.submit(Job("critical", functions.nothing, queue="critical"))
    background = queue.submit(Job("background", functions.nothing, queue="background"))
    with Worker(path, queues=["critical"], concurrency=10, clock=clock) as worker:
        while worker.process_one():
            pass
    assert (status(queue, critical), status(queue, background)) == ("completed", "pending")


# progress


def test_armature_update_progress(live: JobQueue, run: Callable[..., Running]) -> None:
    reported, may_end = threading.Event(), threading.Event()

    def long_running_task() -> None:
        current_job().progress(25, 100, "Processing step 1")
        may_end.wait(PATIENCE)
        current_job().progress(100, 100, "Complete")

    job_id = live.enqueue("long_running_task")
    run(
        handlers={"long_running_task": long_running_task},
        on_event=lambda event: reported.set() if event.kind == "job.progress" else None,
        lease=1,
    )
    assert reported.wait(PATIENCE)
    running = record(live, job_id)
    assert running.progress is not None
    assert (running.status, running.progress["percentage"]) == ("running", 25.0)
    assert running.progress["message"] == "Processing step 1"
    may_end.set()
    ended = live.wait(job_id, timeout=PATIENCE).progress
    assert ended is not None and (ended["percentage"], ended["message"]) == (100.0, "Complete")


def test_armature_get_job(queue: JobQueue) -> None:
    job_id = queue.submit(Job("welcome", "send_email", EMAIL))
    found = record(queue, job_id)
    assert (found.status, found.progress, found.params) == ("pending", None, EMAIL)


# practices


def test_armature_idempotent_handler(queue: JobQueue) -> None:
    users: list[str] = []

    def create_user(email: str) -> None:
        if email not in users:
            users.append(email)

    for _ in range(2):
        queue.enqueue("create_user", email="ana@example.com")
    assert (drain(queue, handlers={"create_user": create_user}), users) == (2, ["ana@example.com"])


def test_armature_job_that_must_not_be_queued_twice(queue: JobQueue) -> None:
    first = queue.submit(Job("sync", functions.nothing, unique_key="sync ana"))
    assert queue.submit(Job("sync", functions.nothing, unique_key="sync ana")) == first


def test_armature_small_jobs_after_each_other(queue: JobQueue) -> None:
    validate = Job("validate", functions.nothing)
    charge = Job("charge", functions.nothing, dependencies=[validate.id])
    ship = Job("ship", functions.nothing, dependencies=[charge.id])
    queue.submit_many([validate, charge, ship])
    assert taken(queue).name == "validate"
    assert queue.dequeue() is None
    queue.complete(validate.id)
    assert taken(queue).name == "charge"


def test_armature_large_data_is_refused(queue: JobQueue) -> None:
    with pytest.raises(InvalidJob, match="1,000,000"):
        queue.submit(Job("image", "process_image", {"image_data": "x" * 1_000_000}))


def test_armature_data_is_json(queue: JobQueue) -> None:
    with pytest.raises(NotSerializable, match="image_data"):
        queue.submit(Job("image", "process_image", {"image_data": b"x"}))


def test_armature_partial_failure(queue: JobQueue) -> None:
    done: list[int] = []

    def batch_process(items: list[int]) -> None:
        wrong = [item for item in items if item < 0]
        done.extend(item for item in items if item >= 0)
        if wrong:
            raise GiveUp(f"partial failure: {wrong}")

    job_id = queue.enqueue("batch_process", items=[1, -2, 3])
    drain(queue, handlers={"batch_process": batch_process})
    assert (done, record(queue, job_id).error) == ([1, 3], "GiveUp: partial failure: [-2]")


def test_armature_missing_field_of_a_function_is_refused_at_submit(queue: JobQueue) -> None:
    with pytest.raises(InvalidJob, match="missing a required argument: 'to'"):
        queue.submit(Job("mail", send_email, {"subject": "Welcome!"}))


def test_armature_missing_field_of_a_handler_is_an_error_of_the_job(queue: JobQueue) -> None:
    job_id = queue.submit(Job("mail", "send_email", {"subject": "Welcome!"}, max_attempts=1))
    drain(queue, handlers=HANDLERS)
    assert (status(queue, job_id), "missing" in str(record(queue, job_id).error)) == ("failed", True)


def test_armature_queue_size(queue: JobQueue) -> None:
    queue.submit_many(Job("job", functions.nothing) for _ in range(3))
    queue.submit(Job("later", functions.nothing, delay=60))
    queue.submit(Job("elsewhere", functions.nothing, queue="background"))
    assert (queue.count(phase="ready", queue="default"), queue.count("pending", queue="default")) == (3, 4)


# in an application


def test_armature_queue_service_is_shared_between_threads(queue: JobQueue) -> None:
    threads = [threading.Thread(target=queue.enqueue, args=["send_email"], kwargs=EMAIL) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert queue.count("pending", name="send_email") == 4


def test_armature_endpoint_stats(queue: JobQueue) -> None:
    queue.submit(Job("job", functions.nothing))
    assert json.loads(json.dumps(queue.stats()))["pending"] == 1
    assert json.loads(json.dumps(queue.metrics()))["queues"]["default"]["ready"] == 1


def test_armature_endpoint_job(queue: JobQueue) -> None:
    job_id = queue.submit(Job("welcome", "send_email", EMAIL))
    answer = json.loads(json.dumps(queue.get_status(job_id)))
    assert (answer["id"], answer["status"], answer["params"]) == (job_id, "pending", EMAIL)


def test_armature_endpoints_from_a_shell(path: str, live: JobQueue) -> None:
    job_id = live.submit(Job("welcome", "send_email", EMAIL))
    stats, job = gigq("--json", "stats", GIGQ_DB=path), gigq("--json", "status", job_id, GIGQ_DB=path)
    assert (json.loads(stats.stdout)["pending"], json.loads(job.stdout)["id"]) == (1, job_id)


def test_armature_submit_from_another_language(path: str, live: JobQueue) -> None:
    submitted = gigq("submit", "send_email", "-p", "to=user@example.com", "-p", "subject=Welcome!", GIGQ_DB=path)
    assert submitted.stdout == f"Job submitted: {live.list_jobs()[0]['id']}\n"
    assert (drain(live, handlers=HANDLERS), live.count("completed")) == (1, 1)


def test_armature_endpoint_job_that_is_not_found(queue: JobQueue) -> None:
    assert queue.get_status("no-such-id") == {"exists": False}
