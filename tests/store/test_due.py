"""A job that was not started in time is cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from store.verbs import File

from gigq.status import ExecutionStatus
from gigq.store import claiming


def soon(file: File) -> datetime:
    return file.clock.now() + timedelta(seconds=60)


def test_a_job_is_claimed_until_it_expires(file: File) -> None:
    file.submit(expires_at=soon(file))
    file.clock.advance(59.999999)
    assert len(file.claim()) == 1


def test_an_expired_job_is_cancelled_with_that_reason_and_its_children_with_it(file: File) -> None:
    job_id = file.submit(expires_at=soon(file))
    child = file.submit(dependencies=[job_id])
    willing = file.submit("willing", dependencies=[job_id], on_parent_failure="run")
    file.clock.advance(60)
    assert file.names(file.claim(5)) == ["willing"]
    assert (file.job(job_id).status, file.job(job_id).error) == (
        "cancelled", "expired: it was not started by 2026-01-01T00:01:00.000000Z",
    )  # fmt: skip
    assert file.job(child).status == "cancelled"
    assert job_id in file.job(child).error
    assert file.job(willing).status == "running"


def test_a_scheduled_job_and_one_that_waits_for_a_parent_expire_too(file: File) -> None:
    parent = file.submit()
    waiting = file.submit(dependencies=[parent], expires_at=soon(file))
    scheduled = file.submit(delay=3600, expires_at=soon(file))
    file.clock.advance(61)
    file.claim()
    assert [file.job(each).status for each in (waiting, scheduled)] == ["cancelled", "cancelled"]


def test_a_parent_and_its_child_that_expire_together_are_counted_off_once_each(file: File) -> None:
    parent = file.submit("parent", expires_at=soon(file))
    child = file.submit("child", dependencies=[parent], expires_at=soon(file))
    other = file.submit("other", delay=3600)
    willing = file.submit("willing", dependencies=[child, other], on_parent_failure="run")
    file.clock.advance(60)
    assert file.claim() == []
    assert [file.job(each).status for each in (parent, child, willing)] == ["cancelled", "cancelled", "pending"]
    assert parent in file.job(child).error
    assert file.job(willing).phase == "waiting", "for the other parent"


def test_a_job_that_was_started_once_is_retried_however_late(file: File) -> None:
    job_id = file.submit(expires_at=soon(file), retry_delay=600)
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.FAILED, error="no")
    file.clock.advance(600)
    assert [each.job_id for each in file.claim()] == [job_id]


def test_a_job_that_began_and_was_given_back_does_not_expire(file: File) -> None:
    job_id = file.submit(expires_at=soon(file))
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.RELEASED, delay=5)
    file.clock.advance(90)
    with file.queue.database.read() as tx:
        assert claiming.outlook(tx).is_ready, "it does not wait to expire"
    assert not any("cancelled" in reason or "expired" in reason for reason in file.queue.why(job_id))
    assert [each.job_id for each in file.claim()] == [job_id]


def test_nor_if_it_was_claimed_ahead_and_given_back_since(file: File) -> None:
    job_id = file.submit(expires_at=soon(file))
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.RELEASED)
    (ahead,) = file.claim(free=0, ahead=1, returned=["functions:nothing"])
    file.settle(ahead, ExecutionStatus.RELEASED)
    file.clock.advance(90)
    assert [each.job_id for each in file.claim()] == [job_id]


@pytest.mark.parametrize("is_ahead", [True, False])
def test_a_job_that_was_only_claimed_and_given_back_expires(file: File, is_ahead: bool) -> None:
    job_id = file.submit(expires_at=soon(file))
    room = {"free": 0, "ahead": 1, "returned": ["functions:nothing"]} if is_ahead else {"free": 1}
    (claim,) = file.claim(**room)
    file.settle(claim, ExecutionStatus.RELEASED, has_begun=False)
    assert file.job(job_id).executions[0].started_at is None
    file.clock.advance(90)
    assert file.claim() == []
    assert file.job(job_id).status == "cancelled"


def test_a_job_that_began_does_not_expire_after_it_was_requeued(file: File) -> None:
    job_id = file.submit(expires_at=soon(file), max_attempts=1)
    file.fail(job_id)
    file.queue.requeue_job(job_id, delay=70)
    file.clock.advance(90)
    assert [each.job_id for each in file.claim()] == [job_id]


def test_a_job_that_expired_runs_when_a_person_requeues_it(file: File) -> None:
    job_id = file.submit(expires_at=soon(file))
    child = file.submit(dependencies=[job_id], expires_at=soon(file))
    file.clock.advance(90)
    assert file.claim() == []
    file.queue.requeue_job(job_id)
    file.complete(job_id)
    file.complete(child)
    assert file.job(job_id).expires_at is None


def test_a_job_that_is_requeued_in_time_still_expires(file: File) -> None:
    job_id = file.submit(expires_at=soon(file))
    file.queue.cancel(job_id)
    file.queue.requeue_job(job_id)
    file.clock.advance(90)
    assert file.claim() == []
    assert file.job(job_id).status == "cancelled"


def test_a_worker_looks_when_the_next_job_expires(file: File) -> None:
    file.queue.pause()
    file.submit(expires_at=soon(file))
    with file.queue.database.read() as tx:
        assert claiming.outlook(tx) == (False, soon(file))
