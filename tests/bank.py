"""Jobs that move money between accounts in the file of their queue. Workers import them as `bank`."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from typing import Any

from faults.sabotage import FAULTS, Saboteur

from gigq import Job, JobCancelled, JobQueue, LeaseLost, current_job

ACCOUNTS = "CREATE TABLE accounts (owner TEXT, number INTEGER, balance INTEGER NOT NULL, PRIMARY KEY (owner, number))"
MOVED = 7


def writes(sql: str) -> bool:
    """Whether a statement may leave something behind."""
    return sql.split()[0] not in ("open", "SELECT", "PRAGMA")


class Killer(Saboteur):
    """Kills its process right after the n-th statement that writes. It counts no others, nor what has to wait."""

    def before(self, connection: sqlite3.Connection | None, sql: str) -> None:
        """It does nothing before."""

    def after(self, sql: str) -> None:
        if writes(sql):
            self.statements.append(sql)
            if len(self.statements) == self._at:
                os.kill(os.getpid(), signal.SIGKILL)


def open_accounts(queue: JobQueue, count: int) -> None:
    with queue.database.write() as tx:
        tx.execute(ACCOUNTS)
        tx.executemany("INSERT INTO accounts VALUES ('ada', ?, 100)", [(number,) for number in range(count)])
        tx.executemany("INSERT INTO accounts VALUES ('bob', ?, 0)", [(number,) for number in range(count)])


def balances(queue: JobQueue) -> list[tuple[int, int]]:
    """What ada and bob have, by the number of their accounts."""
    with queue.database.read() as tx:
        found = tx.execute("SELECT owner, balance FROM accounts ORDER BY number, owner").fetchall()
    return [(ada, bob) for (_, ada), (_, bob) in zip(found[::2], found[1::2], strict=True)]


def steps(queue: JobQueue) -> dict[tuple[str, str], int]:
    """The attempt in which each step of each job was remembered."""
    with queue.database.read() as tx:
        found = tx.execute(
            """
            SELECT jobs.id, job_steps.name, executions.attempt
              FROM job_steps JOIN jobs ON jobs.seq = job_steps.job_seq
              JOIN executions ON executions.id = job_steps.execution_id
            """
        ).fetchall()
    return {(job_id, name): attempt for job_id, name, attempt in found}


def move(db: sqlite3.Connection, owner: str, number: int, amount: int) -> None:
    db.execute("UPDATE accounts SET balance = balance + ? WHERE owner = ? AND number = ?", (amount, owner, number))


def note(evidence: str, what: str) -> None:
    """Append to a file that this was done, in which attempt of which job."""
    job = current_job()
    with open(evidence, "a") as file:
        file.write(f"{job.id} {what} {job.attempt}\n")


saboteurs: list[Saboteur] = []
"""Those of the transfers in this process, each of which has seen all statements of its job once that has ended."""


def transfer(number: int, evidence: str, place: int = 0, how: str = "kill") -> str:
    """Move money with a step before and one between, and let the n-th statement of the first attempt go wrong."""
    job = current_job()
    saboteur = Killer() if how == "kill" else Saboteur()
    saboteurs.append(saboteur)
    if job.attempt == 1:
        saboteur.spoil(place, FAULTS.get(how))
    with saboteur.present():
        job.step("quote", note, evidence, "quote")
        job.transact("withdraw", move, "ada", number, -MOVED)
        job.step("tell", note, evidence, "tell")
        with job.transaction() as db:
            move(db, "bob", number, MOVED)
    return "moved"


def meet(gate: str, until: str) -> None:
    """Say in a FIFO that the job is here, and wait until the test lets it go."""
    here = os.open(gate, os.O_WRONLY)
    os.write(here, f"{os.getpid()}\n".encode())
    os.close(here)
    with open(until, "rb", buffering=0) as file:
        file.read(1)


VERBS: dict[str, Callable[[Any], object]] = {
    "step": lambda job: job.step("step", len, "abc"),
    "transact": lambda job: job.transact("withdraw", move, "ada", 0, -MOVED),
    "transaction": lambda job: move_at_last(job),
    "submit": lambda job: job.submit(Job("child", "functions:nothing")),
}


def move_at_last(job: Any) -> None:
    with job.transaction() as db:
        move(db, "bob", 0, MOVED)


def late(verb: str, evidence: str, gate: str, until: str) -> str:
    """In the first attempt, write when the test says so, and note how that went."""
    if current_job().attempt == 1:
        try:
            meet(gate, until)
            attempt(verb, evidence)
        except JobCancelled:  # its worker has noticed that the job was taken: it tries all the same
            attempt(verb, evidence)
            raise
    return verb


def attempt(verb: str, evidence: str) -> None:
    try:
        VERBS[verb](current_job())
        note(evidence, f"{verb}:done")
    except LeaseLost:
        note(evidence, f"{verb}:refused")


def hold_the_lock(gate: str, until: str, limit: float = 10.0) -> str:
    """Write in the last act, and go on when the test says so."""
    with current_job().transaction(limit=limit) as db:
        move(db, "bob", 0, MOVED)
        meet(gate, until)
        move(db, "ada", 0, -MOVED)
    return "moved"
