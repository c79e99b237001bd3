"""What depends on jobs that a running job has submitted, and what becomes of those."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from store.test_dependencies import phases
from store.test_plans import plans, scanning, used
from store.verbs import File

from gigq import Job
from gigq.claims import Claim
from gigq.codec import PARAMS_LIMIT
from gigq.job_ids import JobId
from gigq.queue.preparing import prepare
from gigq.status import ExecutionStatus
from gigq.store import adopting
from gigq.store.found import FOUND


def job(name: str, **options: Any) -> Job:
    return Job(name, "functions:nothing", id=name, **options)


def find(file: File, claim: Claim, *jobs: Job, detached: bool = False) -> list[JobId]:
    """Submit jobs as the function of a claimed job does."""
    with file.write() as tx:
        new = [prepare(each, limit=PARAMS_LIMIT) for each in jobs]
        return adopting.submit(tx, new, adopting.submitter(tx, claim.job_seq), is_detached=detached)


def crawling(file: File) -> Claim:
    """Claim a job for which a report waits."""
    file.queue.submit_many([job("crawl", priority=1), job("report", dependencies=["crawl"])])
    (claim,) = file.claim()
    return claim


def complete(file: File, claim: Claim) -> None:
    file.settle(claim, ExecutionStatus.COMPLETED)


def fail(file: File, claim: Claim) -> None:
    file.settle(claim, ExecutionStatus.FAILED, error="no", is_final=True)


# revival


def test_a_job_comes_back_although_it_is_older_than_the_parents_that_come_back_with_it(file: File) -> None:
    claim = crawling(file)
    find(file, claim, job("a"), job("b", dependencies=["a"]), job("c", dependencies=["b"]))
    complete(file, claim)
    file.fail("a")
    assert phases(file, "a", "b", "c", "report") == ["failed", "cancelled", "cancelled", "cancelled"]
    assert file.queue.requeue_job("a")
    assert phases(file, "a", "b", "c", "report") == ["ready", "waiting", "waiting", "waiting"]
    for each in ("a", "b", "c", "report"):
        file.complete(each)


def test_a_job_that_another_found_one_blocks_stays_and_comes_back_with_that(file: File) -> None:
    claim = crawling(file)
    find(file, claim, job("a"), job("b", dependencies=["a"]), job("other"))
    complete(file, claim)
    file.fail("a")
    file.fail("other")
    file.queue.requeue_job("a")
    assert phases(file, "b", "report") == ["waiting", "cancelled"]
    assert "(other)" in file.job("report").error
    file.queue.requeue_job("other")
    assert phases(file, "report") == ["waiting"]


def test_a_requeue_of_many_brings_back_a_job_whose_parents_are_younger(file: File) -> None:
    claim = crawling(file)
    find(file, claim, job("a"), job("b"))
    complete(file, claim)
    file.queue.cancel("report")
    file.fail("a")
    file.fail("b")
    assert file.queue.requeue_jobs(["failed", "cancelled"]) == 3
    assert phases(file, "a", "b", "report") == ["ready", "ready", "waiting"]


def test_the_cost_of_a_return_does_not_grow_with_the_square_of_the_jobs(file: File) -> None:
    def steps(number: int) -> int:
        with file.write() as tx:
            tx.execute("DELETE FROM jobs")
            connection = tx.connection
        claim = crawling(file)
        found = [job("0"), *(job(str(each), dependencies=[str(each - 1), "0"]) for each in range(1, number))]
        find(file, claim, *found)
        complete(file, claim)
        file.fail("0")
        counted: list[int] = []
        connection.set_progress_handler(lambda: counted.append(1), 100)
        file.queue.requeue_job("0")
        connection.set_progress_handler(None, 0)
        assert file.queue.stats()["cancelled"] == 0
        return len(counted)

    few = steps(100)
    assert steps(400) < 6 * few


# restart


def restarted(file: File) -> tuple[str, ...]:
    """Let a job fail that had found three, of which one is done and one has failed, and restart it."""
    claim = crawling(file)
    find(file, claim, job("done", priority=3), job("bad", priority=2), job("left", queue="later"))
    file.complete("done")
    file.fail("bad")
    fail(file, claim)
    assert file.queue.requeue_job("crawl", restart=True)
    return ("crawl", "done", "bad", "left", "report")


def test_a_restart_lets_go_what_was_found_before(file: File) -> None:
    names = restarted(file)
    assert phases(file, *names) == ["ready", "completed", "failed", "cancelled", "waiting"]
    assert file.job("report").dependencies == ("crawl",)
    assert file.job("left").error == "cancelled because job crawl (crawl), which had submitted it, starts from scratch"
    assert file.job("left").submitted_by == "crawl"
    (claim,) = file.claim()
    find(file, claim, job("new"))
    complete(file, claim)
    file.complete("new")
    file.complete("report")


def test_a_restart_lets_a_running_job_go_on_for_which_nothing_waits(file: File) -> None:
    claim = crawling(file)
    find(file, claim, job("slow", priority=3))
    (slow,) = file.claim()
    fail(file, claim)
    file.queue.requeue_job("crawl", restart=True)
    file.complete("crawl")
    assert phases(file, "slow", "report") == ["running", "ready"]
    complete(file, slow)


def test_a_restart_leaves_what_was_named(file: File) -> None:
    """A job that names one that was found still waits for it, and for what that finds."""
    claim = crawling(file)
    find(file, claim, job("part", priority=3))
    file.submit("named", id="named", dependencies=["part", "crawl"])
    (part,) = file.claim()
    find(file, part, job("piece", priority=2))
    fail(file, claim)
    file.queue.requeue_job("crawl", restart=True)
    assert phases(file, "piece", "named") == ["cancelled", "cancelled"]
    assert file.job("named").dependencies == ("part", "crawl", "piece")
    file.queue.requeue_job("piece")
    assert phases(file, "named", "report") == ["waiting", "waiting"]
    file.complete("piece")
    complete(file, part)
    file.complete("crawl")
    assert phases(file, "named", "report") == ["ready", "ready"]


def test_a_requeue_goes_on_with_what_was_found_before(file: File) -> None:
    claim = crawling(file)
    find(file, claim, job("a", queue="later"))
    fail(file, claim)
    file.queue.requeue_job("crawl")
    assert phases(file, "a", "report") == ["ready", "waiting"]
    assert set(file.job("report").dependencies) == {"crawl", "a"}


# who waits


def test_every_child_that_may_still_run_waits(file: File) -> None:
    claim = crawling(file)
    file.submit("all the same", id="run", dependencies=["crawl"], on_parent_failure="run")
    file.queue.cancel("report")
    find(file, claim, job("a"))
    assert set(file.job("report").dependencies) == set(file.job("run").dependencies) == {"crawl", "a"}
    complete(file, claim)
    assert phases(file, "report", "run") == ["cancelled", "waiting"]
    file.queue.requeue_job("report")
    assert phases(file, "report") == ["waiting"]


def test_a_found_job_is_one_parent_however_often_it_is_found(file: File) -> None:
    claim = crawling(file)
    for _ in range(3):
        find(file, claim, job("a"), job("a"))
    complete(file, claim)
    file.complete("a")
    assert phases(file, "report") == ["ready"]


def test_a_job_that_has_failed_before_it_is_found_cancels_what_waits(file: File) -> None:
    file.submit("bad", id="bad", priority=9)
    file.fail("bad")
    claim = crawling(file)
    assert not find(file, claim, job("bad"))[0].is_new
    assert phases(file, "report") == ["cancelled"]
    complete(file, claim)
    file.queue.requeue_job("bad")
    assert phases(file, "report") == ["waiting"]


def test_a_job_that_has_completed_before_it_is_found_is_not_waited_for(file: File) -> None:
    file.submit("done", id="done", priority=9)
    file.complete("done")
    claim = crawling(file)
    find(file, claim, job("done"))
    complete(file, claim)
    assert (phases(file, "report"), file.job("report").dependencies) == (["ready"], ("crawl", "done"))


def test_the_last_job_of_a_workflow_waits_even_if_it_has_completed(file: File) -> None:
    """It may run again, at the end."""
    claim = crawling(file)
    with file.write() as tx:
        tx.execute("UPDATE jobs SET status = 'completed', result = '1', completed_at = updated_at WHERE id = 'report'")
        tx.execute("INSERT INTO job_workflows (seq, id, name, last_job, created_at) VALUES (5, 'w', 'w', 2, '')")
    find(file, claim, job("a"))
    assert file.job("report").dependencies == ("crawl",)
    with file.write() as tx:
        tx.execute("UPDATE jobs SET workflow_seq = 5")
    find(file, claim, job("b"))
    assert file.job("report").dependencies == ("crawl", "b")


def test_a_job_without_children_gives_its_jobs_to_nobody(file: File) -> None:
    file.submit("crawl")
    (claim,) = file.claim()
    find(file, claim, job("a"), job("b", dependencies=["a"]))
    assert file.value("SELECT count(*) FROM job_dependencies") == 1


def test_named_parents_come_before_found_ones(file: File) -> None:
    claim = crawling(file)
    find(file, claim, job("a"))
    file.submit("late", id="late", dependencies=["a", "crawl"])
    find(file, claim, job("b"))
    assert file.job("late").dependencies == ("a", "crawl", "b")
    assert file.value("SELECT max(position) - max(parent) FROM job_dependencies") == FOUND


def test_the_found_job_of_a_workflow_is_one_of_its_jobs(file: File) -> None:
    claim = crawling(file)
    with file.write() as tx:
        tx.execute("INSERT INTO job_workflows (seq, id, name, created_at) VALUES (5, 'w', 'w', '')")
        tx.execute("UPDATE jobs SET workflow_seq = 5")
    find(file, claim, job("a"))
    find(file, claim, job("apart"), detached=True)
    assert [file.value("SELECT workflow_seq FROM jobs WHERE id = ?", each) for each in ("a", "apart")] == [5, None]


# deletion


def test_what_an_unfinished_job_has_submitted_is_not_deleted(file: File) -> None:
    """It would be submitted again by the next attempt, and run a second time."""
    file.submit("crawl", id="crawl", priority=1)
    (claim,) = file.claim()
    find(file, claim, job("a"))
    find(file, claim, job("b"), detached=True)
    file.complete("a")
    file.complete("b")
    for _ in range(2):
        assert file.queue.prune() == file.queue.clear_completed() == 0
        assert not file.queue.delete_job("a")
        assert file.queue.delete_jobs("completed") == 0
        file.settle(claim, ExecutionStatus.FAILED, error="no")
        (claim,) = file.claim()
    complete(file, claim)
    assert file.queue.prune() == 3


def test_what_a_failed_job_has_submitted_is_pruned_with_it(file: File) -> None:
    """A person may send it back, and then it would submit the same again."""
    claim = crawling(file)
    find(file, claim, job("a"))
    file.complete("a")
    fail(file, claim)
    assert file.queue.prune("completed") == 0
    file.clock.advance(10)
    assert file.queue.prune(["completed", "failed", "cancelled"]) == 3


def test_many_jobs_are_deleted_with_the_one_that_has_submitted_them(file: File) -> None:
    file.submit("crawl", id="crawl")
    (claim,) = file.claim()
    find(file, claim, job("a"))
    file.settle(claim, ExecutionStatus.RELEASED, delay=60.0)
    assert not file.queue.delete_job("a")
    assert file.queue.delete_jobs("pending") == 2


# circles


CLOSING = """
    INSERT INTO job_dependencies
    SELECT child.seq, parent.seq, 0 FROM jobs AS child, jobs AS parent WHERE child.id = ? AND parent.id = ?
"""


@pytest.fixture
def circle(file: File) -> File:
    """A report that waits for a found job, which somebody has made wait for the report."""
    claim = crawling(file)
    find(file, claim, job("a"), job("b"))
    complete(file, claim)
    with closing(sqlite3.connect(file.queue.db_path, isolation_level=None)) as tool:
        tool.execute(CLOSING, ("a", "report"))
        tool.execute("UPDATE jobs SET blockers = 1 WHERE id = 'a'")
    return file


def test_a_check_finds_jobs_that_wait_for_each_other_and_a_repair_lets_them_go_on(circle: File) -> None:
    assert circle.queue.check() == ["2 jobs depend on each other in circles: report, a"]
    assert circle.queue.repair() == [
        "Deleted 1 dependency row that closed a circle", "Corrected for how many parents 1 job must wait",
    ]  # fmt: skip
    assert set(circle.job("report").dependencies) == {"crawl", "b"}
    for each in ("b", "report", "a"):
        circle.complete(each)


def test_a_repair_takes_away_a_dependency_that_a_job_could_not_have_named_first(file: File) -> None:
    claim = crawling(file)
    find(file, claim, job("a"))
    complete(file, claim)
    file.submit("mail", id="mail", dependencies=["report"])
    with file.write() as tx:
        tx.execute(CLOSING, ("a", "mail"))
    file.queue.repair()
    assert set(file.job("report").dependencies) == {"crawl", "a"}
    assert file.job("a").dependencies == ()


def test_a_repair_forgets_a_submitter_that_somebody_has_deleted(file: File) -> None:
    claim = crawling(file)
    find(file, claim, job("a"), job("b"))
    complete(file, claim)
    with closing(sqlite3.connect(file.queue.db_path, isolation_level=None)) as tool:
        tool.execute("DELETE FROM jobs WHERE id = 'crawl'")  # as the sqlite3 program does it, without foreign keys
    assert "2 rows of jobs refer to jobs that are gone" in file.queue.check()
    assert "Cleared the submitter of 2 jobs, which is gone or came later" in file.queue.repair()
    assert file.queue.check() == []
    assert file.job("a").submitted_by is None


def test_a_parent_that_is_younger_is_no_mistake(file: File) -> None:
    claim = crawling(file)
    find(file, claim, job("a"))
    assert file.queue.check() == []
    assert file.queue.repair() == []
    complete(file, claim)
    file.complete("a")
    file.complete("report")


# cost


def test_no_statement_of_a_submit_by_a_job_reads_a_whole_table(file: File) -> None:
    claim = crawling(file)
    find(file, claim, job("first"))
    (first,) = file.claim()

    def act() -> None:
        find(file, first, job("a"), job("b", dependencies=["a", "crawl"]), job("a"))
        find(file, claim, job("c", dependencies=["crawl"]))
        file.submit("late", dependencies=["crawl"])
        file.queue.delete_job("a")

    found = plans(file, act)
    assert scanning(found) == {}
    assert used(found, "jobs_submitted_by")


def test_no_statement_of_a_restart_reads_a_whole_table(file: File) -> None:
    claim = crawling(file)
    find(file, claim, job("bad", priority=9), job("left"))
    file.fail("bad")
    fail(file, claim)
    assert scanning(plans(file, lambda: file.queue.requeue_job("crawl", restart=True))) == {}


def test_the_cost_of_a_submit_does_not_grow_with_what_was_found(file: File) -> None:
    claim = crawling(file)
    with file.queue.database.read() as tx:
        connection = tx.connection

    def steps(first: int) -> int:
        counted: list[int] = []
        connection.set_progress_handler(lambda: counted.append(1), 10)
        for number in range(first, first + 50):
            find(file, claim, job(str(number)))
        connection.set_progress_handler(None, 0)
        return len(counted)

    few = steps(0)
    find(file, claim, *(job(str(number)) for number in range(1000, 3000)))
    assert steps(100) < 2 * few
