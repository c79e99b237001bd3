"""The rows of steps: written by the owner of the job alone, kept by a requeue, forgotten where that is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from store.verbs import File, remember

from gigq import JobNotFound, JobQueue, LeaseLost
from gigq.queue.pruning import Pruning, prune
from gigq.status import ExecutionStatus


def failed(file: File, *names: str) -> str:
    """A job that has remembered these steps, and then failed."""
    job_id = file.submit()
    (claim,) = file.claim()
    remember(file, claim, *names)
    file.settle(claim, ExecutionStatus.FAILED, error="no", is_final=True, cursor="7")
    return job_id


def names_of(queue: JobQueue, job_id: str) -> list[str]:
    return [step.name for step in queue.steps(job_id)]


def test_a_step_is_shown_with_its_attempt_and_how_long_it_took(file: File) -> None:
    job_id = file.submit()
    (claim,) = file.claim()
    remember(file, claim, "fetch", result='{"a":[1]}', seconds=2.5)
    (step,) = file.queue.steps(job_id)

    assert (step.job_id, step.name, step.occurrence, step.depth, step.kind) == (job_id, "fetch", 1, 0, "step")
    assert (step.arguments, step.result, step.attempt, step.duration) == ('["a.html"]', {"a": [1]}, 1, 2.5)
    assert step.execution_id == claim.execution_id
    assert step.as_dict() == {
        "job_id": job_id, "name": "fetch", "occurrence": 1, "depth": 0, "kind": "step", "arguments": '["a.html"]',
        "result": {"a": [1]}, "execution_id": claim.execution_id, "attempt": 1,
        "started_at": "2026-01-01T00:00:00.000000Z", "completed_at": "2026-01-01T00:00:02.500000Z",
    }  # fmt: skip


def test_a_job_without_steps_has_none_and_no_job_is_an_error(file: File) -> None:
    assert file.queue.steps(file.submit()) == []
    with pytest.raises(JobNotFound):
        file.queue.steps("nobody")


@pytest.mark.parametrize("end", ["cancelled", "settled", "deleted"])
def test_only_the_owner_of_a_job_remembers_its_steps(file: File, end: str) -> None:
    job_id = file.submit()
    (claim,) = file.claim()
    if end == "cancelled":
        file.queue.cancel(job_id, running=True)
    else:
        file.settle(claim, ExecutionStatus.COMPLETED)
    if end == "deleted":
        file.queue.delete_job(job_id)
    with pytest.raises(LeaseLost, match="nothing was written"):
        remember(file, claim, "late")
    assert file.value("SELECT count(*) FROM job_steps") == 0


def test_a_requeue_keeps_what_was_remembered(file: File) -> None:
    job_id = failed(file, "a", "b")

    assert file.queue.requeue_job(job_id)

    assert names_of(file.queue, job_id) == ["a", "b"]
    assert (file.job(job_id).cursor, file.value("SELECT generation FROM jobs")) == (7, 0)


def test_a_restart_forgets_the_steps_and_the_cursor_and_counts_the_generation(file: File) -> None:
    other = failed(file, "a")
    job_id = failed(file, "a", "b")

    assert file.queue.requeue_job(job_id, restart=True)

    assert (names_of(file.queue, job_id), file.job(job_id).cursor) == ([], None)
    assert file.value("SELECT generation FROM jobs WHERE id = ?", job_id) == 1
    assert (names_of(file.queue, other), file.job(other).cursor) == (["a"], 7)


@pytest.mark.parametrize(
    ("steps", "from_step", "left"),
    [
        (["a", "b", "c"], "b", ["a"]),
        (["a", "b", "a", "c"], "a", []),
        (["a", "b", "c"], "c", ["a", "b"]),
        (["a", "b/x", "b/y", "b", "c"], "b", ["a"]),  # what is inside it was completed before it
        (["a", "b/x", "b/y", "b", "c"], "b/y", ["a", "b/x"]),
        (["a", "b/x"], "b", ["a"]),  # it has not been completed
        (["a", "b/x", "b", "b[2]/x", "b"], "b", ["a"]),
        (["ba", "b"], "b", ["ba"]),
        (["b[1]/x", "b[1]", "b", "c"], "b", ["b[1]/x", "b[1]"]),  # a name of its own
        (["b.x", "bx/y", "b"], "b", ["b.x", "bx/y"]),
    ],
)
def test_a_requeue_from_a_step_forgets_it_and_what_was_completed_after_it(
    file: File, steps: list[str], from_step: str, left: list[str]
) -> None:
    other, job_id, newer = failed(file, *steps), failed(file, *steps), failed(file, *steps)

    assert file.queue.requeue_job(job_id, from_step=from_step)

    assert names_of(file.queue, job_id) == left
    assert names_of(file.queue, other) == names_of(file.queue, newer) == steps
    assert file.job(job_id).cursor == 7


def test_a_name_with_a_slash_of_its_own_is_not_inside_another_step(file: File) -> None:
    job_id = file.submit()
    (claim,) = file.claim()
    remember(file, claim, "b/own")
    with file.write() as tx:
        tx.execute("UPDATE job_steps SET depth = 0")
    remember(file, claim, "a", "b")
    file.settle(claim, ExecutionStatus.FAILED, error="no", is_final=True)

    assert file.queue.requeue_job(job_id, from_step="b")

    assert names_of(file.queue, job_id) == ["b/own", "a"]


def test_an_unknown_step_is_refused_with_the_names_that_there_are(file: File) -> None:
    job_id, empty = failed(file, *(f"step {number}" for number in range(12)), "step 0"), failed(file)

    with pytest.raises(ValueError, match=f"^job {empty} has no step 'x'; it has none at all$"):
        file.queue.requeue_job(empty, from_step="x")
    listed = "its steps are 'step 0', .*'step 9' and 2 more"
    with pytest.raises(ValueError, match=f"^job {job_id} has no step 'x'; {listed}$"):
        file.queue.requeue_job(job_id, from_step="x")

    assert len(names_of(file.queue, job_id)) == 13
    assert file.job(job_id).status == "failed"


@pytest.mark.parametrize("options", [{"restart": True, "from_step": "a"}, {"from_step": ""}, {"from_step": 7}])
def test_options_that_make_no_sense_are_refused(file: File, options: dict[str, Any]) -> None:
    job_id = failed(file, "a")
    with pytest.raises(ValueError, match="from_step"):
        file.queue.requeue_job(job_id, **options)
    assert (names_of(file.queue, job_id), file.job(job_id).status) == (["a"], "failed")


@pytest.mark.parametrize("options", [{"restart": True}, {"from_step": "a"}])
def test_what_is_not_requeued_forgets_nothing(file: File, options: dict[str, Any]) -> None:
    job_id = file.submit()
    (claim,) = file.claim()
    remember(file, claim, "a")
    assert not file.queue.requeue_job(job_id, **options)  # running
    file.settle(claim, ExecutionStatus.FAILED, error="no")
    assert not file.queue.requeue_job(job_id, **options)  # pending: it is tried again, and goes on
    (claim,) = file.claim()
    file.settle(claim, ExecutionStatus.COMPLETED)
    assert not file.queue.requeue_job(job_id, **options)
    assert names_of(file.queue, job_id) == ["a"]
    assert not file.queue.requeue_job("nobody", **options)


@pytest.mark.parametrize("act", ["delete_job", "prune", "clear_completed", "delete_jobs"])
def test_steps_go_with_their_job(file: File, act: str) -> None:
    job_id = file.submit("gone")
    (claim,) = file.claim()
    remember(file, claim, "a", "b")
    file.settle(claim, ExecutionStatus.COMPLETED)
    kept = failed(file, "c")
    if act == "delete_job":
        file.queue.delete_job(job_id)
    elif act == "delete_jobs":
        file.queue.delete_jobs(name="gone")
    else:
        getattr(file.queue, act)()
    assert file.value("SELECT count(*) FROM job_steps") == 1
    assert names_of(file.queue, kept) == ["c"]


def test_jobs_with_many_steps_are_pruned_in_portions_each_job_with_all_of_its_steps(file: File) -> None:
    for number, steps in enumerate([6_000, 6_000, 10, 12_000, 3]):
        job_id = file.submit(f"job {number}")
        (claim,) = file.claim()
        with file.write() as tx:
            tx.executemany(
                """
                INSERT INTO job_steps (job_seq, name, occurrence, kind, result, execution_id, started_at, completed_at)
                SELECT seq, ?, 1, 'step', '7', ?, created_at, created_at FROM jobs WHERE id = ?
                """,
                [(f"step {each}", claim.execution_id, job_id) for each in range(steps)],
            )
        file.settle(claim, ExecutionStatus.COMPLETED)
        file.clock.advance(1)

    left = []
    for deleted in prune(file.queue.database, Pruning.of("completed", now=file.clock.now())):
        left.append((deleted, file.value("SELECT count(*) FROM job_steps")))

    assert [each for each in left if each[0]] == [(1, 18_013), (2, 12_003), (1, 3), (1, 0)]


@pytest.mark.unsound("steps of a job that is gone")
def test_a_repair_deletes_the_steps_of_jobs_that_are_gone(file: File) -> None:
    failed(file, "a", "b")
    kept = failed(file, "c")
    with file.write() as tx:
        connection = tx.connection
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("DELETE FROM jobs WHERE seq = 1")
    connection.execute("DELETE FROM executions WHERE job_seq = 1")
    connection.execute("PRAGMA foreign_keys = ON")

    assert file.queue.check() == ["2 rows of job_steps refer to jobs that are gone"]
    assert file.queue.repair() == ["Deleted 2 steps of jobs that are gone"]
    assert (file.queue.check(), names_of(file.queue, kept)) == ([], ["c"])


@pytest.mark.unsound("a step of an execution of another job")
def test_a_step_of_another_jobs_execution_is_a_problem(file: File) -> None:
    failed(file, "a")
    failed(file, "b")
    with file.write() as tx:
        tx.execute("UPDATE job_steps SET execution_id = 2 WHERE name = 'a'")
    assert file.queue.check() == ["1 step was completed by an execution of another job: a"]


def test_the_same_step_is_remembered_once(file: File) -> None:
    file.submit()
    (claim,) = file.claim()
    remember(file, claim, "a")
    with pytest.raises(Exception, match="UNIQUE constraint failed"):
        remember(file, claim, "a")
    file.settle(claim, ExecutionStatus.COMPLETED)
