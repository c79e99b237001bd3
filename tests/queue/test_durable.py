"""A running job and the file of its queue: what it writes is written only while its execution is open."""

from __future__ import annotations

import pytest

from gigq import JobQueue, LeaseLost
from gigq.claims import Claim
from gigq.queue.durable import opened_at, opener
from gigq.runtime.durable import JobStore
from gigq.steps import RememberedStep, Step

STEP = Step("fetch", 1, 0, "step", "f1", "[]", '"page"', "2026-01-01T00:00:00.000000Z")


@pytest.fixture
def claim(queue: JobQueue) -> Claim:
    queue.enqueue("fetch")
    claimed = queue.dequeue()
    assert claimed is not None
    return claimed.claim


def in_this_process(queue: JobQueue, claim: Claim) -> JobStore:
    return opener(queue.database)(claim)


def in_a_child(queue: JobQueue, claim: Claim) -> JobStore:
    return opened_at(claim, path=queue.database.file, durability="full")


@pytest.fixture(params=[in_this_process, in_a_child])
def store(request: pytest.FixtureRequest, queue: JobQueue, claim: Claim) -> JobStore:
    opened: JobStore = request.param(queue, claim)
    request.addfinalizer(opened.close)
    return opened


def test_the_next_run_of_a_job_finds_a_step(queue: JobQueue, claim: Claim, store: JobStore) -> None:
    assert store.recall("fetch", 1) is None
    store.remember(STEP)
    next_run = in_this_process(queue, claim)
    assert next_run.recall("fetch", 1) == RememberedStep(0, "step", "f1", "[]", '"page"')
    assert next_run.recall("fetch", 2) is None
    next_run.close()


def test_an_execution_that_has_ended_writes_nothing(queue: JobQueue, store: JobStore, claim: Claim) -> None:
    queue.complete(claim.job_id)
    with pytest.raises(LeaseLost, match=f"job {claim.job_id} was taken from this worker"):
        store.remember(STEP)
    assert store.recall("fetch", 1) is None


def test_the_same_number_in_another_file_is_another_execution(path: str, queue: JobQueue, claim: Claim) -> None:
    with JobQueue(f"{path}-2") as other:
        other.enqueue("fetch")
        other.dequeue()
        store = in_this_process(other, claim)
        with pytest.raises(LeaseLost):
            store.remember(STEP)
        store.close()
