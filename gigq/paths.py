"""Functions as ``package.module:name`` and back, and the tests of which functions can be a job's."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from gigq.errors import NotImportable
from gigq.main_guard import IMPORTS
from gigq.unfit import described, not_importable, not_in_a_file

Function = Callable[..., Any]

IMPORTERS = (str(Path(__file__).parent / "_")[:-1], importlib.__file__, "<frozen ")
"""How the paths of the files begin whose code runs around that of a module while it is imported for a function."""

_SCRIPT = ("__main__", "__mp_main__")
"""The names that a running script gives itself; the second one in child processes of multiprocessing."""

_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*(:[^\W\d]\w*(\.[^\W\d]\w*)*)?")


class NotFound(NotImportable):
    """This process does not find a function; another may.

    Attributes:
        reason: what is missing, without the function's name.
        error_type: the class of the import's error.
    """

    def __init__(self, message: str, *, reason: str, error_type: str = NotImportable.__name__) -> None:
        super().__init__(message)
        self.reason = reason
        self.error_type = error_type


def path_of(function: Function | str) -> str:
    """Return the text by which a worker finds this function.

    A function becomes ``package.module:name``. Text stays as it is: it is a path already, or the name of a handler.

    Raises:
        NotImportable: a worker could not import it: a lambda, closure, method, builtin, … The message says why.
    """
    if isinstance(function, str):
        return _checked_text(function)
    function = unwrapped(function)
    find = _path_of if isinstance(function, FunctionType) else _path_of.__wrapped__  # others may not be hashable
    return find(function)


def unwrapped(function: Function) -> Function:
    """Return the function that a task holds; any other function as it is."""
    return getattr(function, "function", function) if hasattr(type(function), "to_job") else function


def resolve(path: str) -> Function:
    """Import the function that `path` names.

    The running script is found under its own module name, so that it is not imported a second time.

    Raises:
        NotFound: there is no such module or name, or its import does not find something else.
        NotImportable: it is not callable, or the text is no path at all.
        BaseException: anything else that the module raises while it is imported.
    """
    if not module_name(path):
        raise NotFound(
            f"{path!r} is neither a handler of this worker nor a path such as package.module:name; "
            f"start the worker with handlers={{{path!r}: function}}",
            reason=f"it is not imported, as it names no module; start the worker with handlers={{{path!r}: function}}",
        )
    module, qualname = _parts(path)
    found: Any = _script_module(module) or _imported(module, path)
    try:
        for part in qualname.split("."):
            found = getattr(found, part)
    except AttributeError as error:
        raise _not_found(path, error) from error
    if not callable(found):
        raise NotImportable(f"{path!r} is {type(found).__name__} and cannot be called")
    return unwrapped(found)


def _imported(module: str, path: str) -> ModuleType:
    try:
        if module in sys.modules:  # another thread may be importing it: then this waits
            return importlib.import_module(module)
        with IMPORTS.of(module):
            return importlib.import_module(module)
    except ImportError as error:
        importlib.invalidate_caches()  # the next attempt must see files that have come since
        raise _not_found(path, error) from error


def _not_found(path: str, error: Exception) -> NotFound:
    name = type(error).__name__
    return NotFound(
        f"cannot import {path!r} ({name}: {error}); "
        "start the worker where that import works, or give it a handler of this name",
        reason=f"{name}: {error}",
        error_type=name,
    )


def module_of(definition: Function | type) -> str | None:
    """Return the name under which another process imports the module that defines this function or class.

    For the running script that is the name of its file; None if there is no file to import.
    """
    return _script_name() if definition.__module__ in _SCRIPT else definition.__module__


def names_of(exception: type[BaseException]) -> frozenset[str]:
    """Return every name by which `retry_on` may mean this class: its own and those of its bases, short and in full."""
    lineage = [base for base in exception.__mro__ if issubclass(base, BaseException)]
    return frozenset(name for base in lineage for name in (base.__qualname__, full_name(base)))


def full_name(exception: type[BaseException]) -> str:
    """Return the name that this class has in every process, with its module.

    A class that a script defines is ``script.Error``, never ``__main__.Error``, which is another class in the worker.
    """
    return f"{module_of(exception) or exception.__module__}.{exception.__qualname__}"


def module_name(path: str) -> str:
    """Return the module that a function's path names; empty for the name of a handler.

    Raises:
        NotImportable: it is neither, since somebody edited the file.
    """
    if not (isinstance(path, str) and _PATH.fullmatch(path)):
        raise NotImportable(f"cannot import {path!r}, which is not a function's path such as package.module:name")
    return _parts(path)[0]


def takes(function: Function, parameter: str) -> bool:
    """Whether this function has a parameter of this name that can be given by keyword.

    A decorator that passes on all its arguments takes what the function inside it takes. ``**options`` alone takes
    nothing: those are for the arguments that a job was submitted with.
    """
    read = _signature if isinstance(function, FunctionType) else _signature.__wrapped__  # others may not be hashable
    try:
        parameters = read(function).parameters.values()
    except (TypeError, ValueError):
        return False
    by_keyword = {each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
    passes_on = any(each.kind is each.VAR_KEYWORD for each in parameters)
    inner = getattr(function, "__wrapped__", None)
    return parameter in by_keyword or (passes_on and inner is not None and takes(inner, parameter))


def mismatch(function: Function, args: Sequence[object], params: Mapping[str, object]) -> str | None:
    """Return why a function that has a path cannot be called with these arguments, or None if it can."""
    return _mismatch(function, len(args), tuple(params))


@lru_cache(maxsize=1024)
def _signature(function: Function) -> inspect.Signature:
    # A decorator may add or remove arguments. What counts is the wrapper, for that is what will be called.
    return inspect.signature(function, follow_wrapped=False)


@lru_cache(maxsize=1024)
def _mismatch(function: Function, count: int, names: tuple[str, ...]) -> str | None:
    """Only the number and the names of the arguments matter, and binding them takes 4 us each time."""
    try:
        _signature(function).bind(*range(count), **dict.fromkeys(names))
    except TypeError as error:
        return str(error)
    return None


@lru_cache(maxsize=1024)
def _checked_text(path: str) -> str:
    if not path:
        raise NotImportable("the path of a function must not be empty")
    if not _PATH.fullmatch(path):
        raise NotImportable(f"{path!r} is not a function's path such as package.module:name")
    if _parts(path)[0] in _SCRIPT:
        raise NotImportable(f"{path!r} is a different module in every process; use the name of the script's own module")
    return path


@lru_cache(maxsize=1024)
def _path_of(function: Function) -> str:
    refusal = not_importable(function)
    if refusal:
        raise NotImportable(refusal)
    name = module_of(function)
    if name is None:
        raise NotImportable(not_in_a_file(function))
    path = f"{name}:{function.__qualname__}"
    if not _names(path, function):
        raise NotImportable(
            f"{described(function)} is not what {path!r} names; give it a name of its own in its module"
        )
    return path


def _names(path: str, function: Function) -> bool:
    module, _, qualname = path.partition(":")
    holder: object = _script_module(module) or sys.modules.get(module)
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


def _parts(path: str) -> tuple[str, str]:
    """Split a path into the name of the module, empty if there is none, and the name inside it."""
    module, _, qualname = path.rpartition(":" if ":" in path else ".")
    return module, qualname


def _script_module(name: str) -> ModuleType | None:
    return sys.modules["__main__"] if name == _script_name() else None


def _script_name() -> str | None:
    """Return the name under which another process would import the running script, or None."""
    script = sys.modules["__main__"]
    spec = getattr(script, "__spec__", None)
    file = Path(getattr(script, "__file__", None) or "")
    name = str(spec.name) if spec is not None else file.stem if file.suffix == ".py" else ""
    # A folder, or a __main__.py that is run by its path, has only the name that every script has.
    is_importable = spec is not None or "." not in name
    return name if name != "__main__" and is_importable and all(map(str.isidentifier, name.split("."))) else None
