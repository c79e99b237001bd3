"""Function to "package.module:name" and back, and what can be a job's function at all."""

from __future__ import annotations

import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from gigq.errors import NotImportable

Function = Callable[..., Any]

_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*(:[^\W\d]\w*(\.[^\W\d]\w*)*)?")


def path_of(function: Function | str) -> str:
    """Return the text under which a worker finds this function.

    A function becomes ``package.module:name``. Text is a path already, or the name of a handler, and stays as it is.

    Raises:
        NotImportable: a worker could not import it: a lambda, closure, method, builtin, … The message says why.
    """
    if isinstance(function, str):
        if not _PATH.fullmatch(function):
            raise NotImportable(f"{function!r} is not a function's path such as package.module:name")
        return function
    function = unwrapped(function)
    refusal = _refusal(function)
    if refusal:
        raise NotImportable(f"{_described(function)} {refusal}")
    return _checked_path(function)


def unwrapped(function: Function) -> Function:
    """Return the function that a task holds; any other function as it is."""
    return getattr(function, "function", function) if hasattr(function, "to_job") else function


def resolve(path: str) -> Function:
    """Import the function that `path` names.

    The script that is running answers to its own module name, so that it is not imported a second time.

    Raises:
        NotImportable: there is no such module or name, the import failed, or it is not callable.
    """
    try:
        found = _in_script(path) or pkgutil.resolve_name(path)
    except Exception as error:
        raise NotImportable(
            f"cannot import {path!r} ({type(error).__name__}: {error}); "
            "start the worker where that import works, or give it a handler of this name"
        ) from error
    if not callable(found):
        raise NotImportable(f"{path!r} is {type(found).__name__} and cannot be called")
    return unwrapped(found)


@lru_cache(maxsize=1024)
def takes(function: Function, parameter: str) -> bool:
    """Whether this function can be called with a keyword argument of this name."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(
        each.kind is each.VAR_KEYWORD or (each.name == parameter and each.kind is not each.POSITIONAL_ONLY)
        for each in parameters
    )


def mismatch(function: Function, args: Sequence[object], params: Mapping[str, object]) -> str | None:
    """Return why this function cannot be called with these arguments, or None if it can."""
    try:
        signature = _signature(function)
        signature.bind(*args, **params)
    except TypeError as error:
        return str(error)
    except ValueError:  # some functions written in C do not tell their signature
        return None
    return None


@lru_cache(maxsize=1024)
def _signature(function: Function) -> inspect.Signature:
    # A decorator may add or take away arguments: what counts is the wrapper that will be called.
    return inspect.signature(function, follow_wrapped=False)


@lru_cache(maxsize=1024)
def _checked_path(function: Function) -> str:
    module = function.__module__
    name = _script_name() if module == "__main__" else module
    if name is None:
        raise NotImportable(
            f"{_described(function)} was defined in no file that can be imported; "
            "move it into a module whose name is a Python identifier"
        )
    path = f"{name}:{function.__qualname__}"
    if not _names(path, function):
        raise NotImportable(
            f"{_described(function)} is not what {path!r} names; give it a name of its own in its module"
        )
    return path


def _refusal(function: Function) -> str | None:
    if isinstance(function, BuiltinFunctionType):
        return "is a builtin; wrap it in a function of your own"
    if isinstance(function, MethodType):
        return "is a method, and its object cannot be stored; use a function and pass what it needs"
    if not isinstance(function, FunctionType):
        return f"is {type(function).__name__}, not a function; wrap it in a function at the top level of a module"
    if function.__name__ == "<lambda>":
        return "cannot be imported by name; use def at the top level of a module"
    if "<locals>" in function.__qualname__:
        return "is defined inside another function; move it to the top level of its module"
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return "is async, and jobs are plain calls; wrap it: def job(): return asyncio.run(…)"
    if inspect.isgeneratorfunction(function):
        return "is a generator, and calling it would run nothing; return a list"
    return None


def _names(path: str, function: Function) -> bool:
    module_name, _, qualname = path.partition(":")
    holder: object = _script_module(module_name) or sys.modules.get(module_name)
    *classes, name = qualname.split(".")
    for part in classes:
        holder = getattr(holder, part, None)
    found = inspect.getattr_static(holder, name, None)
    if classes and not isinstance(found, staticmethod):
        return False
    return _same(found.__func__ if isinstance(found, staticmethod) else found, function)


def _same(found: object, function: Function) -> bool:
    if not callable(found):
        return False
    return inspect.unwrap(unwrapped(found)) is inspect.unwrap(function)


def _in_script(path: str) -> object | None:
    module_name, _, qualname = path.partition(":")
    if not qualname:
        module_name, _, qualname = path.rpartition(".")
    found: object | None = _script_module(module_name)
    for part in qualname.split(".") if found else ():
        found = getattr(found, part)
    return found


def _script_module(name: str) -> ModuleType | None:
    return sys.modules["__main__"] if name == _script_name() else None


def _script_name() -> str | None:
    """The module name that another process would import the running script by."""
    script = sys.modules["__main__"]
    spec = getattr(script, "__spec__", None)
    if spec is not None:
        return str(spec.name)
    file = Path(getattr(script, "__file__", None) or "")
    return file.stem if file.suffix == ".py" and file.stem.isidentifier() else None


def _described(function: Function) -> str:
    return str(getattr(function, "__qualname__", None) or repr(function))
