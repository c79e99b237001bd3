"""A path at which no queue can be: one sentence says what is there, and what is possible."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue, StoreError, Worker
from gigq.cli import main

LONG, LONGEST = 248 * "n", 247 * "n"

REFUSED = [
    ("nowhere/jobs.db", "there is no folder '{}/nowhere'"),
    ("nowhere/in/jobs.db", "there is no folder '{}/nowhere"),
    ("text/jobs.db", "'{}/text' is not a folder|there is no folder '{}/text'"),
    ("folder", "'{}/folder' is a folder; give the path of a file in it, such as '{}/folder/gigq.db'"),
    ("folder/", "'{}/folder/' is a folder; give the path of a file in it"),
    ("fifo", "'{}/fifo' is not an ordinary file; give another path"),
    (LONG, f"'{LONG[:149]}.* is too long for the name of a queue: it has 248 bytes; the most are 247"),
    (60 * "deep/deep/" + "q.db", "is too long for the path of a queue: it has .* bytes; the most are 504"),
]

OPENINGS: list[Callable[[Path], Any]] = [
    JobQueue,
    lambda path: JobQueue(path, initialize=False),
    lambda path: JobQueue(path, read_only=True),
    Worker,
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("text")
    os.mkfifo(tmp_path / "fifo")
    return tmp_path


@pytest.mark.parametrize(("name", "said"), REFUSED)
@pytest.mark.parametrize("opening", OPENINGS)
def test_a_path_where_no_queue_can_be_is_refused_with_the_reason(
    place: Path, name: str, said: str, opening: Callable[[Path], Any]
) -> None:
    if name.startswith("deep"):
        (place / name).parent.mkdir(parents=True)
    with pytest.raises(StoreError, match=said.replace("{}", str(place))) as refusal:
        opening(os.path.join(place, name))  # type: ignore[arg-type]
    assert "\n" not in str(refusal.value)
    assert "unable to open" not in str(refusal.value)
    assert not os.path.isfile(place / name), "nothing is left of a file that could not be used"


def test_the_longest_names_that_are_not_refused_work(tmp_path: Path) -> None:
    folder = tmp_path
    while len(str(folder)) < 504 - 9 - len("/q.db"):
        folder /= "f" * 8
    folder /= "f" * (504 - len(str(folder)) - len("//q.db"))
    folder.mkdir(parents=True)
    for path in (tmp_path / LONGEST, folder / "q.db"):
        with JobQueue(path) as queue:
            queue.submit(Job("job", "functions:nothing"))
            assert queue.check() == []


@pytest.mark.parametrize("value", [5, None, ["jobs.db"], 1.5])
def test_a_value_that_is_no_path_is_refused_by_name(value: Any) -> None:
    for opening in (JobQueue, Worker):
        with pytest.raises(TypeError, match=r"^db_path is .*; it must be a path"):
            opening(value)


def test_a_path_may_be_bytes(path: str, queue: JobQueue) -> None:
    with JobQueue(os.fsencode(path)) as same:  # type: ignore[arg-type]
        assert same.count() == 0


@pytest.mark.parametrize("words", [["list"], ["stats"], ["cancel", "x"]])
def test_a_command_about_a_missing_queue_says_so_without_a_word_of_python(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    for name, said in (
        ("jobs.db", "gigq: there is no queue at '{0}/jobs.db'; the first submit creates one\n"),
        ("no/jobs.db", "gigq: there is no queue at '{0}/no/jobs.db': there is no folder '{0}/no'\n"),
    ):
        assert main(["--db", str(tmp_path / name), *words]) == 1
        assert capsys.readouterr().err == said.format(tmp_path)


def test_a_closed_queue_says_so_in_one_sentence_whatever_is_asked_of_it(path: str) -> None:
    queue = JobQueue(path)
    queue.close()
    queue.close()
    for ask in (
        queue.stats, queue.dequeue, queue.check, lambda: queue.submit(Job("job", "f")), lambda: list(queue.schedules),
        lambda: queue.cancel_jobs(name="x"), queue.prune,
    ):  # fmt: skip
        with pytest.raises(StoreError, match=r"^'.*': this queue is closed; open it again with JobQueue\(…\)$"):
            ask()


def test_a_closed_worker_says_so_in_one_sentence(path: str) -> None:
    worker = Worker(path)
    worker.close()
    worker.close()
    for ask in (worker.start, worker.process_one):
        with pytest.raises(StoreError, match=r"^this worker is closed; make another one with Worker\(…\)$"):
            ask()


@pytest.mark.parametrize("path", [":memory:", "sqlite:///:memory:"])
def test_a_worker_of_a_queue_in_memory_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"a worker needs a file; .* gigq\.testing\.drain\(queue\)$"):
        Worker(path)
