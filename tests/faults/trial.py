"""Trials of one operation: with a statement that fails, or an answer that cannot be read."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import NamedTuple

from faults.observer import DAMAGE, Observer
from faults.operations import DAMAGED, JOINED_OPERATIONS, LONG_OPERATIONS, NOT_REPEATED, OPERATIONS, open_file
from faults.sabotage import Fault, Saboteur

from gigq import StoreError, close_connections

ARRANGE = OPERATIONS | JOINED_OPERATIONS | LONG_OPERATIONS

_EACH_IN_A_NEW_FILE = (*LONG_OPERATIONS, *NOT_REPEATED)


class Undisturbed(NamedTuple):
    """An operation without faults: what the file holds before it and after each transaction, and its statements."""

    stages: list[str]
    statements: list[str]


class Trials:
    """One operation, tried again and again, each time with another fault.

    After a trial that has changed nothing, the next one does the operation with the same queue on the same file: so
    what has failed is done again, at once, as often as it fails. A trial that has changed the file is the last one on
    it; if the operation failed all the same, it is done once more, and must come to the same in the end.

    Of a long operation, each trial begins with the same file, and the statements are those of the undisturbed one.

    Args:
        new_path: returns the path of a new empty queue, each time another one.
        name: of the operation.
        undisturbed: what is known of operations by their names. What is not known of this one is found out.
        timeout: seconds that the queue waits for the lock.

    Attributes:
        stages, statements: those of the undisturbed operation.
    """

    def __init__(
        self,
        saboteur: Saboteur,
        new_path: Callable[[], str],
        name: str,
        undisturbed: dict[str, Undisturbed],
        *,
        timeout: float = 0.0,
    ) -> None:
        self._saboteur = saboteur
        self._new_path = new_path
        self._name = name
        self._timeout = timeout
        self._copy = new_path() if name in LONG_OPERATIONS else None
        self._is_spent = name in _EACH_IN_A_NEW_FILE
        self._arrange()
        if name not in undisturbed:
            undisturbed[name] = self._watch()
        self.stages, self.statements = undisturbed[name]

    def survives(self, fault: Fault, *, statement: int = 0, answer: int = 0, must_be_done: bool = False) -> bool:
        """Let the n-th statement fail, or the n-th answer; all must be done, or reported as not done.

        Args:
            must_be_done: it may not be reported as not done.

        Returns:
            False if the operation has no such statement or answer; then all was done.
        """
        if self._is_spent:
            self._renew()
        if answer:
            self._saboteur.spoil_answer(answer, fault)
        else:
            self._saboteur.spoil(statement, fault)
        is_done = self._is_done()
        self._saboteur.rest()
        content = self._content()
        assert content in (self.stages[-1:] if is_done else self.stages)
        assert is_done or not must_be_done
        self._is_spent = is_done or content != self.stages[0] or self._name in _EACH_IN_A_NEW_FILE
        if self._is_spent and not is_done and self._name not in NOT_REPEATED:
            self._act()
            assert self._content() == self.stages[-1], "done again, it comes to the same"
        return self._saboteur.struck

    def close(self) -> None:
        self._observer.close()
        self._file.queue.close()

    def _watch(self) -> Undisturbed:
        """Do the operation undisturbed."""
        stages = [self._content()]
        self._saboteur.watch(lambda: stages.append(self._content()))
        self._act()
        self._saboteur.rest()
        assert DAMAGE not in stages[-1]
        self._is_spent = True
        return Undisturbed(stages, list(self._saboteur.statements))

    def _content(self) -> str:
        return self._observer.content(may_be_damaged=self._name in DAMAGED)

    def _is_done(self) -> bool:
        try:
            self._act()
        except (StoreError, KeyboardInterrupt):
            return False
        return True

    def _arrange(self) -> None:
        """Make a file, and what the operation needs in it."""
        path = self._new_path()
        self._file = open_file(path, timeout=self._timeout)
        self._act = ARRANGE[self._name](self._file)
        if self._copy:
            close_connections()  # the last one that is closed moves what was written into the file
            shutil.copyfile(path, self._copy)
        self._open(path)

    def _renew(self) -> None:
        """Have a file in which the operation was not done."""
        if not self._copy:
            self.close()
            self._arrange()
            return
        # Long operations need nothing but the file, and to prepare one takes longer than they do.
        path = self._file.queue.database.path
        self._observer.close()
        close_connections()
        shutil.copyfile(self._copy, path)
        self._open(path)

    def _open(self, path: str) -> None:
        """Have connections, so that opening them is none of the statements."""
        with self._file.queue.database.read():
            self._observer = Observer(path)


def edges(statements: list[str]) -> list[int]:
    """Where transactions begin and end, and one place in the middle of each; counted from 1."""
    begins = [place for place, sql in enumerate(statements, 1) if sql.startswith("BEGIN")]
    ends = [place for place, sql in enumerate(statements, 1) if sql == "COMMIT"]
    middles = [(begin + end) // 2 for begin, end in zip(begins, ends, strict=True)]
    return sorted({*begins, *middles, *ends})
