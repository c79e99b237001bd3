"""`gigq why`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gigq import Job, JobQueue

Run = Callable[..., Any]


def test_why_prints_one_reason_a_line(run: Run, queue: JobQueue) -> None:
    job = queue.submit(Job("job", "tasks:f"))
    queue.pause()

    first, second = run("why", job).out.splitlines()
    assert first.startswith("All queues have been paused since ")
    assert second == queue.why(job)[1]


def test_why_as_json_has_the_whole_id(run: Run, queue: JobQueue) -> None:
    job = queue.submit(Job("job", "tasks:f", id="long-id"))

    assert run("why", "long", "--json").json == {"id": job, "reasons": queue.why(job)}


def test_why_of_an_unknown_job_is_an_error(run: Run, queue: JobQueue) -> None:
    outcome = run("why", "nothing")

    assert (outcome.code, outcome.out) == (1, "")
    assert "nothing" in outcome.err
