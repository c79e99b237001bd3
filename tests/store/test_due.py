"""A job that was not started in time is cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta

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


def test_a_worker_looks_when_the_next_job_expires(file: File) -> None:
    file.queue.pause()
    file.submit(expires_at=soon(file))
    with file.queue.database.read() as tx:
        assert claiming.outlook(tx) == (False, soon(file))
