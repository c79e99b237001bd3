"""Replays: the exact call of a job, here and now, of which nothing is recorded."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobNotFound, JobQueue, NotSerializable, RetryLater, StoreError, Worker, current_job
from gigq.queue.replaying import Replayed, replay
from gigq.reports import Progress
from gigq.runtime.functions import Functions
from gigq.testing import drain

Function = Callable[..., Any]


def replayed(queue: JobQueue, job_id: str, handlers: Mapping[str, Function], **options: Any) -> Replayed:
    """Replay a job, and see that nothing has changed."""
    before = contents(queue)
    found = replay(queue, job_id, functions=Functions.of(handlers), **options)
    assert contents(queue) == before
    assert not [name for name in os.listdir(tempfile.gettempdir()) if name.startswith("gigq-replay-")]
    return found


def contents(queue: JobQueue) -> str:
    with sqlite3.connect(queue.db_path) as connection:
        text = "\n".join(connection.iterdump())
    connection.close()
    return hashlib.sha256(text.encode()).hexdigest()


def failed(queue: JobQueue, function: Function, **options: Any) -> str:
    """Submit a job, let its one attempt end, and return its id."""
    job_id = queue.submit(Job("a job", "f", **{"max_attempts": 1} | options))
    drain(queue, handlers={"f": function})
    return job_id


def test_a_replay_makes_the_exact_call_again_and_returns_its_result(queue: JobQueue) -> None:
    def function(*args: Any, **params: Any) -> list[Any]:
        job = current_job()
        return [args, params, job.id, job.name, job.attempt, job.max_attempts, list(job.tags), job.metadata]

    job_id = failed(queue, function, args=[1], params={"b": 2}, tags=["x", "a"], metadata={"m": 1}, max_attempts=3)
    found = replayed(queue, job_id, {"f": function})
    assert (found.report.status, found.error) == ("completed", None)
    expected = [[1], {"b": 2}, job_id, "a job", 1, 3, ["a", "x"], {"m": 1}]
    assert json.loads(found.report.result or "") == queue.result(job_id) == expected


def test_the_exception_of_a_replay_has_the_frames_of_the_function_alone(queue: JobQueue) -> None:
    def function(number: int) -> float:
        return 1 / number

    job_id = failed(queue, function, params={"number": 0})
    found = replayed(queue, job_id, {"f": function})
    assert (found.report.status, found.report.error_type) == ("failed", "ZeroDivisionError")
    assert isinstance(found.error, ZeroDivisionError)
    assert found.error.__traceback__ is not None
    assert found.error.__traceback__.tb_frame.f_locals == {"number": 0}


def test_a_replay_has_the_results_of_the_parents(queue: JobQueue) -> None:
    parent = queue.submit(Job("parent", "f", params={"value": 3}))

    def function(value: int, parent_results: dict[str, int] | None = None) -> int:
        return value + sum((parent_results or {}).values())

    child = queue.submit(Job("child", "f", params={"value": 4}, dependencies=[parent]))
    drain(queue, handlers={"f": function})
    assert replayed(queue, child, {"f": function}).report.result == "7"
    other = replayed(queue, child, {"f": function}, changes={"parent_results": {"x": 1}})
    assert other.report.result == "5"


@pytest.mark.parametrize(
    ("args", "params", "changes", "result"),
    [
        ([], {"a": 1, "b": 2}, {"b": 5}, "[1,5,{}]"),
        ([1, 2], {}, {"b": 5}, "[1,5,{}]"),
        ([1], {}, {"b": 5}, "[1,5,{}]"),
        ([1, 2], {}, {"c": [None]}, '[1,2,{"c":[null]}]'),
    ],
)
def test_an_argument_is_changed_however_it_was_given(
    queue: JobQueue, args: list[Any], params: dict[str, Any], changes: dict[str, Any], result: str
) -> None:
    def function(a: int, b: int = 0, **more: Any) -> list[Any]:
        return [a, b, more]

    job_id = failed(queue, function, args=args, params=params)
    assert replayed(queue, job_id, {"f": function}, changes=changes).report.result == result


def test_an_argument_that_the_function_does_not_take_is_refused(queue: JobQueue) -> None:
    def function(a: int, /, b: int) -> None: ...

    job_id = failed(queue, function, args=[1], params={"b": 2})
    with pytest.raises(ValueError, match=r"'f' has no parameter 'c'; it has b, a"):
        replayed(queue, job_id, {"f": function}, changes={"c": 1})
    with pytest.raises(NotSerializable):
        replayed(queue, job_id, {"f": function}, changes={"b": object()})


@pytest.mark.unsound("somebody has edited it")
@pytest.mark.parametrize(
    "spoiling",
    ["args = 'x'", "args = '{}'", "params = '[1]'", "params = x'ff00'", "metadata = '1'", "function = 7",
     "timeout = 'x'", "attempts = 'x'", "retry_on = 'x'", "pass_parent_results = -7", "cursor = 'x'"],
)  # fmt: skip
def test_a_job_that_somebody_has_spoilt_is_replayed_or_refused_in_a_sentence(queue: JobQueue, spoiling: str) -> None:
    def function(a: int = 0) -> object:
        job = current_job()
        return [job.attempt, job.deadline, job.metadata, job.cursor]

    job_id = queue.submit(Job("a job", "f"))
    with queue.database.write() as tx:
        tx.execute("PRAGMA ignore_check_constraints = ON")
        tx.execute(f"UPDATE jobs SET {spoiling}")
        tx.execute("PRAGMA ignore_check_constraints = OFF")
    for changes in ({}, {"a": 1}):
        try:
            found = replay(queue, job_id, functions=Functions.of({"f": function}), changes=changes)
        except StoreError as error:
            assert "\n" not in str(error)
        else:
            assert found.report.status in ("completed", "failed")


def test_steps_that_were_made_are_not_made_again_unless_they_are_to_be_forgotten(queue: JobQueue) -> None:
    calls: list[str] = []

    def made(name: str) -> str:
        calls.append(name)
        return name

    def function() -> list[str]:
        job = current_job()
        first = job.step("first", made, "first")
        if job.cursor is None:
            job.cursor = 1
            raise ConnectionError
        return [first, job.step("second", made, "second"), job.step("second", made, "second")]

    job_id = failed(queue, function)
    assert calls == ["first"]
    assert replayed(queue, job_id, {"f": function}).report.result == '["first","second","second"]'
    assert calls == ["first", "second", "second"]
    calls.clear()
    found = replayed(queue, job_id, {"f": function}, forgets_steps=True)
    assert (calls, found.report.error_type) == (["first"], "ConnectionError")


def test_what_a_transaction_of_a_replay_writes_is_gone_at_its_end(queue: JobQueue) -> None:
    sentences: list[str] = []

    def put(db: sqlite3.Connection, value: int) -> int:
        db.execute("CREATE TABLE IF NOT EXISTS account (value INTEGER)")
        db.execute("INSERT INTO account VALUES (?)", [value])
        (total,) = db.execute("SELECT sum(value) FROM account").fetchone()
        return int(total)

    def function() -> int:
        job = current_job()
        first = job.transact("first", put, 1)
        if os.environ.get("FAILS"):
            raise ConnectionError
        second = job.transact("second", put, 10)
        with job.transaction() as db:
            return first + second + put(db, 100)

    os.environ["FAILS"] = "1"
    try:
        job_id = failed(queue, function)
    finally:
        del os.environ["FAILS"]
    found = replayed(queue, job_id, {"f": function}, told=sentences.append)
    assert found.report.result == str(1 + 11 + 111)
    assert len(sentences) == 1
    assert sentences[0].startswith("the job writes to its queue's file: a copy takes its place (")
    again = replayed(queue, job_id, {"f": function}, forgets_steps=True)
    assert again.report.result == str(2 + 12 + 112)  # the table of the first attempt is in the copy


def test_what_a_replay_submits_is_told_and_not_stored(queue: JobQueue) -> None:
    def function(count: int) -> list[str]:
        job = current_job()
        return [*job.submit_many([Job("found", "g", {"n": n}) for n in range(count)]), job.submit(Job("last", "g"))]

    job_id = queue.submit(Job("a job", "f", params={"count": 2}))
    found = replayed(queue, job_id, {"f": function})
    assert len(found.submitted) == 3
    assert json.loads(found.report.result or "") == list(found.submitted)
    drain(queue, handlers={"f": function, "g": lambda n=0: n})
    assert queue.result(job_id) == list(found.submitted)  # the ids are those that the job itself gives them


def test_a_function_that_would_change_the_queue_by_an_object_of_its_own_is_refused(queue: JobQueue, path: str) -> None:
    def function(how: str) -> int:
        with JobQueue(path) as own:
            if how == "look":
                return own.count()
            if how == "wait":
                return own.wait(queue.find_jobs(status="completed")[0].id, timeout=30).attempts
            if how == "work":
                with Worker(own) as worker:
                    worker.process_one()
            own.enqueue("g")
        return 0

    said: list[str] = []
    for how in ("submit", "work"):
        job_id = failed(queue, lambda how: None, params={"how": how})
        found = replayed(queue, job_id, {"f": function})
        said.append(found.report.error or "")
        assert isinstance(found.error, RuntimeError)
    assert f"a job is replayed in this thread, which changes nothing in {path!r}" in said[0]
    for how, result in (("look", "3"), ("wait", "1")):
        looks = failed(queue, lambda how: None, params={"how": how})
        assert replayed(queue, looks, {"f": function}).report.result == result
    queue.enqueue("g")  # afterwards this thread may write again


def test_a_transaction_of_a_replay_takes_the_jobs_of_its_queue_with_it(queue: JobQueue, path: str) -> None:
    def put(db: sqlite3.Connection) -> None:
        with JobQueue(path) as own:
            own.enqueue("g")

    job_id = failed(queue, lambda: None)
    found = replayed(queue, job_id, {"f": lambda: current_job().transact("put", put)})
    assert "changes nothing in" in (found.report.error or "")


@pytest.mark.parametrize("status", ["pending", "running", "completed", "cancelled"])
def test_any_job_can_be_replayed_whatever_its_status(queue: JobQueue, status: str) -> None:
    job_id = queue.submit(Job("a job", "f"))
    if status == "running":
        queue.dequeue()
    if status == "completed":
        drain(queue, handlers={"f": lambda: 1})
    if status == "cancelled":
        queue.cancel(job_id)
    assert queue.get_status(job_id)["status"] == status
    found = replayed(queue, job_id, {"f": lambda: current_job().transact("a", lambda db: current_job().attempt)})
    assert found.report.result == "1"
    if status == "running":
        queue.cancel(job_id, running=True)


def test_a_replay_reads_a_queue_that_is_only_looked_at(queue: JobQueue, path: str) -> None:
    job_id = failed(queue, lambda: None)
    with JobQueue(path, read_only=True) as looked_at:
        found = replay(looked_at, job_id, functions=Functions.of({"f": lambda: current_job().transact("a", len_of)}))
    assert found.report.result == "1"


def len_of(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM jobs").fetchone()[0])


def test_progress_of_a_replay_is_told_the_last_one_always(queue: JobQueue) -> None:
    heard: list[Progress] = []
    told = threading.Event()

    def function() -> None:
        current_job().progress(1, 4)
        assert told.wait(30)
        current_job().progress(4, 4)

    def progressed(progress: Progress) -> None:
        heard.append(progress)
        told.set()
        raise OSError("the terminal is gone")

    job_id = failed(queue, lambda: None)
    assert replayed(queue, job_id, {"f": function}, progressed=progressed).error is None
    assert heard == [Progress(1, 4), Progress(4, 4)]


def test_a_function_that_asks_to_be_tried_again_has_not_failed(queue: JobQueue) -> None:
    def function() -> None:
        raise RetryLater(5)

    job_id = failed(queue, lambda: None)
    found = replayed(queue, job_id, {"f": function})
    assert (found.report.status, found.report.delay >= 5) == ("released", True)


def test_a_timeout_does_not_end_a_replay_and_is_known_to_its_function(queue: JobQueue) -> None:
    def function() -> bool:
        return current_job().deadline is not None

    job_id = failed(queue, function, timeout=0.001)
    assert replayed(queue, job_id, {"f": function}).report.result == "true"


def test_ctrl_c_in_a_replay_is_the_error_of_it(queue: JobQueue) -> None:
    def function() -> None:
        raise KeyboardInterrupt

    job_id = failed(queue, lambda: None)
    assert isinstance(replayed(queue, job_id, {"f": function}).error, KeyboardInterrupt)


def test_a_function_that_is_not_found_is_a_failed_replay(queue: JobQueue) -> None:
    job_id = queue.submit(Job("a job", "no_such_module_here:f"))
    found = replayed(queue, job_id, {}, changes={"a": 1})
    assert (found.report.is_missing, found.report.error_type) == (True, "ModuleNotFoundError")
    assert found.error is not None
    assert "no_such_module_here" not in sys.modules


def test_there_must_be_a_job_in_a_file(queue: JobQueue) -> None:
    with pytest.raises(JobNotFound):
        replay(queue, "no such job", functions=Functions())
    with JobQueue(":memory:") as memory, pytest.raises(ValueError, match="a queue in memory"):
        replay(memory, memory.enqueue("f"), functions=Functions())


def test_a_copy_that_does_not_fit_is_refused_in_a_sentence(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10}))
    job_id = failed(queue, lambda: None)
    found = replayed(queue, job_id, {"f": lambda: current_job().transact("a", len_of)})
    assert "has only 0.0 MB free for its 0." in (found.report.error or "")
