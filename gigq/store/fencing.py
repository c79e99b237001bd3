"""The right of a running job to write: its own execution is still open."""

from __future__ import annotations

from gigq.claims import Claim
from gigq.errors import LeaseLost
from gigq.store.engine.transaction import Transaction
from gigq.store.tables import OPEN


def must_own(tx: Transaction, claim: Claim) -> None:
    """Refuse to go on unless this execution of the job is still open. Nobody can end it before the transaction does.

    Raises:
        LeaseLost: it has ended, perhaps because its worker was considered dead, or this is another file.
    """
    is_open = tx.value(
        f"""
        SELECT 1
          FROM executions JOIN jobs ON jobs.seq = executions.job_seq
         WHERE executions.id = :execution AND executions.{OPEN}
           AND jobs.id = :job
        """,
        {"execution": claim.execution_id, "job": claim.job_id},
    )
    if not is_open:
        raise LeaseLost(
            f"job {claim.job_id} was taken from this worker: its execution {claim.execution_id} has ended; "
            "nothing was written"
        )
