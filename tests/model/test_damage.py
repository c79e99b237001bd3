"""Whatever somebody does to a file by hand, after a repair it is sound and all its jobs end."""

from __future__ import annotations

import pytest
from model.damage import walk


@pytest.mark.parametrize("first_seed", range(0, 30, 10))
def test_a_file_that_was_edited_at_random_is_sound_after_a_repair_and_its_jobs_end(first_seed: int) -> None:
    for seed in range(first_seed, first_seed + 10):
        walk(seed, length=30)
