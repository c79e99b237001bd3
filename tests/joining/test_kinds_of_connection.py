"""Every kind of connection that an application may have joins as it is, and is left as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from joining.kinds import BEGINNINGS, KINDS, begun, end

from gigq import Job, JobQueue, UnknownParent, close_connections


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    """A queue in an application's own database, which no connection holds open."""
    with JobQueue(tmp_path / "app.db", timeout=0.1) as queue:
        queue.submit(job("first"))
        with closing(sqlite3.connect(queue.db_path)) as connection:
            connection.execute("CREATE TABLE notes (text TEXT)")
        close_connections()
        yield queue


def job(name: str, **options: Any) -> Job:
    return Job(name, "functions:nothing", id=name, **options)


def found(queue: JobQueue) -> tuple[list[str], list[str]]:
    """The notes, and the ids of the jobs but the first, as others see them."""
    with closing(sqlite3.connect(queue.db_path)) as connection:
        notes = [text for (text,) in connection.execute("SELECT text FROM notes")]
        ids = [job_id for (job_id,) in connection.execute("SELECT id FROM jobs WHERE id <> 'first' ORDER BY seq")]
    return notes, ids


def settings_of(connection: sqlite3.Connection) -> dict[str, Any]:
    names = ("row_factory", "text_factory", "isolation_level", "autocommit", "in_transaction")
    pragmas = ("foreign_keys", "busy_timeout", "recursive_triggers", "query_only", "synchronous", "journal_mode")
    return {name: getattr(connection, name, None) for name in names} | {
        pragma: [*sqlite3.Cursor(connection).execute(f"PRAGMA {pragma}")] for pragma in pragmas
    }


kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
def test_a_job_is_committed_with_the_rest(queue: JobQueue, kind: str) -> None:
    with begun(KINDS[kind](queue.db_path), "write") as connection:
        before = settings_of(connection)
        job_id = queue.submit(job("second", dependencies=["first"], tags=["t"]), connection=connection)
        again = queue.submit(job("second"), connection=connection)
        assert (job_id, job_id.is_new, again, again.is_new) == ("second", True, "second", False)
        assert settings_of(connection) == before
        assert found(queue) == ([], [])
        end(connection, "commit")
    assert found(queue) == (["written"], ["second"])
    assert queue.get_job("second").dependencies == ("first",)  # type: ignore[union-attr]


@kinds
def test_a_job_is_rolled_back_with_the_rest(queue: JobQueue, kind: str) -> None:
    with begun(KINDS[kind](queue.db_path), "write") as connection:
        queue.submit_many([job("second"), job("third", dependencies=["second"])], connection=connection)
        end(connection, "rollback")
    assert found(queue) == ([], [])


@kinds
def test_a_refused_job_leaves_the_rest_whole(queue: JobQueue, kind: str) -> None:
    with begun(KINDS[kind](queue.db_path), "write") as connection:
        before = settings_of(connection)
        with pytest.raises(UnknownParent):
            queue.submit_many([job("second"), job("third", dependencies=["none"])], connection=connection)
        assert settings_of(connection) == before
        end(connection, "commit")
    assert found(queue) == (["written"], [])


@kinds
def test_every_verb_takes_part_in_a_block(queue: JobQueue, kind: str) -> None:
    claim = queue.dequeue()
    assert claim is not None
    close_connections()
    with begun(KINDS[kind](queue.db_path), "write") as connection:
        with queue.transaction(connection) as db:
            assert db is connection
            queue.submit(job("second", metadata={"für": "Ädä"}))
            queue.submit(job("third", dependencies=["second"]))
            queue.complete(claim, {"done": True})
            assert queue.cancel("second")
            assert queue.delete_job("second") is queue.delete_job("third") is True
            assert queue.get_result("first") == {"done": True}
            assert [each.id for each in queue.find_jobs(search="FIRST")] == ["first"]
            assert queue.stats()["total"] == 1
            assert queue.check() == []
        end(connection, "commit")
    assert found(queue) == (["written"], [])
    assert queue.get_result("first") == {"done": True}


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("how", ["commit", "rollback"])
def test_it_makes_no_difference_how_the_transaction_began(queue: JobQueue, beginning: str, how: str) -> None:
    with begun(sqlite3.connect(queue.db_path), beginning) as connection:
        queue.submit(job("second"), connection=connection)
        end(connection, how)
    assert found(queue) == ((["written"], ["second"]) if how == "commit" else ([], []))


def test_a_rollback_to_a_savepoint_takes_the_job_with_it(queue: JobQueue) -> None:
    with begun(sqlite3.connect(queue.db_path), "BEGIN") as connection:
        connection.execute("SAVEPOINT gigq")
        queue.submit(job("second"), connection=connection)
        connection.execute("ROLLBACK TO gigq")
        end(connection, "commit")
    assert found(queue) == (["written"], [])


def test_a_query_that_is_half_read_can_be_read_on(queue: JobQueue) -> None:
    with begun(sqlite3.connect(queue.db_path), "BEGIN") as connection:
        numbers = connection.execute("WITH n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 5) SELECT i FROM n")
        assert numbers.fetchone() == (1,)
        queue.submit(job("second"), connection=connection)
        with pytest.raises(UnknownParent):
            queue.submit_many([job("third"), job("fourth", dependencies=["none"])], connection=connection)
        assert numbers.fetchall() == [(2,), (3,), (4,), (5,)]
        end(connection, "commit")
    assert found(queue) == (["written"], ["second"])


@pytest.mark.parametrize("name", ["TEXT", "INTEGER"])
def test_values_that_a_connection_converts_are_refused(
    queue: JobQueue, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sqlite3.converters, name, lambda text: ("converted", text))
    with begun(sqlite3.connect(queue.db_path), "write") as connection:
        queue.submit(job("second"), connection=connection)
        connection.commit()
    converting = sqlite3.connect(queue.db_path, detect_types=sqlite3.PARSE_DECLTYPES)
    with (
        begun(converting, "write") as connection,
        pytest.raises(ValueError, match=f"connection converts what columns of type {name} hold"),
    ):
        queue.submit(job("third"), connection=connection)


Wrap = Callable[[sqlite3.Connection], object]


class Holder:
    def __init__(self, **inside: object) -> None:
        vars(self).update(inside)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda connection: Holder(connection=connection),
        lambda connection: Holder(dbapi_connection=connection),
        lambda connection: Holder(connection=Holder(dbapi_connection=connection, connection=None)),
        lambda connection: Holder(connection=Holder(connection=Holder(connection=connection))),
    ],
)
def test_a_wrapper_stands_for_the_connection_in_it(queue: JobQueue, wrap: Wrap) -> None:
    with begun(sqlite3.connect(queue.db_path), "BEGIN") as connection:
        queue.submit(job("second"), connection=wrap(connection))
        end(connection, "commit")
    assert found(queue) == (["written"], ["second"])
