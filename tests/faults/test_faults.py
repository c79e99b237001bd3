"""A statement that fails costs its transaction and nothing else: what was there is there, and it can be done again."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from faults.observer import version
from faults.operations import JOINED_OPERATIONS, LONG_OPERATIONS, OPERATIONS, journal_mode, open_new, roll_back_journal
from faults.sabotage import CTRL_C, FAULTS, UNREADABLE, Saboteur
from faults.trial import Trials, edges

from gigq import StoreError
from gigq.store.tables import VERSION

TrialsOf = Callable[..., Trials]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", [*OPERATIONS, *JOINED_OPERATIONS])
def test_a_write_that_fails_at_any_statement_is_done_completely_or_not_at_all_and_can_be_repeated(
    trials_of: TrialsOf, name: str, fault: str
) -> None:
    trials = trials_of(name)
    assert len(trials.stages) > 1
    for statement in count(1):
        if not trials.survives(FAULTS[fault], statement=statement):
            break
    assert statement > 3, "it has a BEGIN, something to do, and a COMMIT"


# All writes are made by the same transaction: one of many statements, those of a worker, and those that begin again.
@pytest.mark.parametrize(
    "name",
    ["submit_workflow", "claim", "process_one", "cancel_jobs", "prune", "dequeue", "close", "own_transaction"]
    + [*JOINED_OPERATIONS],
)
def test_ctrl_c_twice_at_any_statement_releases_the_lock_and_the_write_can_be_repeated(
    trials_of: TrialsOf, name: str
) -> None:
    trials = trials_of(name)
    for statement in count(1):  # and once more at the ROLLBACK
        if not trials.survives(CTRL_C, statement=statement):
            break
    assert statement > 3


@pytest.mark.parametrize("name", [*OPERATIONS, *JOINED_OPERATIONS])
def test_a_write_with_any_answer_unreadable_is_done_completely_or_not_at_all(trials_of: TrialsOf, name: str) -> None:
    trials = trials_of(name)
    for answer in count(1):
        if not trials.survives(UNREADABLE, answer=answer):
            break
    assert answer > 1, "each transaction asks at least which schema the file has"


@pytest.mark.parametrize("fault", [*FAULTS, "Ctrl-C"])
@pytest.mark.parametrize("name", LONG_OPERATIONS)
def test_a_write_of_several_transactions_continues_where_it_failed(trials_of: TrialsOf, name: str, fault: str) -> None:
    trials = trials_of(name)
    for statement in edges(trials.statements):
        assert trials.survives(FAULTS.get(fault, CTRL_C), statement=statement)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_write_waits_for_a_file_that_is_locked_for_a_moment(trials_of: TrialsOf, name: str) -> None:
    trials = trials_of(name, timeout=30.0)
    commit = 1 + trials.statements.index("COMMIT")
    # The BEGIN and the first read, and the COMMIT of a file with a rollback journal: only these wait for others.
    for statement in (1, 2, commit):
        assert trials.survives(FAULTS["locked"], statement=statement, must_be_done=True)


@pytest.mark.parametrize("fault", FAULTS)
def test_creating_a_file_may_fail_at_any_statement_and_can_be_repeated(
    saboteur: Saboteur, tmp_path: Path, fault: str
) -> None:
    for statement in count(1):
        path = str(tmp_path / f"{statement}.db")
        saboteur.spoil(statement, FAULTS[fault])
        is_made = opens(path)
        saboteur.rest()
        assert is_made <= (version(path) == VERSION)
        open_new(path)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        if not saboteur.struck:
            break
    assert statement > 30, "each table, index and view is a statement"


@pytest.mark.parametrize("fault", FAULTS)
def test_switching_a_copy_to_wal_may_fail_at_any_statement_and_can_be_repeated(
    saboteur: Saboteur, new_path: Callable[[], str], fault: str
) -> None:
    path = new_path()
    for statement in count(1):
        roll_back_journal(path)
        saboteur.spoil(statement, FAULTS[fault])
        assert opens(path) or saboteur.struck
        saboteur.rest()
        open_new(path)
        assert journal_mode(path) == "wal"
        if not saboteur.struck:
            break
    assert "PRAGMA journal_mode = WAL" in saboteur.statements


@pytest.mark.parametrize("fault", FAULTS)
def test_opening_a_file_may_fail_at_any_statement_and_can_be_repeated(
    saboteur: Saboteur, new_path: Callable[[], str], fault: str
) -> None:
    path = new_path()
    for statement in count(1):
        saboteur.spoil(statement, FAULTS[fault])
        assert opens(path) or saboteur.struck
        saboteur.rest()
        open_new(path)
        if not saboteur.struck:
            break
    assert statement > 5


def opens(path: str) -> bool:
    """Whether a file is made or opened without an error."""
    try:
        open_new(path)
    except StoreError:
        return False
    return True
