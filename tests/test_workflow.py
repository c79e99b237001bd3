"""Workflows: jobs that wait for each other, submitted in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import functions
import pytest

from gigq import (
    CyclicWorkflow,
    InvalidJob,
    Job,
    JobQueue,
    ManualClock,
    NotSerializable,
    UnknownParent,
    Workflow,
)
from gigq.testing import drain


@pytest.fixture
def queue(open_queue: Callable[..., JobQueue], clock: ManualClock) -> JobQueue:
    """The test's queue, under the test's clock."""
    return open_queue(clock=clock)


def job(name: str, **fields: Any) -> Job:
    return Job(name, functions.nothing, **fields)


def failing(name: str = "bad", **fields: Any) -> Job:
    return Job(name, functions.fail, **{"max_attempts": 1, **fields})


def statuses(queue: JobQueue) -> dict[str, str]:
    return {each["name"]: each["status"] for each in queue.list_jobs()}


def parents_of(queue: JobQueue, child: Job) -> list[str]:
    return list(queue.get_status(child.id)["dependencies"])


def test_ids_are_in_the_order_in_which_jobs_were_added(queue: JobQueue) -> None:
    flow = Workflow("flow")
    last, first = job("last"), job("first")
    flow.add_job(last, depends_on=[first])
    flow.add_job(first)
    assert flow.submit_all(queue) == [last.id, first.id] == flow.ids


def test_an_empty_workflow_stores_nothing(queue: JobQueue) -> None:
    assert Workflow("flow").submit_all(queue) == []
    assert queue.stats()["total"] == 0


def test_a_child_waits_for_its_parents(queue: JobQueue) -> None:
    flow = Workflow("flow")
    parent = flow.add_job(job("parent"))
    child = flow.add_job(job("child"), depends_on=[parent])
    flow.submit_all(queue)
    assert queue.get_status(parent.id)["phase"] == "ready"
    assert queue.get_status(child.id)["phase"] == "waiting"
    assert parents_of(queue, child) == [parent.id]


def test_jobs_may_be_added_in_any_order(queue: JobQueue, tmp_path: Path) -> None:
    trace = str(tmp_path / "trace")
    steps = {name: Job(name, functions.append, {"path": trace, "line": name}) for name in ("a", "b", "c", "d")}
    flow = Workflow("flow")
    for child, parent in (("d", "c"), ("c", "b"), ("b", "a")):
        flow.add_job(steps[child], depends_on=[steps[parent]])
    flow.add_job(steps["a"])
    flow.submit_all(queue)
    assert drain(queue) == 4
    assert Path(trace).read_text().split() == ["a", "b", "c", "d"]


def test_a_diamond_runs_in_order_and_passes_results_in_the_order_of_dependencies(queue: JobQueue) -> None:
    flow = Workflow("diamond")
    top = flow.add_job(Job("top", functions.add, {"a": 1}))
    left = flow.add_job(Job("left", functions.add, {"a": 10}), depends_on=[top])
    right = flow.add_job(Job("right", functions.add, {"a": 20}, priority="high"), depends_on=[top])
    bottom = flow.add_job(Job("bottom", functions.collect), depends_on=[right, top, left])
    flow.submit_all(queue)
    assert drain(queue) == 4
    assert queue.result(bottom.id) == [20, 1, 10]
    assert parents_of(queue, bottom) == [right.id, top.id, left.id]


def test_a_job_added_again_waits_for_the_new_parents_as_well(queue: JobQueue) -> None:
    flow = Workflow("flow")
    a, b, c = (flow.add_job(job(name)) for name in "abc")
    child = job("child")
    flow.add_job(child, depends_on=[a])
    flow.add_job(child, depends_on=[b, a])
    assert flow.add_job(child, depends_on=[c]).dependencies == (a.id, b.id, c.id)
    flow.submit_all(queue)
    assert parents_of(queue, child) == [a.id, b.id, c.id]
    assert queue.stats()["total"] == 4


def test_parents_named_by_the_job_itself_are_kept_when_it_is_added_again() -> None:
    flow = Workflow("flow")
    child = job("child")
    flow.add_job(child, depends_on=[flow.add_job(job("a"))])
    again = flow.add_job(Job("child", functions.nothing, dependencies=["b"], id=child.id), depends_on=[job("c")])
    assert again.dependencies is not None
    assert again.dependencies[1] == "b"
    assert len(again.dependencies) == 3


def test_a_parent_may_be_in_the_queue_already(queue: JobQueue) -> None:
    before = job("before")
    queue.submit(before)
    flow = Workflow("flow")
    child = flow.add_job(job("child"), depends_on=[before])
    flow.submit_all(queue)
    assert parents_of(queue, child) == [before.id]
    assert drain(queue) == 2


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_job_stores_nothing(queue: JobQueue, place: int) -> None:
    jobs: list[Job] = [job("a"), job("b")]
    jobs.insert(place, Job("bad", functions.add, {"a": b""}))
    flow = Workflow("flow")
    for each in jobs:
        flow.add_job(each)
    with pytest.raises(NotSerializable, match=r"""job 'bad': params\["a"\] is of type bytes"""):
        flow.submit_all(queue)
    assert queue.stats()["total"] == 0


def test_an_unknown_parent_stores_nothing(queue: JobQueue) -> None:
    flow = Workflow("flow")
    flow.add_job(job("a"))
    flow.add_job(job("b"), depends_on=[job("forgotten")])
    flow.add_job(job("c"))
    with pytest.raises(UnknownParent, match=r"job 'b' depends on '[0-9a-f-]{36}', which "):
        flow.submit_all(queue)
    assert queue.stats()["total"] == 0


def test_a_workflow_is_stored_whole_once_its_parent_is_added(queue: JobQueue) -> None:
    flow, parent = Workflow("flow"), job("forgotten")
    flow.add_job(job("child"), depends_on=[parent])
    with pytest.raises(UnknownParent):
        flow.submit_all(queue)
    flow.add_job(parent)
    flow.submit_all(queue)
    assert drain(queue) == 2


@pytest.mark.parametrize(
    ("edges", "circle"),
    [
        ([("a", "a")], {"a"}),
        ([("a", "b"), ("b", "a")], {"a", "b"}),
        ([("x", "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "y")], {"a", "b", "c"}),
    ],
)
def test_a_cycle_is_refused_by_name_and_nothing_is_stored(
    queue: JobQueue, edges: list[tuple[str, str]], circle: set[str]
) -> None:
    jobs = {name: job(name) for edge in edges for name in edge}
    flow = Workflow("ring")
    for each in jobs.values():
        flow.add_job(each)
    for parent, child in edges:
        flow.add_job(jobs[child], depends_on=[jobs[parent]])
    with pytest.raises(CyclicWorkflow, match="workflow 'ring' has jobs that wait for each other: ") as raised:
        flow.submit_all(queue)
    named = str(raised.value).partition("other: ")[2].split(" -> ")
    assert named[0] == named[-1]
    assert set(named) == circle
    assert set(pairwise(named)) <= set(edges)
    assert queue.stats()["total"] == 0


def test_submitting_twice_stores_once(queue: JobQueue) -> None:
    flow = Workflow("flow")
    flow.add_job(job("child"), depends_on=[flow.add_job(job("parent"))])
    assert flow.submit_all(queue) == flow.submit_all(queue)
    assert queue.stats()["total"] == 2


def test_a_task_is_added_with_its_params_and_options(queue: JobQueue) -> None:
    flow = Workflow("flow")
    first = flow.add_task(functions.greet, {"name": "you"})
    second = flow.add_task(functions.greet.options(priority="high"), depends_on=[first])
    flow.submit_all(queue)
    assert drain(queue) == 2
    assert [queue.result(each.id) for each in (first, second)] == ["hello you", "hello world"]
    assert queue.get_status(second.id)["priority"] == 100
    assert queue.get_status(first.id)["max_attempts"] == 5


def test_params_that_do_not_fit_the_function_store_nothing(queue: JobQueue) -> None:
    flow = Workflow("flow")
    flow.add_job(job("a"))
    flow.add_task(functions.greet, {"nam": "you"})
    with pytest.raises(InvalidJob, match="unexpected keyword argument 'nam'"):
        flow.submit_all(queue)
    assert queue.stats()["total"] == 0


# a -> bad -> (b, c) -> d, and e on its own


@pytest.fixture
def broken(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> dict[str, Job]:
    """A workflow that has run, and in which `bad` failed."""
    monkeypatch.setattr(functions, "fail_or_nothing", functions.fail, raising=False)
    flow = Workflow("broken")
    jobs = {"a": flow.add_job(job("a"))}
    jobs["bad"] = flow.add_job(Job("bad", "functions:fail_or_nothing", max_attempts=1), depends_on=[jobs["a"]])
    jobs["b"] = flow.add_job(job("b"), depends_on=[jobs["bad"]])
    jobs["c"] = flow.add_job(job("c"), depends_on=[jobs["bad"], jobs["a"]])
    jobs["d"] = flow.add_job(job("d"), depends_on=[jobs["b"], jobs["c"]])
    jobs["e"] = flow.add_job(job("e"), depends_on=[jobs["a"]])
    flow.submit_all(queue)
    drain(queue)
    return jobs


def test_a_failed_parent_cancels_its_descendants_with_an_error_that_names_it(
    queue: JobQueue, broken: dict[str, Job]
) -> None:
    assert statuses(queue) == {
        "a": "completed", "bad": "failed", "b": "cancelled", "c": "cancelled", "d": "cancelled", "e": "completed",
    }  # fmt: skip
    for name in "bcd":
        error = queue.get_status(broken[name].id)["error"]
        assert error == f"cancelled because job {broken['bad'].id} (bad), on which it depends, ended as failed"


def test_a_cancelled_descendant_was_never_tried(queue: JobQueue, broken: dict[str, Job]) -> None:
    assert [queue.get_status(broken[name].id)["executions"] for name in "bcd"] == [[], [], []]


def test_requeuing_a_parent_revives_the_descendants_cancelled_because_of_it(
    queue: JobQueue, broken: dict[str, Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(functions, "fail_or_nothing", functions.nothing)
    assert queue.requeue_job(broken["bad"].id)
    assert drain(queue) == 4
    assert set(statuses(queue).values()) == {"completed"}


def test_a_descendant_is_not_revived_before_its_parent(queue: JobQueue, broken: dict[str, Job]) -> None:
    assert not queue.requeue_job(broken["b"].id)
    assert statuses(queue)["b"] == "cancelled"


def test_a_parent_that_is_requeued_and_fails_again_cancels_again(queue: JobQueue, broken: dict[str, Job]) -> None:
    assert queue.requeue_job(broken["bad"].id)
    assert statuses(queue) | {"a": "", "e": ""} == {
        "a": "", "bad": "pending", "b": "pending", "c": "pending", "d": "pending", "e": "",
    }  # fmt: skip
    assert drain(queue) == 1
    assert statuses(queue)["d"] == "cancelled"


def test_a_child_that_runs_despite_a_failed_parent_gets_none_as_its_result(queue: JobQueue) -> None:
    flow = Workflow("flow")
    good = flow.add_job(Job("good", functions.add, {"a": 5}))
    bad = flow.add_job(failing())
    child = flow.add_job(Job("child", functions.collect, on_parent_failure="run"), depends_on=[bad, good])
    flow.submit_all(queue)
    assert drain(queue) == 3
    assert queue.result(child.id) == [None, 5]


def test_a_child_that_runs_despite_a_failed_parent_saves_its_own_children(queue: JobQueue) -> None:
    flow = Workflow("flow")
    bad = flow.add_job(failing())
    child = flow.add_job(job("child", on_parent_failure="run"), depends_on=[bad])
    flow.add_job(job("grandchild"), depends_on=[child])
    flow.add_job(job("other"), depends_on=[bad, child])
    flow.submit_all(queue)
    drain(queue)
    assert statuses(queue) == {"bad": "failed", "child": "completed", "grandchild": "completed", "other": "cancelled"}


def test_a_parent_that_will_be_retried_cancels_no_child(queue: JobQueue, clock: ManualClock) -> None:
    flow = Workflow("flow")
    bad = flow.add_job(failing(max_attempts=2, retry_delay=60))
    flow.add_job(job("child"), depends_on=[bad])
    flow.submit_all(queue)
    assert drain(queue) == 1
    assert statuses(queue) == {"bad": "pending", "child": "pending"}
    clock.advance(60)
    assert drain(queue) == 1
    assert statuses(queue) == {"bad": "failed", "child": "cancelled"}


def test_a_cancelled_parent_cancels_its_descendants(queue: JobQueue) -> None:
    flow = Workflow("flow")
    parent = flow.add_job(job("parent"))
    child = flow.add_job(job("child"), depends_on=[parent])
    flow.submit_all(queue)
    assert queue.cancel(parent.id)
    assert queue.get_status(child.id)["error"] == (
        f"cancelled because job {parent.id} (parent), on which it depends, ended as cancelled"
    )


def test_a_long_chain_and_a_wide_fan_run_to_the_end(queue: JobQueue) -> None:
    flow = Workflow("flow")
    last = flow.add_job(Job("start", functions.add, {"a": 0}))
    for number in range(100):
        last = flow.add_job(Job(f"link {number}", functions.add, {"a": number}), depends_on=[last])
    fan = [flow.add_job(Job("fan", functions.add, {"a": number}), depends_on=[last]) for number in range(100)]
    end = flow.add_job(Job("end", functions.collect), depends_on=fan)
    flow.submit_all(queue)
    assert drain(queue) == 202
    assert queue.result(end.id) == list(range(100))
