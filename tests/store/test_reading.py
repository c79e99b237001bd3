"""Finding, counting and reading jobs."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from store.verbs import File

from gigq import Job, JobQueue, JobStatus, StoreError
from gigq.status import ExecutionStatus

GUIDE_KEYS = {
    "exists", "id", "name", "status", "created_at", "updated_at", "attempts", "max_attempts", "started_at",
    "completed_at", "params", "result", "error", "worker_id", "executions",
}  # fmt: skip


def names(jobs: list[dict[str, Any]]) -> list[str]:
    return [job["name"] for job in jobs]


def test_the_status_of_a_job_has_all_keys_and_plain_values(file: File) -> None:
    job_id = file.submit("add", params={"a": 1}, tags=["x"], metadata={"user": 7}, queue="q", description="sum")
    file.complete(job_id, result='{"sum":3}')
    status = file.queue.get_status(job_id)
    assert status.keys() >= GUIDE_KEYS | {"queue", "phase", "priority", "tags", "metadata", "dependencies", "run_at"}
    assert type(status["status"]) is str
    assert status["created_at"] == "2026-01-01T00:00:00.000000Z"
    assert (status["params"], status["result"], status["metadata"]) == ({"a": 1}, {"sum": 3}, {"user": 7})
    (execution,) = status["executions"]
    assert execution.keys() >= {"id", "status", "started_at", "completed_at"}
    assert type(execution["status"]) is str


def test_an_unknown_id_does_not_exist(file: File) -> None:
    assert file.queue.get_status("nobody") == {"exists": False}
    assert file.queue.get_job("nobody") is None


def test_jobs_are_listed_newest_first_without_a_hidden_limit(file: File) -> None:
    for number in range(1100):
        file.submit(str(number))
    assert names(file.queue.list_jobs()) == [str(number) for number in reversed(range(1100))]
    assert names(file.queue.list_jobs(limit=2, offset=1)) == ["1098", "1097"]
    assert file.queue.list_jobs(limit=0) == []


@pytest.fixture
def mixed(file: File) -> File:
    """A completed, a failed, a running, a delayed, a retrying, a waiting and a ready job."""
    file.complete(file.submit("completed", tags=["a", "b"]))
    file.fail(file.submit("failed", tags=["a"], params={}, description="100% of it"))
    file.submit("retrying", retry_delay=50)
    file.settle(file.claim()[0], ExecutionStatus.FAILED, error="no route to HOST")
    file.clock.advance(10)
    file.submit("running", queue="other")
    file.claim(worker=file.register("bob"))
    file.submit("scheduled", delay=60)
    parent = file.submit("ready", priority=7)
    file.submit("waiting", dependencies=[parent])
    return file


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"status": "failed"}, ["failed"]),
        ({"status": JobStatus.COMPLETED}, ["completed"]),
        ({"status": ["failed", JobStatus.COMPLETED]}, ["failed", "completed"]),
        ({"status": "pending"}, ["waiting", "ready", "scheduled", "retrying"]),
        ({"status": []}, []),
        ({"phase": "ready"}, ["ready"]),
        ({"phase": ["waiting", "scheduled"]}, ["waiting", "scheduled"]),
        ({"phase": "retrying"}, ["retrying"]),
        ({"phase": "running"}, ["running"]),
        ({"queue": "other"}, ["running"]),
        ({"name": "ready"}, ["ready"]),
        ({"priority": 7}, ["ready"]),
        ({"priority": "high"}, []),
        ({"worker_id": "bob"}, ["running"]),
        ({"tags": "a"}, ["failed", "completed"]),
        ({"tags": ["a", "b"]}, ["completed"]),
        ({"tags": ["a", "a"]}, ["failed", "completed"]),
        ({"search": "host"}, ["retrying"]),
        ({"ids": ["nobody"]}, []),
        ({"ids": []}, []),
        ({"search": "100%"}, ["failed"]),
        ({"search": "e_d"}, []),
        ({"since": "2026-01-01T00:00:10Z"}, ["waiting", "ready", "scheduled", "running"]),
        ({"until": "2026-01-01T00:00:10Z"}, ["retrying", "failed", "completed"]),
        ({"status": "pending", "phase": "ready", "queue": "default"}, ["ready"]),
    ],
)
def test_each_filter_passes_the_jobs_that_it_names(mixed: File, filters: dict[str, Any], found: list[str]) -> None:
    assert names(mixed.queue.list_jobs(**filters)) == found
    assert mixed.queue.count(**filters) == len(found)


def test_jobs_are_found_by_their_ids_together_with_other_filters(mixed: File) -> None:
    jobs = {job["name"]: job["id"] for job in mixed.queue.list_jobs()}
    ids = [jobs["ready"], "nobody", jobs["failed"], jobs["running"]]
    assert names(mixed.queue.list_jobs(ids=ids)) == ["ready", "running", "failed"]
    assert names(mixed.queue.list_jobs(ids=ids, status=["failed", "pending"])) == ["ready", "failed"]
    assert mixed.queue.count(ids=mixed.queue.find_jobs()) == len(jobs)
    assert (mixed.queue.cancel_jobs(ids=ids), mixed.queue.count("cancelled", ids=jobs["ready"])) == (1, 1)


@pytest.mark.parametrize(
    ("text", "needles"),
    [
        ("École des Mines", ["École DES", "ÉCOLE", "école d"]),
        ("Müller & Söhne", ["MÜLLER", "müller", "SÖHNE", "& s"]),
        ("STRASSE", ["straße", "Strasse"]),
        ("Straße", ["STRASSE", "straße"]),
        ("Δοκιμή ПРИВЕТ", ["δοκιμή", "привет"]),
        (r"C:\new\users.csv", [r"C:\new", r"\users", r"c:\NEW\Users.CSV", r"C:\\new"]),
        ('say "hi" now', ['say "HI"', '"hi"']),
        ("one\ntwo\tthree\r\n\b\f", ["one\ntwo", "TWO\tTHREE", "\r\n", "\b\f"]),
        ("a\0b\x1fc\x7f", ["a\0B", "\x1fC", "\x7f"]),
        ("100% e_d [x]*", ["100%", "E_D", "[X]*"]),
        ("party 🎉 time", ["🎉", "PARTY 🎉"]),
        ("\x01\x02", ["\x01\x02"]),
    ],
)
@pytest.mark.parametrize("place", ["name", "param", "key", "argument"])
def test_text_is_found_in_any_case_wherever_it_stands(file: File, text: str, needles: list[str], place: str) -> None:
    options: dict[str, dict[str, Any]] = {
        "name": {"name": text},
        "param": {"params": {"p": [{"q": f"before {text} after"}]}},
        "key": {"params": {text: 1}},
        "argument": {"args": [text]},
    }
    file.submit("other", args=["nothing of it"])
    job_id = file.submit(**options[place])
    for needle in needles:
        if place == "name" and "\\\\" in needle:
            continue  # as JSON has it, and only there
        assert [job.id for job in file.queue.find_jobs(search=needle)] == [job_id], needle


@pytest.mark.parametrize("needle", ["zz", "ü", "x\ny", "jobnothing", "qr", "\0", "\x01", "\\", '"zz"', "%", "_", "*"])
def test_what_stands_nowhere_is_not_found(file: File, needle: str) -> None:
    file.submit("job", args=["q"], params={"b": "x", "c": "y"}, description="r")
    assert file.queue.count(search=needle) == 0


def test_text_that_an_older_package_wrote_as_escapes_is_found(file: File) -> None:
    job_id = file.submit()
    escaped = json.dumps({"who": "Müller 🎉", "path": "C:\\u00e4"}).replace("\\ud83c", "\\uD83C")
    with file.write() as tx:
        tx.execute("UPDATE jobs SET params = ? WHERE id = ?", (escaped, job_id))
    for needle in ("MÜLLER", "müller 🎉", r"c:\U00E4"):
        assert [job.id for job in file.queue.find_jobs(search=needle)] == [job_id]
    assert file.queue.count(search="c:ä") == 0


@pytest.mark.unsound("what is searched has been spoilt")
def test_what_somebody_has_spoilt_is_searched_too(file: File) -> None:
    file.submit("job")
    with file.write() as tx:
        tx.execute("UPDATE jobs SET description = CAST(x'ff4d' AS TEXT), error = x'feed', function = 5")
    assert [file.queue.count(search=each) for each in (r"\xffm", "JOB", r"\xfe", "5", "x")] == [1, 1, 1, 1, 1]
    assert file.queue.count(search="y") == 0


@pytest.mark.parametrize("page", [{"limit": -1}, {"offset": -1}])
def test_a_negative_page_is_refused(file: File, page: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="is -1; it must be a whole number from 0 up"):
        file.queue.list_jobs(**page)


def test_an_unknown_status_is_refused(file: File) -> None:
    with pytest.raises(ValueError, match="done"):
        file.queue.list_jobs(status="done")


def test_the_numbers_of_all_statuses_add_up(mixed: File) -> None:
    assert mixed.queue.stats() == {
        "pending": 4, "running": 1, "completed": 1, "failed": 1, "cancelled": 0, "timeout": 0, "total": 7,
    }  # fmt: skip


def test_a_job_knows_its_duration(file: File) -> None:
    job_id = file.submit()
    assert file.job(job_id).duration is None
    (claim,) = file.claim()
    file.clock.advance(2.5)
    file.settle(claim, ExecutionStatus.COMPLETED)
    assert file.job(job_id).duration == 2.5
    assert file.job(job_id).completed_at - file.job(job_id).started_at == timedelta(seconds=2.5)


def test_an_id_may_be_shortened_as_long_as_it_is_unique(file: File) -> None:
    file.submit(id="abcd1")
    file.submit(id="abcd2")
    assert file.queue.full_id("abcd1") == "abcd1"
    assert file.queue.full_id("abcd2"[:5]) == "abcd2"
    with pytest.raises(ValueError, match="2 jobs have ids that begin or end with 'abcd'"):
        file.queue.full_id("abcd")
    with pytest.raises(LookupError, match="xyz"):
        file.queue.full_id("xyz")


def test_the_result_of_an_unfinished_job_is_none(file: File) -> None:
    job_id = file.submit()
    assert file.queue.get_result(job_id) is None
    file.complete(job_id, result="[1,2]")
    assert file.queue.get_result(job_id) == [1, 2]
    with pytest.raises(LookupError):
        file.queue.get_result("nobody")


def test_looking_needs_no_write_lock(file: File, open_queue: Callable[..., JobQueue]) -> None:
    job_id = file.submit()
    other = open_queue()
    with file.write():
        assert other.get_status(job_id)["exists"]
        assert other.stats()["total"] == 1
        assert len(other.list_jobs()) == 1


@pytest.mark.parametrize(
    ("column", "value"), [("priority", "urgent"), ("attempts", 1.5), ("timeout", "long"), ("timeout", b"5")]
)
def test_a_value_that_is_no_number_is_shown_with_its_job_and_column(
    path: str, queue: JobQueue, column: str, value: object
) -> None:
    queue.submit(Job("job", "functions:nothing", id="the id"))
    right = queue.get_status("the id")[column]
    with closing(sqlite3.connect(path, isolation_level=None)) as tool:
        tool.execute("PRAGMA ignore_check_constraints = ON")
        tool.execute(f"UPDATE jobs SET {column} = ?", (value,))
        shown = re.escape(repr(value))
        with pytest.raises(StoreError, match=f"job 'the id' cannot be read: its {column} is {shown}, which gigq never"):
            queue.get_job("the id")
        tool.execute(f"UPDATE jobs SET {column} = ?", (right,))
    assert queue.get_status("the id")[column] == right
