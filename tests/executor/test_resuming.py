"""An executor with a name goes on where the last run of the script has ended."""

from __future__ import annotations

import signal
import sqlite3
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, as_completed
from contextlib import closing
from pathlib import Path
from typing import Any

import pool_functions
import pytest
from pool_functions import CALLS, EVENTS

from gigq import JobQueue, NotImportable, NotSerializable, QueueExecutor, SystemClock, Worker, task
from gigq.executor.code import code_of, differs

SECONDS = 30.0


@pytest.fixture(autouse=True)
def _reset() -> Iterator[None]:
    pool_functions.reset()
    yield
    for event in EVENTS.values():
        event.set()


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "jobs.db"
    with JobQueue(tmp_path / "jobs.db") as queue:
        assert queue.check() == []


def names_of(path: Path, *statuses: str) -> list[Any]:
    with JobQueue(path) as queue:
        return sorted(job.args[0] for job in queue.find_jobs(list(statuses) or None))


def test_what_has_completed_is_returned_from_the_file(path: Path) -> None:
    for _ in range(2):
        with QueueExecutor(path, 2, name="crawl") as executor:
            assert list(executor.map(pool_functions.noted, ["a", "b", {"c": [1]}])) == ["a", "b", {"c": [1]}]

    assert sorted(map(str, CALLS)) == ["a", "b", "{'c': [1]}"]


def test_what_has_failed_is_tried_again(path: Path, tmp_path: Path) -> None:
    trace = str(tmp_path / "trace")
    with QueueExecutor(path, 1, name="crawl") as executor:
        assert isinstance(
            executor.submit(pool_functions.append_and_fail_first, trace, "a").exception(SECONDS), ValueError
        )
        assert names_of(path, "failed") == [trace]
    with QueueExecutor(path, 1, name="crawl") as executor:
        assert executor.submit(pool_functions.append_and_fail_first, trace, "a").result(SECONDS) == "a"


def test_what_was_cancelled_is_made_when_it_is_asked_for_again(path: Path) -> None:
    with QueueExecutor(path, 1, name="crawl") as executor:
        executor.submit(pool_functions.held, "a")
        rest = executor.submit(pool_functions.noted, "b")
        EVENTS["a began"].wait(SECONDS)
        rest.cancel()
        EVENTS["a may end"].set()
    assert (names_of(path, "cancelled"), CALLS) in ((["b"], []), ([], []))
    with QueueExecutor(path, 1, name="crawl") as executor:
        assert executor.submit(pool_functions.noted, "b").result(SECONDS) == "b"


def test_what_is_no_longer_asked_for_is_never_made(path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), QueueExecutor(path, 1, name="crawl") as executor:
        leave_with_work(executor)
    left = names_of(path, "pending")
    assert left == ["b", "c"]

    with QueueExecutor(path, 1, name="crawl") as executor, Worker(path, burst=True) as worker:
        assert executor.submit(pool_functions.noted, "b").result(SECONDS) == "b"
        worker.start()
        assert not worker.process_one()

    assert names_of(path, "pending") == ["c"]
    assert CALLS == ["b"]
    with QueueExecutor(path, 1, name="crawl") as executor:
        assert executor.forget() == 3
    assert names_of(path) == []


def leave_with_work(executor: QueueExecutor) -> None:
    """Interrupt the program while one call runs and two wait."""
    executor.submit(pool_functions.held, "a")
    rest = [executor.submit(pool_functions.noted, each) for each in "bc"]
    EVENTS["a began"].wait(SECONDS)
    until_stored(executor)
    rest[0].add_done_callback(lambda _: EVENTS["a may end"].set())  # when it is cancelled, as the block is left
    raise KeyboardInterrupt


def until_stored(executor: QueueExecutor) -> None:
    while executor._parts.intake:
        SystemClock().sleep(0.001)


def test_a_block_left_by_an_interrupt_waits_for_what_runs_and_cancels_the_other_futures(path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), QueueExecutor(path, 1, name="crawl") as executor:
        running, waiting = executor.submit(pool_functions.held, "a"), executor.submit(pool_functions.noted, "b")
        EVENTS["a began"].wait(SECONDS)
        waiting.add_done_callback(lambda _: EVENTS["a may end"].set())
        raise KeyboardInterrupt

    assert running.result(0) == "a"
    with pytest.raises(CancelledError):
        waiting.result(0)
    assert names_of(path, "completed") == ["a"]
    assert (executor._run.board.counts["ended"], executor._run.board.asked) == (1, 2)  # what its progress says


def interrupt_soon() -> None:
    main = threading.main_thread().ident
    assert main is not None
    threading.Timer(0.05, signal.pthread_kill, [main, signal.SIGINT]).start()


@pytest.mark.parametrize("name", [None, "crawl"])
def test_a_second_interrupt_tells_those_who_wait_for_what_runs(name: str | None, path: Path) -> None:
    seen: list[Future[str]] = []
    with pytest.raises(KeyboardInterrupt), QueueExecutor(path, 1, name=name) as executor:
        running, waiting = executor.submit(pool_functions.held, "a"), executor.submit(pool_functions.noted, "b")
        EVENTS["a began"].wait(SECONDS)
        waiter = threading.Thread(target=lambda: seen.extend(as_completed([running, waiting], SECONDS)))
        waiter.start()
        waiting.add_done_callback(lambda _: interrupt_soon())
        raise KeyboardInterrupt

    waiter.join(SECONDS)
    assert (set(seen), CALLS) == ({running, waiting}, [])
    with pytest.raises(CancelledError, match="has not waited for this call"):
        running.result(0)


def test_a_block_left_by_an_exit_without_a_name_leaves_nothing(path: Path) -> None:
    with pytest.raises(SystemExit), QueueExecutor(path, 1) as executor:
        executor.submit(pool_functions.held, "a")
        waiting = executor.submit(pool_functions.noted, "b")
        EVENTS["a began"].wait(SECONDS)
        waiting.add_done_callback(lambda _: EVENTS["a may end"].set())
        raise SystemExit

    assert (names_of(path), CALLS) == ([], [])


def test_a_block_left_by_another_exception_makes_all_calls(path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), QueueExecutor(path, 1, name="crawl") as executor:
        executor.map(pool_functions.noted, "abc")
        raise ValueError("mine")

    assert CALLS == ["a", "b", "c"]


def test_another_version_makes_all_calls_anew(path: Path) -> None:
    for version in ("1", "1", "2", "1"):
        with QueueExecutor(path, 1, name="crawl", version=version) as executor:
            executor.submit(pool_functions.noted, version).result(SECONDS)

    assert CALLS == ["1", "2"]


def test_a_result_that_is_damaged_in_the_file_is_an_error_of_its_own_future(path: Path) -> None:
    with QueueExecutor(path, 1, name="crawl") as executor:
        assert list(executor.map(pool_functions.noted, "ab")) == ["a", "b"]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE jobs SET result = '{' WHERE args = '[\"a\"]'")
    with QueueExecutor(path, 1, name="crawl") as executor:
        a, b, c = (executor.submit(pool_functions.noted, each) for each in "abc")
        with pytest.raises(ValueError, match="Expecting property name"):
            a.result(SECONDS)
        assert (b.result(SECONDS), c.result(SECONDS)) == ("b", "c")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE jobs SET result = '\"a\"' WHERE result = '{'")


def test_names_do_not_share_results(path: Path) -> None:
    for name in ("crawl", "crawl more", "c"):
        with QueueExecutor(path, 1, name=name) as executor:
            executor.submit(pool_functions.noted, "a").result(SECONDS)

    assert CALLS == ["a"] * 3
    with QueueExecutor(path, 1, name="crawl") as executor:
        assert executor.forget() == 1
    assert len(names_of(path)) == 2


def test_equal_calls_are_counted_and_the_order_of_keys_does_not_matter(path: Path) -> None:
    for _ in range(2):
        with QueueExecutor(path, 1, name="crawl") as executor:
            for given in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1, "b": 3}):
                executor.submit(pool_functions.noted, given).result(SECONDS)

    assert len(CALLS) == 3


@pytest.mark.parametrize(
    ("value", "back"), [((1, 2), [1, 2]), ({1: "a"}, {"1": "a"}), (1.5, 1.5), ([{"a": None}], [{"a": None}])]
)
def test_values_come_back_as_json_in_the_first_run_too(value: object, back: object, path: Path) -> None:
    for _ in range(2):
        with QueueExecutor(path, 1, name="crawl") as executor:
            assert executor.submit(pool_functions.as_given, value).result(SECONDS) == back


def test_what_json_cannot_hold_is_refused_with_its_place(path: Path) -> None:
    with QueueExecutor(path, 1, name="crawl") as executor:
        with pytest.raises(NotSerializable, match=r"^as_given: args\[0\]\[\"a\"\] is of type set"):
            executor.submit(pool_functions.as_given, {"a": {1}})
        with pytest.raises(NotSerializable, match=r"^double: params\[\"plus\"\]"):
            executor.submit(pool_functions.double, 1, plus=object())  # type: ignore[arg-type]
        with pytest.raises(NotSerializable, match="as_given"):
            executor.map(pool_functions.as_given, [1, 2, {3}])
        with pytest.raises(NotSerializable, match="result is of type set"):
            executor.submit(pool_functions.a_set).result(SECONDS)


@pytest.mark.parametrize("function", [lambda: 1, "".join, len, dict, Path("a").exists], ids=["lambda", "join", "len", "dict", "exists"])
def test_a_function_without_a_name_of_its_own_is_refused_with_advice(
    function: Callable[..., object], path: Path
) -> None:
    with QueueExecutor(path, 1) as executor, pytest.raises(NotImportable, match=r"; |use ") as refused:
        executor.submit(function)
    assert refused.value.__context__ is None


def test_a_task_is_called_as_the_function_it_is(path: Path) -> None:
    with QueueExecutor(path, 1, name="crawl") as executor:
        assert executor.submit(task(pool_functions.double, max_attempts=7), 4).result(SECONDS) == 8
    with JobQueue(path) as queue:
        assert queue.find_jobs()[0].max_attempts == 3


def test_a_queue_lends_its_limit_and_its_conversion(path: Path) -> None:
    with JobQueue(path, params_limit=20, default=sorted) as queue, QueueExecutor(queue, 1, name="crawl") as executor:
        assert executor.submit(pool_functions.as_given, {2, 1}).result(SECONDS) == [1, 2]
        assert executor.submit(pool_functions.a_set).result(SECONDS) == [1]
        with pytest.raises(NotSerializable, match="the limit is 20"):
            executor.submit(pool_functions.as_given, "x" * 20)


def test_a_call_that_fails_is_made_once_unless_an_option_says_otherwise(path: Path, tmp_path: Path) -> None:
    trace = str(tmp_path / "trace")
    with QueueExecutor(path, 1, max_attempts=2) as executor:
        assert executor.submit(pool_functions.append_and_fail_first, trace, "a").result(SECONDS) == "a"
    with QueueExecutor(path, 1, retry_on=[ValueError]) as executor:
        assert executor.submit(pool_functions.append_and_fail_first, trace, "b").result(SECONDS) == "b"
    with QueueExecutor(path, 1) as executor:
        assert executor.submit(pool_functions.append_and_fail_first, trace, "c").exception(SECONDS) is not None


def test_options_of_jobs_are_those_of_the_calls(path: Path) -> None:
    with QueueExecutor(path, 1, name="crawl", tags=["web"], metadata={"by": "me"}, priority="high") as executor:
        executor.submit(pool_functions.nothing).result(SECONDS)
    with JobQueue(path) as queue:
        (job,) = queue.find_jobs()
    assert (job.tags, job.metadata["by"], job.priority, job.name) == (("web",), "me", 100, "nothing")
    with pytest.raises(TypeError, match="queue"):
        QueueExecutor(path, queue="mine")  # type: ignore[call-arg]


def test_a_timeout_is_raised_as_the_end_of_the_job(path: Path) -> None:
    with QueueExecutor(path, 1, timeout=0.05) as executor:
        error = executor.submit(pool_functions.spin).exception(SECONDS)
    assert "timed out after 0.05 seconds" in str(error)
    assert getattr(error, "status", None) == "timeout"


def test_a_buffer_asks_for_no_more_than_it_holds(path: Path) -> None:
    taken = []

    def numbers() -> Iterator[int]:
        for number in range(20):
            taken.append(number)
            yield number

    with QueueExecutor(path, 1, name="crawl") as executor:
        results = executor.map(pool_functions.double, numbers(), buffersize=3)
        before = list(taken)
        found = [next(results), next(results)]
        between = list(taken)
        found += results

    assert (before, between) == ([0, 1, 2], [0, 1, 2, 3, 4])
    assert found == [2 * number for number in range(20)]


@pytest.mark.parametrize(("size", "error"), [(0, ValueError), ("3", TypeError)])
def test_a_wrong_buffer_is_refused(size: Any, error: type[Exception], path: Path) -> None:
    with QueueExecutor(path, 1) as executor, pytest.raises(error, match="buffersize must be"):
        executor.map(pool_functions.double, [1], buffersize=size)


# code

OLD = "def work(x):\n    return x\n"
NEW = "def work(x):\n    return x + 1\n"
COMMENTED = "# Why\ndef work( x ):\n\n    return x  # all of it\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Callable[[int], int]]:
    """Writes a module, and returns its function."""
    monkeypatch.syspath_prepend(str(tmp_path))
    count = iter(range(10))

    def write(text: str) -> Callable[[int], int]:
        import importlib
        import linecache
        import os
        import sys

        (tmp_path / "changing.py").write_text(text)
        os.utime(tmp_path / "changing.py", (1000 + next(count),) * 2)
        sys.modules.pop("changing", None)
        importlib.invalidate_caches()
        linecache.clearcache()
        return importlib.import_module("changing").work  # type: ignore[no-any-return]

    return write


def test_results_of_changed_code_are_told_of_once(path: Path, module: Callable[[str], Callable[[int], int]]) -> None:
    with QueueExecutor(path, 1, name="crawl") as executor:
        assert list(executor.map(module(OLD), range(3))) == [0, 1, 2]
    work = module(NEW)
    message = "^3 results of 'work' were made by older code; another version=… makes them again$"
    with pytest.warns(UserWarning, match=message) as told, QueueExecutor(path, 1, name="crawl") as executor:
        assert list(executor.map(work, range(3))) == [0, 1, 2]
    assert len(told) == 1
    assert told[0].filename == __file__


def test_comments_and_layout_are_no_change(path: Path, module: Callable[[str], Callable[[int], int]]) -> None:
    with QueueExecutor(path, 1, name="crawl") as executor:
        executor.submit(module(OLD), 1).result(SECONDS)
    with warnings.catch_warnings(), QueueExecutor(path, 1, name="crawl") as executor:
        warnings.simplefilter("error")
        executor.submit(module(COMMENTED), 1).result(SECONDS)


def test_code_without_a_source_or_of_another_python_is_not_compared() -> None:
    assert code_of(len) is None
    code = code_of(pool_functions.double)
    assert code is not None
    assert not differs(code, None)
    assert not differs(None, code)
    assert not differs("2.7:abc", code)
    assert not differs(code, code)
    assert differs(code, code_of(pool_functions.fail))
