"""Modules that are imported when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gigq.importing import IMPORTING


class LazyModule:
    """Stands for a module in the one that uses it, until an attribute of it is needed.

    For a module whose functions use many others, and each caller needs few of these functions: a program that only
    looks at a queue loads nothing that claims, settles or runs jobs. Type checkers are shown the real import::

        if TYPE_CHECKING:
            from gigq.store import claiming
        else:
            claiming = LazyModule("gigq.store.claiming")
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        with IMPORTING:
            found = getattr(import_module(self._name), attribute)
        setattr(self, attribute, found)  # the next use finds it without coming here
        return found
