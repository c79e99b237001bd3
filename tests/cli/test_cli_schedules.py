"""`gigq schedule`."""

from __future__ import annotations

from typing import Any

import pytest

from gigq import JobQueue

Run = Any


def test_a_schedule_is_added_listed_and_removed(run: Run, queue: JobQueue) -> None:
    added = run(
        "schedule", "add", "report", "functions.add", "--cron", "0 7 * * mon-fri", "--timezone", "Europe/Berlin",
        "-p", "a=1", "--missed", "skip", "--no-overlap", "--queue", "slow",
    )  # fmt: skip
    assert added.code == 0
    assert added.out.startswith("Next tick: 20")
    (schedule,) = queue.schedules
    assert (schedule.cron, schedule.timezone, schedule.missed) == ("0 7 * * mon-fri", "Europe/Berlin", "skip")
    assert (schedule.overlap, schedule.queue, schedule.function) == (False, "slow", "functions.add")
    assert "0 7 * * mon-fri Europe/Berlin" in run("schedule", "list").out
    assert " in " in run("schedule", "list").out.splitlines()[1]
    assert schedule.as_dict()["next_at"] in run("schedule", "list", "--time=iso").out
    assert run("schedule", "list", "--json").json == [schedule.as_dict()]
    assert run("schedule", "remove", "report").code == 4
    assert run("schedule", "remove", "report", "--dry-run").out.startswith("This would remove 1 schedule:\n  report: ")
    assert run("schedule", "remove", "report", "--yes").out == "Schedule removed: report\n"
    assert list(queue.schedules) == []


def test_a_schedule_is_paused_resumed_run_and_previewed(run: Run, queue: JobQueue) -> None:
    run("schedule", "add", "beat", "functions.nothing", "--every", "5m")
    assert run("schedule", "pause", "beat").code == 0
    assert "paused" in run("schedule", "list").out
    job_id = run("schedule", "run", "beat", "--json").json["id"]
    assert queue.get_status(job_id)["name"] == "beat"
    assert run("schedule", "resume", "beat").code == 0
    assert len(run("schedule", "preview", "beat", "-n", "3").out.splitlines()) == 3


@pytest.mark.parametrize("command", ["remove", "pause", "resume", "run", "preview"])
def test_an_unknown_schedule_is_one_line_of_error(run: Run, queue: JobQueue, command: str) -> None:
    outcome = run("schedule", command, "nothing")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "no schedule has the name 'nothing'" in outcome.err


def test_a_bad_cron_line_is_one_line_of_error(run: Run, queue: JobQueue) -> None:
    outcome = run("schedule", "add", "report", "functions.nothing", "--cron", "61 * * * *")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "minute" in outcome.err


def test_schedule_without_a_command_shows_its_commands(run: Run) -> None:
    outcome = run("schedule")

    assert (outcome.code, outcome.err) == (0, "")
    assert "Remove a schedule" in outcome.out
