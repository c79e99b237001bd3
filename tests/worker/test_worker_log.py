"""The log of a worker is written by a thread that its loop never waits for."""

from __future__ import annotations

import logging
import re
import signal
import threading
from collections.abc import Callable, Iterator

import functions
import pytest
from running import Running

from gigq import Job, JobQueue, ManualClock, Worker
from gigq.logs import logger
from gigq.worker.log import WorkerLog
from gigq.worker.relay import MOST_WAITING

PATIENCE = 30

log = logger("tests")


class Blocking(logging.Handler):
    """A handler that hangs in its first record until the test lets it go on, like a pipe that nobody reads."""

    def __init__(self) -> None:
        super().__init__()
        self.is_in, self.may_go_on = threading.Event(), threading.Event()
        self.said: list[str] = []
        self.ours: list[str] = []  # of this test and no other worker
        self.of_drops: list[object] = []  # the names of the workers that have dropped lines

    def emit(self, record: logging.LogRecord) -> None:
        self.is_in.set()
        assert self.may_go_on.wait(PATIENCE)
        self.said.append(record.getMessage())
        self.ours += [record.getMessage()] if record.name == "gigq.tests" or "dropped" in record.msg else []
        self.of_drops += [vars(record).get("worker_id")] if "dropped" in record.msg else []


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Wait for the threads of the test before: what they still log would reach the handler of the next."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        if thread.name == "gigq-log":
            thread.join(PATIENCE)
            assert not thread.is_alive()


@pytest.fixture
def blocking() -> Iterator[Blocking]:
    """A handler at the root, where a user's own would be, that hangs."""
    handler, level = Blocking(), logging.root.level
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.INFO)
    yield handler
    handler.may_go_on.set()
    logging.root.removeHandler(handler)
    logging.root.setLevel(level)


@pytest.fixture
def worker_log(clock: ManualClock) -> Iterator[WorkerLog]:
    found = WorkerLog("ann", clock=clock, timeout=0.05)
    yield found
    found.close()


@pytest.mark.parametrize("function", [functions.nothing, functions.fail])
def test_a_worker_whose_log_hangs_runs_its_jobs_and_writes_the_log_later(
    queue: JobQueue, run: Callable[..., Running], blocking: Blocking, function: Callable[..., object]
) -> None:
    ids = queue.submit_many(Job("job", function, max_attempts=1) for _ in range(20))
    running = run()
    queue.wait(ids, timeout=PATIENCE)
    assert blocking.is_in.wait(PATIENCE)
    assert blocking.said == []
    blocking.may_go_on.set()
    running.stop()
    assert sum(any(job_id in line for job_id in ids) for line in blocking.said) == 20


def test_process_one_does_not_wait_for_a_log_that_hangs(path: str, queue: JobQueue, blocking: Blocking) -> None:
    ids = queue.submit_many(Job("job", functions.nothing) for _ in range(3))
    with Worker(path) as worker:
        worker._log = WorkerLog("ann", clock=queue.clock, timeout=0.05)
        while worker.process_one():
            pass
    assert blocking.said == []
    assert [queue.get_status(each)["status"] for each in ids] == ["completed"] * 3


def test_the_lines_that_were_dropped_are_counted_once_the_log_is_read_again(
    worker_log: WorkerLog, blocking: Blocking
) -> None:
    worker_log._timeout = PATIENCE
    with worker_log.carrying():
        log.info("first")
        assert blocking.is_in.wait(PATIENCE)
        for number in range(MOST_WAITING + 7):
            log.info("line %d", number)
        blocking.may_go_on.set()
    assert blocking.ours[:3] == [
        "first", "the log is not read fast enough: 7 lines were dropped, the oldest first", "line 7"
    ]  # fmt: skip
    assert len(blocking.ours) == 2 + MOST_WAITING
    assert blocking.of_drops == ["ann"]


def test_a_log_that_hangs_is_waited_for_once_and_what_is_left_in_the_end_is_counted(
    worker_log: WorkerLog, blocking: Blocking
) -> None:
    for _ in range(2):
        with worker_log.carrying():
            log.info("a line")
            assert blocking.is_in.wait(PATIENCE)
    worker_log._timeout = PATIENCE
    blocking.may_go_on.set()
    while len(blocking.ours) < 2:
        with worker_log.carrying():
            pass
    assert blocking.ours == ["a line", "the log is not read fast enough: 1 line was dropped, the oldest first"]


def test_a_line_is_written_before_the_worker_returns(
    path: str, queue: JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = queue.submit(Job("job", functions.nothing))
    with caplog.at_level(logging.INFO, "gigq"), Worker(path, burst=True) as worker:
        worker.start()
        assert job_id in caplog.text


def test_what_is_logged_after_the_log_was_closed_is_written(
    worker_log: WorkerLog, caplog: pytest.LogCaptureFixture
) -> None:
    for text in ("before", "after"):
        with worker_log.carrying():
            log.warning(text)
        worker_log.close()
    assert [each.getMessage() for each in caplog.records] == ["before", "after"]
    assert [vars(each)["worker_id"] for each in caplog.records] == ["ann", "ann"]


def test_a_handler_that_raises_harms_neither_the_worker_nor_the_next_line(
    path: str, queue: JobQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(logging.Handler):
        emitted = 0

        def emit(self, record: logging.LogRecord) -> None:
            self.emitted += 1
            raise ValueError("broken handler")

    broken = Broken()
    ids = queue.submit_many(Job("job", functions.fail, max_attempts=1) for _ in range(2))
    logging.root.addHandler(broken)
    try:
        with Worker(path, burst=True) as worker:
            worker.start()
    finally:
        logging.root.removeHandler(broken)
    assert broken.emitted == len(ids)
    assert "broken handler" in capsys.readouterr().err


def test_a_heartbeat_that_fails_is_logged_without_waiting(blocking: Blocking, worker_log: WorkerLog) -> None:
    done = threading.Event()

    def beat() -> None:
        with worker_log.carrying():
            log.warning("a heartbeat could not be written")
        done.set()

    threading.Thread(target=beat, daemon=True).start()
    assert done.wait(PATIENCE)
    assert blocking.said == []


def test_other_threads_write_their_lines_themselves(worker_log: WorkerLog, caplog: pytest.LogCaptureFixture) -> None:
    with worker_log.carrying():
        thread = threading.Thread(target=log.warning, args=("from a job",), name="slot")
        thread.start()
        thread.join()
        assert [(each.getMessage(), each.threadName) for each in caplog.records] == [("from a job", "slot")]


@pytest.mark.parametrize(
    ("stop", "timeout", "said"),
    [
        pytest.param(lambda: signal.raise_signal(signal.SIGTERM), None, "given back, attempt 1 of 1", id="by a signal"),
        pytest.param(lambda: threading.Event().wait(60), 0.05, "timed out, attempt 1 of 1", id="at its timeout"),
    ],
)
def test_a_job_of_process_one_that_is_stopped_is_logged_with_how_long_it_ran(
    path: str, queue: JobQueue, caplog: pytest.LogCaptureFixture, stop: Callable[[], None], timeout: float, said: str
) -> None:
    queue.submit(Job("job", "stop", timeout=timeout, max_attempts=1))
    before = signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        with caplog.at_level(logging.INFO, "gigq"), Worker(path, handlers={"stop": stop}) as worker:
            worker.process_one()
    finally:
        signal.signal(signal.SIGTERM, before)
    (ended,) = [each for each in caplog.records if said in each.getMessage()]
    assert re.search(r", after [0-9.]+ m?s\b", ended.getMessage())
    assert ended.getMessage().count("given back") == said.count("given back")
