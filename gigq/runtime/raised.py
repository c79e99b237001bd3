"""An exception on its way from one process to another: its class by name, its arguments and attributes as JSON."""

from __future__ import annotations

from typing import Any

from gigq.codec import RESULT_LIMIT, decode, encode
from gigq.errors import NotSerializable
from gigq.paths import module_of, resolve


class RemoteTraceback(Exception):
    """The cause of an exception that was raised in another process: the traceback there, as text."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0].rstrip()}\n"""'


def described(error: BaseException) -> str | None:
    """Return what it takes to make this exception anew, as JSON; None where JSON cannot hold it."""
    kind = type(error)
    try:
        parts: Any = error.__reduce_ex__(2)  # what pickle would keep
        # Ours are made by a function.
        args, state = (parts[1], parts[2:3]) if parts[0] is kind else (error.args, [vars(error)])
        return _text(f"{module_of(kind)}:{kind.__qualname__}", args, (state[0] if state else None) or {})
    except Exception:  # whatever an exception does that is looked at: its text is in the report
        return None


def rebuilt(text: str | None, traceback: str | None) -> BaseException | None:
    """Return the exception that was described, with the traceback as its cause; None if it cannot be made here."""
    if text is None:
        return None
    path, args, state = decode(text)
    try:
        kind: Any = resolve(path)
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            return None
        error = _made(kind, args, state)
        vars(error).update(state or {})
    except Exception:  # its class is not found here, or cannot be made of what is known
        return None
    error.__cause__ = RemoteTraceback(traceback or "")
    return error


def _made(kind: type[BaseException], args: list[Any], state: object) -> BaseException:
    try:
        error = kind(*args)
    except Exception:  # it takes other arguments than it has
        if state is None:
            raise
        error = kind.__new__(kind, *args)  # all that its constructor would set is in its attributes
    if kind.__reduce__ is BaseException.__reduce__:
        error.args = tuple(args)  # from which its constructor may have made others
    return error


def _text(path: str, args: object, state: object) -> str | None:
    for attributes in (state, None):  # rather without its attributes than not at all
        try:
            return encode([path, args, attributes], name="exception", limit=RESULT_LIMIT)
        except NotSerializable:
            continue
    return None
