"""The code of a function as a short text that changes with what it does, and not with its comments or layout."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable
from hashlib import blake2b
from textwrap import dedent
from typing import Any


def code_of(function: Callable[..., Any]) -> str | None:
    """Return the text; None where there is no source. Those of different versions of Python are not comparable."""
    try:
        tree = ast.parse(dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, ValueError, SyntaxError):
        return None
    digest = blake2b(ast.dump(tree).encode(errors="surrogatepass"), digest_size=8).hexdigest()
    return f"{_python()}:{digest}"


def differs(one: str | None, other: str | None) -> bool:
    """Whether these are certainly not of the same code."""
    here = f"{_python()}:"
    if one is None or other is None or not (one.startswith(here) and other.startswith(here)):
        return False
    return one != other


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
