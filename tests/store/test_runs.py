"""The calls of executors in the file: asked for, found, moved, cancelled and forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from store.test_plans import plans, scanning
from store.verbs import SOMEWHERE, File

from gigq import Job, JobQueue
from gigq.codec import PARAMS_LIMIT
from gigq.new_job import NewJob
from gigq.queue.preparing import prepare
from gigq.status import ExecutionStatus, JobStatus
from gigq.store import runs, workers
from gigq.store.runs import Stored

OLD, NEW = "crawl#run-old", "crawl#run-new"


def call(name: str, queue: str = NEW, **options: Any) -> NewJob:
    """A call whose id is its name."""
    return prepare(Job(name, "functions:nothing", id=name, queue=queue, **options), limit=PARAMS_LIMIT)


def ask(file: File, *jobs: NewJob) -> list[Stored]:
    with file.write() as tx:
        return runs.ask(tx, jobs)


def end(file: File, status: ExecutionStatus, **report: Any) -> None:
    (claim,) = file.claim(queues=[OLD])
    file.settle(claim, status, **report)


def test_a_call_that_is_not_in_the_file_is_stored(file: File) -> None:
    assert ask(file, call("a"), call("b")) == []
    assert [file.job(each).queue for each in "ab"] == [NEW, NEW]


def test_a_call_that_has_completed_is_returned(file: File) -> None:
    ask(file, call("a", OLD, metadata={"k": 1}))
    end(file, ExecutionStatus.COMPLETED, result="[1]")
    assert ask(file, call("a"), call("b")) == [Stored("a", JobStatus.COMPLETED, OLD, "[1]", '{"k":1}')]
    assert file.job("a").status == "completed"


@pytest.mark.parametrize("status", [ExecutionStatus.FAILED, ExecutionStatus.CANCELLED])
def test_a_call_that_ended_otherwise_is_reopened_for_the_run_with_all_its_attempts(
    file: File, status: ExecutionStatus
) -> None:
    ask(file, call("a", OLD, max_attempts=1))
    end(file, status, error="no", is_final=True)
    assert ask(file, call("a", max_attempts=2, timeout=7)) == []
    job = file.job("a")
    assert (job.status, job.queue, job.attempts, job.max_attempts, job.timeout) == ("pending", NEW, 0, 2, 7)


def test_a_call_that_waits_is_moved_to_the_run_with_its_options(file: File) -> None:
    ask(file, call("a", OLD, retry_delay=60))
    end(file, ExecutionStatus.FAILED, error="no")
    assert file.job("a").phase == "retrying"
    ask(file, call("a", max_attempts=1, priority=5, tags=["t"]))
    job = file.job("a")
    assert (job.phase, job.queue, job.attempts, job.max_attempts, job.priority) == ("ready", NEW, 0, 1, 5)
    assert file.claim(queues=[NEW])[0].job_id == "a"


def test_a_call_that_runs_elsewhere_is_left_there(file: File) -> None:
    ask(file, call("a", OLD))
    file.claim(queues=[OLD])
    ask(file, call("a", timeout=7))
    assert (file.job("a").queue, file.job("a").timeout) == (OLD, 300)


def test_a_private_queue_is_served_by_those_who_name_it_alone(file: File) -> None:
    ask(file, call("a"))
    assert (file.claim(), file.outlook().is_ready, file.queue.dequeue()) == ([], False, None)
    for number in range(12):  # more queues than are asked one by one
        file.submit(queue=f"q{number}", function=f"m:f{number % 2}")
    assert len(file.claim(20)) == 12
    assert [claim.job_id for claim in file.claim(queues=[NEW])] == ["a"]


def test_a_plain_worker_is_not_said_to_serve_a_private_queue(file: File) -> None:
    ask(file, call("a"))
    assert any("No live worker serves queue" in reason or "serve" in reason for reason in file.queue.why("a"))


def test_only_pending_calls_are_cancelled_with_those_who_need_them(file: File) -> None:
    ask(file, call("a"), call("b"))
    file.submit("child", dependencies=["b"])
    file.submit("waiting", dependencies=["a"])
    file.claim(queues=[NEW])
    with file.write() as tx:
        runs.cancel(tx, ["a", "b", "nobody"])
    assert {job.name: job.status for job in file.queue.find_jobs()} == {
        "a": "running", "b": "cancelled", "child": "cancelled", "waiting": "pending",
    }  # fmt: skip


def test_calls_that_others_have_moved_are_brought_back(file: File) -> None:
    ask(file, call("a"), call("b"), call("c"))
    file.queue.reschedule("a", queue="x")
    file.queue.reschedule("b", queue="x")
    file.claim(queues=["x"])
    with file.write() as tx:
        assert runs.follow(tx, ["a", "b", "c"], queue=NEW) == 1
    assert [file.job(each).queue for each in "abc"] == ["x", NEW, NEW]


def test_only_calls_that_have_ended_and_that_nobody_needs_are_deleted(file: File) -> None:
    ask(file, call("a", OLD), call("b", OLD), call("c"))
    end(file, ExecutionStatus.COMPLETED)
    end(file, ExecutionStatus.FAILED, error="no", is_final=True)
    file.complete(file.submit("child of a", dependencies=["a"]))
    file.submit("child of b", dependencies=["b"], on_parent_failure="run")
    with file.write() as tx:
        assert runs.delete(tx, ["a", "b", "c"]) == 1
    assert sorted(job.name for job in file.queue.find_jobs()) == ["b", "c", "child of a", "child of b"]


def test_what_the_runs_of_a_name_have_left_is_forgotten_and_nothing_else(file: File) -> None:
    ask(file, call("done", OLD), call("running", OLD))
    end(file, ExecutionStatus.COMPLETED)
    file.claim(queues=[OLD])
    ask(file, call("waiting", OLD), call("spared"), call("other", "crawler#run-1"), call("plain", "crawl"))
    deleted, after, rounds = 0, 0, 0
    while after is not None:
        with file.write() as tx:
            some, after = runs.forget(tx, "crawl", after=after, limit=2, spared={"spared"})  # type: ignore[assignment]
        deleted, rounds = deleted + some, rounds + 1
    assert (deleted, rounds) == (2, 3)
    assert sorted(job.name for job in file.queue.find_jobs()) == ["other", "plain", "running", "spared"]


def test_leftovers_of_runs_without_a_name_are_cancelled_but_those_of_living_workers(file: File) -> None:
    ask(file, call("dead", "#run-1"), call("due", "#run-1", delay=60), call("living", "#run-2"), call("named", OLD))
    file.submit("plain")
    with file.write() as tx:
        workers.register(tx, "other", SOMEWHERE, concurrency=1, queues=["#run-2"])
        runs.cancel_leftovers(tx)
    assert [job.name for job in file.queue.find_jobs("cancelled")] == ["due", "dead"]


def test_the_rivals_of_a_name_are_the_workers_of_its_runs_the_oldest_first(file: File) -> None:
    with file.write() as tx:
        first = workers.register(tx, "a", SOMEWHERE, concurrency=1, queues=["crawl#run-1"])
        workers.register(tx, "b", SOMEWHERE, concurrency=1, queues=["crawler#run-1", "crawl"])
        second = workers.register(tx, "c", SOMEWHERE, concurrency=1, queues=["x", "crawl#run-2"])
        assert [(each.seq, each.pid) for each in runs.rivals(tx, "crawl")] == [(first.seq, 1), (second.seq, 1)]


def test_no_statement_of_a_run_reads_a_whole_table(file: File) -> None:
    ask(file, call("a", OLD), call("b", OLD))
    end(file, ExecutionStatus.COMPLETED)

    def act() -> None:
        ask(file, call("a"), call("b"), call("c"))
        with file.write() as tx:
            list(runs.states(tx, ["a", "b"]))
            runs.follow(tx, ["a", "b"], queue="crawl#run-3")
            runs.cancel(tx, ["b"])
            runs.cancel_leftovers(tx)
            runs.delete(tx, ["a", "b"])
            runs.rivals(tx, "crawl")
            runs.version_of_data(tx)

    found = plans(file, act)
    assert {sql: steps for sql, steps in scanning(found).items() if not steps[0].startswith("job_workers")} == {}


def test_the_version_of_the_data_shows_that_others_have_written(file: File) -> None:
    with file.write() as tx:
        before = runs.version_of_data(tx)
    file.submit()
    with file.write() as tx:
        assert runs.version_of_data(tx) == before
    with JobQueue(file.queue.db_path) as other:
        other.submit(Job("other", "m:f"))
    with file.write() as tx:
        assert runs.version_of_data(tx) != before
