"""A process that is gone in the middle of a write leaves a sound file, and never half of what it was at."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count

import pytest
from faults.operations import OPERATIONS
from faults.sabotage import Saboteur, content
from faults.trial import ends, problems, stages

NewPath = Callable[[], str]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the process that ends is forked")


@pytest.mark.parametrize("name", OPERATIONS)
def test_wherever_the_process_ends_a_write_is_there_or_it_is_not(
    saboteur: Saboteur, new_path: NewPath, name: str
) -> None:
    undisturbed = stages(saboteur, new_path(), name)
    for statement in count(1):
        path = new_path()
        is_gone = ends(saboteur, path, name, statement=statement)
        assert content(path) in (undisturbed if is_gone else undisturbed[-1:])
        assert problems(path) == []
        if not is_gone:
            break
    assert statement > 3
