"""A queue that is only looked at: it need not be writable, and a look leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue, NotAQueue, QueueBusy, StoreError
from gigq.cli import main

JOB = "functions:nothing"
TESTS = Path(__file__).parents[1]

LOOK = """
import os, sys
from rights import heed_modes
from gigq import JobQueue, StoreError
heed_modes()
try:
    with JobQueue(sys.argv[1], read_only=True) as queue:
        print(queue.stats()["pending"], queue.check())
        print(sorted(os.listdir(os.path.dirname(sys.argv[1]))))
except StoreError as error:
    print(error)
"""


def looked_at(path: str, script: str = LOOK) -> list[str]:
    """What a process says that is bound by the modes of files although it is root's."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
    outcome = subprocess.run(
        [sys.executable, "-c", script, path], env=environment, capture_output=True, text=True, timeout=60
    )
    assert not outcome.stderr
    return outcome.stdout.splitlines()


def names(path: str) -> list[str]:
    return sorted(each.name for each in Path(path).parent.iterdir())


@pytest.fixture
def filled(path: str) -> str:
    """A queue of one job that no program has open."""
    with JobQueue(path) as queue:
        queue.submit(Job("job", JOB))
    return path


@pytest.fixture
def looking(filled: str) -> Iterator[JobQueue]:
    with JobQueue(filled, read_only=True) as queue:
        yield queue


VERBS: dict[str, Callable[[JobQueue], Any]] = {
    "submit": lambda queue: queue.submit(Job("job", JOB)),
    "submit_many": lambda queue: queue.submit_many([]),
    "enqueue": lambda queue: queue.enqueue(JOB),
    "cancel": lambda queue: queue.cancel("x"),
    "cancel_jobs": lambda queue: queue.cancel_jobs(name="none"),
    "requeue_job": lambda queue: queue.requeue_job("x"),
    "requeue_jobs": lambda queue: queue.requeue_jobs(name="none"),
    "reschedule": lambda queue: queue.reschedule("x", delay=1),
    "pause": lambda queue: queue.pause(),
    "resume": lambda queue: queue.resume(),
    "configure": lambda queue: queue.configure("mail", max_running=1),
    "scale": lambda queue: queue.scale(1),
    "stop_workers": lambda queue: queue.stop_workers(),
    "schedules.add": lambda queue: queue.schedules.add("s", JOB, every=1),
    "schedules.remove": lambda queue: queue.schedules.remove("s"),
    "schedules.pause": lambda queue: queue.schedules.pause("s"),
    "schedules.resume": lambda queue: queue.schedules.resume("s"),
    "schedules.run": lambda queue: queue.schedules.run("s"),
    "dequeue": lambda queue: queue.dequeue(),
    "complete": lambda queue: queue.complete("x"),
    "fail": lambda queue: queue.fail("x", "no"),
    "clear_completed": lambda queue: queue.clear_completed(),
    "prune": lambda queue: queue.prune("failed"),
    "delete_job": lambda queue: queue.delete_job("x"),
    "delete_jobs": lambda queue: queue.delete_jobs(name="none"),
    "repair": lambda queue: queue.repair(),
    "requeue_stuck": lambda queue: queue.requeue_stuck(),
}
"""Everything that writes, as it would do nothing, or little, in this queue."""


@pytest.mark.parametrize("verb", VERBS)
def test_a_queue_that_was_opened_read_only_refuses_whatever_writes(looking: JobQueue, filled: str, verb: str) -> None:
    before = Path(filled).read_bytes()
    with pytest.raises(StoreError, match="was opened read-only; open it without read_only=True to change it"):
        VERBS[verb](looking)
    assert looking.count() == 1
    assert Path(filled).read_bytes() == before


def test_what_only_looks_works_on_a_queue_that_was_opened_read_only(looking: JobQueue) -> None:
    (job,) = looking.list_jobs()
    assert looking.get_status(job["id"])["status"] == "pending"
    assert looking.why(job["id"]) == ["There is no worker; `gigq worker` starts one."]
    assert looking.metrics()["statuses"]["pending"] == looking.stats()["pending"] == looking.count() == 1
    assert [len(looking.why()), len(looking.next_jobs()), looking.graph(job["id"]).number] == [1, 1, 1]
    assert [looking.info().jobs, looking.health().is_ok] == [1, False]
    assert looking.configure("mail").max_running is None
    assert [looking.queues()[0].name, looking.workers(), looking.dead_letters(), list(looking.schedules)] == [
        "default", [], [], []
    ]  # fmt: skip
    assert looking.check() == []


def test_a_look_leaves_the_folder_as_it_was(filled: str) -> None:
    before = Path(filled).read_bytes(), names(filled)
    with JobQueue(filled, read_only=True) as queue:
        assert queue.count() == 1
    assert (Path(filled).read_bytes(), names(filled)) == before


def test_a_look_creates_nothing_and_upgrades_nothing(path: str) -> None:
    with pytest.raises(NotAQueue, match="there is no queue"):
        JobQueue(path, read_only=True)
    assert not Path(path).exists()
    version_1 = Path(__file__).parents[1] / "store" / "files" / "version-1.sqlite3"
    shutil.copy(version_1, path)
    with pytest.raises(NotAQueue, match="was written by an older gigq"):
        JobQueue(path, read_only=True)
    assert Path(path).read_bytes() == version_1.read_bytes()


def test_a_queue_in_memory_cannot_be_opened_read_only() -> None:
    with pytest.raises(ValueError, match="new and empty"):
        JobQueue(":memory:", read_only=True)


# where nothing can be written


def test_a_queue_on_a_read_only_file_system_can_be_looked_at(folders: tuple[Path, Path]) -> None:
    folder, frozen = folders
    with JobQueue(folder / "jobs.db") as queue:
        queue.submit(Job("job", JOB))
    before = names(str(folder / "jobs.db"))
    with JobQueue(frozen / "jobs.db", read_only=True) as queue:
        assert (queue.count(), queue.check()) == (1, [])
    assert names(str(folder / "jobs.db")) == before


def test_every_command_that_only_looks_works_on_a_read_only_file_system(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, frozen = folders
    with JobQueue(folder / "jobs.db") as queue:
        job_id = queue.submit(Job("job", JOB))
        queue.schedules.add("tidy", JOB, every=60)
    for words in (
        "list", "stats", f"status {job_id}", f"why {job_id}", "why", "next", f"graph {job_id}", "info", "metrics",
        "queues", "workers", "doctor",
        "schedule list", "schedule preview tidy", "dead", "configure mail",
    ):  # fmt: skip
        assert main(["--db", str(frozen / "jobs.db"), *words.split()]) == 0, words
    capsys.readouterr()
    assert main(["--db", str(frozen / "jobs.db"), "cancel", job_id]) == 1
    assert capsys.readouterr().err == (
        f"gigq: {str(frozen / 'jobs.db')!r} cannot be written: it is on a file system that is mounted read-only; "
        "open it read-only to look at it\n"
    )


def test_a_look_that_began_before_somebody_wrote_sees_what_was_written(folders: tuple[Path, Path]) -> None:
    folder, frozen = folders
    with JobQueue(folder / "jobs.db") as writer:
        writer.submit(Job("job", JOB))
    with JobQueue(frozen / "jobs.db", read_only=True) as queue:
        assert queue.count() == 1
        with JobQueue(folder / "jobs.db") as writer:
            writer.submit(Job("job", JOB))
            assert queue.count() == 2  # through the log, which the writer has made
            writer.submit(Job("job", JOB))
            assert queue.count() == 3
        assert queue.count() == 3
        with closing(sqlite3.connect(folder / "jobs.db", isolation_level=None)) as tool:
            tool.execute("UPDATE jobs SET name = 'other'")
        assert {job["name"] for job in queue.list_jobs()} == {"other"}


def test_a_look_during_which_somebody_begins_to_write_is_refused_at_its_end(folders: tuple[Path, Path]) -> None:
    folder, frozen = folders
    JobQueue(folder / "jobs.db").close()
    with JobQueue(frozen / "jobs.db", read_only=True) as queue:
        refused = pytest.raises(QueueBusy, match="changed by another program while it was read; read it again")
        with refused, queue.database.read() as tx:
            assert tx.value("SELECT count(*) FROM jobs") == 0
            with JobQueue(folder / "jobs.db") as writer:
                writer.submit(Job("job", JOB))
        assert queue.count() == 1


def test_a_log_that_cannot_be_read_without_writing_is_refused_in_one_sentence(folders: tuple[Path, Path]) -> None:
    folder, frozen = folders
    with JobQueue(folder / "jobs.db") as queue:
        queue.submit(Job("job", JOB))
        for end in ("", "-wal"):
            shutil.copy(f"{folder}/jobs.db{end}", f"{folder}/copy.db{end}")
    with pytest.raises(StoreError, match=r"mounted read-only, which is necessary here to read what '.*-wal' holds$"):
        JobQueue(frozen / "copy.db", read_only=True)


def test_a_copy_that_is_not_in_wal_mode_can_be_looked_at(folders: tuple[Path, Path]) -> None:
    folder, frozen = folders
    with JobQueue(folder / "jobs.db") as queue:
        queue.submit(Job("job", JOB))
    with closing(sqlite3.connect(folder / "jobs.db", isolation_level=None)) as tool:
        tool.execute("PRAGMA journal_mode = DELETE").fetchone()
    with JobQueue(frozen / "jobs.db", read_only=True) as queue:
        assert (queue.count(), queue.check()) == (1, [])


needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the process of root gives up its rights as on Linux")


@needs_linux
def test_a_look_at_a_file_that_one_may_only_read_leaves_no_log_that_its_owner_cannot_write(filled: str) -> None:
    os.chmod(filled, 0o444)
    assert looked_at(filled) == ["1 []", "['jobs.db']"]
    assert names(filled) == ["jobs.db"]


@needs_linux
def test_a_program_that_may_not_write_a_file_leaves_no_log_when_it_tries(filled: str) -> None:
    os.chmod(filled, 0o444)
    (line,) = looked_at(filled, LOOK.replace("read_only=True", ""))
    assert line == (
        f"{filled!r} cannot be written: nobody may write it (its mode is 0444); open it read-only to look at it"
    )
    assert names(filled) == ["jobs.db"]


@needs_linux
def test_a_look_at_a_folder_that_one_may_only_read_needs_no_log(filled: str) -> None:
    os.chmod(Path(filled).parent, 0o555)
    assert looked_at(filled) == ["1 []", "['jobs.db']"]
    os.chmod(Path(filled).parent, 0o755)


@needs_linux
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (0o600, "'{}' cannot be read: only nobody may read it (its mode is 0600), and this process runs as root"),
        (0o640, "'{}' cannot be read: only nobody and the group {} may read it (its mode is 0640), and this process "),
    ],
)
def test_a_file_of_another_user_says_who_may_read_it(filled: str, mode: int, said: str) -> None:
    from grp import getgrgid

    group = next(each for each in range(1, 1000) if each not in os.getgroups() and _has_name(each))
    os.chown(filled, 65534, group)
    os.chmod(filled, mode)
    (line,) = looked_at(filled)
    assert line.startswith(said.format(filled, getgrgid(group).gr_name))
    (line,) = looked_at(filled, LOOK.replace("read_only=True", ""))
    assert line.endswith(" runs as root"), "advises nobody to look at what may not be read"
    os.chown(filled, 0, 0)


def _has_name(group: int) -> bool:
    from grp import getgrgid

    try:
        return bool(getgrgid(group))
    except KeyError:
        return False


@needs_linux
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_write_that_is_refused_says_who_may_write(filled: str) -> None:
    script = LOOK.replace("read_only=True", "initialize=False").replace("queue.check()", "queue.enqueue('f')")
    os.chown(filled, 65534, 65534)
    os.chmod(filled, 0o644)
    (line,) = looked_at(filled, script)
    who = f"{filled!r} cannot be written: only nobody may write it (its mode is 0644), and this process runs as root"
    assert line == f"{who}; open it read-only to look at it"
    os.chown(filled, 0, 0)
