"""`gigq backup`."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import functions
from screen import sane

from gigq import JobQueue

Run = Callable[..., Any]


def test_backup_copies_the_queue_and_says_what_it_has_copied(run: Run, queue: JobQueue, tmp_path: Path) -> None:
    queue.enqueue(functions.nothing)
    destination = tmp_path / "copy.db"

    outcome = run("backup", str(destination))

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"Copied 1 job to {destination}: 0.2 MB, as of 20")
    assert run("--db", str(destination), "list", "-q").out.split() == [queue.find_jobs()[0].id]


def test_a_file_that_is_there_is_overwritten_only_by_force(run: Run, queue: JobQueue, tmp_path: Path) -> None:
    destination = tmp_path / "copy.db"
    destination.write_text("precious")

    refused = run("backup", str(destination))
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == f"gigq: there is a file at '{destination}' already; --force overwrites it\n"
    assert destination.read_text() == "precious"

    found = run("backup", str(destination), "--force", "--json").json
    assert (found["path"], found["jobs"], found["problems"]) == (str(destination), 0, [])


def test_a_copy_of_a_queue_that_is_not_sound_is_made_and_says_so(
    run: Run, queue: JobQueue, path: str, tmp_path: Path
) -> None:
    queue.enqueue(functions.nothing)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP INDEX jobs_ready")

    outcome = run("backup", str(tmp_path / "copy.db"))

    assert outcome.code == 1 and "the index jobs_ready is missing" in outcome.out
    assert outcome.err == "gigq: the copy has the problems of the queue; gigq doctor --repair mends what it can\n"
    queue.repair()
    (tmp_path / "copy.db").unlink()


def test_a_copy_is_sound_for_the_doctor_too(run: Run, queue: JobQueue, tmp_path: Path) -> None:
    run("backup", str(tmp_path / "copy.db"))
    outcome = run("--db", str(tmp_path / "copy.db"), "doctor")
    assert outcome.code == 0 and outcome.out.endswith("The file is sound.\n")


def test_what_cannot_be_a_copy_is_one_line_of_error(run: Run, queue: JobQueue, path: str, tmp_path: Path) -> None:
    for destination in (path, ":memory:", str(tmp_path), str(tmp_path / "no" / "copy.db")):
        outcome = run("backup", destination, "--force")
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1), destination
    assert run("backup").code == 2


STOPPED = """
import os, signal, sys
from gigq.cli import main
from gigq.progress_line import ProgressLine
ProgressLine.show = lambda *args: os.kill(os.getpid(), signal.SIGTERM)
sys.exit(main(["backup", "copies/copy.db"]))
"""


def test_a_signal_that_ends_it_leaves_nothing_behind(queue: JobQueue, path: str, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    done = subprocess.run([sys.executable, "-S", "-c", STOPPED], cwd=tmp_path, env=sane() | {"GIGQ_DB": path})
    assert done.returncode == -signal.SIGTERM
    assert os.listdir(tmp_path / "copies") == []
