"""One operation on one file: undisturbed, with a statement that fails, and in a process that ends."""

from __future__ import annotations

import os
import sqlite3
import traceback
from contextlib import closing

from faults.operations import LONG_OPERATIONS, NOT_REPEATED, OPERATIONS, open_file
from faults.sabotage import GONE, Fault, Saboteur, content

from gigq import JobQueue, StoreError

_ARRANGE = OPERATIONS | LONG_OPERATIONS


def stages(saboteur: Saboteur, path: str, name: str) -> list[str]:
    """Return what a file holds before an operation, and after each of its transactions."""
    file = open_file(path)
    act = _ARRANGE[name](file)
    found = [content(path)]
    saboteur.watch(lambda: found.append(content(path)))
    act()
    saboteur.rest()
    file.queue.close()
    return found


def survives(
    saboteur: Saboteur,
    path: str,
    name: str,
    *,
    fault: Fault,
    stages: list[str],
    statement: int | None = None,
    answer: int | None = None,
    timeout: float = 0.0,
) -> bool:
    """Let the n-th statement of an operation fail, or an answer, and see that it has done all, or said that it has not.

    Args:
        stages: what the file may hold then.
        timeout: seconds that the queue waits for the lock.

    Returns:
        False if the operation has no such statement.
    """
    file = open_file(path, timeout=timeout)
    act = _ARRANGE[name](file)
    if answer is None:
        saboteur.spoil(statement or 0, fault)
    else:
        saboteur.spoil_answer(answer, fault)
    try:
        act()
        is_done = True
    except (StoreError, KeyboardInterrupt):
        is_done = False
    saboteur.rest()
    assert is_free(path)
    assert content(path) in (stages[-1:] if is_done else stages)
    assert problems(path) == []
    if not is_done and name not in NOT_REPEATED:
        act()
        assert content(path) == stages[-1], "done again, it comes to the same"
    file.queue.close()
    return saboteur.struck


def ends(saboteur: Saboteur, path: str, name: str, *, statement: int) -> bool:
    """Do an operation in a process of its own that ends right after the n-th statement.

    Returns:
        False if the operation has no such statement.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            act = _ARRANGE[name](open_file(path))
            saboteur.spoil(statement, None)
            act()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, GONE)
    return code == GONE


def edges(statements: list[str]) -> list[int]:
    """Where transactions begin and end, and one place in the middle of each; counted from 1."""
    begins = [place for place, sql in enumerate(statements, 1) if sql.startswith("BEGIN")]
    ends = [place for place, sql in enumerate(statements, 1) if sql == "COMMIT"]
    middles = [(begin + end) // 2 for begin, end in zip(begins, ends, strict=True)]
    return sorted({*begins, *middles, *ends})


def is_free(path: str) -> bool:
    """Whether nobody has the write lock."""
    with closing(sqlite3.Connection(path, timeout=0, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    return True


def problems(path: str) -> list[str]:
    with JobQueue(path, initialize=False, durability="normal") as queue:
        return queue.check()
