"""A child process for each slot, and what becomes of one that dies, overruns or is not wanted any more."""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import functions
import pytest
from test_call import claim

from gigq import InvalidJob, JobQueue, ManualClock, SystemClock
from gigq.codec import RESULT_LIMIT
from gigq.records import Claim, Report
from gigq.runtime import processes, starting
from gigq.runtime.processes import ProcessRunner
from gigq.runtime.runner import Ended
from gigq.status import ExecutionStatus

PATIENCE = 60.0
"""Seconds after which a test gives up waiting."""

Make = Callable[..., ProcessRunner]


def job(function: str, execution_id: int = 1, /, *, timeout: float | None = None, **params: object) -> Claim:
    path = function if ":" in function else f"process_functions:{function}"
    return claim(execution_id=execution_id, function=path, params=json.dumps(params), timeout=timeout)


def all_ended(runner: ProcessRunner, count: int = 1) -> list[Ended]:
    """Wait until so many have ended."""
    deadline = SystemClock().monotonic() + PATIENCE
    ended = runner.ended()
    while len(ended) < count:
        assert SystemClock().monotonic() < deadline, f"{len(ended)} of {count} have ended"
        runner.wait(1)
        ended += runner.ended()
    return ended


def report_of(runner: ProcessRunner, claim: Claim) -> Report:
    runner.start([claim])
    ((ended, report),) = all_ended(runner)
    assert ended == claim
    return report


def result_of(runner: ProcessRunner, claim: Claim) -> Any:
    report = report_of(runner, claim)
    assert report.result is not None, report.error
    return json.loads(report.result)


class Gate:
    """A FIFO: a job tells its process's number here, and the end of that process is the end of the file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        os.mkfifo(path)
        self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def entered(self, runner: ProcessRunner | None = None) -> int:
        """Wait until a job has come here, and return the number of its process."""
        said = b""
        while not said.endswith(b"\n"):
            if runner is not None:
                runner.wait(0.01)
            if self._poll.poll(10 if runner else 1000 * PATIENCE):
                said += os.read(self._file, 100)
            elif runner is None:
                raise AssertionError("nobody has come")
        return int(said)

    def wait_for_the_end(self) -> None:
        """Return when no process is left that came here."""
        assert self._poll.poll(1000 * PATIENCE), "it lives on"
        assert os.read(self._file, 100) == b""

    def is_held(self) -> bool:
        return not self._poll.poll(0)

    def close(self) -> None:
        os.close(self._file)


@pytest.fixture
def gate_of(tmp_path: Path) -> Iterator[Callable[[str], Gate]]:
    """Makes gates by name."""
    gates: dict[str, Gate] = {}

    def make(name: str) -> Gate:
        return gates.setdefault(name, Gate(tmp_path / name))

    yield make
    for each in gates.values():
        each.close()


@pytest.fixture
def gate(gate_of: Callable[[str], Gate]) -> Gate:
    return gate_of("gate")


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes runners; at the end they are closed, and have left no process and no open file behind."""
    files, runners = open_files(), []

    def make_one(slots: int = 1, **options: Any) -> ProcessRunner:
        given = {"clock": SystemClock(), "handlers": None, "result_limit": RESULT_LIMIT, "grace": 20.0, **options}
        runners.append(ProcessRunner(slots=slots, **given))
        return runners[-1]

    yield make_one
    for each in runners:
        each.close()
    gc.collect()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    assert open_files() == files


@pytest.fixture
def runner(make: Make) -> ProcessRunner:
    """One slot."""
    return make()


def open_files() -> set[str]:
    return {name for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")}


def test_a_job_runs_in_another_process_and_the_next_in_the_same(runner: ProcessRunner) -> None:
    pids = {result_of(runner, job("pid", number)) for number in range(20)}
    assert len(pids) == 1
    assert os.getpid() not in pids


def test_slots_are_taken_and_freed(make: Make, gate: Gate) -> None:
    runner = make(slots=2)
    assert (runner.free, runner.next_deadline) == (2, None)
    runner.start([job("hang", gate=gate.path)])
    assert (runner.free, list(runner.running)) == (1, [1])
    gate.entered(runner)
    assert list(runner.begun) == [1]
    runner.start([job("pid", 2), job("pid", 3)])
    assert runner.free == 0
    assert {ended.execution_id for ended, _ in all_ended(runner, 2)} == {2, 3}
    assert (runner.free, list(runner.running), list(runner.begun)) == (1, [1], [1])


def test_jobs_of_different_slots_run_at_the_same_time(make: Make, tmp_path: Path) -> None:
    there, back = str(tmp_path / "there"), str(tmp_path / "back")
    os.mkfifo(there)
    os.mkfifo(back)
    runner = make(slots=2)
    runner.start([job("first_says", 1, there=there, back=back), job("then_says", 2, there=there, back=back)])
    results = {ended.execution_id: report.result for ended, report in all_ended(runner, 2)}
    assert results == {1: '"and to you"', 2: '"hello"'}


@pytest.mark.parametrize("slots", [1, 3])
def test_each_of_many_jobs_ends_once(make: Make, slots: int) -> None:
    runner = make(slots=slots)
    runner.start([job("echo", number, value=number) for number in range(500)])
    ended = all_ended(runner, 500)
    assert sorted((each.execution_id, report.result) for each, report in ended) == [(n, str(n)) for n in range(500)]
    assert (runner.free, list(runner.running)) == (slots, [])


def test_jobs_of_one_slot_run_in_the_order_in_which_they_were_started(runner: ProcessRunner) -> None:
    runner.start([job("echo", number, value=number) for number in range(200)])
    assert [each.execution_id for each, _ in all_ended(runner, 200)] == list(range(200))


def test_a_failure_is_reported_as_from_a_thread(runner: ProcessRunner) -> None:
    report = report_of(runner, job("functions:fail", message="no such city"))
    assert (report.status, report.error_type, report.is_final) == (ExecutionStatus.FAILED, "ValueError", False)
    assert report.error == "ValueError: no such city"
    assert report.traceback is not None
    assert "in fail" in report.traceback


@pytest.mark.parametrize(
    ("path", "params", "status", "error_type", "is_final"),
    [
        ("functions:give_up", {}, ExecutionStatus.FAILED, "GiveUp", True),
        ("functions:leave", {}, ExecutionStatus.FAILED, "SystemExit", False),
        ("functions:retry_later", {"delay": 5}, ExecutionStatus.RELEASED, None, False),
        ("functions:no_such_name", {}, ExecutionStatus.FAILED, "NotImportable", True),
        ("functions:add", {}, ExecutionStatus.FAILED, "TypeError", False),
        ("os:urandom", {}, ExecutionStatus.FAILED, "TypeError", False),
        ("builtins:object", {}, ExecutionStatus.FAILED, "NotSerializable", True),
    ],
)
def test_every_way_to_end_comes_through(
    runner: ProcessRunner, path: str, params: dict[str, Any], status: ExecutionStatus, error_type: str, is_final: bool
) -> None:
    report = report_of(runner, job(path, **params))
    assert (report.status, report.error_type, report.is_final) == (status, error_type, is_final)


def test_a_function_knows_its_job(runner: ProcessRunner) -> None:
    asked = claim(function="functions:context", job_id="7", attempt=2, tags=("a", "b"), metadata='{"user":1}')
    expected = {"id": "7", "name": "job", "attempt": 2, "tags": ["a", "b"], "metadata": {"user": 1}}
    assert result_of(runner, asked) == expected


def test_the_start_is_reported(runner: ProcessRunner) -> None:
    before = SystemClock().now()
    report = report_of(runner, job("pid"))
    assert report.started_at is not None
    assert before <= report.started_at <= SystemClock().now()


def test_a_handler_is_called_by_its_name(make: Make) -> None:
    runner = make(handlers={"sum": functions.add, "hello": functions.greet})
    assert result_of(runner, claim(function="sum", args="[1,2]")) == 3
    assert result_of(runner, claim(function="hello")) == "hello world"


def test_a_handler_that_cannot_be_imported_is_refused(make: Make) -> None:
    with pytest.raises(InvalidJob, match=r"the handler 'sum' cannot be sent.*lambda"):
        make(handlers={"sum": lambda: 1})


def test_no_child_runs_no_jobs(make: Make) -> None:
    with pytest.raises(ValueError, match="jobs_per_child is 0"):
        make(jobs_per_child=0)


@pytest.mark.parametrize("value", ["x" * 1_000_000, "line\nend\r\n\u2028\x00", "ü€😀", {"deep": [[1], {"a": None}]}])
def test_values_come_back_as_they_went(runner: ProcessRunner, value: object) -> None:
    assert result_of(runner, job("echo", value=value)) == value


def test_large_results_and_params_pass_each_other(make: Make) -> None:
    runner = make(slots=2)
    large = [job("echo", number, value="y" * 900_000) for number in range(6)]
    runner.start([*large, *[job("letters", 6 + number, count=4_500_000) for number in range(3)]])
    sizes = [len(report.result or "") for _, report in all_ended(runner, 9)]
    assert sorted(sizes) == [900_002] * 6 + [4_500_002] * 3


def test_a_result_too_large_is_refused(make: Make) -> None:
    report = report_of(make(result_limit=100), job("letters", count=100))
    assert (report.error_type, report.is_final) == ("NotSerializable", True)


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


def test_a_fork_inside_a_job_answers_nothing(runner: ProcessRunner) -> None:
    forked = result_of(runner, job("fork_and_return", 1))
    assert result_of(runner, job("pid", 2)) not in (0, forked)


def test_an_overdue_execution_ends_at_once_and_its_process_is_killed(runner: ProcessRunner, gate: Gate) -> None:
    late = job("hang", gate=gate.path, timeout=0.3)
    report = report_of(runner, late)
    assert (report.status, report.error) == (ExecutionStatus.TIMEOUT, "timed out after 0.3 seconds")
    assert (runner.free, list(runner.running)) == (1, [])
    assert result_of(runner, job("echo", 2, value=1)) == 1
    gate.entered()
    gate.wait_for_the_end()


def test_the_start_of_a_child_counts_to_no_timeout(make: Make, clock: ManualClock, gate: Gate) -> None:
    runner = make(clock=clock)
    runner.start([job("hang", gate=gate.path, timeout=10)])
    clock.advance(20)
    assert (runner.ended(), runner.next_deadline) == ([], None)
    gate.entered(runner)
    assert runner.next_deadline == 30
    clock.advance(9.9)
    assert runner.ended() == []
    clock.advance(0.1)
    assert len(runner.ended()) == 1


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace(make: Make, clock: ManualClock, gate: Gate) -> None:
    runner = make(clock=clock, grace=5.0)
    runner.start([job("hang", 1, gate=gate.path, stubborn=True, timeout=10)])
    gate.entered(runner)
    clock.advance(10)
    assert len(runner.ended()) == 1
    assert result_of(runner, job("echo", 2, value=1)) == 1, "the slot has a new child meanwhile"
    clock.advance(4.9)
    runner.ended()
    assert gate.is_held()
    clock.advance(0.1)
    runner.ended()
    gate.wait_for_the_end()


def test_what_a_job_has_started_dies_with_it(make: Make, clock: ManualClock, gate: Gate) -> None:
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


def test_what_has_ended_when_it_is_stopped_is_forgotten_too(runner: ProcessRunner) -> None:
    first = result_of(runner, job("pid", 1))
    runner.start([job("pid", 2)])
    runner.wait(PATIENCE)
    runner.stop([2])
    assert (runner.ended(), list(runner.running)) == ([], [])
    assert result_of(runner, job("pid", 3)) == first


def test_what_has_not_begun_can_be_given_back(runner: ProcessRunner, gate: Gate) -> None:
    claims = [job("hang", 1, gate=gate.path), *[job("pid", number) for number in (2, 3, 4)]]
    runner.start(claims)
    gate.entered(runner)
    assert runner.give_back() == claims[1:]
    assert (list(runner.running), list(runner.begun)) == ([1], [1])


def test_what_was_handed_to_a_child_ahead_can_be_given_back(
    runner: ProcessRunner, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "QUICK", PATIENCE)
    report_of(runner, job("pid", 0))
    report_of(runner, job("pid", 1))
    claims = [job("hang", 2, gate=gate.path), *[job("pid", number) for number in (3, 4, 5)]]
    runner.start(claims)
    assert len(runner._children[0].claims) == 4, "all are in the child's hands"
    gate.entered(runner)
    assert (list(runner.running), list(runner.begun)) == ([2, 3, 4, 5], [2])
    assert runner.give_back() == claims[1:]
    assert (list(runner.running), list(runner.begun)) == ([2], [2])


def test_what_was_taken_back_does_not_run(runner: ProcessRunner, tmp_path: Path) -> None:
    """Take back at any moment while a child works through what it has: each job runs here or comes back, not both."""
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


def test_a_child_is_replaced_after_its_number_of_jobs(make: Make) -> None:
    runner = make(jobs_per_child=3)
    runner.start([job("pid", number) for number in range(9)])
    pids = [report.result for _, report in all_ended(runner, 9)]
    assert [pids.count(each) for each in dict.fromkeys(pids)] == [3, 3, 3]


def test_slots_may_become_more_and_fewer(make: Make) -> None:
    runner = make(slots=1)
    runner.slots = 3
    assert runner.free == 3
    runner.start([job("pid", number) for number in range(30)])
    all_ended(runner, 30)
    assert len(runner._children) == 3
    runner.slots = 1
    assert runner.free == 1
    assert len({result_of(runner, job("pid", number)) for number in range(5)}) == 1
    assert len(runner._children) == 1


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


def test_another_thread_may_wake_the_one_that_waits(runner: ProcessRunner) -> None:
    waker = threading.Thread(target=runner.wake)
    waker.start()
    runner.wait(PATIENCE)
    waker.join()
    assert runner.ended() == []


def test_the_bell_ends_a_wait(runner: ProcessRunner) -> None:
    ear, mouth = os.pipe()
    os.write(mouth, b".")
    runner.wait(PATIENCE, bell=ear)
    os.close(ear)
    os.close(mouth)


def test_a_call_after_the_close_does_no_harm(runner: ProcessRunner) -> None:
    runner.wake()
    runner.close()
    runner.wake()


def test_close_kills_what_runs(make: Make, gate: Gate) -> None:
    runner = make(slots=3)
    report_of(runner, job("pid", 1))
    runner.start([job("hang", 2, gate=gate.path)])
    gate.entered(runner)
    runner.close()
    gate.wait_for_the_end()


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


SCRIPT = """
import os, sys
sys.path[:0] = {path!r}
from test_processes import RESULT_LIMIT, ProcessRunner, SystemClock, all_ended, claim

def double(number):
    return 2 * number

def main():
    runner = ProcessRunner(slots=1, clock=SystemClock(), handlers={{"twice": double}}, result_limit=RESULT_LIMIT)
    try:
        {body}
    finally:
        runner.close()

{guard}
"""


def script(folder: Path, body: str, *, guard: str = "if __name__ == '__main__': main()") -> list[str]:
    """Write a script that has a runner, and return how it is run."""
    file = folder / "my_script.py"
    path = [entry for entry in sys.path if entry]
    file.write_text(SCRIPT.format(path=[str(Path.cwd()), *path], body=body, guard=guard))
    return [sys.executable, "-W", "error", str(file)]


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
