"""The place of a job in a long loop, from the function to the file and to the next attempt."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from running import Pipes, Running
from store.verbs import File

from gigq import (
    Job,
    JobQueue,
    ManualClock,
    NotSerializable,
    SystemClock,
    Worker,
    current_job,
)
from gigq.errors import StoreError
from gigq.status import ExecutionStatus
from gigq.store.progress import write_cursors
from gigq.testing import drain

PATIENCE = 30


@pytest.fixture
def file(open_queue: Callable[..., JobQueue], clock: ManualClock) -> File:
    return File(open_queue(clock=clock), clock)


def cursor_of(queue: JobQueue, job_id: str) -> Any:
    return queue.get_status(job_id)["cursor"]


def ran(queue: JobQueue, function: Callable[[], Any]) -> Any:
    """What a job returns that calls this."""
    job_id = queue.submit(Job("job", "f"))
    drain(queue, handlers={"f": function})
    return queue.result(job_id)


@pytest.mark.parametrize(
    "place",
    [0, -5, 2**70, 1.5, True, "page 3", 'a "b" \\ \n', "ä", None, [1, "b"], {"day": "2026-01-01"}, []],
)
def test_a_cursor_is_what_json_gives_back_also_before_it_is_written(queue: JobQueue, place: Any) -> None:
    def function() -> Any:
        current_job().cursor = place
        return current_job().cursor

    assert ran(queue, function) == place
    (record,) = queue.find_jobs()
    assert (record.cursor, record.as_dict()["cursor"]) == (place, place)


def test_a_job_that_sets_no_cursor_has_none(queue: JobQueue) -> None:
    assert ran(queue, lambda: current_job().cursor) is None
    assert [record.cursor for record in queue.find_jobs()] == [None]


def test_a_value_that_changes_after_it_was_set_or_read_leaves_the_cursor_as_it_was(queue: JobQueue) -> None:
    def function() -> Any:
        job, place = current_job(), ["a"]
        job.cursor = place
        place.append("b")
        job.cursor.append("c")
        return job.cursor

    assert ran(queue, function) == ["a"]


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        (object(), "cursor is of type object, which JSON cannot hold"),
        ({"when": [date(2026, 1, 1)]}, r'cursor\["when"\]\[0\] is of type datetime.date'),
        ("x" * 100_000, "cursor has 100,002 bytes of JSON, and the limit is 100,000"),
        ("\ud800", "cursor"),
        pytest.param(10**5000, "cursor", id="digits"),
    ],
)
def test_what_json_lacks_is_refused_where_it_is_set_and_the_cursor_stays(
    queue: JobQueue, place: Any, problem: str
) -> None:
    def function() -> Any:
        job = current_job()
        job.cursor = 1
        with pytest.raises(NotSerializable, match=problem):
            job.cursor = place
        return job.cursor

    assert ran(queue, function) == 1


def test_infinity_is_a_place_as_it_is_a_result(queue: JobQueue) -> None:
    def function() -> bool:
        current_job().cursor = math.inf
        return current_job().cursor == math.inf

    assert ran(queue, function)


def test_outside_a_job_a_cursor_is_an_attribute_of_its_context() -> None:
    job = current_job()
    assert job.cursor is None
    job.cursor = {"page": 3}
    assert (job.cursor, current_job().cursor) == ({"page": 3}, None)
    with pytest.raises(NotSerializable):
        job.cursor = object()


@pytest.mark.parametrize("then", ["raise", "release", "return"])
def test_a_cursor_is_written_however_the_execution_ends(queue: JobQueue, then: str) -> None:
    job_id = queue.submit(Job("job", "progress_functions:place", {"then": then}, max_attempts=1))
    drain(queue)
    assert cursor_of(queue, job_id) == [1]


@pytest.mark.parametrize("mode", ["thread", "process"])
@pytest.mark.parametrize(
    ("then", "cursor", "result"),
    [("return", [1], []), ("raise", [1, 2], [1]), ("release", [1, 1], [1])],
)
def test_a_worker_writes_the_cursor_however_the_execution_ends(
    queue: JobQueue, run: Callable[..., Running], mode: str, then: str, cursor: list[int], result: list[int]
) -> None:
    run(mode=mode)
    job_id = queue.submit(Job("job", "progress_functions:place", {"then": then}, max_attempts=2))
    record = queue.wait(job_id, timeout=PATIENCE)
    assert (record.cursor, record.result) == (cursor, result)


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_a_worker_writes_the_cursor_of_a_job_that_it_stops_at_its_timeout(
    queue: JobQueue, run: Callable[..., Running], mode: str
) -> None:
    run(mode=mode)
    queue.wait(queue.submit(Job("import", "progress_functions:place", {"then": "return"})), timeout=PATIENCE)
    job_id = queue.submit(Job("job", "progress_functions:place", {"then": "spin"}, timeout=0.4, max_attempts=1))
    record = queue.wait(job_id, timeout=PATIENCE)
    assert (record.status, record.cursor) == ("timeout", [1])


def test_process_one_and_manual_consumption_keep_the_cursor_too(queue: JobQueue, path: str) -> None:
    job_id = queue.submit(Job("job", "progress_functions:place", {"then": "raise"}, max_attempts=3))
    with Worker(path) as worker:
        worker.process_one()
    assert cursor_of(queue, job_id) == [1]
    claim = queue.dequeue()
    assert claim is not None
    assert queue.execute_job(claim) == "completed"
    assert (cursor_of(queue, job_id), queue.result(job_id)) == ([1, 2], [1])


def test_a_cursor_is_in_the_file_while_the_job_runs(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes
) -> None:
    written = threading.Event()

    def function() -> None:
        current_job().cursor = "page 3"
        written.wait(PATIENCE)

    run(handlers={"f": function})
    job_id = queue.submit(Job("job", "f"))
    deadline = SystemClock().monotonic() + PATIENCE
    while cursor_of(queue, job_id) is None and SystemClock().monotonic() < deadline:
        SystemClock().sleep(0.01)
    assert cursor_of(queue, job_id) == "page 3"
    written.set()
    assert queue.wait(job_id, timeout=PATIENCE).cursor == "page 3"


def test_a_requeue_keeps_the_cursor_and_the_claim_brings_it(file: File) -> None:
    job_id = file.submit()
    (claim,) = file.claim()
    assert claim.cursor is None
    file.settle(claim, ExecutionStatus.FAILED, error="no", is_final=True, cursor='"page 3"')
    assert file.queue.requeue_job(job_id)
    (claim,) = file.claim()
    assert (claim.cursor, file.job(job_id).cursor) == ('"page 3"', "page 3")


def test_the_cursor_of_an_execution_that_was_taken_away_is_not_written(file: File) -> None:
    job_id = file.submit()
    (claim,) = file.claim()
    file.queue.cancel(job_id, running=True)
    with file.write() as tx:
        write_cursors(tx, {claim.execution_id: "1", 77: "2"})
    assert file.job(job_id).cursor is None


@pytest.mark.unsound("somebody has edited the cursor")
def test_a_cursor_that_somebody_has_spoilt_is_one_sentence(queue: JobQueue) -> None:
    def function() -> str:
        with pytest.raises(StoreError) as raised:
            current_job().cursor  # noqa: B018
        current_job().cursor = 1
        return str(raised.value)

    job_id = queue.submit(Job("job", "f"))
    with queue.database.write() as tx:
        tx.execute("UPDATE jobs SET cursor = 'page 3'")
    drain(queue, handlers={"f": function})
    assert queue.result(job_id) == (
        f"the cursor of job {job_id} is 'page 3', which gigq never wrote; mend it in the file, or requeue the job with "
        "restart=True"
    )


def test_nobody_can_write_a_cursor_that_a_worker_could_not_pass_on(queue: JobQueue) -> None:
    queue.submit(Job("job", "f"))
    with pytest.raises(StoreError, match="CHECK constraint failed"), queue.database.write() as tx:
        tx.execute("UPDATE jobs SET cursor = x'00'")


def test_what_json_lacks_in_a_cursor_is_converted_as_in_a_result(queue: JobQueue) -> None:
    def function() -> str:
        job = current_job()
        job.cursor = date(2026, 1, 1)
        return job.cursor

    job_id = queue.submit(Job("job", "f"))
    drain(queue, handlers={"f": function}, default=str)
    assert (queue.result(job_id), cursor_of(queue, job_id)) == ("2026-01-01", "2026-01-01")
