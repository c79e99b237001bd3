"""Workflows in the file: stored once, loaded again, added to, and deleted with the last of their jobs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import functions
import pytest

from gigq import (
    CyclicWorkflow,
    InvalidJob,
    Job,
    JobQueue,
    ManualClock,
    StoreError,
    UnknownParent,
    Workflow,
    WorkflowNotFound,
    current_job,
)
from gigq.testing import drain


@pytest.fixture
def queue(open_queue: Callable[..., JobQueue], clock: ManualClock) -> JobQueue:
    return open_queue(clock=clock)


def job(name: str, function: Any = functions.nothing, **options: Any) -> Job:
    """A job whose id is its name."""
    return Job(name, function, **{"id": name, "max_attempts": 1, **options})


def diamond(**options: Any) -> Workflow:
    flow = Workflow("diamond", **options)
    flow.chain(job("top"), [job("left"), job("right")], job("bottom"))
    return flow


def names(queue: JobQueue, status: str | None = None) -> list[str]:
    return [each.name for each in reversed(queue.find_jobs(status))]


# stored once


def test_a_workflow_is_stored_with_its_jobs(queue: JobQueue) -> None:
    flow = diamond()
    assert flow.submit_all(queue) == ["top", "left", "right", "bottom"]
    (record,) = queue.workflows()
    assert (record.id, record.name, record.total, record.last_job) == (flow.id, "diamond", 4, None)
    assert queue.get_status("left")["workflow"] == {"id": flow.id, "name": "diamond"}
    assert [each.name for each in queue.find_jobs(workflow=flow.id)] == ["bottom", "right", "left", "top"]


def test_workflows_come_the_newest_first(queue: JobQueue) -> None:
    for number in range(3):
        flow = Workflow(f"flow {number}")
        flow.add_job(Job("job", functions.nothing))
        flow.submit_all(queue)
    assert [each.name for each in queue.workflows()] == ["flow 2", "flow 1", "flow 0"]
    assert [each.name for each in queue.workflows(2)] == ["flow 2", "flow 1"]
    assert queue.workflows(0) == []


def test_the_same_workflow_is_stored_once(queue: JobQueue) -> None:
    flow = diamond()
    first, second = flow.submit_all(queue), flow.submit_all(queue)
    assert first == second
    assert [each.is_new for each in first + second] == [True] * 4 + [False] * 4
    assert (len(queue.workflows()), queue.count()) == (1, 4)


def test_what_another_object_has_stored_under_its_id_stands_for_it(queue: JobQueue) -> None:
    def make() -> Workflow:
        flow = Workflow("nightly", id="nightly-2026-01-01")
        flow.chain(Job("first", functions.nothing), Job("second", functions.nothing))
        return flow

    stored = make().submit_all(queue)
    another = make()
    again = another.submit_all(queue)
    assert (again, [each.is_new for each in again]) == (stored, [False, False])
    assert another.submit_all(queue) == stored
    assert names(queue) == ["first", "second"]


def test_a_workflow_of_which_jobs_were_pruned_is_not_stored_again(queue: JobQueue) -> None:
    diamond(id="d").submit_all(queue)
    drain(queue)
    queue.delete_job("bottom")
    assert diamond(id="d").submit_all(queue) == ["top", "left", "right", "bottom"]
    assert names(queue) == ["top", "left", "right"]


def test_jobs_are_in_the_order_of_addition_where_parents_allow_it(queue: JobQueue) -> None:
    flow = Workflow("flow")
    flow.add_job(job("c"))
    flow.add_job(job("b"), depends_on=["a"])
    flow.add_job(job("a"))
    flow.add_job(job("d"))
    flow.submit_all(queue)
    assert names(queue) == ["c", "a", "b", "d"]


def test_jobs_that_are_in_the_queue_already_do_not_join(queue: JobQueue) -> None:
    queue.submit_many([job("there"), job("holder", unique_key="k")])
    flow = Workflow("flow")
    flow.add_job(job("there"))
    flow.add_job(job("held", unique_key="k"))
    flow.add_job(job("child"), depends_on=["held"])
    assert flow.submit_all(queue) == ["there", "holder", "child"]
    assert flow.submit_all(queue) == ["there", "holder", "child"]
    assert [each.name for each in queue.find_jobs(workflow=flow.id)] == ["child"]
    assert queue.get_status("child")["dependencies"] == ["holder"]


def test_a_child_of_two_jobs_for_which_the_same_one_stands_waits_for_it_once(queue: JobQueue) -> None:
    flow = Workflow("flow")
    flow.chain([job("one", unique_key="k"), job("two", unique_key="k")], job("child"))
    assert flow.submit_all(queue) == ["one", "one", "child"]
    assert queue.get_status("child")["dependencies"] == ["one"]


def test_a_workflow_none_of_whose_jobs_is_stored_is_not_there(queue: JobQueue) -> None:
    queue.submit(job("holder", unique_key="k"))
    flow = Workflow("flow")
    flow.add_job(job("held", unique_key="k"))
    assert flow.submit_all(queue) == ["holder"]
    assert Workflow("empty").submit_all(queue) == []
    assert queue.workflows() == []


def test_a_refused_workflow_leaves_nothing(queue: JobQueue) -> None:
    flow = diamond()
    flow.add_job(job("orphan"), depends_on=["nobody"])
    with pytest.raises(UnknownParent):
        flow.submit_all(queue)
    assert (queue.workflows(), queue.count()) == ([], 0)


def test_a_workflow_joins_a_transaction(queue: JobQueue) -> None:
    with pytest.raises(ZeroDivisionError), queue.transaction():
        diamond().submit_all(queue)
        raise ZeroDivisionError
    assert (queue.workflows(), queue.count()) == ([], 0)
    with queue.transaction():
        flow = diamond()
        flow.submit_all(queue)
        assert flow.cancel(queue) == 4
    assert flow.status(queue).has_ended


def test_what_a_transaction_that_was_rolled_back_has_added_is_added_the_next_time(queue: JobQueue) -> None:
    flow = diamond()
    flow.submit_all(queue)
    flow.add_job(job("late"))
    flow.at_end(job("end"))
    with pytest.raises(ZeroDivisionError), queue.transaction():
        flow.submit_all(queue)
        raise ZeroDivisionError
    assert queue.count() == 4
    for _ in range(2):
        with queue.transaction():
            assert flow.submit_all(queue) == flow.submit_all(queue) == [*flow.ids]
    assert flow.submit_all(queue) == flow.ids
    assert names(queue) == ["top", "left", "right", "bottom", "late", "end"]
    assert flow.status(queue).last_job == "end"


def test_a_queue_that_is_only_read_shows_workflows_and_changes_none(
    queue: JobQueue, open_queue: Callable[..., JobQueue]
) -> None:
    flow = diamond()
    flow.submit_all(queue)
    reader = open_queue(read_only=True)
    assert flow.status(reader).total == 4
    assert Workflow.load(reader, flow.id).ids == flow.ids
    for refused in (flow.submit_all, flow.cancel, flow.requeue_failed, Workflow("empty").submit_all):
        with pytest.raises(StoreError):
            refused(reader)


def test_a_queue_in_memory_holds_workflows() -> None:
    with JobQueue(":memory:") as queue:
        flow = diamond()
        flow.submit_all(queue)
        drain(queue)
        assert flow.wait(queue, timeout=1).statuses["completed"] == 4
        assert Workflow.load(queue, flow.id).ids == flow.ids


# loaded


def test_a_loaded_workflow_has_its_jobs_as_they_were_stored(queue: JobQueue) -> None:
    flow = Workflow("flow")
    first = flow.add_job(job("first", functions.add, params={"a": 1}, args=[], tags=["t"], metadata={"k": [1]}))
    options: dict[str, Any] = {
        "description": "a text", "priority": 5, "max_attempts": 7, "timeout": None, "retry_delay": 1.0,
        "retry_backoff": 2.0, "retry_max_delay": 9.0, "retry_jitter": 0.5, "retry_on": [ValueError],
        "no_retry_on": ["KeyError"], "queue": "slow", "unique_key": "k", "on_parent_failure": "run",
        "expires_at": "2027-01-01T00:00:00+00:00", "run_at": "2026-06-01T00:00:00+00:00",
    }  # fmt: skip
    flow.add_job(job("second", functions.collect, **options), depends_on=[first])
    flow.submit_all(queue)
    loaded = Workflow.load(queue, flow.id)
    assert (loaded.id, loaded.name, loaded.ids) == (flow.id, "flow", flow.ids)
    for before, after in zip(flow.jobs, loaded.jobs, strict=True):
        there = vars(after) | {"function": before.function}
        stored = {"function": before.function, "pass_parent_results": before.name == "second"}
        stored["retry_max_delay"] = before.retry_max_delay or 3600.0
        assert {**there, "retry_on": tuple(there["retry_on"]), "no_retry_on": tuple(there["no_retry_on"])} == {
            **vars(before), **stored,
        }  # fmt: skip
    assert [each.function for each in loaded.jobs] == ["functions:add", "functions:collect"]


def test_a_workflow_is_loaded_by_a_prefix_of_its_id(queue: JobQueue) -> None:
    for name in ("flow-1", "flow-12", "flow-2"):
        flow = Workflow(name, id=name)
        flow.add_job(Job("job", functions.nothing))
        flow.submit_all(queue)
    assert Workflow.load(queue, "flow-2").id == "flow-2"
    assert Workflow.load(queue, "flow-1").id == "flow-1", "a whole id is no prefix"
    with pytest.raises(ValueError, match="several workflows have ids that begin or end with 'flow'; give more of it"):
        Workflow.load(queue, "flow")
    with pytest.raises(WorkflowNotFound, match="no workflow has the id 'none'"):
        Workflow.load(queue, "none")
    with pytest.raises(ValueError, match="workflow_id must not be empty"):
        Workflow.load(queue, "")
    with pytest.raises((TypeError, ValueError), match="workflow_id is 1"):
        Workflow.load(queue, 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"queue is 'jobs\.db'; it must be a JobQueue"):
        Workflow.load("jobs.db", "flow")  # type: ignore[arg-type]


def test_what_was_found_at_run_time_is_loaded_too(queue: JobQueue) -> None:
    flow = Workflow("flow")
    flow.add_job(job("crawl", "crawl"))
    flow.at_end(job("end", "end"))
    flow.submit_all(queue)
    drain(queue, handlers={"crawl": lambda: current_job().submit(Job("page", "page")) and None})
    loaded = Workflow.load(queue, flow.id)
    assert [each.name for each in loaded.jobs] == ["crawl", "end", "page"]
    page = loaded.jobs[-1]
    assert page.id in loaded.jobs[1].dependencies  # type: ignore[operator]
    assert loaded.submit_all(queue) == loaded.ids
    assert queue.count() == 3


@pytest.mark.unsound("somebody has edited a job")
@pytest.mark.parametrize("change", ["retry_on = '{}'", "params = '['", "name = ''", "retry_jitter = 0.5, name = 1"])
def test_a_workflow_that_somebody_spoilt_is_refused_in_a_sentence(queue: JobQueue, change: str) -> None:
    flow = diamond()
    flow.submit_all(queue)
    with queue.database.write() as tx:
        tx.execute(f"UPDATE jobs SET {change} WHERE id = 'left'")
    if change.endswith("1"):  # SQLite keeps a number in a column of text as text
        assert Workflow.load(queue, flow.id).jobs[1].name == "1"
        return
    with pytest.raises(StoreError, match="cannot be read"):
        Workflow.load(queue, flow.id)


# added to


def test_jobs_that_are_added_later_join_the_workflow(queue: JobQueue) -> None:
    flow = diamond()
    flow.submit_all(queue)
    drain(queue)
    flow.add_job(job("late"), depends_on=["bottom"])
    ids = flow.submit_all(queue)
    assert [(each, each.is_new) for each in ids[3:]] == [("bottom", False), ("late", True)]
    assert flow.status(queue).statuses["pending"] == 1
    loaded = Workflow.load(queue, flow.id)
    loaded.add_job(job("later"), depends_on=["late"])
    loaded.submit_all(queue)
    loaded.submit_all(queue)
    assert [each.name for each in queue.find_jobs(workflow=flow.id)][:2] == ["later", "late"]
    assert queue.count() == 6


def test_an_added_job_waits_for_the_one_that_stands_for_its_parent(queue: JobQueue) -> None:
    queue.submit(job("holder", unique_key="k"))
    flow = diamond()
    held = flow.add_job(job("held", unique_key="k"))
    flow.submit_all(queue)
    flow.add_job(job("late"), depends_on=[held])
    flow.submit_all(queue)
    assert queue.get_status("late")["dependencies"] == ["holder"]


def test_an_added_job_waits_once_for_one_that_stands_for_two_of_its_parents(queue: JobQueue) -> None:
    flow = Workflow("flow")
    pair = flow.chain([job("one", unique_key="k"), job("two", unique_key="k")])
    flow.submit_all(queue)
    flow.add_job(job("late"), depends_on=pair)
    flow.submit_all(queue)
    assert queue.get_status("late")["dependencies"] == ["one"]


def test_jobs_are_not_added_to_a_workflow_that_another_object_has_stored(queue: JobQueue) -> None:
    def make() -> Workflow:
        flow = Workflow("nightly", id="nightly")
        flow.add_job(Job("first", functions.nothing))
        return flow

    make().submit_all(queue)
    other = make()
    other.submit_all(queue)
    other.add_job(Job("more", functions.nothing))
    with pytest.raises(InvalidJob, match=r"stored by another Workflow object; Workflow\.load gives one"):
        other.submit_all(queue)
    assert names(queue) == ["first"]


def test_the_last_job_waits_for_what_is_added(queue: JobQueue) -> None:
    flow = diamond()
    flow.at_end(job("end", functions.collect))
    flow.submit_all(queue)
    queue.submit(job("holder", unique_key="k"))
    flow.add_job(job("late"))
    flow.add_job(job("held", unique_key="k"))
    flow.submit_all(queue)
    assert {*queue.get_status("end")["dependencies"]} == {"top", "left", "right", "bottom", "late", "holder"}
    assert queue.check() == []
    drain(queue)
    assert queue.get_status("end")["result"] == [None] * 6


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled"])
def test_a_last_job_that_has_ended_runs_again_after_what_is_added(queue: JobQueue, end: str) -> None:
    flow = diamond()
    flow.at_end(job("end", functions.fail if end == "failed" else functions.nothing))
    flow.submit_all(queue)
    if end == "cancelled":
        queue.cancel("end")
    drain(queue)
    assert queue.get_status("end")["status"] == end
    flow.add_job(job("late"))
    flow.submit_all(queue)
    assert queue.get_status("end")["phase"] == "waiting"
    assert queue.check() == []
    drain(queue)
    assert len(queue.get_status("end")["executions"]) == (1 if end == "cancelled" else 2)


def test_a_last_job_that_runs_again_begins_from_scratch(queue: JobQueue) -> None:
    """What it is given is something else now, so what it remembers would be wrong."""
    told: list[int] = []

    def end(parent_results: dict[str, Any]) -> int:
        current_job().step("tell", told.append, len(parent_results))
        current_job().submit(Job("mail", functions.nothing))
        current_job().cursor = (current_job().cursor or 0) + 1
        return int(current_job().cursor)

    flow = diamond()
    flow.at_end(job("end", "end"))
    flow.submit_all(queue)
    drain(queue, handlers={"end": end})
    flow.add_job(job("late"))
    flow.submit_all(queue)
    drain(queue, handlers={"end": end})
    assert (queue.get_status("end")["result"], told) == (1, [4, 5])
    assert names(queue, "completed").count("mail") == 2
    assert queue.check() == []


def test_what_is_added_cannot_depend_on_the_last_job(queue: JobQueue) -> None:
    flow = diamond()
    flow.at_end(job("end"))
    flow.submit_all(queue)
    outside = queue.submit(job("outside", dependencies=["end"]))
    for parent in ("end", outside):
        more = Workflow.load(queue, flow.id)
        more.add_job(Job("late", functions.nothing), depends_on=[parent])
        with pytest.raises(CyclicWorkflow, match="late"):
            more.submit_all(queue)
    assert queue.count() == 6


def test_a_last_job_can_be_added_later_and_waits_for_all_that_is_there(queue: JobQueue) -> None:
    flow = Workflow("flow")
    flow.add_job(job("crawl", "crawl"))
    flow.submit_all(queue)
    drain(queue, handlers={"crawl": lambda: current_job().submit(Job("page", "page")) and None})
    queue.delete_job("crawl")
    flow.at_end(job("end", functions.collect))
    flow.submit_all(queue)
    assert len(queue.get_status("end")["dependencies"]) == 1
    assert queue.get_status("end")["phase"] == "waiting"
    assert flow.status(queue).last_job == "end"


# the last job


def test_the_last_job_waits_for_all_others_whenever_they_are_added(queue: JobQueue) -> None:
    flow = Workflow("flow")
    flow.add_job(job("before"))
    end = flow.at_end(job("end"))
    assert end.dependencies == ("before",)
    flow.add_job(job("after"))
    assert flow.jobs[1].dependencies == ("before", "after")
    flow.submit_all(queue)
    assert queue.get_status("end")["dependencies"] == ["before", "after"]
    assert flow.status(queue).last_job == "end"


def test_the_last_job_runs_once_however_the_others_end(queue: JobQueue, clock: ManualClock) -> None:
    flow = Workflow("flow")
    flow.chain(job("bad", functions.fail), job("needs it"))
    flow.add_job(job("good"))
    flow.add_job(job("expires", delay=60, expires_at=clock.now() + timedelta(seconds=30)))
    flow.add_job(job("gives up", functions.give_up))
    flow.at_end(job("end", functions.collect))
    flow.submit_all(queue)
    drain(queue)
    assert queue.get_status("end")["phase"] == "waiting"
    clock.advance(61)
    drain(queue)
    assert queue.get_status("end")["result"] == [None] * 5
    assert len(queue.get_status("end")["executions"]) == 1
    assert flow.status(queue).has_ended


def test_the_last_job_runs_though_its_own_options_say_otherwise(queue: JobQueue) -> None:
    flow = Workflow("flow")
    flow.add_job(job("bad", functions.fail))
    last = job("end", on_parent_failure="cancel")
    assert flow.at_end(last).on_parent_failure == "run"
    flow.add_job(last)  # once more, as it was
    flow.submit_all(queue)
    drain(queue)
    assert queue.get_status("end")["status"] == "completed"


def test_a_last_job_without_others_runs_at_once_and_is_given_no_results(queue: JobQueue) -> None:
    flow = Workflow("flow")
    flow.at_end(job("end", functions.collect))
    flow.submit_all(queue)
    drain(queue)
    assert queue.get_status("end")["result"] == []


def test_the_last_job_waits_for_what_others_submit_at_run_time(queue: JobQueue) -> None:
    def crawl(depth: int = 2) -> None:
        if depth:
            current_job().submit(Job("below", "crawl", {"depth": depth - 1}))

    flow = Workflow("flow")
    flow.add_job(job("crawl", "crawl"))
    flow.at_end(job("end", "end"))
    flow.submit_all(queue)
    seen: list[int] = []
    drain(queue, handlers={"crawl": crawl, "end": lambda parent_results: seen.append(len(parent_results))})
    assert seen == [3]
    assert flow.status(queue).total == 4


def test_the_last_job_waits_for_the_job_that_stands_for_one_of_its_workflow(queue: JobQueue) -> None:
    queue.submit(job("holder", unique_key="k"))
    flow = Workflow("flow")
    flow.add_job(job("held", unique_key="k"))
    flow.at_end(job("end"))
    flow.submit_all(queue)
    assert queue.get_status("end")["dependencies"] == ["holder"]
    assert flow.status(queue).total == 1


def test_a_workflow_has_one_last_job(queue: JobQueue) -> None:
    flow = diamond()
    first = flow.at_end(job("end"))
    flow.at_end(first)
    with pytest.raises(ValueError, match="workflow 'diamond' has a job at its end already: 'end'"):
        flow.at_end(job("another"))
    flow.submit_all(queue)
    with pytest.raises(ValueError, match="has a job at its end already: 'end'"):
        Workflow.load(queue, flow.id).at_end(job("another"))


def test_a_stored_workflow_gets_no_second_last_job(queue: JobQueue) -> None:
    flow = diamond()
    flow.submit_all(queue)
    loaded = Workflow.load(queue, flow.id)
    loaded.at_end(job("end"))
    loaded.submit_all(queue)
    flow.at_end(job("another"))
    with pytest.raises(InvalidJob, match="has a last job already"):
        flow.submit_all(queue)
    assert queue.get_job("another") is None


def test_a_last_job_whose_place_another_could_take_is_refused(queue: JobQueue) -> None:
    flow = diamond()
    with pytest.raises(InvalidJob, match="job 'end' has a unique_key"):
        flow.at_end(job("end", unique_key="k"))
    queue.submit(job("end"))
    flow.at_end(job("end"))
    with pytest.raises(InvalidJob, match="job 'end' is in the queue already, so it cannot wait"):
        flow.submit_all(queue)
    assert queue.count() == 1


def test_nothing_in_the_workflow_can_wait_for_its_last_job(queue: JobQueue) -> None:
    flow = diamond()
    end = flow.at_end(job("end"))
    flow.add_job(job("after"), depends_on=[end])
    with pytest.raises(CyclicWorkflow, match="end"):
        flow.submit_all(queue)


# chains


def test_each_element_of_a_chain_waits_for_all_of_the_one_before() -> None:
    flow = Workflow("flow")
    added = flow.chain(job("a"), [job("b"), job("c")], [], (job(name) for name in "de"), functions.nothing)
    assert [each.dependencies for each in added] == [(), ("a",), ("a",), ("b", "c"), ("b", "c"), ("d", "e")]
    assert [each.id for each in added] == flow.ids
    assert flow.chain() == []


def test_a_chain_goes_on_from_jobs_that_were_added_before() -> None:
    flow = Workflow("flow")
    first = flow.add_job(job("first"))
    _, task = flow.chain(first, functions.greet)
    assert (task.name, task.dependencies) == ("greet", ("first",))


@pytest.mark.parametrize("element", [None, 1, "functions:nothing", b"x", {"a": 1}, [None], [["a"]]])
def test_what_is_no_job_is_refused_in_a_chain(element: Any) -> None:
    with pytest.raises(TypeError, match="must be a Job, a task or a function"):
        Workflow("flow").chain(element)


# deleted with the last of its jobs


def test_a_workflow_goes_with_the_last_of_its_jobs(queue: JobQueue, clock: ManualClock) -> None:
    def finished(name: str) -> Workflow:
        flow = Workflow(name)
        flow.chain(Job(f"{name} 1", functions.nothing), Job(f"{name} 2", functions.nothing))
        flow.submit_all(queue)
        drain(queue)
        return flow

    one = finished("one")
    assert queue.delete_job(one.ids[1])
    assert one.status(queue).total == 1
    assert queue.delete_job(one.ids[0])
    with pytest.raises(WorkflowNotFound):
        one.status(queue)
    finished("two")
    assert queue.delete_jobs("completed") == 2
    finished("three")
    clock.advance(1)
    assert queue.clear_completed() == 2
    finished("four")
    assert queue.prune() == 2
    assert queue.workflows() == []


def test_a_last_job_stays_the_last_when_others_are_deleted(queue: JobQueue) -> None:
    flow = diamond()
    flow.at_end(job("end"))
    flow.submit_all(queue)
    drain(queue)
    assert queue.delete_job("top")
    assert flow.status(queue).last_job == "end"


def test_a_pruned_last_job_is_forgotten_before_another_gets_its_number(queue: JobQueue) -> None:
    flow = Workflow("flow")
    flow.add_job(job("bad", functions.fail))
    flow.at_end(job("end"))
    flow.submit_all(queue)
    drain(queue)
    assert queue.delete_job("end")
    assert flow.status(queue).last_job is None
    loaded = Workflow.load(queue, flow.id)
    loaded.add_job(job("next"))
    loaded.submit_all(queue)
    assert loaded.status(queue).last_job is None
    assert loaded.cancel(queue) == 1, "it has the number of the last job, and is not that"


# check and repair


@pytest.mark.unsound("somebody has edited the file")
def test_what_others_have_done_to_workflows_is_found_and_mended(queue: JobQueue) -> None:
    flow, other = diamond(), Workflow("other")
    flow.at_end(job("end"))
    flow.submit_all(queue)
    other.add_job(job("one"))
    other.submit_all(queue)
    with queue.database.write() as tx:
        tx.execute("INSERT INTO job_workflows (id, name, created_at) VALUES ('none', 'none', 'then')")
        tx.execute("UPDATE jobs SET workflow_seq = 77 WHERE id = 'one'")
        tx.execute("DELETE FROM job_dependencies WHERE child = 5 AND parent IN (2, 3)")
        tx.execute("UPDATE jobs SET blockers = 2 WHERE id = 'end'")
    assert queue.check() == [
        f"2 workflows have no jobs: {other.id}, none",
        "1 job belongs to a workflow that is gone: one",
        "1 last job of a workflow does not wait for an unfinished job of it: end",
    ]
    queue.repair()
    assert queue.check() == []
    assert [each.name for each in queue.workflows()] == ["diamond"]
    assert queue.get_job("one").workflow is None  # type: ignore[union-attr]
    with queue.database.write() as tx:
        tx.execute("UPDATE job_workflows SET last_job = 6")
    assert queue.check() == [f"1 workflow has a last job that does not belong to it: {flow.id}"]
    queue.repair()
    assert flow.status(queue).last_job is None
    drain(queue)
    assert flow.wait(queue, timeout=1).statuses["completed"] == 5
