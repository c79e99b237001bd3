"""The steps of a job on the command line: `gigq status --steps`, and `gigq requeue` that forgets some or all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gigq import Job, JobContext, JobQueue, current_job
from gigq.testing import drain

Run = Callable[..., Any]


def three_steps() -> None:
    job: JobContext = current_job()
    job.step("fetch", dict, page="a.html")
    job.step("fetch", len, "b.html")
    job.step("outer", lambda: job.step("inner", str.upper, "c\x1b"))
    job.cursor = {"page": 3}
    raise ValueError("no")


@pytest.fixture
def failed(queue: JobQueue) -> str:
    """A job that has failed after three steps."""
    job_id = queue.submit(Job("job", "f", max_attempts=1))
    drain(queue, handlers={"f": three_steps})
    return job_id


def test_status_shows_the_steps(run: Run, failed: str) -> None:
    lines = run("status", failed).out.partition("\nSteps:\n")[2].partition("\n\n")[0].splitlines()

    assert lines[0].split() == ["step", "completed", "took", "attempt", "arguments", "result"]
    cells = [[each.strip() for each in line.split("  ") if each.strip()] for line in lines[1:]]
    assert [(row[0], row[3], row[4], row[-1]) for row in cells] == [
        ("fetch", "1", '{"page":"a.html"}', '{"page": "a.html"}'),
        ("fetch (2)", "1", '["b.html"]', "6"),
        ("outer/inner", "1", '["c\\u001b"]', "C\\x1b"),
        ("outer", "1", "[]", "C\\x1b"),
    ]
    assert all(row[1].endswith("Z") and row[2].endswith("s") for row in cells)


def test_status_shows_the_cursor(run: Run, queue: JobQueue, failed: str) -> None:
    assert '\nCursor: {"page": 3}\n' in run("status", failed).out
    assert "Cursor" not in run("status", queue.submit(Job("other", "f"))).out


def test_a_job_without_steps_says_so_to_who_asks(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "f"))
    assert "Steps" not in run("status", job_id).out
    assert "\n\nSteps: none\n" in run("status", job_id, "--steps").out
    assert run("status", job_id, "--steps", "--json").json["steps"] == []


def test_for_programs_the_steps_are_json(run: Run, queue: JobQueue, failed: str) -> None:
    assert "steps" not in run("status", failed, "--json").json
    steps = run("status", failed, "--steps", "--json").json["steps"]
    assert steps == [step.as_dict() for step in queue.steps(failed)]
    assert [step["name"] for step in steps] == ["fetch", "fetch", "outer/inner", "outer"]


@pytest.mark.unsound("somebody has edited a step")
def test_a_step_that_somebody_has_spoilt_is_one_line_of_error(run: Run, queue: JobQueue, failed: str) -> None:
    with queue.database.write() as tx:
        tx.execute("UPDATE job_steps SET result = '{' WHERE name = 'outer'")
    outcome = run("status", failed, "--steps")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == (
        f"gigq: step 'outer' of job {failed!r} cannot be read: its result is '{{', which gigq never wrote; "
        "mend it in the file\n"
    )
    assert run("status", failed).code == 0


def test_requeue_keeps_the_steps(run: Run, queue: JobQueue, failed: str) -> None:
    assert run("requeue", failed).code == 0
    assert len(queue.steps(failed)) == 4
    assert queue.get_status(failed)["cursor"] == {"page": 3}


def test_requeue_from_a_step_forgets_it_and_what_came_after_it(run: Run, queue: JobQueue, failed: str) -> None:
    assert run("requeue", failed, "--from-step", "outer", "--yes", "--json").json == {"id": failed, "requeued": True}
    assert [step.name for step in queue.steps(failed)] == ["fetch", "fetch"]


def test_requeue_with_restart_forgets_everything(run: Run, queue: JobQueue, failed: str) -> None:
    assert run("requeue", failed, "--restart", "--yes").out == f"Job {failed} requeued.\n"
    assert (queue.steps(failed), queue.get_status(failed)["cursor"]) == ([], None)


def test_an_unknown_step_is_refused_with_the_names_that_there_are(run: Run, queue: JobQueue, failed: str) -> None:
    outcome = run("requeue", failed, "--from-step", "charge", "--yes")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == (
        f"gigq: job {failed} has no step 'charge'; its steps are 'fetch', 'outer/inner', 'outer'\n"
    )
    assert queue.get_status(failed)["status"] == "failed"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["ID", "--restart", "--from-step", "fetch"], "--from-step: not allowed with --restart"),
        (["--status", "failed", "--restart"], "--restart and --from-step need the ID of one job"),
        (["--status", "failed", "--from-step", "fetch"], "--restart and --from-step need the ID of one job"),
        (["--restart"], "--restart and --from-step need the ID of one job"),
        (["ID", "--status", "failed", "--restart"], "give either IDs or filters"),
    ],
)
def test_options_that_make_no_sense_together_are_a_wrong_command(
    run: Run, queue: JobQueue, failed: str, words: list[str], problem: str
) -> None:
    outcome = run("requeue", *(failed if word == "ID" else word for word in words))
    assert (outcome.code, outcome.out) == (2, "")
    assert problem in outcome.err
    assert (len(queue.steps(failed)), queue.get_status(failed)["status"]) == (4, "failed")


def test_what_cannot_be_requeued_keeps_its_steps(run: Run, queue: JobQueue, failed: str) -> None:
    run("requeue", failed)
    outcome = run("requeue", failed, "--restart", "--yes")
    assert (outcome.code, len(queue.steps(failed))) == (1, 4)
    assert outcome.err == (
        f"gigq: job {failed} is pending; only a failed, timed-out or cancelled job can be requeued\n"
    )
