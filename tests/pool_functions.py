"""Functions for the calls of pools. In threads they meet the test at events, which they find by name."""

from __future__ import annotations

import ast
import os
import sys
import threading
import tokenize
from collections import Counter
from typing import Any, NoReturn



class Events(dict[str, threading.Event]):
    """Events by their names, each made when it is first asked for; the same one in all threads."""

    def __missing__(self, name: str) -> threading.Event:
        return self.setdefault(name, threading.Event())  # `defaultdict` lets two threads make one each


EVENTS = Events()
CALLS: list[Any] = []
ERROR = LookupError("the very object")
POOLS: dict[str, Any] = {}


def reset() -> None:
    EVENTS.clear()
    CALLS.clear()
    POOLS.clear()


def double(number: int, *, plus: int = 0) -> int:
    return 2 * number + plus


def noted(value: Any) -> Any:
    CALLS.append(value)
    return value


def held(name: str) -> str:
    """Say that it has begun, and return when the test lets it."""
    EVENTS[f"{name} began"].set()
    assert EVENTS[f"{name} may end"].wait(30)
    return name


def fail(message: str = "no") -> NoReturn:
    raise ValueError(message, 7)


def fail_at(number: int, bad: int) -> int:
    CALLS.append(number)
    if number == bad:
        raise ValueError(number)
    return number


def fail_with_the_object() -> NoReturn:
    raise ERROR


def leave(code: int) -> NoReturn:
    sys.exit(code)


def interrupt() -> NoReturn:
    raise KeyboardInterrupt


def stop_iteration() -> NoReturn:
    raise StopIteration("end")


def nothing() -> None:
    pass


def nested(number: int) -> int:
    return POOLS["pool"].submit(double, number).result(30) + 1  # type: ignore[no-any-return]


def shut_down_from_inside() -> str:
    try:
        POOLS["pool"].shutdown(wait=True)
    except RuntimeError as error:
        return type(error).__name__
    return "waited"


def thread_name() -> str:
    return threading.current_thread().name


def pid(_: int = 0) -> int:
    return os.getpid()


def meet(number: int, parties: int) -> int:
    """Return once this many calls run at the same time."""
    CALLS.append(number)
    if len(CALLS) == parties:
        EVENTS["all there"].set()
    assert EVENTS["all there"].wait(30)
    return number


HERE = threading.local()


def set_up(value: str) -> None:
    CALLS.append(threading.get_ident())
    HERE.value = value


def what_was_set_up(number: int) -> str:
    return HERE.value  # type: ignore[no-any-return]


def fail_to_set_up() -> NoReturn:
    raise OSError("no such device")


def as_given(value: Any) -> Any:
    return value


def a_set() -> set[int]:
    return {1}


class Odd(Exception):
    """An error with attributes, whose arguments are not those of its class."""

    def __init__(self, code: object, message: str) -> None:
        super().__init__(message)
        self.code = code


class Fine(Exception):
    """An error with an attribute."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.noted = "by the way"


def raise_odd() -> NoReturn:
    raise Odd(3, "odd")


def raise_odd_bytes() -> NoReturn:
    raise Odd(b"bytes", "odd")


class Prefixed(Exception):
    """An error whose constructor changes its argument."""

    def __init__(self, message: str) -> None:
        super().__init__(f"never: {message}")


def raise_prefixed(message: str) -> NoReturn:
    raise Prefixed(message)


def raise_local() -> NoReturn:
    class Local(Exception):
        pass

    raise Local("local")


def raise_fine() -> NoReturn:
    error = Fine("fine", {"a": [1]})
    error.noted = "in the child"
    raise error


def raise_with_bytes() -> NoReturn:
    raise ValueError(b"bytes")


def open_missing(path: str) -> None:
    open(path).close()


def die_once(path: str) -> str:
    """End this process at the first call."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return "lives"
    os._exit(3)


def die() -> NoReturn:
    os._exit(3)


def append(path: str, line: str) -> str:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{line}\n".encode())
    os.close(file)
    return line


def append_and_fail_first(path: str, line: str) -> str:
    append(path, line)
    with open(path) as file:
        if file.read().split().count(line) == 1:
            raise ValueError("the first time")
    return line


def spin() -> NoReturn:
    while True:
        pass


def spin_for(name: str) -> NoReturn:
    EVENTS[f"{name} began"].set()
    spin()


RUN = "0"
"""Which run of a script this is: its calls say so in the trace."""


def census(path: str, trace: str) -> list[int]:
    """Count the lines, functions and classes of a Python file."""
    append(trace, f"{RUN} {path}")
    with tokenize.open(path) as file:
        source = file.read()
    found = Counter(type(node).__name__ for node in ast.walk(ast.parse(source)))
    return [len(source.splitlines()), found["FunctionDef"], found["ClassDef"]]
