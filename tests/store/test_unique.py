"""While an unfinished job has a key, no other job can have it."""

from __future__ import annotations

import pytest
from store.verbs import File

from gigq import Job, StoreError, Workflow
from gigq.status import ExecutionStatus


def test_a_second_job_with_the_key_of_an_unfinished_one_is_that_one(file: File) -> None:
    first = file.submit("first", unique_key="k")
    assert file.submit("second", unique_key="k") == first
    file.claim()
    assert file.submit("third", unique_key="k") == first
    assert file.queue.stats()["total"] == 1


@pytest.mark.parametrize("end", [ExecutionStatus.COMPLETED, ExecutionStatus.CANCELLED, None])
def test_a_finished_job_no_longer_holds_its_key(file: File, end: ExecutionStatus | None) -> None:
    first = file.submit(unique_key="k")
    if end is None:
        file.queue.cancel(first)
    else:
        file.settle(file.claim()[0], end)
    assert file.submit(unique_key="k") != first


def test_the_file_itself_refuses_a_second_unfinished_job_with_a_key(file: File) -> None:
    file.submit(unique_key="a")
    other = file.submit(unique_key="b")
    with pytest.raises(StoreError, match="UNIQUE"), file.write() as tx:
        tx.execute("UPDATE jobs SET unique_key = 'a' WHERE id = ?", (other,))


def test_jobs_without_a_key_or_with_another_are_not_affected(file: File) -> None:
    assert len({file.submit(), file.submit(), file.submit(unique_key="a"), file.submit(unique_key="b")}) == 4


def test_the_same_job_twice_is_one_job(file: File) -> None:
    job = Job("job", "functions:nothing", unique_key="k")
    assert [file.queue.submit(job), file.queue.submit(job)] == [job.id, job.id]


def test_within_one_submit_the_first_has_the_key(file: File) -> None:
    jobs = [Job(str(number), "functions:nothing", unique_key="k") for number in range(3)]
    assert file.queue.submit_many(jobs) == [jobs[0].id] * 3


def test_a_child_of_a_job_whose_key_is_taken_waits_for_the_one_that_has_it(file: File) -> None:
    first = file.submit("first", unique_key="k")
    flow = Workflow("flow")
    parent = flow.add_job(Job("parent", "functions:nothing", unique_key="k"))
    child = flow.add_job(Job("child", "functions:nothing"), depends_on=[parent])
    assert flow.submit_all(file.queue) == [first, child.id]
    assert file.job(child.id).dependencies == (first,)


def test_a_child_whose_key_has_been_taken_does_not_come_back_with_its_parent(file: File) -> None:
    parent = file.submit("parent")
    child = file.submit("child", unique_key="k", dependencies=[parent])
    file.fail(parent)
    other = file.submit("other", unique_key="k")
    assert file.queue.requeue_job(parent)
    assert [file.job(each).status for each in (parent, child, other)] == ["pending", "cancelled", "pending"]
