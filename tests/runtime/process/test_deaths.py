"""What happens to the job of a child that dies, and to a child whose worker dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from process_runs import all_ended, job, result_of, script
from runtime.gates import Gate

from gigq.claims import Claim
from gigq.runtime.process.runner import ProcessRunner
from gigq.status import ExecutionStatus

GARBLED = "its process wrote something other than reports to its connection to the worker"


@pytest.mark.parametrize(
    ("claim", "error"),
    [
        (job("exit_now", code=3), "its process ended itself with exit code 3"),
        (job("exit_now", code=0), "its process ended itself with exit code 0"),
        (job("crash"), "its process was killed by SIGSEGV"),
        (job("functions:kill_own_process", number=int(signal.SIGUSR1)), "its process was killed by SIGUSR1"),
        (job("functions:kill_own_process", number=40), "its process was killed by signal 40"),
        (job("close_all_files"), "its process closed its connection to the worker"),
        (job("write_to_every_socket", text="hello\n"), GARBLED),
        (job("write_to_every_socket", text="[1]\n"), GARBLED),
    ],
    ids=["exit 3", "exit 0", "SIGSEGV", "SIGUSR1", "signal 40", "hangs up", "garbled", "garbled JSON"],
)
def test_a_child_that_dies_fails_its_job_and_no_other(shared: ProcessRunner, claim: Claim, error: str) -> None:
    others = [job("pid", number) for number in (2, 3)]
    shared.start([others[0], claim, others[1]])
    ended = dict(all_ended(shared, 3))
    assert (ended[claim].status, ended[claim].error, ended[claim].error_type, ended[claim].is_final) == (
        ExecutionStatus.FAILED,
        error,
        "ProcessDied",
        False,
    )
    assert ended[claim].started_at is not None
    assert [ended[other].status for other in others] == [ExecutionStatus.COMPLETED] * 2
    assert ended[others[0]].result != ended[others[1]].result


def test_a_child_that_is_killed_fails_its_job(shared: ProcessRunner, gate: Gate) -> None:
    shared.start([job("hang", gate=gate.path)])
    os.kill(gate.entered(shared), signal.SIGKILL)
    ((_, report),) = all_ended(shared)
    assert report.error == "its process was killed by SIGKILL, out of memory?"


def test_the_death_of_an_idle_child_fails_no_job(shared: ProcessRunner) -> None:
    first = result_of(shared, job("pid", 1))
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert result_of(shared, job("pid", 2)) != first


def test_what_a_dead_child_had_not_begun_runs_in_another(shared: ProcessRunner) -> None:
    deadly = {25, 75}
    shared.start([job("exit_now", n, code=1) if n in deadly else job("pid", n) for n in range(100)])
    assert {each.execution_id for each, report in all_ended(shared, 100) if report.error} == deadly


def test_a_child_ends_when_its_worker_is_killed_even_during_a_job(tmp_path: Path, gate: Gate) -> None:
    claimed = f"claim(function='process_functions:hang', params={json.dumps({'gate': gate.path})!r})"
    with subprocess.Popen(script(tmp_path, f"runner.start([{claimed}]); all_ended(runner)")) as worker:
        gate.entered()
        assert gate.is_held()
        worker.kill()
    gate.wait_for_the_end()


def test_a_child_ends_when_its_worker_is_killed_even_if_the_worker_was_forked(tmp_path: Path, gate: Gate) -> None:
    """The fork holds the worker's ends of the sockets, so that the kernel does not close them."""
    claimed = f"claim(function='process_functions:hang', params={json.dumps({'gate': gate.path})!r})"
    body = (
        f"runner.start([{claimed}]); runner.wait(60); os.fork() or sys.stdin.read() or os._exit(0); all_ended(runner)"
    )
    with subprocess.Popen(script(tmp_path, body), stdin=subprocess.PIPE) as worker:
        gate.entered()
        worker.kill()
        gate.wait_for_the_end()
