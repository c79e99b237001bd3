"""After a crash a job goes on from its cursor."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from outside import PATIENCE, WorkerProcess

from gigq import Job, JobQueue


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_a_job_goes_on_from_the_cursor_that_was_written_before_its_worker_was_killed(
    queue: JobQueue, start: Callable[..., WorkerProcess], tmp_path: Path, mode: str
) -> None:
    gate = str(tmp_path / "gate")
    os.mkfifo(gate)
    job_id = queue.submit(Job("job", "progress_functions:go_on", {"until": gate}))
    first = start(mode=mode)
    first.wait_until(lambda: queue.get_status(job_id)["cursor"] == 3)
    first.kill()
    start("bob", mode=mode)
    record = queue.wait(job_id, timeout=PATIENCE)
    assert (record.result, record.cursor, record.attempts) == ([3, 6], 6, 2)
