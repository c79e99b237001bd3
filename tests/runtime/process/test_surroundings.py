"""What a job in a child process finds around it, and what does not reach it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from process_runs import PATIENCE, Make, job, open_files, report_of, result_of, script
from runtime.gates import Gate

from gigq import JobQueue
from gigq.runtime.process.runner import ProcessRunner


def test_a_job_inherits_no_ignored_signal(runner: ProcessRunner) -> None:
    assert result_of(runner, job("signals")) == {"SIGINT": False, "SIGTERM": False}


def test_a_job_finds_the_workers_folder_and_nothing_to_read(runner: ProcessRunner) -> None:
    assert result_of(runner, job("place")) == [os.getcwd(), ["-c"], ""]


def test_what_a_job_prints_is_seen_at_once(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    report_of(make(), job("say", text="hello"))
    assert capfd.readouterr().out == "hello\n"


def test_a_child_holds_no_file_of_the_queue(make: Make, queue: JobQueue, path: str) -> None:
    queue.check()
    assert any(path in os.readlink(f"/proc/self/fd/{name}") for name in open_files())
    files = result_of(make(), job("open_files"))
    assert [name for name in files if path in name] == []
    assert len([name for name in files if name.startswith("socket:")]) == 2, "and none of another child"


def test_a_fork_inside_a_job_answers_nothing(runner: ProcessRunner) -> None:
    forked = result_of(runner, job("fork_and_return", 1))
    assert result_of(runner, job("pid", 2)) not in (0, forked)


@pytest.mark.parametrize("function", ["my_script:double", "twice"])
def test_functions_of_the_script_itself_are_found(tmp_path: Path, function: str) -> None:
    body = f"runner.start([claim(function={function!r}, args='[21]')]); print(all_ended(runner)[0][1].result)"
    done = subprocess.run(script(tmp_path, body), capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr, done.returncode) == ("42\n", "", 0)


def test_a_script_that_starts_a_worker_when_it_is_imported_is_told_why_that_fails(tmp_path: Path) -> None:
    body = "runner.start([claim(function='my_script:double', args='[21]')]); print(all_ended(runner)[0][1].error)"
    command = script(tmp_path, body, guard="main()")
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert "put the start of the worker under if __name__ == '__main__'" in done.stdout


def test_sigint_to_the_workers_group_does_not_reach_the_children(
    tmp_path: Path, gate_of: Callable[[str], Gate]
) -> None:
    gate, until = gate_of("gate"), tmp_path / "until"
    os.mkfifo(until)
    params = json.dumps({"gate": gate.path, "until": str(until)})
    claimed = f"claim(function='process_functions:wait_for_bytes', params={params!r})"
    body = f"import signal; signal.signal(signal.SIGINT, lambda *_: None); runner.start([{claimed}]); print(all_ended(runner)[0][1].status)"  # noqa: E501
    command = script(tmp_path, body)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as worker:
        gate.entered()
        os.killpg(worker.pid, signal.SIGINT)
        until.write_bytes(b".")
        assert worker.communicate(timeout=PATIENCE)[0] == "completed\n"
