"""Whether a queue is well, and what its file is."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from store.verbs import SOMEWHERE, File

from gigq import Health, JobQueue, ManualClock, StoreError
from gigq.status import ExecutionStatus
from gigq.store import soundness, workers
from gigq.store.engine import files

Open = Callable[..., JobQueue]


@pytest.fixture
def file(open_queue: Open, clock: ManualClock) -> File:
    return File(open_queue(clock=clock), clock)


def leave(file: File) -> None:
    with file.write() as tx:
        workers.leave(tx, file.worker, reason="gone")


def beat(file: File) -> None:
    with file.write() as tx:
        workers.renew(tx, file.worker)


# well


def test_a_queue_without_jobs_and_workers_is_well(file: File) -> None:
    leave(file)
    assert file.queue.health() == Health(True, ("Nothing is waiting.",), file.clock.now(), 0, 0, 0, 0, None)


def test_a_busy_queue_is_well_and_says_how_busy(file: File) -> None:
    file.submit()
    file.submit()
    file.claim()
    file.clock.advance(2)
    beat(file)
    found = file.queue.health()
    assert (found.is_ok, found.workers, found.slots, found.busy, found.ready, found.oldest_ready_age) == (
        True, 1, 1, 1, 1, 2.0,
    )  # fmt: skip
    assert found.sentences == ("All 1 slot of 1 worker is busy; 1 ready job waits, for 2 s.",)
    assert json.loads(json.dumps(found.as_dict()))["is_ok"] is True


def test_pauses_and_limits_are_no_faults(file: File) -> None:
    file.queue.configure("api", max_running=1)
    for queue in ("mail", "api", "api"):
        file.submit(queue=queue)
    file.queue.pause("mail")
    file.claim()
    file.clock.advance(3600)
    beat(file)
    assert not file.queue.health().is_ok
    found = file.queue.health(oldest_ready=None)
    assert (found.is_ok, found.ready, found.oldest_ready_age) == (True, 2, 3600.0)
    file.queue.pause()
    assert file.queue.health().oldest_ready_age is None


# not well


def test_jobs_without_a_live_worker_are_a_fault_at_once(file: File) -> None:
    file.submit()
    assert file.queue.health().is_ok
    leave(file)
    found = file.queue.health()
    assert (found.is_ok, found.sentences) == (
        False, ("1 ready job waits, for 0 ms: there is no worker; `gigq worker` starts one.",),
    )  # fmt: skip


def test_a_job_that_a_program_takes_manually_needs_no_worker(file: File) -> None:
    leave(file)
    file.submit()
    file.submit()
    claim = file.queue.dequeue("importer")
    assert claim is not None and file.queue.health().is_ok


def test_a_ready_job_that_has_waited_for_too_long_is_a_fault(file: File) -> None:
    file.submit("busy", priority=9)
    for queue in ("mail", "ml"):
        file.submit(queue=queue)
    file.claim()
    file.clock.advance(601)
    beat(file)
    found = file.queue.health()
    assert found.sentences == (
        "A ready job of queue 'mail' has waited 10 min, longer than 10 min; so has one of 1 more queue.",
    )
    assert file.queue.health(oldest_ready=602).is_ok
    assert not file.queue.health(oldest_ready=60).is_ok


def test_dead_workers_are_a_fault_while_nobody_takes_their_jobs(file: File) -> None:
    file.submit()
    file.claim()
    file.clock.advance(60)
    (sentence,) = file.queue.health().sentences
    assert sentence.startswith("Worker ann is silent: it was last seen 1 min ago")
    with file.write() as tx:
        workers.register(tx, "bob", SOMEWHERE, concurrency=1)
    assert file.queue.health().is_ok


@pytest.mark.unsound
def test_a_file_that_contradicts_itself_is_not_well(file: File, path: str) -> None:
    job = file.submit()
    (claim,) = file.claim()
    with closing(sqlite3.connect(path)) as editor:
        editor.execute("UPDATE jobs SET status = 'pending' WHERE id = ?", (job,))
        editor.execute("DROP INDEX jobs_of_workflow")
        editor.commit()
    found = file.queue.health()
    assert found.sentences == (
        "The index jobs_of_workflow is missing in the file; `gigq doctor --repair` makes it anew.",
        "1 open execution has no running job; see `gigq doctor`.",
    )
    assert claim.job_id == job


@pytest.mark.unsound
def test_a_file_that_cannot_be_read_is_not_well(file: File, path: str) -> None:
    file.submit()
    with closing(sqlite3.connect(path)) as editor:
        editor.execute("DROP TABLE job_workers")
        editor.commit()
    found = file.queue.health()
    assert not found.is_ok
    assert path in found.sentences[0] or "job_workers" in found.sentences[0]


@pytest.mark.unsound
def test_a_file_that_was_deleted_is_not_well(file: File, path: str) -> None:
    os.remove(path)
    found = file.queue.health()
    assert not found.is_ok and "deleted" in found.sentences[0]


def test_a_disk_that_is_nearly_full_is_a_fault(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness, "LEAST_ROOM", 1 << 62)
    (sentence,) = file.queue.health().sentences
    assert sentence.startswith("The disk of ") and sentence.endswith(" MB are left.")


def test_health_has_a_time_limit_of_its_own(file: File) -> None:
    assert file.queue.health(within=60).is_ok


# what the file is


def test_the_file_tells_its_sizes_versions_and_contents(file: File, path: str) -> None:
    first = file.clock.now()
    done = file.submit()
    file.claim()
    file.clock.advance(60)
    file.submit()
    file.queue.schedules.add("refresh", "functions:nothing", every=60)
    found = file.queue.info()
    assert (found.path, found.size, found.log_size) == (path, os.path.getsize(path), os.path.getsize(f"{path}-wal"))
    assert (found.pages * found.page_size >= found.size, found.journal_mode) == (True, "wal")
    assert (found.oldest_job_at, found.newest_job_at) == (first, file.clock.now())
    assert (found.jobs, found.statuses["running"], found.statuses["pending"], found.claims) == (2, 1, 1, 1)
    assert (found.workers, found.schedules, found.workflows, found.schema_version) == (1, 1, 0, 2)
    assert found.sqlite_version == sqlite3.sqlite_version
    assert found.disk_free is None or found.disk_free > 0
    assert found.written_at is not None
    assert json.loads(json.dumps(found.as_dict()))["jobs"] == 2
    assert done


def test_a_queue_in_memory_has_a_size_and_no_log() -> None:
    with JobQueue(":memory:") as queue:
        found = queue.info()
    assert found.size > 0
    assert (found.log_size, found.disk_free, found.written_at) == (0, None, None)
    assert (found.oldest_job_at, found.newest_job_at, found.jobs) == (None, None, 0)


def test_the_room_on_a_disk_that_cannot_be_asked_is_not_known() -> None:
    assert files.room("/nowhere/at/all") is None
    assert files.written_at("/nowhere/at/all") is None


def test_settled_jobs_leave_no_fault_behind(file: File) -> None:
    file.submit()
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.COMPLETED)
    assert file.queue.health().sentences == ("1 worker, 0 of 1 slot busy; nothing is waiting.",)


def test_a_closed_queue_is_not_asked_for_its_health(path: str) -> None:
    queue = JobQueue(path)
    queue.close()
    with pytest.raises(StoreError, match="closed"):
        queue.health()
