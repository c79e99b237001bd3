"""An executor in process mode: exceptions that come from elsewhere, and processes that die."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pool_functions
import pytest

from gigq import JobFailed, JobQueue, NotSerializable, QueueExecutor

SECONDS = 30.0


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueueExecutor]:
    path = tmp_path_factory.mktemp("processes") / "jobs.db"
    with QueueExecutor(path, 2, mode="process", name="it") as executor:
        yield executor
    with JobQueue(path) as queue:
        assert queue.check() == []


def test_an_exception_is_made_anew_with_its_arguments_its_attributes_and_its_traceback(
    executor: QueueExecutor,
) -> None:
    error = executor.submit(pool_functions.raise_fine).exception(SECONDS)

    assert type(error) is pool_functions.Fine
    assert error.args == ("fine", {"a": [1]})
    assert error.noted == "in the child"
    assert "pool_functions.py" in str(error.__cause__)
    assert "in raise_fine" in str(error.__cause__)


def test_an_exception_of_the_system_has_its_file(executor: QueueExecutor) -> None:
    error = executor.submit(pool_functions.open_missing, "/no/such/file").exception(SECONDS)

    assert isinstance(error, FileNotFoundError)
    assert error.filename == "/no/such/file"


def test_an_exception_that_has_other_arguments_than_its_class_takes(executor: QueueExecutor) -> None:
    odd = executor.submit(pool_functions.raise_odd).exception(SECONDS)
    twice = executor.submit(pool_functions.raise_prefixed, "no").exception(SECONDS)

    assert isinstance(odd, pool_functions.Odd)
    assert (odd.args, odd.code) == (("odd",), 3)
    assert (repr(twice), "in raise_prefixed" in str(twice and twice.__cause__)) == ("Prefixed('never: no')", True)


@pytest.mark.parametrize("name", ["raise_odd_bytes", "raise_with_bytes", "raise_local"])
def test_an_exception_that_cannot_be_made_anew_is_a_failed_job(name: str, executor: QueueExecutor) -> None:
    error = executor.submit(getattr(pool_functions, name)).exception(SECONDS)

    assert isinstance(error, JobFailed)
    assert name in str(error.traceback)
    assert name in str(error.__cause__)


def test_a_result_that_json_cannot_hold_is_refused_with_its_place(executor: QueueExecutor) -> None:
    with pytest.raises(NotSerializable, match="result is of type set"):
        executor.submit(pool_functions.a_set).result(SECONDS)


def test_a_call_that_a_dying_process_takes_along_is_made_again(executor: QueueExecutor, tmp_path: Path) -> None:
    assert executor.submit(pool_functions.die_once, str(tmp_path / "died")).result(SECONDS) == "lives"


def test_a_call_that_always_kills_its_process_fails_alone(executor: QueueExecutor) -> None:
    deadly, others = executor.submit(pool_functions.die), executor.map(pool_functions.double, range(20))

    assert list(others) == [2 * number for number in range(20)]
    error = deadly.exception(SECONDS)
    assert isinstance(error, JobFailed)
    assert error.error_type == "ProcessDied"


def test_an_initializer_is_called_in_each_process_and_processes_are_replaced(tmp_path: Path) -> None:
    with QueueExecutor(
        tmp_path / "jobs.db", 1, mode="process", initializer=pool_functions.set_up, initargs=("ready",),
        max_tasks_per_child=2,
    ) as executor:  # fmt: skip
        assert list(executor.map(pool_functions.what_was_set_up, range(2))) == ["ready"] * 2
        assert len(set(executor.map(pool_functions.pid, range(4)))) == 2


def test_an_initializer_that_fails_breaks_the_executor(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with QueueExecutor(
        path, 1, mode="process", name="it", initializer=pool_functions.fail_to_set_up
    ) as executor:  # fmt: skip
        with pytest.raises(BrokenProcessPool, match="no such device"):
            executor.submit(pool_functions.double, 1).result(SECONDS)
        with pytest.raises(BrokenProcessPool):
            executor.submit(pool_functions.double, 2)
    with JobQueue(path) as queue:
        assert [job.status for job in queue.find_jobs()] == ["pending"]


def test_results_of_threads_are_found_by_processes(tmp_path: Path) -> None:
    with QueueExecutor(tmp_path / "jobs.db", 1, name="it") as executor:
        here = executor.submit(pool_functions.pid).result(SECONDS)
    with QueueExecutor(tmp_path / "jobs.db", 1, name="it", mode="process") as executor:
        assert executor.submit(pool_functions.pid).result(SECONDS) == here


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_tasks_per_child": 1}, "max_tasks_per_child is 1; it goes with mode"),
        ({"mode": "process", "max_tasks_per_child": 0}, "max_tasks_per_child is 0"),
        ({"mode": "coroutine"}, "mode is 'coroutine'"),
        ({"name": "a#run-b"}, "name is 'a#run-b'; it must not contain '#run-'"),
        ({"name": ""}, "name"),
        ({"max_workers": 0}, "max_workers is 0"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        QueueExecutor(tmp_path / "jobs.db", **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a worker needs a file"):
        QueueExecutor(":memory:")
    assert not (tmp_path / "jobs.db").exists()
