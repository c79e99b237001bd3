"""Workers in the file: their heartbeats, requests to them, and the jobs of the dead."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from store.verbs import File

from gigq.claims import Claim
from gigq.liveness import WorkerKey
from gigq.status import ExecutionStatus, JobStatus
from gigq.store import workers
from gigq.store.claiming import begin
from gigq.store.workers import Standing

AHEAD: dict[str, Any] = {"ahead": 10, "returned": ["functions:nothing"]}


def renew(file: File, worker: WorkerKey | None = None, **counts: int) -> Standing:
    with file.write() as tx:
        workers.renew(tx, worker or file.worker, **counts)
        standing = workers.standing(tx, worker or file.worker)
    assert standing is not None
    return standing


def expel(file: File, worker: WorkerKey | None = None) -> int:
    with file.write() as tx:
        return workers.expel(tx, worker or file.worker)


def leave(file: File, worker: WorkerKey | None = None) -> bool:
    with file.write() as tx:
        return workers.leave(tx, worker or file.worker, reason="it was told to stop")


def reclaim(file: File, seconds: float) -> int:
    with file.write() as tx:
        return workers.reclaim(tx, before=tx.now - timedelta(seconds=seconds))


def crashes(file: File, job_id: str) -> int:
    return int(file.value("SELECT crashes FROM jobs WHERE id = ?", job_id))


def one_begun_and_one_reserved(file: File, **options: Any) -> tuple[str, str, list[Claim]]:
    begun, reserved = file.submit("begun", **options), file.submit("reserved", **options)
    return begun, reserved, file.claim(1, **AHEAD)


# the dead


def test_an_execution_that_a_dead_worker_had_begun_is_lost_and_counts(file: File) -> None:
    begun, _, _ = one_begun_and_one_reserved(file)
    assert expel(file) == 2
    job = file.job(begun)
    assert (job.attempts, job.executions[0].status) == (1, ExecutionStatus.LOST)
    assert job.executions[0].error == "its worker ann died"


def test_an_execution_that_a_dead_worker_had_only_reserved_is_released_and_does_not_count(file: File) -> None:
    _, reserved, _ = one_begun_and_one_reserved(file)
    expel(file)
    job = file.job(reserved)
    assert (job.phase, job.attempts, job.error) == ("ready", 0, None)
    assert job.executions[0].status == ExecutionStatus.RELEASED
    assert job.executions[0].error == "given back: its worker ann died before it began"


def test_a_reserved_execution_that_has_begun_is_lost_with_its_worker(file: File) -> None:
    _, reserved, claims = one_begun_and_one_reserved(file)
    with file.write() as tx:
        begin(tx, [claims[1].execution_id])
    expel(file)
    assert (file.job(reserved).attempts, file.job(reserved).executions[0].status) == (1, ExecutionStatus.LOST)


def test_the_last_attempt_of_a_job_whose_worker_dies_fails_it(file: File) -> None:
    begun, reserved, _ = one_begun_and_one_reserved(file, max_attempts=1)
    expel(file)
    assert (file.job(begun).status, file.job(reserved).status) == (JobStatus.FAILED, JobStatus.PENDING)


def test_every_job_that_a_dead_worker_held_has_one_crash_more(file: File) -> None:
    """The file does not say which job killed it: the start of a reserved one may not have been written yet."""
    begun, reserved, _ = one_begun_and_one_reserved(file, max_attempts=9)
    expel(file)
    assert (crashes(file, begun), crashes(file, reserved)) == (1, 1)
    file.clock.advance(3600)
    file.claim(2, worker=(bob := file.register("bob")))
    expel(file, bob)
    assert (crashes(file, begun), crashes(file, reserved)) == (2, 2)


def test_a_job_that_a_dead_worker_held_is_not_claimed_ahead_again(file: File) -> None:
    one_begun_and_one_reserved(file, max_attempts=9)
    expel(file)
    file.clock.advance(3600)
    bob = file.register("bob")
    assert file.claim(0, worker=bob, **AHEAD) == []
    assert file.names(file.claim(1, worker=bob, **AHEAD)) == ["begun"]
    assert file.names(file.claim(1, worker=bob, **AHEAD)) == ["reserved"]


def test_a_failure_is_no_crash(file: File) -> None:
    job_id = file.submit()
    file.fail(job_id)
    assert crashes(file, job_id) == 0


def test_other_workers_keep_their_jobs(file: File) -> None:
    mine, theirs = file.submit("mine"), file.submit("theirs")
    file.claim()
    file.claim(worker=(bob := file.register("bob")))
    assert expel(file, bob) == 1
    assert (file.job(mine).phase, file.job(theirs).phase) == ("running", "ready")


def test_an_expelled_worker_has_no_standing(file: File) -> None:
    expel(file)
    with file.write() as tx:
        workers.renew(tx, file.worker)
        assert workers.standing(tx, file.worker) is None
        assert not workers.is_registered(tx, file.worker)


def test_the_row_of_an_expelled_worker_is_never_reused(file: File) -> None:
    expel(file)
    file.register("bob")
    with file.write() as tx:
        assert workers.standing(tx, file.worker) is None


def test_another_worker_of_the_same_name_is_another_worker(file: File) -> None:
    first, second = file.worker, file.register("ann")
    file.submit()
    file.claim(worker=first)
    assert expel(file, second) == 0
    assert len(renew(file, first).own) == 1


# what people see


def test_a_worker_is_shown_with_its_settings_and_how_many_jobs_it_holds(file: File) -> None:
    with file.write() as tx:
        workers.register(
            tx, "bob", workers.heartbeats(tx)[0].process, concurrency=3, mode="process", queues=["mail", "reports"]
        )
    for _ in range(2):
        file.submit()
    file.claim(1, **AHEAD)
    ann, bob = file.queue.workers()
    assert (ann.id, ann.mode, ann.concurrency, ann.queues, ann.pid, ann.running) == ("ann", "thread", 1, None, 1, 2)
    assert (bob.id, bob.mode, bob.concurrency, bob.queues) == ("bob", "process", 3, ("mail", "reports"))
    assert (bob.running, bob.completed, bob.failed, bob.stop) == (0, 0, 0, None)
    assert bob.started_at == bob.seen_at == file.clock.now()


def test_a_heartbeat_is_dated_and_counts_the_executions_that_have_ended(file: File) -> None:
    started = file.clock.now()
    file.clock.advance(7)
    renew(file, completed=3, failed=1)
    renew(file, completed=2)
    (ann,) = file.queue.workers()
    assert (ann.started_at, ann.seen_at) == (started, started + timedelta(seconds=7))
    assert (ann.completed, ann.failed) == (5, 1)


def test_a_heartbeat_advances_the_counter_that_others_watch(file: File) -> None:
    def heartbeat() -> int:
        with file.queue.database.read() as tx:
            return workers.heartbeats(tx)[0].counter

    before = heartbeat()
    renew(file)
    assert heartbeat() == before + 1


# what people ask for


def test_a_new_worker_is_asked_for_nothing(file: File) -> None:
    assert renew(file) == Standing(own=set(), concurrency=None, stop=None)


def test_all_workers_or_one_can_be_asked_to_have_more_slots(file: File) -> None:
    bob = file.register("bob")
    assert file.queue.scale(4) == 2
    assert file.queue.scale(7, "bob") == 1
    assert file.queue.scale(9, "nobody") == 0
    assert (renew(file).concurrency, renew(file, bob).concurrency) == (4, 7)
    assert [worker.concurrency for worker in file.queue.workers()] == [4, 7]


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, True, "2"])
def test_an_impossible_number_of_slots_is_refused(file: File, concurrency: Any) -> None:
    with pytest.raises(ValueError, match="concurrency"):
        file.queue.scale(concurrency)
    assert renew(file).concurrency is None


def test_all_workers_or_one_can_be_asked_to_stop(file: File) -> None:
    bob = file.register("bob")
    assert file.queue.stop_workers("bob") == 1
    assert (renew(file).stop, renew(file, bob).stop) == (None, "graceful")
    assert file.queue.stop_workers(graceful=False) == 2
    assert (renew(file).stop, renew(file, bob).stop) == ("now", "now")
    assert [worker.stop for worker in file.queue.workers()] == ["now", "now"]
    assert file.queue.stop_workers("nobody") == 0


def test_a_graceful_stop_does_not_soften_a_stop_now(file: File) -> None:
    file.queue.stop_workers(graceful=False)
    file.queue.stop_workers()
    assert renew(file).stop == "now"


def test_a_worker_that_comes_later_is_not_asked_to_stop(file: File) -> None:
    file.queue.stop_workers()
    assert renew(file, file.register("bob")).stop is None


# taken away, given back


def test_a_job_that_runs_for_too_long_is_reclaimed_from_its_worker(file: File) -> None:
    old = file.submit("old")
    file.claim()
    file.clock.advance(60)
    young = file.submit("young")
    (claim,) = file.claim()
    assert reclaim(file, 30) == 1
    job = file.job(old)
    assert (job.phase, job.attempts, job.executions[0].status) == ("ready", 1, ExecutionStatus.LOST)
    assert job.executions[0].error == "taken from its worker by a person"
    assert file.job(young).status == JobStatus.RUNNING
    assert renew(file).own == {claim.execution_id}


def test_a_reserved_job_is_not_reclaimed(file: File) -> None:
    _, reserved, _ = one_begun_and_one_reserved(file)
    file.clock.advance(60)
    assert reclaim(file, 30) == 1
    assert file.job(reserved).phase == "reserved"


def test_nothing_is_reclaimed_where_no_job_runs_for_long(file: File) -> None:
    file.submit()
    file.claim()
    assert reclaim(file, 30) == 0


def test_a_worker_that_leaves_gives_everything_back_uncounted(file: File) -> None:
    begun, reserved, _ = one_begun_and_one_reserved(file)
    leave(file)
    for job in file.job(begun), file.job(reserved):
        assert (job.phase, job.attempts, job.executions[0].error) == ("ready", 0, "it was told to stop")
    assert (crashes(file, begun), crashes(file, reserved)) == (0, 0)
    assert file.queue.workers() == []


def test_a_worker_that_leaves_knows_whether_it_was_the_last(file: File) -> None:
    bob = file.register("bob")
    assert not leave(file)
    assert leave(file, bob)
