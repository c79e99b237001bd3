"""The functions that a worker's jobs may call: its handlers, and what it may import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import BuiltinFunctionType
from typing import Self

from gigq import checks
from gigq.checks import Default, Texts
from gigq.errors import NotImportable
from gigq.paths import Function, NotFound, module_name, module_of, path_of, resolve, unwrapped
from gigq.unfit import not_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Functions:
    """What jobs may call.

    Attributes:
        handlers: functions by the names that jobs use for them; any other name is imported.
        allow: modules that may be imported from: ``"myapp"`` itself, ``"myapp."`` everything inside it; None: all.

    Raises:
        NotImportable: a handler cannot be called as jobs are.
    """

    handlers: Mapping[str, Function] = field(default_factory=dict)
    allow: Sequence[str] | None = None

    def __post_init__(self) -> None:
        for name, function in self.handlers.items():
            if problem := not_plain(unwrapped(function)):
                raise NotImportable(f"the handler {name!r} {problem}")

    @classmethod
    def of(cls, handlers: Mapping[str, Function] | None, *, allow: Texts | None = None) -> Self:
        """Check what a caller gave.

        Raises:
            TypeError: the handlers are no mapping.
            ValueError: a name, or a module, that is not text.
            NotImportable: a handler cannot be called as jobs are.
        """
        if handlers is not None and not isinstance(handlers, Mapping):
            raise TypeError(f"handlers is {handlers!r:.80}; it must be a dict of functions by their names")
        named = {checks.text(name, "a name in handlers"): function for name, function in (handlers or {}).items()}
        return cls(handlers=named, allow=checks.optional(allow, "allow", checks.texts))

    def find(self, name: str) -> Function:
        """Return a handler, or import the function.

        Raises:
            NotFound: this worker does not have it: it cannot be imported here, or may not be.
            NotImportable: it is found, and cannot be called as jobs are.
            BaseException: anything else that its module raises while it is imported.
        """
        if name in self.handlers:
            return unwrapped(self.handlers[name])
        self._check(name, module_name(name))
        function = resolve(name)
        # A job must not reach through "myapp.tasks:os.system" what another module has only imported.
        self._check(name, getattr(function, "__module__", None) or "")
        if problem := not_plain(function):
            raise NotImportable(f"{name!r} {problem}")
        return function

    def _check(self, name: str, module: str) -> None:
        if self.allow is None or any(
            module == allowed.rstrip(".") or (allowed.endswith(".") and module.startswith(allowed))
            for allowed in self.allow
        ):
            return
        raise NotFound(
            f"this worker may not import {name!r}; allow its module with allow=[…], or give the worker a handler",
            reason="the worker may not import it; allow its module with allow=[…], or give the worker a handler",
        )


def paths_of(handlers: Mapping[str, Function]) -> dict[str, str]:
    """Return the import paths by which another process finds these handlers.

    Raises:
        NotImportable: a handler has no import path.
    """
    return {name: _path_of(name, function) for name, function in handlers.items()}


def path_of_default(default: Default) -> str:
    """Return the import path by which another process finds a `default`: a function, or a class or builtin as `str`.

    Raises:
        NotImportable: it has no import path.
    """
    if isinstance(default, type | BuiltinFunctionType):
        path = f"{module_of(default)}:{default.__qualname__}"
        with suppress(NotImportable):
            if resolve(path) is default:
                return path
    try:
        return path_of(default)
    except NotImportable as error:
        raise NotImportable(f"default cannot be sent to another process: {error}") from error


def default_at(path: str) -> Default:
    """Return the `default` at an import path. It is imported when it is first needed: most results need none."""
    return lambda value: resolve(path)(value)


def _path_of(name: str, function: Function) -> str:
    try:
        return path_of(function)
    except NotImportable as error:
        raise NotImportable(f"the handler {name!r} cannot be sent to another process: {error}") from error
