"""A worker that runs in the background for as long as a block lasts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Literal

import functions
import pytest
from running import Pipes
from terminals import Terminal

from gigq import Job, JobNotFinished, JobNotFound, JobQueue, NotImportable, QueueGone, StoreError, Worker

PATIENCE = 20


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_jobs_run_while_the_block_lasts(path: str, queue: JobQueue, mode: Literal["thread", "process"]) -> None:
    with Worker(path, mode=mode, concurrency=2).running() as worker:
        assert [each.id for each in queue.workers()] == [worker.worker_id]
        assert queue.result(queue.enqueue(functions.add, 2), timeout=PATIENCE) == 2
    assert queue.workers() == []


def test_at_the_end_of_the_block_what_runs_may_end_and_what_waits_stays(
    path: str, queue: JobQueue, pipes: Pipes
) -> None:
    first, second = (queue.submit(Job(name, "hold", max_attempts=1)) for name in ("first", "second"))

    def hold() -> None:
        os.write(pipes.tell, b".")
        threading.Timer(0.05, pipes.let_end).start()
        os.read(pipes.until, 1)

    with Worker(path, handlers={"hold": hold}).running() as worker:
        pipes.wait_until_begun()
        worker.stop()
    assert [queue.get_status(each)["status"] for each in (first, second)] == ["completed", "pending"]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux tells which files a process has open")
def test_after_the_block_no_connection_to_the_file_is_left(path: str, queue: JobQueue) -> None:
    """SQLite would delete the log of another file at this path when such a connection is closed some day."""
    with Worker(path).running(until=queue.submit(Job("job", functions.nothing))):
        pass
    queue.close()
    links = [f"/proc/self/fd/{each}" for each in os.listdir("/proc/self/fd")]
    assert not [link for link in links if os.path.lexists(link) and os.readlink(link).startswith(path)]


def test_the_end_of_the_block_waits_for_the_jobs_that_it_is_told(path: str, queue: JobQueue) -> None:
    ids = queue.submit_many(Job(str(number), functions.add, {"a": number}) for number in range(30))
    bad = queue.submit(Job("bad", functions.fail, max_attempts=1))
    with Worker(path, concurrency=4).running(until=[*ids, bad]):
        pass
    assert [queue.get_result(each) for each in ids] == list(range(30))
    assert queue.get_status(bad)["status"] == "failed"


@pytest.mark.parametrize("as_one", [False, True])
def test_jobs_to_wait_for_may_be_submitted_in_the_block(path: str, queue: JobQueue, as_one: bool) -> None:
    job, ids = Job("job", functions.add, {"a": 1}), list[str]()
    with Worker(path).running(until=job if as_one else ids):
        ids.append(queue.submit(job))
    assert queue.get_result(job) == 1


def test_a_block_that_raises_waits_for_no_job_that_has_not_begun(path: str, queue: JobQueue) -> None:
    job = queue.submit(Job("job", functions.add, {"a": 1}, delay=1))
    with pytest.raises(LookupError, match="mine") as caught, Worker(path).running(until=job):
        raise LookupError("mine")
    assert not hasattr(caught.value, "__notes__")
    assert (queue.get_status(job)["status"], queue.workers()) == ("pending", [])


@pytest.fixture
def press_ctrl_c() -> Iterator[Callable[[float], None]]:
    """Presses Ctrl-C after so many seconds."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds) and None
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_ctrl_c_ends_the_wait_for_jobs_and_those_that_run_may_end(
    path: str, queue: JobQueue, pipes: Pipes, press_ctrl_c: Callable[[float], None]
) -> None:
    def hold() -> str:
        os.write(pipes.tell, b".")
        os.read(pipes.until, 1)
        return "ended"

    job, later = queue.submit_many([Job("job", "hold"), Job("later", functions.nothing)])
    with pytest.raises(KeyboardInterrupt), Worker(path, handlers={"hold": hold}).running(until=[job, later]):
        pipes.wait_until_begun()
        threading.Timer(0.4, pipes.let_end).start()
        press_ctrl_c(0.1)
    assert [queue.get_status(each)["status"] for each in (job, later)] == ["completed", "pending"]


def test_a_second_ctrl_c_gives_back_the_jobs_that_run(
    path: str, queue: JobQueue, pipes: Pipes, press_ctrl_c: Callable[[float], None]
) -> None:
    def hold() -> None:
        os.write(pipes.tell, b".")
        while True:
            threading.Event().wait(0.01)

    job = queue.submit(Job("job", "hold"))
    with pytest.raises(KeyboardInterrupt), Worker(path, handlers={"hold": hold}).running(until=job):
        pipes.wait_until_begun()
        press_ctrl_c(0.2)
        raise KeyboardInterrupt
    status = queue.get_status(job)
    assert (status["status"], status["attempts"]) == ("pending", 0)


def test_a_worker_that_cannot_start_says_so_when_the_block_begins(path: str, queue: JobQueue) -> None:
    worker = Worker(path, mode="process", handlers={"local": lambda: None})
    with worker:
        for _ in range(2):
            with pytest.raises(NotImportable), worker.running():
                pytest.fail("the block was entered")


def test_an_error_that_ends_the_worker_is_raised_at_the_end_of_the_block(
    path: str, queue: JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    job = queue.submit(Job("job", functions.nothing, delay=3600))
    with pytest.raises(QueueGone), Worker(path, polling_interval=0.01).running(until=job):
        os.remove(path)
    assert "the worker has ended: QueueGone" in caplog.text


def test_the_error_of_the_block_comes_first_and_has_a_note_of_the_workers(path: str, queue: JobQueue) -> None:
    running = Worker(path, polling_interval=0.01).running()
    with pytest.raises(LookupError, match="mine") as caught, running:
        os.remove(path)
        while threading.active_count() > 1 and any(each.name == "gigq-worker" for each in threading.enumerate()):
            threading.Event().wait(0.01)
        raise LookupError("mine")
    (note,) = caught.value.__notes__
    assert note.startswith("The worker had ended with an error, too: QueueGone: ")


def test_a_worker_that_others_have_stopped_leaves_jobs_that_are_named(path: str, queue: JobQueue) -> None:
    job = queue.submit(Job("job", functions.nothing, delay=3600))
    with pytest.raises(JobNotFinished) as caught, Worker(path).running(until=job):
        queue.stop_workers()
    assert str(caught.value) == f"job {job} had not ended when the worker stopped"


def test_what_ended_before_others_stopped_the_worker_was_waited_for(path: str, queue: JobQueue) -> None:
    job = queue.enqueue(functions.add, 1)
    with Worker(path, burst=True).running(until=job):
        pass
    with Worker(path).running(until=job):
        queue.stop_workers()


def test_jobs_that_do_not_exist_are_named_and_the_worker_is_stopped(path: str, queue: JobQueue) -> None:
    with pytest.raises(JobNotFound, match="nobody"), Worker(path).running(until="nobody"):
        pass
    assert queue.workers() == []


def test_a_worker_can_run_again_but_not_twice_at_a_time(path: str, queue: JobQueue) -> None:
    with Worker(path, worker_id="ann") as worker:
        for number in range(2):
            with worker.running():
                for start in (worker.start, worker.running().__enter__):
                    with pytest.raises(RuntimeError, match="worker ann is running already; for more"):
                        start()
                assert queue.result(queue.enqueue(functions.add, number), timeout=PATIENCE) == number
        block = worker.running()
        with block:
            pass
        with pytest.raises(RuntimeError, match="was entered before"), block:
            pass


def test_blocks_of_several_workers_may_be_nested(path: str, queue: JobQueue) -> None:
    with Worker(path, worker_id="ann").running(), Worker(path, worker_id="bob").running():
        assert {each.id for each in queue.workers()} == {"ann", "bob"}
        ids = [queue.enqueue(functions.add, number) for number in range(8)]
        assert [each.result for each in queue.wait(ids, timeout=PATIENCE)] == list(range(8))


def test_a_closed_worker_does_not_run(path: str, queue: JobQueue) -> None:
    worker = Worker(path)
    with worker.running():
        worker.close()
    with pytest.raises(StoreError, match="this worker is closed"), worker.running():
        pytest.fail("the block was entered")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"until": 5}, "until is 5; it must be the id of a job"),
        ({"until": ["a", None]}, "an entry of until is None; it must be"),
        ({"progress": True}, "progress needs until=…, the jobs to count"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_starts(
    path: str, queue: JobQueue, options: dict[str, object], error: str
) -> None:
    with Worker(path) as worker, pytest.raises((TypeError, ValueError), match=error):
        worker.running(**options)  # type: ignore[arg-type]


def test_the_handlers_of_signals_are_left_alone(path: str, queue: JobQueue) -> None:
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM]
    before = [signal.getsignal(each) for each in numbers]
    with Worker(path).running():
        queue.result(queue.enqueue(functions.add, 1), timeout=PATIENCE)
        assert [signal.getsignal(each) for each in numbers] == before


def test_a_fork_leaves_the_block_at_once_and_the_worker_goes_on(path: str, queue: JobQueue) -> None:
    later = queue.submit(Job("later", functions.nothing, delay=3600))
    worker, process = Worker(path), os.getpid()
    try:
        with worker, worker.running(until=[later]):
            child = os.fork()
            if not child:
                signal.alarm(PATIENCE)
                worker.stop()
                for use in (worker.start, worker.process_one, worker.running):
                    with pytest.raises(RuntimeError, match="this process was forked while the worker was running"):
                        use()
            else:
                assert os.waitpid(child, 0) == (child, 0)
                assert queue.result(queue.enqueue(functions.add, 1), timeout=PATIENCE) == 1
                queue.cancel(later)
    finally:
        if os.getpid() != process:
            os._exit(0 if sys.exc_info() == (None, None, None) else 1)


SCRIPT = """
import sys, threading
from gigq import JobQueue, Worker

queue = JobQueue(sys.argv[1])

def block():
    with Worker(sys.argv[1], handlers={"hold": hold}).running():
        threading.Event().wait()

def hold():
    begun.set()
    leaving.wait()
    return "ended"

begun, leaving = threading.Event(), threading.Event()
job = queue.enqueue("hold")
threading.Thread(target=block, daemon=True).start()
begun.wait()
threading.Timer(0.1, leaving.set).start()
print(job)
"""


def test_a_process_that_ends_while_a_thread_is_in_the_block_lets_running_jobs_end(path: str, queue: JobQueue) -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT, path], capture_output=True, text=True, timeout=PATIENCE)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (queue.get_result(ran.stdout.strip()), queue.workers()) == ("ended", [])


def test_progress_is_shown_on_a_terminal(
    path: str, queue: JobQueue, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", terminal.stream)
    ids = [queue.enqueue(functions.add, number) for number in range(5)]
    bad = queue.submit(Job("bad", functions.fail, max_attempts=1))
    with Worker(path, burst=True).running(until=[*ids, bad, bad], progress=True):
        pass
    assert re.search(r"6/6 100 % in 0:0\d, 1 failed\r\n$", terminal.written())
