"""What earlier executions have remembered is found again, in any order, and with few looks into the file."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

import pytest
from store.verbs import File, remember

from gigq.claims import Claim
from gigq.status import ExecutionStatus
from gigq.steps import Step
from gigq.store import steps
from gigq.store.recalling import Recaller

LONG = '"' + "x" * 5000 + '"'


@pytest.fixture
def claim(file: File) -> Iterator[Claim]:
    """A running job, and another one that has remembered steps of the same names."""
    file.submit("other")
    file.submit("job")
    other, claim = file.claim(2)
    remember(file, other, "step 0", "unknown", result='"another job"')
    yield claim
    for each in (other, claim):
        file.settle(each, ExecutionStatus.COMPLETED)


def make(file: File, claim: Claim, number: int) -> list[tuple[str, str]]:
    """Remember so many steps, some of them with long results; return their names and results."""
    made = [(f"step {each}", LONG if each % 100 == 7 else str(each)) for each in range(number)]
    with file.write() as tx:
        for name, result in made:
            step = Step(name, 1, 0, "step", None, None, result, "2026-01-01T00:00:00.000000Z")
            steps.remember(tx, claim.job_seq, claim.execution_id, step)
    return made


def looks(file: File, act: Callable[[], object]) -> int:
    """How many read transactions that takes."""
    begun: list[str] = []
    with file.queue.database.read() as tx:
        connection = tx.connection
    connection.set_trace_callback(lambda statement: begun.append(statement) if statement == "BEGIN" else None)
    act()
    connection.set_trace_callback(None)
    return len(begun)


def backwards(made: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return made[::-1]


def shuffled(made: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return random.Random(7).sample(made, len(made))


@pytest.mark.parametrize("order", [list, backwards, shuffled])
@pytest.mark.parametrize("number", [0, 1, 20, 499, 500, 501, 1203])
def test_every_step_is_found_whatever_the_order_in_which_they_are_asked_for(
    file: File, claim: Claim, number: int, order: Callable[[list[tuple[str, str]]], Sequence[tuple[str, str]]]
) -> None:
    made = make(file, claim, number)
    recaller, database = Recaller(claim.job_seq), file.queue.database

    found = []
    for name, result in order(made):
        assert recaller.recall(database, "unknown", 1) is None
        assert recaller.recall(database, name, 2) is None
        step = recaller.recall(database, name, 1)
        assert step is not None
        found.append((name, step.result, result))

    assert [got for _, got, _ in found] == [made for _, _, made in found]
    assert len(found) == number


@pytest.mark.parametrize(("number", "most"), [(0, 1), (5, 1), (20, 2), (1200, 15)])
def test_steps_that_are_passed_over_in_their_order_take_few_looks(
    file: File, claim: Claim, number: int, most: int
) -> None:
    made = make(file, claim, number)
    recaller = Recaller(claim.job_seq)

    def pass_over() -> None:
        for name, _ in made:
            assert recaller.recall(file.queue.database, name, 1)
        if number < 500:
            for each in range(50):  # those that are new
                assert recaller.recall(file.queue.database, f"new {each}", 1) is None

    assert looks(file, pass_over) <= most


def test_steps_that_are_asked_for_backwards_are_not_read_again_and_again(file: File, claim: Claim) -> None:
    made = make(file, claim, 1000)
    with file.queue.database.read() as tx:
        connection = tx.connection

    def cost(asked: Sequence[tuple[str, str]]) -> int:
        recaller, counted = Recaller(claim.job_seq), list[int]()
        connection.set_progress_handler(lambda: counted.append(1), 100)
        for name, _ in asked:
            assert recaller.recall(file.queue.database, name, 1)
        connection.set_progress_handler(None, 0)
        return len(counted)

    assert cost(backwards(made)) < 10 * cost(made)


def test_a_job_that_has_remembered_nothing_takes_one_look_for_all_its_steps(file: File, claim: Claim) -> None:
    recaller = Recaller(claim.job_seq)

    def begin() -> None:
        for each in range(100):
            assert recaller.recall(file.queue.database, f"step {each}", 1) is None

    assert looks(file, begin) == 1
