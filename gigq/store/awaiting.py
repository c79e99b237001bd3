"""The jobs that a program waits for: which of them have ended, and with which results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from gigq.codec import encode_texts
from gigq.store.engine.transaction import Transaction
from gigq.store.rows import result_value


class Ids:
    """Ids of jobs, written once for any number of looks.

    They are one value of a statement. Lists of question marks took twice as long for 10,000 ids.
    """

    def __init__(self, job_ids: Sequence[str]) -> None:
        self.all = job_ids
        self.text = encode_texts(job_ids)


def ended(tx: Transaction, ids: Ids) -> list[tuple[str, str | None]]:
    """Return those of these jobs that have ended, with their statuses; None for one that does not exist."""
    found = tx.execute(
        """
        SELECT wanted.key, jobs.status
          FROM json_each(:ids) AS wanted LEFT JOIN jobs ON jobs.id = wanted.value
         WHERE jobs.status IS NULL
            OR jobs.completed_at IS NOT NULL
        """,
        {"ids": ids.text},
    )
    return [(ids.all[place], status) for place, status in found]


def endings(tx: Transaction, ids: Ids) -> Iterable[tuple[str, str, str, str | None]]:
    """Return the id, the name, the status and the error of each of these jobs that exists."""
    return tx.quickly(
        """
        SELECT jobs.id, jobs.name, jobs.status, jobs.error
          FROM json_each(:ids) AS wanted CROSS JOIN jobs ON jobs.id = wanted.value
        """,
        {"ids": ids.text},
    )


def results(tx: Transaction, ids: Ids) -> Iterator[tuple[str, str, Any]]:
    """Yield the status and the result of each of these jobs that exists."""
    found = tx.quickly(
        """
        SELECT wanted.key, jobs.status, jobs.result
          FROM json_each(:ids) AS wanted CROSS JOIN jobs ON jobs.id = wanted.value
        """,
        {"ids": ids.text},
    )
    for place, status, result in found:
        job_id = ids.all[place]
        yield job_id, status, result_value(job_id, result)
