"""Things that cannot be a job's function, and functions that look as if they could not. Imported as `odd_functions`."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gigq import task


def plain(a: int = 0) -> int:
    return a


def replaced() -> str:
    return "the first"


first = replaced


def replaced() -> str:  # type: ignore[no-redef]
    return "the second"


renamed = plain
nameless = lambda: None  # noqa: E731
bound = functools.partial(plain, 1)
cached = functools.lru_cache(plain)
number = 5


def maker() -> Callable[[], None]:
    def inside() -> None:
        pass

    return inside


closure = maker()


async def coroutine() -> None:
    pass


async def asynchronous_generator() -> AsyncIterator[int]:
    yield 1


def generator() -> Iterator[int]:
    yield 1


def forwarding(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def narrowing(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(a: int) -> Any:
        return function(a)

    return wrapper


def consuming(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, parent_results: dict[str, Any], **kwargs: Any) -> Any:
        return function(*args, len(parent_results), **kwargs)

    return wrapper


def hiding(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@hiding
def unwrapped(a: int) -> int:
    return a


@forwarding
def decorated(a: int) -> int:
    return a


@forwarding
def decorated_child(a: int, parent_results: Any) -> Any:
    return parent_results


@narrowing
def narrowed_child(a: int, parent_results: Any = None) -> Any:
    return parent_results


@consuming
def consumer(count: int) -> int:
    return count


@task
@forwarding
def decorated_task(a: int) -> int:
    return a


class Plain:
    def method(self) -> None:
        pass

    @staticmethod
    def static(a: int = 0) -> int:
        return a

    @staticmethod
    @task
    def static_task(a: int = 0) -> int:
        return a

    @classmethod
    def of_class(cls) -> None:
        pass

    class Inner:
        @staticmethod
        def static() -> str:
            return "deep"


class Child(Plain):
    pass


class Callable_:
    def __call__(self) -> None:
        pass


@dataclass
class Multiplier:
    """A callable without a hash, which a handler may be."""

    factor: int

    def __call__(self, a: int, parent_results: Any = None) -> Any:
        return [self.factor * a, *(parent_results or {}).values()]


an_object = Callable_()
multiplier = Multiplier(3)


@task
def hello(name: str = "world") -> str:
    return f"hello {name}"


def keywords(**kwargs: Any) -> None:
    pass


def positional(parent_results: Any, /) -> None:
    pass


def child(a: int, parent_results: Any) -> Any:
    return parent_results
