"""What a verb takes where it wants a job: a Job, a task, a function, an id, or a record, whichever is at hand."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import functions
import odd_functions
import pytest

from gigq import Job, JobFailed, JobNotFound, JobQueue, ManualClock, Worker, Workflow, current_job, task
from gigq.testing import drain

# submit


def test_a_task_or_a_function_is_submitted_as_it_is(queue: JobQueue) -> None:
    ids = [queue.submit(functions.nothing), queue.submit(functions.greet)]
    ids += queue.submit_many([functions.nothing, functions.greet, Job("sum", functions.add, {"a": 1})])
    drain(queue)
    assert [queue.get_result(each) for each in ids] == [None, "hello world", None, "hello world", 1]
    assert queue.get_status(ids[1])["max_attempts"] == 5


@pytest.mark.parametrize("wrong", [None, 5, "functions:nothing", b"x", [], {}, object()])
def test_what_is_no_job_is_refused_and_nothing_is_stored(queue: JobQueue, wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"^job is .*; it must be a Job, a task or a function"):
        queue.submit(wrong)
    with pytest.raises(TypeError, match=r"^an entry of jobs is .*; it must be a Job, a task or a function"):
        queue.submit_many([functions.nothing, wrong])
    assert queue.count() == 0


@pytest.mark.parametrize("wrong", [None, Job("one", functions.nothing), functions.nothing, "text", {}])
def test_submit_many_takes_a_list(queue: JobQueue, wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"^jobs is .*; it must be a list of jobs, and submit takes one$"):
        queue.submit_many(wrong)


# a job where an id is taken


@pytest.mark.parametrize("shape", [lambda queue, job: job, lambda queue, job: queue.get_job(job.id)])
def test_every_verb_that_takes_an_id_takes_the_job(queue: JobQueue, shape: Callable[..., Any]) -> None:
    made = Job("job", functions.add, {"a": 1})
    queue.submit(made)
    job = shape(queue, made)
    assert queue.get_status(job)["id"] == queue.get_job(job).id == made.id  # type: ignore[union-attr]
    assert (queue.get_result(job), queue.why(job)) == (None, queue.why(made.id))
    assert queue.reschedule(job, priority="high")
    assert queue.cancel(job)
    assert queue.requeue_job(job)
    drain(queue)
    assert (queue.wait(job).id, [each.id for each in queue.wait([job])], queue.result(job)) == (made.id, [made.id], 1)
    child = queue.submit(Job("child", functions.collect, dependencies=job))
    drain(queue)
    assert queue.result(child) == [1]
    assert queue.delete_job(job)


def test_a_manually_claimed_job_is_settled_by_the_job_as_by_its_id(queue: JobQueue) -> None:
    job = Job("job", "by_hand")
    queue.submit(job)
    queue.dequeue()
    queue.complete(job, 5)
    assert queue.result(job) == 5


@pytest.mark.parametrize("wrong", [None, 5, b"x", ["an id"], {}, object(), functions.nothing, ManualClock()])
def test_what_names_no_job_is_refused(queue: JobQueue, wrong: Any) -> None:
    verbs = [queue.get_status, queue.get_job, queue.get_result, queue.result, queue.cancel]
    for verb in verbs if wrong is None else [*verbs, queue.why]:  # `why(None)` asks about the whole queue
        with pytest.raises(TypeError, match=r"^job_id is .*; it must be the id of a job, or a Job$"):
            verb(wrong)


def test_a_worker_is_not_taken_for_a_job(queue: JobQueue) -> None:
    queue.submit(functions.nothing)
    queue.dequeue("ann")
    with pytest.raises(TypeError, match="it must be the id of a job"):
        queue.cancel(queue.workers()[0])  # type: ignore[arg-type]


# workflows


def test_a_workflow_takes_tasks_functions_jobs_and_ids(queue: JobQueue) -> None:
    before = queue.submit(Job("before", functions.add, {"a": 1}))
    flow = Workflow("flow")
    first = flow.add_job(functions.greet, depends_on=before)
    second = flow.add_task(functions.add, {"a": 2}, depends_on=[first.id, before])
    third = flow.add_task(functions.collect, depends_on=second)
    assert flow.jobs == [first, second, third]
    flow.submit_all(queue)
    drain(queue)
    assert queue.result(third) == [2]
    assert queue.get_status(second)["dependencies"] == [first.id, before]


def test_a_workflow_can_force_or_forbid_parents_results(queue: JobQueue) -> None:
    flow = Workflow("flow")
    parent = flow.add_task(functions.add, {"a": 1})
    given = flow.add_task(odd_functions.keywords, depends_on=parent, pass_parent_results=True)
    withheld = flow.add_task(task(odd_functions.narrowed_child), {"a": 1}, depends_on=parent, pass_parent_results=False)
    flow.submit_all(queue)
    assert [queue.get_status(each)["pass_parent_results"] for each in (given, withheld)] == [True, False]


@pytest.mark.parametrize("wrong", [None, 5, "text", Job("job", functions.nothing)])
def test_add_task_takes_a_task_or_a_function(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"^task is .*; it must be a task or a function, and add_job adds a Job$"):
        Workflow("flow").add_task(wrong)


@pytest.mark.parametrize("wrong", [5, b"x", {}, [5], functions.nothing])
def test_what_is_no_parent_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"depends_on is .*; it must be the id of a job"):
        Workflow("flow").add_job(functions.nothing, depends_on=wrong)


# the counts of one queue


def test_the_jobs_of_one_queue_are_counted(queue: JobQueue) -> None:
    queue.submit_many(Job("job", functions.nothing, queue=name) for name in ("mail", "mail", "video"))
    queue.cancel(queue.list_jobs(queue="video")[0]["id"])
    assert (queue.stats("mail")["pending"], queue.stats(queue="mail")["total"]) == (2, 2)
    assert (queue.stats("video")["cancelled"], queue.stats("unknown")["total"], queue.stats()["total"]) == (1, 0, 3)


# workers


def job_of_the_worker() -> str:
    return str(current_job().id)


def test_a_worker_takes_a_queue_and_shows_what_it_was_told(queue: JobQueue, path: str) -> None:
    job_id = queue.submit(job_of_the_worker)
    with Worker(queue, concurrency=3, polling_interval="2s") as worker:
        assert (worker.db_path, queue.db_path, worker.concurrency, worker.polling_interval) == (path, path, 3, 2.0)
        seen: list[str | None] = []
        handlers = {"look": lambda: seen.append(worker.current_job_id)}
        assert worker.process_one()
        assert (queue.result(job_id), worker.current_job_id) == (job_id, None)
        by_handler = queue.submit(Job("look", "look"))
        drain(queue, handlers=handlers)
    assert seen == [by_handler]


def test_a_worker_for_a_queue_in_memory_is_refused_with_what_runs_its_jobs() -> None:
    with JobQueue(":memory:") as queue:
        for memory in (queue, ":memory:"):
            with pytest.raises(ValueError, match=r"gigq\.testing\.drain\(queue\)"):
                Worker(memory)


# what a job tells, and what says that there is none


def test_the_status_of_a_job_has_what_gigq_0_5_told(queue: JobQueue) -> None:
    job_id = queue.submit(Job("sum", functions.add, {"a": 1}, retry_delay=5, description=None))
    by_handler = queue.submit(Job("mail", "send_mail"))
    drain(queue, handlers={"send_mail": functions.nothing})
    status = queue.get_status(job_id)
    wanted = {"function_module": "functions", "function_name": "add", "retry_delay": 5, "retry_after": None}
    assert wanted.items() <= status.items()
    assert (status["pass_parent_results"], status["description"]) == (False, "")
    assert [(each["job_id"], each["result"]) for each in status["executions"]] == [(job_id, 1)]
    assert (queue.get_status(by_handler)["function_module"], queue.get_status(by_handler)["function_name"]) == (
        "", "send_mail",
    )  # fmt: skip


def test_the_instant_of_a_retry_is_told_while_it_is_waited_for(open_queue: Callable[..., JobQueue]) -> None:
    queue = open_queue(clock=ManualClock())
    job_id = queue.submit(Job("job", functions.fail, retry_delay="1m"))
    drain(queue)
    assert queue.get_status(job_id)["retry_after"] == "2026-01-01T00:01:00.000000Z"
    assert queue.get_status(job_id)["executions"][0]["result"] is None


def test_an_unknown_job_is_a_key_error_that_prints_plainly(queue: JobQueue) -> None:
    with pytest.raises(KeyError) as raised:
        queue.get_result("nobody")
    assert isinstance(raised.value, LookupError)
    assert str(raised.value) == "no job has the id 'nobody'"


@pytest.mark.parametrize(
    "error", [JobNotFound("a"), JobFailed("no", job_id="a", status="failed", error_type="ValueError")]
)
def test_an_error_can_be_sent_to_another_process(error: Exception) -> None:
    sent = pickle.loads(pickle.dumps(error))
    assert (type(sent), str(sent), vars(sent)) == (type(error), str(error), vars(error))
