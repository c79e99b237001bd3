"""A path at which there is no sound queue: one sentence says so, and nothing is written there."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gigq import Job, JobQueue, NotAQueue, StoreError, Worker

JOB = "functions:nothing"


@pytest.fixture
def sound(tmp_path: Path) -> bytes:
    """The bytes of a queue of 300 jobs that no program has open."""
    with JobQueue(tmp_path / "sound.db") as queue:
        queue.submit_many(Job("job", JOB) for _ in range(300))
    return (tmp_path / "sound.db").read_bytes()


@pytest.mark.parametrize("size", [15, 16, 99, 100, 101, 512, 1023, 4095, 4096, 4097, 8192, 100_000])
@pytest.mark.parametrize("initialize", [True, False])
def test_a_truncated_file_is_refused_and_left_as_it_is(path: str, sound: bytes, size: int, initialize: bool) -> None:
    Path(path).write_bytes(sound[:size])
    with pytest.raises(StoreError, match=r"is damaged|is not a SQLite database") as refusal:
        JobQueue(path, initialize=initialize)
    assert "\n" not in str(refusal.value)
    assert Path(path).read_bytes() == sound[:size]
    os.remove(path)


def test_an_empty_file_becomes_a_queue_only_where_one_may_be_created(
    path: str, open_queue: Callable[..., JobQueue]
) -> None:
    Path(path).touch()
    with pytest.raises(NotAQueue, match="holds no queue"):
        JobQueue(path, initialize=False)
    assert Path(path).stat().st_size == 0
    assert open_queue().count() == 0


def test_a_queue_and_an_application_share_a_file(path: str, open_queue: Callable[..., JobQueue]) -> None:
    application = sqlite3.connect(path)
    application.execute("CREATE TABLE pets (name)")
    application.execute("INSERT INTO pets VALUES ('rex')")
    application.commit()
    open_queue().submit(Job("job", JOB))
    assert application.execute("SELECT name FROM pets").fetchall() == [("rex",)]
    application.close()


def test_another_applications_table_of_jobs_is_refused(path: str) -> None:
    application = sqlite3.connect(path)
    application.execute("CREATE TABLE jobs (title)")
    application.close()
    before = Path(path).read_bytes()
    for opening in (JobQueue, Worker):
        with pytest.raises(NotAQueue, match="of another application"):
            opening(path)
    assert Path(path).read_bytes() == before
    os.remove(path)


@pytest.mark.parametrize("name", ["a folder", "a fifo", "links in a circle", "n" * 300])
@pytest.mark.parametrize("initialize", [True, False])
def test_a_path_that_cannot_be_a_file_is_refused_in_one_sentence(tmp_path: Path, name: str, initialize: bool) -> None:
    (tmp_path / "a folder").mkdir()
    os.mkfifo(tmp_path / "a fifo")
    (tmp_path / "links in a circle").symlink_to("links in a circle")
    with pytest.raises(StoreError) as refusal:
        JobQueue(tmp_path / name, initialize=initialize)
    assert "\n" not in str(refusal.value)
    assert name[:100] in str(refusal.value)


def test_a_file_that_is_made_through_a_link_is_readable_by_its_owner_alone(tmp_path: Path, path: str) -> None:
    (tmp_path / "link.db").symlink_to(path)
    with JobQueue(tmp_path / "link.db") as queue:
        queue.submit(Job("job", JOB))
    assert Path(path).stat().st_mode & 0o777 == 0o600


def test_a_program_may_change_its_directory(
    tmp_path: Path, path: str, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with JobQueue("jobs.db") as relative:
        monkeypatch.chdir("/")
        relative.submit(Job("job", JOB))
    assert queue.count() == 1


def test_a_copy_with_its_log_has_every_job(tmp_path: Path, path: str, queue: JobQueue) -> None:
    queue.submit_many(Job("job", JOB) for _ in range(30))
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", tmp_path / f"copy.db{end}")
    with JobQueue(tmp_path / "copy.db", initialize=False) as copy:
        assert (copy.count(), copy.check()) == (30, [])


def test_a_copy_without_its_log_is_sound_and_lacks_what_the_log_held(
    tmp_path: Path, path: str, queue: JobQueue
) -> None:
    queue.submit_many(Job("job", JOB) for _ in range(30))
    queue.close()  # writes the log into the file, and deletes it
    with JobQueue(path) as again:
        again.submit(Job("later", JOB))
        shutil.copy(path, tmp_path / "copy.db")
    with JobQueue(tmp_path / "copy.db", initialize=False) as copy:
        assert (copy.count(), copy.check()) == (30, [])


@pytest.mark.parametrize("initialize", [True, False])
def test_a_folder_that_cannot_be_written_is_reported_in_one_sentence(
    folders: tuple[Path, Path], initialize: bool
) -> None:
    folder, frozen = folders
    with JobQueue(folder / "jobs.db") as queue:
        queue.submit(Job("job", JOB))
    with pytest.raises(StoreError, match="mounted read-only; open it read-only to look at it"):
        JobQueue(frozen / "jobs.db", initialize=initialize)
    with pytest.raises(StoreError, match="mounted read-only; open it read-only to look at it"):
        Worker(frozen / "jobs.db")
    with pytest.raises(StoreError, match="cannot be made: the folder is on a file system that is mounted read-only"):
        JobQueue(frozen / "new.db")


def test_a_queue_that_others_write_can_be_read_without_the_right_to_write(folders: tuple[Path, Path]) -> None:
    folder, frozen = folders
    with JobQueue(folder / "jobs.db") as writer:
        job_id = writer.submit(Job("job", JOB))
        with JobQueue(frozen / "jobs.db", initialize=False) as reader:
            assert reader.get_status(job_id)["status"] == "pending"
            with pytest.raises(StoreError, match=r"mounted read-only$"):
                reader.submit(Job("job", JOB))
            assert reader.count() == 1
