"""A thread for each slot, and what happens when a function does not return."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from calls import claim

from gigq import JobCancelled, ManualClock
from gigq.claims import Claim
from gigq.clock import to_text
from gigq.reports import Report
from gigq.runtime.runner import Ended
from gigq.runtime.threads import MAX_ABANDONED, ThreadRunner
from gigq.status import ExecutionStatus

DONE = Report(status=ExecutionStatus.COMPLETED, result="1")


class Stage:
    """Functions that begin and end when the test says so."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.interrupted_by: list[type[BaseException]] = []

    def play(self, claim: Claim) -> Report:
        self.begun.release()
        try:
            while not self.may_end.wait(0.001):
                pass
        except BaseException as error:
            self.interrupted_by.append(type(error))
            raise
        return DONE

    def stubborn(self, claim: Claim) -> Report:
        """Stay in C code, where no exception reaches it."""
        self.begun.release()
        self.may_end.wait()
        return DONE


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def runner_of(clock: ManualClock, stage: Stage) -> Iterator[Callable[..., ThreadRunner]]:
    """Makes runners. At the end all functions may return, and all threads end."""
    runners = []

    def make(call: Callable[[Claim], Report], slots: int = 2) -> ThreadRunner:
        runners.append(ThreadRunner(call, slots=slots, clock=clock))
        return runners[-1]

    yield make
    stage.may_end.set()
    for runner in runners:
        while runner.running:
            runner.wait(10)
            runner.ended()
        runner.close()
    join_slots()


def join_slots() -> None:
    for thread in threading.enumerate():
        if thread.name == "gigq-slot":
            thread.join(10)
            assert not thread.is_alive()


def next_ended(runner: ThreadRunner) -> list[Ended]:
    while not (ended := runner.ended()):
        runner.wait(10)
    return ended


def test_slots_are_taken_and_freed(runner_of: Callable[..., ThreadRunner], stage: Stage) -> None:
    runner = runner_of(stage.play)
    assert runner.free == 2
    first, second = claim(execution_id=1), claim(execution_id=2)
    runner.start([first, second])
    assert (runner.free, set(runner.running)) == (0, {1, 2})
    stage.may_end.set()
    ended = next_ended(runner)
    while len(ended) < 2:
        ended += next_ended(runner)
    assert sorted(each.execution_id for each, _ in ended) == [1, 2]
    assert {report for _, report in ended} == {DONE}
    assert runner.free == 2


def test_the_loop_wakes_for_a_short_timeout_that_began_while_it_slept(
    runner_of: Callable[..., ThreadRunner], stage: Stage
) -> None:
    runner = runner_of(stage.play)
    runner.start([claim(execution_id=1, timeout=0.9)])
    runner.wait(60)
    assert runner.next_deadline is not None


def test_one_thread_serves_many_claims(runner_of: Callable[..., ThreadRunner]) -> None:
    threads = set()

    def note(claim: Claim) -> Report:
        threads.add(threading.get_ident())
        return DONE

    runner = runner_of(note, slots=1)
    for number in range(50):
        runner.start([claim(execution_id=number)])
        next_ended(runner)
    assert len(threads) == 1


def test_an_overdue_execution_ends_at_once_and_its_thread_gets_the_exception(
    runner_of: Callable[..., ThreadRunner], stage: Stage, clock: ManualClock
) -> None:
    runner = runner_of(stage.play, slots=1)
    late = claim(execution_id=1, timeout=10)
    began_at = to_text(clock.now())
    runner.start([late])
    stage.begun.acquire()
    clock.advance(9.9)
    assert runner.ended() == []
    assert runner.next_deadline == 10
    clock.advance(0.1)
    ((ended, report),) = runner.ended()
    assert (ended, report.status, report.error) == (late, ExecutionStatus.TIMEOUT, "timed out after 10 seconds")
    assert report.started_at == began_at
    assert (runner.free, list(runner.running)) == (1, [])


def test_a_function_that_never_returns_does_not_keep_its_slot(
    runner_of: Callable[..., ThreadRunner], stage: Stage, clock: ManualClock
) -> None:
    runner = runner_of(stage.stubborn, slots=1)
    runner.start([claim(execution_id=1, timeout=10)])
    stage.begun.acquire()
    clock.advance(10)
    assert len(runner.ended()) == 1
    runner.start([claim(execution_id=2, timeout=None)])
    stage.begun.acquire()
    stage.may_end.set()
    ((ended, _),) = next_ended(runner)
    assert ended.execution_id == 2, "the late report of the first is dropped"
    assert runner.ended() == []


def test_a_runner_with_too_many_abandoned_threads_has_no_free_slot(
    runner_of: Callable[..., ThreadRunner], stage: Stage, clock: ManualClock
) -> None:
    runner = runner_of(stage.stubborn, slots=1)
    for number in range(MAX_ABANDONED):
        assert runner.free == 1
        runner.start([claim(execution_id=number, timeout=1)])
        stage.begun.acquire()
        clock.advance(1)
        assert len(runner.ended()) == 1
    assert runner.free == 0


def test_a_stopped_execution_is_interrupted_and_forgotten(runner_of: Callable[..., ThreadRunner], stage: Stage) -> None:
    runner = runner_of(stage.play, slots=1)
    runner.start([claim(execution_id=1)])
    stage.begun.acquire()
    runner.stop([1, 99])
    assert (list(runner.running), runner.ended()) == ([], [])
    join_slots()
    assert stage.interrupted_by == [JobCancelled]


def test_an_execution_that_is_stopped_before_it_begins_is_never_called(
    runner_of: Callable[..., ThreadRunner], stage: Stage
) -> None:
    called = []

    def call(claim: Claim) -> Report:
        called.append(claim.execution_id)
        return stage.play(claim)

    runner = runner_of(call, slots=1)
    runner.start([claim(execution_id=number) for number in (1, 2, 3)])
    stage.begun.acquire()
    runner.stop([2])
    stage.may_end.set()
    ended = next_ended(runner)
    while len(ended) < 2:
        ended += next_ended(runner)
    assert [each.execution_id for each, _ in ended] == called == [1, 3]


def test_claims_that_have_not_begun_can_be_given_back(runner_of: Callable[..., ThreadRunner], stage: Stage) -> None:
    runner = runner_of(stage.play, slots=1)
    claims = [claim(execution_id=number) for number in (1, 2, 3)]
    runner.start(claims)
    stage.begun.acquire()
    assert runner.give_back() == claims[1:]
    assert (list(runner.running), runner.begun) == ([1], [1])


def test_another_thread_can_end_a_wait(runner_of: Callable[..., ThreadRunner]) -> None:
    runner = runner_of(lambda claim: DONE)
    waker = threading.Thread(target=runner.wake)
    waker.start()
    runner.wait(60)
    waker.join()
    assert runner.ended() == []
