"""A worker runs the jobs that are ready, survives what they do, and stops when it is told to."""

from __future__ import annotations

import math
import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import functions
import pytest
from running import Pipes, Running

from gigq import Job, JobQueue, JobStatus, ManualClock, NotImportable, QueueGone, Worker
from gigq.liveness import ProcessIdentity
from gigq.process import this_process
from gigq.runtime.signals import STOPPING
from gigq.store import claiming, workers
from gigq.store.claiming import Room
from gigq.testing import drain


@pytest.fixture
def worker(path: str) -> Iterator[Worker]:
    """A worker that runs one job at a time in the thread of the test."""
    with Worker(path, worker_id="ann") as worker:
        yield worker


def test_process_one_runs_the_most_urgent_job(queue: JobQueue, worker: Worker) -> None:
    plain = queue.submit(Job("plain", functions.add, {"a": 1}))
    urgent = queue.submit(Job("urgent", functions.add, {"a": 2}, priority=100))
    assert worker.process_one()
    assert (queue.get_result(urgent), queue.get_result(plain)) == (2, None)
    assert worker.process_one()
    assert queue.get_result(plain) == 1
    assert not worker.process_one()


@pytest.mark.parametrize("hides", [False, True])
def test_a_job_that_ctrl_c_interrupts_is_given_back_before_keyboard_interrupt_is_raised(
    queue: JobQueue, path: str, hides: bool
) -> None:
    def press_ctrl_c() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except BaseException:
            if not hides:
                raise

    job_id = queue.submit(Job("job", "press", max_attempts=1))
    with Worker(path, handlers={"press": press_ctrl_c}) as worker, pytest.raises(KeyboardInterrupt):
        worker.process_one()
    status = queue.get_status(job_id)
    assert (status["status"], status["attempts"], status["executions"][0]["status"]) == ("pending", 0, "released")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_that_is_ignored_is_ignored_in_a_job_too(queue: JobQueue, path: str) -> None:
    job_id = queue.submit(Job("job", "press"))
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Worker(path, handlers={"press": lambda: signal.raise_signal(signal.SIGTERM)}) as worker:
            worker.process_one()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert queue.get_status(job_id)["status"] == "completed"


def test_a_worker_tells_which_signal_has_stopped_it(queue: JobQueue, path: str) -> None:
    queue.enqueue("stop")
    with Worker(path, handlers={"stop": lambda: os.kill(os.getpid(), signal.SIGTERM)}) as worker:
        worker.start()
        assert worker.stopped_by == signal.SIGTERM
    with Worker(path, burst=True) as worker:
        worker.start()
        assert worker.stopped_by is None


def test_workers_in_threads_drain_the_queue(queue: JobQueue, run: Callable[..., Running]) -> None:
    ids = queue.submit_many(Job(str(number), functions.add, {"a": number}) for number in range(200))
    run(concurrency=4)
    run(concurrency=2)
    assert [record.result for record in queue.wait(ids, timeout=60)] == list(range(200))
    assert {len(job["executions"]) for job in queue.list_jobs()} == {1}


def test_a_job_submitted_to_an_idle_worker_is_run(queue: JobQueue, run: Callable[..., Running]) -> None:
    run(polling_interval=600)
    for number in range(3):
        assert queue.result(queue.submit(Job("job", functions.add, {"a": number})), timeout=30) == number


@pytest.mark.parametrize("function", [functions.leave, functions.fail, functions.give_up])
def test_whatever_a_job_raises_the_worker_goes_on(
    queue: JobQueue, run: Callable[..., Running], function: Callable[..., object]
) -> None:
    bad = queue.submit(Job("bad", function, max_attempts=1))
    run()
    assert queue.wait(bad, timeout=30).status == JobStatus.FAILED
    assert queue.result(queue.submit(Job("good", functions.add, {"a": 1})), timeout=30) == 1


def test_a_failing_job_uses_all_its_attempts(queue: JobQueue, run: Callable[..., Running]) -> None:
    run()
    record = queue.wait(queue.submit(Job("bad", functions.fail, max_attempts=3)), timeout=30)
    assert (record.status, record.attempts) == (JobStatus.FAILED, 3)
    assert [each.error for each in record.executions] == ["ValueError: no"] * 3


def test_a_job_whose_result_json_cannot_hold_fails_for_good(queue: JobQueue, worker: Worker) -> None:
    job_id = queue.submit(Job("object", "builtins:object"))
    worker.process_one()
    record = queue.wait(job_id)
    assert (record.status, record.attempts) == (JobStatus.FAILED, 1)
    assert record.error is not None
    assert record.error.startswith("NotSerializable: result is of type object, which JSON cannot hold: convert it")


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_a_result_is_what_json_makes_of_it_and_default_of_the_rest(
    path: str, queue: JobQueue, mode: Literal["thread", "process"]
) -> None:
    ids = [queue.enqueue(each) for each in (functions.odd_values, functions.a_set)]
    with Worker(path, mode=mode, default=functions.as_list, burst=True) as worker:
        worker.start()
    odd, converted = (queue.result(each) for each in ids)
    assert repr(odd) == repr({"1": {"null": math.nan}, "2.5": [math.inf, -math.inf]})
    assert converted == {"in": [1, 2]}


def test_a_class_may_be_the_default_of_a_worker_with_child_processes(path: str, queue: JobQueue) -> None:
    job_id = queue.enqueue(functions.a_set)
    with Worker(path, mode="process", default=str, burst=True) as worker:
        worker.start()
    assert queue.result(job_id) == {"in": "{1, 2}"}


def test_a_default_that_child_processes_cannot_import_is_refused(path: str) -> None:
    reason = r"^default cannot be sent to another process: .*lambda.* cannot be imported by name"
    with Worker(path, mode="process", default=lambda value: 1) as worker, pytest.raises(NotImportable, match=reason):
        worker.start()


def test_process_one_and_drain_convert_results_too(path: str, queue: JobQueue) -> None:
    ids = [queue.enqueue(functions.a_set) for _ in range(2)]
    with Worker(path, default=functions.as_list) as worker:
        worker.process_one()
    drain(queue, default=functions.as_list)
    assert [queue.result(each) for each in ids] == [{"in": [1, 2]}] * 2


@pytest.mark.parametrize("default", [5, "str", [str]])
def test_a_default_that_is_no_function_is_refused_by_its_name(path: str, default: Any) -> None:
    for make in (Worker, JobQueue):
        with pytest.raises(TypeError, match=r"^default is .*; it must be a function$"):
            make(path, default=default)


def test_a_job_that_overruns_its_timeout_is_settled_at_its_deadline(
    queue: JobQueue, run: Callable[..., Running]
) -> None:
    late = queue.submit(Job("late", functions.spin, timeout=0.1, max_attempts=1))
    run(concurrency=1)
    assert queue.wait(late, timeout=30).status == JobStatus.TIMEOUT
    assert queue.result(queue.submit(Job("next", functions.add, {"a": 1})), timeout=30) == 1


def test_handlers_serve_jobs_by_name(path: str, queue: JobQueue) -> None:
    job_id = queue.submit(Job("mail", "send_email", {"to": "ann"}))
    with Worker(path, handlers={"send_email": lambda to: f"sent to {to}"}) as worker:
        worker.process_one()
    assert queue.get_result(job_id) == "sent to ann"


@pytest.mark.parametrize("handlers", [[functions.nothing], functions.nothing, "functions:nothing", [], {"f"}])
def test_handlers_that_are_no_dict_are_refused_by_the_name_of_the_argument(
    path: str, queue: JobQueue, handlers: Any
) -> None:
    queue.submit(Job("job", functions.nothing))
    claim = queue.dequeue()
    assert claim
    calls = (lambda: Worker(path, handlers=handlers), lambda: drain(queue, handlers=handlers))
    for call in (*calls, lambda: queue.execute_job(claim, handlers=handlers)):
        with pytest.raises(TypeError, match=r"^handlers is .*; it must be a dict"):
            call()


@pytest.mark.parametrize("queues", ["mine", ["mine"], {"mine"}])
def test_a_worker_serves_only_the_queues_that_it_is_given(
    path: str, queue: JobQueue, queues: str | Iterable[str]
) -> None:
    queue.submit(Job("other", functions.nothing, queue="other"))
    queue.submit(Job("letter", functions.nothing, queue="m"))
    mine = queue.submit(Job("mine", functions.nothing, queue="mine"))
    with Worker(path, queues=queues) as worker:
        assert worker.process_one()
        assert not worker.process_one()
    assert queue.get_status(mine)["status"] == "completed"


def test_a_worker_that_stops_lets_running_jobs_end(queue: JobQueue, run: Callable[..., Running], pipes: Pipes) -> None:
    job_id = queue.submit(Job("slow", functions.hold, {"tell": pipes.tell, "until": pipes.until}))
    running = run()
    pipes.wait_until_begun()
    running.worker.stop()
    pipes.let_end()
    running.thread.join(60)
    assert queue.get_status(job_id)["status"] == "completed"


def test_a_job_that_does_not_end_within_the_shutdown_timeout_is_given_back_with_its_attempt(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes
) -> None:
    job_id = queue.submit(Job("endless", functions.spin, {"tell": pipes.tell}))
    running = run(shutdown_timeout=0)
    pipes.wait_until_begun()
    running.stop()
    record = queue.get_job(job_id)
    assert record is not None
    assert (record.phase, record.attempts) == ("ready", 0)
    assert record.executions[0].status == "released"


def test_a_worker_told_to_stop_before_it_starts_does_not_start(queue: JobQueue, path: str) -> None:
    queue.submit(Job("job", functions.nothing))
    with Worker(path) as worker:
        worker.stop()
        worker.start()
    assert queue.count("pending") == 1


def test_closing_a_running_worker_stops_it_first(queue: JobQueue, path: str) -> None:
    """To close a connection that another thread is using would crash the process."""
    queue.submit_many(Job("job", functions.nothing) for _ in range(500))
    for _ in range(10):
        running = Running(Worker(path, concurrency=4, durability="normal"))
        running.worker.close()
        running.thread.join(60)
        assert (running.thread.is_alive(), running.error) == (False, None)


def test_a_worker_can_be_started_again(queue: JobQueue, path: str) -> None:
    with Worker(path) as worker:
        for _ in range(2):
            running = Running(worker)
            queue.result(queue.submit(Job("job", functions.nothing)), timeout=30)
            running.stop()


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_stops_the_worker_and_the_handlers_before_it_are_restored(
    queue: JobQueue, path: str, number: int
) -> None:
    before = signal.getsignal(number)
    job_id = queue.submit(Job("killer", functions.kill_own_process, {"number": int(number)}))
    with Worker(path) as worker:
        worker.start()
    assert queue.get_status(job_id)["status"] == "completed"
    assert signal.getsignal(number) == before


@pytest.mark.skipif(signal.SIGHUP not in STOPPING, reason="this system has no SIGHUP")
def test_a_worker_under_nohup_goes_on_after_sighup(queue: JobQueue, path: str) -> None:
    ids = [queue.submit(Job("hangs up", functions.kill_own_process, {"number": int(signal.SIGHUP)})) for _ in range(2)]
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Worker(path, burst=True) as worker:
            worker.start()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert [queue.get_status(job_id)["status"] for job_id in ids] == ["completed"] * 2


def test_the_jobs_of_a_worker_whose_process_is_gone_are_taken_over_at_once(queue: JobQueue, worker: Worker) -> None:
    job_id = queue.submit(Job("orphan", functions.nothing))
    child = os.fork() if hasattr(os, "fork") else pytest.skip("this system has no fork")
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    gone = this_process()._replace(pid=child)
    with queue.database.write() as tx:
        key = workers.register(tx, "gone", gone, concurrency=1)
        assert len(claiming.claim(tx, key, room=Room(free=1))) == 1
    assert worker.process_one()
    record = queue.wait(job_id, timeout=10)
    assert [(each.worker_id, each.status) for each in record.executions] == [("gone", "lost"), ("ann", "completed")]


def test_a_silent_worker_is_considered_dead_after_the_lease_and_not_before(path: str, clock: ManualClock) -> None:
    far_away = ProcessIdentity(machine_id="another", boot_id="another", pid_namespace="", pid=1)
    with JobQueue(path, clock=clock) as queue, Worker(path, clock=clock, lease=15) as worker:
        job_id = queue.submit(Job("orphan", functions.nothing))
        with queue.database.write() as tx:
            claiming.claim(tx, workers.register(tx, "silent", far_away, concurrency=1), room=Room(free=1))
        for _ in range(7):
            assert not worker.process_one()
            clock.advance(2)
        assert not worker.process_one(), "14 seconds of silence"
        clock.advance(2)
        assert worker.process_one(), "16 seconds of silence"
        assert queue.get_status(job_id)["executions"][0]["status"] == "lost"


def test_a_worker_that_was_considered_dead_registers_again_and_stops_the_jobs_that_it_lost(
    queue: JobQueue, run: Callable[..., Running], pipes: Pipes
) -> None:
    job_id = queue.submit(Job("endless", functions.spin, {"tell": pipes.tell}, max_attempts=2))
    run(lease=1, shutdown_timeout=0)
    pipes.wait_until_begun()
    with queue.database.write() as tx:
        (sign,) = workers.heartbeats(tx)
        workers.expel(tx, sign.key)
    pipes.wait_until_begun()
    assert [each["status"] for each in queue.get_status(job_id)["executions"]] == ["lost", "running"]
    with queue.database.read() as tx:
        (again,) = workers.heartbeats(tx)
    assert again.key.seq > sign.key.seq


def test_a_worker_leaves_nothing_of_itself_in_the_file_but_its_executions(queue: JobQueue, path: str) -> None:
    queue.submit(Job("job", functions.nothing))
    with Worker(path) as worker:
        worker.process_one()
    running = Running(Worker(path))
    running.stop()
    running.worker.close()
    with queue.database.read() as tx:
        assert workers.heartbeats(tx) == []


@pytest.mark.unsound("the file is moved away from its log")
def test_a_file_that_vanishes_ends_the_worker_with_an_error(tmp_path: Path) -> None:
    path = tmp_path / "gone.db"
    worker = Worker(path)
    running = Running(worker)
    path.rename(tmp_path / "moved.db")
    running.thread.join(60)
    assert isinstance(running.error, QueueGone)
    worker._database.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": 0}, "concurrency is 0; it must be a whole number from 1 to 10,000"),
        ({"concurrency": 10_001}, "concurrency is 10001; it must be a whole number from 1 to 10,000"),
        ({"queues": []}, "queues must not be empty"),
        ({"concurrency": 1.5}, "concurrency is 1.5"),
        ({"lease": 0}, "lease is 0"),
        ({"lease": 100_000}, "lease is 100000.0; it must be a number from 1 to 86400"),
        ({"polling_interval": -1}, "polling_interval is -1; it must be seconds from 0 up"),
        ({"shutdown_timeout": float("nan")}, "shutdown_timeout is nan"),
        ({"prune_after": -1}, "prune_after is -1"),
        ({"mode": "fibre"}, 'mode is \'fibre\'; it must be "thread" or "process"'),
        ({"max_jobs": 0, "mode": "process"}, "max_jobs is 0"),
        ({"max_jobs": 5}, 'max_jobs is 5, and mode "thread"; it goes with mode="process"'),
        ({"queues": 5}, "queues is 5; it must be text, or a list of texts"),
        ({"worker_id": 7}, "worker_id is 7; it must be text"),
        ({"result_limit": 0}, "result_limit is 0"),
    ],
)
def test_an_option_that_a_worker_cannot_have_is_refused(path: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Worker(path, **options)  # type: ignore[arg-type]


def test_a_worker_shows_its_file_and_its_name(path: str, worker: Worker) -> None:
    assert repr(worker) == f"Worker({path!r}, 'ann')"
    assert worker.worker_id == "ann"


def test_a_worker_without_a_name_is_named_after_its_host_and_its_process(path: str) -> None:
    with Worker(path) as one, Worker(path) as another:
        assert f"-{os.getpid()}-" in one.worker_id
        assert one.worker_id != another.worker_id
