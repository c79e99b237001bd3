"""A disk that is full for a while costs no result, no attempt and no worker."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import functions
import pytest
from outside import PATIENCE, Meeting, WorkerProcess
from small_disk import MEGABYTE, CannotMount, Disk
from soundness import problems_in

from gigq import Job, JobQueue, ManualClock, StoreError, Worker
from gigq.liveness import ProcessIdentity
from gigq.store import workers

LARGE = 6 * MEGABYTE
"""Letters of a result that does not fit into the 4 MB of log that SQLite may have kept for the next transactions."""

Start = Callable[..., WorkerProcess]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        disk = Disk(folder, megabytes=32)
    except CannotMount as error:
        pytest.skip(f"a tmpfs cannot be mounted here: {error}")
    yield disk
    problems = problems_in(folder)
    disk.unmount()
    assert problems == [], "what was on the disk is gone when the files of other tests are checked"


@pytest.fixture
def path(disk: Disk) -> str:
    return str(disk.folder / "jobs.db")


@pytest.mark.parametrize("mode", ["thread", "process"])
@pytest.mark.parametrize(
    ("room", "complaint"),
    [
        pytest.param(0, "kept and will be written again", id="nothing fits"),
        pytest.param(MEGABYTE, "1 result is kept", id="all but the result fits"),
    ],
)
def test_a_result_that_finds_the_disk_full_is_kept_until_there_is_room(
    queue: JobQueue, start: Start, disk: Disk, meeting: Meeting, tmp_path: Path, mode: str, room: int, complaint: str
) -> None:
    trace = tmp_path / "trace"
    before = queue.submit_many(Job("before", functions.nothing) for _ in range(20))
    params = meeting.params | {"letters": LARGE, "trace": str(trace)}
    large = queue.submit(Job("large", functions.meet, params))
    behind = queue.submit_many(Job("behind", functions.add, {"a": number}) for number in range(20))
    worker = start(mode=mode)
    meeting.arrival()
    disk.fill(leave=room)
    meeting.let_go()
    worker.complains("disk is full", complaint)
    assert queue.get_status(large)["status"] == "running"
    disk.free()
    record = queue.wait(large, timeout=PATIENCE)
    assert (record.status, record.attempts, record.result) == ("completed", 1, LARGE * "x")
    assert [each.status for each in record.executions] == ["completed"]
    assert {each.attempts for each in queue.wait([*before, *behind], timeout=PATIENCE)} == {1}
    assert queue.result(queue.submit(Job("after", functions.add, {"a": 1})), timeout=PATIENCE) == 1
    assert trace.read_text() == "called\n"
    assert worker.end().count("\n") == 1, "one complaint a minute is enough"


def test_a_worker_stopped_on_a_full_disk_reports_what_it_could_not_write_and_the_job_runs_again(
    queue: JobQueue, start: Start, disk: Disk, meeting: Meeting
) -> None:
    job_id = queue.submit(Job("large", functions.meet, meeting.params | {"letters": LARGE}))
    first = start(shutdown_timeout=0)
    meeting.arrival()
    disk.fill(leave=MEGABYTE)
    meeting.let_go()
    first.complains("disk is full", "1 result is kept")
    first.signal(signal.SIGTERM)
    code, complaints = first.wait_for_the_end()
    assert (code, complaints.splitlines()[-1].partition(":")[0]) == (1, "gigq.errors.StoreError")
    disk.free()
    meeting.let_go()
    second = start()
    record = queue.wait(job_id, timeout=PATIENCE)
    assert [each.status for each in record.executions] == ["lost", "completed"]
    second.end()


def test_a_submit_to_a_full_disk_stores_nothing_and_can_be_repeated(queue: JobQueue, start: Start, disk: Disk) -> None:
    kept = queue.submit(Job("kept", functions.nothing))
    refused = [Job("refused", functions.nothing) for _ in range(3)]
    disk.fill()
    with pytest.raises(StoreError, match="the disk is full"):
        queue.submit(refused[0])
    with pytest.raises(StoreError, match="the disk is full"):
        queue.submit_many(refused)
    assert [job["id"] for job in queue.list_jobs()] == [kept]
    disk.free()
    assert queue.submit_many(refused) == [job.id for job in refused]
    worker = start()
    queue.wait([kept, *[job.id for job in refused]], timeout=PATIENCE)
    assert worker.end() == ""


def test_a_worker_renews_its_heartbeat_while_a_result_does_not_fit(
    queue: JobQueue, start: Start, disk: Disk, meeting: Meeting
) -> None:
    queue.submit(Job("large", functions.meet, meeting.params | {"letters": LARGE}))
    worker = start()
    meeting.arrival()
    disk.fill(leave=MEGABYTE)
    meeting.let_go()
    worker.complains("disk is full", "1 result is kept")
    (before,) = queue.workers()
    worker.wait_until(lambda: queue.workers()[0].seen_at > before.seen_at)
    disk.free()
    worker.end()


def test_a_disk_full_for_longer_than_a_lease_does_not_make_a_live_worker_look_dead(
    path: str, disk: Disk, clock: ManualClock
) -> None:
    """No worker could write a heartbeat in that time, so silence proves nothing."""
    far_away = ProcessIdentity(machine_id="another", boot_id="another", pid_namespace="", pid=1)
    with JobQueue(path, clock=clock) as queue, Worker(path, "ann", clock=clock, lease=15) as ann:
        assert not ann.process_one()
        with queue.database.write() as tx:
            workers.register(tx, "bob", far_away, concurrency=1)
        disk.fill()
        for _ in range(10):
            clock.advance(2)
            with pytest.raises(StoreError, match="the disk is full"):
                ann.process_one()
        disk.free()
        assert not ann.process_one()
        assert [worker.id for worker in queue.workers()] == ["ann", "bob"]
