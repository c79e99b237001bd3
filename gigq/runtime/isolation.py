"""Keep apart what jobs bind in context variables: no job sees what another one has bound, nor does its caller."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import Any

from gigq.paths import Function


class Isolation:
    """The context variables of the jobs of one worker. Safe to use from many threads.

    A job begins with a copy of those of the thread that calls it, and with what the modules of functions have bound
    while they were imported: otherwise only the job that happens to import a module would see that.
    """

    __slots__ = ("_bound_by_modules",)

    def __init__(self) -> None:
        self._bound_by_modules: dict[ContextVar[Any], Any] = {}

    def find(self, find: Callable[[str], Function], name: str) -> Function:
        """Find a function, and remember what its module has bound. Call it in the context of a job."""
        context = copy_context()
        own = context.run(_own_decimal_context)
        shown = repr(own)
        try:
            return context.run(find, name)
        finally:
            before = copy_context()
            is_unchanged = repr(own) == shown
            for variable, value in context.items():
                if value is not before.get(variable) and not (value is own and is_unchanged):
                    self._bound_by_modules[variable] = value

    def prepare(self) -> None:
        """Bind in the current context, which must be a copy, what a job begins with."""
        for variable, value in list(self._bound_by_modules.items()):
            variable.set(value)
        _own_decimal_context()


def _own_decimal_context() -> object:
    """Replace the decimal context of the current context, which a copy shares, by one of its own, and return it."""
    decimal = sys.modules.get("decimal")
    if not hasattr(decimal, "setcontext"):  # not imported, or not yet
        return None
    own = decimal.getcontext().copy()  # type: ignore[union-attr]
    decimal.setcontext(own)  # type: ignore[union-attr]
    return own
