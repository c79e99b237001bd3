"""The same program with a pool of Python's and with an executor of ours: the outcome is the same."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pool_functions
import pytest
from pool_functions import CALLS, EVENTS, POOLS

from gigq import JobQueue, QueueExecutor

Pool = Callable[..., Executor]
SECONDS = 30.0


def outcome(future: Future[Any]) -> Any:
    """What a future raises or returns."""
    try:
        return future.result(SECONDS)
    except concurrent.futures.CancelledError as error:
        return type(error).__name__
    except BaseException as error:
        return type(error).__name__, error.args


def a_result(pool: Pool) -> Any:
    with pool() as it:
        return outcome(it.submit(pool_functions.double, 3))


def keywords(pool: Pool) -> Any:
    with pool() as it:
        return outcome(it.submit(pool_functions.double, 3, plus=1))


def a_result_that_is_none(pool: Pool) -> Any:
    with pool() as it:
        return outcome(it.submit(pool_functions.nothing))


def a_map_in_order(pool: Pool) -> Any:
    with pool() as it:
        return list(it.map(pool_functions.double, range(50)))


def a_map_of_several_iterables(pool: Pool) -> Any:
    with pool() as it:
        return list(it.map(pool_functions.fail_at, [2, 3, 4], iter([5, 6])))


def a_map_of_nothing(pool: Pool) -> Any:
    with pool() as it:
        return list(it.map(pool_functions.double, [])), list(it.map(pool_functions.nothing))


def a_map_with_chunks(pool: Pool) -> Any:
    with pool() as it:
        return list(it.map(pool_functions.double, range(10), chunksize=4))


def a_map_with_too_small_chunks(pool: Pool) -> Any:
    with pool() as it:
        try:
            return list(it.map(pool_functions.double, range(2), chunksize=1))
        except ValueError as error:
            return str(error)


def a_map_that_fails(pool: Pool) -> Any:
    seen = []
    with pool() as it:
        results = it.map(pool_functions.fail_at, range(5), [2] * 5)
        with suppress(ValueError):
            seen += list(iter(results.__next__, None))
        return seen, list(results)


def equal_calls(pool: Pool) -> Any:
    with pool() as it:
        return [outcome(it.submit(pool_functions.double, 1)) for _ in range(3)]


def an_exception(pool: Pool) -> Any:
    with pool() as it:
        future = it.submit(pool_functions.fail, "so")
        return outcome(future), repr(future.exception()), future.done(), future.running(), future.cancelled()


def wrong_arguments(pool: Pool) -> Any:
    with pool() as it:
        return outcome(it.submit(pool_functions.double, 1, 2, 3))


def an_exit(pool: Pool) -> Any:
    with pool() as it:
        return outcome(it.submit(pool_functions.leave, 3))


def a_stop_iteration(pool: Pool) -> Any:
    with pool() as it:
        return outcome(it.submit(pool_functions.stop_iteration))


def a_value_after_the_end(pool: Pool) -> Any:
    with pool() as it:
        future = it.submit(pool_functions.double, 4)
    return outcome(future), future.done()


def a_submit_after_the_end(pool: Pool) -> Any:
    it = pool()
    it.shutdown()
    try:
        it.submit(pool_functions.double, 1)
    except RuntimeError as error:
        return str(error)
    return "accepted"


def an_end_twice(pool: Pool) -> Any:
    it = pool()
    it.shutdown()
    it.shutdown(wait=False)
    it.shutdown(cancel_futures=True)
    return "ended"


def an_end_without_waiting(pool: Pool) -> Any:
    it = pool()
    futures = [it.submit(pool_functions.double, number) for number in range(20)]
    it.shutdown(wait=False)
    return [outcome(future) for future in futures]


def no_workers(pool: Pool) -> Any:
    try:
        pool(0)
    except ValueError as error:
        return "max_workers" in str(error)
    return "accepted"


def a_submit_of_nothing(pool: Pool) -> Any:
    with pool() as it:
        try:
            it.submit()  # type: ignore[call-arg]
        except TypeError:
            return "TypeError"
    return "accepted"


def as_completed(pool: Pool) -> Any:
    with pool() as it:
        futures = {it.submit(pool_functions.double, number): number for number in range(30)}
        return sorted((futures[each], each.result()) for each in concurrent.futures.as_completed(futures, SECONDS))


def a_wait_for_all(pool: Pool) -> Any:
    with pool() as it:
        done, left = concurrent.futures.wait([it.submit(pool_functions.double, each) for each in range(9)], SECONDS)
        return sorted(each.result() for each in done), len(left)


def a_wait_for_an_exception(pool: Pool) -> Any:
    with pool() as it:
        futures = [it.submit(pool_functions.fail)]
        done, _ = concurrent.futures.wait(futures, SECONDS, return_when=concurrent.futures.FIRST_EXCEPTION)
        return [outcome(each) for each in done]


def in_an_event_loop(pool: Pool) -> Any:
    async def main(it: Executor) -> Any:
        loop = asyncio.get_running_loop()
        calls = [loop.run_in_executor(it, pool_functions.double, number) for number in range(5)]
        return await asyncio.gather(*calls)

    with pool() as it:
        return asyncio.run(main(it))


def callbacks(pool: Pool) -> Any:
    seen: list[Any] = []
    with pool() as it:
        future = it.submit(pool_functions.double, 5)
        future.add_done_callback(lambda each: seen.append(("first", each is future, each.result())))
        future.add_done_callback(lambda each: seen.append(("second", each is future, each.result())))
    future.add_done_callback(lambda each: seen.append(("late", threading.current_thread() is threading.main_thread())))
    return seen


EVERYWHERE = [
    a_result, keywords, a_result_that_is_none, a_map_in_order, a_map_of_several_iterables, a_map_of_nothing,
    a_map_with_chunks, a_map_with_too_small_chunks, a_map_that_fails, equal_calls, an_exception, wrong_arguments,
    an_exit, a_stop_iteration, a_value_after_the_end, a_submit_after_the_end, an_end_twice, an_end_without_waiting,
    no_workers, a_submit_of_nothing, as_completed, a_wait_for_all, a_wait_for_an_exception, in_an_event_loop, callbacks,
]  # fmt: skip
"""What is the same in threads and in processes."""


# what only threads show


def the_exception_itself(pool: Pool) -> Any:
    with pool() as it:
        return it.submit(pool_functions.fail_with_the_object).exception(SECONDS) is pool_functions.ERROR


def a_keyboard_interrupt_of_a_call(pool: Pool) -> Any:
    with pool() as it:
        return outcome(it.submit(pool_functions.interrupt))


def the_traceback(pool: Pool) -> Any:
    with pool() as it:
        error = it.submit(pool_functions.fail).exception(SECONDS)
    assert error is not None
    trace, names = error.__traceback__, []
    while trace is not None:
        names.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return names[-1], error.__cause__


def cancels(pool: Pool) -> Any:
    with pool(1) as it:
        running, pending = it.submit(pool_functions.held, "it"), it.submit(pool_functions.noted, "never")
        EVENTS["it began"].wait(SECONDS)
        found = [running.running(), pending.running(), running.cancel(), pending.cancel(), pending.cancel()]
        EVENTS["it may end"].set()
        found += [outcome(running), outcome(pending), running.cancel(), pending.cancelled(), pending.done()]
    return found, CALLS


def a_wait_for_the_cancelled(pool: Pool) -> Any:
    with pool(1) as it:
        running, pending = it.submit(pool_functions.held, "it"), it.submit(pool_functions.noted, "never")
        EVENTS["it began"].wait(SECONDS)
        pending.cancel()
        EVENTS["it may end"].set()
        done = concurrent.futures.wait([running, pending], SECONDS).done
    return len(done), sorted(each.cancelled() for each in done)


def a_callback_of_the_cancelled(pool: Pool) -> Any:
    seen: list[Any] = []
    with pool(1) as it:
        it.submit(pool_functions.held, "it")
        pending = it.submit(pool_functions.noted, "never")
        pending.add_done_callback(lambda each: seen.append(each.cancelled()))
        pending.cancel()
        at_once = list(seen)
        EVENTS["it may end"].set()
    return at_once, seen


def an_end_that_cancels(pool: Pool) -> Any:
    it = pool(1)
    running = it.submit(pool_functions.held, "it")
    rest = [it.submit(pool_functions.noted, number) for number in range(20)]
    EVENTS["it began"].wait(SECONDS)
    it.shutdown(wait=False, cancel_futures=True)
    EVENTS["it may end"].set()
    it.shutdown()
    return outcome(running), {outcome(each) for each in rest}, CALLS


def a_map_that_is_closed(pool: Pool) -> Any:
    with pool(1) as it:
        results = it.map(pool_functions.held, ["a", "b", "c"])
        EVENTS["a may end"].set()
        found = next(results)
        EVENTS["b began"].wait(SECONDS)
        results.close()  # type: ignore[attr-defined]
        EVENTS["b may end"].set()
    return found, EVENTS["c began"].is_set()


def a_map_that_fails_cancels_the_rest(pool: Pool) -> Any:
    with pool(1) as it:
        results = it.map(pool_functions.fail_at, range(1000), [0] * 1000)
        try:
            next(results)
        except ValueError:
            return "failed", len(list(results))


def a_map_that_takes_too_long(pool: Pool) -> Any:
    with pool(1) as it:
        results = it.map(pool_functions.held, ["it", "other"], timeout=0.1)
        try:
            next(results)
        except TimeoutError:
            return "too long"
        finally:
            EVENTS["it may end"].set()
            EVENTS["other may end"].set()


def a_result_that_takes_too_long(pool: Pool) -> Any:
    with pool(1) as it:
        future = it.submit(pool_functions.held, "it")
        try:
            future.result(0.05)
        except TimeoutError:
            found = future.done()
        EVENTS["it may end"].set()
        return found, outcome(future)


def the_states(pool: Pool) -> Any:
    with pool(1) as it:
        future, other = it.submit(pool_functions.held, "it"), it.submit(pool_functions.double, 1)
        EVENTS["it began"].wait(SECONDS)
        found = [future.running(), future.done(), other.running(), other.done()]
        EVENTS["it may end"].set()
        outcome(other)
    return found, future.running(), future.done()


def nested_submits(pool: Pool) -> Any:
    with pool(2) as it:
        POOLS["pool"] = it
        return outcome(it.submit(pool_functions.nested, 4))


def an_end_from_inside(pool: Pool) -> Any:
    with pool(1) as it:
        POOLS["pool"] = it
        return outcome(it.submit(pool_functions.shut_down_from_inside))


def as_many_at_a_time(pool: Pool) -> Any:
    with pool(4) as it:
        return list(it.map(pool_functions.meet, range(4), [4] * 4))


def names_of_threads(pool: Pool) -> Any:
    with pool(2, thread_name_prefix="crawler") as it:
        return outcome(it.submit(pool_functions.thread_name)).startswith("crawler_")


def an_initializer(pool: Pool) -> Any:
    with pool(2, initializer=pool_functions.set_up, initargs=("ready",)) as it:
        found = list(it.map(pool_functions.what_was_set_up, range(20)))
    return found, len(CALLS) == len(set(CALLS))


def an_initializer_that_fails(pool: Pool) -> Any:
    it = pool(1, initializer=pool_functions.fail_to_set_up)
    first = it.submit(pool_functions.double, 1)
    error = first.exception(SECONDS)
    try:
        it.submit(pool_functions.double, 2)
    except RuntimeError as refused:
        found = type(refused)
    it.shutdown()
    return type(error), found


def a_callback_that_fails(pool: Pool) -> Any:
    def fail(_: Future[Any]) -> None:
        raise ValueError("of the callback")

    seen: list[Any] = []
    with pool() as it:
        future = it.submit(pool_functions.double, 1)
        future.add_done_callback(fail)
        future.add_done_callback(lambda each: seen.append(each.result()))
    return seen


def a_callback_that_submits(pool: Pool) -> Any:
    seen: list[Future[int]] = []
    has_submitted = threading.Event()
    with pool() as it:

        def go_on(future: Future[int]) -> None:
            seen.append(it.submit(pool_functions.double, future.result()))
            has_submitted.set()

        it.submit(pool_functions.double, 1).add_done_callback(go_on)
        has_submitted.wait(SECONDS)
        return outcome(seen[0])


def a_callback_that_waits_for_another_call(pool: Pool) -> Any:
    seen: list[int] = []
    with pool(2) as it:
        first, other = it.submit(pool_functions.held, "first"), it.submit(pool_functions.held, "other")
        first.add_done_callback(lambda _: (EVENTS["called"].set(), seen.append(len(other.result(SECONDS)))))
        EVENTS["first may end"].set()
        EVENTS["called"].wait(SECONDS)
        EVENTS["other may end"].set()
    return seen


IN_THREADS = [
    the_exception_itself, a_keyboard_interrupt_of_a_call, the_traceback, cancels, a_wait_for_the_cancelled,
    a_callback_of_the_cancelled, an_end_that_cancels, a_map_that_is_closed, a_map_that_fails_cancels_the_rest,
    a_map_that_takes_too_long, a_result_that_takes_too_long, the_states, nested_submits, an_end_from_inside,
    as_many_at_a_time, names_of_threads, an_initializer, an_initializer_that_fails, a_callback_that_fails,
    a_callback_that_submits, a_callback_that_waits_for_another_call,
]  # fmt: skip


@pytest.fixture(autouse=True)
def _forget(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.CRITICAL + 1)  # what both log of callbacks and initializers
    pool_functions.reset()
    yield
    for event in EVENTS.values():
        event.set()


def ours(path: Path, **options: Any) -> Pool:
    """A factory of executors that share a file, and each a name of its own or none."""

    def new(max_workers: int | None = 3, **more: Any) -> Executor:
        return QueueExecutor(path, max_workers, **options, **more)

    return new


@pytest.mark.parametrize("name", [None, "it"], ids=["without a name", "with a name"])
@pytest.mark.parametrize("behaviour", EVERYWHERE + IN_THREADS, ids=lambda each: each.__name__)
def test_an_executor_does_what_a_pool_of_threads_does(
    behaviour: Callable[[Pool], Any], name: str | None, tmp_path: Path
) -> None:
    expected = behaviour(lambda workers=3, **options: ThreadPoolExecutor(workers, **options))
    expected = deepcopy(expected)
    pool_functions.reset()

    found = behaviour(ours(tmp_path / "jobs.db", name=name))

    assert found == expected
    with JobQueue(tmp_path / "jobs.db") as queue:
        assert queue.check() == []
        if name is None:
            assert queue.count(["completed", "failed", "pending", "running"]) == 0


class Kept(Executor):
    """A pool that goes on for the next test: to start processes takes longest."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._pool.submit(*args, **kwargs)

    def map(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        return self._pool.map(*args, **kwargs)


@pytest.fixture(scope="module")
def of_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Executor, Executor]]:
    path = tmp_path_factory.mktemp("processes") / "jobs.db"
    with ProcessPoolExecutor(2) as theirs, QueueExecutor(path, 2, mode="process", name="it") as ours:
        yield theirs, ours


ENDS = {a_submit_after_the_end, an_end_twice, an_end_without_waiting, no_workers, callbacks}


@pytest.mark.parametrize("behaviour", [each for each in EVERYWHERE if each not in ENDS], ids=lambda each: each.__name__)
def test_an_executor_does_what_a_pool_of_processes_does(
    behaviour: Callable[[Pool], Any], of_processes: tuple[Executor, Executor]
) -> None:
    expected, found = (behaviour(lambda pool=pool, *_: Kept(pool)) for pool in of_processes)

    assert found == expected
