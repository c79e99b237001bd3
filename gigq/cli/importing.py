"""The function of a job, imported where the job is submitted: what is wrong with the call is found at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gigq.cli.exits import Refused
from gigq.cli.wording import perhaps

if TYPE_CHECKING:
    from inspect import Parameter


def import_from_here() -> None:
    """Import from the current directory: a console script has its own directory at the front of the path instead."""
    here = os.getcwd()
    if sys.path[:1] not in ([here], [""]):
        sys.path.insert(0, here)


def check_function(
    path: str, params: Mapping[str, Any], *, args: Sequence[Any] = (), has_parents: bool = False
) -> str | None:
    """Refuse a function that its module does not have, and arguments that it does not take.

    Returns:
        why the function could not be looked at, if so. It may be there where the worker runs.

    Raises:
        Refused: a worker that has the same code could not call it.
        NotImportable: this is no path of a function.
    """
    from gigq.paths import module_name, path_of, takes, unwrapped
    from gigq.unfit import not_plain

    name = module_name(path_of(path))
    if not name:
        return None
    module = _module(path, name)
    if isinstance(module, str):
        return module
    found = unwrapped(_inside(module, name, path[len(name) + 1 :]))
    if problem := not_plain(found):
        raise Refused(f"{path!r} {problem}")
    with suppress(TypeError, ValueError):  # a builtin does not tell what it takes
        given = {*params, "parent_results"} if has_parents and takes(found, "parent_results") else {*params}
        _check_arguments(path, found, len(args), given)
    return None


def check_presence(path: str) -> str | None:
    """Refuse a function that its module does not have, whatever it takes.

    Returns:
        why the function could not be looked at, if so.

    Raises:
        Refused: a worker that has the same code could not call it.
    """
    from gigq.paths import module_name

    name = module_name(path)
    module = _module(path, name) if name else None
    if isinstance(module, ModuleType):
        _inside(module, name, path[len(name) + 1 :])
        return None
    return module


def _module(path: str, name: str) -> ModuleType | str:
    """Import a module, or return why that is not possible here.

    Raises:
        Refused: the package that it would be in has no such module.
    """
    from gigq.main_guard import IMPORTS

    import_from_here()
    try:
        # What it prints is not the answer of this command, and what it submits would be submitted by every import.
        with redirect_stdout(sys.stderr), IMPORTS.of(name):
            return import_module(name)
    except (Exception, SystemExit) as error:  # a module may call sys.exit() when it is imported
        missing = error.name if isinstance(error, ModuleNotFoundError) and error.name else ""
        package = sys.modules.get(missing.rpartition(".")[0])
        # A folder without __init__.py may be here for another reason, and the worker's own may have the module.
        if f"{name}.".startswith(f"{missing}.") and getattr(package, "__file__", None) is not None:
            raise Refused(f"there is no module {missing!r}: {path!r} cannot be called") from None
        why = "" if missing == name else f" ({type(error).__name__}: {str(error) or 'no message'})"
        return f"{name!r} cannot be imported here{why}; the job needs a worker that can"


def _inside(module: ModuleType, module_name: str, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            where = f"module {module_name!r}" if found is module else repr(getattr(found, "__name__", found))
            raise Refused(f"{where} has no function {part!r}{perhaps(part, among=_public(found))}")
        found = getattr(found, part)
    return found


def _public(holder: object) -> list[str]:
    return [each for each in dir(holder) if not each.startswith("_")]


def _check_arguments(path: str, function: Any, count: int, given: Collection[str]) -> None:
    """Refuse a call with so many positional arguments, and with these keywords."""
    from inspect import Parameter, signature

    parameters = signature(function, follow_wrapped=False).parameters.values()
    kinds = {each.kind for each in parameters}
    by_place = [each.name for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    by_name = {each.name: each for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
    if count > len(by_place) and Parameter.VAR_POSITIONAL not in kinds:
        most = f"{len(by_place)} positional argument{'' if len(by_place) == 1 else 's'}"
        raise Refused(f"{path!r} takes {most}, and {count} were given")
    for unknown in [] if Parameter.VAR_KEYWORD in kinds else [each for each in given if each not in by_name]:
        raise Refused(f"{path!r} has no parameter {unknown!r}{perhaps(unknown, among=by_name)}")
    for twice in [each for each in by_place[:count] if each in by_name and each in given]:
        raise Refused(f"{twice!r} of {path!r} was given twice: by its place and by its name")
    _check_nothing_is_missing(path, parameters, {*by_place[:count], *given})


def _check_nothing_is_missing(path: str, parameters: Iterable[Parameter], given: Collection[str]) -> None:
    needed = [each for each in parameters if each.default is each.empty and each.name not in given]
    missing = [each for each in needed if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    if missing:
        by_place = missing[0].kind is missing[0].POSITIONAL_ONLY
        how = "by its place" if by_place else f"as in -p {missing[0].name}=VALUE"
        raise Refused(f"{path!r} needs {', '.join(repr(each.name) for each in missing)}, {how}")
