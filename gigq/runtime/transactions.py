"""The transactions of a running job: steps whose writes happen once, and its last act."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from gigq import checks
from gigq.clock import Duration, to_seconds
from gigq.codec import decode
from gigq.runtime.remembering import made, must_be_callable, recalled, value_of, written
from gigq.runtime.run import Run
from gigq.steps import Step

LIMIT = 10.0
"""Seconds for which a job may keep all others from writing. Less than the lease of a worker, which may be waiting to
renew it, and than the timeout of those who submit."""

_LONGEST = 3600.0


def transact(run: Run, name: str, function: Callable[..., Any], args: Sequence[Any], params: Mapping[str, Any]) -> Any:
    """Call a function with a connection in a write transaction, or return what is remembered of that.

    Raises:
        LeaseLost: the job was taken from its worker. Nothing is written.
        RuntimeError: it is called inside another transaction of the job.
    """
    must_be_callable(name, function)
    store = run.store
    refuse_inside(run, f"transact({name!r:.80}, …)")
    call = run.names.reach(name, args, params)
    found = recalled(run, call)
    if found is not None:
        return value_of(run, call, found.result)
    started_at = run.now()

    def act(connection: Any) -> Step:
        with run.names.inside(call), _inside(run):
            value = function(connection, *args, **params)
        result = written(run.written, value, what_became=f"{call.title} is rolled back")
        return made(call, "transaction", result, started_at)

    with run.names.trying(call):
        return decode(store.transact(act, run.terms(LIMIT)).result)


@contextmanager
def transaction(run: Run, limit: Duration) -> Iterator[Any]:
    """Lend a connection in a write transaction to the block, which is committed with the job's completion.

    Raises:
        LeaseLost: the job was taken from its worker. The block is not entered.
        RuntimeError: it is called inside another transaction of the job, or in another thread than the function.
    """
    seconds = checks.between(to_seconds(limit, "limit"), "limit", least=0.001, most=_LONGEST)
    store = run.store
    refuse_inside(run, "transaction()")
    if run.thread != threading.get_ident():
        raise RuntimeError("transaction() is called in another thread than the job's function, which would commit it")
    with run.last_act(), store.last_act(run.terms(seconds)) as connection:
        yield connection


_INSIDE: ContextVar[Run | None] = ContextVar("gigq_transact", default=None)
"""The run that is inside a transaction in this context, and in those that are copied from it."""


@contextmanager
def _inside(run: Run) -> Iterator[None]:
    token = _INSIDE.set(run)
    try:
        yield
    finally:
        _INSIDE.reset(token)


def refuse_inside(run: Run, wanted: str) -> None:
    """Refuse what would wait for the lock that the job itself has."""
    if run.is_in_last_act or _INSIDE.get() is run:
        raise RuntimeError(f"{wanted} is called inside a transaction of its job; use the connection of that one")
