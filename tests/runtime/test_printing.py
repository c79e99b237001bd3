"""What a job in a thread prints is seen when it has ended, and where nobody can see it no job suffers."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import pytest
from calls import claim

from gigq import SystemClock
from gigq.runtime.call import caller
from gigq.runtime.functions import Functions
from gigq.runtime.runner import Ended
from gigq.runtime.threads import ThreadRunner
from gigq.status import ExecutionStatus

PATIENCE = 30.0


@pytest.fixture
def runner() -> Iterator[ThreadRunner]:
    functions = Functions(handlers={"f": lambda text: print(text)})
    runner = ThreadRunner(caller(functions, clock=SystemClock(), result_limit=1000), slots=1, clock=SystemClock())
    yield runner
    runner.close()
    for thread in threading.enumerate():
        if thread.name == "gigq-slot":
            thread.join(PATIENCE)
            assert not thread.is_alive()


@contextmanager
def printing_to_a_pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Have standard output go to a pipe while the block runs, as in a service, and return the pipe's reading end."""
    there, here = os.pipe()
    with open(here, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        yield there
    os.close(there)


def print_in(runner: ThreadRunner, text: str, execution_id: int = 1) -> Ended:
    """Print a text in a job, and return how that ended."""
    runner.start([claim(execution_id=execution_id, params=f'{{"text":"{text}"}}')])
    until = SystemClock().monotonic() + PATIENCE
    while not (ended := runner.ended()):
        assert SystemClock().monotonic() < until, "it has not ended"
        runner.wait(0.01)
    return ended[0]


def test_what_a_job_prints_is_flushed_when_it_ends(runner: ThreadRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    with printing_to_a_pipe(monkeypatch) as pipe:
        print_in(runner, "hello")
        assert os.read(pipe, 100) == b"hello\n"
        print_in(runner, "world", 2)
        assert os.read(pipe, 100) == b"world\n"


def closed() -> TextIO:
    stream = io.StringIO()
    stream.close()
    return stream


def read_by_nobody() -> TextIO:
    there, here = os.pipe()
    os.close(there)
    stream = open(here, "w", buffering=1 << 20)  # noqa: SIM115
    stream.write("not flushed yet")
    return stream


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the stream that nobody reads
@pytest.mark.parametrize("stream", [lambda: None, closed, read_by_nobody, object])
def test_a_stream_that_cannot_be_flushed_hurts_no_job(
    runner: ThreadRunner, monkeypatch: pytest.MonkeyPatch, stream: Callable[[], TextIO]
) -> None:
    monkeypatch.setattr(sys, "stdout", stream())
    for number in (1, 2):
        _, report = print_in(runner, "x", number)
        # As in any program, print fails where the stream is closed, and does nothing where there is none.
        assert report.status in (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED)


def test_a_pipe_that_is_full_keeps_neither_a_result_nor_the_next_job(
    runner: ThreadRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with printing_to_a_pipe(monkeypatch) as pipe:
        fill(sys.stdout.fileno())
        for number, word in enumerate(["hello", "world"], start=1):
            assert print_in(runner, word, number)[1].status is ExecutionStatus.COMPLETED
        text = b""
        while not text.endswith(b"world\n"):
            text += os.read(pipe, 1 << 16)
    assert text.lstrip(b"x") == b"hello\nworld\n"


def fill(file: int) -> None:
    os.set_blocking(file, False)
    with suppress(BlockingIOError):
        while True:
            os.write(file, b"x" * 4096)
    os.set_blocking(file, True)
