"""Who stores something to do wakes who waits, and a bell that cannot ring does no harm."""

from __future__ import annotations

import os
import select
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import functions
import pytest
from store.verbs import File

from gigq import Job, JobQueue, QueueGone, UnknownParent, Worker
from gigq.status import ExecutionStatus
from gigq.store import workers
from gigq.store.engine.bell import HAS_FIFOS, Bell

pytestmark = pytest.mark.skipif(not HAS_FIFOS, reason="this system has no FIFOs")

TESTS = Path(__file__).parents[2]


class Listener:
    """A process that waits for a bell."""

    def __init__(self, path: str) -> None:
        self.bell = Bell(path)
        self.file = self.bell.listen()

    def hears(self, seconds: float = 0) -> bool:
        """Whether the bell rings within this many seconds; the rings are taken out."""
        assert self.file is not None
        readable, _, _ = select.select([self.file], [], [], seconds)
        assert self.bell.clear() == bool(readable)
        return bool(readable)


@pytest.fixture
def listen(path: str) -> Iterator[Callable[[], Listener]]:
    listeners: list[Listener] = []

    def one() -> Listener:
        listeners.append(Listener(path))
        return listeners[-1]

    yield one
    for listener in listeners:
        listener.bell.close()


@pytest.fixture
def listener(file: File, listen: Callable[[], Listener]) -> Listener:
    """Listens to a queue in which nothing has happened yet."""
    return listen()


def bell_file(path: str) -> Path:
    return Path(f"{path}-bell")


# without a listener


def test_without_a_listener_nothing_rings_and_no_file_is_left(path: str) -> None:
    Bell(path).ring()
    assert not bell_file(path).exists()


def test_a_submit_leaves_no_fifo(path: str, queue: JobQueue) -> None:
    queue.submit(Job("job", functions.nothing))
    assert not bell_file(path).exists()


def test_a_bell_whose_listener_has_gone_does_not_block(path: str, listen: Callable[[], Listener]) -> None:
    listen().bell.close()
    Bell(path).ring()
    assert not listen().hears()


def test_without_listening_nothing_is_heard(path: str) -> None:
    bell = Bell(path)
    assert not bell.clear()
    bell.close()
    bell.remove()


def test_a_file_in_place_of_the_fifo_does_no_harm(path: str, queue: JobQueue) -> None:
    bell_file(path).write_bytes(b"mine")
    job_id = queue.submit(Job("job", functions.nothing))
    assert queue.get_status(job_id)["exists"]


# with one


def test_a_listener_hears_a_ring_once(path: str, listen: Callable[[], Listener]) -> None:
    listener = listen()
    assert not listener.hears()
    Bell(path).ring()
    assert listener.hears()
    assert not listener.hears()


def test_a_bell_that_was_deleted_is_made_again_under_another_number(path: str) -> None:
    bell = Bell(path)
    before = bell.listen()
    bell_file(path).unlink()
    assert bell.listen() not in (None, before), "who waits would take the new file for the old one"
    bell.close()


def test_clearing_empties_the_bell_however_often_it_rang(path: str, listen: Callable[[], Listener]) -> None:
    listener = listen()
    for _ in range(100):
        Bell(path).ring()
    assert listener.hears()
    assert not listener.hears()


def test_many_rings_do_not_block(path: str, listen: Callable[[], Listener]) -> None:
    """A pipe holds 65,536 bytes; when it is full, enough rings are waiting to be heard."""
    listener, bell = listen(), Bell(path)
    for _ in range(70_000):
        bell.ring()
    assert listener.hears()
    while listener.hears():
        pass
    bell.ring()
    assert listener.hears()


def test_one_ring_wakes_all_that_wait(path: str, listen: Callable[[], Listener]) -> None:
    listeners = [listen() for _ in range(3)]
    Bell(path).ring()
    files = [listener.file for listener in listeners]
    assert sorted(select.select(files, [], [], 0)[0]) == sorted(files)  # type: ignore[type-var]


def test_the_fifo_belongs_to_its_owner_alone(path: str, listen: Callable[[], Listener]) -> None:
    listen()
    mode = bell_file(path).stat().st_mode
    assert stat.S_ISFIFO(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_listening_twice_is_listening_once(path: str, listen: Callable[[], Listener]) -> None:
    listener = listen()
    assert listener.bell.listen() == listener.file


def test_a_deleted_fifo_is_made_again(path: str, listen: Callable[[], Listener]) -> None:
    listener = listen()
    bell_file(path).unlink()
    listener.file = listener.bell.listen()
    Bell(path).ring()
    assert listener.hears()


def test_a_replaced_fifo_is_opened_again(path: str, listen: Callable[[], Listener]) -> None:
    listener = listen()
    other = Path(f"{path}-other")
    os.mkfifo(other)
    other.rename(bell_file(path))
    listener.file = listener.bell.listen()
    Bell(path).ring()
    assert listener.hears()


# what rings


def test_a_submit_rings(file: File, listener: Listener) -> None:
    file.submit()
    assert listener.hears()


def test_a_submit_from_another_process_rings(path: str, file: File, listener: Listener) -> None:
    script = "import sys, gigq; gigq.JobQueue(sys.argv[1]).enqueue('functions:nothing')"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
    subprocess.run([sys.executable, "-c", script, path], env=environment, check=True)
    assert listener.hears()
    assert file.queue.count("pending") == 1


def test_a_submit_from_another_process_wakes_a_worker_that_is_already_waiting(
    path: str, file: File, listener: Listener
) -> None:
    heard: list[bool] = []
    waiting = threading.Thread(target=lambda: heard.append(listener.hears(30)))
    waiting.start()
    script = "import sys, gigq; gigq.JobQueue(sys.argv[1]).enqueue('functions:nothing')"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
    subprocess.run([sys.executable, "-c", script, path], env=environment, check=True)
    waiting.join()
    assert heard == [True]


def test_a_requeue_rings(file: File, listener: Listener) -> None:
    job_id = file.submit()
    file.fail(job_id)
    listener.hears()
    assert file.queue.requeue_job(job_id)
    assert listener.hears()


def test_a_child_that_has_become_ready_rings(file: File, listener: Listener) -> None:
    parent = file.submit("parent")
    file.submit("child", dependencies=[parent])
    listener.hears()
    file.complete(parent)
    assert listener.hears()


def test_a_job_without_children_that_completes_does_not_ring(file: File, listener: Listener) -> None:
    job_id = file.submit()
    listener.hears()
    file.complete(job_id)
    assert not listener.hears()


@pytest.mark.parametrize("status", [ExecutionStatus.FAILED, ExecutionStatus.RELEASED])
def test_a_job_that_comes_back_rings(file: File, listener: Listener, status: ExecutionStatus) -> None:
    file.submit()
    (claim,) = file.claim()
    listener.hears()
    file.settle(claim, status)
    assert listener.hears()


def test_the_jobs_of_a_dead_worker_ring(file: File, listener: Listener) -> None:
    file.submit()
    file.claim()
    listener.hears()
    with file.write() as tx:
        workers.expel(tx, file.worker)
    assert listener.hears()


def test_a_running_job_that_is_cancelled_rings(file: File, listener: Listener) -> None:
    job_id = file.submit()
    file.claim()
    listener.hears()
    assert file.queue.cancel(job_id, running=True)
    assert listener.hears()


def test_a_request_to_workers_rings(file: File, listener: Listener) -> None:
    file.queue.scale(2)
    assert listener.hears()
    file.queue.stop_workers()
    assert listener.hears()


def test_a_claim_does_not_ring(file: File, listener: Listener) -> None:
    file.submit()
    listener.hears()
    file.claim()
    assert not listener.hears()


def test_the_same_id_a_second_time_does_not_ring(file: File, listener: Listener) -> None:
    file.submit(id="once")
    listener.hears()
    file.submit(id="once")
    assert not listener.hears()


def test_a_submit_that_is_refused_does_not_ring(file: File, listener: Listener) -> None:
    with pytest.raises(UnknownParent):
        file.queue.submit_many([Job("good", functions.nothing), Job("bad", functions.nothing, dependencies=["no one"])])
    assert not listener.hears()


def test_a_transaction_that_is_rolled_back_does_not_ring(file: File, listener: Listener) -> None:
    with pytest.raises(RuntimeError, match="no"), file.write() as tx:
        workers.scale(tx, 4, worker_id=None)
        assert tx.has_news
        raise RuntimeError("no")
    assert not listener.hears()


def test_the_bell_rings_after_the_commit_and_not_before(file: File, listener: Listener) -> None:
    with file.write() as tx:
        workers.scale(tx, 4, worker_id=None)
        assert not listener.hears()
    assert listener.hears()


def test_a_commit_that_fails_does_not_ring(path: str, file: File, listener: Listener) -> None:
    moved = Path(path).rename(f"{path}.moved")
    with pytest.raises(QueueGone):
        file.submit()
    assert not listener.hears()
    moved.rename(path)


def test_without_fifos_an_idle_worker_finds_new_jobs_by_polling(
    path: str, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gigq.store.engine.bell.HAS_FIFOS", False)
    with Worker(path) as worker:
        thread = started(worker, queue)
        queue.wait(queue.submit(Job("second", functions.nothing)), timeout=30)
        assert not bell_file(path).exists()
        worker.stop()
        thread.join(30)
    assert queue.count("completed") == 2


# the end


def started(worker: Worker, queue: JobQueue) -> threading.Thread:
    """Start a worker, and return when it has run a job."""
    thread = threading.Thread(target=worker.start)
    thread.start()
    queue.wait(queue.submit(Job("first", functions.nothing, queue=worker.worker_id)), timeout=30)
    return thread


def test_the_last_worker_deletes_the_fifo_and_one_of_two_does_not(path: str, queue: JobQueue) -> None:
    with Worker(path, worker_id="a", queues=["a"]) as first, Worker(path, worker_id="b", queues=["b"]) as second:
        threads = [started(first, queue), started(second, queue)]
        assert bell_file(path).exists()
        first.stop()
        threads[0].join(30)
        assert bell_file(path).exists()
        second.stop()
        threads[1].join(30)
        assert not bell_file(path).exists()
