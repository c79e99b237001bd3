"""What others do to the file of an executor, and its jobs, reaches the futures: nobody waits for ever."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError
from pathlib import Path

import pool_functions
import pytest
from pool_functions import CALLS, EVENTS
from small_disk import CannotMount, Disk

from gigq import JobFailed, JobQueue, QueueExecutor, QueueGone, StoreError, SystemClock
from gigq.executor import board

SECONDS = 30.0


@pytest.fixture(autouse=True)
def _reset(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.CRITICAL + 1)
    pool_functions.reset()
    yield
    for event in EVENTS.values():
        event.set()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


def id_of(path: Path, argument: object) -> str:
    """The id of the job of a call, once it is stored."""
    with JobQueue(path) as queue:
        while True:
            for job in queue.find_jobs():
                if job.args == [argument]:
                    return job.id
            SystemClock().sleep(0.005)


@pytest.mark.parametrize("name", [None, "crawl"])
def test_a_job_that_a_person_cancels_or_deletes_while_it_waits(name: str | None, path: Path) -> None:
    with QueueExecutor(path, 1, name=name) as executor, JobQueue(path) as queue:
        executor.submit(pool_functions.held, "a")
        cancelled, deleted = (executor.submit(pool_functions.noted, each) for each in ("cancelled", "deleted"))
        EVENTS["a began"].wait(SECONDS)
        assert queue.cancel(id_of(path, "cancelled"))
        assert queue.delete_job(id_of(path, "deleted"))

        with pytest.raises(CancelledError):
            cancelled.result(SECONDS)
        with pytest.raises(JobFailed, match="was deleted"):
            deleted.result(SECONDS)
        EVENTS["a may end"].set()
    assert CALLS == []


def test_a_job_that_a_person_cancels_while_it_runs(path: Path) -> None:
    with QueueExecutor(path, 1, name="crawl") as executor, JobQueue(path) as queue:
        future = executor.submit(pool_functions.spin_for, "it")
        EVENTS["it began"].wait(SECONDS)
        assert queue.cancel(id_of(path, "it"), running=True)
        with pytest.raises(CancelledError):
            future.result(SECONDS)


def test_a_job_that_a_person_moves_comes_back(path: Path) -> None:
    with QueueExecutor(path, 1, name="crawl") as executor, JobQueue(path) as queue:
        executor.submit(pool_functions.held, "a")
        future = executor.submit(pool_functions.noted, "b")
        assert queue.reschedule(id_of(path, "b"), queue="elsewhere")
        EVENTS["a may end"].set()
        assert future.result(SECONDS) == "b"


def test_a_worker_that_is_stopped_from_outside(path: Path) -> None:
    with QueueExecutor(path, 1, name="crawl") as executor, JobQueue(path) as queue:
        running, waiting = executor.submit(pool_functions.held, "a"), executor.submit(pool_functions.noted, "b")
        EVENTS["a began"].wait(SECONDS)
        id_of(path, "b")
        assert queue.stop_workers(graceful=False) == 1
        for future in (running, waiting):
            with pytest.raises(BrokenExecutor, match="told to stop"):
                future.result(SECONDS)
        with pytest.raises(BrokenExecutor, match="told to stop"):
            executor.submit(pool_functions.noted, "c")
    assert CALLS == []


@pytest.mark.unsound
def test_a_file_that_is_deleted(path: Path) -> None:
    with QueueExecutor(path, 1, name="crawl") as executor:
        running, waiting = executor.submit(pool_functions.held, "a"), executor.submit(pool_functions.noted, "b")
        EVENTS["a began"].wait(SECONDS)
        id_of(path, "b")
        path.rename(path.with_suffix(".gone"))
        EVENTS["a may end"].set()
        for future in (running, waiting):
            with pytest.raises(QueueGone):
                future.result(SECONDS)
        with pytest.raises(BrokenExecutor):
            executor.submit(pool_functions.noted, "c")


def test_a_disk_that_stays_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "PATIENCE", 0.5)
    try:
        disk = Disk(tmp_path, megabytes=8)
    except CannotMount as error:
        pytest.skip(f"a tmpfs cannot be mounted here: {error}")
    try:
        with QueueExecutor(tmp_path / "jobs.db", 1, name="crawl") as executor:
            future = executor.submit(pool_functions.held, "a")
            EVENTS["a began"].wait(SECONDS)
            disk.fill()
            EVENTS["a may end"].set()
            more = executor.submit(pool_functions.noted, "x" * 900_000)
            with pytest.raises(StoreError):
                more.result(SECONDS)
            assert future.done()
            disk.free()
        with QueueExecutor(tmp_path / "jobs.db", 1, name="crawl") as executor:
            assert executor.submit(pool_functions.held, "a").result(SECONDS) == "a"
    finally:
        disk.unmount()


@pytest.mark.unsound
def test_a_file_that_is_no_queue(path: Path) -> None:
    path.write_text("something else, and enough of it")
    with pytest.raises(StoreError):
        QueueExecutor(path)


def test_a_second_executor_of_a_name_is_refused_with_the_process(path: Path) -> None:
    with QueueExecutor(path, 1, name="crawl") as executor:
        with pytest.raises(RuntimeError, match=f"the executor 'crawl' is in use by process {os.getpid()}"):
            QueueExecutor(path, 1, name="crawl")
        with QueueExecutor(path, 1, name="crawl more"), QueueExecutor(path, 1), QueueExecutor(path, 1):
            pass
        assert executor.submit(pool_functions.noted, "a").result(SECONDS) == "a"
    with QueueExecutor(path, 1, name="crawl") as executor:
        assert executor.submit(pool_functions.noted, "a").result(SECONDS) == "a"
    assert CALLS == ["a"]


def test_leftovers_without_a_name_are_cancelled_at_the_next_start(path: Path) -> None:
    with JobQueue(path) as queue:
        from gigq import Job

        dead = queue.submit(Job("left", pool_functions.nothing, queue="#run-2026-01-01T00:00:00Z-abc"))
        named = queue.submit(Job("left", pool_functions.nothing, queue="crawl#run-2026-01-01T00:00:00Z-abc"))
        with QueueExecutor(path, 1) as living:
            living.submit(pool_functions.held, "a")
            waiting = living.submit(pool_functions.noted, "b")
            id_of(path, "b")
            with QueueExecutor(path, 1):
                pass
            EVENTS["a may end"].set()
            assert waiting.result(SECONDS) == "b"
        assert [queue.get_job(each).status for each in (dead, named)] == ["cancelled", "pending"]  # type: ignore[union-attr]


def test_a_fork_cannot_use_the_executor_of_its_parent(path: Path) -> None:
    with QueueExecutor(path, 1, name="crawl") as executor:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                executor.submit(pool_functions.noted, "a")
            except RuntimeError as error:
                executor.shutdown()
                status = 7 if "of which this is a fork" in str(error) else 2
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        assert executor.submit(pool_functions.noted, "b").result(SECONDS) == "b"


def test_an_executor_that_nobody_holds_makes_its_calls_and_ends(path: Path) -> None:
    futures = [QueueExecutor(path, 1, name="crawl").submit(pool_functions.noted, "a")]

    assert futures[0].result(SECONDS) == "a"
    while any(each.name == "gigq-executor" for each in threading.enumerate()):
        SystemClock().sleep(0.005)
    with QueueExecutor(path, 1, name="crawl") as executor:
        assert executor.submit(pool_functions.noted, "a").result(SECONDS) == "a"
    assert CALLS == ["a"]


def test_the_progress_of_an_executor_that_nobody_holds_ends_with_it(path: Path) -> None:
    executor = QueueExecutor(path, 1, progress=True)
    future, progress = executor.submit(pool_functions.double, 1), executor._progress
    assert progress is not None
    del executor

    assert future.result(SECONDS) == 2
    progress._thread.join(SECONDS)
    assert not progress._thread.is_alive()


def test_many_calls_cancelled_at_once_are_cancelled_in_the_file(path: Path) -> None:
    with QueueExecutor(path, 1, name="crawl") as executor:
        executor.submit(pool_functions.held, "a")
        futures = [executor.submit(pool_functions.noted, number) for number in range(1500)]
        EVENTS["a began"].wait(SECONDS)
        id_of(path, 1499)
        executor.shutdown(wait=False, cancel_futures=True)
        assert all(future.cancelled() for future in futures)
        EVENTS["a may end"].set()
    with JobQueue(path) as queue:
        assert queue.stats() == {**queue.stats(), "cancelled": 1500, "completed": 1}
    assert CALLS == []
