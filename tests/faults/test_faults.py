"""A statement that fails costs its transaction and nothing else: what was there is there, and it can be done again."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from faults.operations import LONG_OPERATIONS, OPERATIONS, open_new
from faults.sabotage import CTRL_C, FAULTS, UNREADABLE, Saboteur, content
from faults.trial import edges, problems, stages, survives

from gigq import StoreError
from gigq.store.tables import VERSION

NewPath = Callable[[], str]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_wherever_a_write_fails_it_is_there_or_it_is_not_and_can_be_made_again(
    saboteur: Saboteur, new_path: NewPath, name: str, fault: str
) -> None:
    undisturbed = stages(saboteur, new_path(), name)
    assert len(undisturbed) > 1
    for statement in count(1):
        if not survives(saboteur, new_path(), name, statement=statement, fault=FAULTS[fault], stages=undisturbed):
            break
    assert statement > 3, "it has a BEGIN, something to do, and a COMMIT"


# All writes are made by the same transaction: one of many statements, those of a worker, and those that begin anew.
@pytest.mark.parametrize(
    "name", ["submit_workflow", "claim", "process_one", "cancel_jobs", "prune", "dequeue", "close"]
)
def test_wherever_ctrl_c_comes_twice_the_lock_is_let_go_and_the_write_can_be_made_again(
    saboteur: Saboteur, new_path: NewPath, name: str
) -> None:
    undisturbed = stages(saboteur, new_path(), name)
    for statement in count(1):  # and once more at the ROLLBACK
        if not survives(saboteur, new_path(), name, statement=statement, fault=CTRL_C, stages=undisturbed):
            break
    assert statement > 3


@pytest.mark.parametrize("name", OPERATIONS)
def test_wherever_an_answer_cannot_be_read_a_write_is_there_or_it_is_not(
    saboteur: Saboteur, new_path: NewPath, name: str
) -> None:
    undisturbed = stages(saboteur, new_path(), name)
    for answer in count(1):
        if not survives(saboteur, new_path(), name, answer=answer, fault=UNREADABLE, stages=undisturbed):
            break
    assert answer > 1, "each transaction asks at least which schema the file has"


@pytest.mark.parametrize("fault", [*FAULTS, "Ctrl-C"])
@pytest.mark.parametrize("name", LONG_OPERATIONS)
def test_what_is_done_in_several_transactions_goes_on_where_it_failed(
    saboteur: Saboteur, new_path: NewPath, name: str, fault: str
) -> None:
    undisturbed = stages(saboteur, new_path(), name)
    for statement in edges(saboteur.statements):
        struck = FAULTS.get(fault, CTRL_C)
        assert survives(saboteur, new_path(), name, statement=statement, fault=struck, stages=undisturbed)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_write_that_finds_the_file_locked_for_a_moment_waits(
    saboteur: Saboteur, new_path: NewPath, name: str
) -> None:
    after = stages(saboteur, new_path(), name)[-1:]
    for statement in (1, 2):  # the BEGIN and the first read: with the lock in hand no other statement waits for it
        assert survives(
            saboteur, new_path(), name, statement=statement, fault=FAULTS["locked"], stages=after, timeout=30.0
        )


@pytest.mark.parametrize("fault", FAULTS)
def test_wherever_the_making_of_a_file_fails_it_can_be_made_again(
    saboteur: Saboteur, tmp_path: Path, fault: str
) -> None:
    for statement in count(1):
        path = str(tmp_path / f"{statement}.db")
        saboteur.spoil(statement, FAULTS[fault])
        is_made = True
        try:
            open_new(path)
        except StoreError:
            is_made = False
        saboteur.rest()
        assert is_made <= (f"job_schema: version={VERSION}" in content(path))
        open_new(path)
        assert problems(path) == []
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        if not saboteur.struck:
            break
    assert statement > 30, "each table, index and view is a statement"


@pytest.mark.parametrize("fault", FAULTS)
def test_wherever_the_opening_of_a_file_fails_it_can_be_opened_again(
    saboteur: Saboteur, new_path: NewPath, fault: str
) -> None:
    path = new_path()
    for statement in count(1):
        saboteur.spoil(statement, FAULTS[fault])
        try:
            open_new(path)
        except StoreError:
            assert saboteur.struck
        saboteur.rest()
        open_new(path)
        if not saboteur.struck:
            break
    assert statement > 5
    assert problems(path) == []
