"""The sentences that say why the jobs of a whole queue are not getting on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from store.test_plans import plans, scanning
from store.verbs import SOMEWHERE, File

from gigq import JobQueue, ManualClock
from gigq.liveness import ProcessIdentity, WorkerKey
from gigq.process import this_process
from gigq.status import ExecutionStatus
from gigq.store import backlog, waits, workers

Open = Callable[..., JobQueue]

CALM = "1 worker, 0 of 1 slot busy; nothing is waiting."


@pytest.fixture
def file(open_queue: Open, clock: ManualClock) -> File:
    return File(open_queue(clock=clock), clock)


def enter(file: File, name: str, home: ProcessIdentity = SOMEWHERE, **options: Any) -> WorkerKey:
    with file.write() as tx:
        return workers.register(tx, name, home, **({"concurrency": 1} | options))


def leave(file: File, worker: WorkerKey | None = None) -> None:
    with file.write() as tx:
        workers.leave(tx, worker or file.worker, reason="gone")


def beat(file: File, *others: WorkerKey) -> None:
    with file.write() as tx:
        for each in (file.worker, *others):
            workers.renew(tx, each)


def submit(file: File, number: int, **options: Any) -> list[str]:
    return [file.submit(f"job {each}", **options) for each in range(number)]


# nothing is wrong


def test_an_empty_queue_is_calm(file: File) -> None:
    assert file.queue.why() == [CALM]
    leave(file)
    assert file.queue.why() == ["Nothing is waiting."]


def test_busy_slots_and_the_longest_wait_are_one_calm_line(file: File) -> None:
    submit(file, 2)
    file.claim()
    file.clock.advance(2)
    beat(file)
    assert file.queue.why() == ["All 1 slot of 1 worker is busy; 1 ready job waits, for 2 s."]
    submit(file, 3)
    enter(file, "bob", concurrency=3)
    assert file.queue.why() == ["2 workers, 1 of 4 slots busy; 4 ready jobs wait, the oldest for 2 s."]


def test_scheduled_jobs_retries_and_children_are_counted_in_the_same_line(file: File) -> None:
    file.submit(retry_delay=60)
    file.settle(file.claim()[0], ExecutionStatus.FAILED, error="no")
    assert file.queue.why() == [
        "1 worker, 0 of 1 slot busy; 1 job waits for a retry at 2026-01-01 00:01:00 UTC, in 1 min."
    ]
    file.submit(dependencies=submit(file, 1, delay=600))
    assert file.queue.why() == [
        "1 worker, 0 of 1 slot busy; 2 jobs wait for their time, 1 of them for a retry, the next at "
        "2026-01-01 00:01:00 UTC, in 1 min; 1 job waits for other jobs to complete."
    ]
    leave(file)
    file.queue.cancel_jobs(phase="retrying")
    assert file.queue.why() == [
        "1 job is scheduled for 2026-01-01 00:10:00 UTC, in 10 min; 1 job waits for other jobs to "
        "complete."
    ]


# pauses and limits


def test_a_paused_queue_says_since_when_and_how_to_resume_it(file: File) -> None:
    submit(file, 2, queue="my mail")
    file.queue.pause("my mail")
    file.clock.advance(5)
    assert file.queue.why() == [
        "2 ready jobs of queue 'my mail' wait: it has been paused since 2026-01-01 00:00:00 UTC, for 5 s; "
        "`gigq resume 'my mail'` resumes it."
    ]


def test_many_paused_queues_are_one_sentence_with_the_largest_first(file: File) -> None:
    for number in range(5):
        submit(file, number + 1, queue=f"q{number}")
        file.queue.pause(f"q{number}")
    assert file.queue.why() == [
        "15 ready jobs of queues 'q4', 'q3', 'q2' and 2 more wait: these queues are paused, the first since "
        "2026-01-01 00:00:00 UTC, for 0 ms; `gigq resume q4` resumes the first."
    ]


def test_a_pause_of_all_queues_is_said_once(file: File) -> None:
    file.queue.pause()
    assert file.queue.why()[0].endswith("for 0 ms; `gigq resume` resumes them.")
    submit(file, 1, queue="a")
    submit(file, 1, queue="b")
    assert file.queue.why() == [
        "All queues have been paused since 2026-01-01 00:00:00 UTC, for 0 ms, and 2 ready jobs wait; `gigq resume` "
        "resumes them."
    ]


def test_a_paused_queue_without_ready_jobs_holds_nothing_back(file: File) -> None:
    file.queue.pause("mail")
    assert file.queue.why() == [CALM]


def test_limits_that_are_reached_are_named_and_others_are_not(file: File) -> None:
    file.queue.configure("mail", max_running=1)
    file.queue.configure("api", rate_limit=1, rate_period=60)
    file.queue.configure("free", max_running=9)
    for queue in ("mail", "api", "free"):
        submit(file, 2, queue=queue)
    enter(file, "bob", concurrency=9)
    file.claim(2, queues=["mail", "api"])
    file.claim(1, queues=["api"])
    file.clock.advance(1)
    assert file.queue.why() == [
        "1 ready job of queue 'api' waits, for 1 s: it may start 1 job every 60 s, and has done so; the next may start "
        "at 2026-01-01 00:01:00 UTC, in 59 s.",
        "1 ready job of queue 'mail' waits, for 1 s: it may run 1 job at a time, and does.",
    ]


# workers


def test_without_any_worker_the_command_that_starts_one_is_said(file: File) -> None:
    leave(file)
    submit(file, 3)
    file.clock.advance(600)
    assert file.queue.why() == [
        "3 ready jobs wait, the oldest for 10 min: there is no worker; `gigq worker` starts one."
    ]


def test_jobs_that_became_due_while_no_worker_was_there_are_ready(file: File) -> None:
    leave(file)
    submit(file, 3, delay=60)
    file.clock.advance(90)
    assert file.queue.why() == ["3 ready jobs wait, the oldest for 30 s: there is no worker; `gigq worker` starts one."]


def test_a_queue_that_no_worker_serves_is_told_from_those_that_are_served(file: File) -> None:
    leave(file)
    enter(file, "bob", queues=["default"])
    submit(file, 1)
    submit(file, 2, queue="ml")
    assert file.queue.why() == [
        "2 ready jobs of queue 'ml' wait, the oldest for 0 ms: no live worker serves it; `gigq worker --queue ml` "
        "starts one."
    ]


def test_a_private_queue_of_an_executor_needs_a_worker_that_names_it(file: File) -> None:
    submit(file, 1, queue="map#run-1")
    found = "1 ready job of queue 'map#run-1' waits, for 0 ms: no live worker serves it; `gigq worker --queue "
    assert file.queue.why() == [found + "'map#run-1'` starts one."]
    leave(file)
    assert file.queue.why() == [found + "'map#run-1'` starts one."]
    submit(file, 1)
    assert len(file.queue.why()) == 2


def test_a_silent_worker_is_named_with_what_it_holds(file: File) -> None:
    submit(file, 2)
    file.claim()
    file.clock.advance(40)
    assert file.queue.why() == [
        "1 ready job of queue 'default' waits, for 40 s: no live worker serves it; `gigq worker` starts one.",
        "Worker ann is silent: it was last seen 40 s ago, at 2026-01-01 00:00:00 UTC; it holds 1 job, to be taken from "
        "it by a live worker or by `gigq recover`.",
    ]


def test_a_dead_worker_is_named_though_others_work(file: File) -> None:
    here = this_process()
    dead = ProcessIdentity(
        machine_id=here.machine_id, boot_id=here.boot_id, pid_namespace=here.pid_namespace, pid=2**22 + 1
    )
    enter(file, "bob", dead)
    assert file.queue.why() == ["Worker bob is dead: its process has ended."]


def test_many_dead_workers_are_counted(file: File) -> None:
    for number in range(5):
        enter(file, f"w{number}")
    file.clock.advance(60)
    beat(file)
    found = file.queue.why()
    assert len(found) == 4
    assert found[-1] == "2 more workers cannot start jobs."


def test_a_worker_that_can_start_nothing_says_why(file: File) -> None:
    with file.write() as tx:
        workers.renew(tx, file.worker, trouble="no child process can be started: [Errno 12]")
    submit(file, 1)
    assert file.queue.why() == [
        "1 ready job of queue 'default' waits, for 0 ms: no worker that serves it can start a job (ann can start none: "
        "no child process can be started: [Errno 12]).",
        "Worker ann can start none: no child process can be started: [Errno 12].",
    ]


def test_slots_of_which_none_becomes_free_are_a_reason_after_a_minute(file: File) -> None:
    submit(file, 3)
    submit(file, 2, queue="ml")
    file.claim()
    file.clock.advance(59)
    beat(file)
    assert file.queue.why() == ["All 1 slot of 1 worker is busy; 4 ready jobs wait, the oldest for 59 s."]
    file.clock.advance(2341)
    beat(file)
    assert file.queue.why() == [
        "4 ready jobs of queues 'default' and 'ml' wait, the oldest for 40 min: the workers that serve them have "
        "1 slot, and none has become free for 40 min."
    ]


def test_jobs_that_wait_for_a_minute_beside_a_free_slot_are_a_riddle_that_is_told(file: File) -> None:
    submit(file, 2)
    file.clock.advance(59)
    beat(file)
    assert file.queue.why() == ["1 worker, 0 of 1 slot busy; 2 ready jobs wait, the oldest for 59 s."]
    file.clock.advance(1)
    beat(file)
    assert file.queue.why() == [
        "2 ready jobs of queue 'default' wait, the oldest for 1 min, though the workers that serve it have 1 free slot."
    ]
    assert file.queue.health().is_ok


def test_jobs_that_wait_inside_their_functions_for_others_are_blamed_for_full_slots(file: File) -> None:
    waiter, awaited = file.submit("waiter", priority=1), file.submit("awaited")
    (claim,) = file.claim()
    with file.write() as tx:
        waits.note(tx, claim.execution_id, waiter=waiter, jobs=[awaited])
    file.clock.advance(60)
    beat(file)
    assert file.queue.why()[0].endswith("for 1 min; 1 running job waits inside a function for other jobs.")


def test_functions_that_no_live_worker_finds_are_named_with_the_reason(file: File) -> None:
    submit(file, 2, function="app.tasks:send")
    submit(file, 1, function="resize")
    with file.write() as tx:
        tx.execute("""UPDATE job_workers SET missing = '{"app.tasks:send": "No module named ''app''"}'""")
    assert file.queue.why() == [
        "2 ready jobs call 'app.tasks:send', which no live worker finds: No module named 'app'",
        "1 ready job calls the handler 'resize', which no live worker has.",
    ]
    enter(file, "bob", handlers=["resize"])
    assert file.queue.why() == ["2 workers, 0 of 2 slots busy; 3 ready jobs wait, the oldest for 0 ms."]


def test_a_schedule_that_no_worker_has_seen_is_overdue(file: File) -> None:
    file.queue.schedules.add("refresh", "functions:nothing", every=60)
    file.clock.advance(3600)
    beat(file)
    assert file.queue.why() == [CALM]
    leave(file)
    assert file.queue.why() == [
        "No live worker submits the jobs of schedules: 'refresh' was due at 2026-01-01 00:01:00 UTC."
    ]


# many jobs


def test_more_jobs_than_are_counted_are_said_to_be_more(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MOST", 3)
    monkeypatch.setattr(backlog, "MOST_QUEUES", 2)
    for queue in ("a", "b", "c"):
        submit(file, 4, queue=queue)
        file.queue.pause(queue)
    submit(file, 4, delay=60)
    first, second, third = file.queue.why()
    assert first.startswith("More than 6 ready jobs of queues 'a' and 'b' wait: these queues are paused")
    assert second.startswith("More than 3 jobs are scheduled, the next for 2026-01-01")
    assert third == "Only 2 of the queues with ready jobs were looked at."


def test_the_look_reads_no_whole_table(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "FEW", 1)
    submit(file, 2, function="handler")
    submit(file, 2, delay=60)
    file.claim()
    found = plans(file, file.queue.why)
    assert len(found) > 10
    whole = {sql for sql in scanning(found) if "FROM job_workers" not in sql}
    assert len(whole) == 2 and all(sql.endswith(("FROM jobs LIMIT 2)", "attempts > 0 LIMIT 10001)")) for sql in whole)


def test_a_hostile_name_stays_inside_its_quotes(file: File) -> None:
    submit(file, 1, queue="a\x1b[31m'; rm -rf /\n")
    file.queue.pause("a\x1b[31m'; rm -rf /\n")
    (sentence,) = file.queue.why()
    assert repr("a\x1b[31m'; rm -rf /\n") in sentence


def test_the_look_is_a_part_of_the_transaction_that_is_open(file: File) -> None:
    with file.queue.transaction():
        file.submit(queue="mail")
        file.queue.pause("mail")
        assert file.queue.why()[0].startswith("1 ready job of queue 'mail' waits")
        found = file.queue.health(oldest_ready=None, within=60)
        assert (found.is_ok, found.ready, file.queue.info().jobs) == (True, 1, 1)
        assert [job.reason for job in file.queue.next_jobs(within=60)] == ["its queue is paused"]


def test_a_very_long_name_is_cut_and_the_command_still_makes_sense(file: File) -> None:
    name = "begin " + "x" * 100_000 + " end"
    job = file.submit(function="f" * 100_000, queue=name)
    file.queue.pause(name)
    (sentence, *_), (of_job, *_) = file.queue.why(), file.queue.why(job)
    for each in (sentence, of_job):
        assert len(each) < 500 and "'begin xxx" in each and "xxx end'" in each
        assert "`gigq resume QUEUE` resumes it." in each
    file.queue.resume(name)
    assert max(map(len, [*file.queue.why(), *file.queue.why(job), *file.queue.health().sentences])) < 700
