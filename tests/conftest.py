"""What every test shares: a file of its own, a clock that it moves, and only sound files at the end."""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import Pipes, Running
from soundness import problems_in
from terminals import Terminal

import gigq
from gigq import JobQueue, ManualClock, Worker

MEMORY = "/dev/shm"
ROOM = 2 << 30
"""Bytes: several times what the tests leave behind."""


def has_room_in_memory() -> bool:
    """Whether there is a file system in memory from which programs may be started, with room for what tests write."""
    try:
        found = os.statvfs(MEMORY)
    except (OSError, AttributeError):  # not on Linux, or not on Unix
        return False
    return os.access(MEMORY, os.W_OK) and not found.f_flag & os.ST_NOEXEC and found.f_bavail * found.f_frsize > ROOM


if "TMPDIR" not in os.environ and has_room_in_memory():
    # On a disk the tests take half as long again: they wait for it to be written, and nobody cuts the power.
    os.environ["TMPDIR"] = tempfile.tempdir = MEMORY  # pytest has asked for the folder before it reads this file


# A shell that starts the tests in the background has these ignored, and so would all programs that tests start.
for _number, _handler in (("SIGINT", signal.default_int_handler), ("SIGQUIT", signal.SIG_DFL)):
    if (_signal := getattr(signal, _number, None)) and signal.getsignal(_signal) == signal.SIG_IGN:
        signal.signal(_signal, _handler)

for _name in [each for each in os.environ if each.startswith("GIGQ_")] + [
    "ACCESSIBLE", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "NO_COLOR", "PAGER",
]:  # fmt: skip
    os.environ.pop(_name, None)  # pytest-xdist sets the width, and people the rest


def pytest_configure() -> None:
    """Compile gigq, so that each of the hundreds of Pythons that tests start need not.

    They would where PYTHONDONTWRITEBYTECODE is set: that took 330 ms instead of 200 on a busy machine. To unset it for
    them does not help, for `multiprocessing` passes on what this process was started with.
    """
    compileall.compile_dir(Path(gigq.__file__).parent, quiet=2)


@pytest.fixture(scope="session", autouse=True)
def no_traces(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Commands of tests remember their last job in a folder of the tests, and not in that of whoever runs them."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


# It asks for the test's folder before any other fixture does, so that all that they have opened is closed by its end.
@pytest.fixture(autouse=True)
def sound_files(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test, every queue in its folder must be sound, unless the test is marked as `unsound`."""
    folder: Path | None = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if folder and not request.node.get_closest_marker("unsound"):
        assert problems_in(folder) == []


REPOSITORY = Path(__file__).parent.parent


def files_of_the_repository() -> set[str]:
    """What lies at its top, without what tools keep there out of sight."""
    return {name for name in os.listdir(REPOSITORY) if not name.startswith(".")}


@pytest.fixture(autouse=True)
def nothing_left_in_the_repository() -> Iterator[None]:
    """A test that writes files into the repository fails: whoever runs it would commit them."""
    before = files_of_the_repository()
    yield
    assert files_of_the_repository() <= before


@pytest.fixture
def clock() -> ManualClock:
    """Time that passes only when the test moves it."""
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the test's queue is."""
    return str(tmp_path / "jobs.db")


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A queue without jobs, of which copies are made: to make one from the beginning takes several times as long."""
    path = tmp_path_factory.mktemp("empty") / "jobs.db"
    JobQueue(path).close()
    return path


@pytest.fixture
def open_queue(path: str, empty: Path) -> Iterator[Callable[..., JobQueue]]:
    """Opens the test's queue, any number of times; at the end all are closed."""
    opened: list[JobQueue] = []

    def open_one(**options: object) -> JobQueue:
        if not os.path.exists(path):
            shutil.copy(empty, path)
        opened.append(JobQueue(path, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for queue in opened:
        queue.close()


@pytest.fixture
def queue(open_queue: Callable[..., JobQueue]) -> JobQueue:
    """The test's queue, under the machine's clock."""
    return open_queue()


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    pipes = Pipes()
    yield pipes
    pipes.close()


@pytest.fixture
def run(path: str) -> Iterator[Callable[..., Running]]:
    """Starts workers, and stops them at the end."""
    started: list[Running] = []

    def start(**options: object) -> Running:
        started.append(Running(Worker(path, **options)))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for each in started:
        each.stop()
        each.worker.close()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A terminal, of which the test sees what is written."""
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    yield terminal
    terminal.close()
