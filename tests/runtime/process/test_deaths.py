"""What becomes of a job whose process dies, of a process whose worker dies, and where none can be started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from process_runs import Make, all_ended, job, result_of, script
from runtime.gates import Gate

from gigq import ManualClock
from gigq.claims import Claim
from gigq.runtime.process import starting
from gigq.runtime.process.runner import ProcessRunner
from gigq.runtime.runner import Ended
from gigq.status import ExecutionStatus


@pytest.mark.parametrize(
    ("claim", "error"),
    [
        (job("exit_now", code=3), "its process ended itself with exit code 3"),
        (job("exit_now", code=0), "its process ended itself with exit code 0"),
        (job("crash"), "its process was killed by SIGSEGV"),
        (job("functions:kill_own_process", number=int(signal.SIGTERM)), "its process was killed by SIGTERM"),
        (job("functions:kill_own_process", number=40), "its process was killed by signal 40"),
        (job("close_all_files"), "its process closed its connection to the worker"),
    ],
)
def test_a_process_that_dies_fails_its_job_and_no_other(runner: ProcessRunner, claim: Claim, error: str) -> None:
    others = [job("pid", number) for number in (2, 3)]
    runner.start([others[0], claim, others[1]])
    ended = dict(all_ended(runner, 3))
    assert (ended[claim].status, ended[claim].error, ended[claim].error_type, ended[claim].is_final) == (
        ExecutionStatus.FAILED,
        error,
        "ProcessDied",
        False,
    )
    assert ended[claim].started_at is not None
    assert [ended[other].status for other in others] == [ExecutionStatus.COMPLETED] * 2
    assert ended[others[0]].result != ended[others[1]].result


def test_a_process_that_is_killed_fails_its_job(runner: ProcessRunner, gate: Gate) -> None:
    runner.start([job("hang", gate=gate.path)])
    os.kill(gate.entered(runner), signal.SIGKILL)
    ((_, report),) = all_ended(runner)
    assert report.error == "its process was killed by SIGKILL, out of memory?"


def test_the_death_of_an_idle_child_fails_no_job(runner: ProcessRunner) -> None:
    first = result_of(runner, job("pid", 1))
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert result_of(runner, job("pid", 2)) != first


def test_what_a_dead_child_had_not_begun_runs_elsewhere(runner: ProcessRunner) -> None:
    deadly = {25, 75, 125, 175}
    runner.start([job("exit_now", n, code=1) if n in deadly else job("pid", n) for n in range(200)])
    assert {each.execution_id for each, report in all_ended(runner, 200) if report.error} == deadly


@pytest.mark.parametrize("program", ["/no/such/python", "/bin/false", ""])
def test_where_no_child_can_be_started_jobs_are_told_and_nothing_spins(
    make: Make, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    runner = make(slots=4, clock=clock)
    runner.start([job("pid", 1), job("pid", 2)])
    ended: list[Ended] = []
    starts = 0
    while not ended:
        runner.wait(0.01)
        ended = runner.ended()
        clock.advance(1)
        starts += 1
        assert starts < 1000
    (claim, report), *_ = ended
    assert (claim.execution_id, report.error_type, report.is_final) == (1, "ProcessNotStarted", False)
    assert report.error is not None
    assert report.error.startswith("no process could be started for it: ")
    assert runner.free == 0


def test_a_runner_recovers_when_children_can_be_started_again(
    make: Make, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = make(clock=clock)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/no/such/python")
        runner.start([job("pid", 1)])
        assert (runner.free, list(runner.running)) == (0, [1])
    clock.advance(1)
    assert len(all_ended(runner)) == 1
    assert runner.free == 1


def test_a_child_that_is_never_ready_is_killed(
    make: Make, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexec sleep 3600\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    runner = make(clock=clock)
    runner.start([job("pid", 1)])
    ended = []
    for _ in range(3):
        clock.advance(starting.START_LIMIT)
        ended += runner.ended()
        clock.advance(1)
        ended += runner.ended()
    ((_, report),) = ended
    assert report.error == "no process could be started for it: it was not ready in time"


def test_a_child_whose_worker_is_killed_ends_even_while_a_job_runs(tmp_path: Path, gate: Gate) -> None:
    claimed = f"claim(function='process_functions:hang', params={json.dumps({'gate': gate.path})!r})"
    with subprocess.Popen(script(tmp_path, f"runner.start([{claimed}]); all_ended(runner)")) as worker:
        gate.entered()
        assert gate.is_held()
        worker.kill()
    gate.wait_for_the_end()


def test_a_child_whose_worker_is_killed_ends_even_if_the_worker_was_forked(tmp_path: Path, gate: Gate) -> None:
    """The fork holds the worker's ends of the sockets, so that nothing hangs up."""
    claimed = f"claim(function='process_functions:hang', params={json.dumps({'gate': gate.path})!r})"
    body = (
        f"runner.start([{claimed}]); runner.wait(60); os.fork() or sys.stdin.read() or os._exit(0); all_ended(runner)"
    )
    with subprocess.Popen(script(tmp_path, body), stdin=subprocess.PIPE) as worker:
        gate.entered()
        worker.kill()
        gate.wait_for_the_end()
