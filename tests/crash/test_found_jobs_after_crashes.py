"""A job whose worker dies has submitted each of its jobs once in the end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import functions
import pytest
from outside import PATIENCE, Meeting, WorkerProcess

from gigq import Job, JobQueue

Start = Callable[..., WorkerProcess]
PAGES = 6
RESULTS = [0, 1, 2, 2, 3, 4, 5]
"""Of the jobs that it submits, and of itself, which returns its attempt."""


@pytest.fixture
def submitted(queue: JobQueue, meeting: Meeting) -> tuple[str, str]:
    """A job that submits others, and one that waits for them."""
    params = {"pages": PAGES, **meeting.params}
    first = queue.submit(Job("crawl", functions.crawl, params, max_attempts=2))
    return first, queue.submit(Job("report", functions.collect, dependencies=first))


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_after_a_kill_the_next_attempt_submits_only_what_is_missing(
    queue: JobQueue, start: Start, meeting: Meeting, submitted: tuple[str, str], mode: str
) -> None:
    first, last = submitted
    worker = start("killed", mode=mode)
    pid = meeting.arrival()
    assert queue.count(search="page ") == PAGES // 2
    os.kill(pid, signal.SIGKILL)  # in process mode only the child, as the system does when memory runs out
    if mode == "thread":
        worker.kill()
        worker = start("next")
    assert sorted(queue.result(last, timeout=PATIENCE)) == RESULTS
    assert queue.count(search="page ") == PAGES
    assert queue.get_status(first)["attempts"] == 2
    worker.end()
