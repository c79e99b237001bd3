"""Processes outside the test's own, workers above all, and the places where their jobs meet the test."""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Callable
from pathlib import Path

from forked import ForkedProcess

from gigq import SystemClock

PATIENCE = 60.0
"""Seconds after which a test gives up waiting."""

WORK = """
import json, logging, signal, sys
from gigq import Worker
logging.basicConfig(level=logging.WARNING)
with Worker(sys.argv[1], **json.loads(sys.argv[2])) as worker:
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())  # also between here and the worker's own handler
    print("ready", flush=True)
    worker.start()
"""


class Process:
    """A Python process that a test has started. It prints "ready", and on stderr what is wrong.

    Args:
        script: the code that it runs.
        arguments: its ``sys.argv[1:]``.
    """

    def __init__(self, script: str, *arguments: str) -> None:
        # Its pipes have no buffers of ours: what has not been read is always in the pipe, where `select` sees it.
        self._process = ForkedProcess(script, arguments)
        self._heard: list[str] = []
        self._is_ready = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def says(self) -> str:
        """Wait for the next line of its output, and return it; an empty one at the end."""
        assert select.select([self._process.stdout], [], [], PATIENCE)[0], "it says nothing"
        return self._process.stdout.readline().decode()

    def wait_until_ready(self) -> None:
        self._is_ready = self._is_ready or self.says() == "ready\n"
        assert self._is_ready, self.wait_for_the_end()

    def complains(self, *words: str) -> str:
        """Wait for a line on stderr with all these words, and return it."""
        while True:
            assert select.select([self._process.stderr], [], [], PATIENCE)[0], f"no {words} in {self._heard}"
            line = self._process.stderr.readline().decode()
            assert line, f"it ended without {words}: {self._heard}"
            self._heard.append(line)
            if all(word in line for word in words):
                return line

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something becomes true while it lives."""
        deadline = SystemClock().monotonic() + PATIENCE
        while not is_so():
            assert SystemClock().monotonic() < deadline, "it has not become true"
            assert self._process.wait(0.01) is None, f"it ended with {self._process.returncode}"

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait_until_stopped(self) -> None:
        """Wait until it is stopped by SIGSTOP, whoever sent it."""
        assert self._process.wait_until_stopped(PATIENCE), f"it was not stopped: {self._process.returncode}"

    def kill(self) -> None:
        """Kill it by SIGKILL, and return when it has ended."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE)

    def wait_for_the_end(self) -> tuple[int | None, str]:
        """Wait until it ends by itself, and return its exit code and everything that it wrote to stderr."""
        _, rest = self._process.communicate(PATIENCE)
        return self._process.returncode, "".join(self._heard) + rest.decode()

    def rest_of_output(self) -> list[str]:
        """Kill it, and return the complete lines that it has written and the test has not read."""
        self.kill()
        rest, _ = self._process.communicate(PATIENCE)
        return [line for line in rest.decode().splitlines(keepends=True) if line.endswith("\n")]

    def clean_up(self) -> None:
        """Kill it if it lives, and close its pipes."""
        self.kill()
        self._process.communicate(PATIENCE)


class WorkerProcess(Process):
    """A worker, with the options of `Worker`, in a process of its own."""

    def __init__(self, path: str, **options: object) -> None:
        super().__init__(WORK, path, json.dumps(options))

    def end(self) -> str:
        """Stop it as a service manager does, and return what it wrote to stderr."""
        self.wait_until_ready()
        self.signal(signal.SIGTERM)
        code, complaints = self.wait_for_the_end()
        assert code == 0, complaints
        return complaints


class Meeting:
    """Two FIFOs: a job writes the pid of its process to the one, and ends when the test lets it go through the other.

    Attributes:
        params: the arguments of the function `meet`, and of others that meet the test first.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.params = {"gate": str(folder / "gate"), "until": str(folder / "until")}
        for each in self.params.values():
            os.mkfifo(each)
        # Open in both directions: a job need not wait when it opens them, and its end is not the end of the file.
        self._gate = os.open(self.params["gate"], os.O_RDWR)
        self._until = os.open(self.params["until"], os.O_RDWR)

    def arrival(self) -> int:
        """Wait for the next job to arrive, and return its process ID."""
        assert self.is_waited_at(PATIENCE), "no job has arrived"
        said = b""
        while not said.endswith(b"\n"):
            said += os.read(self._gate, 1)
        return int(said)

    def is_waited_at(self, seconds: float = 0) -> bool:
        """Whether a job that `arrival` has not returned yet has come, or comes within this many seconds."""
        return bool(select.select([self._gate], [], [], seconds)[0])

    def let_go(self) -> None:
        """Let one job go, whether it is here or arrives later."""
        os.write(self._until, b".")

    def wait_until_heard(self) -> None:
        """Return when the job that was let go has read that, so that no later one goes in its place."""
        deadline = SystemClock().monotonic() + PATIENCE
        while select.select([self._until], [], [], 0)[0]:
            assert SystemClock().monotonic() < deadline, "no job has read it"
            os.sched_yield()

    def take_back(self) -> None:
        """Take back the permission to go that no job has used yet."""
        while select.select([self._until], [], [], 0)[0]:
            os.read(self._until, 1)

    def close(self) -> None:
        os.close(self._gate)
        os.close(self._until)
