"""A file for the tests of the store, with its verbs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from store.verbs import File

from gigq import JobQueue, ManualClock


@pytest.fixture
def file(open_queue: Callable[..., JobQueue], clock: ManualClock) -> File:
    return File(open_queue(clock=clock), clock)
