"""What a worker does differently that works for one program alone, which waits for what becomes of its own jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gigq.claims import Claim
from gigq.errors import StoreError
from gigq.liveness import WorkerKey
from gigq.runtime.runner import Ended
from gigq.runtime.watch import Watch
from gigq.status import Move
from gigq.store.engine.transaction import Transaction


class Employer(Protocol):
    """Has a say in each turn of a worker's loop, and is told what was committed; nothing of it is dropped.

    Called by the loop's thread, which waits for it: nothing here may block.
    """

    @property
    def has_work(self) -> bool:
        """Whether there is something to write."""

    def write(self, tx: Transaction, *, is_beat: bool) -> None:
        """Write what there is, as part of a turn, before jobs are claimed. It may be rolled back, and asked for again.

        Args:
            is_beat: whether it is time to look at what others have done.
        """

    def turned(self, ended: Sequence[Ended], moves: Sequence[Move | None], worker: WorkerKey) -> None:
        """Take note of what was committed.

        Args:
            ended: the reports that were settled.
            moves: what became of their jobs; None for a report that was refused.
            worker: the worker's row in the file.
        """

    def unwanted(self, claims: Sequence[Claim]) -> Sequence[Ended]:
        """Return those of these claims that are not to begin any more, each with what is to be reported of it."""

    def failed(self, error: StoreError) -> None:
        """Take note that a transaction has failed. It will be tried again."""

    def stuck(self, reason: str) -> None:
        """Take note that no job can be started at present."""


class Nobody:
    """The employer of a worker that works for a queue."""

    has_work = False

    def write(self, tx: Transaction, *, is_beat: bool) -> None:
        pass

    def turned(self, ended: Sequence[Ended], moves: Sequence[Move | None], worker: WorkerKey) -> None:
        pass

    def unwanted(self, claims: Sequence[Claim]) -> Sequence[Ended]:
        return ()

    def failed(self, error: StoreError) -> None:
        pass

    def stuck(self, reason: str) -> None:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Employment:
    """For whom a worker works, and what that asks of its slots.

    Attributes:
        employer: is told what the worker does.
        watch: is asked before each call in thread mode.
        setup: the path of a function that each child process calls before its first job, and its arguments as JSON; an
            empty path for none.
        thread_name: how the names of the threads begin.
    """

    employer: Employer
    watch: Watch
    setup: tuple[str, str] = ("", "[]")
    thread_name: str = "gigq-slot"


NOBODY = Nobody()
