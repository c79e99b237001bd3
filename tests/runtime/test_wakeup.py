"""A thread that waits is woken, by whichever thread or signal handler and at whichever moment."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from gigq.runtime.wakeup import LONGEST_WAIT, Wakeup

LONG = 600.0
"""Seconds that no test takes: a wait of this length must have been ended by something else."""


@pytest.fixture
def wakeup() -> Iterator[Wakeup]:
    wakeup = Wakeup()
    yield wakeup
    wakeup.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def takes_its_time(wakeup: Wakeup, file: int | None = None) -> bool:
    """Whether nothing ends a short wait before its time."""
    before = time.monotonic()
    wakeup.wait(0.02, file=file)
    return time.monotonic() - before >= 0.019


def test_a_wait_ends_when_its_time_is_over(wakeup: Wakeup) -> None:
    assert takes_its_time(wakeup)


def test_a_wait_of_no_time_looks_and_returns(wakeup: Wakeup) -> None:
    wakeup.wait(0)


def test_a_wait_may_be_longer_than_the_system_can_count(wakeup: Wakeup) -> None:
    assert LONGEST_WAIT < 2**31 / 1000, "milliseconds of poll() in 32 bits"
    wakeup.wake()
    wakeup.wait(float("inf"))


def test_a_call_before_the_wait_ends_it(wakeup: Wakeup) -> None:
    wakeup.wake()
    wakeup.wait(LONG)


def test_a_call_ends_one_wait_and_not_two(wakeup: Wakeup) -> None:
    for _ in range(3):
        wakeup.wake()
        wakeup.wait(LONG)
        assert takes_its_time(wakeup)


def test_another_thread_ends_a_wait(wakeup: Wakeup) -> None:
    """Each answers the other, so that calls come before, in and after the wait; a wait may end without a call."""
    other, asked, answered = Wakeup(), [0], [0]

    def answer() -> None:
        while answered[0] < 2000:
            while asked[0] == answered[0]:
                other.wait(LONG)
            answered[0] += 1
            wakeup.wake()

    thread = threading.Thread(target=answer)
    thread.start()
    for _ in range(2000):
        asked[0] += 1
        other.wake()
        while answered[0] < asked[0]:
            wakeup.wait(LONG)
    thread.join()
    other.close()


def test_no_call_of_many_threads_is_lost(wakeup: Wakeup) -> None:
    done: list[int] = []

    def work(number: int) -> None:
        for each in range(500):
            done.append(number * 500 + each)
            wakeup.wake()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while len(done) < 2000:
        wakeup.wait(LONG)
    for thread in threads:
        thread.join()


def test_a_signal_handler_wakes_the_thread_that_it_interrupts(wakeup: Wakeup) -> None:
    before = signal.signal(signal.SIGALRM, lambda *_: wakeup.wake())
    try:
        for _ in range(20):
            signal.setitimer(signal.ITIMER_REAL, 0.002)
            wakeup.wait(LONG)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_readable_file_ends_a_wait(wakeup: Wakeup, pipe: tuple[int, int]) -> None:
    there, here = pipe
    os.write(here, b".")
    assert wakeup.wait(LONG, file=there)


def test_a_wait_that_something_else_ends_has_not_seen_the_file_readable(wakeup: Wakeup, pipe: tuple[int, int]) -> None:
    wakeup.wake()
    assert not wakeup.wait(LONG, file=pipe[0])
    assert not wakeup.wait(0, file=pipe[0])


def test_a_file_ends_every_wait_until_it_has_been_read(wakeup: Wakeup, pipe: tuple[int, int]) -> None:
    there, here = pipe
    os.write(here, b".")
    assert wakeup.wait(LONG, file=there)
    assert wakeup.wait(LONG, file=there)
    os.read(there, 1)
    assert takes_its_time(wakeup, there)


def test_a_file_that_is_no_longer_watched_ends_no_wait(wakeup: Wakeup, pipe: tuple[int, int]) -> None:
    there, here = pipe
    os.write(here, b".")
    assert wakeup.wait(LONG, file=there)
    assert takes_its_time(wakeup)
    assert wakeup.wait(LONG, file=there)


def test_a_thread_that_writes_to_the_file_ends_the_wait(wakeup: Wakeup, pipe: tuple[int, int]) -> None:
    there, here = pipe
    thread = threading.Thread(target=os.write, args=(here, b"."))
    thread.start()
    assert wakeup.wait(LONG, file=there)
    thread.join()
    assert os.read(there, 1) == b"."


def test_a_hundred_thousand_calls_neither_block_nor_end_a_second_wait(wakeup: Wakeup) -> None:
    for _ in range(100_000):
        wakeup.wake()
    wakeup.wait(LONG)
    assert takes_its_time(wakeup)


def test_waking_after_the_close_does_nothing() -> None:
    wakeup = Wakeup()
    wakeup.close()
    wakeup.wake()
