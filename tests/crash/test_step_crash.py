"""A worker is killed in the middle of a job's steps: what was committed is never done again, the rest is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from outside import PATIENCE, Meeting, WorkerProcess

from gigq import Job, JobQueue


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_a_job_whose_worker_was_killed_goes_on_after_its_last_step(
    queue: JobQueue, start: Callable[..., WorkerProcess], meeting: Meeting, tmp_path: Path, mode: str
) -> None:
    journal = tmp_path / "journal"
    params = {"journal": str(journal), **meeting.params}
    job_id = queue.submit(Job("job", "progress_functions:journey", params))
    worker = start(mode=mode)
    meeting.arrival()  # in the third step
    worker.kill()
    start("bob", mode=mode)
    meeting.arrival()
    meeting.let_go()

    record = queue.wait(job_id, timeout=PATIENCE)

    assert (record.status, record.attempts) == ("completed", 2)
    assert journal.read_text().split() == ["first", "second", "third", "third", "fourth"]
    assert [(step.name, step.attempt) for step in queue.steps(job_id)] == [
        ("first", 1), ("second", 1), ("third", 2), ("fourth", 2),
    ]  # fmt: skip
