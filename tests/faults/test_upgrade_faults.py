"""An upgrade that is interrupted leaves the old file as it was, and can be made again."""

from __future__ import annotations

import os
import shutil
import traceback
from itertools import count
from pathlib import Path

import pytest
from faults.observer import version
from faults.operations import open_new
from faults.sabotage import CTRL_C, FAULTS, GONE, Saboteur
from store.old_file import WRITTEN, dump, write

from gigq import JobQueue, StoreError
from gigq.store.tables import VERSION

VERSION_1 = Path(__file__).parents[1] / "store" / "files" / "version-1.sqlite3"


def of_gigq_0_5(path: str) -> None:
    write(path, WRITTEN)


def of_version_1(path: str) -> None:
    shutil.copy(VERSION_1, path)


OLD_FILES = {
    "GigQ 0.5.1": (of_gigq_0_5, 21, 40, True),
    "version 1": (of_version_1, 19, 15, False),
}
"""How each old file is made, its jobs, the statements that its upgrade takes at least, and whether a copy is kept."""

# In the long upgrade a locked file, Ctrl-C and an exit add nothing: `tests/store/legacy` has a crash at each statement.
CASES = [("version 1", interruption) for interruption in (*FAULTS, "Ctrl-C", "exit")] + [
    ("GigQ 0.5.1", interruption) for interruption in ("disk full", "I/O error")
]


def is_struck(saboteur: Saboteur, interruption: str, path: str, statement: int) -> bool:
    """Open a file while its n-th statement fails; False if there is no such statement."""
    saboteur.spoil(statement, FAULTS.get(interruption, CTRL_C))
    try:
        open_new(path)
    except (StoreError, KeyboardInterrupt):
        assert saboteur.struck
    saboteur.rest()
    return saboteur.struck


def is_gone(saboteur: Saboteur, path: str, statement: int) -> bool:
    """Open a file in a process that ends right after the n-th statement; False if there is no such statement."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            saboteur.spoil(statement, None)
            open_new(path)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, GONE)
    return code == GONE


@pytest.mark.parametrize(("kind", "interruption"), CASES)
def test_an_upgrade_interrupted_at_any_statement_leaves_the_old_file_intact_and_can_be_repeated(
    saboteur: Saboteur, tmp_path: Path, kind: str, interruption: str
) -> None:
    """After each interruption the same file is upgraded again, which is interrupted one statement later."""
    make, jobs, least, is_kept = OLD_FILES[kind]
    folder = tmp_path / "folder"
    folder.mkdir()
    old, path = tmp_path / "old.db", str(folder / "jobs.db")
    make(str(old))
    shutil.copy(old, path)
    whole = dump(path)
    for statement in count(1):
        if interruption == "exit":
            is_interrupted = is_gone(saboteur, path, statement)
        else:
            is_interrupted = is_struck(saboteur, interruption, path, statement)
        # A second copy differs in the journal that the file had then.
        kept = [dump(str(file)) for file in folder.glob("jobs.db.*")]
        assert kept == [whole] * len(kept)
        if version(path) != VERSION:
            assert is_interrupted
            assert dump(path) == whole
            continue
        assert bool(kept) == is_kept
        with JobQueue(path, durability="normal") as queue:
            assert (queue.stats()["total"], queue.check()) == (jobs, [])
        if not is_interrupted:
            break
        shutil.copy(old, path)
    assert statement > least
