"""The import of a job's module, while which nothing may be submitted and no worker be started."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Imports:
    """The imports for jobs that are going on in this process.

    Attributes:
        include_threads: whether threads that a module starts while it is imported belong to its import. Only where one
            job runs at a time: otherwise they may be another job's.
    """

    def __init__(self) -> None:
        self.include_threads = False
        self._going_on: dict[int, tuple[str, frozenset[int | None]]] = {}

    @contextmanager
    def of(self, module: str) -> Iterator[None]:
        """Note that this thread imports a module for a job while the block runs."""
        thread = threading.get_ident()
        before = frozenset(each.ident for each in threading.enumerate())
        self._going_on[thread] = module, before
        try:
            yield
        finally:
            del self._going_on[thread]

    def refuse(self, act: str) -> None:
        """Raise if this is called by a module while it is imported.

        Args:
            act: what the module does, which every import of it would repeat.

        Raises:
            RuntimeError: it is.
        """
        thread = threading.get_ident()
        for importing, (module, before) in list(self._going_on.items()):
            if thread == importing or (self.include_threads and thread not in before):
                raise RuntimeError(_refusal(act, f"the module {module!r} was being imported for a job"))
        # A process that multiprocessing has spawned imports the script of its parent first, and forbids the same.
        process = sys.modules.get("multiprocessing.process")
        if process is not None and getattr(process.current_process(), "_inheriting", False):
            raise RuntimeError(_refusal(act, "a process of multiprocessing was importing the script"))


def _refusal(act: str, when: str) -> str:
    return f"{act} while {when}; put what the script does when it is run under if __name__ == '__main__':"


# The imports belong to the process, as the modules do.
IMPORTS = _Imports()
