"""The turns of a worker's loop, with slots and a clock that the test moves."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import functions
import pytest
from faults.sabotage import FAULTS, Saboteur
from model.loop_system import Machine
from running import Running

from gigq import Job, JobQueue, ManualClock, NotAQueue, QueueBusy, QueueGone, StoreError, Worker, current_job
from gigq.reports import Progress, Report
from gigq.store import settling, workers

COMPLETED = Report.completed("null")


@pytest.fixture
def saboteur() -> Iterator[Saboteur]:
    with Saboteur().present() as saboteur:
        yield saboteur


@pytest.fixture
def queue(saboteur: Saboteur, open_queue: Callable[..., JobQueue], clock: ManualClock) -> JobQueue:
    """The test's queue, under the test's clock."""
    return open_queue(clock=clock)


@pytest.fixture
def ann(queue: JobQueue, clock: ManualClock) -> Iterator[Machine]:
    """A worker with two slots."""
    machine = Machine(queue.database, clock, "ann")
    machine.loop.turn()
    yield machine
    machine.loop.close()
    assert machine.listener is not None
    machine.listener.close(30)


def submit(queue: JobQueue, number: int = 1) -> list[str]:
    return queue.submit_many(Job("job", functions.nothing) for _ in range(number))


def run_all(machine: Machine) -> None:
    """Let the slots run what they have."""
    machine.runner.fill()
    while running := [each for each in machine.runner.held.values() if each.is_running]:
        for held in running:
            machine.runner.end(held.claim.execution_id, COMPLETED)
        machine.runner.fill()


def prefetched(machine: Machine, queue: JobQueue, number: int = 6) -> list[str]:
    """Let two jobs run and the others wait for their slots, and return the ids of all."""
    submit(queue, 2)
    machine.loop.turn()
    run_all(machine)
    machine.loop.turn()
    ids = submit(queue, number)
    machine.loop.turn()
    machine.runner.fill()
    return ids


def statuses(queue: JobQueue, ids: list[str]) -> list[list[str]]:
    return [[each["status"] for each in queue.get_status(job_id)["executions"]] for job_id in ids]


def kinds(machine: Machine, job_id: str) -> list[str]:
    assert machine.listener is not None
    machine.listener.finish(30)
    return [event.kind.removeprefix("job.") for event in machine.events if event.job_id == job_id]


def hear_bell(machine: Machine) -> None:
    machine.loop.wait()
    machine.loop.turn()


# memory


def test_a_reserved_job_that_is_cancelled_is_not_given_back_again_and_again(
    ann: Machine, queue: JobQueue, clock: ManualClock
) -> None:
    ids = prefetched(ann, queue)
    assert queue.cancel(ids[-1], running=True)
    hear_bell(ann)
    run_all(ann)
    ann.loop.turn()
    clock.advance(1.5)
    ids += prefetched(ann, queue)
    ann.loop.turn()
    assert ann.runner.faults == []
    run_all(ann)
    ann.loop.turn()
    assert statuses(queue, ids) == [["completed"]] * 5 + [["cancelled"]] + [["completed"]] * 6


def test_reserved_jobs_that_are_cancelled_leave_the_room_for_others_as_it_was(ann: Machine, queue: JobQueue) -> None:
    ids = prefetched(ann, queue)
    queue.cancel_jobs(status="running", running=True)
    hear_bell(ann)
    assert statuses(queue, ids) == [["cancelled"]] * 6
    assert len(ann.loop._inflight) == ann.loop._inflight.waiting == 0


def test_jobs_that_wait_for_a_busy_slot_are_given_back_after_a_second(
    ann: Machine, queue: JobQueue, clock: ManualClock
) -> None:
    ids = prefetched(ann, queue)
    clock.advance(0.9)
    ann.loop.turn()
    assert statuses(queue, ids) == [["running"]] * 6
    clock.advance(0.1)
    ann.loop.turn()
    assert statuses(queue, ids) == [["running"]] * 2 + [["released"]] * 4


def test_reports_that_cannot_be_written_are_no_reason_to_give_others_back(
    ann: Machine, queue: JobQueue, clock: ManualClock, saboteur: Saboteur
) -> None:
    """They had ended, but counted as if they waited for a slot."""
    prefetched(ann, queue)
    run_all(ann)
    fail_turn(ann, saboteur)
    clock.advance(2.0)
    ids = submit(queue, 3)
    for _ in range(4):
        ann.loop.turn()
    assert ann.runner.faults == []
    run_all(ann)
    ann.loop.turn()
    assert statuses(queue, ids) == [["completed"]] * 3


# what others do


def test_the_events_of_a_job_that_was_taken_while_the_worker_leaves_say_how_it_ended(
    ann: Machine, queue: JobQueue
) -> None:
    ids = submit(queue, 2)
    ann.loop.turn()
    ann.runner.fill()
    queue.cancel(ids[0], running=True)
    ann.loop.leave()
    assert kinds(ann, ids[0]) == ["started", "cancelled"]
    assert kinds(ann, ids[1]) == ["started", "released"]


def test_a_job_that_has_just_begun_when_the_worker_leaves_has_a_start_and_an_end(ann: Machine, queue: JobQueue) -> None:
    ids = prefetched(ann, queue)
    ann.runner.end(next(iter(ann.runner.held)), COMPLETED)
    ann.runner.fill()
    ann.loop.leave()
    execution = queue.get_status(ids[2])["executions"][0]
    assert (execution["status"], execution["started_at"] is not None) == ("released", True)
    assert kinds(ann, ids[2]) == ["started", "released"]
    assert kinds(ann, ids[3]) == []


def test_a_worker_that_was_expelled_leaves_nothing_of_its_own(ann: Machine, queue: JobQueue) -> None:
    (job_id,) = submit(queue)
    ann.loop.turn()
    ann.runner.fill()
    with queue.database.write() as tx:
        workers.expel(tx, ann.key)
    ann.loop.leave()
    assert statuses(queue, [job_id]) == [["lost"]]
    assert kinds(ann, job_id) == ["started", "lost"]


def test_an_execution_that_a_person_has_deleted_is_forgotten(ann: Machine, queue: JobQueue, clock: ManualClock) -> None:
    submit(queue)
    ann.loop.turn()
    ann.runner.fill()
    with queue.database.write() as tx:
        tx.execute("DELETE FROM executions")
        tx.execute("DELETE FROM jobs")
    for _ in range(2):  # the second one writes the log
        clock.advance(1.0)
        ann.loop.turn()
    ann.check_empty()


def test_a_worker_whose_row_a_person_has_deleted_sends_no_end_that_is_none(
    ann: Machine, queue: JobQueue, clock: ManualClock
) -> None:
    (job_id,) = submit(queue)
    ann.loop.turn()
    ann.runner.fill()
    with queue.database.write() as tx:
        tx.execute("DELETE FROM job_workers")
    for _ in range(2):
        clock.advance(1.0)
        ann.loop.turn()
    ann.check_empty()
    assert kinds(ann, job_id) == ["started"]
    queue.requeue_stuck(older_than=0)


def test_progress_of_a_job_that_is_taken_in_the_same_turn_is_not_sent(
    ann: Machine, queue: JobQueue, clock: ManualClock
) -> None:
    (job_id,) = submit(queue)
    ann.loop.turn()
    ann.runner.fill()
    next(iter(ann.runner.held.values())).progress = Progress(1)
    queue.cancel(job_id, running=True)
    clock.advance(1.0)
    ann.loop.turn()
    assert kinds(ann, job_id) == ["started", "cancelled"]


# errors


def fail_turn(machine: Machine, saboteur: Saboteur) -> None:
    saboteur.spoil(4, FAULTS["disk full"])
    with pytest.raises(StoreError) as caught:
        machine.loop.turn()
    saboteur.rest()
    machine.loop.pause_after_error(caught.value)


@pytest.mark.parametrize("error", [QueueGone("gone"), NotAQueue("newer")])
def test_an_error_that_waiting_cannot_mend_ends_the_loop(ann: Machine, error: StoreError) -> None:
    with pytest.raises(type(error)):
        ann.loop.pause_after_error(error)


def test_an_error_that_lasts_is_logged_once_a_minute(
    ann: Machine, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        ann.loop.pause_after_error(QueueBusy("busy"))
        clock.advance(25.0)
    ann.loop.pause_after_error(QueueBusy("busy"))
    assert [each.getMessage() for each in caplog.records] == ["busy; 0 results are kept and will be written again"] * 2


def test_after_an_error_the_results_are_written_one_by_one_and_then_faster_again(
    ann: Machine, queue: JobQueue, saboteur: Saboteur
) -> None:
    prefetched(ann, queue, number=10)
    run_all(ann)
    fail_turn(ann, saboteur)
    completed = []
    for _ in range(4):
        ann.loop.turn(claim=False)
        completed.append(queue.stats()["completed"])
    assert completed == [2 + 1, 2 + 3, 2 + 7, 2 + 10]


def test_where_the_ends_of_jobs_cannot_be_read_no_event_is_sent_and_nothing_is_kept(
    ann: Machine, queue: JobQueue, saboteur: Saboteur, caplog: pytest.LogCaptureFixture
) -> None:
    job_id, other = submit(queue, 2)
    ann.loop.turn()
    ann.runner.fill()
    queue.cancel(job_id, running=True)
    ann.loop.wait()
    # The look has five statements, and four find out that no function has completed a job itself.
    saboteur.spoil(11, FAULTS["I/O error"])  # which begins to read the ends
    ann.loop.turn()
    saboteur.rest()
    assert [held.claim.job_id for held in ann.runner.held.values()] == [other]
    ann.check()
    assert kinds(ann, job_id) == ["started"]
    assert "no events or lines tell how 1 jobs ended" in caplog.text


def test_where_it_cannot_be_read_whether_jobs_were_taken_away_they_go_on_until_the_next_heartbeat(
    ann: Machine, queue: JobQueue, saboteur: Saboteur, caplog: pytest.LogCaptureFixture, clock: ManualClock
) -> None:
    job_id, other = submit(queue, 2)
    ann.loop.turn()
    ann.runner.fill()
    queue.cancel(job_id, running=True)
    ann.loop.wait()
    saboteur.spoil(7, FAULTS["I/O error"])
    ann.loop.turn()
    saboteur.rest()
    assert {held.claim.job_id for held in ann.runner.held.values()} == {job_id, other}
    assert "1 jobs that are no longer this worker's are not stopped yet" in caplog.text
    clock.advance(1.0)
    ann.loop.turn()
    assert [held.claim.job_id for held in ann.runner.held.values()] == [other]
    ann.check()


def complete_itself(queue: JobQueue, machine: Machine, job_id: str) -> int:
    """Settle a running job as its function does in a transaction of its own; return the execution."""
    (execution,) = [each for each, held in machine.runner.held.items() if held.claim.job_id == job_id]
    with queue.database.write() as tx:
        settling.settle(tx, execution, Report.completed('"done"'))
    return execution


def test_a_job_that_has_completed_itself_is_left_alone_until_its_report_comes(
    ann: Machine, queue: JobQueue, clock: ManualClock
) -> None:
    (job_id,) = submit(queue)
    ann.loop.turn()
    ann.runner.fill()
    execution = complete_itself(queue, ann, job_id)
    clock.advance(1.0)
    ann.loop.turn()
    assert (list(ann.runner.held), ann.runner.stopped) == ([execution], {})
    ann.runner.end(execution, Report.completed('"done"')._replace(is_settled=True))
    ann.loop.turn()
    assert (kinds(ann, job_id), queue.get_result(job_id)) == (["started", "completed"], "done")
    ann.check()


def test_a_job_that_has_completed_itself_is_told_as_completed_although_its_process_has_died(
    ann: Machine, queue: JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (job_id,) = submit(queue)
    ann.loop.turn()
    ann.runner.fill()
    execution = complete_itself(queue, ann, job_id)
    ann.runner.end(execution, Report.failed("killed by SIGKILL", error_type="ProcessDied"))
    ann.loop.turn()
    assert kinds(ann, job_id) == ["started", "completed"]
    assert [event.error for event in ann.events if event.job_id == job_id] == [None, None]
    assert f"job {job_id} (job) completed, attempt 1 of 3" in caplog.text
    assert (queue.get_status(job_id)["status"], queue.get_result(job_id)) == ("completed", "done")
    ann.check()


def test_a_schedule_that_cannot_be_read_here_is_logged_once(
    ann: Machine, queue: JobQueue, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    queue.schedules.add("elsewhere", functions.nothing, every=60)
    with queue.database.write() as tx:
        tx.execute("UPDATE job_schedules SET timezone = 'Mars/Olympus', next_at = ?", (tx.stamp,))
    for _ in range(3):
        clock.advance(1.0)
        ann.loop.turn()
    assert caplog.text.count("schedule 'elsewhere' cannot be read here") == 1


def test_a_worker_goes_on_after_an_error(open_queue: Callable[..., JobQueue], path: str, saboteur: Saboteur) -> None:
    said = Said("the disk is full")
    with open_queue() as queue, said.present(), Worker(path) as worker:
        job_id = queue.enqueue(functions.add, 1)
        saboteur.spoil(4, FAULTS["disk full"])
        running = Running(worker)
        assert said.wait(60)
        assert queue.result(job_id, timeout=60) == 1
        running.stop()
    assert (running.error, saboteur.struck) == (None, True)


def test_a_heartbeat_that_cannot_be_written_while_a_job_runs_is_logged_and_the_job_goes_on(
    open_queue: Callable[..., JobQueue], path: str, saboteur: Saboteur
) -> None:
    said = Said("a heartbeat could not be written")

    def function() -> str:
        saboteur.spoil(3, FAULTS["disk full"])
        assert said.wait(60)
        current_job().progress(3)
        while queue.get_status(job_id)["progress"] is None:
            assert not threading.Event().wait(0.01)
        return "done"

    with open_queue() as queue, said.present(), Worker(path, lease=1, handlers={"f": function}) as worker:
        job_id = queue.submit(Job("job", "f"))
        assert worker.process_one()
        assert queue.get_result(job_id) == "done"


class Said(logging.Handler):
    """Waits for a message in the log of workers."""

    def __init__(self, beginning: str) -> None:
        super().__init__()
        self._beginning = beginning
        self._is_said = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith(self._beginning):
            self._is_said.set()

    def wait(self, seconds: float) -> bool:
        return self._is_said.wait(seconds)

    @contextmanager
    def present(self) -> Iterator[None]:
        logging.getLogger("gigq.worker").addHandler(self)
        try:
            yield
        finally:
            logging.getLogger("gigq.worker").removeHandler(self)


# Ctrl-C


def test_a_job_whose_claim_ctrl_c_interrupts_is_given_back_by_the_next_heartbeat(
    queue: JobQueue, path: str, clock: ManualClock, saboteur: Saboteur
) -> None:
    def interrupt() -> None:
        if "BEGIN IMMEDIATE" in saboteur.statements:  # and not after the look before
            saboteur.rest()
            raise KeyboardInterrupt

    with Worker(path, clock=clock) as worker:
        worker.process_one()
        (job_id,) = submit(queue)
        saboteur.watch(interrupt)
        with pytest.raises(KeyboardInterrupt):
            worker.process_one()
        assert statuses(queue, [job_id]) == [["running"]]
        clock.advance(1.0)
        assert worker.process_one()
    assert statuses(queue, [job_id]) == [["released", "completed"]]
    assert queue.get_status(job_id)["attempts"] == 1


def test_a_worker_whose_last_result_cannot_be_written_is_closed_all_the_same(
    queue: JobQueue, path: str, clock: ManualClock, saboteur: Saboteur
) -> None:
    worker = Worker(path, clock=clock)
    worker.process_one()
    saboteur.spoil(3, FAULTS["disk full"])
    with pytest.raises(StoreError):
        worker.close()
    saboteur.rest()
    assert [each.id for each in queue.workers()] == [worker.worker_id]
    worker.close()


def test_jobs_that_complete_are_logged_where_that_is_asked_for(
    ann: Machine, queue: JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="gigq.worker"):
        (job_id,) = submit(queue)
        ann.loop.turn()
        run_all(ann)
        ann.loop.turn()
    assert [each.getMessage() for each in caplog.records] == [
        f"job {job_id} (job) completed, attempt 1 of 3, after 0 ms"
    ]
