"""Claims that were never in a queue, and calls of functions for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gigq import ManualClock
from gigq.claims import Claim
from gigq.codec import RESULT_LIMIT
from gigq.reports import Report
from gigq.runtime.call import caller
from gigq.runtime.functions import Functions


def claim(**fields: Any) -> Claim:
    given = {
        "execution_id": 1, "is_ahead": False, "job_seq": 1, "job_id": "id", "name": "job", "queue": "default",
        "function": "f", "args": "[]", "params": "{}", "attempt": 1, "max_attempts": 3, "timeout": 300.0,
        "retry_on": "[]", "no_retry_on": "[]", "pass_parent_results": False, "metadata": "{}",
    }  # fmt: skip
    return Claim(**{**given, **fields})


def report_of(function: Callable[..., object] | str, result_limit: int = RESULT_LIMIT, **fields: Any) -> Report:
    """Call a function as a worker does, and return the report."""
    functions = Functions(handlers={} if isinstance(function, str) else {"f": function})
    name = function if isinstance(function, str) else "f"
    return caller(functions, clock=ManualClock(), result_limit=result_limit)(claim(function=name, **fields))


def raising(error: BaseException) -> Callable[[], None]:
    def function() -> None:
        raise error

    return function
