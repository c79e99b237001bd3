"""`gigq doctor`."""

from __future__ import annotations

import os
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
    assert run("doctor", "--json").json == {"problems": [], "findings": []}


@pytest.mark.unsound("doctor has something to find")
def test_doctor_prints_every_problem_and_exits_with_code_1(run: Run, path: str) -> None:
    with JobQueue(path) as queue:
        job_id = queue.submit(Job("job", "functions.add", {"a": 1}))
    with closing(sqlite3.connect(path)) as tool, tool:
        tool.execute("UPDATE jobs SET blockers = 1")

    outcome = run("doctor")

    assert outcome.code == 1
    assert outcome.out.splitlines() == [
        f"1 job waits for more or fewer parents than are unfinished: {job_id}",
        "    why: jobs may wait for ever, or run twice",
        f"    do: gigq --db {path} doctor --repair",
    ]
    assert outcome.err == f"gigq: {path!r} is not sound; gigq doctor --repair mends what it can\n"
    assert len(run("doctor", "--json").json["problems"]) == 1


def test_doctor_repairs_the_file_and_says_what_it_did(run: Run, path: str) -> None:
    with JobQueue(path) as queue:
        queue.submit(Job("job", "functions.add", {"a": 1}))
    damage = "UPDATE jobs SET blockers = 1"
    with closing(sqlite3.connect(path)) as tool, tool:
        tool.execute(damage)

    outcome = run("doctor", "--repair")

    done = "Corrected for how many parents 1 job must wait"
    assert (outcome.code, outcome.out, outcome.err) == (0, f"{done}\nThe file is sound.\n", "")
    assert run("doctor", "--repair").out == "The file is sound.\n"
    with closing(sqlite3.connect(path)) as tool, tool:
        tool.execute(damage)
    assert run("doctor", "--repair", "--json").json == {"repaired": [done], "problems": [], "findings": []}


@pytest.mark.unsound("what a table held cannot be made again")
def test_doctor_says_what_it_could_not_repair(run: Run, path: str) -> None:
    JobQueue(path).close()
    with closing(sqlite3.connect(path)) as tool, tool:
        tool.execute("DROP TABLE job_tags")

    outcome = run("doctor", "--repair")

    assert outcome.code == 1
    found = [line for line in outcome.out.splitlines() if not line.startswith("    ")]
    assert found == ["the table job_tags is missing", "the index job_tags_by_tag is missing"]
    assert "put a backup in the place of" in outcome.out
    assert "restore a backup" in outcome.err


def test_what_a_repair_could_not_mend_is_not_to_be_repaired_again(run: Run, queue: JobQueue, path: str) -> None:
    queue.submit(Job("job", "functions.add", {"a": 1}))
    with closing(sqlite3.connect(path)) as tool, tool:
        tool.execute("UPDATE jobs SET params = 'no JSON'")
    (before,), (after,) = (run("doctor", *how, "--json").json["findings"] for how in ((), ("--repair",)))
    assert before["what"] == after["what"] and before["remedy"].endswith("doctor --repair")
    assert after["remedy"] == "restore a backup, or keep the file and report this problem"
    with closing(sqlite3.connect(path)) as tool, tool:
        tool.execute("DELETE FROM jobs")


def test_advice_is_no_problem(run: Run, path: str, queue: JobQueue) -> None:
    os.chmod(path, 0o644)

    outcome = run("doctor")

    assert (outcome.code, outcome.err) == (0, "")
    assert f"    perhaps: chmod o-rwx {path}\n" in outcome.out and outcome.out.endswith("The file is sound.\n")
    (found,) = run("doctor", "--json").json["findings"]
    assert (found["area"], found["is_problem"]) == ("file", False)


def test_a_function_that_its_module_no_longer_has_is_a_problem_and_a_module_that_is_not_here_is_advice(
    run: Run, queue: JobQueue
) -> None:
    queue.submit(Job("gone", "functions.no_such_function"))
    queue.submit(Job("elsewhere", "no_such_package.f"))
    queue.submit(Job("here", "functions.add", {"a": 1}))
    queue.submit(Job("handler", "crawl"))

    outcome = run("doctor")

    assert outcome.code == 1
    assert outcome.out.splitlines()[0].startswith("module 'functions' has no function 'no_such_function'")
    assert "'no_such_package' cannot be imported here" in outcome.out
    assert outcome.err.endswith(f"there is 1 problem with {queue.db_path!r}\n")
    assert run("doctor", "--no-import").out == "The file is sound.\n"
