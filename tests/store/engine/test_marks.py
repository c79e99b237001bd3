"""The mark of a database is another one after each commit, and only then."""

from __future__ import annotations

from collections.abc import Callable

import functions
import pytest

from gigq import Job, JobQueue, close_connections
from gigq.testing import drain


def submit(queue: JobQueue) -> None:
    queue.submit(Job("job", functions.nothing))


def look(queue: JobQueue) -> None:
    queue.stats()


def roll_back(queue: JobQueue) -> None:
    with pytest.raises(LookupError), queue.database.write() as tx:
        tx.execute("SELECT 1")
        raise LookupError


@pytest.mark.parametrize("act", [look, roll_back])
def test_it_stays_while_nothing_is_committed(path: str, queue: JobQueue, act: Callable[[JobQueue], None]) -> None:
    with JobQueue(path) as other:
        before = queue.database.mark()
        for each in (queue, other):
            act(each)
        assert queue.database.mark() == before


@pytest.mark.parametrize("act", [submit, drain])
def test_it_changes_with_what_others_and_this_thread_commit(
    path: str, queue: JobQueue, act: Callable[[JobQueue], None]
) -> None:
    with JobQueue(path) as other:
        submit(queue)
        marks = [queue.database.mark()]
        for each in (queue, other):
            submit(each)
            act(each)
            marks.append(queue.database.mark())
    assert len(set(map(repr, marks))) == 3


def test_it_changes_in_a_queue_in_memory() -> None:
    with JobQueue(":memory:") as queue:
        before = queue.database.mark()
        submit(queue)
        assert queue.database.mark() != before


def test_it_changes_when_the_connections_were_closed(path: str, queue: JobQueue) -> None:
    """The new connection may have seen what the old one has not, and counts from the beginning."""
    before = queue.database.mark()
    close_connections()
    assert queue.database.mark() != before
