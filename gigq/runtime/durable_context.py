"""What a running job does that outlives its process, as its function asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from gigq.claims import Claim
from gigq.clock import Duration
from gigq.lazy import LazyModule
from gigq.runtime.call_state import CallState
from gigq.runtime.durable import Tools
from gigq.runtime.output import Output

if TYPE_CHECKING:
    from gigq.job_ids import JobId
    from gigq.runtime import run, steps, transactions
    from gigq.runtime.durable import AnyJob
    from gigq.runtime.run import Run
else:  # most jobs ask for nothing that outlives their process
    run = LazyModule("gigq.runtime.run")
    steps = LazyModule("gigq.runtime.steps")
    transactions = LazyModule("gigq.runtime.transactions")

P = ParamSpec("P")
T = TypeVar("T")


class DurableContext:
    """The part of `JobContext` that needs the file of the queue: outside a job all but `step` raise `RuntimeError`."""

    __slots__ = ("_claim", "_output", "_started_at", "_state", "_tools")

    def __init__(
        self, claim: Claim, started_at: str, state: CallState | None, output: Output, tools: Tools | None = None
    ) -> None:
        self._claim = claim
        self._started_at = started_at
        self._state = state
        self._output = output
        self._tools = tools

    def step(self, name: str, function: Callable[P, T], /, *args: P.args, **params: P.kwargs) -> T:
        """Call ``function(*args, **params)``, remember its result in the file, and return that.

        When the job is tried again, its function begins from its top, and the step's is not called any more: its
        result is returned from the file. Only what is not in a step is done again. A process that dies after the
        function's return and before the commit leaves nothing remembered, so a step runs at least once: pass a key such
        as ``f"{job.id}:charge"`` to a service that can tell two equal requests. For what is in the queue's own file,
        `transact` does better.

        A step whose function raises is not remembered, and may be called again: a call that repeats, with the same
        arguments, the one that has failed right before it counts as the same.

        Args:
            name: what it is remembered by; text of up to 500 characters. The calls of one name are told apart by their
                order, and their arguments are compared: in a loop name each item, as in ``f"fetch {url}"``. A step that
                is called inside another one is remembered as ``outer/inner``. In threads of the job, with its context
                copied, each step needs a name of its own.
            function: called with these arguments: a lambda or a method too, but nothing async and no generator. What it
                returns must be JSON, and is returned as it comes back from that: a tuple as a list.

        Raises:
            StepChanged: it is remembered for other arguments. That fails the job for good.
            NotSerializable: JSON cannot hold the result, or it is larger than the worker's ``result_limit``. The
                function has run, and the job fails for good.
            LeaseLost: the job was taken from its worker. The result is not remembered.
            QueueBusy, QueueGone, StoreError: likewise.
            RuntimeError: inside a transaction of the job, or with a name that another thread has used.
            ValueError, TypeError: an invalid name, or a function that cannot be called so.

        Example:
            >>> from gigq import Job, JobQueue, current_job
            >>> from gigq.testing import drain
            >>> def charge(key: str) -> str:
            ...     print("charged", key)
            ...     return "receipt 7"
            >>> def order() -> str:
            ...     job = current_job()
            ...     receipt = job.step("charge", charge, "order-1:charge")
            ...     if job.attempt == 1:
            ...         raise ConnectionError("the mail server is down")
            ...     return f"{receipt} was mailed"
            >>> with JobQueue(":memory:") as queue:
            ...     job_id = queue.enqueue("order")
            ...     executions = drain(queue, handlers={"order": order})
            ...     print(queue.result(job_id))
            charged order-1:charge
            receipt 7 was mailed
        """
        found: T
        if self._tools is None:
            found = steps.detached(name, function, args, params)
        else:
            found = steps.step(self._run(f"step({name!r:.80}, …)"), name, function, args, params)
        return found

    def transact(self, name: str, function: Callable[..., T], /, *args: Any, **params: Any) -> T:
        """Call ``function(db, *args, **params)`` in a transaction on the queue's file, once, and return its result.

        The result is written in the same commit as what the function writes. So when the job is tried again, or goes on
        in another process, the function is not called any more, and its result is returned from the file: whatever
        kills the process, the effect is there with its result, or neither is.

        `db` is a `sqlite3.Connection` of the job's own, on which the function may do everything but end the
        transaction. ``commit()`` does nothing, ``with db:`` is a savepoint, foreign keys are enforced. In that thread
        the verbs of every queue on the file take part: a job that the function submits exists if its effect does.

        Nobody else can write to the file meanwhile, so do nothing slow in it. After 10 seconds, or when the job is
        stopped, the transaction is taken back and rolled back, and the next use of `db` raises.

        Args:
            name: what it is remembered by. Calls of the same name in one run are told apart by their order.
            function: called with a connection and these arguments. What it returns must be JSON, and is returned as it
                comes back from that.

        Raises:
            LeaseLost: the job was taken from its worker; nothing was written.
            StepChanged: it was remembered for other arguments.
            TransactionTimeout: the function has used `db` for too long.
            RuntimeError: outside a job, or inside another transaction of it.

        Example:
            >>> from sqlite3 import Connection
            >>> from gigq import JobQueue, current_job
            >>> from gigq.testing import drain
            >>> def add(db: Connection, amount: int) -> int:
            ...     db.execute("CREATE TABLE IF NOT EXISTS account (balance INTEGER)")
            ...     return db.execute("INSERT INTO account VALUES (?)", [amount]).rowcount
            >>> def pay_in(amount: int) -> int:
            ...     return current_job().transact("add", add, amount)
            >>> with JobQueue(":memory:") as queue:
            ...     job_id = queue.enqueue("pay_in", 100)
            ...     executions = drain(queue, handlers={"pay_in": pay_in})
            ...     queue.result(job_id)
            1
        """
        result: T = transactions.transact(self._run(f"transact({name!r:.80}, …)"), name, function, args, params)
        return result

    def transaction(self, *, limit: Duration = 10.0) -> AbstractContextManager[Any]:
        """Lend a connection to the queue's file to a block, as the job's last act.

        What the block writes, the job's completion and its result are one commit, when the function returns: whatever
        kills the process, all of it is there or nothing, and the job is tried again. `db` is as for `transact`.

        After the block the function can still compute its result, but write nothing more. If the block raises, it is
        rolled back, and if the function handles that, it goes on like any other.

        Args:
            limit: seconds from the beginning of the block to the return of the function, in which nobody else can write
                to the file. Then it is taken back and rolled back, and the job fails with `TransactionTimeout`.

        Raises:
            LeaseLost: the job was taken from its worker; the block is not entered.
            TransactionTimeout: when `db` is used, or the block or the function is left, after the limit.
            RuntimeError: outside a job, inside another transaction of it, after its block, or in another thread.

        Example:
            >>> from gigq import JobQueue, current_job
            >>> from gigq.testing import drain
            >>> def pay_in(amount: int) -> str:
            ...     with current_job().transaction() as db:
            ...         db.execute("CREATE TABLE IF NOT EXISTS account (balance INTEGER)")
            ...         db.execute("INSERT INTO account VALUES (?)", [amount])
            ...     return f"{amount} paid in"
            >>> with JobQueue(":memory:") as queue:
            ...     job_id = queue.enqueue("pay_in", 100)
            ...     executions = drain(queue, handlers={"pay_in": pay_in})
            ...     queue.result(job_id)
            '100 paid in'
        """
        return transactions.transaction(self._run("transaction()"), limit)

    def submit(self, job: AnyJob, *, detached: bool = False) -> JobId:
        """Submit a job that this one has found, and return its id. An attempt that finds it again stores nothing.

        What depends on this job depends on the new one too, and on what that one submits. If this job is one of a
        workflow, so is the new one.

        It is known by its function, its arguments and its parents, and of equal ones by their number in this attempt;
        name, queue and other options do not count. An `id` of its own is kept instead, and a `unique_key` also counts,
        both as for `JobQueue.submit`.

        One write transaction, and in a loop one for each: `submit_many` takes many at once.

        Args:
            job: as for `JobQueue.submit`. It may depend on others that this job has submitted, by their ids or as jobs.
            detached: nothing waits for the new job, and it is in no workflow.

        Raises:
            RuntimeError: no job is running here; use `JobQueue.submit`.
            LeaseLost: this job was taken from its worker; nothing was stored.
            CyclicWorkflow: the new job depends on one that would depend on it; nothing was stored.
            InvalidJob, StoreError: as `JobQueue.submit`; nothing was stored.

        Example:
            >>> from gigq import Job, JobQueue, current_job
            >>> from gigq.testing import drain
            >>> def crawl(pages: list[str]) -> None:
            ...     for page in pages:
            ...         current_job().submit(Job(f"size of {page}", "size", {"page": page}))
            >>> def size(page: str) -> int:
            ...     return len(page)
            >>> def report(parent_results: dict[str, object]) -> list[object]:
            ...     return list(parent_results.values())
            >>> with JobQueue(":memory:") as queue:
            ...     first = queue.submit(Job("crawl", "crawl", {"pages": ["a", "bcd"]}))
            ...     last = queue.submit(Job("report", "report", dependencies=first))
            ...     executions = drain(queue, handlers={"crawl": crawl, "size": size, "report": report})
            ...     queue.result(last)
            [None, 1, 3]
        """
        run = self._run("current_job().submit()")
        return run.store.submit(job, default=run.default, place=run.names.place, is_detached=bool(detached))

    def submit_many(self, jobs: Iterable[AnyJob], *, detached: bool = False) -> list[JobId]:
        """Submit several jobs that this one has found, parents before their children: all of them or none.

        As `submit`, in one write transaction.
        """
        run = self._run("current_job().submit_many()")
        return run.store.submit_many(jobs, default=run.default, place=run.names.place, is_detached=bool(detached))

    def _run(self, wanted: str) -> Run:
        """Return what connects the execution to the file of its queue.

        Args:
            wanted: what was asked for, as an error's message calls it.

        Raises:
            RuntimeError: no job is running here, or its function has ended.
        """
        return run.run_of(self._claim, self._tools, self._state, self._output, wanted=wanted)
