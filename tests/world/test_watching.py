"""Watching a file where this process can write nothing, not even the log of SQLite."""

from __future__ import annotations

from pathlib import Path

from gigq import Job, JobQueue


def test_a_file_in_a_folder_that_cannot_be_written_is_watched(folders: tuple[Path, Path]) -> None:
    folder, frozen = folders
    JobQueue(folder / "jobs.db").close()
    with JobQueue(frozen / "jobs.db", read_only=True) as reader:
        before = reader.changes()
        assert reader.changes() == before
        with JobQueue(folder / "jobs.db") as writer:
            writer.submit(Job("job", "functions:nothing"))
            during = reader.changes()
        assert before not in (during, reader.changes())
        assert reader.count() == 1
