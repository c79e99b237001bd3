"""A short battle with all acts is survived, and the checker finds each kind of broken guarantee."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nemesis.checker import problems
from nemesis.evidence import Evidence
from nemesis.history import Event

TESTS = Path(__file__).parents[1]

JOB: dict[str, Any] = {
    "status": "completed",
    "function": "deeds:work",
    "attempts": 1,
    "releases": 0,
    "max_attempts": 2,
    "queue": "default",
    "timeout": 10.0,
    "retry_delay": 0.0,
    "result": '{"attempt": 1}',
    "parents": [],
    "name": "quick",
    "seq": 1,
    "submitted_by": None,
}

EXECUTION = {"job": "a", "attempt": 1, "worker_id": "7", "status": "completed", "error_type": None}


def record(what: str, at: float, **facts: Any) -> Event:
    return {"what": what, "at": at, "pid": 7, "thread": 1, "client": "7", "job": "a", "attempt": 1} | facts


SOUND = [
    record("submitting", 0, jobs=["a"]),
    record("submitted", 1, jobs=["a"]),
    record("began", 2),
    record("returned", 3),
    record("died", 9, victim=7, code=0),
]


def judge(
    *more: Event, without: str = "", job: dict[str, Any] | None = None, executions: list[dict[str, Any]] | None = None
) -> list[str]:
    """Return what the checker finds about one job that ran once, but for these differences."""
    events = sorted([each for each in SOUND if each["what"] != without] + list(more), key=lambda event: event["at"])
    rows = [EXECUTION] if executions is None else executions
    stored = JOB | {"attempts": sum(row["status"] != "released" for row in rows)} | (job or {})
    found = problems(Evidence(events, jobs={"a": stored}, executions=rows))
    return [problem.partition(":")[0] for problem in found]


def again(at: float, **facts: Any) -> list[Event]:
    """Another call of the job, by another worker, of one second."""
    other = {"pid": 8, "client": "8", "attempt": 2} | facts
    return [record("began", at, **other), record("returned", at + 1, **other)]


SECOND = EXECUTION | {"attempt": 2, "worker_id": "8"}
FAILED = [EXECUTION | {"status": "failed", "error_type": "Flaw"}, SECOND]
LOST = [EXECUTION | {"status": "lost"}, SECOND]
KILLED = record("kill", 2.2, victim=9, worker=7)


def test_a_sound_history_is_sound() -> None:
    assert judge() == []


def test_an_acknowledged_job_must_be_there() -> None:
    assert judge(record("submitted", 4, jobs=["b"])) == ["lost"]


def test_jobs_that_were_not_acknowledged_are_there_completely_or_not_at_all() -> None:
    assert judge(record("submitting", 4, jobs=["a", "b"])) == ["lost"]
    assert judge(record("submitting", 4, jobs=["b", "c"])) == []


def test_every_job_must_end() -> None:
    assert judge(job={"status": "pending"}) == ["stuck"]


def test_no_job_is_called_twice_at_once() -> None:
    assert judge(*again(2.5), executions=FAILED, job={"result": '{"attempt": 2}'}) == ["doubled"]
    assert judge(*again(3.5), executions=FAILED, job={"result": '{"attempt": 2}'}) == []


def test_a_job_may_be_called_twice_while_its_worker_is_suspended() -> None:
    events = [record("suspend", 1.5, victim=7), record("continue", 8, victim=7), *again(2.5)]
    assert judge(*events, executions=LOST, job={"result": '{"attempt": 2}'}) == []


@pytest.mark.parametrize(("woken_at", "found"), [(1.9, []), (0.5, ["doubled"])])
def test_what_was_claimed_ahead_may_be_called_twice_just_after_its_worker_was_suspended(
    woken_at: float, found: list[str]
) -> None:
    slept = [record("suspend", -2, victim=7), record("continue", woken_at, victim=7)]
    assert judge(*slept, *again(2.5), executions=LOST, job={"result": '{"attempt": 2}'}) == found


def in_a_child(*more: Event, **row: Any) -> list[str]:
    """What the checker finds where the worker of a child process was killed while that ran the job."""
    child = [record(what, at, client="5") for what, at in (("began", 2), ("returned", 3))]
    killed = [record("kill", 2.9, victim=5), record("died", 2.9, victim=5, code=-9)]
    events = sorted([*SOUND[:2], *child, *killed, *more], key=lambda event: event["at"])
    executions = [EXECUTION | {"worker_id": "5"} | row] + ([SECOND] if more else [])
    job = {"attempts": len(executions), "result": json.dumps({"attempt": len(executions)})}
    return problems(Evidence(events, jobs={"a": JOB | job}, executions=executions))


def test_a_child_process_may_complete_its_job_in_the_moment_after_its_worker_was_killed() -> None:
    assert in_a_child() == []


def test_a_job_may_be_called_again_while_a_child_process_outlives_its_worker_for_a_moment() -> None:
    assert in_a_child(*again(2.95), status="lost") == []


def test_no_job_is_completed_twice() -> None:
    assert judge(*again(4), executions=[EXECUTION, SECOND], job={"result": '{"attempt": 2}'}) == ["doubled"]


def test_the_result_is_of_the_execution_that_completed_the_job() -> None:
    assert judge(job={"result": '{"attempt": 2}'}) == ["stale"]
    assert judge(without="returned") == ["stale"]


def test_no_job_is_called_more_often_than_allowed() -> None:
    assert judge(*again(4), executions=FAILED, job={"max_attempts": 1, "result": '{"attempt": 2}'}) == ["overrun"]


def test_a_queue_runs_no_more_jobs_at_once_than_its_limit() -> None:
    jobs = {name: JOB | {"queue": "narrow"} for name in "abc"}
    events = [each for number, name in enumerate(jobs) for each in (
        record("began", 2, job=name, thread=number), record("returned", 3, job=name, thread=number)
    )]  # fmt: skip
    executions = [EXECUTION | {"job": name} for name in jobs]
    found = problems(Evidence(sorted(events, key=lambda event: event["at"]), jobs=jobs, executions=executions))
    assert [problem.partition(":")[0] for problem in found] == ["overrun"]


def test_the_attempts_of_a_job_are_its_executions_that_were_not_given_back() -> None:
    given_back = EXECUTION | {"worker_id": "8", "status": "released"}
    assert judge(executions=[given_back, EXECUTION], job={"releases": 1}) == []
    assert judge(executions=[given_back, EXECUTION], job={"releases": 1, "attempts": 2}) == ["miscounted"]


@pytest.mark.parametrize(("kind", "how"), [(None, "lost"), ("ProcessDied", "failed"), ("NotImportable", "failed")])
def test_an_execution_is_lost_or_fails_by_its_own_function_or_by_the_nemesis(kind: str | None, how: str) -> None:
    executions = [EXECUTION | {"status": how, "error_type": kind}, SECOND]
    second = {"executions": executions, "job": {"result": '{"attempt": 2}'}}
    assert judge(*again(4), **second) == ["blamed"]
    assert judge(*again(4), KILLED, **second) == []
    assert judge(*again(4), record("fill", 4), record("free", 5), **second) == []


def test_a_worker_without_the_code_gives_each_job_back_and_does_not_take_many() -> None:
    lacks = record("lacks", 0, client="8", functions=["deeds:work"])
    given_back = EXECUTION | {"worker_id": "8", "status": "released"}
    assert judge(lacks, executions=[*[given_back] * 3, EXECUTION], job={"releases": 3}) == []
    assert judge(lacks, executions=[*[given_back] * 30, EXECUTION], job={"releases": 30}) == ["unlearned"]
    failed = {"attempt": 1, "status": "failed", "error_type": "Flaw"}
    assert judge(lacks, executions=[given_back | failed, EXECUTION]) == ["unlearned"]


def test_the_files_are_copied_quickly() -> None:
    assert judge(record("copied", 5, seconds=0.1)) == []
    assert judge(record("copied", 5, seconds=20.0)) == ["hindered"]


def test_a_cancelled_job_stays_cancelled() -> None:
    assert judge(record("cancelled", 1.5)) == ["overruled", "overruled"]


def test_a_child_waits_for_its_parents() -> None:
    assert judge(job={"parents": ["b"]}) == ["hasty"]


def test_no_job_times_out_early() -> None:
    executions = [EXECUTION | {"status": "timeout"}]
    assert judge(executions=executions, job={"status": "timeout"}) == ["hasty"]
    assert judge(executions=executions, job={"status": "timeout", "timeout": 1.0}) == []


@pytest.mark.parametrize(("seconds", "found"), [(4.0, []), (6.0, ["late"])])
def test_a_retry_comes_soon_after_its_delay(seconds: float, found: list[str]) -> None:
    raised = record("raised", 3)
    job = {"result": '{"attempt": 2}'}
    assert judge(raised, *again(3 + seconds), without="returned", executions=FAILED, job=job) == found


def entry(what: str, amount: int = 0) -> dict[str, Any]:
    return {"job": "a", "entry": what, "amount": amount}


MOVED = [entry("debit", -5), entry("credit", 5), entry("end")]


@pytest.mark.parametrize(
    ("status", "ledger", "found"),
    [
        ("completed", MOVED, []),
        ("completed", MOVED[:2], ["unbalanced", "unbalanced"]),
        ("completed", [*MOVED, entry("debit", -5)], ["unbalanced", "unbalanced"]),
        ("completed", [entry("debit", -5), entry("credit", 6), entry("end")], ["unbalanced"]),
        ("failed", MOVED[:1], []),
        ("failed", MOVED, ["unbalanced"]),
        ("failed", MOVED[:1] * 2, ["unbalanced"]),
    ],
)
def test_a_transfer_writes_each_entry_once_and_the_last_when_it_completes(
    status: str, ledger: list[dict[str, Any]], found: list[str]
) -> None:
    jobs = {"a": JOB | {"name": "transfer", "status": status}, "b": JOB | {"seq": 2, "submitted_by": 1}}
    executions = [EXECUTION | {"job": "b"}, EXECUTION | {"status": status, "error_type": "Flaw"}]
    events = [*SOUND, record("began", 5, job="b", thread=2), record("returned", 6, job="b", thread=2)]
    events.sort(key=lambda event: event["at"])
    problems_found = problems(Evidence(events, jobs=jobs, executions=executions, ledger=ledger))
    assert [problem.partition(":")[0] for problem in problems_found] == found


def test_what_was_remembered_is_not_made_again() -> None:
    steps = [record("stepping", 2.1), record("stepping", 2.2), record("remembered", 2.3)]
    assert judge(*steps) == []
    assert judge(*steps, record("stepping", 2.4)) == ["repeated"]


def test_a_job_submits_what_it_finds_once_however_often_it_is_tried() -> None:
    found = {"b": JOB | {"seq": 2, "submitted_by": 1}, "c": JOB | {"seq": 3, "submitted_by": 1}}
    executions = [EXECUTION | {"job": name} for name in "abc"]
    events = [each | {"job": name, "thread": name} for name in "abc" for each in SOUND[2:4]]
    judged = problems(Evidence([*SOUND[:2], *events], jobs={"a": JOB} | found, executions=executions))
    assert [problem.partition(":")[0] for problem in judged] == ["repeated"]


def test_the_log_is_small_when_no_reader_holds_it_up() -> None:
    assert judge(record("weighed", 5, bytes=7_000_000)) == ["fat"]


@pytest.mark.parametrize(
    "event",
    [
        record("broke", 5, trace="KeyError: 1"),
        record("refused", 5, error="QueueBusy", text="locked"),
        record("refused", 5, error="StoreError", text="the disk is full"),
        record("died", 5, victim=8, code=-11),
    ],
)
def test_no_client_sees_an_error_without_a_reason(event: Event) -> None:
    assert judge(event) == ["rude"]


def test_clients_may_report_that_a_full_disk_was_full() -> None:
    refused = record("refused", 5, error="StoreError", text="the disk is full")
    assert judge(record("fill", 4), refused, record("free", 6)) == []


def test_a_battle_is_survived(tmp_path: Path) -> None:
    acts = ["kill=0.2", "child=0.7", "stop=0.7", "hangup=1", "suspend=0.7", "jump=0.7", "fill=2", "protect=2"]
    acts += ["pin=1.5", "mute=1", "switch=3", "copy=1", "service=1", "lack=1"]
    done = subprocess.run(
        [sys.executable, "-W", "error", str(TESTS / "nemesis" / "battle.py"), "--seconds", "5", "--acts", *acts],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)]), "TMPDIR": str(tmp_path)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
