"""The surroundings of a job in a child process, and what of the worker's must not reach it."""

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


def test_what_a_job_prints_appears_at_once(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    report_of(make(), job("say", text="hello"))
    assert capfd.readouterr().out == "hello\n"


def test_a_child_holds_no_file_of_the_queue(make: Make, queue: JobQueue, path: str) -> None:
    queue.check()
    assert any(path in os.readlink(f"/proc/self/fd/{name}") for name in open_files())
    files = result_of(make(), job("open_files"))
    assert [name for name in files if path in name] == []
    assert len([name for name in files if name.startswith("socket:")]) == 3, "and none of another child"


def test_functions_of_the_running_script_are_found_by_path_and_as_handlers(tmp_path: Path) -> None:
    claims = "[claim(execution_id=n, function=f, args='[21]') for n, f in enumerate(['my_script:double', 'twice'])]"
    body = f"runner.start({claims}); print([report.result for _, report in all_ended(runner, 2)])"
    done = subprocess.run(script(tmp_path, body), capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr, done.returncode) == ("['42', '42']\n", "", 0)


def test_a_script_that_starts_a_worker_on_import_fails_with_the_remedy(tmp_path: Path) -> None:
    body = "runner.start([claim(function='my_script:double', args='[21]')]); print(all_ended(runner)[0][1].error)"
    command = script(tmp_path, body, guard="main()")
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert "put the start of the worker under if __name__ == '__main__'" in done.stdout


def test_ctrl_c_in_the_workers_terminal_does_not_reach_the_children(
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
