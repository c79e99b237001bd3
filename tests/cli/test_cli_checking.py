"""`gigq doctor`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from gigq import Job, JobQueue

Run = Callable[..., Any]


def test_doctor_says_that_a_sound_file_is_sound(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("job", "functions.add", {"a": 1}))

    outcome = run("doctor")

    assert (outcome.code, outcome.out, outcome.err) == (0, "The file is sound.\n", "")
    assert run("doctor", "--json").json == {"problems": []}


@pytest.mark.unsound("doctor has something to find")
def test_doctor_prints_every_problem_and_exits_with_code_1(run: Run, path: str) -> None:
    with JobQueue(path) as queue:
        job_id = queue.submit(Job("job", "functions.add", {"a": 1}))
    with closing(sqlite3.connect(path)) as tool, tool:
        tool.execute("UPDATE jobs SET blockers = 1")

    outcome = run("doctor")

    assert outcome.code == 1
    assert outcome.out == f"not true of {job_id}: blockers of an unfinished job are its unfinished parents\n"
    assert outcome.err.startswith(f"gigq: {path!r} is not sound; ")
    assert len(run("doctor", "--json").json["problems"]) == 1
