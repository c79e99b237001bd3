"""The sentences that say why a job is not running, or what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from store.verbs import SOMEWHERE, File

from gigq import Job, JobNotFound, JobQueue, ManualClock, Worker
from gigq.liveness import ProcessIdentity, WorkerKey
from gigq.process import this_process
from gigq.status import ExecutionStatus
from gigq.store import workers

Open = Callable[..., JobQueue]

SINCE = "since 2026-01-01 00:00:00 UTC, for 0 ms"
READY = "It is ready, and a worker with a free slot serves its queue: it starts in a moment."


@pytest.fixture
def file(open_queue: Open, clock: ManualClock) -> File:
    return File(open_queue(clock=clock), clock)


def enter(file: File, name: str, home: ProcessIdentity = SOMEWHERE, **options: Any) -> WorkerKey:
    with file.write() as tx:
        return workers.register(tx, name, home, **({"concurrency": 1} | options))


def leave(file: File, worker: WorkerKey | None = None) -> None:
    with file.write() as tx:
        workers.leave(tx, worker or file.worker, reason="gone")


def beat(file: File) -> None:
    with file.write() as tx:
        workers.renew(tx, file.worker)


# pending


def test_a_ready_job_with_a_free_slot_starts_in_a_moment(file: File) -> None:
    assert file.queue.why(file.submit()) == [READY]


def test_a_paused_queue_is_named_with_the_command_that_resumes_it(file: File) -> None:
    job = file.submit(queue="mail")
    file.queue.pause("mail")
    assert file.queue.why(job) == [f"Queue 'mail' has been paused {SINCE}; `gigq resume mail` resumes it."]


def test_a_name_that_a_shell_would_split_is_quoted(file: File) -> None:
    job = file.submit(queue="my mail")
    file.queue.pause("my mail")
    assert file.queue.why(job) == [f"Queue 'my mail' has been paused {SINCE}; `gigq resume 'my mail'` resumes it."]


def test_two_pauses_are_both_named_because_both_must_end(file: File) -> None:
    job = file.submit(queue="mail")
    file.queue.pause("mail")
    file.queue.pause()
    first, second = file.queue.why(job)
    assert first == f"All queues have been paused {SINCE}; `gigq resume` resumes them."
    assert second.startswith(f"Queue 'mail' has been paused {SINCE}; ")


def test_a_scheduled_job_says_for_when(file: File) -> None:
    assert file.queue.why(file.submit(delay=90)) == ["It is scheduled for 2026-01-01 00:01:30 UTC, in 1.5 min."]


def test_a_retry_says_what_failed_last_and_when_the_next_attempt_is(file: File) -> None:
    job = file.submit(retry_delay=600)
    file.settle(file.claim()[0], ExecutionStatus.FAILED, error="ValueError: no\nmore")
    assert file.queue.why(job) == [
        "Attempt 1 of 3 ended as failed: ValueError: no",
        "The next attempt may start at 2026-01-01 00:10:00 UTC, in 10 min.",
    ]


def test_a_job_that_was_given_back_says_why(file: File) -> None:
    job = file.submit()
    file.settle(file.claim()[0], ExecutionStatus.RELEASED, error="not yet", delay=7200)
    assert file.queue.why(job) == [
        "It was given back unfinished, and the attempt did not count: not yet",
        "It is scheduled for 2026-01-01 02:00:00 UTC, in 2 h.",
    ]


def test_a_requeued_job_does_not_mention_its_earlier_attempts(file: File) -> None:
    job = file.submit()
    file.fail(job)
    file.queue.requeue_job(job)
    assert file.queue.why(job) == [READY]


def test_a_child_names_the_first_parents_and_counts_the_rest(file: File) -> None:
    parents = [file.submit(f"p{number}") for number in range(5)]
    file.claim()
    child = file.submit(dependencies=parents)
    assert file.queue.why(child) == [
        f"It is waiting for 5 jobs to complete: {parents[0]} (p0) is running, {parents[1]} (p1) is pending, "
        f"{parents[2]} (p2) is pending, and 2 more.",
        "All slots of the workers that serve queue 'default' are taken: 1.",
    ]


def test_parents_that_have_completed_are_not_named(file: File) -> None:
    done = file.submit()
    file.complete(done)
    other = file.submit("other")
    (reason,) = file.queue.why(file.submit(dependencies=[done, other]))
    assert reason == f"It is waiting for 1 job to complete: {other} (other) is pending."


def test_a_queue_at_its_limit_of_running_jobs_says_so(file: File) -> None:
    file.queue.configure("mail", max_running=1)
    enter(file, "bob", concurrency=5)
    file.submit(queue="mail")
    file.claim()
    assert file.queue.why(file.submit(queue="mail")) == ["Queue 'mail' is running as many jobs as it may at a time: 1."]


def test_a_queue_at_its_rate_limit_says_when_the_next_job_may_start(file: File) -> None:
    file.queue.configure("mail", rate_limit=1, rate_period=60)
    file.submit(queue="mail")
    file.settle(file.claim()[0], ExecutionStatus.COMPLETED)
    file.clock.advance(10)
    assert file.queue.why(file.submit(queue="mail")) == [
        "Queue 'mail' may start 1 job every 60 s, and has done so; the next may start at 2026-01-01 00:01:00 UTC, in 50 s."
    ]


def test_jobs_of_its_queue_that_go_first_are_counted(file: File) -> None:
    file.submit("older")
    file.submit("other queue", queue="other", priority=9)
    file.submit("later", priority=9, delay=60)
    job = file.submit()
    file.submit("less urgent", priority=-9)
    assert file.queue.why(job) == ["1 job of its queue goes first."]
    file.submit("urgent", priority=9)
    assert file.queue.why(job) == ["2 jobs of its queue go first."]


def test_jobs_that_go_first_are_counted_up_to_a_thousand(file: File) -> None:
    file.queue.submit_many(Job("job", "functions:nothing") for _ in range(1001))
    assert file.queue.why(file.submit()) == ["More than 1,000 jobs of its queue go first."]


def test_without_a_worker_it_says_how_to_start_one(file: File) -> None:
    leave(file)
    assert file.queue.why(file.submit()) == ["There is no worker; `gigq worker` starts one."]


def test_a_program_that_claims_jobs_manually_is_no_worker(file: File) -> None:
    leave(file)
    enter(file, "program", mode="manual", concurrency=0)
    assert file.queue.why(file.submit()) == ["There is no worker; `gigq worker` starts one."]


def test_workers_of_other_queues_are_named(file: File) -> None:
    leave(file)
    for name in ("a", "b", "c", "d"):
        enter(file, name, queues=["red"])
    assert file.queue.why(file.submit(queue="blue")) == [
        "No live worker serves queue 'blue'; `gigq worker --queue blue` starts one.",
        "These workers serve only other queues: a, b, c, and 1 more.",
    ]


def test_a_silent_worker_is_named_with_its_last_heartbeat(file: File) -> None:
    job = file.submit()
    file.clock.advance(15)
    assert file.queue.why(job) == [READY]
    file.clock.advance(25)
    assert file.queue.why(job) == [
        "No live worker serves queue 'default'; `gigq worker --queue default` starts one.",
        "Worker ann is silent: it was last seen 40 s ago, at 2026-01-01 00:00:00 UTC.",
    ]


def test_a_worker_whose_process_is_gone_is_dead_at_once(file: File) -> None:
    leave(file)
    here = this_process()
    gone = ProcessIdentity(machine_id=here.machine_id, boot_id="another", pid_namespace=here.pid_namespace, pid=here.pid)
    enter(file, "bob", gone)
    assert file.queue.why(file.submit())[1:] == ["Worker bob is dead: its process has ended."]


def test_a_worker_that_is_about_to_stop_is_named(file: File) -> None:
    file.queue.stop_workers()
    assert file.queue.why(file.submit())[1:] == ["Worker ann is about to stop."]


def test_a_worker_that_can_start_no_job_counts_only_when_it_can_again(file: File) -> None:
    with file.write() as tx:
        workers.renew(tx, file.worker, trouble="no child process can be started: no memory")
    job = file.submit()
    assert file.queue.why(job) == [
        "No worker that serves queue 'default' can start a job.",
        "Worker ann can start none: no child process can be started: no memory.",
    ]
    beat(file)
    assert file.queue.why(job) == [READY]


def test_a_job_waits_for_a_free_slot(file: File) -> None:
    file.submit()
    file.claim()
    (reason,) = file.queue.why(file.submit())
    assert reason == "All slots of the workers that serve queue 'default' are taken: 1."


def test_a_handler_that_no_worker_has_is_named(file: File) -> None:
    job = file.queue.submit(Job("mail", "send_mail"))
    assert file.queue.why(job) == [
        "No live worker that serves queue 'default' has a handler 'send_mail'."
    ]
    enter(file, "bob", handlers=["send_mail"])
    assert file.queue.why(job) == [READY]


def test_the_handlers_of_a_worker_are_known(file: File, path: str) -> None:
    leave(file)
    with Worker(path, "bob", handlers={"send_mail": str}, clock=file.clock) as worker:
        worker.process_one()
        job = file.queue.submit(Job("mail", "send_mail"))
        assert file.queue.why(job) == [READY]


def test_a_job_that_expires_says_when(file: File) -> None:
    job = file.submit(expires_at="2026-01-01T00:05:00Z", delay=60)
    assert file.queue.why(job) == [
        "It is scheduled for 2026-01-01 00:01:00 UTC, in 1 min.",
        "It is cancelled if it has not started by 2026-01-01 00:05:00 UTC, in 5 min.",
    ]
    file.clock.advance(300)
    beat(file)
    assert file.queue.why(job)[-1] == "It expired at 2026-01-01 00:05:00 UTC; the next worker that looks cancels it."


def test_all_reasons_are_given(file: File) -> None:
    parent = file.submit()
    file.queue.pause()
    leave(file)
    job = file.submit(dependencies=[parent], delay=3 * 86_400, expires_at="2026-02-01T00:00:00Z")
    assert [reason.partition(" ")[0] for reason in file.queue.why(job)] == ["All", "It", "It", "There", "It"]


# running


def test_a_running_job_says_which_worker_has_been_running_it_since_when(file: File) -> None:
    job = file.submit()
    file.claim()
    file.clock.advance(5)
    assert file.queue.why(job) == ["Worker ann has been running it since 2026-01-01 00:00:00 UTC, for 5 s (attempt 1 of 3)."]


def test_a_job_of_a_silent_worker_says_what_takes_it_away(file: File) -> None:
    job = file.submit()
    file.claim()
    file.clock.advance(120)
    assert file.queue.why(job)[1] == (
        "Worker ann is silent: it was last seen 2 min ago, at 2026-01-01 00:00:00 UTC; "
        "a live worker, or `gigq recover`, takes the job from it."
    )


def test_a_reserved_job_waits_for_a_slot(file: File) -> None:
    file.submit()
    job = file.submit()
    file.claim(1, ahead=1, returned=["functions:nothing"])
    assert file.queue.why(job) == [
        "Worker ann has reserved it, and calls its function when a slot is free (attempt 1 of 3)."
    ]


def test_a_job_that_was_claimed_manually_says_so(file: File) -> None:
    job = file.submit()
    file.claim(worker=enter(file, "eve", mode="manual", concurrency=0))
    file.clock.advance(3600)
    assert file.queue.why(job) == [
        "Worker eve has been holding it manually since 2026-01-01 00:00:00 UTC, for 1 h (attempt 1 of 3)."
    ]


# finished


def test_a_completed_job_says_when_and_how_long_it_took(file: File) -> None:
    job = file.submit()
    (claim,) = file.claim()
    file.clock.advance(3)
    file.settle(claim, ExecutionStatus.COMPLETED)
    assert file.queue.why(job) == ["It completed at 2026-01-01 00:00:03 UTC in attempt 1 of 3, having run for 3 s."]


@pytest.mark.parametrize(
    ("status", "what"), [(ExecutionStatus.FAILED, "failed"), (ExecutionStatus.TIMEOUT, "timed out")]
)
def test_a_dead_letter_says_its_last_error_and_what_to_do(file: File, status: ExecutionStatus, what: str) -> None:
    job = file.submit(max_attempts=2)
    for error in ("first", "second\nwith more"):
        file.settle(file.claim()[0], status, error=error)
    assert file.queue.why(job) == [
        f"It {what} at 2026-01-01 00:00:00 UTC after 2 of 2 attempts.",
        "The last error: second",
        f"`gigq requeue {job}` sends it back.",
    ]


def test_a_job_cancelled_by_a_person_says_when(file: File) -> None:
    job = file.submit()
    file.queue.cancel(job)
    assert file.queue.why(job) == ["It was cancelled at 2026-01-01 00:00:00 UTC: cancelled before it ran"]


def test_a_job_cancelled_because_of_an_ancestor_names_that_and_says_to_requeue_it(file: File) -> None:
    root = file.submit("root")
    child = file.submit("child", dependencies=[root])
    grandchild = file.submit("grandchild", dependencies=[child])
    file.fail(root)
    cancelled, cure = file.queue.why(grandchild)
    assert cancelled.startswith("It was cancelled at 2026-01-01 00:00:00 UTC: cancelled because job ")
    assert cure == f"Job {root} (root) failed; `gigq requeue {root}` brings this one back with it."


def test_an_expired_job_says_when_it_should_have_started(file: File) -> None:
    job = file.submit(expires_at=file.clock.now() + timedelta(seconds=1))
    file.clock.advance(2)
    file.claim()
    (reason,) = file.queue.why(job)
    assert reason.endswith(": expired: it was not started by 2026-01-01T00:00:01.000000Z")


def test_a_long_error_is_shortened(file: File) -> None:
    job = file.submit(max_attempts=1)
    file.settle(file.claim()[0], ExecutionStatus.FAILED, error="x" * 10_000)
    assert file.queue.why(job)[1] == f"The last error: {'x' * 300}…"


def test_an_unknown_id_has_no_reasons(file: File) -> None:
    with pytest.raises(JobNotFound):
        file.queue.why("unknown")
