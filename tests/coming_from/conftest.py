"""Fixtures of the tests for all four systems: a queue whose clock the test moves, and one under the system clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gigq import JobQueue, ManualClock


@pytest.fixture
def queue(open_queue: Callable[..., JobQueue], clock: ManualClock) -> JobQueue:
    """The test's queue, under the test's clock."""
    return open_queue(clock=clock)


@pytest.fixture
def live(open_queue: Callable[..., JobQueue]) -> JobQueue:
    """The test's queue under the system clock, for workers in threads of their own."""
    return open_queue()
