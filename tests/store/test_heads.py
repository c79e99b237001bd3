"""How long the jobs at the head of a queue have waited, and what workers hold."""

from __future__ import annotations

import json
from datetime import timedelta

from store.test_plans import plans, scanning
from store.verbs import SOMEWHERE, File

from gigq.liveness import ProcessIdentity
from gigq.process import this_process
from gigq.reports import Progress
from gigq.status import ExecutionStatus
from gigq.store import workers
from gigq.store.heads import oldest_ready, ready_since
from gigq.store.progress import write_progress


def test_the_oldest_ready_job_may_have_any_priority(file: File) -> None:
    start = file.clock.now()
    for priority in (0, -5, 7):
        file.submit(priority=priority)
        file.submit(priority=priority)
        file.clock.advance(10)
    file.submit(queue="other")
    with file.queue.database.read() as tx:
        assert oldest_ready(tx, "default") == start
        assert oldest_ready(tx, "other") == start + timedelta(seconds=30)
        assert oldest_ready(tx, "none") is None


def test_a_job_waits_since_it_became_ready_and_not_since_it_was_submitted(file: File) -> None:
    file.submit(delay=3600)
    file.clock.advance(3601)
    parent = file.submit("parent", priority=9)
    file.submit("second")
    (claim,) = file.claim()
    assert claim.job_id == parent  # and with the claim, the job that was due has become ready
    file.settle(claim, ExecutionStatus.COMPLETED)
    with file.queue.database.read() as tx:
        assert ready_since(tx, "default") == file.clock.now()
        assert oldest_ready(tx, "default") == file.clock.now() - timedelta(seconds=3601)
        assert ready_since(tx, "none") is None


def test_a_job_behind_one_that_has_just_become_ready_counts(file: File) -> None:
    file.submit("retry", retry_delay=600)
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.FAILED, error="no")
    since = file.clock.now()
    file.submit("behind")
    file.submit("other priority", priority=9)
    file.clock.advance(600)
    file.claim()  # makes the retry ready
    with file.queue.database.read() as tx:
        assert ready_since(tx, "default") == since


def test_the_look_at_a_head_reads_no_whole_table(file: File) -> None:
    file.submit()

    def look() -> None:
        with file.queue.database.read() as tx:
            oldest_ready(tx, "default")
            ready_since(tx, "default")

    found = plans(file, look)
    assert len(found) == 2 and scanning(found) == {}


def test_workers_tell_which_jobs_they_hold_and_prefetched_ones_come_last(file: File) -> None:
    first = file.submit("first", timeout=60)
    (claim,) = file.claim()
    with file.write() as tx:
        write_progress(tx, {claim.execution_id: Progress(1, 4, "a quarter")})
    second = file.submit("second", queue="mail")
    file.claim(free=0, ahead=1, returned=["functions:nothing"])
    (worker,) = file.queue.workers()
    assert [(job.id, job.queue, job.started_at) for job in worker.jobs] == [
        (first, "default", file.clock.now()), (second, "mail", None),
    ]  # fmt: skip
    assert (worker.running, worker.free, worker.state, worker.jobs[0].timeout) == (2, 0, "alive", 60.0)
    assert worker.jobs[0].progress is not None and worker.jobs[0].progress["percentage"] == 25
    assert json.loads(json.dumps(worker.as_dict()))["jobs"][0]["name"] == "first"


def test_a_pause_says_since_when_and_a_second_one_changes_nothing(file: File) -> None:
    file.queue.pause("mail")
    since = file.clock.now()
    file.clock.advance(60)
    file.queue.pause("mail")
    file.queue.pause()
    assert [(each.is_paused, each.paused_at) for each in file.queue.queues()] == [(True, since)]
    file.queue.resume("mail")
    file.submit(queue="mail")
    assert [each.paused_at for each in file.queue.queues()] == [file.clock.now()]
    file.queue.resume()
    assert [each.paused_at for each in file.queue.queues()] == [None]


def test_a_worker_is_alive_stopping_stuck_silent_dead_or_a_program(file: File) -> None:
    here = this_process()
    dead = ProcessIdentity(
        machine_id=here.machine_id, boot_id=here.boot_id, pid_namespace=here.pid_namespace, pid=2**22 + 1
    )
    file.submit()
    file.queue.dequeue("manual")
    file.clock.advance(60)
    for name, home in {"alive": SOMEWHERE, "dead": dead, "stopping": SOMEWHERE, "stuck": SOMEWHERE}.items():
        with file.write() as tx:
            workers.renew(
                tx, workers.register(tx, name, home, concurrency=2), trouble="no room" if name == "stuck" else None
            )
    file.queue.stop_workers("stopping")
    assert {each.id: (each.state, each.free) for each in file.queue.workers()} == {
        "ann": ("silent", 0), "alive": ("alive", 2), "dead": ("dead", 0), "stopping": ("stopping", 0),
        "stuck": ("stuck", 0), "manual": ("manual", 0),
    }  # fmt: skip
