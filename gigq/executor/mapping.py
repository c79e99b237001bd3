"""`map`: a call for each group of arguments, and their results in that order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import Any, TypeVar

from gigq.clock import Clock

T = TypeVar("T")

Submit = Callable[..., Future[T]]


def results_of(
    submit: Callable[[tuple[Any, ...]], Future[T]],
    groups: Iterator[tuple[Any, ...]],
    *,
    timeout: float | None,
    buffersize: int | None,
    tell: Callable[[], object],
    clock: Clock,
) -> Iterator[T]:
    """Submit a call for each group, or as many as fit into the buffer, and return an iterator of their results.

    Args:
        submit: asks for one call.
        groups: the arguments of each.
        timeout: seconds from now until the iterator raises TimeoutError; None for never.
        buffersize: how many calls to ask for ahead of the results that were taken; None for all of them.
        tell: is called before each result.
        clock: where time comes from.
    """
    end = None if timeout is None else timeout + clock.monotonic()
    futures: deque[Future[T]] = deque()
    try:
        futures.extend(map(submit, groups if buffersize is None else islice(groups, buffersize)))
    except Exception:  # nobody would have the futures of the others
        _cancel(futures)
        raise
    return _results(futures, _more(submit, groups, is_wanted=buffersize is not None), end, tell, clock)


def _more(
    submit: Callable[[tuple[Any, ...]], Future[T]], groups: Iterable[tuple[Any, ...]], *, is_wanted: bool
) -> Iterator[Future[T]]:
    return map(submit, groups) if is_wanted else iter(())


def _results(
    futures: deque[Future[T]], more: Iterator[Future[T]], end: float | None, tell: Callable[[], object], clock: Clock
) -> Iterator[T]:
    try:
        while futures:
            futures.extend(islice(more, 1))
            tell()
            yield _result(futures.popleft(), None if end is None else end - clock.monotonic())
    finally:
        _cancel(futures)


def _result(future: Future[T], timeout: float | None) -> T:
    try:
        return future.result(timeout)
    finally:
        future.cancel()
        del future  # or the traceback of an exception would hold it, and the future holds the exception


def _cancel(futures: Iterable[Future[T]]) -> None:
    for future in futures:
        future.cancel()


def checked_buffersize(buffersize: object) -> int | None:
    """Return the size of a buffer, or say what it must be, as Python 3.14 does."""
    if buffersize is not None and not isinstance(buffersize, int):
        raise TypeError("buffersize must be an integer or None")
    if buffersize is not None and buffersize < 1:
        raise ValueError("buffersize must be None or > 0")
    return buffersize


