"""The clients of a battle that work: with all they need, without the code of some jobs, or with a log nobody reads."""

from __future__ import annotations

import fcntl
import logging
import os
import random
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from nemesis.clients import HANDLER, LEASE, BentClock, Client
from nemesis.deeds import transfer, work
from nemesis.history import note

from gigq import Worker, setup_logging
from gigq.clock import SystemClock
from gigq.paths import Function

TESTS = str(Path(__file__).parents[1])

IMPORTED = [f"{each.__module__}:{each.__name__}" for each in (work, transfer)]
"""The functions of jobs that have no handler, as the file holds them."""

Mode = Literal["thread", "process"]
_HANDLERS: Mapping[str, Function] = {HANDLER: work}


class WorkingClient(Client):
    """A worker."""

    def __init__(self, path: Path, clock: BentClock, *, mode: Mode) -> None:
        super().__init__(path, clock)
        self._mode = mode

    def _run(self, handlers: Mapping[str, Function] = _HANDLERS) -> None:
        with Worker(
            self._path, str(os.getpid()), concurrency=2, mode=self._mode, handlers=handlers, lease=LEASE,
            shutdown_timeout=1, clock=self._clock,
        ) as worker:  # fmt: skip
            self._on_term(worker.stop)
            worker.start()


class LackingClient(WorkingClient):
    """A worker without some of the code.

    Args:
        has_module: it only lacks the handler, like yesterday's release; otherwise also the module of all jobs, like a
            worker that was started in another folder.
    """

    is_replaced = False

    def __init__(self, path: Path, clock: BentClock, *, mode: Mode, has_module: bool) -> None:
        super().__init__(path, clock, mode=mode)
        self._has_module = has_module

    def _run(self, handlers: Mapping[str, Function] = {}) -> None:
        lacks = [HANDLER]
        if not self._has_module:
            lacks += IMPORTED
            sys.path[:] = [folder for folder in sys.path if not os.path.abspath(folder).startswith(TESTS)]
            sys.modules[work.__module__] = None  # type: ignore[assignment]  # this process has imported it before
        note("lacks", functions=lacks)
        super()._run(handlers)


class MuteClient(WorkingClient):
    """A worker that logs a lot into a pipe that is full: nobody reads it, or only now and then."""

    is_replaced = False

    def __init__(self, path: Path, clock: BentClock, *, mode: Mode, is_read: bool) -> None:
        super().__init__(path, clock, mode=mode)
        self._is_read = is_read

    def _run(self, handlers: Mapping[str, Function] = _HANDLERS) -> None:
        self._reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(writer, False)
        with suppress(BlockingIOError):
            while os.write(writer, b"x"):
                pass
        os.set_blocking(writer, True)
        os.dup2(writer, 2)
        setup_logging(logging.DEBUG)
        note("mute")
        if self._is_read:
            threading.Thread(target=self._read, daemon=True).start()
        super()._run(handlers)

    def _read(self) -> None:
        clock, chance = SystemClock(), random.Random()
        while True:
            clock.sleep(chance.uniform(0.2, 2 * LEASE))
            end = clock.monotonic() + 0.3
            while clock.monotonic() < end:
                os.read(self._reader, 512)
