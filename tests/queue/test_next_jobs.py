"""What runs next, and when: the order of the claim, and predictions from how long functions took."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from store.test_plans import plans, scanning
from store.verbs import SOMEWHERE, File

from gigq import JobQueue, ManualClock, NextJobs
from gigq.liveness import WorkerKey
from gigq.queue import forecast, next_jobs
from gigq.status import ExecutionStatus
from gigq.store import workers

Open = Callable[..., JobQueue]


@pytest.fixture
def file(open_queue: Open, clock: ManualClock) -> File:
    return File(open_queue(clock=clock), clock)


def enter(file: File, name: str, **options: Any) -> WorkerKey:
    with file.write() as tx:
        return workers.register(tx, name, SOMEWHERE, **({"concurrency": 1} | options))


def beat(file: File) -> None:
    with file.write() as tx:
        workers.renew(tx, file.worker)


def took(file: File, seconds: float, function: str = "functions:nothing") -> None:
    """Let a function have taken so long once."""
    file.submit(function=function, priority=999)
    (claim,) = file.claim()
    file.clock.advance(seconds)
    file.settle(claim, ExecutionStatus.COMPLETED)
    beat(file)


def starts(file: File, found: NextJobs) -> list[tuple[str, float | None]]:
    """The names of the jobs, and in how many seconds they start."""
    now = file.clock.now()
    return [(job.name, None if job.starts_at is None else (job.starts_at - now).total_seconds()) for job in found]


# the order


def test_jobs_come_in_the_order_in_which_they_are_claimed(file: File) -> None:
    took(file, 10)
    for name, options in {"a": {}, "b": {"priority": 5}, "c": {"queue": "mail"}, "d": {"priority": 5}}.items():
        file.submit(name, **options)
    assert starts(file, file.queue.next_jobs()) == [("b", 0.0), ("d", 10.0), ("a", 20.0), ("c", 30.0)]
    assert [job.name for job in file.queue.next_jobs(2)] == ["b", "d"]
    assert starts(file, file.queue.next_jobs(queue="mail")) == [("c", 30.0)]
    assert file.queue.next_jobs(queue="none") == []


def test_a_job_that_runs_is_waited_for_and_one_that_is_late_takes_as_much_longer_again(file: File) -> None:
    took(file, 10)
    file.submit("runs")
    file.claim()
    file.submit("next")
    file.clock.advance(4)
    assert starts(file, file.queue.next_jobs()) == [("next", 6.0)]
    file.clock.advance(9)
    assert starts(file, file.queue.next_jobs()) == [("next", 3.0)]


def test_a_prefetched_job_comes_before_all_that_are_ready(file: File) -> None:
    took(file, 10)
    file.submit("runs", priority=9)
    file.submit("reserved", priority=8)
    file.claim(1, ahead=1, returned=["functions:nothing"])
    file.submit("urgent", priority=99)
    found = file.queue.next_jobs()
    assert starts(file, found) == [("reserved", 10.0), ("urgent", 20.0)]
    assert [job.phase for job in found] == ["reserved", "ready"]


def test_a_scheduled_job_starts_at_its_time_or_when_a_slot_is_free(file: File) -> None:
    took(file, 10)
    file.submit("soon", delay=5, priority=9)
    file.submit("later", delay=100)
    file.submit("now")
    file.submit("then")
    found = file.queue.next_jobs()
    assert starts(file, found) == [("now", 0.0), ("soon", 10.0), ("then", 20.0), ("later", 100.0)]
    assert found[3].run_at == found[3].starts_at


def test_each_slot_and_each_workers_queues_count(file: File) -> None:
    took(file, 10)
    enter(file, "bob", concurrency=2, queues=["mail"])
    for number in range(3):
        file.submit(f"default {number}")
        file.submit(f"mail {number}", queue="mail", priority=-number)
    assert starts(file, file.queue.next_jobs()) == [
        ("default 0", 0.0), ("mail 0", 0.0), ("mail 1", 0.0), ("default 1", 10.0), ("mail 2", 10.0), ("default 2", 20.0)
    ]  # fmt: skip


# limits


def test_a_limit_of_running_jobs_holds_jobs_back_and_others_pass(file: File) -> None:
    took(file, 10)
    enter(file, "bob", concurrency=9)
    file.queue.configure("api", max_running=2)
    for number in range(3):
        file.submit(f"api {number}", queue="api")
    file.submit("other")
    assert starts(file, file.queue.next_jobs()) == [("api 0", 0.0), ("api 1", 0.0), ("other", 0.0), ("api 2", 10.0)]


def test_a_rate_limit_counts_what_has_started_before(file: File) -> None:
    took(file, 1)
    enter(file, "bob", concurrency=9)
    file.queue.configure("api", rate_limit=2, rate_period=60)
    for number in range(5):
        file.submit(f"api {number}", queue="api")
    (claim,) = file.claim()
    file.clock.advance(1)
    file.settle(claim, ExecutionStatus.COMPLETED)
    found = starts(file, file.queue.next_jobs())
    assert found == [("api 1", 0.0), ("api 2", pytest.approx(59.0, abs=0.3)), ("api 3", 60.0),
                     ("api 4", pytest.approx(119.0, abs=0.3))]  # fmt: skip


# what cannot be told


def test_nobody_can_tell_when_a_job_starts_that_a_pause_or_a_lack_of_workers_holds_back(file: File) -> None:
    took(file, 10)
    file.submit("paused", queue="mail", priority=9)
    file.submit("later", queue="mail", delay=60)
    file.submit("private", queue="x#run-1")
    file.submit("lost", function="resize", priority=99)
    file.submit("goes")
    file.queue.pause("mail")
    found = file.queue.next_jobs()
    assert [(job.name, job.reason) for job in found] == [
        ("goes", None),
        ("lost", "no live worker finds its function"),
        ("paused", "its queue is paused"),
        ("private", "no live worker serves its queue"),
        ("later", "its queue is paused"),
    ]
    file.queue.pause()
    assert {job.reason for job in file.queue.next_jobs()} == {"all queues are paused"}


def test_very_many_jobs_that_no_worker_can_run_are_not_all_looked_at(
    file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast, "_MOST_LOST", 2)
    took(file, 10)
    for number in range(4):
        file.submit(f"lost {number}", function="resize", priority=1)
    file.submit("behind")
    file.submit("elsewhere", queue="mail")
    found = file.queue.next_jobs()
    clogged = "no live worker finds the functions of very many jobs before it"
    lost = "no live worker finds its function"
    assert [(job.name, job.reason) for job in found] == [
        ("elsewhere", None), ("lost 2", clogged), ("lost 3", clogged), ("behind", clogged), ("lost 0", lost),
        ("lost 1", lost),
    ]  # fmt: skip


def test_a_job_that_expires_before_its_turn_does_not_run(file: File) -> None:
    took(file, 10)
    now = file.clock.now()
    file.submit("first")
    file.submit("too late", expires_at=now + timedelta(seconds=9))
    file.submit("in time", expires_at=now + timedelta(seconds=11))
    file.submit("later", delay=5, expires_at=now + timedelta(seconds=15))
    found = file.queue.next_jobs()
    assert starts(file, found) == [("first", 0.0), ("in time", 10.0), ("too late", None), ("later", None)]
    assert [job.reason for job in found[2:]] == ["it expires before it could start"] * 2


def test_without_a_live_worker_the_order_stands_without_times(file: File) -> None:
    file.submit("a")
    file.submit("b", priority=1)
    file.clock.advance(60)
    found = file.queue.next_jobs()
    assert starts(file, found) == [("b", None), ("a", None)]
    assert found.assumption == "There is no live worker, so that nobody can tell when a job starts."


def test_functions_that_never_completed_take_as_long_as_others(file: File) -> None:
    file.submit("a")
    file.submit("b")
    found = file.queue.next_jobs()
    assert starts(file, found) == [("a", 0.0), ("b", None)]
    assert found[1].reason == "nobody knows how long the jobs before it take"
    assert found.assumption.endswith(
        "; 1 function has not completed lately, so that nobody can tell when the slots become free."
    )
    file.queue.cancel_jobs("pending")
    took(file, 30, "functions:add")
    file.submit("c")
    file.submit("d")
    found = file.queue.next_jobs()
    assert starts(file, found) == [("c", 0.0), ("d", 30.0)]
    assert found.assumption == (
        "Nothing new arrives, no job fails, and each function takes its median time of late; 1 function has not "
        "completed lately, and is assumed to take 30 s."
    )


def test_jobs_that_wait_for_others_are_left_out(file: File) -> None:
    file.submit("child", dependencies=[file.submit("parent")])
    assert [job.name for job in file.queue.next_jobs()] == ["parent"]


def test_a_prediction_ends_where_too_many_jobs_go_first(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    took(file, 10)
    monkeypatch.setattr(next_jobs, "_MOST_PLAYED", 3)
    for number in range(9):
        file.submit(f"first {number}", priority=1)
    file.submit("last", queue="mail")
    found = file.queue.next_jobs(queue="mail")
    assert (found.is_cut, starts(file, found)) == (True, [("last", None)])
    assert found.as_dict()["items"][0]["name"] == "last"


def test_a_prediction_without_time_still_has_the_order(file: File) -> None:
    took(file, 10)
    file.submit("a")
    file.submit("b")
    found = file.queue.next_jobs(within=3600)
    assert not found.is_cut and [job.reason for job in found] == [None, None]


# how good it is


def test_the_predicted_start_of_the_50th_job_is_within_15_percent_where_durations_are_constant(file: File) -> None:
    """Two workers with 5 slots run jobs of 10 and 30 seconds, as their claims decide; turns cost them a bit."""
    seconds = {"functions:nothing": 10.0, "functions:add": 30.0}
    for function, duration in seconds.items():
        took(file, duration, function)
    bob = enter(file, "bob", concurrency=4, queues=["default"])
    for number in range(60):
        file.submit(f"{number}", function=list(seconds)[number % 3 == 0], queue=("default", "mail")[number % 5 == 0])
    begun, predicted = file.clock.now(), file.queue.next_jobs(50)[49].starts_at
    assert predicted is not None
    claims, started = [], 0
    while started < 50:
        for worker, slots in ((file.worker, 1), (bob, 4)):
            free = slots - sum(owner is worker for _, _, owner in claims)
            found = file.claim(free, worker, queues=None if worker is file.worker else ["default"]) if free else []
            claims += [(file.clock.now() + timedelta(seconds=seconds[each.function]), each, worker) for each in found]
            started += len(found)
        file.clock.advance(0.1)
        for claim in [each for each in claims if each[0] <= file.clock.now()]:
            file.settle(claim[1], ExecutionStatus.COMPLETED)
            claims.remove(claim)
    actual = (file.clock.now() - begun).total_seconds()
    assert actual > 100
    assert (predicted - begun).total_seconds() == pytest.approx(actual, rel=0.15)


# its cost


def test_the_prediction_reads_no_whole_table(file: File) -> None:
    took(file, 10)
    for number in range(40):
        file.submit(queue=f"q{number % 3}", delay=60 if number % 7 == 0 else None)
    found = plans(file, file.queue.next_jobs)
    assert len(found) > 8
    assert {sql for sql in scanning(found) if "FROM job_workers" not in sql} == set()
