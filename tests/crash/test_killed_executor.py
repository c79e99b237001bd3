"""A script with an executor that is killed, or interrupted, at any moment goes on where it was."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pool_functions
import pytest
from forked import ForkedProcess

from gigq import JobQueue, QueueExecutor, SystemClock

CENSUS = """
import signal
import sys
import pool_functions
from gigq import QueueExecutor

signal.signal(signal.SIGINT, signal.default_int_handler)
path, trace, pool_functions.RUN, *files = sys.argv[1:]
try:
    with QueueExecutor(path, 2, name="census") as executor:
        results = list(executor.map(pool_functions.census, files, [trace] * len(files)))
except KeyboardInterrupt:
    sys.exit(130)
print([sum(column) for column in zip(*results)])
"""

KILLS = 10
SECONDS = 30.0


@pytest.fixture(scope="module")
def files() -> list[str]:
    """Modules of the standard library, as they come, but none that takes long."""
    found = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    return [str(each) for each in found if each.stat().st_size < 30_000][:80]


@pytest.fixture(scope="module")
def expected(files: list[str]) -> str:
    results = [pool_functions.census(each, os.devnull) for each in files]
    return f"{[sum(column) for column in zip(*results, strict=True)]}\n"


class Script:
    """The script, to be started again and again on the same file."""

    def __init__(self, folder: Path, files: list[str]) -> None:
        self.path, self.trace, self.files = folder / "jobs.db", folder / "trace", files
        self.runs = 0
        self.trace.touch()

    def calls(self) -> list[list[str]]:
        """The calls that were made so far: the number of the run, and the file."""
        return [line.split(" ", 1) for line in self.trace.read_text().splitlines()]

    def completed(self) -> set[str]:
        """The files whose results are committed."""
        with JobQueue(self.path) as queue:
            return {job.args[0] for job in queue.find_jobs("completed")}

    def start(self) -> ForkedProcess:
        self.runs += 1
        return ForkedProcess(CENSUS, [str(self.path), str(self.trace), str(self.runs), *self.files])

    def strike(self, number: int, chance: random.Random) -> int | None:
        """Start it, send a signal at a random moment, and return how it ended."""
        before, process = len(self.calls()), self.start()
        wanted = before + chance.randrange(10)
        while len(self.calls()) < wanted and process.wait(0.001) is None:
            pass
        SystemClock().sleep(chance.random() / 50)
        process.send_signal(number)
        process.communicate(SECONDS)
        return process.returncode


@pytest.fixture
def script(tmp_path: Path, files: list[str]) -> Iterator[Script]:
    script = Script(tmp_path, files)
    yield script
    with JobQueue(script.path) as queue:
        assert queue.check() == []


def test_nothing_whose_result_was_committed_is_done_again_after_kills_at_random(
    script: Script, expected: str
) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    done: dict[str, set[str]] = {}
    for _ in range(KILLS):
        script.strike(signal.SIGKILL, chance)
        done[str(script.runs + 1)] = script.completed() if script.path.exists() else set()

    output, _ = script.start().communicate(SECONDS)

    again = [(run, file) for run, file in script.calls() if file in done.get(run, set())]
    assert (again, output.decode()) == ([], expected), f"seed {seed}"
    calls = Counter(file for _, file in script.calls())
    # In flight when a kill came: at most what the slots had, and what had ended since the last commit.
    assert sum(calls.values()) - len(calls) <= KILLS * 70, f"seed {seed}"


def test_an_interrupt_at_any_moment_leaves_everything_to_the_next_run(script: Script, expected: str) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for _ in range(4):
        before = script.completed() if script.path.exists() else set()
        status = script.strike(signal.SIGINT, chance)
        assert status in (0, 1, 130, -signal.SIGINT), f"seed {seed}: {status}"
        again = [file for run, file in script.calls() if run == str(script.runs) and file in before]
        assert again == [], f"seed {seed}"
    output, errors = (process := script.start()).communicate(SECONDS)

    assert (process.returncode, output.decode(), errors) == (0, expected, b""), f"seed {seed}"
    with JobQueue(script.path) as queue:
        assert queue.count("cancelled") == 0, f"seed {seed}"


HOLDING = """
import os, sys, threading
import pool_functions
from gigq import QueueExecutor

with QueueExecutor(sys.argv[1], 1, name="it") as executor:
    executor.submit(pool_functions.held, "a")
    pool_functions.EVENTS["a began"].wait()
    os.write(1, b"begun.")
    threading.Event().wait()
"""


def test_the_name_of_a_living_process_is_taken_and_that_of_a_killed_one_is_free_at_once(tmp_path: Path) -> None:
    pool_functions.reset()
    pool_functions.EVENTS["a may end"].set()
    process = ForkedProcess(HOLDING, [str(tmp_path / "jobs.db")])
    assert process.stdout.read(6) == b"begun."
    with pytest.raises(RuntimeError, match=f"in use by process {process.pid}"):
        QueueExecutor(tmp_path / "jobs.db", 1, name="it")
    process.send_signal(signal.SIGKILL)
    process.communicate(SECONDS)

    began = SystemClock().monotonic()
    with QueueExecutor(tmp_path / "jobs.db", 1, name="it") as executor:
        assert executor.submit(pool_functions.held, "a").result(SECONDS) == "a"
    assert SystemClock().monotonic() - began < 10, "its lease is 15"


WITHOUT_END = """
import sys
import pool_functions
from gigq import QueueExecutor

executor = QueueExecutor(sys.argv[1], 2, name="it")
futures = [executor.submit(pool_functions.append, sys.argv[2], str(number)) for number in range(200)]
"""


@pytest.mark.parametrize("last", ["", "raise SystemExit(3)", "executor.shutdown(wait=False)", "del executor"])
def test_the_end_of_the_interpreter_waits_for_all_calls(last: str, tmp_path: Path) -> None:
    folder = Path(pool_functions.__file__).parent
    (tmp_path / "script.py").write_text(WITHOUT_END + last)
    done = subprocess.run(
        [sys.executable, "-W", "error", tmp_path / "script.py", tmp_path / "jobs.db", tmp_path / "trace"],
        env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{folder.parent}"}, capture_output=True, timeout=SECONDS,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (3 if "3" in last else 0, b"")
    assert sorted(map(int, (tmp_path / "trace").read_text().split())) == list(range(200))
    with JobQueue(tmp_path / "jobs.db") as queue:
        assert queue.count("completed") == 200


TWO_INTERRUPTS = """
import os, signal, sys, threading
import pool_functions
from gigq import QueueExecutor

signal.signal(signal.SIGINT, signal.default_int_handler)
with QueueExecutor(sys.argv[1], 1, name="it") as executor:
    future = executor.submit(pool_functions.held, "a")
    executor.submit(pool_functions.double, 1).add_done_callback(lambda _: os.write(1, b"left."))
    threading.Thread(target=lambda: print(type(future.exception()).__name__, flush=True)).start()
    pool_functions.EVENTS["a began"].wait()
    os.write(1, b"begun.")
    threading.Event().wait()
"""


def test_a_second_interrupt_ends_a_process_with_a_thread_that_waits_for_what_runs(tmp_path: Path) -> None:
    process = ForkedProcess(TWO_INTERRUPTS, [str(tmp_path / "jobs.db")])
    assert process.stdout.read(6) == b"begun."
    process.send_signal(signal.SIGINT)
    assert process.stdout.read(5) == b"left."
    process.send_signal(signal.SIGINT)

    output, errors = process.communicate(SECONDS)
    assert output == b"CancelledError\n"
    assert b"the executor has ended before its calls" not in errors
    with JobQueue(tmp_path / "jobs.db") as queue:
        assert [(job.status, job.attempts) for job in queue.find_jobs()] == [("pending", 0)] * 2
