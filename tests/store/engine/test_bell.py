"""Who stores something to do wakes who waits, and a bell that cannot ring does no harm."""

from __future__ import annotations

import os
import select
import shutil
import stat
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import functions
import pytest
from running import Running
from store.verbs import File

from gigq import Job, JobQueue, QueueGone, UnknownParent, Worker
from gigq.status import ExecutionStatus
from gigq.store import workers
from gigq.store.engine import bell as bells
from gigq.store.engine.bell import bell_of
from gigq.store.engine.fifo import HAS_FIFOS, Fifo

TESTS = Path(__file__).parents[2]


needs_fifos = pytest.mark.skipif(not HAS_FIFOS, reason="this system has no FIFOs")
needs_inotify = pytest.mark.skipif(not bells.CAN_WATCH, reason="this system has no inotify")
KINDS = [pytest.param("touch", marks=needs_inotify), pytest.param("fifo", marks=needs_fifos)]


@pytest.fixture(params=KINDS)
def any_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bell of this system, and then the other's."""
    monkeypatch.setattr(bells, "CAN_WATCH", request.param == "touch")


class Listener:
    """A process that waits for a bell."""

    def __init__(self, path: str) -> None:
        self.bell = bell_of(path)
        self.file = self.bell.listen()

    def hears(self, seconds: float = 0) -> bool:
        """Whether the bell rings within this many seconds; the rings are taken out."""
        assert self.file is not None
        readable, _, _ = select.select([self.file], [], [], seconds)
        assert self.bell.clear() == bool(readable)
        return bool(readable)


@pytest.fixture
def listen(any_kind: None, path: str, empty: Path) -> Iterator[Callable[[], Listener]]:
    listeners: list[Listener] = []
    shutil.copy(empty, path)

    def one() -> Listener:
        listeners.append(Listener(path))
        return listeners[-1]

    yield one
    for listener in listeners:
        listener.bell.close()


@pytest.fixture
def listener(file: File, path: str) -> Iterator[Listener]:
    """Listens to a queue in which nothing has happened yet."""
    listener = Listener(path)
    yield listener
    listener.bell.close()


def bell_file(path: str) -> Path:
    return Path(path).with_name(f".{Path(path).name}-bell")


def bells_in(path: str) -> list[str]:
    """The files next to a queue that are not SQLite's."""
    return [each.name for each in Path(path).parent.iterdir() if not each.name.startswith(Path(path).name)]


# without a listener


def test_without_a_listener_nothing_rings_and_no_file_is_left(any_kind: None, path: str, queue: JobQueue) -> None:
    queue.submit(Job("job", functions.nothing))
    assert not bells_in(path)


def test_where_there_is_no_queue_nothing_rings(any_kind: None, path: str) -> None:
    bell_of(path).ring()
    assert not list(Path(path).parent.iterdir())


def test_a_bell_whose_listener_has_gone_does_not_block(path: str, listen: Callable[[], Listener]) -> None:
    listen().bell.close()
    bell_of(path).ring()
    assert not listen().hears()


def test_without_listening_nothing_is_heard(any_kind: None, path: str) -> None:
    bell = bell_of(path)
    assert not bell.clear()
    bell.close()
    bell.remove()


# with one


def test_a_listener_hears_a_ring_once(path: str, listen: Callable[[], Listener]) -> None:
    listener = listen()
    assert not listener.hears()
    bell_of(path).ring()
    assert listener.hears()
    assert not listener.hears()


def test_clearing_empties_the_bell_however_often_it_rang(path: str, listen: Callable[[], Listener]) -> None:
    listener = listen()
    for _ in range(100):
        bell_of(path).ring()
    assert listener.hears()
    assert not listener.hears()


def test_many_rings_do_not_block(path: str, listen: Callable[[], Listener]) -> None:
    """A pipe holds 65,536 bytes; when it is full, enough rings are waiting to be heard."""
    listener, bell = listen(), bell_of(path)
    for _ in range(70_000):
        bell.ring()
    assert listener.hears()
    while listener.hears():
        pass
    bell.ring()
    assert listener.hears()


def test_one_ring_wakes_all_that_wait(path: str, listen: Callable[[], Listener]) -> None:
    listeners = [listen() for _ in range(3)]
    bell_of(path).ring()
    files = [listener.file for listener in listeners]
    assert sorted(select.select(files, [], [], 0)[0]) == sorted(files)  # type: ignore[type-var]


def test_listening_twice_is_listening_once(path: str, listen: Callable[[], Listener]) -> None:
    listener = listen()
    assert listener.bell.listen() == listener.file


# a file that is touched


@pytest.fixture
def touched(path: str, queue: JobQueue) -> Iterator[Callable[[], bells.Bell]]:
    listening: list[bells.Bell] = []

    def one() -> bells.Bell:
        listening.append(bells.Touch(path))
        assert listening[-1].listen() is not None
        return listening[-1]

    yield one
    for bell in listening:
        bell.close()


@needs_inotify
def test_what_sqlite_writes_into_the_file_does_not_ring(
    queue: JobQueue, touched: Callable[[], bells.Bell]
) -> None:
    bell = touched()
    with queue.database.write() as tx:
        tx.execute("INSERT INTO job_queues (name) VALUES ('a')")
    queue.database.close()  # copies its log into the file
    assert not bell.clear()


@needs_inotify
def test_of_several_listeners_one_comes_first_until_it_ends(path: str, touched: Callable[[], bells.Bell]) -> None:
    first, second, third = touched(), touched(), touched()

    def ring() -> list[bool]:
        bells.Touch(path).ring()
        return [each.clear() and each.is_first for each in (first, second, third)]

    assert ring() == [True, False, False]
    first.close()
    assert ring() == [False, True, False]
    assert ring() == [False, True, False]


@needs_inotify
def test_each_queue_has_a_first_listener_of_its_own(
    tmp_path: Path, empty: Path, path: str, touched: Callable[[], bells.Bell]
) -> None:
    other = bells.Touch(shutil.copy(empty, tmp_path / "other.db"))
    other.listen()
    for bell in (touched(), other):
        bell.ring()
        assert bell.clear()
        assert bell.is_first
    other.close()


@needs_fifos
@needs_inotify
def test_the_fifo_of_an_earlier_version_is_swept_and_nothing_else_of_that_name(
    path: str, touched: Callable[[], bells.Bell]
) -> None:
    os.mkfifo(f"{path}-bell")
    touched()
    assert not Path(f"{path}-bell").exists()
    Path(f"{path}-bell").write_text("mine")
    touched()
    assert Path(f"{path}-bell").read_text() == "mine"


@needs_inotify
def test_where_nothing_more_can_be_watched_a_worker_polls(
    path: str, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bells, "_watch", lambda path: None)
    with Worker(path) as worker:
        thread = started(worker, queue)
        queue.wait(queue.submit(Job("second", functions.nothing)), timeout=30)
        worker.stop()
        thread.join(30)
    assert queue.count("completed") == 2


def test_a_file_that_does_not_exist_cannot_be_watched(path: str) -> None:
    assert bells.Touch(path).listen() is None


# a FIFO


@pytest.fixture
def fifos(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that has FIFOs and no inotify."""
    monkeypatch.setattr(bells, "CAN_WATCH", False)


@needs_fifos
def test_a_file_in_place_of_the_fifo_does_no_harm(fifos: None, path: str, queue: JobQueue) -> None:
    bell_file(path).write_bytes(b"mine")
    job_id = queue.submit(Job("job", functions.nothing))
    assert queue.get_status(job_id)["exists"]


@needs_fifos
def test_a_bell_that_was_deleted_is_made_again_under_another_number(path: str) -> None:
    bell = Fifo(path)
    before = bell.listen()
    bell_file(path).unlink()
    assert bell.listen() not in (None, before), "who waits would take the new file for the old one"
    bell.close()


@needs_fifos
def test_the_fifo_belongs_to_its_owner_alone(path: str) -> None:
    bell = Fifo(path)
    bell.listen()
    mode = bell_file(path).stat().st_mode
    assert stat.S_ISFIFO(mode)
    assert stat.S_IMODE(mode) == 0o600
    bell.close()


@needs_fifos
def test_a_replaced_fifo_is_opened_again(path: str) -> None:
    bell = Fifo(path)
    bell.listen()
    other = Path(f"{path}-other")
    os.mkfifo(other)
    other.rename(bell_file(path))
    assert bell.listen() is not None
    Fifo(path).ring()
    assert bell.clear()
    bell.close()


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


def test_without_a_bell_an_idle_worker_finds_new_jobs_by_polling(
    path: str, open_queue: Callable[..., JobQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bells, "CAN_WATCH", False)
    monkeypatch.setattr("gigq.store.engine.fifo.HAS_FIFOS", False)
    queue = open_queue()
    with Worker(path) as worker:
        thread = started(worker, queue)
        queue.wait(queue.submit(Job("second", functions.nothing)), timeout=30)
        assert not bells_in(path)
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


@needs_fifos
def test_the_last_worker_deletes_the_fifo_and_one_of_two_does_not(
    fifos: None, path: str, open_queue: Callable[..., JobQueue]
) -> None:
    queue = open_queue()
    with Worker(path, worker_id="a", queues=["a"]) as first, Worker(path, worker_id="b", queues=["b"]) as second:
        threads = [started(first, queue), started(second, queue)]
        assert bell_file(path).exists()
        first.stop()
        threads[0].join(30)
        assert bell_file(path).exists()
        second.stop()
        threads[1].join(30)
        assert not bell_file(path).exists()


@needs_inotify
def test_a_folder_can_be_copied_in_every_way_while_a_worker_runs(
    tmp_path: Path, path: str, queue: JobQueue, run: Callable[..., Running]
) -> None:
    run()
    queue.result(queue.submit(Job("job", functions.nothing)), timeout=30)
    here, there = tmp_path, tmp_path.with_name(f"{tmp_path.name}-copies")
    there.mkdir()
    shutil.copytree(here, there / "copytree")
    with tarfile.open(there / "folder.tar", "w") as archive:
        archive.add(here)
    for command in (
        f"cp {path}* {there}/", f"cp -r {here} {there}/1", f"cp -a {here} {there}/2", f"tar -cf {there}/3.tar {here}",
        f"cat {path}*", f"cat {here}/*", f"grep -r nothing {here}",
    ):  # fmt: skip
        assert not subprocess.run(["sh", "-c", command], stdout=subprocess.DEVNULL, timeout=10).returncode, command
    shutil.rmtree(there)


@needs_inotify
def test_a_job_of_another_user_who_may_write_the_file_rings(
    path: str, queue: JobQueue, touched: Callable[[], bells.Bell]
) -> None:
    bell = touched()
    os.chmod(path, 0o600)
    assert bell.clear(), "so does a change of the mode, which does no harm"
    os.utime(path)  # what `submit` does after its commit: it takes the right to write, and not to be the owner
    assert bell.clear()


@needs_inotify
def test_a_job_that_is_stored_while_a_worker_registers_is_found_at_once(
    path: str, queue: JobQueue, monkeypatch: pytest.MonkeyPatch, run: Callable[..., Running]
) -> None:
    """The worker listens before its first look, so that nothing is stored between the look and the listening."""
    registered = workers.register

    def register(*args: Any, **options: Any) -> Any:
        key = registered(*args, **options)
        late.start()
        return key

    def submit() -> None:
        jobs.append(queue.submit(Job("late", functions.nothing)))
        stored.set()

    jobs, stored, late = list[str](), threading.Event(), threading.Thread(target=submit)
    monkeypatch.setattr(workers, "register", register)
    run(polling_interval=3600, lease=3600)
    assert stored.wait(30)
    queue.result(jobs[0], timeout=30)
