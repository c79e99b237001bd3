"""The effect of a job's end, or of its return, on the jobs that depend on it."""

from __future__ import annotations

import pytest
from store.verbs import File

from gigq import UnknownParent
from gigq.status import ExecutionStatus


def phases(file: File, *job_ids: str) -> list[str]:
    return [str(file.job(job_id).phase) for job_id in job_ids]


def test_a_child_is_ready_in_the_transaction_in_which_its_last_parent_completes(file: File) -> None:
    parents = [file.submit("p1"), file.submit("p2")]
    child = file.submit("child", dependencies=parents)
    assert phases(file, child) == ["waiting"]
    file.complete(parents[0])
    assert phases(file, child) == ["waiting"]
    file.complete(parents[1])
    assert phases(file, child) == ["ready"]


def test_a_child_of_completed_parents_is_ready_when_it_is_submitted(file: File) -> None:
    parent = file.submit("parent")
    file.complete(parent)
    assert phases(file, file.submit("child", dependencies=[parent])) == ["ready"]


def test_descendants_are_cancelled_at_once_with_an_error_that_names_the_job(file: File) -> None:
    parent = file.submit("fetch")
    child = file.submit("parse", dependencies=[parent])
    grandchild = file.submit("report", dependencies=[child])
    file.fail(parent)
    assert phases(file, child, grandchild) == ["cancelled", "cancelled"]
    for job_id in (child, grandchild):
        assert file.job(job_id).error == f"cancelled because job {parent} (fetch), on which it depends, ended as failed"


def test_a_child_that_does_not_need_its_parents_counts_a_failed_one_off(file: File) -> None:
    good, bad = file.submit("good"), file.submit("bad")
    child = file.submit("child", dependencies=[good, bad], on_parent_failure="run", pass_parent_results=True)
    file.complete(good, result="1")
    file.fail(bad)
    assert phases(file, child) == ["ready"]
    assert file.claim()[0].parent_results == f'{{"{good}":1,"{bad}":null}}'


def test_a_child_that_does_not_need_its_parents_counts_a_cancelled_one_off(file: File) -> None:
    root = file.submit("root")
    middle = file.submit("middle", dependencies=[root])
    child = file.submit("child", dependencies=[root, middle], on_parent_failure="run")
    file.fail(root)
    assert phases(file, middle, child) == ["cancelled", "ready"]


@pytest.mark.parametrize(("on_parent_failure", "phase"), [("cancel", "cancelled"), ("run", "ready")])
def test_a_child_of_a_failed_parent_is_cancelled_when_it_is_submitted(
    file: File, on_parent_failure: str, phase: str
) -> None:
    parent = file.submit("parent")
    file.fail(parent)
    child = file.submit("child", dependencies=[parent], on_parent_failure=on_parent_failure, delay=None)
    assert phases(file, child) == [phase]


def test_cancelling_a_job_cancels_its_descendants(file: File) -> None:
    parent = file.submit("parent")
    child = file.submit("child", dependencies=[parent])
    assert file.queue.cancel(parent)
    assert phases(file, parent, child) == ["cancelled", "cancelled"]


def test_requeuing_a_parent_revives_the_jobs_that_were_cancelled_because_of_it(file: File) -> None:
    parent = file.submit("parent")
    child = file.submit("child", dependencies=[parent])
    grandchild = file.submit("grandchild", dependencies=[child])
    cancelled_by_hand = file.submit("unwanted", dependencies=[parent])
    file.queue.cancel(cancelled_by_hand)
    file.fail(parent)
    assert file.queue.requeue_job(parent)
    assert phases(file, parent, child, grandchild) == ["ready", "waiting", "waiting"]
    assert phases(file, cancelled_by_hand) == ["cancelled"]
    for job_id in (parent, child, grandchild):
        file.complete(job_id)


def test_a_descendant_is_not_revived_while_another_failed_parent_blocks_it(file: File) -> None:
    first, second = file.submit("first"), file.submit("second")
    child = file.submit("child", dependencies=[first, second])
    file.fail(first)
    file.fail(second)
    file.queue.requeue_job(first)
    assert phases(file, child) == ["cancelled"]
    assert "(second)" in file.job(child).error
    file.queue.requeue_job(second)
    assert phases(file, child) == ["waiting"]


def test_a_child_cannot_be_requeued_before_its_failed_parent(file: File) -> None:
    parent = file.submit("parent")
    child = file.submit("child", dependencies=[parent])
    file.fail(parent)
    assert not file.queue.requeue_job(child)
    assert phases(file, child) == ["cancelled"]


def test_a_pending_child_that_had_counted_a_parent_off_waits_for_its_return(file: File) -> None:
    bad, slow = file.submit("bad"), file.submit("slow")
    child = file.submit("child", dependencies=[bad, slow], on_parent_failure="run")
    file.fail(bad)
    file.queue.requeue_job(bad)
    file.complete(bad)
    assert phases(file, child) == ["waiting"]
    file.complete(slow)
    assert phases(file, child) == ["ready"]


def test_a_revived_job_holds_back_its_own_children_again(file: File) -> None:
    root = file.submit("root")
    middle = file.submit("middle", dependencies=[root])
    last = file.submit("last", dependencies=[middle], on_parent_failure="run")
    file.fail(root)
    assert phases(file, middle, last) == ["cancelled", "ready"]
    file.queue.requeue_job(root)
    assert phases(file, middle, last) == ["waiting", "waiting"]


def test_a_running_child_is_not_stopped_by_the_return_of_a_parent(file: File) -> None:
    bad = file.submit("bad")
    child = file.submit("child", dependencies=[bad], on_parent_failure="run")
    file.fail(bad)
    (claim,) = file.claim()
    file.queue.requeue_job(bad)
    file.settle(claim, ExecutionStatus.COMPLETED)
    assert phases(file, bad, child) == ["ready", "completed"]


def test_a_diamond_counts_each_parent_once(file: File) -> None:
    top = file.submit("top")
    left, right = file.submit("left", dependencies=[top]), file.submit("right", dependencies=[top])
    bottom = file.submit("bottom", dependencies=[left, right])
    for job_id in (top, left, right, bottom):
        file.complete(job_id)
    assert phases(file, bottom) == ["completed"]


def test_a_parent_named_twice_is_one_parent(file: File) -> None:
    parent = file.submit("parent")
    child = file.submit("child", dependencies=[parent, parent])
    file.complete(parent)
    assert phases(file, child) == ["ready"]


def test_an_unknown_parent_is_refused_and_nothing_is_stored(file: File) -> None:
    with pytest.raises(UnknownParent, match="no-such-job"):
        file.submit("child", dependencies=["no-such-job"])
    assert file.queue.stats()["total"] == 0


def test_a_child_submitted_again_after_its_parent_was_cleared_is_still_one_job(file: File) -> None:
    parent = file.submit("parent")
    child = file.submit("child", dependencies=[parent], id="child")
    file.complete(parent)
    file.complete(child)
    file.queue.clear_completed()
    file.submit("another", id="another")
    again = file.submit("parent again")
    assert file.submit("child", dependencies=[again], id="another") == "another"
    assert file.job("another").name == "another"


def test_a_wide_fan_in_becomes_ready_with_its_last_parent(file: File) -> None:
    parents = [file.submit(f"p{number}") for number in range(1200)]
    child = file.submit("child", dependencies=parents)
    for parent in parents:
        file.complete(parent)
    assert phases(file, child) == ["ready"]
    assert file.job(child).dependencies == tuple(parents)
