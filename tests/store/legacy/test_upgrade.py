"""A file of the GigQ package 0.5.1 becomes one of ours, with everything in it, or stays as it is."""

from __future__ import annotations

import logging
import random
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from store import old_file
from store.old_file import OldFile, dump, read

from gigq import JobQueue, ManualClock, NotAQueue, StoreError
from gigq.testing import drain

Open = Callable[..., JobQueue]

NOW = "2026-11-22T11:30:00.000000Z"
CENTRAL_EUROPE = "CET-1CEST,M3.5.0,M10.5.0/3"


@pytest.fixture
def clock() -> ManualClock:
    """Half an hour after the stored file was written."""
    return ManualClock(datetime(2026, 11, 22, 11, 30, tzinfo=UTC))


@pytest.fixture(autouse=True)
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Moves this machine to a time zone; it starts in UTC, like the machine that wrote the stored file."""

    def move(rule: str) -> None:
        monkeypatch.setenv("TZ", rule)
        time.tzset()

    move("UTC0")
    yield move
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def written(path: str) -> str:
    """The stored file, which the older package has written."""
    old_file.write(path, old_file.WRITTEN)
    return path


@pytest.fixture
def old(path: str) -> OldFile:
    return OldFile(path)


@pytest.fixture
def upgraded(open_queue: Open, clock: ManualClock) -> Callable[[], JobQueue]:
    return lambda: open_queue(clock=clock)


def job_named(queue: JobQueue, name: str) -> dict[str, Any]:
    (job,) = queue.list_jobs(name=name)
    return job


def executions(job: dict[str, Any]) -> list[tuple[int, str]]:
    return [(each["attempt"], each["status"]) for each in job["executions"]]


# what comes over


def test_every_job_is_copied_with_its_status_and_its_history(written: str, upgraded: Callable[[], JobQueue]) -> None:
    found = [(job["name"], job["phase"], job["attempts"], executions(job)) for job in reversed(upgraded().list_jobs())]
    assert found == [
        ("completed", "completed", 1, [(1, "completed")]),
        ("completed child", "completed", 1, [(1, "completed")]),
        ("failed", "failed", 2, [(1, "failed"), (2, "failed")]),
        ("child of failed", "cancelled", 0, []),
        ("grandchild of failed", "cancelled", 0, []),
        ("cancelled", "cancelled", 0, []),
        ("timeout", "timeout", 1, [(1, "timeout")]),
        ("timed out once", "retrying", 1, [(1, "timeout")]),
        ("retrying", "retrying", 1, [(1, "failed")]),
        ("requeued", "ready", 1, [(1, "failed"), (2, "failed"), (1, "failed")]),
        ("running", "ready", 1, [(1, "lost")]),
        ("running for the last time", "failed", 1, [(1, "lost")]),
        ("child of running", "waiting", 0, []),
        ("child of cleared", "ready", 0, []),
        ("parent submitted late", "ready", 0, []),
        ("child submitted early", "waiting", 0, []),
        ("pending", "ready", 0, []),
        ("not a number", "ready", 0, []),
        ("hen", "cancelled", 0, []),
        ("egg", "cancelled", 0, []),
        ("waits for the egg", "cancelled", 0, []),
    ]


def test_ids_and_options_are_kept(written: str, upgraded: Callable[[], JobQueue]) -> None:
    ((old_id,),) = read(written, "SELECT id FROM jobs WHERE name = 'pending'")
    queue = upgraded()
    job = queue.get_status(old_id)
    assert (job["name"], job["function"], job["params"]) == ("pending", "chores:add", {"a": 1, "b": 2.5})
    assert (job["priority"], job["max_attempts"], job["timeout"], job["queue"]) == (-5, 3, 300.0, "default")
    assert (job["status"], job["run_at"], job["error"], job["metadata"]) == ("pending", None, None, {})
    assert job_named(queue, "running")["description"] == "somebody's nap"
    assert read(written, "SELECT DISTINCT name, pass_parent_results FROM jobs WHERE pass_parent_results >= 0") == [
        ("child of running", 1),
        ("pending", 0),
    ]
    assert read(written, "SELECT retry_delay, retry_max_delay FROM jobs WHERE name = 'retrying'") == [(7200, 7200)]


def test_results_and_errors_are_kept(written: str, upgraded: Callable[[], JobQueue]) -> None:
    queue = upgraded()
    child = job_named(queue, "completed child")
    assert (child["result"], child["dependencies"]) == (3, [job_named(queue, "completed")["id"]])
    failed = job_named(queue, "failed")
    assert (failed["error"], failed["executions"][0]["error"]) == ("no such thing", "no such thing")
    assert job_named(queue, "timeout")["error"] == "Job timed out after 1 seconds"
    assert job_named(queue, "completed")["worker_id"] == "old-worker"


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_job_that_returned_nothing_has_completed_with_none(
    old: OldFile, upgraded: Callable[[], JobQueue], nothing: str | None
) -> None:
    old.add("job", status="completed", attempts=1, result=nothing)
    old.add_child("child", ["job"])
    queue = upgraded()
    assert (queue.get_status("job")["status"], queue.result("job")) == ("completed", None)
    assert drain(queue) == 1
    assert queue.result("child") == [None]


def test_values_that_are_not_json_stay_as_they_were(written: str, upgraded: Callable[[], JobQueue]) -> None:
    value = job_named(upgraded(), "not a number")["params"]["a"]
    assert value != value


def test_upgraded_jobs_run(old: OldFile, upgraded: Callable[[], JobQueue]) -> None:
    parent = old.add("parent", params='{"a": 2, "b": 3}')
    old.add_child("child", [parent])
    queue = upgraded()
    assert drain(queue) == 2
    assert (queue.result("parent"), queue.result("child")) == (5, [5])


def test_jobs_stay_in_the_order_of_submission_but_for_parents(old: OldFile, upgraded: Callable[[], JobQueue]) -> None:
    for name in ("b", "a"):
        old.add(name)
    old.add_child("child", ["late parent"])
    old.add("c", created_at="2020-01-01T00:00:00")
    old.add("late parent")
    names = [job["name"] for job in reversed(upgraded().list_jobs())]
    assert names == ["b", "a", "c", "late parent", "child"]


@pytest.mark.parametrize(
    ("zone", "text", "instant"),
    [
        ("UTC0", "2026-07-01T12:00:00.123456", "2026-07-01T12:00:00.123456Z"),
        ("UTC0", "2026-07-01T12:00:00", "2026-07-01T12:00:00.000000Z"),
        (CENTRAL_EUROPE, "2026-07-01T12:00:00", "2026-07-01T10:00:00.000000Z"),
        (CENTRAL_EUROPE, "2026-01-01T00:30:00", "2025-12-31T23:30:00.000000Z"),
        # 02:30 comes twice on the last Sunday of October: the first is meant.
        (CENTRAL_EUROPE, "2026-10-25T02:30:00", "2026-10-25T00:30:00.000000Z"),
        (CENTRAL_EUROPE, "2026-07-01T12:00:00+00:00", "2026-07-01T12:00:00.000000Z"),
    ],
)
def test_local_times_become_utc(
    old: OldFile, upgraded: Callable[[], JobQueue], in_zone: Callable[[str], None], zone: str, text: str, instant: str
) -> None:
    in_zone(zone)
    times = {"created_at": text, "updated_at": text, "started_at": text, "completed_at": text}
    old.add("job", status="completed", attempts=1, result="1", **times)
    old.add_execution("job", "completed", started_at=text, completed_at=text)
    job = upgraded().get_status("job")
    (execution,) = job["executions"]
    assert {job[name] for name in times} == {execution["started_at"], execution["completed_at"]} == {instant}


def test_a_job_that_was_cancelled_or_timed_out_ended_at_its_last_change(
    old: OldFile, upgraded: Callable[[], JobQueue]
) -> None:
    for status in ("cancelled", "timeout"):
        old.add(status, status=status, updated_at="2026-03-02T00:00:00", completed_at="2026-02-01T00:00:00")
    ends = {job["completed_at"] for job in upgraded().list_jobs()}
    assert ends == {"2026-03-02T00:00:00.000000Z"}


# jobs that were running


def test_a_running_job_has_lost_its_attempt_and_waits_for_its_retry(
    old: OldFile, upgraded: Callable[[], JobQueue]
) -> None:
    old.add("job", status="running", attempts=1, worker_id="worker-0", started_at=old_file.THEN, retry_delay=60)
    old.add_execution("job", "running")
    job = upgraded().get_status("job")
    assert (job["phase"], job["attempts"], job["run_at"]) == ("retrying", 1, "2026-11-22T11:31:00.000000Z")
    assert job["error"] == "the file was upgraded from GigQ 0.5.1 while this attempt ran"
    (execution,) = job["executions"]
    assert (execution["status"], execution["completed_at"]) == ("lost", NOW)


def test_a_running_job_without_attempts_left_has_failed(old: OldFile, upgraded: Callable[[], JobQueue]) -> None:
    old.add("job", status="running", attempts=3)
    old.add_child("child", ["job"])
    queue = upgraded()
    assert [queue.get_status(each)["status"] for each in ("job", "child")] == ["failed", "cancelled"]
    assert queue.requeue_job("job")
    assert [queue.get_status(each)["status"] for each in ("job", "child")] == ["pending", "pending"]


def test_an_execution_that_nobody_ended_is_lost(old: OldFile, upgraded: Callable[[], JobQueue]) -> None:
    old.add("job", status="completed", attempts=2, result="1")
    old.add_execution("job", "running")
    old.add_execution("job", "completed")
    first, second = upgraded().get_status("job")["executions"]
    assert (first["status"], second["status"]) == ("lost", "completed")
    assert first["error"] == "GigQ 0.5.1 left no record of how this attempt ended"


@pytest.mark.parametrize(
    ("status", "counted", "most", "recorded", "attempts", "numbers"),
    [
        ("failed", 2, 3, 2, 2, [1, 2]),
        ("failed", 3, 3, 1, 3, [1, 2, 3]),
        ("failed", 3, 3, 0, 3, [1, 2, 3]),
        ("failed", 9, 3, 3, 3, [1, 2, 3]),
        ("failed", -1, 3, 0, 0, []),
        ("failed", 10**9, 10**9, 0, 100, list(range(1, 101))),
        # It was requeued.
        ("pending", 1, 3, 4, 1, [1, 2, 3, 1]),
        ("pending", 0, 2, 5, 0, [1, 2, 1, 2, 1]),
        # The old worker ran a pending job whatever its counter said.
        ("pending", 3, 3, 3, 2, [1, 1, 2]),
        ("pending", 0, 0, 0, 0, []),
        ("running", 0, 3, 0, 1, [1]),
    ],
)
def test_the_attempts_that_count_are_numbered(
    old: OldFile,
    upgraded: Callable[[], JobQueue],
    status: str,
    counted: int,
    most: int,
    recorded: int,
    attempts: int,
    numbers: list[int],
) -> None:
    old.add("job", status=status, attempts=counted, max_attempts=most)
    for _ in range(recorded):
        old.add_execution("job", "failed")
    job = upgraded().get_status("job")
    assert (job["attempts"], [each["attempt"] for each in job["executions"]]) == (attempts, numbers)


# dependencies


def test_a_parent_that_is_gone_is_noted_and_not_waited_for(old: OldFile, upgraded: Callable[[], JobQueue]) -> None:
    old.add("parent")
    old.add_child("child", ["gone", "parent", "parent"])
    child = upgraded().get_status("child")
    assert (child["phase"], child["dependencies"]) == ("waiting", ["parent"])
    assert child["metadata"] == {"gigq_0_5": {"missing_parents": ["gone"]}}


def test_a_child_receives_none_for_each_parent_that_is_gone(old: OldFile, upgraded: Callable[[], JobQueue]) -> None:
    old.add("parent", status="completed", result="7", completed_at="2026-11-22T10:00:00")
    old.add_child("some", ["gone", "parent"])
    old.add_child("all", ["gone", "gone too"])
    old.add_child("none", [])
    queue = upgraded()
    while claim := queue.dequeue():
        wanted = {"some": {"parent": 7, "gone": None}, "all": {"gone": None, "gone too": None}, "none": {}}
        assert claim.parent_results == wanted[claim.id]
        queue.fail(claim, "only looked at", retry=False)
    for job_id in ("some", "all"):
        queue.requeue_job(job_id)
    drain(queue)
    assert (queue.get_result("some"), queue.get_result("all")) == ([7, None], [None, None])


@pytest.mark.parametrize("metadata", ['{"gigq_0_5": 1}', '{"gigq_0_5": {"missing_parents": {}}}', '["gigq_0_5"]'])
@pytest.mark.unsound("a list is written where metadata belong")
def test_notes_that_somebody_has_changed_keep_no_job_from_running(queue: JobQueue, path: str, metadata: str) -> None:
    job_id = queue.enqueue("functions:nothing")
    old_file.write(path, f"UPDATE jobs SET metadata = '{metadata}'")
    claim = queue.dequeue()
    assert claim
    assert (claim.id, claim.parent_results) == (job_id, {})


def test_the_child_of_a_job_that_ended_badly_is_cancelled_and_comes_back_with_it(
    written: str, upgraded: Callable[[], JobQueue]
) -> None:
    queue = upgraded()
    parent, child = job_named(queue, "failed"), job_named(queue, "child of failed")
    assert child["error"] == (f"cancelled because job {parent['id']} (failed), on which it depends, ended as failed")
    assert queue.requeue_job(parent["id"])
    assert job_named(queue, "child of failed")["phase"] == "waiting"
    assert job_named(queue, "grandchild of failed")["phase"] == "waiting"


@pytest.mark.parametrize(
    "dependencies",
    [
        {"a": ["a"]},
        {"a": ["b"], "b": ["a"]},
        {"a": ["c"], "b": ["a"], "c": ["b"]},
        {"a": ["b", "c"], "b": ["a"], "c": ["a"]},
    ],
)
def test_jobs_that_wait_for_each_other_are_cancelled(
    old: OldFile, upgraded: Callable[[], JobQueue], dependencies: dict[str, list[str]]
) -> None:
    for job_id, parents in dependencies.items():
        old.add_child(job_id, parents)
    queue = upgraded()
    for job in queue.list_jobs():
        assert job["status"] == "cancelled"
        assert "the jobs that it depends on wait for each other" in job["error"]
        assert job["error"] in queue.why(job["id"])[0]
    assert queue.get_status("a")["metadata"] == {"gigq_0_5": {"circular_parents": dependencies["a"]}}


def test_a_circle_through_a_finished_job_holds_nothing_up(old: OldFile, upgraded: Callable[[], JobQueue]) -> None:
    old.add_child("done", ["open"], status="completed", attempts=0, result="1")
    old.add_child("open", ["done"])
    queue = upgraded()
    assert drain(queue) == 1
    assert queue.result("open") == [1]


# what cannot be read


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"params": "{bad"}, "params is '{bad'"),
        ({"params": "[1]"}, "params is '[1]'"),
        ({"params": None}, "params is None"),
        ({"params": b"\xff"}, "params is '\ufffd'"),
        ({"params": '{"a": ' + "9" * 5000 + "}"}, 'params is \'{"a": 999'),
        ({"params": "[" * 100_000}, "params is '[[["),
        ({"dependencies": "nobody"}, "dependencies is 'nobody'"),
        ({"dependencies": '{"a": 1}'}, "dependencies is '{\"a\": 1}'"),
        ({"dependencies": "[7]"}, "dependencies is '[7]'"),
        ({"dependencies": '["\\ud800"]'}, "dependencies is '[\"\\\\ud800\"]'"),
        ({"status": "lost"}, "status is 'lost'"),
        ({"function_name": "<lambda>"}, "function_name is '<lambda>'"),
        ({"function_module": ""}, "function_module is ''"),
        ({"priority": "high"}, "priority is 'high'"),
        ({"max_attempts": float("inf")}, "max_attempts is inf"),
        ({"priority": 1e300}, "priority is 1e+300"),
        ({"attempts": "one"}, "attempts is 'one'"),
        ({"timeout": -1}, "timeout is -1"),
        ({"timeout": float("inf")}, "timeout is inf"),
        ({"retry_delay": "soon"}, "retry_delay is 'soon'"),
        ({"params": "x", "priority": "y"}, "params is 'x', priority is 'y'"),
        ({"status": "completed", "result": "{bad"}, "result is '{bad'"),
    ],
)
def test_values_that_cannot_be_read_become_the_error_of_a_job(
    old: OldFile, upgraded: Callable[[], JobQueue], columns: dict[str, Any], complaint: str
) -> None:
    old.add("job", **columns)
    old.add("other")
    queue = upgraded()
    job = queue.get_status("job")
    assert job["status"] == "failed"
    assert job["error"].startswith(f"GigQ 0.5.1 left values that cannot be read: {complaint}")
    assert set(job["metadata"]["gigq_0_5"]["unreadable"]) == {each for each in columns if each in complaint}
    assert drain(queue) == 1
    assert queue.result("other") == 1


@pytest.mark.parametrize(
    ("columns", "name", "value"),
    [
        ({"params": ""}, "params", {}),
        ({"dependencies": None}, "dependencies", []),
        ({"description": None}, "description", ""),
        ({"priority": None}, "priority", 0),
        ({"priority": 1.5}, "priority", 2),
        ({"priority": -0.2}, "priority", 0),
        ({"max_attempts": None}, "max_attempts", 3),
        ({"max_attempts": 2.5}, "max_attempts", 3),
        ({"attempts": 1.5}, "attempts", 2),
        ({"timeout": None}, "timeout", 300),
        ({"timeout": 0}, "timeout", 300),
        ({"timeout": 0.5}, "timeout", 0.5),
        ({"attempts": None}, "attempts", 0),
        ({"retry_delay": None}, "status", "pending"),
        ({"pass_parent_results": 7}, "status", "pending"),
        ({"status": b"pending"}, "phase", "ready"),
        ({"name": b"caf\xe9"}, "name", "caf\ufffd"),
        ({"retry_after": "soon"}, "phase", "ready"),
        ({"retry_after": "2026-11-22T11:00:00"}, "run_at", None),
        ({"created_at": "", "updated_at": ""}, "created_at", NOW),
        ({"created_at": "yesterday"}, "created_at", "2026-03-01T12:00:00.000000Z"),
    ],
)
def test_values_that_the_old_worker_ignored_do_not_harm_a_job(
    old: OldFile, upgraded: Callable[[], JobQueue], columns: dict[str, Any], name: str, value: object
) -> None:
    old.add("job", **columns)
    job = upgraded().get_status("job")
    assert (job[name], job["status"]) == (value, "pending")


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_a_job_whose_arguments_are_unknown_does_not_run_even_if_it_is_requeued(
    old: OldFile, upgraded: Callable[[], JobQueue], status: str
) -> None:
    old.add("job", params="{bad", function_name="nothing", status=status)
    queue = upgraded()
    assert queue.requeue_job("job")
    drain(queue)
    job = queue.get_status("job")
    assert (job["status"], job["attempts"]) == ("failed", 1)
    assert "cannot import 'unreadable params of functions:nothing'" in job["error"]


def test_text_that_is_not_utf_8_is_read_too(old: OldFile, upgraded: Callable[[], JobQueue]) -> None:
    old.add("job", status="failed")
    old_file.write(old.path, "UPDATE jobs SET error = CAST(x'ff' AS TEXT)")
    assert upgraded().get_status("job")["error"] == "\ufffd"


def test_the_queue_that_has_upgraded_a_file_still_shows_text_that_is_not_utf_8(
    written: str, upgraded: Callable[[], JobQueue]
) -> None:
    queue = upgraded()
    old_file.write(written, "UPDATE jobs SET name = CAST(x'fc' AS TEXT) WHERE name = 'failed'")
    assert "\\xfc" in [job["name"] for job in queue.list_jobs()]


def test_a_job_without_an_id_is_given_one(old: OldFile, upgraded: Callable[[], JobQueue]) -> None:
    for job_id in ("without-id-2", None, None):
        old.add(job_id)
    ids = [job["id"] for job in upgraded().list_jobs()]
    assert sorted(ids) == ["without-id-2", "without-id-2-2", "without-id-3"]


@pytest.mark.parametrize(
    ("columns", "status", "error"),
    [
        ({"status": "odd"}, "lost", "GigQ 0.5.1 left values that cannot be read: status is 'odd'"),
        ({"status": "failed", "error": "no", "completed_at": None, "started_at": ""}, "failed", "no"),
    ],
)
def test_an_odd_execution_does_no_harm(
    old: OldFile, upgraded: Callable[[], JobQueue], columns: dict[str, Any], status: str, error: str
) -> None:
    old.add("job", status="failed", attempts=1)
    old.add_execution("job", **columns)
    old.add_execution("cleared", "completed")
    (execution,) = upgraded().get_status("job")["executions"]
    assert (execution["status"], execution["error"]) == (status, error)


ANYTHING = [
    None, "", "x", "[]", "{}", "null", "NaN", "7", "[1]", '["a", "b"]', '["gone"]', '{"a": 1}', "pending", "running",
    "completed", "failed", "cancelled", "timeout", old_file.THEN, "9999-12-31T23:59:59", "0001-01-01", "a\x00b", b"",
    b"\xff", 0, 1, 2, -1, 2**63 - 1, -(2**63), 0.5, 1e300, float("inf"), "\U0001f600",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_a_file_is_upgraded_whatever_its_columns_hold(
    old: OldFile, upgraded: Callable[[], JobQueue], seed: int
) -> None:
    chance = random.Random(seed)
    columns = [name for (name,) in read(old.path, "SELECT name FROM pragma_table_info('jobs') WHERE name <> 'id'")]
    old_file.write(old.path, old_file.without_not_null(old.path))
    for job_id in ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j"):
        old.add(job_id, **{name: chance.choice(ANYTHING) for name in chance.sample(columns, chance.randrange(12))})
        for _ in range(chance.randrange(4)):
            names = chance.sample(["worker_id", "status", "started_at", "completed_at", "error"], 3)
            old.add_execution(job_id, **{"status": "failed"} | {name: chance.choice(ANYTHING) for name in names})
    queue = upgraded()
    assert {job["id"] for job in queue.list_jobs()} == set("abcdefghij")
    for job_id in "abcdefghij":
        assert queue.why(job_id)
    drain(queue)


# other files of theirs


def test_a_file_of_an_earlier_version_lacks_columns(old: OldFile, upgraded: Callable[[], JobQueue]) -> None:
    old.add("job")
    columns = ", ".join(name for (name,) in read(old.path, "SELECT name FROM pragma_table_info('jobs')")[:19])
    old_file.write(
        old.path,
        f"CREATE TABLE before AS SELECT {columns} FROM jobs; DROP TABLE jobs; ALTER TABLE before RENAME TO jobs",
    )
    queue = upgraded()
    assert drain(queue) == 1
    assert queue.result("job") == 1


def test_columns_and_tables_of_other_applications_are_kept(old: OldFile, upgraded: Callable[[], JobQueue]) -> None:
    old_file.write(
        old.path,
        "ALTER TABLE jobs ADD COLUMN customer TEXT; CREATE TABLE orders (id INTEGER); INSERT INTO orders VALUES (7);"
        "CREATE VIEW open_jobs AS SELECT id FROM jobs WHERE status = 'pending'",
    )
    old.add("job", customer="ann")
    assert upgraded().get_status("job")["metadata"] == {"gigq_0_5": {"columns": {"customer": "ann"}}}
    assert read(old.path, "SELECT * FROM orders") == [(7,)]
    assert read(old.path, "SELECT * FROM open_jobs") == [("job",)]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("ALTER TABLE jobs RENAME COLUMN params TO arguments", "its table 'jobs' has no column 'params'"),
        ("ALTER TABLE job_executions RENAME COLUMN error TO e", "its table 'job_executions' has no column 'error'"),
        ("CREATE TABLE job_tags (mine)", "it also has a table 'job_tags' of another application"),
        ("CREATE TABLE orders (job TEXT REFERENCES jobs (id) ON DELETE CASCADE)", "the table 'orders' of another"),
    ],
)
def test_a_file_that_cannot_be_upgraded_is_refused_with_the_reason_and_left_alone(
    written: str, script: str, reason: str
) -> None:
    old_file.write(written, script)
    before = dump(written)
    for initialize in (True, False):
        with pytest.raises(NotAQueue, match=reason):
            JobQueue(written, initialize=initialize)
    assert dump(written) == before


def test_a_look_changes_nothing_and_says_how_to_upgrade(written: str) -> None:
    before = dump(written)
    with pytest.raises(NotAQueue, match=r"written by GigQ 0\.5\.1; .* upgrades it$"):
        JobQueue(written, initialize=False)
    assert dump(written) == before


def test_an_upgraded_file_is_like_one_of_ours(written: str, upgraded: Callable[[], JobQueue], tmp_path: Path) -> None:
    Path(written).chmod(0o640)
    upgraded()
    with JobQueue(tmp_path / "ours.db"):
        schema = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
        assert read(written, schema) == read(str(tmp_path / "ours.db"), schema)
    assert read(written, "PRAGMA journal_mode") == [("wal",)]
    assert stat.S_IMODE(Path(written).stat().st_mode) == 0o640


# the copy that is kept


@pytest.fixture
def copy(path: str) -> Path:
    return Path(f"{path}.gigq-0.5")


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_the_old_file_is_kept_as_it_was_with_its_mode(
    written: str, upgraded: Callable[[], JobQueue], copy: Path, mode: int
) -> None:
    Path(written).chmod(mode)
    before = dump(written)
    assert upgraded().check() == []
    assert dump(str(copy)) == before
    assert stat.S_IMODE(copy.stat().st_mode) == mode
    assert not list(copy.parent.glob("*.unfinished*"))


def test_the_log_warns_of_the_upgrade_and_names_both_files(
    written: str, upgraded: Callable[[], JobQueue], copy: Path, caplog: pytest.LogCaptureFixture
) -> None:
    upgraded()
    assert caplog.record_tuples == [
        ("gigq.store", logging.WARNING,
         f"{written!r} was upgraded from GigQ 0.5.1; the old file is kept as {str(copy)!r}")
    ]  # fmt: skip
    upgraded()
    assert len(caplog.records) == 1


def test_what_the_old_worker_has_in_its_log_is_in_the_copy(path: str, written: str, copy: Path) -> None:
    with closing(old_file.tool(path)) as worker:
        worker.execute("PRAGMA journal_mode = WAL").fetchone()
        worker.execute("UPDATE jobs SET name = 'from the log'")
        assert Path(f"{path}-wal").stat().st_size > 0
        JobQueue(path).close()
    assert {name for (name,) in read(str(copy), "SELECT name FROM jobs")} == {"from the log"}


def test_an_earlier_copy_is_kept_too_unless_it_is_the_same(written: str, copy: Path) -> None:
    copy.write_text("mine")
    JobQueue(written).close()
    second = Path(f"{copy}.2")
    assert copy.read_text() == "mine"
    for _ in range(2):  # the old file is put back, and upgraded again
        shutil.copy(second, written)
        JobQueue(written).close()
    assert sorted(each.name for each in copy.parent.iterdir()) == [
        "jobs.db", "jobs.db.gigq-0.5", "jobs.db.gigq-0.5.2"
    ]  # fmt: skip
    copy.unlink()


def test_a_link_in_the_place_of_the_copy_is_not_followed(written: str, copy: Path, tmp_path: Path) -> None:
    (tmp_path / "diary").write_text("dear diary")
    for end in ("", ".unfinished"):
        Path(f"{copy}{end}").symlink_to(tmp_path / "diary")
    JobQueue(written).close()
    assert (tmp_path / "diary").read_text() == "dear diary"


def test_without_a_copy_there_is_no_upgrade(written: str, copy: Path) -> None:
    before = dump(written)
    Path(f"{copy}.unfinished").mkdir()  # where the copy would be made
    with pytest.raises(StoreError, match=r"was not upgraded from GigQ 0\.5\.1, because no copy could be made: "):
        JobQueue(written)
    assert dump(written) == before
    Path(f"{copy}.unfinished").rmdir()


def test_a_new_file_leaves_no_copy(path: str, caplog: pytest.LogCaptureFixture) -> None:
    JobQueue(path).close()
    assert [each.name for each in Path(path).parent.iterdir()] == ["jobs.db"]
    assert not caplog.records
