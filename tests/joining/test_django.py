"""Jobs in transactions of Django."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue

django = pytest.importorskip("django", reason="Django is not installed here")


@pytest.fixture(autouse=True, scope="module")
def set_up() -> None:
    from django.conf import settings

    if not settings.configured:
        settings.configure(USE_TZ=True, LOGGING_CONFIG=None)
        django.setup()


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Any]:
    """A connection of Django's, to a database of its own."""
    from django.db.utils import ConnectionHandler

    handler = ConnectionHandler(
        {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "app.db"), "OPTIONS": {}}}
    )
    connection: Any = handler["default"]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE notes (text TEXT)")
    yield connection
    connection.close()


@pytest.fixture
def queue(connection: Any, tmp_path: Path) -> Iterator[JobQueue]:
    with JobQueue(tmp_path / "app.db", timeout=0.05) as queue:
        yield queue


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch, connection: Any) -> None:
    """The connection is that of ``transaction.atomic()``, as if the settings named its database."""
    from django.db import transaction

    monkeypatch.setattr(transaction, "get_connection", lambda using=None: connection)


def note(connection: Any, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO notes VALUES (%s)", [text])


def found(connection: Any) -> tuple[list[str], list[str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM notes")
        notes = [text for (text,) in cursor.fetchall()]
        cursor.execute("SELECT id FROM jobs ORDER BY seq")
        return notes, [job_id for (job_id,) in cursor.fetchall()]


def job(name: str) -> Job:
    return Job(name, "functions:nothing", id=name)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_job_is_committed_with_the_rest_of_an_atomic_block(queue: JobQueue, connection: Any, is_first: bool) -> None:
    from django.db import transaction

    with transaction.atomic():
        if not is_first:
            note(connection, "a")
        assert queue.submit(job("a"), connection=connection).is_new
        if is_first:
            note(connection, "a")
    assert found(connection) == (["a"], ["a"])


def test_a_job_is_rolled_back_with_the_rest_of_an_atomic_block(queue: JobQueue, connection: Any) -> None:
    from django.db import transaction

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        note(connection, "a")
        queue.submit(job("a"), connection=connection)
        _ = 1 / 0
    assert found(connection) == ([], [])


def test_an_inner_block_takes_its_jobs_with_it(queue: JobQueue, connection: Any) -> None:
    from django.db import transaction

    with transaction.atomic():
        queue.submit(job("a"), connection=connection)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            queue.submit(job("b"), connection=connection)
            _ = 1 / 0
        with queue.transaction(connection):
            queue.submit(job("c"))
    assert found(connection) == ([], ["a", "c"])


def test_without_a_block_it_is_refused(queue: JobQueue, connection: Any) -> None:
    with pytest.raises(ValueError, match="connection has no transaction open"):
        queue.submit(job("a"), connection=connection)
    connection.close()
    with pytest.raises(ValueError, match="it must be a sqlite3.Connection in a transaction, or hold one"):
        queue.submit(job("a"), connection=connection)
