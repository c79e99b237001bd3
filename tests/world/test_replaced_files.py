"""The file is deleted or replaced while a worker runs: no process writes into a file that is gone."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from running import Pipes, Running

from gigq import Job, JobQueue, QueueGone, close_connections

HOLD = "functions:hold"


def back_up(path: str, destination: Path) -> None:
    source, copy = sqlite3.connect(path), sqlite3.connect(destination)
    source.backup(copy)
    copy.close()
    source.close()


def reclaim(path: str, tmp_path: Path) -> None:
    os.rename(path, tmp_path / "away.db")


def delete(path: str, tmp_path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)


def restore(path: str, tmp_path: Path) -> None:
    back_up(path, tmp_path / "backup.db")
    os.replace(tmp_path / "backup.db", path)


@pytest.mark.parametrize(
    "change",
    [pytest.param(reclaim, marks=pytest.mark.unsound("the file is moved away from its log")), delete, restore],
)
def test_a_running_worker_whose_file_is_gone_ends_with_that_error(
    path: str,
    tmp_path: Path,
    run: Callable[..., Running],
    pipes: Pipes,
    change: Callable[[str, Path], None],
) -> None:
    queue = JobQueue(path)
    queue.submit(Job("held", HOLD, {"tell": pipes.tell, "until": pipes.until}))
    queue.submit(Job("next", "functions:nothing"))
    worker = run(worker_id="ann")
    pipes.wait_until_begun()
    change(path, tmp_path)
    pipes.let_end()
    worker.thread.join(60)
    assert isinstance(worker.error, QueueGone)
    with pytest.raises(QueueGone, match="open; open it again$"):
        queue.count()
    queue.close()
    for end in ("", "-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)


def test_a_worker_goes_on_in_a_restored_file_after_a_restart(
    path: str, tmp_path: Path, open_queue: Callable[..., JobQueue], run: Callable[..., Running]
) -> None:
    before = open_queue()
    job_id = before.submit(Job("kept", "functions:add", {"a": 1}))
    restore(path, tmp_path)
    for end in ("-wal", "-shm"):  # they belong to the file that was replaced, and not to the restored one
        Path(f"{path}{end}").unlink()
    run()
    assert open_queue().result(job_id, timeout=60) == 1


def test_a_file_that_no_program_has_open_may_be_overwritten_in_place(
    path: str, tmp_path: Path, queue: JobQueue
) -> None:
    kept = queue.submit(Job("kept", "functions:nothing"))
    back_up(path, tmp_path / "backup.db")
    queue.submit_many(Job("later", "functions:nothing") for _ in range(500))
    close_connections()  # the last one to close writes the log into the file, and deletes it
    shutil.copyfile(tmp_path / "backup.db", path)
    assert [job["id"] for job in queue.list_jobs()] == [kept]
