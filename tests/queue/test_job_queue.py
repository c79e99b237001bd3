"""The class JobQueue: its shape, submitting jobs, finding them and waiting for them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import functions
import pytest

from gigq import InvalidJob, Job, JobFailed, JobNotFinished, JobNotFound, JobQueue, ManualClock, NotSerializable, task
from gigq.testing import drain

IN_ORDER = """
    submit submit_many enqueue transaction acting_as
    get_status get_result get_job steps full_id list_jobs find_jobs count stats metrics changes why next_jobs graph
    health info workflows wait result results
    cancel requeue_job cancel_jobs requeue_jobs reschedule pause resume configure queues workers scale stop_workers
    dead_letters
    history
    schedules
    dequeue complete fail execute_job
    clear_completed prune delete_job delete_jobs requeue_stuck check examine repair backup close
"""


def test_it_is_one_class_with_its_methods_in_the_order_in_which_people_need_them() -> None:
    assert JobQueue.__mro__ == (JobQueue, object)
    methods = [name for name in vars(JobQueue) if not name.startswith("_") and name != "db_path"]
    assert methods == IN_ORDER.split()


def test_its_docstring_names_every_method_in_the_same_order() -> None:
    contents = str(JobQueue.__doc__).partition("Safe to share")[0]
    assert [name for name in re.findall(r"`(\w+)`", contents) if hasattr(JobQueue, name)] == IN_ORDER.split()


def test_it_shows_where_it_is(queue: JobQueue, path: str) -> None:
    assert repr(queue) == f"JobQueue({path!r})"


def test_found_jobs_are_records_and_listed_jobs_are_dicts_of_them(queue: JobQueue) -> None:
    ids = queue.submit_many(Job(name, functions.nothing, tags=["t"]) for name in "abc")
    found = queue.find_jobs("pending", 2, offset=1, tags="t")
    assert [record.id for record in found] == ids[1::-1]
    assert queue.list_jobs("pending", 2, offset=1, tags="t") == [record.as_dict() for record in found]
    assert found[0] == queue.get_job(ids[1])


def test_the_id_of_a_job_is_known_before_it_is_submitted(queue: JobQueue) -> None:
    job = Job("job", functions.nothing)
    assert queue.submit(job) == job.id
    assert queue.get_status(job.id)["name"] == "job"


def test_the_same_id_submitted_twice_is_one_job(queue: JobQueue) -> None:
    first = queue.submit(Job("first", functions.nothing, id="one", tags=["t"]))
    second = queue.submit(Job("second", functions.nothing, id="one", tags=["u"]))
    assert first == second == "one"
    assert [(job["name"], job["tags"]) for job in queue.list_jobs()] == [("first", ["t"])]


def test_a_client_that_retries_after_a_crash_submits_once(queue: JobQueue) -> None:
    jobs = [Job(str(number), functions.nothing) for number in range(10)]
    queue.submit_many(jobs[:5])
    assert queue.submit_many(jobs) == [job.id for job in jobs]
    assert queue.count() == 10


def test_either_all_jobs_are_stored_or_none(queue: JobQueue) -> None:
    jobs = [Job(str(number), functions.nothing) for number in range(2500)]
    with pytest.raises(InvalidJob):
        queue.submit_many([*jobs, Job("bad", "functions:nothing", {"x": object()})])
    with pytest.raises(InvalidJob):
        queue.submit_many([*jobs, Job("orphan", functions.nothing, dependencies=["nobody"])])
    assert queue.count() == 0
    assert len(queue.submit_many(iter(jobs))) == queue.count() == 2500


def test_submitting_no_jobs_is_allowed(queue: JobQueue) -> None:
    assert queue.submit_many([]) == []


def test_a_function_is_stored_by_its_module_and_name(queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", functions.add, {"a": 1}))
    assert queue.get_status(job_id)["function"] == "functions:add"


def test_params_that_json_cannot_hold_are_refused_with_the_place(queue: JobQueue) -> None:
    with pytest.raises(NotSerializable, match=r'params\["user"\]\["avatar"\] is of type bytes, '):
        queue.submit(Job("job", "functions:nothing", {"user": {"avatar": b"x"}}))
    assert queue.count() == 0


def test_params_that_are_too_large_are_refused_with_their_size(open_queue: Callable[..., JobQueue]) -> None:
    large = Job("job", "functions:nothing", {"x": "y" * 1_000_000})
    with pytest.raises(NotSerializable, match=r"1,000,008 bytes .* pass a reference"):
        open_queue().submit(large)
    assert open_queue(params_limit=2_000_000).submit(large) == large.id


def test_a_plain_call_is_enqueued(open_queue: Callable[..., JobQueue], clock: ManualClock) -> None:
    queue = open_queue(clock=clock)
    by_function = queue.enqueue(functions.add, 1, b=2)
    by_name = queue.enqueue("functions:add", 5)
    by_task = queue.enqueue(functions.greet, name="ann")
    with_options = queue.enqueue(task(functions.add, priority="high"), a=7)
    assert queue.get_status(with_options)["priority"] == 100
    assert queue.get_status(by_task)["max_attempts"] == 5
    assert queue.get_status(by_function)["name"] == "add"
    drain(queue)
    assert [queue.get_result(each) for each in (by_function, by_name, by_task, with_options)] == [3, 5, "hello ann", 7]


def test_wait_returns_when_the_job_has_ended(queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", functions.add, {"a": 1}))
    worker = threading.Thread(target=drain, args=[queue])
    worker.start()
    assert queue.wait(job_id, timeout=60).result == 1
    assert queue.result(job_id) == 1
    worker.join()


def test_wait_returns_several_jobs_in_the_order_given(queue: JobQueue) -> None:
    ids = queue.submit_many(Job("job", functions.add, {"a": number}) for number in range(3))
    drain(queue)
    assert [record.result for record in queue.wait(reversed(ids))] == [2, 1, 0]
    assert queue.wait([]) == []


def test_wait_gives_up_at_its_timeout_and_the_job_goes_on(
    open_queue: Callable[..., JobQueue], clock: ManualClock
) -> None:
    queue = open_queue(clock=clock)
    job_id = queue.submit(Job("job", functions.nothing))
    with pytest.raises(JobNotFinished, match=f"^job {job_id} had not ended after 5 s$"):
        queue.wait(job_id, timeout=5)
    assert clock.monotonic() == pytest.approx(5, abs=0.2)
    assert queue.get_status(job_id)["status"] == "pending"


def test_wait_says_how_many_of_several_jobs_have_not_ended(open_queue: Callable[..., JobQueue]) -> None:
    queue = open_queue(clock=ManualClock())
    done = queue.submit(Job("done", functions.nothing))
    drain(queue)
    later = queue.submit(Job("later", functions.nothing))
    with pytest.raises(JobNotFinished, match=f"^1 of 2 jobs had not ended after 1 s: {later}$"):
        queue.wait([done, later], timeout=1)
    more = queue.submit_many(Job(name, functions.nothing) for name in "abc")
    with pytest.raises(JobNotFinished, match=f"^4 of 5 jobs had not ended after 60 s: {later}, .* and 1 more$"):
        queue.wait([done, later, *more], timeout="1m")
    with pytest.raises(JobNotFinished, match=f"^job {later} had not ended after 1 s$"):
        queue.wait([later, later], timeout=1)


def test_a_job_that_is_deleted_while_others_are_waited_for_is_not_found(open_queue: Callable[..., JobQueue]) -> None:
    class Meanwhile(ManualClock):
        """Something that happens while a caller sleeps."""

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            queue.prune()
            drain(queue)

    queue = open_queue(clock=Meanwhile())
    first = queue.submit(Job("first", functions.nothing))
    drain(queue)
    second = queue.submit(Job("second", functions.nothing))
    with pytest.raises(JobNotFound, match=first):
        queue.wait([first, second], timeout=10)


def test_an_id_may_be_shortened_to_a_beginning_that_no_other_has(queue: JobQueue) -> None:
    for job_id in ("abc1", "abc12", "xyz"):
        queue.submit(Job("job", functions.nothing, id=job_id))
    assert [queue.full_id(prefix) for prefix in ("x", "abc1", "abc12")] == ["xyz", "abc1", "abc12"]
    with pytest.raises(ValueError, match="2 jobs have ids that begin or end with 'abc'"):
        queue.full_id("abc")
    with pytest.raises(ValueError, match="handle must not be empty"):
        queue.full_id("")
    with pytest.raises(JobNotFound):
        queue.full_id("b")


def test_waiting_for_an_unknown_job_is_an_error_at_once(queue: JobQueue) -> None:
    for wait in (queue.wait, queue.result, queue.get_result):
        with pytest.raises(JobNotFound, match="nobody"):
            wait("nobody")


def test_asking_for_the_result_of_a_failed_job_raises_its_error(queue: JobQueue) -> None:
    job_id = queue.submit(Job("bad", functions.fail, max_attempts=1))
    drain(queue)
    with pytest.raises(JobFailed, match=r"\(bad\) ended as failed: ValueError: no") as caught:
        queue.result(job_id)
    assert (caught.value.job_id, caught.value.status, caught.value.error_type) == (job_id, "failed", "ValueError")
    assert caught.value.traceback is not None
    assert "in fail" in caught.value.traceback


def test_asking_for_the_result_of_a_cancelled_job_raises(queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", functions.nothing))
    queue.cancel(job_id)
    with pytest.raises(JobFailed, match="ended as cancelled"):
        queue.result(job_id)


def test_a_naive_timestamp_is_local_time(queue: JobQueue) -> None:
    queue.submit(Job("job", functions.nothing))
    drain(queue)
    now = queue.clock.now().astimezone().replace(tzinfo=None)
    assert queue.clear_completed(now.replace(year=now.year - 1).isoformat()) == 0
    assert queue.clear_completed(now.replace(year=now.year + 1).isoformat()) == 1
