"""The file of a queue as a running job reads and writes it, in whatever process that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from gigq.checks import Default
from gigq.claims import Claim
from gigq.clock import SystemClock
from gigq.codec import PARAMS_LIMIT
from gigq.job_ids import JobId
from gigq.lazy import LazyModule
from gigq.reports import Report
from gigq.runtime.durable import JobStore, Opener, Terms
from gigq.steps import Place, RememberedStep, Step
from gigq.store import fencing, settling, steps
from gigq.store.engine.connections import Durability
from gigq.store.engine.database import Database
from gigq.store.engine.files import MEMORY
from gigq.store.engine.job_database import JobDatabase, Loan
from gigq.store.engine.joined import ALL, Spent, joined_by, taking_part
from gigq.store.engine.memory_loan import MemoryLoan
from gigq.store.engine.transaction import Transaction
from gigq.store.recalling import Recaller
from gigq.store.schema import reopened

if TYPE_CHECKING:
    from gigq.queue import finding, preparing
    from gigq.queue.finding import Finder
    from gigq.runtime.durable import AnyJob
else:  # few jobs submit others
    finding, preparing = map(LazyModule, ("gigq.queue.finding", "gigq.queue.preparing"))


def opener(database: Database) -> Opener:
    """Return what opens the file of this database for one execution after the other."""
    return partial(_Store, database)


def opened_at(claim: Claim, *, path: str, durability: Durability) -> JobStore:
    """Open a file for one execution in a child process, which knows only its path.

    Raises:
        NotAQueue: there is no such file any more.
    """
    return _Store(_database(path, durability), claim)


@cache
def _database(path: str, durability: Durability) -> Database:
    return reopened(path, durability=durability, clock=SystemClock())


class _Store:
    """As `JobStore`. Its connection is its own, for the function may change its settings."""

    def __init__(self, database: Database, claim: Claim) -> None:
        self._own = None if database.path == MEMORY else JobDatabase(database)
        self._database = self._own or database
        self._claim = claim
        self._recaller = Recaller(claim.job_seq)
        self._loans = set[Loan | MemoryLoan]()
        self._last: Loan | MemoryLoan | None = None
        self._waiting_for_commit = ExitStack()
        self._finder: Finder | None = None

    def recall(self, name: str, occurrence: int) -> RememberedStep | None:
        if ALL and joined_by(self._database) is not None:  # before its function is called
            raise RuntimeError(
                f"step {name!r} is called while this thread has a transaction open on {self._database.path!r}; a step "
                "is remembered by a commit of its own, so call it before or after that transaction"
            )
        return self._recaller.recall(self._database, name, occurrence)

    def recall_again(self) -> None:
        self._recaller.look_again()

    def count_steps(self) -> int:
        with self._database.read() as tx:
            return steps.count(tx, self._claim.job_seq)

    def remember(self, step: Step) -> None:
        with self._write() as tx:
            steps.remember(tx, self._claim.job_seq, self._claim.execution_id, step)

    def transact(self, call: Callable[[Any], Step], terms: Terms) -> Step:
        loan = self._lend(terms)
        try:
            with loan.lent() as connection:
                step = call(connection)
            loan.commit(lambda tx: steps.remember(tx, self._claim.job_seq, self._claim.execution_id, step))
            return step
        finally:
            self._end(loan)

    @contextmanager
    def last_act(self, terms: Terms) -> Iterator[Any]:
        loan = self._lend(terms)
        try:
            with loan.lent() as connection:
                yield connection
            self._last = loan
            self._waiting_for_commit.enter_context(taking_part(Spent(self._database, lambda: loan.is_open)))
        finally:
            if self._last is not loan:
                self._end(loan)

    def settle(self, report: Report) -> None:
        if self._last is not None:
            self._last.commit(lambda tx: settling.settle(tx, self._claim.execution_id, report))

    def hurry(self) -> None:
        for loan in list(self._loans):
            loan.hurry()

    def submit(self, job: AnyJob, *, default: Default | None, place: Place, is_detached: bool) -> JobId:
        return self.submit_many([preparing.job_of(job)], default=default, place=place, is_detached=is_detached)[0]

    def submit_many(
        self, jobs: Iterable[AnyJob], *, default: Default | None, place: Place, is_detached: bool
    ) -> list[JobId]:
        wanted = [
            (job.id, preparing.prepare(job, limit=PARAMS_LIMIT, default=default)) for job in preparing.jobs_of(jobs)
        ]
        if not wanted:
            return []
        with self._write() as tx:
            self._finder = self._finder or finding.Finder(self._claim.job_seq)
            return self._finder.submit(tx, wanted, place=place, is_detached=is_detached)

    def close(self) -> None:
        self._waiting_for_commit.close()
        if self._last is not None:
            self._end(self._last)
        if self._own is not None:
            self._own.close()

    def _lend(self, terms: Terms) -> Loan | MemoryLoan:
        """Begin a transaction that is to be lent, and see that the execution is still open.

        Raises:
            LeaseLost: it is not.
            RuntimeError: this thread has a transaction open on the file, for whose end it would wait in vain.
        """
        if ALL and joined_by(self._database) is not None:
            raise RuntimeError(
                f"this thread has a transaction open on {self._database.path!r}; begin that of the job after it"
            )

        def look(tx: Transaction) -> None:
            fencing.must_own(tx, self._claim)

        if self._own is None:
            loan: Loan | MemoryLoan = MemoryLoan(self._database, look)
        else:
            loan = self._own.lend(look, seconds=terms.seconds, refusal=terms.refusal)
        self._loans.add(loan)
        return loan

    def _end(self, loan: Loan | MemoryLoan) -> None:
        self._loans.discard(loan)
        loan.end()

    @contextmanager
    def _write(self) -> Iterator[Transaction]:
        """Take the write lock, and see that the execution is still open.

        Raises:
            LeaseLost: it is not.
        """
        with self._database.write() as tx:
            fencing.must_own(tx, self._claim)
            yield tx
