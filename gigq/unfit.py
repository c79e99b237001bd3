"""Why a function cannot be a job's, each time with what to do instead."""

from __future__ import annotations

import inspect
import re
import sys
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from gigq.checks import shown

_AT_THE_TOP = "use a function at the top level of a module"


def not_plain(function: object) -> str | None:
    """Return why a function cannot be called as jobs are, or None if it can."""
    if not callable(function):
        return f"is {type(function).__name__}, not a function"
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return "is async, and jobs are plain calls; wrap it: def job(): return asyncio.run(…)"
    if inspect.isgeneratorfunction(function):
        return "is a generator, and calling it would run nothing; return a list"
    return None


def not_importable(function: object) -> str | None:
    """Return why no worker could import a function by its name, or call what it finds; None if nothing speaks against.

    It says which function that is, and what to do. Whether the name really leads to the function is not checked.
    """
    if isinstance(function, FunctionType):
        reason = _of_function(function) or not_plain(function)
    else:
        known = (text for kind, text in _KINDS.items() if isinstance(function, kind))
        reason = next(known, None) or _of_object(function)
    return reason and f"{described(function)} {reason}"


def not_in_a_file(function: Any) -> str:
    """Return why a function of the running script, or of none, cannot be imported elsewhere, and what to do."""
    file = getattr(sys.modules["__main__"], "__file__", None) or "<none>"
    if function.__module__ is None:
        reason = "belongs to no module; move it into a .py file, and import it from there"
    elif file.startswith("<"):  # such as <stdin>
        reason = _typed(function)
    else:
        reason = _of_script(Path(file))
    return f"{described(function)} {reason}"


def described(function: object) -> str:
    """Return a function as messages call it."""
    if isinstance(function, partial):
        return f"partial({described(function.func)}, …)"
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    return str(name or (f"a {type(function).__qualname__} object" if callable(function) else shown(function)))


_BUILTIN = "is a builtin; wrap it in a function of your own"
_METHOD = f"is a method, and its object cannot be stored; {_AT_THE_TOP}, and pass it what it needs"

_KINDS: dict[type, str] = {
    MethodType: _METHOD,
    classmethod: _METHOD,
    staticmethod: "is a staticmethod object; put @staticmethod above the other decorators",
    BuiltinFunctionType: _BUILTIN,
    type(str.upper): _BUILTIN,
    type(str.__add__): _BUILTIN,
    partial: "has no name to import; define a function that makes this call, or pass the arguments as params",
    type: "is a class; use a function that makes an object and calls it",
    ModuleType: "is a module; name a function in it",
}
"""What can be called, or looks so, and is no function."""


def _of_object(function: object) -> str:
    if not callable(function):
        return f"is {type(function).__name__}, not a function; {_AT_THE_TOP}"
    if hasattr(function, "cache_info"):
        return "is a cache around a function; define a function that calls it"
    return "is not a function; define one that calls it"


def _of_function(function: FunctionType) -> str | None:
    if function.__name__ == "<lambda>":
        return "cannot be imported by name; use def at the top level of a module"
    if "<locals>" in function.__qualname__:
        return _of_wrapper(function) or "is defined inside another function; move it to the top level of its module"
    is_in_class = "." in function.__qualname__
    if is_in_class and function.__code__.co_varnames[: function.__code__.co_argcount][:1] in (("self",), ("cls",)):
        return _METHOD
    return None


def _of_wrapper(function: FunctionType) -> str | None:
    """Return the remedy for what a decorator has returned without `functools.wraps`; None for any other closure."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            hidden = cell.cell_contents
        except ValueError:  # the variable has no value yet
            continue
        if isinstance(hidden, FunctionType) and "<locals>" not in hidden.__qualname__:
            return (
                f"stands for {hidden.__qualname__!r}, and has hidden its name: "
                f"put @functools.wraps({name}) above the def of that function in the decorator"
            )
    return None


def _typed(function: FunctionType) -> str:
    """Return the reason for a function of a program that was never in a file."""
    source = function.__code__.co_filename
    if "ipykernel" in sys.modules:
        return (
            "was defined in a notebook, which no worker can import; "
            "move it into a .py file beside the notebook (%%writefile does that), and import it from there"
        )
    if source == "<string>":
        return "was defined by python -c, which no worker can import; move it into a .py file, and run or import that"
    if source == "<stdin>" and not (hasattr(sys, "ps1") or sys.flags.interactive):
        return "was read from standard input, which no worker can import; save the program as a .py file, and run that"
    return "was typed at a prompt, which no worker can import; move it into a .py file, and import it from there"


def _of_script(file: Path) -> str:
    """Return the reason for a function of a script whose name Python cannot import."""
    if file.stem == "__main__":
        return (
            "was defined in a __main__.py that was run by its path, and has no name to import it by; "
            "run it with python -m, or move the function into a module beside it"
        )
    if file.suffix != ".py":
        problem = "and only a name that ends in .py can be imported"
    else:
        problem = "and that is no name that Python can import"
    return f"was defined in {file.name!r}, {problem}; rename the file to {_importable(file.stem)!r}"


def _importable(stem: str) -> str:
    """Return a name for a script like its own that can be imported: ``load_2024.py`` for ``2024-load``."""
    digits, rest = re.fullmatch(r"(\d*)[\W_]*(.*)", stem, re.DOTALL).groups()  # type: ignore[union-attr]
    words = [*re.findall(r"\w+", rest), *([digits] if digits else [])]
    name = "_".join(words)
    return f"{name if name.isidentifier() else f'tasks_{name}'}.py"
