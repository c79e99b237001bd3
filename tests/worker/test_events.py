"""A listener is sent what a worker has committed, in order, and disturbs nothing."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from queue import Queue

import functions
import pytest
from running import Pipes, Running

from gigq import Event, GiveUp, Job, JobQueue, ManualClock, RetryLater, Worker, current_job
from gigq.liveness import ProcessIdentity
from gigq.process import this_process
from gigq.store import claiming, workers
from gigq.store.claiming import Room
from gigq.worker.events import Listener
from gigq.worker.relay import MOST_WAITING

PATIENCE = 30


class Recorder:
    """A listener that the test can wait for."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._queue: Queue[Event] = Queue()

    def __call__(self, event: Event) -> None:
        self._queue.put(event)

    def wait_for(self, kind: str) -> Event:
        while True:
            self.events.append(self._queue.get(timeout=PATIENCE))
            if self.events[-1].kind == kind:
                return self.events[-1]

    @property
    def kinds(self) -> list[str]:
        while not self._queue.empty():
            self.events.append(self._queue.get())
        return [event.kind.removeprefix("job.") for event in self.events]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def kinds_of(path: str, queue: JobQueue, function: Callable[..., object], **options: object) -> list[str]:
    """The kinds of the events of one job that one worker runs to its end."""
    recorder = Recorder()
    queue.submit(Job("job", "f", **options))  # type: ignore[arg-type]
    with Worker(path, handlers={"f": function}, on_event=recorder) as worker:
        while worker.process_one():
            pass
    return recorder.kinds


@pytest.mark.parametrize(
    ("function", "kinds"),
    [
        (functions.nothing, ["started", "completed"]),
        (functions.fail, ["started", "retrying", "started", "failed"]),
        (functions.give_up, ["started", "failed"]),
        (functions.spin, ["started", "retrying", "started", "timeout"]),
    ],
)
def test_each_attempt_has_an_event_for_its_start_and_one_for_its_end(
    path: str, queue: JobQueue, function: Callable[..., object], kinds: list[str]
) -> None:
    found = kinds_of(path, queue, function, max_attempts=2, timeout=0.2)
    assert found == ["worker.started", *kinds, "worker.stopped"]


def test_a_job_that_is_given_back_has_an_event(path: str, queue: JobQueue) -> None:
    def later() -> None:
        raise RetryLater(600)

    assert kinds_of(path, queue, later) == ["worker.started", "started", "released", "worker.stopped"]


def test_an_event_says_what_happened_to_which_job(
    path: str, queue: JobQueue, recorder: Recorder, clock: ManualClock
) -> None:
    def function() -> None:
        current_job().progress(1, 4)
        raise GiveUp("no such city")

    job_id = queue.submit(Job("weather", "f", queue="web"))
    with Worker(path, "ann", handlers={"f": function}, on_event=recorder) as worker:
        worker.process_one()
    event = recorder.wait_for("job.failed")
    assert (event.worker_id, event.job_id, event.attempt) == ("ann", job_id, 1)
    assert (event.name, event.queue) == ("weather", "web")
    assert (event.status, event.error, event.error_type) == ("failed", "GiveUp: no such city", "GiveUp")
    assert event.progress == {"current": 1, "total": 4, "percentage": 25.0, "message": None}
    assert json.loads(json.dumps(event.as_dict()))["at"].endswith("Z")


def test_an_event_is_sent_after_its_commit(path: str, queue: JobQueue, run: Callable[..., Running]) -> None:
    statuses: Queue[str] = Queue()

    def look(event: Event) -> None:
        if event.kind == "job.completed":
            statuses.put(queue.get_status(event.job_id or "")["status"])

    run(on_event=look, concurrency=2)
    queue.submit_many(Job("job", functions.nothing) for _ in range(20))
    assert {statuses.get(timeout=PATIENCE) for _ in range(20)} == {"completed"}


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_each_of_many_quick_jobs_has_one_start_and_one_end(
    queue: JobQueue, run: Callable[..., Running], recorder: Recorder, mode: str
) -> None:
    ids = queue.submit_many(Job("job", functions.nothing) for _ in range(300))
    running = run(on_event=recorder, concurrency=2, mode=mode)
    queue.wait(ids, timeout=60)
    running.stop()
    assert recorder.kinds[0] == "worker.started"
    assert recorder.kinds[-1] == "worker.stopped"
    for kind in ("job.started", "job.completed"):
        assert sorted(event.job_id or "" for event in recorder.events if event.kind == kind) == sorted(ids)
    place = {(event.kind, event.job_id): number for number, event in enumerate(recorder.events)}
    assert all(place["job.started", each] < place["job.completed", each] for each in ids)


def test_progress_is_sent_while_the_job_runs(queue: JobQueue, run: Callable[..., Running], recorder: Recorder) -> None:
    may_end = threading.Event()

    def function() -> None:
        current_job().progress(2, 8, "a quarter")
        may_end.wait(PATIENCE)

    job_id = queue.submit(Job("job", "f"))
    run(handlers={"f": function}, on_event=recorder, lease=1)
    event = recorder.wait_for("job.progress")
    may_end.set()
    assert (event.job_id, event.progress) == (job_id, queue.get_status(job_id)["progress"])
    recorder.wait_for("job.completed")


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_a_job_that_is_cancelled_while_it_runs_has_an_event(
    queue: JobQueue, run: Callable[..., Running], recorder: Recorder, mode: str
) -> None:
    job_id = queue.submit(Job("job", functions.spin))
    run(on_event=recorder, mode=mode)
    recorder.wait_for("job.started")
    queue.cancel(job_id, running=True)
    event = recorder.wait_for("job.cancelled")
    assert (event.job_id, event.status) == (job_id, "cancelled")


def test_the_worker_that_finds_another_one_dead_sends_the_events_of_its_jobs(
    path: str, queue: JobQueue, recorder: Recorder
) -> None:
    job_id = queue.submit(Job("orphan", functions.nothing, max_attempts=1))
    with queue.database.write() as tx:
        here = this_process()
        dead = ProcessIdentity(machine_id=here.machine_id or "m", boot_id="gone", pid_namespace="", pid=1)
        claiming.claim(tx, workers.register(tx, "bob", dead, concurrency=1), room=Room(free=1))
    if not here.machine_id:
        pytest.skip("this machine has no id, by which a reboot is seen")
    with Worker(path, on_event=recorder) as worker:
        worker.process_one()
    event = recorder.wait_for("job.lost")
    assert (event.job_id, event.status, event.error) == (job_id, "failed", "its worker bob died")


def test_a_job_that_runs_when_the_worker_leaves_has_an_event_as_released(
    queue: JobQueue, run: Callable[..., Running], recorder: Recorder, pipes: Pipes
) -> None:
    queue.submit(Job("endless", functions.spin, {"tell": pipes.tell}))
    running = run(on_event=recorder, shutdown_timeout=0)
    pipes.wait_until_begun()
    running.stop()
    assert recorder.kinds == ["worker.started", "started", "released", "worker.stopped"]


def test_a_listener_that_raises_is_called_again_and_logged_with_its_traceback(
    path: str, queue: JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    received = []

    def listen(event: Event) -> None:
        received.append(event.kind)
        raise (ValueError if len(received) % 2 else SystemExit)("deaf")

    queue.submit(Job("job", functions.nothing))
    with caplog.at_level(logging.ERROR), Worker(path, on_event=listen) as worker:
        worker.process_one()
    assert received == ["worker.started", "job.started", "job.completed", "worker.stopped"]
    assert [("on_event has raised" in each.message, each.exc_info is not None) for each in caplog.records] == [
        (True, True)
    ]


@pytest.fixture
def stuck(clock: ManualClock) -> Iterator[tuple[Listener, list[Event], threading.Event, threading.Event]]:
    """A listener that hangs at its first event until the test lets it go on, and the events it has returned from."""
    returned: list[Event] = []
    is_in, may_go_on = threading.Event(), threading.Event()

    def listen(event: Event) -> None:
        is_in.set()
        may_go_on.wait(PATIENCE)
        returned.append(event)

    listener = Listener(listen, clock=clock)
    yield listener, returned, is_in, may_go_on
    may_go_on.set()
    listener.close(PATIENCE)


def test_when_a_listener_is_too_slow_the_oldest_events_are_dropped_and_counted(
    stuck: tuple[Listener, list[Event], threading.Event, threading.Event],
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    listener, received, is_in, may_go_on = stuck
    events = [Event(kind=str(number), at=clock.now(), worker_id="ann") for number in range(MOST_WAITING + 11)]
    with caplog.at_level(logging.WARNING):
        listener.send(events[:1])
        is_in.wait(PATIENCE)
        for event in events[1:]:
            listener.send([event])
        may_go_on.set()
        listener.finish(PATIENCE)
    assert received == [events[0], *events[11:]]
    assert [each.getMessage() for each in caplog.records] == [
        "on_event is too slow: 10 events were dropped, the oldest first"
    ]


def test_a_listener_that_hangs_is_not_waited_for(
    stuck: tuple[Listener, list[Event], threading.Event, threading.Event],
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    listener, received, is_in, _ = stuck
    listener.send([Event(kind="x", at=clock.now(), worker_id="ann")])
    is_in.wait(PATIENCE)
    listener.finish(0)
    assert received == []
    assert "1 events are not waited for" in caplog.text


@pytest.mark.parametrize("how", ["stop", "close"])
def test_a_listener_may_stop_and_close_the_worker(queue: JobQueue, path: str, how: str) -> None:
    closed = threading.Event()

    def listen(event: Event) -> None:
        if event.kind == "job.completed":
            getattr(worker, how)()
            closed.set()

    worker = Worker(path, on_event=listen)
    queue.submit(Job("job", functions.nothing))
    running = Running(worker)
    assert closed.wait(PATIENCE)
    running.thread.join(PATIENCE)
    worker.close()


def test_a_listener_must_be_a_function(path: str, queue: JobQueue) -> None:
    with pytest.raises(TypeError, match="on_event is 3"):
        Worker(path, on_event=3)  # type: ignore[arg-type]


def test_without_a_listener_there_is_no_thread_for_it(path: str, queue: JobQueue) -> None:
    queue.submit(Job("job", functions.nothing))
    with Worker(path) as worker:
        worker.process_one()
    assert "gigq-events" not in {thread.name for thread in threading.enumerate()}
