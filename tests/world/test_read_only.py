"""A queue that was opened while its file could not be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gigq import JobQueue

TESTS = Path(__file__).parents[1]

SUBMIT = """
import sys
from rights import heed_modes
from gigq import Job, JobQueue, StoreError
heed_modes()
with JobQueue(sys.argv[1]) as queue:
    for _ in range(2):
        try:
            print(queue.submit(Job("job", "functions:nothing")), flush=True)
        except StoreError as error:
            print(error, flush=True)
        input()
"""

WORK = """
import logging, sys
from rights import heed_modes
from gigq import Worker
heed_modes()
logging.basicConfig(format="%(message)s", stream=sys.stdout)
with Worker(sys.argv[1], burst=True) as worker:
    worker.start()
"""


@pytest.fixture
def forbidden(queue: JobQueue, path: str) -> list[Path]:
    """The files of an open queue, which no process may write."""
    files = [Path(path + end) for end in ("", "-wal", "-shm")]
    for file in files:
        file.chmod(0o400)
    return files


def begin(script: str, path: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
    return subprocess.Popen(
        [sys.executable, "-c", script, path],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    )  # fmt: skip


def test_a_job_that_was_refused_while_the_file_could_not_be_written_is_stored_when_it_can(
    queue: JobQueue, path: str, forbidden: list[Path]
) -> None:
    with begin(SUBMIT, path) as submitter:
        assert submitter.stdin
        assert submitter.stdout
        assert submitter.stdout.readline() == f"{path!r} cannot be written: nobody may write it (its mode is 0400)\n"
        for file in forbidden:
            file.chmod(0o600)
        submitter.stdin.write("\n")
        assert queue.get_status(submitter.stdout.readline().strip())["status"] == "pending"
        submitter.stdin.write("\n")


def test_a_worker_that_started_while_the_file_could_not_be_written_goes_on_when_it_can(
    queue: JobQueue, path: str, forbidden: list[Path]
) -> None:
    job_id = queue.enqueue("functions:add", 1, b=2)
    with begin(WORK, path) as worker:
        assert worker.stdout
        assert "cannot be written: nobody may write it" in worker.stdout.readline()
        for file in forbidden:
            file.chmod(0o600)
    assert queue.get_result(job_id) == 3
