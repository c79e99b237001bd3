"""A job whose worker dies, or sleeps through its lease, has submitted each of its jobs once in the end."""

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


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")
def test_a_job_that_sleeps_through_its_lease_submits_nothing_when_it_wakes(
    queue: JobQueue, start: Start, meeting: Meeting
) -> None:
    job_id = queue.submit(Job("sleepy", functions.submit_late, meeting.params, max_attempts=2))
    sleeper = start("sleeper", lease=1)
    meeting.arrival()
    with queue.database.write():  # so that it does not hold the lock in its sleep
        sleeper.signal(signal.SIGSTOP)
        sleeper.wait_until_stopped()
    other = start("other", lease=1)
    assert queue.result(job_id, timeout=PATIENCE) == 2
    meeting.let_go()
    sleeper.signal(signal.SIGCONT)
    sleeper.end()
    other.end()
    assert [job.name for job in queue.find_jobs()] == ["sleepy"]
    assert [each["status"] for each in queue.get_status(job_id)["executions"]] == ["lost", "completed"]
