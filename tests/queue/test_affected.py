"""What is done to many jobs: up to a bound, in chunks, and with an account of every job that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gigq import Affected, Job, JobQueue, ManualClock
from gigq.testing import drain


@pytest.fixture
def queue(open_queue: Callable[..., JobQueue], clock: ManualClock) -> JobQueue:
    return open_queue(clock=clock)


def submit(queue: JobQueue, name: str, function: str = "functions:nothing", **options: Any) -> str:
    return str(queue.submit(Job(name, function, id=name, max_attempts=1, **options)))


def names(queue: JobQueue, status: str) -> set[str]:
    return {job.name for job in queue.find_jobs(status)}  # type: ignore[arg-type]


def newest(queue: JobQueue) -> int:
    with queue.database.read() as tx:
        return int(tx.value("SELECT max(seq) FROM jobs"))


# the bound


@pytest.mark.parametrize("verb", ["cancel_jobs", "delete_jobs"])
def test_jobs_that_were_submitted_after_the_bound_are_not_touched(queue: JobQueue, verb: str) -> None:
    submit(queue, "seen")
    bound = newest(queue)
    submit(queue, "later")
    done = getattr(queue, verb)("pending", bound=bound)
    assert (done, done.bound) == (1, bound)
    assert names(queue, "pending") == {"later"}


def test_what_failed_after_the_bound_is_not_requeued(queue: JobQueue) -> None:
    submit(queue, "seen", "functions:fail")
    bound = newest(queue)
    submit(queue, "later", "functions:fail")
    drain(queue)
    assert queue.requeue_jobs("failed", bound=bound) == 1
    assert (names(queue, "pending"), names(queue, "failed")) == ({"seen"}, {"later"})


def test_what_was_submitted_after_the_bound_is_not_pruned(queue: JobQueue) -> None:
    submit(queue, "seen")
    bound = newest(queue)
    submit(queue, "later")
    drain(queue)
    assert queue.prune(bound=bound) == 1
    assert names(queue, "completed") == {"later"}
    assert queue.prune(bound=0) == 0


def test_without_a_bound_it_is_the_newest_job_when_the_call_begins(queue: JobQueue) -> None:
    for number in range(501):
        submit(queue, f"job {number}")

    def add(done: Affected) -> None:
        if done == 500:
            submit(queue, "meanwhile")

    done = queue.cancel_jobs("pending", on_chunk=add)
    assert (done, done.bound) == (501, 501)
    assert names(queue, "pending") == {"meanwhile"}


@pytest.mark.parametrize("verb", ["cancel_jobs", "requeue_jobs", "delete_jobs"])
@pytest.mark.parametrize(("wrong", "value"), [("bound", -1), ("bound", "7"), ("on_chunk", 7)])
def test_an_invalid_bound_is_refused(queue: JobQueue, verb: str, wrong: str, value: object) -> None:
    with pytest.raises((ValueError, TypeError), match=wrong):
        getattr(queue, verb)("failed" if verb == "requeue_jobs" else "pending", **{wrong: value})


# chunks


def test_an_interrupt_between_chunks_leaves_what_is_done_done(queue: JobQueue) -> None:
    queue.submit_many(Job("job", "functions:nothing") for _ in range(1_200))
    told: list[int] = []

    def stop(done: Affected) -> None:
        told.append(int(done))
        if done >= 1_000:
            raise KeyboardInterrupt

    with queue.acting_as("ann"), pytest.raises(KeyboardInterrupt):
        queue.cancel_jobs(name="job", on_chunk=stop)
    assert told == [500, 1_000]
    assert queue.stats()["cancelled"] == 1_000
    (action,) = queue.history.actions()
    assert (action.done, action.bound, action.filter) == (1_000, 1_200, {"name": "job", "status": ["pending"]})


def test_inside_a_transaction_all_of_it_is_a_part_of_that_one(queue: JobQueue) -> None:
    queue.submit_many(Job("job", "functions:nothing") for _ in range(600))
    with pytest.raises(ZeroDivisionError), queue.transaction():
        assert queue.cancel_jobs(name="job") == 600
        raise ZeroDivisionError
    assert queue.stats()["pending"] == 600
    with queue.transaction():
        assert queue.delete_jobs(name="job") == 600
        assert queue.count() == 0
    assert queue.count() == 0


def test_a_prune_tells_how_far_it_is(queue: JobQueue) -> None:
    queue.submit_many(Job("job", "functions:nothing") for _ in range(250))
    drain(queue)
    told: list[int] = []
    assert queue.prune(on_chunk=lambda done: told.append(int(done))) == 250
    assert told[:2] == [200, 250]


# the account


def test_jobs_that_go_with_their_parents_are_counted_apart(queue: JobQueue) -> None:
    submit(queue, "parent")
    submit(queue, "child", dependencies=["parent"])
    submit(queue, "grandchild", dependencies=["child"])
    done = queue.cancel_jobs("pending")
    assert (done, done.along, done.changed, done.skipped) == (1, 2, 0, 0)
    back = queue.requeue_jobs("cancelled")
    assert (back, back.along, back.changed, back.skipped) == (1, 2, 0, 0)


def test_jobs_that_others_have_moved_meanwhile_are_counted_as_changed(queue: JobQueue, clock: ManualClock) -> None:
    for number in range(503):
        submit(queue, f"job {number}")

    def meddle(done: Affected) -> None:
        if done == 500:
            clock.advance(1)
            queue.cancel("job 500")
            queue.delete_job("job 501")

    done = queue.cancel_jobs("pending", on_chunk=meddle)
    assert (done, done.along, done.changed, done.skipped) == (501, 0, 2, 0)


def test_jobs_to_which_it_cannot_be_done_are_counted_with_the_reasons(queue: JobQueue) -> None:
    submit(queue, "keyed", unique_key="k")
    queue.cancel("keyed")
    submit(queue, "holder", unique_key="k")
    submit(queue, "parent", "functions:fail", priority="high")
    submit(queue, "child", dependencies=["parent"])
    queue.dequeue("hand")  # the parent
    queue.fail("parent", "no", retry=False)
    done = queue.requeue_jobs("cancelled")
    assert (done, done.changed, done.skipped) == (0, 0, 2)
    assert done.reasons == {"an unfinished job has its unique key": 1, "a job on which it depends ended badly": 1}


def test_a_job_that_an_unfinished_one_needs_is_skipped_when_others_are_deleted(queue: JobQueue) -> None:
    submit(queue, "needed", tags=["t"])
    submit(queue, "free", tags=["t"])
    submit(queue, "other", dependencies=["needed"])
    done = queue.delete_jobs(tags="t")
    assert (done, done.reasons) == (1, {"an unfinished job needs it": 1})
    assert names(queue, "pending") == {"needed", "other"}


def test_a_job_that_an_uncompleted_one_needs_is_skipped_when_others_are_pruned(
    queue: JobQueue, clock: ManualClock
) -> None:
    submit(queue, "needed")
    submit(queue, "free")
    drain(queue)
    submit(queue, "other", dependencies=["needed"])
    clock.advance(1)
    done = queue.prune()
    assert (done, done.reasons) == (1, {"a job that has not completed needs it": 1})
    assert queue.clear_completed().skipped == 1


def test_a_row_says_how_many_were_done_changed_and_skipped(queue: JobQueue, clock: ManualClock) -> None:
    submit(queue, "needed", tags=["t"])
    submit(queue, "free", tags=["t"])
    submit(queue, "other", dependencies=["needed"])
    with queue.acting_as("ann"):
        queue.delete_jobs(tags="t", since="2026-01-01T00:00:00+00:00")
        drain(queue)
        clock.advance(1)
        queue.prune(older_than=0, keep=1)
    pruned, deleted = queue.history.actions()
    assert (deleted.verb, deleted.done, deleted.skipped) == ("delete_jobs", 1, 1)
    assert deleted.filter["since"] == "2026-01-01T00:00:00.000000Z"
    assert deleted.filter["tags"] == ["t"]
    assert (pruned.verb, pruned.options, pruned.done) == ("prune", {"keep": 1}, 1)
    assert pruned.filter == {"status": ["completed", "cancelled"], "ended_until": "2026-01-01T00:00:01.000000Z"}


def test_the_answer_is_a_number_and_plain_values(queue: JobQueue) -> None:
    submit(queue, "job")
    done = queue.cancel_jobs(name="job")
    assert done + 1 == 2
    assert done.as_dict() == {"done": 1, "along": 0, "changed": 0, "skipped": 0, "reasons": {}, "bound": 1}
