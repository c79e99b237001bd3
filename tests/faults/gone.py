"""Processes that end in the middle of an operation. A program, because to fork the tests' own process takes too long.

A fork copies the page tables: with the 200 MB of a whole test run it took 30 ms, and takes 5 ms here.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import traceback
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

from faults.observer import Observer
from faults.operations import DAMAGED, open_file
from faults.sabotage import GONE, Saboteur
from faults.trial import ARRANGE, Trials

from gigq import JobQueue


def main() -> None:
    """For each operation named on stdin, print as JSON in how many places its process ended, and what was wrong then.

    Its argument is a folder for files.
    """
    folder = Path(sys.argv[1])
    empty = folder / "empty.db"
    JobQueue(empty).close()
    numbers = count(1)
    with Saboteur().present() as saboteur:
        for line in sys.stdin:
            found = _try(saboteur, lambda: str(shutil.copy(empty, folder / f"{next(numbers)}.db")), line.strip())
            print(json.dumps(found), flush=True)


def _try(saboteur: Saboteur, new_path: Callable[[], str], name: str) -> tuple[int, list[str]]:
    trials = Trials(saboteur, new_path, name, {})
    trials.close()
    places = _places(trials.statements)
    paths = [new_path() for _ in places]
    children = [_fork(saboteur, path, name, place) for path, place in zip(paths, places, strict=True)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    wrong = []
    for place, path, code in zip(places, paths, codes, strict=True):
        committed = trials.statements[:place].count("COMMIT")
        expected = trials.stages[committed]
        flaw = f"it ended with {code}" if code != GONE else _flaw(path, expected, may_be_damaged=name in DAMAGED)
        if flaw:
            wrong.append(f"after statement {place}, {trials.statements[place - 1]:.60}: {flaw}")
    return len(places), wrong


def _places(statements: list[str]) -> list[int]:
    """Where to end, counted from 1: after each statement that is not a mere read, which leaves the file as it was."""
    return [place for place, sql in enumerate(statements, 1) if sql.split()[0] not in ("SELECT", "PRAGMA", "open")]


def _fork(saboteur: Saboteur, path: str, name: str, place: int) -> int:
    """Begin an operation in another process, and return its pid. It ends right after the n-th statement."""
    child = os.fork()
    if child:
        return child
    try:
        act = ARRANGE[name](open_file(path))
        saboteur.spoil(place, None)
        act()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _flaw(path: str, expected: str, *, may_be_damaged: bool) -> str:
    """What is wrong with a file that a process has left; empty if it is sound and holds what is expected."""
    with closing(Observer(path)) as observer:
        try:
            content = observer.content(may_be_damaged=may_be_damaged)
        except (AssertionError, sqlite3.Error) as error:
            return repr(error)
    os.remove(path)
    return "" if content == expected else f"the file holds\n{content}\nand should hold\n{expected}"


if __name__ == "__main__":
    main()
