"""The last job that a user submitted or looked at: where it is kept, and what becomes of it where it cannot be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gigq.cli.last_job import recall, remember


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def test_the_last_job_of_each_queue_is_remembered(tmp_path: Path) -> None:
    remember("a.db", "first")
    remember("b.db", "other")
    remember("a.db", "ünd\n")

    assert (recall(str(tmp_path / "x" / ".." / "a.db")), recall("b.db"), recall("c.db")) == ("ünd\n", "other", None)


def test_a_queue_is_the_same_by_any_name_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").touch()
    (tmp_path / "link.db").symlink_to("jobs.db")
    remember(str(tmp_path / "link.db"), "job")

    assert recall(str(tmp_path / "jobs.db")) == "job"


def test_nobody_else_may_read_it(state: Path) -> None:
    remember("jobs.db", "job")

    assert stat.S_IMODE((state / "gigq").stat().st_mode) == 0o700


def test_without_the_variable_it_is_kept_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", value)
        remember("jobs.db", f"job {value}")
        assert recall("jobs.db") == f"job {value}"
    assert len(list((tmp_path / ".local" / "state" / "gigq").iterdir())) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '"text"', '["elsewhere", "job"]', "[1, 2]", "\udcff"])
def test_what_somebody_else_has_written_there_is_nothing(state: Path, content: str) -> None:
    remember("jobs.db", "job")
    (file,) = (state / "gigq").iterdir()
    file.write_text(content, errors="surrogateescape")

    assert recall("jobs.db") is None


@pytest.mark.parametrize("obstacle", ["file", "link"])
def test_where_it_cannot_be_written_nothing_happens(state: Path, obstacle: str) -> None:
    if obstacle == "file":
        state.write_text("")
    else:
        state.symlink_to("/proc/1/nowhere")
    remember("jobs.db", "job")

    assert recall("jobs.db") is None


def test_a_folder_of_another_user_is_left_alone(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state.mkdir()
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    remember("jobs.db", "job")

    assert list(state.iterdir()) == []
