"""What is remembered of a step: looked up, compared and read when a job begins anew, and made when it has run."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from types import FunctionType
from typing import Any

from gigq import checks
from gigq.codec import decode
from gigq.errors import NotSerializable, StoreError
from gigq.logs import logger, say
from gigq.runtime.run import Run
from gigq.runtime.step_names import StepCall
from gigq.steps import RememberedStep, Step, StepKind
from gigq.unfit import described

log = logger("worker")

_NOT_PLAIN = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE


def must_be_callable(name: str, function: object) -> None:
    """Refuse what a step cannot call, before that is called or a step of its name counted.

    Raises:
        TypeError: it is no function, async, or a generator.
    """
    if isinstance(function, FunctionType) and not function.__code__.co_flags & _NOT_PLAIN:
        return  # the usual case, in a tenth of the time
    if not callable(function):
        problem = f"{checks.shown(function)}, which is no function; give it the function and its arguments one by one"
    elif inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        problem = f"{described(function)}, which is async; give it lambda: asyncio.run({described(function)}(…))"
    elif inspect.isgeneratorfunction(function):
        problem = f"{described(function)}, which is a generator; give it lambda: list({described(function)}(…))"
    else:
        return
    raise TypeError(f"step {checks.shown(name)} was given {problem}")


def recalled(run: Run, call: StepCall) -> RememberedStep | None:
    """Return what is remembered of a step, if anything is.

    Raises:
        StepChanged: it is remembered for other arguments.
    """
    with run.names.trying(call):
        if call.is_repeated:
            run.store.recall_again()
        found = run.store.recall(call.name, call.occurrence)
    if found is not None:
        call.check_unchanged(depth=found.depth, fingerprint=found.fingerprint, arguments=found.arguments)
        if not run.has_begun_anew:
            run.has_begun_anew = True
            _tell(run)
    return found


def value_of(run: Run, call: StepCall, result: str) -> Any:
    """Return the result that is remembered of a step.

    Raises:
        StoreError: somebody has edited it in the file, and it is no JSON.
    """
    try:
        return decode(result)
    except (ValueError, TypeError, RecursionError):
        raise StoreError(
            f"the result of {call.title} of job {run.claim.job_id} is {checks.shown(result)}, which gigq never wrote; "
            f"mend it in the file, or forget it with requeue_job(id, from_step={call.name!r})"
        ) from None


def written(write: Callable[[object], str], value: object, *, what_became: str) -> str:
    """Return the result of a step as JSON.

    Args:
        what_became: of the step if that is refused, as the beginning of a sentence.

    Raises:
        NotSerializable: JSON cannot hold it. Another attempt would only call the function again, so it is final.
    """
    try:
        return write(value)
    except NotSerializable as error:
        final = NotSerializable(f"{what_became}: its {error}")
        final.is_final = True
        raise final from error.__cause__


def made(call: StepCall, kind: StepKind, result: str, started_at: str) -> Step:
    """Return a step that is to be remembered."""
    return Step(
        name=call.name, occurrence=call.occurrence, depth=call.depth, kind=kind, fingerprint=call.fingerprint,
        arguments=call.arguments, result=result, started_at=started_at,
    )  # fmt: skip


def _tell(run: Run) -> None:
    claim = run.claim
    if log.isEnabledFor(logging.INFO):
        number = run.store.count_steps()
        remembered = "1 step is remembered" if number == 1 else f"{number:,} steps are remembered"
        say(log, logging.INFO, "job %s (%s) begins anew, %s", claim.job_id, claim.name, remembered,
            job_id=claim.job_id, job_name=claim.name, attempt=claim.attempt)  # fmt: skip
