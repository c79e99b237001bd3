"""Jobs that a running job submits: stored once however often it is tried, and waited for by what waits for it."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from contextvars import copy_context
from dataclasses import replace
from typing import Any

import functions
import pytest

from gigq import (
    CyclicWorkflow,
    Job,
    JobQueue,
    LeaseLost,
    ManualClock,
    NotSerializable,
    UnknownParent,
    Worker,
    Workflow,
    current_job,
)
from gigq.testing import drain

Function = Callable[..., Any]


@pytest.fixture
def queue(open_queue: Callable[..., JobQueue], clock: ManualClock) -> JobQueue:
    return open_queue(clock=clock)


def names(queue: JobQueue, status: str | None = None) -> list[str]:
    """The names of the jobs, in the order of submission."""
    return [job.name for job in reversed(queue.find_jobs(status))]


def statuses(queue: JobQueue) -> dict[str, str]:
    return {job.name: str(job.status) for job in queue.find_jobs()}


def run(queue: JobQueue, **functions: Function) -> None:
    """Run the jobs by the functions of these names, but not those whose functions are not here."""
    drain(queue, handlers=functions)
    assert queue.check() == []


def page(number: int, **options: Any) -> Job:
    return Job(f"page {number}", "fetch", {"number": number}, **options)


def report(queue: JobQueue, *parents: str, **options: Any) -> str:
    return queue.submit(Job("report", "report", dependencies=parents, **options))


def fetch(number: int) -> int:
    return number


def collect(parent_results: dict[str, Any]) -> list[Any]:
    return list(parent_results.values())


def nothing() -> None:
    pass


def crawl_three() -> str:
    current_job().submit_many(page(number) for number in range(3))
    return "crawled"


# what waits


def test_what_waits_for_a_job_waits_for_all_that_it_submits(queue: JobQueue) -> None:
    last = report(queue, queue.enqueue("crawl"))
    run(queue, crawl=crawl_three)
    assert queue.get_status(last)["phase"] == "waiting"
    run(queue, fetch=fetch, report=collect)
    assert queue.result(last, timeout=0) == ["crawled", 0, 1, 2]


def test_it_waits_for_what_those_submit_as_well(queue: JobQueue) -> None:
    def crawl(depth: int) -> int:
        if depth:
            below = [{"depth": depth - 1, "side": side} for side in (1, 2)]
            current_job().submit_many(Job("below", "crawl", params) for params in below)
        return depth

    last = report(queue, queue.enqueue("crawl", depth=3))
    run(queue, crawl=lambda depth, side=0: crawl(depth), report=collect)
    assert sorted(queue.result(last, timeout=0)) == [0] * 8 + [1] * 4 + [2] * 2 + [3]


def test_a_job_that_is_submitted_later_waits_for_what_was_found_before(queue: JobQueue) -> None:
    first = queue.enqueue("crawl")
    run(queue, crawl=crawl_three)
    last = report(queue, first)
    assert queue.get_status(last)["phase"] == "waiting"
    assert len(queue.get_job(last).dependencies) == 4  # type: ignore[union-attr]
    run(queue, fetch=fetch, report=collect)
    assert queue.result(last, timeout=0) == ["crawled", 0, 1, 2]


def test_jobs_of_one_submitter_wait_for_each_other_only_where_they_say_so(queue: JobQueue) -> None:
    def crawl() -> None:
        job = current_job()
        for number in range(3):
            job.submit(page(number, dependencies=[job.id]))
        job.submit(page(3, dependencies=[page.id for page in queue.find_jobs(name="page 0")]))
        assert queue.count(phase="waiting") == 4

    queue.enqueue("crawl")
    run(queue, crawl=crawl, fetch=fetch)
    assert queue.count("completed") == 5
    assert all(len(job.dependencies) == 1 for job in queue.find_jobs(search="page"))


def test_a_grandchild_that_names_the_first_submitter_does_not_wait_for_its_other_jobs(queue: JobQueue) -> None:
    first = queue.enqueue("crawl")

    def crawl() -> None:
        current_job().submit(Job("middle", "middle"))
        drain(queue, handlers={"middle": lambda: current_job().submit(page(1, dependencies=[first]))})
        current_job().submit(page(2))

    run(queue, crawl=crawl)
    (grandchild,) = queue.find_jobs(name="page 1")
    assert (grandchild.phase, grandchild.dependencies) == ("ready", (first,))


def test_a_detached_job_keeps_nothing_waiting(queue: JobQueue) -> None:
    def crawl() -> None:
        current_job().submit(page(1), detached=True)

    first = queue.enqueue("crawl")
    last = report(queue, first)
    run(queue, crawl=crawl, report=collect)
    assert queue.result(last, timeout=0) == [None]
    assert queue.get_status(report(queue, first))["phase"] == "ready"
    assert queue.find_jobs(name="page 1")[0].submitted_by == first


def test_a_report_names_its_parents_first_and_then_those_that_were_found(queue: JobQueue) -> None:
    first, other = queue.enqueue("crawl"), queue.enqueue("other")
    last = report(queue, other, first)
    run(queue, crawl=crawl_three, other=lambda: "other", fetch=fetch, report=collect)
    assert queue.result(last, timeout=0) == ["other", "crawled", 0, 1, 2]


def test_a_found_job_that_fails_cancels_what_waits_and_its_requeue_brings_it_back(queue: JobQueue) -> None:
    last = report(queue, queue.enqueue("crawl"))

    def crawl() -> None:
        current_job().submit_many([page(1, max_attempts=1), page(2)])

    run(queue, crawl=crawl, fetch=lambda number: fetch(number) if number == 2 else 1 / 0)
    failed = queue.find_jobs(name="page 1")[0]
    assert statuses(queue) == {"crawl": "completed", "page 1": "failed", "page 2": "completed", "report": "cancelled"}
    reason = f"cancelled because job {failed.id} (page 1), on which it depends, ended as failed"
    assert queue.get_status(last)["error"] == reason
    assert queue.requeue_job(failed.id)
    assert queue.get_status(last)["phase"] == "waiting"


def test_a_report_that_runs_all_the_same_waits_for_what_was_found(queue: JobQueue) -> None:
    def crawl() -> None:
        current_job().submit_many([page(1, max_attempts=1), page(2, max_attempts=1)])
        raise ValueError

    first = queue.submit(Job("crawl", "crawl", max_attempts=1))
    last = report(queue, first, on_parent_failure="run", pass_parent_results=True)
    run(queue, crawl=crawl)
    assert queue.get_status(last)["phase"] == "waiting"
    run(queue, fetch=lambda number: fetch(number) if number == 1 else 1 / 0, report=collect)
    assert queue.result(last, timeout=0) == [None, 1, None]


def test_what_a_failed_job_has_submitted_goes_on(queue: JobQueue) -> None:
    def crawl() -> None:
        crawl_three()
        raise ValueError

    first = queue.submit(Job("crawl", "crawl", max_attempts=1))
    last = report(queue, first)
    run(queue, crawl=crawl, fetch=fetch)
    assert queue.count("completed") == 3
    assert queue.get_status(last)["status"] == "cancelled"
    queue.requeue_job(first)
    run(queue, crawl=crawl_three, report=collect)
    assert queue.result(last, timeout=0) == ["crawled", 0, 1, 2]


def test_a_found_job_whose_parent_has_failed_is_cancelled_and_what_waits_with_it(queue: JobQueue) -> None:
    bad = queue.submit(Job("bad", "bad"))
    queue.cancel(bad)
    report(queue, queue.enqueue("crawl"))
    run(queue, crawl=lambda: current_job().submit(page(1, dependencies=[bad])))
    assert statuses(queue) == {"bad": "cancelled", "crawl": "completed", "page 1": "cancelled", "report": "cancelled"}
    queue.requeue_job(bad)
    assert statuses(queue) == {"bad": "pending", "crawl": "completed", "page 1": "pending", "report": "pending"}


def test_a_job_that_would_wait_for_itself_is_refused_and_nothing_is_stored(queue: JobQueue) -> None:
    last = report(queue, queue.enqueue("crawl"))
    mail = queue.submit(Job("mail", "mail", dependencies=[last]))
    said: list[str] = []

    def crawl() -> None:
        for parent in (last, mail):
            with pytest.raises(CyclicWorkflow) as error:
                current_job().submit_many([page(1), page(2, dependencies=[parent])])
            said.append(str(error.value))
        current_job().submit(page(3, dependencies=[mail]), detached=True)

    run(queue, crawl=crawl, report=collect, mail=nothing, fetch=fetch)
    assert names(queue) == ["crawl", "report", "mail", "page 3"]
    assert said[0] == (
        "job 'page 2' waits for 'report', which would wait for all that 'crawl' submits; submit it with detached=True"
    )
    assert queue.count("completed") == 4


# the same work


def tries(queue: JobQueue, *runs: Function, **others: Function) -> None:
    """Run one job several times: each function but the last is interrupted at its end."""
    left = list(runs)

    def crawl() -> object:
        made = left.pop(0)()
        if left:
            raise ValueError
        return made

    queue.submit(Job("crawl", "crawl", max_attempts=len(runs), retry_delay=0))
    run(queue, crawl=crawl, **others)
    assert left == []


def test_a_retry_that_finds_the_same_work_stores_nothing(queue: JobQueue) -> None:
    ids: list[list[str]] = []

    def crawl() -> None:
        ids.append(current_job().submit_many(page(number) for number in range(3)))

    tries(queue, crawl, crawl, crawl, fetch=fetch)
    assert ids[0] == ids[1] == ids[2]
    assert [[each.is_new for each in some] for some in ids] == [[True] * 3, [False] * 3, [False] * 3]  # type: ignore[attr-defined]
    assert sorted(names(queue)) == ["crawl", "page 0", "page 1", "page 2"]


def test_a_retry_that_finds_other_work_leaves_what_was_found_before(queue: JobQueue) -> None:
    tries(queue, lambda: current_job().submit(page(1)), lambda: current_job().submit(page(2)), fetch=fetch)
    assert statuses(queue) == {"crawl": "completed", "page 1": "completed", "page 2": "completed"}


@pytest.mark.parametrize(
    "again",
    [
        Job("page one", "fetch", {"number": 1}, priority=5, queue="other", tags=["t"], delay=60, metadata={"a": 1}),
        Job("p", "fetch", {"number": 1}, timeout=None, max_attempts=1, description="d", on_parent_failure="run"),
        replace(page(1), run_at="2030-01-01T00:00:00+00:00"),
    ],
)
def test_names_and_options_make_no_other_work(queue: JobQueue, again: Job) -> None:
    tries(queue, lambda: current_job().submit(page(1)), lambda: current_job().submit(again))
    assert names(queue) == ["crawl", "page 1"]


@pytest.mark.parametrize(
    "other",
    [
        Job("p", "fetch", {"number": 2}),
        Job("p", "fetch", {"number": "1"}),
        Job("p", "fetch", {"number": 1, "more": None}),
        Job("p", "fetch", args=[1]),
        Job("p", "elsewhere", {"number": 1}),
        Job("p", "fetch", {"number": 1}, dependencies=["root"]),
    ],
)
def test_another_function_other_arguments_or_other_parents_make_other_work(queue: JobQueue, other: Job) -> None:
    queue.submit(Job("root", "root", id="root"))
    tries(queue, lambda: current_job().submit(page(1)), lambda: current_job().submit(other))
    assert names(queue) == ["root", "crawl", "page 1", "p"]


def test_the_order_of_keywords_makes_no_other_work(queue: JobQueue) -> None:
    one, two = Job("p", "fetch", {"a": 1, "b": {"c": 2, "d": 3}}), Job("p", "fetch", {"b": {"d": 3, "c": 2}, "a": 1})
    tries(queue, lambda: current_job().submit(one), lambda: current_job().submit(two))
    assert names(queue) == ["crawl", "p"]


def test_equal_calls_in_one_run_are_so_many_jobs(queue: JobQueue) -> None:
    ids: list[list[str]] = []

    def crawl() -> None:
        ids.append([*current_job().submit_many([page(1), page(1)]), current_job().submit(page(1))])

    tries(queue, crawl, crawl)
    assert len(set(ids[0])) == 3
    assert ids[0] == ids[1]
    assert names(queue) == ["crawl", "page 1", "page 1", "page 1"]


def test_one_job_object_is_one_job(queue: JobQueue) -> None:
    def crawl() -> None:
        one = page(1)
        assert current_job().submit(one) == current_job().submit(one) == current_job().submit_many([one, one])[1]
        assert current_job().submit(replace(one, priority=7)) == current_job().submit(one)

    tries(queue, crawl, crawl)
    assert names(queue) == ["crawl", "page 1"]


def test_found_jobs_may_depend_on_each_other_as_jobs_and_by_ids(queue: JobQueue) -> None:
    ids: list[str] = []

    def crawl() -> None:
        first = page(1)
        stored = current_job().submit(first)
        second, third = page(2, dependencies=[first]), page(3, dependencies=[stored])
        current_job().submit_many([second, third, page(4, dependencies=[second, third])])
        ids.append(stored)

    tries(queue, crawl, crawl)
    assert names(queue) == ["crawl", "page 1", "page 2", "page 3", "page 4"]
    parents = {job.name: len(job.dependencies) for job in queue.find_jobs()}
    assert parents == {"crawl": 0, "page 1": 0, "page 2": 1, "page 3": 1, "page 4": 2}
    assert ids[0] == ids[1]


def test_an_id_of_ones_own_is_kept(queue: JobQueue) -> None:
    queue.submit(page(1, id="page-1"))

    def crawl() -> None:
        assert not current_job().submit(page(1, id="page-1")).is_new
        assert current_job().submit(page(2, id="page-2")) == "page-2"

    last = report(queue, queue.submit(Job("crawl", "crawl")))
    run(queue, crawl=crawl)
    assert names(queue) == ["page 1", "crawl", "report", "page 2"]
    assert {"page-1", "page-2"} < set(queue.get_job(last).dependencies)  # type: ignore[union-attr]


def test_a_key_of_ones_own_is_kept_and_the_job_that_has_it_is_waited_for(queue: JobQueue) -> None:
    holder = queue.submit(page(1, unique_key="k"))
    queue.reschedule(holder, priority=-1)

    def crawl() -> None:
        mine = page(2, unique_key="k")
        assert current_job().submit(mine) == holder
        current_job().submit(page(3, dependencies=[mine]))

    last = report(queue, queue.submit(Job("crawl", "crawl")))
    run(queue, crawl=crawl)
    assert holder in queue.get_job(last).dependencies  # type: ignore[union-attr]
    assert queue.find_jobs(name="page 3")[0].dependencies == (holder,)
    run(queue, fetch=fetch, report=collect)
    assert queue.result(last, timeout=0) == [None, 1, 3]


def test_a_submit_that_was_refused_does_not_count_as_one_of_the_equal_ones(queue: JobQueue) -> None:
    ids: list[str] = []

    def crawl(breaks: bool) -> None:
        if breaks:
            with pytest.raises(UnknownParent):
                current_job().submit_many([page(1), page(2, dependencies=["none"])])
        ids.append(current_job().submit(page(1)))

    tries(queue, lambda: crawl(True), lambda: crawl(False))
    assert ids[0] == ids[1]
    assert names(queue) == ["crawl", "page 1"]


def test_two_jobs_that_find_the_same_have_each_its_own(queue: JobQueue) -> None:
    queue.submit_many([Job("one", "crawl"), Job("two", "crawl")])
    run(queue, crawl=crawl_three)
    assert queue.count(search="page") == 6


def test_the_id_is_a_uuid_that_begins_like_that_of_the_submitter(queue: JobQueue) -> None:
    for job in (Job("crawl", "crawl"), Job("crawl", "crawl", id="crawl")):
        submitter = queue.submit(job)
        found: list[str] = []
        run(queue, crawl=lambda: found.append(current_job().submit(page(1))))  # noqa: B023
        assert uuid.UUID(found[0]).version == 8
        assert uuid.UUID(found[0]).variant == uuid.RFC_4122
        assert (found[0][:14] == submitter[:14]) is (submitter != "crawl")
        assert found[0] == str(uuid.UUID(found[0]))


# transactions, steps and threads


def test_what_is_submitted_in_a_transaction_is_stored_if_that_is_committed(queue: JobQueue) -> None:
    ids: list[str] = []

    def effect(db: Any, *, breaks: bool) -> str:
        found = current_job().submit(page(1))
        if breaks:
            raise KeyError(found)
        return found

    def crawl() -> None:
        with pytest.raises(KeyError) as error:
            current_job().transact("break", effect, breaks=True)
        ids.extend([error.value.args[0], current_job().transact("keep", effect, breaks=False)])

    tries(queue, crawl, crawl)
    assert names(queue) == ["crawl", "page 1"]
    assert ids[1] == ids[3] == queue.find_jobs(name="page 1")[0].id


def test_a_submit_takes_part_in_a_transaction_of_any_queue_object(queue: JobQueue, path: str) -> None:
    def crawl(other: JobQueue) -> None:
        with pytest.raises(KeyError), other.transaction():
            lost = current_job().submit(page(1))
            raise KeyError
        with other.transaction() as db:
            assert current_job().submit(page(1)) == lost
            db.execute("CREATE TABLE pages (id)")

    last = report(queue, queue.submit(Job("crawl", "crawl")))
    with JobQueue(path) as other:
        run(queue, crawl=lambda: crawl(other), fetch=fetch, report=collect)
    assert queue.result(last, timeout=0) == [None, 1]


def test_what_a_remembered_step_has_submitted_is_not_mixed_up_with_the_rest(queue: JobQueue) -> None:
    def crawl(*, breaks: bool) -> None:
        current_job().step("first", lambda: current_job().submit(page(1)))
        current_job().transact("second", lambda db: current_job().submit(page(1)))
        if breaks:
            raise ValueError
        current_job().submit(page(1))

    queue.submit(Job("crawl", "crawl"))
    run(queue, crawl=lambda: crawl(breaks=current_job().attempt == 1))
    assert names(queue) == ["crawl", *["page 1"] * 3]


def test_a_step_that_is_tried_again_submits_the_same_jobs_again(queue: JobQueue) -> None:
    tries = []

    def look(number: int) -> None:
        current_job().submit_many([page(number), page(number)])
        tries.append(number)
        if len(tries) < 3:
            raise ConnectionError

    def crawl() -> None:
        for _ in range(3):
            with suppress(ConnectionError):
                current_job().step("look", look, 1)
                break
        current_job().submit(page(1))

    queue.submit(Job("crawl", "crawl"))
    run(queue, crawl=crawl)
    assert names(queue) == ["crawl", *["page 1"] * 3]


def test_what_has_left_a_workflow_adds_nothing_to_it(queue: JobQueue) -> None:
    """A job goes on whose submitter starts from scratch while it runs."""
    flow = Workflow("crawl")
    first = flow.add_job(Job("crawl", "crawl", max_attempts=1))
    flow.at_end(Job("end", "fetch", {"number": 0}))
    flow.submit_all(queue)

    def crawl() -> None:
        if queue.get_status(first.id)["executions"][1:]:
            return
        current_job().submit(Job("slow", "slow"))
        raise ValueError

    def slow() -> None:
        current_job().submit(page(1))
        assert queue.requeue_job(first.id, restart=True)
        current_job().submit(page(2))
        assert queue.check() == []

    run(queue, crawl=crawl, slow=slow)
    assert statuses(queue) == {
        "crawl": "completed", "slow": "completed", "page 1": "cancelled", "page 2": "pending", "end": "pending",
    }  # fmt: skip
    assert queue.find_jobs(workflow=flow.id, name="page 2") == []


def test_a_restart_lets_no_job_wait_for_others_of_its_own_submitter(queue: JobQueue) -> None:
    def crawl() -> None:
        job = current_job()
        part = job.submit(Job("part", "part", max_attempts=1))
        middle = job.submit(Job("middle", "fetch", {"number": 1}, dependencies=[job.id or "", part]))
        job.submit(Job("after", "fetch", {"number": 2}, dependencies=middle))

    def part(*, breaks: bool) -> None:
        current_job().submit(page(3))
        if breaks:
            raise ValueError

    queue.submit(Job("crawl", "crawl"))
    run(queue, crawl=crawl, part=lambda: part(breaks=True), fetch=fetch)
    assert queue.requeue_job(queue.find_jobs(name="part")[0].id, restart=True)
    run(queue, part=lambda: part(breaks=False), fetch=fetch)
    assert {*statuses(queue).values()} == {"completed"}


def test_what_the_last_act_submits_comes_with_the_completion(queue: JobQueue) -> None:
    def crawl() -> str:
        with current_job().transaction():
            current_job().submit(page(1))
        if current_job().attempt == 1:
            raise ValueError
        return "crawled"

    last = report(queue, queue.submit(Job("crawl", "crawl")))
    run(queue, crawl=crawl, fetch=fetch, report=collect)
    assert queue.result(last, timeout=0) == ["crawled", 1]
    assert names(queue) == ["crawl", "report", "page 1"]


def test_a_refused_job_leaves_the_rest_of_a_transaction_whole(queue: JobQueue) -> None:
    last = report(queue, queue.submit(Job("crawl", "crawl")))

    def effect(db: Any) -> None:
        current_job().submit(page(1))
        with pytest.raises(CyclicWorkflow):
            current_job().submit_many([page(2), page(3, dependencies=[last])])

    run(queue, crawl=lambda: current_job().transact("effect", effect))
    assert names(queue) == ["crawl", "report", "page 1"]


def test_the_threads_of_a_job_submit_side_by_side(queue: JobQueue) -> None:
    def crawl() -> None:
        with ThreadPoolExecutor(4) as pool:
            calls = [pool.submit(copy_context().run, current_job().submit, page(number % 5)) for number in range(20)]
            assert len({call.result() for call in calls}) == 20

    last = report(queue, queue.submit(Job("crawl", "crawl", max_attempts=2)))
    run(queue, crawl=lambda: (crawl(), current_job().attempt == 2 or 1 / 0))
    assert queue.count(search="page") == 20
    assert len(queue.get_job(last).dependencies) == 21  # type: ignore[union-attr]


def test_a_restart_submits_anew_and_a_requeue_does_not(queue: JobQueue) -> None:
    def crawl() -> None:
        current_job().submit(page(1))
        raise ValueError

    first = queue.submit(Job("crawl", "crawl", max_attempts=1))
    for restart, pages in ((False, 1), (True, 2), (False, 2), (True, 3)):
        run(queue, crawl=crawl)
        queue.requeue_job(first, restart=restart)
        run(queue, crawl=crawl)
        assert queue.count(search="page") == pages
    assert queue.count("cancelled") == 2


# control


def test_what_a_cancelled_job_has_submitted_goes_on(queue: JobQueue) -> None:
    first = queue.enqueue("crawl")
    last = report(queue, first)

    def crawl() -> None:
        crawl_three()
        queue.cancel(first, running=True)

    run(queue, crawl=crawl, fetch=fetch, report=collect)
    assert {job.status for job in queue.find_jobs(search="page")} == {"completed"}
    assert [queue.get_status(each)["status"] for each in (first, last)] == ["cancelled", "cancelled"]
    queue.requeue_job(first)
    run(queue, crawl=crawl_three, report=collect)
    assert queue.result(last, timeout=0) == ["crawled", 0, 1, 2]


def test_a_cancelled_report_leaves_the_rest_alone_and_waits_for_all_when_it_comes_back(queue: JobQueue) -> None:
    last = report(queue, queue.enqueue("crawl"))
    queue.cancel(last)
    run(queue, crawl=crawl_three)
    assert queue.count("pending") == 3
    assert queue.requeue_job(last)
    assert queue.get_status(last)["phase"] == "waiting"
    run(queue, fetch=fetch, report=collect)
    assert queue.result(last, timeout=0) == ["crawled", 0, 1, 2]


def test_a_submitter_is_forgotten_where_foreign_keys_are_off(queue: JobQueue, path: str) -> None:
    crawl = queue.submit(Job("crawl", "crawl"))
    run(queue, crawl=lambda: current_job().submit(page(1)))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("BEGIN IMMEDIATE")
        with queue.transaction(connection):
            assert queue.delete_job(crawl)
        connection.execute("COMMIT")
    assert queue.check() == []


def test_a_failed_job_that_was_found_can_be_deleted_and_then_nothing_waits_for_it(queue: JobQueue) -> None:
    last = report(queue, queue.enqueue("crawl"))
    run(queue, crawl=crawl_three, fetch=lambda number: number or 1 / 0)
    assert queue.get_status(last)["status"] == "cancelled"
    (failed,) = queue.find_jobs("failed")
    assert queue.delete_job(failed)
    assert queue.requeue_job(last)
    run(queue, report=collect)
    assert queue.result(last, timeout=0) == ["crawled", 1, 2]


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_the_jobs_of_a_worker_submit(open_queue: Callable[..., JobQueue], path: str, mode: str) -> None:
    queue = open_queue()  # under the clock of the machine
    last = queue.submit(Job("report", functions.collect, dependencies=queue.enqueue(functions.crawl_on, 3)))
    with Worker(path, mode=mode, burst=True) as worker:  # type: ignore[arg-type]
        worker.start()
    assert queue.result(last, timeout=0) == [3, 0, 1, 2]


def test_a_single_job_submits_where_it_is_run(queue: JobQueue, path: str) -> None:
    queue.enqueue(functions.crawl_on, 1)
    claim = queue.dequeue("me")
    assert claim is not None
    queue.execute_job(claim)
    queue.enqueue(functions.crawl_on, 2)
    with Worker(path, clock=queue.clock) as worker:
        while worker.process_one():
            pass
    assert queue.count("completed") == 5
    assert queue.check() == []


# errors


def test_outside_a_job_there_is_nothing_to_submit_to() -> None:
    with pytest.raises(RuntimeError, match=r"current_job\(\)\.submit\(\) needs the file of a queue, and no job is"):
        current_job().submit(page(1))
    with pytest.raises(RuntimeError, match=r"current_job\(\)\.submit_many\(\) needs the file of a queue"):
        current_job().submit_many([page(1)])


def test_a_job_that_was_taken_from_its_worker_submits_nothing(queue: JobQueue) -> None:
    def crawl() -> None:
        queue.cancel(current_job().id or "", running=True)
        for submit in (lambda: current_job().submit(page(1)), lambda: current_job().submit_many([page(1)])):
            with pytest.raises(LeaseLost):
                submit()

    queue.enqueue("crawl")
    run(queue, crawl=crawl)
    assert statuses(queue) == {"crawl": "cancelled"}


@pytest.mark.parametrize("jobs", [5, "fetch", page(1), {"a": page(1)}, [5], None])
def test_what_is_no_list_of_jobs_is_refused(queue: JobQueue, jobs: Any) -> None:
    def crawl() -> None:
        with pytest.raises(TypeError, match="must be a"):
            current_job().submit_many(jobs)
        assert current_job().submit_many([]) == []
        with pytest.raises(TypeError, match=r"^job is 5; it must be a Job, a task or a function"):
            current_job().submit(5)  # type: ignore[arg-type]
        with pytest.raises(NotSerializable):
            current_job().submit(Job("p", "fetch", {"number": {1}}))

    queue.enqueue("crawl")
    run(queue, crawl=crawl)
    assert statuses(queue) == {"crawl": "completed"}


def test_arguments_are_converted_as_the_results_of_the_worker_are(queue: JobQueue) -> None:
    queue.enqueue("crawl")
    drain(queue, handlers={"crawl": lambda: current_job().submit(Job("p", "fetch", {"number": {1}}))}, default=list)
    assert queue.find_jobs(name="p")[0].params == {"number": [1]}


# people


def test_a_job_says_which_one_has_submitted_it(queue: JobQueue) -> None:
    first = queue.enqueue("crawl")
    run(queue, crawl=crawl_three)
    assert {job.submitted_by for job in queue.find_jobs(search="page")} == {first}
    assert queue.get_status(first)["submitted_by"] is None
    queue.cancel_jobs(search="page")
    queue.delete_job(first)
    assert {job.submitted_by for job in queue.find_jobs()} == {None}


def test_a_job_that_waits_says_who_has_submitted_its_parents(queue: JobQueue) -> None:
    first = queue.enqueue("crawl")
    last = report(queue, first)
    run(queue, crawl=crawl_three)
    reasons = queue.why(last)
    assert reasons[0].startswith("It is waiting for 3 jobs to complete: ")
    assert reasons[1] == f"Job {first} (crawl), on which it depends, has submitted 3 of them."


def test_a_workflow_that_is_submitted_again_returns_the_ids_of_its_own_jobs(queue: JobQueue) -> None:
    def made() -> Workflow:
        workflow = Workflow("pages", id="pages")
        workflow.chain(Job("crawl", "crawl"), Job("report", "report"))
        return workflow

    ids = made().submit_all(queue)
    run(queue, crawl=crawl_three, fetch=fetch, report=collect)
    assert made().submit_all(queue) == ids
    assert queue.result(ids[1], timeout=0) == ["crawled", 0, 1, 2]
    assert made().status(queue).total == 5
