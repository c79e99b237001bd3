"""A step of a running job: call its function, and remember the result; when the job begins anew, return that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gigq import checks
from gigq.codec import RESULT_LIMIT, decode, encode
from gigq.errors import NotSerializable
from gigq.runtime.remembering import made, must_be_callable, recalled, value_of, written
from gigq.runtime.run import Run
from gigq.runtime.transactions import refuse_inside


def step(run: Run, name: str, function: Callable[..., Any], args: Sequence[Any], params: Mapping[str, Any]) -> Any:
    """Return what is remembered of a step, or call its function and remember what it returns.

    Raises:
        LeaseLost: the job was taken from its worker. The result is not remembered.
        RuntimeError: it is called inside a transaction of the job.
        NotSerializable: JSON cannot hold the result. The function has been called.
        StepChanged: it is remembered for other arguments.
        TypeError: the function cannot be called as a step is.
    """
    must_be_callable(name, function)
    refuse_inside(run, f"step({name!r:.80}, …)")
    call = run.names.reach(name, args, params)
    found = recalled(run, call)
    if found is not None:
        return value_of(run, call, found.result)
    started_at = run.now()
    with run.names.trying(call):
        with run.names.inside(call):
            value = function(*args, **params)
        result = written(run.written, value, what_became=f"{call.title} has run, and is not remembered")
        run.store.remember(made(call, "step", result, started_at))
    return decode(result)


def detached(name: str, function: Callable[..., Any], args: Sequence[Any], params: Mapping[str, Any]) -> Any:
    """Call a step's function outside a job, where nothing is remembered. JSON gives its result back, if it can."""
    must_be_callable(checks.text(name, "the name of a step"), function)
    value = function(*args, **params)
    try:
        return decode(encode(value, name="result", limit=RESULT_LIMIT))
    except NotSerializable:  # a worker may know how to convert it
        return value
