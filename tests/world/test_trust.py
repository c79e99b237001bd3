"""The rights to a queue's files, and what those who can write them still cannot make gigq do."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import Running

import gigq
from gigq import InvalidJob, Job, JobQueue, Worker
from gigq.store.engine.bell import CAN_WATCH

JOB = "functions:nothing"


@pytest.fixture
def no_umask() -> Iterator[None]:
    """A process whose new files everybody may read and write, unless it sets their mode."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(path: str) -> dict[str, int]:
    """The modes of a queue's files, by the suffixes of their names."""
    return {
        each.name.removeprefix(Path(path).name): each.stat().st_mode & 0o777 for each in Path(path).parent.iterdir()
    }


def test_new_files_are_readable_by_their_owner_alone_whatever_the_umask(
    no_umask: None, path: str, run: Callable[..., Running]
) -> None:
    with JobQueue(path) as queue:
        run()
        queue.result(queue.submit(Job("job", JOB)), timeout=60)
        assert modes(path) == {"": 0o600, "-wal": 0o600, "-shm": 0o600}


@pytest.fixture
def fifos(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system whose bell is a FIFO, as all but Linux."""
    monkeypatch.setattr("gigq.store.engine.bell.CAN_WATCH", False)


@pytest.mark.parametrize("mode", [0o660, 0o640, 0o644])
def test_an_existing_file_keeps_its_mode_and_its_logs_have_the_same(
    no_umask: None, path: str, open_queue: Callable[..., JobQueue], mode: int
) -> None:
    Path(path).touch(mode)
    open_queue().submit(Job("job", JOB))
    assert modes(path) == {"": mode, "-wal": mode, "-shm": mode}


def test_a_link_in_place_of_the_bell_makes_no_process_write_into_another_file(
    fifos: None, tmp_path: Path, path: str, queue: JobQueue, run: Callable[..., Running]
) -> None:
    (tmp_path / "diary").write_text("dear diary")
    Path(path).with_name(".jobs.db-bell").symlink_to(tmp_path / "diary")
    run(polling_interval=0.01)
    queue.result(queue.submit(Job("job", JOB)), timeout=60)
    assert (tmp_path / "diary").read_text() == "dear diary"


def test_a_plain_file_in_place_of_the_bell_is_neither_written_nor_waited_on(
    fifos: None, path: str, queue: JobQueue
) -> None:
    Path(path).with_name(".jobs.db-bell").write_text("a file")
    assert queue.database.bell.listen() is None
    queue.submit(Job("job", JOB))
    with Worker(path, burst=True) as worker:
        worker.start()
    assert queue.count("completed") == 1


@pytest.mark.parametrize("can_watch", [CAN_WATCH, False])
def test_all_names_of_a_file_have_one_bell(
    tmp_path: Path, path: str, open_queue: Callable[..., JobQueue], monkeypatch: pytest.MonkeyPatch, can_watch: bool
) -> None:
    monkeypatch.setattr("gigq.store.engine.bell.CAN_WATCH", can_watch)
    queue = open_queue()
    bell = queue.database.bell
    bell.listen()
    (tmp_path / "link.db").symlink_to(path)
    with JobQueue(tmp_path / "link.db") as other:
        other.submit(Job("job", JOB))
    assert bell.clear()
    bell.close()


FORBIDDEN = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "dbm", "code", "codeop", "yaml"}


def test_nothing_that_runs_code_when_it_reads_is_imported_or_called() -> None:
    found = []
    for module in Path(gigq.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                names += [node.func.id] if node.func.id in ("eval", "exec", "compile", "__import__") else []
            found += [
                f"{module.name}: {name}"
                for name in names
                if name.partition(".")[0] in FORBIDDEN or name in ("eval", "exec", "compile", "__import__")
            ]
            # multiprocessing's connections pickle what they send; its contexts only start processes.
            found += [f"{module.name}: {name}" for name in names if name == "multiprocessing.connection"]
    assert found == []


@pytest.mark.parametrize(
    "function",
    ["os.system('x')", "os:system; import os", "../evil", "/tmp/evil.py", "a b", "", "\0", "os:system\n", "__main__:f"],
)
def test_a_function_is_a_dotted_name_and_nothing_else(queue: JobQueue, function: str) -> None:
    with pytest.raises(InvalidJob):
        queue.submit(Job("job", function))
    assert queue.count() == 0


@pytest.mark.parametrize("function", ["os:system", "subprocess.run", "functions:os.system", "functions:sys.exit"])
def test_a_worker_with_allow_calls_only_what_its_modules_define(path: str, queue: JobQueue, function: str) -> None:
    job_id = queue.submit(Job("job", function, args=["true"]))
    with Worker(path, allow=["functions"]) as worker:
        assert not worker.process_one()
    assert queue.get_status(job_id)["status"] == "pending"
    assert "the worker may not import it" in queue.why(job_id)[0]


def test_a_worker_with_handlers_and_no_modules_calls_only_its_handlers(path: str, queue: JobQueue) -> None:
    mine, other = queue.submit_many([Job("mine", "mine"), Job("other", JOB)])
    with Worker(path, allow=[], handlers={"mine": lambda: 7}, burst=True) as worker:
        worker.start()
    assert queue.get_result(mine) == 7
    assert queue.get_status(other)["status"] == "pending"


def test_text_in_a_job_is_never_sql(queue: JobQueue) -> None:
    evil = "'); DROP TABLE jobs; --"
    queue.submit(Job(evil, JOB, queue=evil, tags=[evil], unique_key=evil, id=evil, metadata={evil: evil}))
    found = queue.list_jobs(queue=evil, name=evil, tags=[evil], search=evil)
    assert [job["id"] for job in found] == [evil]
