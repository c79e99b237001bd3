"""The steps of jobs: remembered once, and found again when a job's function begins anew."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from gigq.steps import Step, StepRecord
from gigq.store.engine.transaction import Transaction
from gigq.store.rows import step_record

_SHOWN = 10
"""How many names of steps a message shows."""


def remember(tx: Transaction, job: int, execution_id: int, step: Step) -> None:
    """Write a step of a job whose execution is still open, as `fencing.must_own` sees to."""
    tx.execute(
        """
        INSERT INTO job_steps
               (job_seq, execution_id, name, occurrence, depth, kind, fingerprint, arguments, result, started_at,
                completed_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (job, execution_id, *step, tx.stamp),
    )


def count(tx: Transaction, job: int) -> int:
    """Return how many steps of a job are remembered."""
    return int(tx.value("SELECT count(*) FROM job_steps WHERE job_seq = ?", (job,)))


def steps_of(tx: Transaction, job_id: str) -> list[StepRecord]:
    """Return the steps of a job that are remembered, in the order in which they were completed."""
    rows = tx.rows(
        """
        SELECT job_steps.*, executions.attempt
          FROM job_steps
          LEFT JOIN executions ON executions.id = job_steps.execution_id
         WHERE job_steps.job_seq = (SELECT seq FROM jobs WHERE id = :job)
         ORDER BY job_steps.seq
        """,
        {"job": job_id},
    )
    return [step_record(row, job_id=job_id) for row in rows]


def forget(tx: Transaction, job: int) -> None:
    """Forget all steps of a job, and its cursor, and count its generation up: it begins from scratch."""
    tx.execute("DELETE FROM job_steps WHERE job_seq = ?", (job,))
    tx.execute("UPDATE jobs SET cursor = NULL, generation = generation + 1 WHERE seq = ?", (job,))


def forget_from(tx: Transaction, job: int, job_id: str, name: str) -> None:
    """Forget the steps of a job that were completed from the first of this name on, those inside it included.

    Raises:
        ValueError: no step of this name is remembered, nor one inside it.
    """
    steps = tx.execute("SELECT seq, name, depth FROM job_steps WHERE job_seq = ? ORDER BY seq", (job,)).fetchall()
    # A step is completed after those inside it, and these would be remembered while it is done again.
    names = {each for _, each, _ in steps}
    first = next((seq for seq, each, depth in steps if each == name or _is_inside(each, depth, name, names)), None)
    if first is None:
        raise ValueError(_unknown(job_id, name, [each for _, each, _ in steps]))
    tx.execute("DELETE FROM job_steps WHERE job_seq = ? AND seq >= ?", (job, first))


def _is_inside(step: str, depth: int, name: str, names: Collection[str]) -> bool:
    """Whether a step is inside one of this name. A name may have slashes and brackets of its own."""
    found = re.match(rf"{re.escape(name)}(\[\d+\])?/", step)
    outer = found and found[0].removesuffix("/")
    return depth > 0 and outer is not None and (outer == name or outer not in names)


def _unknown(job_id: str, name: str, names: Sequence[str]) -> str:
    if not names:
        return f"job {job_id} has no step {name!r}; it has none at all"
    distinct = [*dict.fromkeys(names)]
    shown = ", ".join(repr(each) for each in distinct[:_SHOWN])
    more = f" and {len(distinct) - _SHOWN:,} more" if len(distinct) > _SHOWN else ""
    return f"job {job_id} has no step {name!r}; its steps are {shown}{more}"
