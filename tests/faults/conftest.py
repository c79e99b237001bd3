"""What the tests of faults share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults.sabotage import Saboteur
from faults.trial import Trials, Undisturbed


@pytest.fixture
def saboteur() -> Iterator[Saboteur]:
    with Saboteur().present() as saboteur:
        yield saboteur


@pytest.fixture
def new_path(empty: Path, tmp_path: Path) -> Callable[[], str]:
    """Makes a queue without jobs in a file of its own, any number of times."""
    made: list[Path] = []

    def make() -> str:
        made.append(tmp_path / f"{len(made)}.db")
        shutil.copy(empty, made[-1])
        return str(made[-1])

    return make


@pytest.fixture(scope="session")
def undisturbed() -> dict[str, Undisturbed]:
    """What the tests have found out about operations without faults."""
    return {}


@pytest.fixture
def trials_of(
    saboteur: Saboteur, new_path: Callable[[], str], undisturbed: dict[str, Undisturbed]
) -> Iterator[Callable[..., Trials]]:
    """Makes the trials of an operation, by its name."""
    made: list[Trials] = []

    def make(name: str, *, timeout: float = 0.0) -> Trials:
        made.append(Trials(saboteur, new_path, name, undisturbed, timeout=timeout))
        return made[-1]

    yield make
    for each in made:
        each.close()
