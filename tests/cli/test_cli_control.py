"""`gigq cancel`, `gigq requeue` and `gigq reschedule`, of one job and of many."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue
from gigq.testing import drain

Run = Callable[..., Any]


def test_cancel_ends_a_pending_job(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("sum", "functions.add"))

    assert run("cancel", job_id[:-1]).out == f"Job {job_id} cancelled.\n"
    assert queue.count("cancelled") == 1


def test_a_job_that_has_timed_out_is_told_in_english(run: Run, queue: JobQueue) -> None:
    queue.submit(Job("slow", "endless", id="slow", timeout=0.01, max_attempts=1))
    drain(queue, handlers={"endless": lambda: all(True for _ in range(10**8))})
    for words in (["cancel", "slow"], ["reschedule", "slow", "--delay", "1h"]):
        assert run(*words).err.startswith("gigq: job slow has timed out; only a pending "), words


def test_a_job_that_has_ended_cannot_be_cancelled(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("sum", "functions.add", {"a": 1}))
    run("worker", "--once")

    outcome = run("cancel", job_id)

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == f"gigq: job {job_id} is completed; only a pending or running job can be cancelled\n"


def test_a_running_job_is_cancelled_only_with_the_option_running(
    run: Run, spawn: Run, queue: JobQueue, gate: Path
) -> None:
    job_id = queue.submit(Job("rest", "chores.open_and_rest", {"gate": str(gate)}))
    spawn("worker")
    gate.read_text()

    refused = run("cancel", job_id)
    assert (refused.code, refused.err) == (1, f"gigq: job {job_id} is running; add --running to cancel it\n")
    assert run("cancel", job_id, "--running").out == f"Job {job_id} cancelled.\n"
    assert queue.get_status(job_id)["status"] == "cancelled"


def test_requeue_sends_a_failed_job_back(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("break", "functions.fail", max_attempts=1))
    run("worker", "--once")

    assert run("requeue", job_id, "--json").json == {"id": job_id, "requeued": True}
    assert queue.get_status(job_id)["attempts"] == 0


def test_a_pending_job_cannot_be_requeued(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("sum", "functions.add"))

    outcome = run("requeue", job_id)

    assert outcome.code == 1
    assert "is pending; only a failed, timed-out or cancelled job" in outcome.err


def test_requeuing_the_child_of_a_failed_parent_names_the_parent_to_requeue(run: Run, queue: JobQueue) -> None:
    parent = queue.submit(Job("break", "functions.fail", max_attempts=1))
    child = queue.submit(Job("collect", "functions.collect", dependencies=[parent]))
    run("worker", "--once")

    outcome = run("requeue", child)

    assert outcome.code == 1
    assert parent in outcome.err


def test_jobs_are_cancelled_by_filters(run: Run, queue: JobQueue) -> None:
    queue.submit_many(Job("job", "functions.nothing", queue=name) for name in ("red", "red", "blue"))

    assert run("cancel", "--queue", "red", "--yes").out == "Jobs cancelled: 2\n"
    assert run("cancel", "--status", "pending", "--yes", "--json").json == {
        "cancelled": 1, "along": 0, "changed": 0, "skipped": 0,
    }  # fmt: skip


def test_jobs_are_requeued_by_filters(run: Run, ended: JobQueue) -> None:
    assert run("requeue", "--status", "failed", "--queue", "red", "--yes").out == "Jobs requeued: 1\n"
    assert run("requeue", "--name", "old failed", "--delay", "5m", "--yes", "--json").json["requeued"] == 1
    assert ended.count(phase="scheduled") == 1


def test_requeuing_a_job_whose_key_is_taken_is_an_error_that_names_the_key(run: Run, queue: JobQueue) -> None:
    first = queue.submit(Job("first", "functions.nothing", unique_key="k"))
    queue.cancel(first)
    queue.submit(Job("second", "functions.nothing", unique_key="k"))

    outcome = run("requeue", first)

    assert outcome.code == 1
    assert "an unfinished job has its key 'k'" in outcome.err


def test_the_jobs_of_one_group_of_failures_are_requeued(run: Run, queue: JobQueue) -> None:
    for number in range(3):
        queue.submit(Job("job", "functions.fail", {"message": f"no order {number}"}, max_attempts=1))
    other = queue.submit(Job("other", "functions.fail", {"message": "no paper"}, max_attempts=1))
    drain(queue)
    (key,) = [group.key for group in queue.history.failures() if group.failures == 3]

    assert run("requeue", "--group", key, "--dry-run").out.startswith("This would requeue 3 jobs, such as\n")
    assert run("requeue", "--group", key).code == 4
    assert run("requeue", "--group", key[:-1], "--yes").out == "Jobs requeued: 3\n"
    assert [job.id for job in queue.find_jobs("failed")] == [other]
    refused = run("requeue", "--group", "nothing", "--yes")
    assert (refused.code, refused.err) == (
        1, "gigq: no group of failures with a key that begins with 'nothing'; `gigq errors` lists them\n",
    )  # fmt: skip
    assert run("requeue", other, "--group", key).err == "gigq: give either IDs or --group\n"


def test_the_ids_of_the_jobs_that_were_changed_are_for_other_commands(run: Run, queue: JobQueue) -> None:
    ids = queue.submit_many(Job("job", "functions.nothing", queue="red") for _ in range(3))

    assert sorted(run("cancel", "--queue", "red", "--yes", "-q").out.split()) == sorted(ids)
    assert sorted(run("requeue", "--queue", "red", "--yes", "-q").out.split()) == sorted(ids)
    assert sorted(run("delete", "--queue", "red", "--yes", "-q").out.split()) == sorted(ids)
    assert run("delete", "--queue", "red", "--yes", "-q").out == ""


def test_forgetting_the_steps_of_a_job_is_for_good_and_asked_about(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "functions.nothing"))
    queue.cancel(job_id)

    assert run("requeue", job_id, "--restart").code == 4
    assert run("requeue", job_id, "--restart", "--yes").out == f"Job {job_id} requeued.\n"
    assert "need the ID of one job" in run("requeue", "--all", "--restart", "--yes").err


def test_several_pending_jobs_are_rescheduled_and_the_others_told(run: Run, queue: JobQueue) -> None:
    first, second, over = (queue.submit(Job("job", "functions.nothing")) for _ in range(3))
    queue.cancel(over)

    outcome = run("reschedule", first, over, second, "--delay", "2h", "-q")

    assert (outcome.code, outcome.out.split()) == (1, [first, second])
    assert outcome.err == f"gigq: job {over} is cancelled; only a pending job can be rescheduled\n"


def test_a_pending_job_is_rescheduled(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "functions.nothing"))

    outcome = run("reschedule", job_id[:-1], "--run-at", "2099-01-31T09:00Z", "--priority", "high", "--queue", "red")

    assert outcome.out == f"Job {job_id} rescheduled.\n"
    job = queue.get_status(job_id)
    assert (job["run_at"], job["priority"], job["queue"]) == ("2099-01-31T09:00:00.000000Z", 100, "red")


def test_reschedule_delays_a_job(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "functions.nothing"))

    assert run("reschedule", job_id, "--delay", "2h", "--json").json == {"id": job_id, "rescheduled": True}
    assert queue.get_status(job_id)["phase"] == "scheduled"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "nothing to change; give --run-at, --delay, --priority or --queue"),
        (["--run-at", "tomorrow"], 1, "--run-at is 'tomorrow'; it must be ISO-8601 text"),
        (["--run-at", "2099-01-01", "--delay", "5"], 1, "--run-at and --delay were both given; give one"),
        (["--queue", ""], 1, "--queue must not be empty"),
    ],
)
def test_a_bad_change_is_one_line_of_error(
    run: Run, queue: JobQueue, words: list[str], code: int, message: str
) -> None:
    job_id = queue.submit(Job("job", "functions.nothing"))

    outcome = run("reschedule", job_id, *words)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (code, "", 1)
    assert message in outcome.err


def test_a_finished_job_cannot_be_rescheduled(run: Run, queue: JobQueue) -> None:
    job_id = queue.submit(Job("job", "functions.nothing"))
    drain(queue)

    outcome = run("reschedule", job_id, "--delay", "5")

    assert outcome.code == 1
    assert outcome.err == f"gigq: job {job_id} is completed; only a pending job can be rescheduled\n"


@pytest.mark.parametrize("command", ["cancel", "requeue", "delete"])
def test_a_search_for_nothing_chooses_no_jobs(run: Callable[..., Any], queue: JobQueue, command: str) -> None:
    outcome = run(command, "--search", "")
    assert (outcome.code, outcome.err) == (2, "gigq: give IDs, or filters such as --queue NAME; or --all\n")
