"""Steps of a job: called once, remembered, and passed over when its function begins anew."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from contextvars import copy_context
from datetime import date
from functools import partial
from typing import Any

import functions
import pytest
from running import Pipes, Running

from gigq import Job, JobContext, JobQueue, LeaseLost, QueueGone, StoreError, current_job
from gigq.testing import drain

PATIENCE = 30


class Called:
    """Functions that count how often they were called, by name."""

    def __init__(self) -> None:
        self.times: Counter[str] = Counter()

    def __call__(self, name: str, result: Any = None) -> Any:
        self.times[name] += 1
        return result


@pytest.fixture
def called() -> Called:
    return Called()


def ran(queue: JobQueue, function: Callable[[], Any], **options: Any) -> Any:
    """The record of a job that has called this function, as often as its attempts allow."""
    job_id = queue.submit(Job("job", "f", **options))
    drain(queue, handlers={"f": function})
    return queue.get_job(job_id)


def fail_at_first(job: JobContext) -> None:
    if job.attempt == 1:
        raise ConnectionError


# what is remembered


def test_a_retry_passes_over_the_steps_that_are_remembered(queue: JobQueue, called: Called) -> None:
    def function() -> list[Any]:
        job = current_job()
        first = job.step("first", called, "first", {"a": 1})
        fail_at_first(job)
        return [first, job.step("second", called, "second", 2)]

    record = ran(queue, function)

    assert record.result == [{"a": 1}, 2]
    assert called.times == {"first": 1, "second": 1}
    assert [(step.name, step.attempt, step.result) for step in queue.steps(record.id)] == [
        ("first", 1, {"a": 1}), ("second", 2, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("value", [None, False, 0, "", [], {}, "text", 1.5, [1, {"a": None}]])
def test_whatever_json_holds_is_remembered_also_nothing(queue: JobQueue, called: Called, value: Any) -> None:
    def function() -> Any:
        found = current_job().step("step", called, "step", value)
        fail_at_first(current_job())
        return [found]

    assert ran(queue, function).result == [value]
    assert called.times == {"step": 1}


def test_the_first_time_too_a_step_returns_what_json_gives_back(queue: JobQueue) -> None:
    value = {1: (2, 3)}
    record = ran(queue, lambda: current_job().step("step", lambda: value) == {"1": [2, 3]})
    assert record.result is True


def test_a_step_that_raises_is_not_remembered_whether_that_is_caught_or_not(queue: JobQueue, called: Called) -> None:
    def fail() -> None:
        called("fail")
        raise ValueError

    def function() -> None:
        job = current_job()
        with suppress(ValueError):
            job.step("fail", fail)
        job.step("after", called, "after")
        fail_at_first(job)

    record = ran(queue, function)

    assert called.times == {"fail": 2, "after": 1}
    assert [step.name for step in queue.steps(record.id)] == ["after"]


def test_a_loop_that_tries_a_step_again_calls_it_no_more_once_it_is_remembered(queue: JobQueue, called: Called) -> None:
    def charge(key: str) -> str:
        if called(key) or called.times[key] < 3:
            raise ConnectionError(key)
        return f"{key} is paid"

    def function() -> list[str]:
        job, found = current_job(), []
        for key in ("a", "b"):
            for _ in range(3):
                with suppress(ConnectionError):
                    found.append(job.step("charge", charge, key))
                    break
        fail_at_first(job)
        return found

    record = ran(queue, function)

    assert (record.result, called.times) == (["a is paid", "b is paid"], {"a": 3, "b": 3})
    assert [(step.name, step.occurrence) for step in queue.steps(record.id)] == [("charge", 1), ("charge", 2)]


def test_a_step_that_is_tried_again_passes_over_those_inside_it(queue: JobQueue, called: Called) -> None:
    def order(key: str) -> str:
        with ThreadPoolExecutor(1) as pool:  # a thread of its own each time
            pool.submit(copy_context().run, current_job().step, "reserve", called, "reserve").result()
        for part in ("a", "b"):
            current_job().step("charge", called, part)
        if called("order") or called.times["order"] < 3:
            raise ConnectionError(key)
        return key

    def function() -> str:
        for _ in range(2):
            with suppress(ConnectionError):
                return str(current_job().step("order", order, "x"))
        raise ConnectionError

    record = ran(queue, function)

    assert called.times == {"reserve": 1, "a": 1, "b": 1, "order": 3}
    assert [(step.name, step.occurrence) for step in queue.steps(record.id)] == [
        ("order/reserve", 1), ("order/charge", 1), ("order/charge", 2), ("order", 1)]  # fmt: skip


def test_renamed_added_and_reordered_steps_are_no_error(queue: JobQueue) -> None:
    def function() -> list[Any]:
        job = current_job()
        names = ["a", "b", "c"] if job.attempt == 1 else ["new", "c", "a"]
        found = [job.step(name, lambda: job.attempt) for name in names]
        fail_at_first(job)
        return found

    record = ran(queue, function)

    assert record.result == [2, 1, 1]
    assert [step.name for step in queue.steps(record.id)] == ["a", "b", "c", "new"]  # the old row stays, and is shown


def test_a_changed_argument_fails_the_job_for_good_whatever_is_worth_a_retry(queue: JobQueue, called: Called) -> None:
    def function() -> None:
        job = current_job()
        for page in ["a.html", "b.html"] if job.attempt == 1 else ["b.html"]:
            job.step("fetch", called, page)
        fail_at_first(job)

    record = ran(queue, function, max_attempts=5, retry_on=["Exception"])

    assert (record.status, record.attempts) == ("failed", 2)
    assert record.error.startswith(
        "StepChanged: step 'fetch' was remembered for [\"a.html\"] and is now called for [\"b.html\"]; name each"
    )
    assert record.executions[-1].error_type == "StepChanged"


def test_the_remembered_arguments_are_those_before_the_function_changed_them(queue: JobQueue) -> None:
    def function() -> list[int]:
        found: list[int] = current_job().step("sort", lambda numbers: numbers.sort() or numbers, [3, 1, 2])
        fail_at_first(current_job())
        return found

    assert ran(queue, function).result == [1, 2, 3]


def test_lambdas_methods_partials_and_keyword_arguments_are_as_good_as_any_function(queue: JobQueue) -> None:
    def function() -> list[Any]:
        job = current_job()
        return [
            job.step("lambda", lambda: 1),
            job.step("method", "a,b".split, ","),
            job.step("partial", partial(int, base=2), "101"),
            job.step("keywords", lambda name, function: f"{name} {function}", name="a", function="b"),
            job.step("class", dict, a=1),
        ]

    assert ran(queue, function).result == [1, ["a", "b"], 5, "a b", {"a": 1}]


# what is refused


def test_a_result_that_json_lacks_fails_the_job_for_good_and_says_that_the_step_did_run(
    queue: JobQueue, called: Called
) -> None:
    record = ran(queue, lambda: current_job().step("charge", called, "charge", {"at": [date(2026, 1, 1)]}))

    assert (record.status, record.attempts, called.times) == ("failed", 1, {"charge": 1})
    assert record.error == (
        "NotSerializable: step 'charge' has run, and is not remembered: its result[\"at\"][0] is of type "
        "datetime.date, which JSON cannot hold: use x.isoformat()"
    )
    assert queue.steps(record.id) == []


def test_a_result_that_json_lacks_is_converted_as_that_of_the_job(queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "f"))
    drain(queue, handlers={"f": lambda: current_job().step("today", date, 2026, 1, 1)}, default=str)
    assert (queue.result(job_id), queue.steps(job_id)[0].result) == ("2026-01-01", "2026-01-01")


def test_a_result_larger_than_the_limit_fails_the_job_for_good(queue: JobQueue, run: Callable[..., Running]) -> None:
    run(handlers={"f": lambda: len(current_job().step("load", lambda: "x" * 100))}, result_limit=101)
    job_id = queue.submit(Job("job", "f"))
    record = queue.wait(job_id, timeout=PATIENCE)
    assert (record.status, record.attempts) == ("failed", 1)
    assert "step 'load' has run, and is not remembered: its result has 102 bytes of JSON" in str(record.error)


async def coroutine() -> None:
    pass


async def asynchronous_generator() -> Any:
    yield


def generator() -> Iterator[None]:
    yield


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (coroutine, "coroutine, which is async; give it lambda: asyncio.run(coroutine(…))"),
        (asynchronous_generator, "asynchronous_generator, which is async"),
        (generator, "generator, which is a generator; give it lambda: list(generator(…))"),
        (7, "7, which is no function; give it the function and its arguments one by one"),
        (None, "None, which is no function"),
    ],
)
def test_what_a_step_cannot_call_is_refused_before_it_is_called(queue: JobQueue, function: Any, problem: str) -> None:
    record = ran(queue, lambda: current_job().step("step", function), max_attempts=1)
    with pytest.raises(TypeError) as outside:
        current_job().step("step", function)

    assert f"TypeError: step 'step' was given {problem}" in record.error
    assert f"step 'step' was given {problem}" in str(outside.value)


def test_asynchronous_code_runs_in_a_step_of_its_own_loop(queue: JobQueue) -> None:
    async def add(a: int, b: int) -> int:
        await asyncio.sleep(0)
        return a + b

    assert ran(queue, lambda: current_job().step("add", lambda: asyncio.run(add(1, 2)))).result == 3


# nesting and threads


def test_a_remembered_step_does_not_shift_those_that_others_call_inside(queue: JobQueue, called: Called) -> None:
    def function() -> list[Any]:
        job = current_job()
        found = []
        for item in ("a", "b"):
            found.append(job.step("outer", lambda: job.step("inner", called, "inner", item)))  # noqa: B023
        fail_at_first(job)
        return [*found, job.step("inner", called, "inner", "c")]

    record = ran(queue, function)

    assert record.result == ["a", "b", "c"]
    assert [(step.name, step.occurrence, step.depth) for step in queue.steps(record.id)] == [
        ("outer/inner", 1, 1), ("outer", 1, 0), ("outer[2]/inner", 1, 1), ("outer", 2, 0), ("inner", 1, 0),
    ]  # fmt: skip


def test_when_an_outer_step_fails_those_inside_it_are_remembered(queue: JobQueue, called: Called) -> None:
    def outer() -> Any:
        job = current_job()
        found = job.step("inner", called, "inner", 7)
        fail_at_first(job)
        return found

    assert ran(queue, lambda: current_job().step("outer", outer)).result == 7
    assert called.times == {"inner": 1}


def test_threads_of_the_job_make_steps_side_by_side_each_with_a_name_of_its_own(
    queue: JobQueue, called: Called
) -> None:
    items = [f"item {number}" for number in range(20)]

    def function() -> list[Any]:
        job = current_job()
        with ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(copy_context().run, job.step, item, called, item, item) for item in items]
            found = [future.result() for future in futures]
        fail_at_first(job)
        return found

    record = ran(queue, function)

    assert record.result == items
    assert set(called.times.values()) == {1}
    assert sorted(step.name for step in queue.steps(record.id)) == sorted(items)


def test_a_name_that_another_thread_has_used_is_refused_at_once(queue: JobQueue, called: Called) -> None:
    def function() -> str:
        job, refused = current_job(), list[str]()
        job.step("fetch", called, "fetch")

        def fetch() -> None:
            try:
                current_job().step("fetch", called, "fetch again")
            except RuntimeError as error:
                refused.append(str(error))

        thread = threading.Thread(target=copy_context().run, args=(fetch,))
        thread.start()
        thread.join()
        return refused[0]

    assert ran(queue, function).result.startswith("another thread of this job has used the step name 'fetch' before")
    assert called.times == {"fetch": 1}


def test_a_thread_that_outlives_the_job_remembers_nothing(queue: JobQueue, called: Called) -> None:
    told: list[BaseException] = []
    may_go = threading.Event()

    def late() -> None:
        may_go.wait(PATIENCE)
        try:
            current_job().step("late", called, "late")
        except RuntimeError as error:
            told.append(error)

    threads: list[threading.Thread] = []

    def function() -> None:
        current_job().step("early", called, "early")
        threads.append(threading.Thread(target=copy_context().run, args=(late,)))
        threads[0].start()

    record = ran(queue, function)
    may_go.set()
    threads[0].join()

    assert [step.name for step in queue.steps(record.id)] == ["early"]
    assert called.times == {"early": 1}
    assert "has ended" in str(told[0])


# when the job or the file is not what it was


@pytest.mark.parametrize("is_swallowed", [True, False])
def test_a_job_that_was_taken_away_remembers_nothing_and_its_report_changes_nothing(
    queue: JobQueue, called: Called, is_swallowed: bool
) -> None:
    lost: list[BaseException] = []

    def function() -> str:
        job = current_job()
        job.step("before", called, "before")
        with queue.database.write() as tx:
            tx.execute("UPDATE executions SET status = 'lost', completed_at = ? WHERE status = 'running'", (tx.stamp,))
            tx.execute("UPDATE jobs SET status = 'failed', completed_at = ?", (tx.stamp,))
        for name in ("after", "once more"):
            try:
                job.step(name, called, name)
            except LeaseLost as error:
                lost.append(error)
                if not is_swallowed:
                    raise
        return "done"

    record = ran(queue, function)

    assert (record.status, record.result, record.error, len(lost)) == ("failed", None, None, 1 + is_swallowed)
    assert [step.name for step in queue.steps(record.id)] == ["before"]


def test_a_result_that_somebody_has_edited_is_what_the_replay_returns(queue: JobQueue, called: Called) -> None:
    def function() -> Any:
        job = current_job()
        found = job.step("price", called, "price", 10)
        if job.attempt == 1:
            with queue.database.write() as tx:
                tx.execute("UPDATE job_steps SET result = '12'")
            raise ConnectionError
        return found

    assert ran(queue, function).result == 12
    assert called.times == {"price": 1}


@pytest.mark.unsound("somebody has edited a step")
@pytest.mark.parametrize("nonsense", ["{", "", "12,", "undefined"])
def test_a_result_that_somebody_has_spoilt_is_one_sentence(queue: JobQueue, called: Called, nonsense: str) -> None:
    def function() -> str:
        job = current_job()
        job.step("price", called, "price", 10)
        if job.attempt == 1:
            with queue.database.write() as tx:
                tx.execute("UPDATE job_steps SET result = ?", (nonsense,))
        raise ConnectionError

    record = ran(queue, function, max_attempts=2)

    problem = f"is {nonsense!r}, which gigq never wrote; mend it in the file"
    assert record.error == (
        f"StoreError: the result of step 'price' of job {record.id} {problem}, or forget it with requeue_job(id, "
        "from_step='price')"
    )
    with pytest.raises(StoreError, match=r"step 'price' of job .* cannot be read: its result"):
        queue.steps(record.id)
    assert queue.check() == [
        f"step 'price' of job {record.id!r} cannot be read: its result {problem}",
    ]


def test_an_exception_that_stops_the_job_leaves_no_transaction_open(
    queue: JobQueue, run: Callable[..., Running]
) -> None:
    """It may be raised anywhere in the code of a step, and another writer does not wait for it."""

    def function() -> None:
        for number in range(10**6):
            current_job().step(f"step {number}", int)

    run(handlers={"f": function}, concurrency=4)
    ids = queue.submit_many(Job("job", "f", timeout=0.1 + 0.013 * number, max_attempts=1) for number in range(8))
    assert [queue.wait(each, timeout=PATIENCE).status for each in ids] == ["timeout"] * 8
    with queue.database.write() as tx:
        assert tx.value("SELECT count(*) > 0 FROM job_steps")


def test_a_step_that_was_completed_before_the_job_was_cancelled_stays(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes, called: Called
) -> None:
    def function() -> None:
        job = current_job()
        job.step("first", called, "first")
        if called.times["hold"]:
            return
        called("hold")
        functions.spin(pipes.tell)

    run(handlers={"f": function})
    job_id = queue.submit(Job("job", "f"))
    pipes.wait_until_begun()
    queue.cancel(job_id, running=True)
    assert [step.name for step in queue.steps(job_id)] == ["first"]
    queue.requeue_job(job_id)
    assert queue.wait(job_id, timeout=PATIENCE).status == "completed"
    assert called.times == {"first": 1, "hold": 1}


# outside a job, and what is said


def test_outside_a_job_a_step_calls_its_function(called: Called) -> None:
    job = current_job()
    assert job.step("step", called, "step", (1, 2)) == [1, 2]
    assert job.step("step", called, "step", (1, 2)) == [1, 2]
    today = date(2026, 1, 1)
    assert job.step("day", lambda: today) is today  # a worker may know how to convert it
    assert called.times == {"step": 2}
    with pytest.raises(ValueError, match="the name of a step is 7; it must be text"):
        job.step(7, called)  # type: ignore[arg-type]


def test_a_job_that_begins_anew_says_how_many_steps_are_remembered(
    queue: JobQueue, called: Called, caplog: pytest.LogCaptureFixture
) -> None:
    def function() -> None:
        job = current_job()
        for name in "abc":
            job.step(name, called, name)
        fail_at_first(job)

    with caplog.at_level(logging.INFO, "gigq"):
        record = ran(queue, function)
    said = [record.getMessage() for record in caplog.records if "remembered" in record.getMessage()]
    assert said == [f"job {record.id} (job) begins anew, 3 steps are remembered"]


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_steps_are_remembered_whatever_the_worker_runs_its_jobs_in(
    queue: JobQueue, run: Callable[..., Running], mode: str
) -> None:
    run(mode=mode)
    job_id = queue.submit(Job("job", "progress_functions:two_steps"))
    assert queue.result(job_id, timeout=PATIENCE) == [1, 2]
    assert [(step.name, step.attempt, step.result) for step in queue.steps(job_id)] == [
        ("first", 1, 1), ("second", 2, 2),
    ]  # fmt: skip


def test_process_one_execute_job_and_a_queue_in_memory_remember_steps() -> None:
    with JobQueue(":memory:") as queue:
        job_id = queue.submit(Job("job", "progress_functions:two_steps"))
        for _ in range(2):
            claim = queue.dequeue()
            assert claim is not None
            queue.execute_job(claim)
        assert queue.result(job_id) == [1, 2]
        assert [step.name for step in queue.steps(job_id)] == ["first", "second"]


# inside a transaction


def in_the_queues_transaction(queue: JobQueue, step: Callable[[], Any]) -> Any:
    with queue.transaction():
        return step()


def in_transact(queue: JobQueue, step: Callable[[], Any]) -> Any:
    return current_job().transact("transact", lambda db: step())


def in_the_jobs_transaction(queue: JobQueue, step: Callable[[], Any]) -> Any:
    with current_job().transaction():
        return step()


def after_the_jobs_transaction(queue: JobQueue, step: Callable[[], Any]) -> Any:
    with current_job().transaction():
        pass
    return step()


@pytest.mark.parametrize("place", ["file", "memory"])
@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (in_the_queues_transaction, "step 'charge' is called while this thread has a transaction open on"),
        (in_transact, "step('charge', …) is called inside a transaction of its job"),
        (in_the_jobs_transaction, "step('charge', …) is called inside a transaction of its job"),
        (after_the_jobs_transaction, "is its last act"),
    ],
)
def test_a_step_is_refused_in_a_transaction_before_its_function_is_called(
    open_queue: Callable[..., JobQueue], called: Called, place: str, call: Callable[..., Any], problem: str
) -> None:
    with JobQueue(":memory:") if place == "memory" else open_queue() as queue:

        def function() -> Any:
            job = current_job()
            job.step("before", called, "before")
            return call(queue, lambda: job.step("charge", called, "charge"))

        record = ran(queue, function, max_attempts=1)

        assert "RuntimeError" in record.error
        assert problem in record.error
        assert called.times == {"before": 1}
        assert [step.name for step in queue.steps(record.id)] == ["before"]


def test_a_transaction_inside_a_step_has_its_name(queue: JobQueue) -> None:
    def function() -> Any:
        job = current_job()
        found = job.step("outer", lambda: job.transact("inner", lambda db: 5))
        fail_at_first(job)
        return found

    record = ran(queue, function)

    assert record.result == 5
    assert [(step.name, step.depth, step.kind) for step in queue.steps(record.id)] == [
        ("outer/inner", 1, "transaction"), ("outer", 0, "step"),
    ]  # fmt: skip


def test_the_arguments_of_a_transaction_are_compared_as_those_of_a_step(queue: JobQueue) -> None:
    def function() -> None:
        job = current_job()
        job.transact("add", lambda db, amount: amount, job.attempt)
        fail_at_first(job)

    record = ran(queue, function, max_attempts=5)
    assert (record.status, record.attempts) == ("failed", 2)
    assert "step 'add' was remembered for [1] and is now called for [2]" in record.error


def test_a_transaction_whose_result_json_lacks_is_rolled_back_and_fails_the_job_for_good(queue: JobQueue) -> None:
    record = ran(queue, lambda: current_job().transact("add", lambda db: {1, 2}))
    assert (record.status, record.attempts, queue.steps(record.id)) == ("failed", 1, [])
    assert "NotSerializable: step 'add' is rolled back: its result is of type set" in record.error


# what the file does meanwhile


def test_errors_of_the_file_reach_the_function_and_the_step_runs_again(
    open_queue: Callable[..., JobQueue], called: Called, path: str
) -> None:
    queue = open_queue(timeout=0.05)

    def function() -> str:
        job = current_job()
        job.step("first", called, "first")
        if job.attempt > 1:
            return str(job.step("second", called, "second", "done"))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            job.step("second", called, "second", "done")
        return ""

    record = ran(queue, function)

    assert (record.status, record.result, called.times) == ("completed", "done", {"first": 1, "second": 2})
    assert record.executions[0].error_type == "QueueBusy"


def test_a_file_that_is_gone_is_an_error_inside_the_function(queue: JobQueue, path: str, called: Called) -> None:
    def function() -> str:
        job = current_job()
        job.step("first", called, "first")
        os.rename(path, f"{path}.moved")
        try:
            job.step("second", called, "second")
        except QueueGone:
            return "gone"
        finally:
            os.rename(f"{path}.moved", path)
        return "there"

    assert ran(queue, function).result == "gone"
