"""Jobs in transactions of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue

sqlalchemy = pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed here")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Any]:
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'app.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE notes (text TEXT)")
    yield engine
    engine.dispose()


@pytest.fixture
def immediate(engine: Any) -> Any:
    """The engine, with SQLAlchemy's documented recipe by which its transactions begin with BEGIN IMMEDIATE."""

    @sqlalchemy.event.listens_for(engine, "connect")
    def leave_transactions_alone(connection: Any, record: Any) -> None:
        connection.isolation_level = None

    @sqlalchemy.event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    engine.dispose()
    return engine


@pytest.fixture
def queue(engine: Any, tmp_path: Path) -> Iterator[JobQueue]:
    with JobQueue(tmp_path / "app.db", timeout=0.05) as queue:
        yield queue


def job(name: str) -> Job:
    return Job(name, "functions:nothing", id=name)


NOTE = "INSERT INTO notes VALUES ('a')"


def found(engine: Any) -> tuple[list[str], list[str]]:
    with engine.connect() as connection:
        notes = [row[0] for row in connection.exec_driver_sql("SELECT text FROM notes")]
        return notes, [row[0] for row in connection.exec_driver_sql("SELECT id FROM jobs ORDER BY seq")]


def test_a_job_is_committed_with_the_rest(queue: JobQueue, engine: Any) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(NOTE)
        assert queue.submit(job("a"), connection=connection).is_new
    assert found(engine) == (["a"], ["a"])


def test_a_job_is_rolled_back_with_the_rest(queue: JobQueue, engine: Any) -> None:
    with pytest.raises(ZeroDivisionError), engine.begin() as connection:
        connection.exec_driver_sql(NOTE)
        queue.submit(job("a"), connection=connection)
        _ = 1 / 0
    assert found(engine) == ([], [])


@pytest.mark.parametrize("sql", [None, "SELECT text FROM notes"])
def test_where_the_driver_has_begun_nothing_it_is_refused(queue: JobQueue, engine: Any, sql: str | None) -> None:
    with engine.begin() as connection:
        if sql:
            connection.exec_driver_sql(sql).all()
        with pytest.raises(ValueError, match="connection has no transaction open"):
            queue.submit(job("a"), connection=connection)
    assert found(engine) == ([], [])


def test_with_its_recipe_the_job_may_come_first(queue: JobQueue, immediate: Any) -> None:
    with immediate.begin() as connection:
        queue.submit(job("a"), connection=connection)
        connection.exec_driver_sql(NOTE)
    assert found(immediate) == (["a"], ["a"])


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_session_that_has_flushed_takes_jobs(queue: JobQueue, engine: Any, end: str) -> None:
    from sqlalchemy import orm

    class Note:
        def __init__(self, text: str) -> None:
            self.text = text

    columns = (sqlalchemy.Column("text", sqlalchemy.String, primary_key=True),)
    registry = orm.registry()
    registry.map_imperatively(Note, sqlalchemy.Table("notes", registry.metadata, *columns))
    with orm.Session(engine) as session:
        session.add(Note(text="a"))
        session.flush()
        with queue.transaction(session.connection()):
            queue.submit(job("a"))
        getattr(session, end)()
    assert found(engine) == ((["a"], ["a"]) if end == "commit" else ([], []))


def test_a_session_itself_is_refused_with_what_to_pass(queue: JobQueue, engine: Any) -> None:
    from sqlalchemy import orm

    with orm.Session(engine) as session, pytest.raises(ValueError, match=r"a Session returns from its connection\(\)"):
        queue.submit(job("a"), connection=session)
