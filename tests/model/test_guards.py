"""The table of guards matches the code: each can be taken out."""

from __future__ import annotations

import pytest
from model.guards import GUARDS, Guard, occurrences


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: f"{guard.file}: {guard.name}")
def test_the_text_of_a_guard_occurs_in_its_file_exactly_once(guard: Guard) -> None:
    assert occurrences(guard) == 1


def test_no_two_guards_have_the_same_name_in_one_file() -> None:
    assert len({(guard.file, guard.name) for guard in GUARDS}) == len(GUARDS)
