"""Processes that end in the middle of an operation. A program, because to fork the tests' own process takes too long.

A fork copies the page tables: with the 200 MB of a whole test run it took 30 ms, and takes 5 ms here.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

from faults.observer import Observer
from faults.operations import open_file
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
    trials = Trials(saboteur, new_path, name)
    trials.close()
    places = _places(trials.statements)
    wrong = [
        f"after statement {place}, {trials.statements[place - 1]:.60}: {problem}"
        for place in places
        if (problem := _wrong_after(saboteur, new_path(), name, place, trials))
    ]
    return len(places), wrong


def _places(statements: list[str]) -> list[int]:
    """Where to end, counted from 1: after each statement that is not a mere read, which leaves the file as it was."""
    return [place for place, sql in enumerate(statements, 1) if sql.split()[0] not in ("SELECT", "PRAGMA", "open")]


def _wrong_after(saboteur: Saboteur, path: str, name: str, place: int, trials: Trials) -> str:
    child = os.fork()
    if child == 0:
        _end_after(saboteur, path, name, place)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != GONE:
        return f"the process ended with {code}"
    with closing(Observer(path)) as observer:
        try:
            content = observer.content()
        except Exception as error:
            return repr(error)
    committed = trials.statements[:place].count("COMMIT")
    os.remove(path)
    return "" if content == trials.stages[committed] else f"after {committed} transactions the file holds\n{content}"


def _end_after(saboteur: Saboteur, path: str, name: str, place: int) -> None:
    """Do an operation in this process, and end it right after the n-th statement."""
    try:
        act = ARRANGE[name](open_file(path))
        saboteur.spoil(place, None)
        act()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
