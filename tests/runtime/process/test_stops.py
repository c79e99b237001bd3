"""What happens to a job that overruns, is stopped, or is given back before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from process_runs import PATIENCE, Make, all_ended, job, report_of, result_of
from runtime.gates import Gate

from gigq import ManualClock
from gigq.process import is_gone
from gigq.runtime.process import distribution, reaper
from gigq.runtime.process.runner import ProcessRunner
from gigq.status import ExecutionStatus


def test_an_overdue_execution_ends_at_once_and_its_process_is_killed(runner: ProcessRunner, gate: Gate) -> None:
    pid = result_of(runner, job("pid", 1))
    report = report_of(runner, job("hang", 2, gate=gate.path, timeout=0.1))
    assert (report.status, report.error) == (ExecutionStatus.TIMEOUT, "timed out after 0.1 seconds")
    assert (runner.free, list(runner.running)) == (1, [])
    assert result_of(runner, job("pid", 3)) != pid
    while not is_gone(pid):
        runner.wait(0.001)


def test_a_timeout_does_not_include_the_start_of_the_child(make: Make, clock: ManualClock, gate: Gate) -> None:
    runner = make(clock=clock)
    runner.start([job("hang", gate=gate.path, timeout=10)])
    clock.advance(20)
    assert (runner.ended(), runner.next_deadline) == ([], None)
    gate.entered(runner)
    assert runner.next_deadline == 30
    clock.advance(9.9)
    assert runner.ended() == []
    clock.advance(0.1)
    assert len(all_ended(runner)) == 1


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace(make: Make, clock: ManualClock, gate: Gate) -> None:
    runner = make(clock=clock, grace=5.0)
    runner.start([job("hang", 1, gate=gate.path, stubborn=True, timeout=10)])
    gate.entered(runner)
    clock.advance(10)
    assert runner.ended() == []
    assert result_of(runner, job("echo", 2, value=1)) == 1, "the slot has had a new child since"
    assert list(runner.running) == [1]
    clock.advance(reaper.PROMPT)
    assert len(runner.ended()) == 1
    clock.advance(4.25)
    runner.ended()
    assert gate.is_held()
    clock.advance(0.25)
    runner.ended()
    gate.wait_for_the_end()


def test_processes_that_a_job_has_started_die_with_it(make: Make, clock: ManualClock, gate: Gate) -> None:
    runner = make(clock=clock)
    runner.start([job("hang_in_a_process_of_its_own", gate=gate.path)])
    gate.entered(runner)
    runner.stop([1])
    while gate.is_held():
        runner.wait(0.001)
    gate.wait_for_the_end()


def test_a_stopped_execution_is_killed_and_forgotten(make: Make, gate: Gate) -> None:
    runner = make(slots=1)
    runner.start([job("hang", 1, gate=gate.path), job("pid", 2), job("pid", 3)])
    gate.entered(runner)
    runner.stop([1, 2, 99])
    assert list(runner.running) == [3]
    gate.wait_for_the_end()
    assert [ended.execution_id for ended, _ in all_ended(runner)] == [3]
    assert runner.ended() == []


def test_a_report_that_arrived_before_its_execution_is_stopped_is_dropped(runner: ProcessRunner) -> None:
    first = result_of(runner, job("pid", 1))
    runner.start([job("pid", 2)])
    runner.wait(PATIENCE)
    runner.stop([2])
    assert (runner.ended(), list(runner.running)) == ([], [])
    assert result_of(runner, job("pid", 3)) == first


def test_claims_that_have_not_begun_can_be_given_back(runner: ProcessRunner, gate: Gate) -> None:
    claims = [job("hang", 1, gate=gate.path), *[job("pid", number) for number in (2, 3, 4)]]
    runner.start(claims)
    gate.entered(runner)
    assert runner.give_back() == claims[1:]
    assert (list(runner.running), list(runner.begun)) == ([1], [1])


def test_claims_that_a_child_holds_ahead_can_be_given_back(
    runner: ProcessRunner, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distribution, "QUICK", PATIENCE)
    report_of(runner, job("pid", 0))
    report_of(runner, job("pid", 1))
    claims = [job("hang", 2, gate=gate.path), *[job("pid", number) for number in (3, 4, 5)]]
    runner.start(claims)
    assert len(runner._children[0].claims) == 4, "the child holds all of them"
    gate.entered(runner)
    assert (list(runner.running), list(runner.begun)) == ([2, 3, 4, 5], [2])
    assert runner.give_back() == claims[1:]
    assert (list(runner.running), list(runner.begun)) == ([2], [2])


def test_a_claim_that_was_taken_back_does_not_run(runner: ProcessRunner, tmp_path: Path) -> None:
    """Take back at any moment while a child works through its claims: each job runs or comes back, never both."""
    trace = tmp_path / "trace"
    given: list[int] = []
    ended: list[int] = []
    for start in range(0, 3000, 30):
        numbers = range(start, start + 30)
        runner.start([job("functions:append", number, path=str(trace), line=str(number)) for number in numbers])
        runner.wait(1)
        given += [claim.execution_id for claim in runner.give_back()]
        while runner.running:
            runner.wait(1)
            ended += [claim.execution_id for claim, _ in runner.ended()]
        ended += [claim.execution_id for claim, _ in runner.ended()]
    assert sorted(given + ended) == list(range(3000))
    assert [int(line) for line in trace.read_text().split()] == ended


def test_nothing_waits_behind_a_slow_job_while_another_child_is_idle(make: Make, gate: Gate) -> None:
    runner = make(slots=2)
    runner.start([job("pid", number) for number in range(100)])
    all_ended(runner, 100)
    runner.start([job("hang", 100, gate=gate.path), *[job("pid", number) for number in range(101, 140)]])
    assert sorted(each.execution_id for each, _ in all_ended(runner, 39)) == list(range(101, 140))
    assert list(runner.running) == [100]


def test_close_kills_children_that_are_running_jobs(make: Make, gate: Gate) -> None:
    runner = make(slots=3)
    report_of(runner, job("pid", 1))
    runner.start([job("hang", 2, gate=gate.path)])
    gate.entered(runner)
    runner.close()
    gate.wait_for_the_end()
