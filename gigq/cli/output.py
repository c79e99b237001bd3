"""Standard output and standard error: lines that are safe, and streams that nobody reads any more."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import Any

from gigq.cleaning import clean

_PATIENCE = 0.5
"""Seconds after which a thread that still prints seems to hang."""


def write(lines: Iterable[str]) -> None:
    """Print lines on standard output, each of them cleaned: a line break inside a line becomes visible."""
    for line in lines:
        put(clean(line))


def put(line: str) -> None:
    """Print a line on standard output as it is."""
    with _named():
        print(line)


def note(message: str) -> None:
    """Print one line on standard error. If that cannot be written, there is no place left to say so."""
    try:
        print(f"gigq: {clean(message)}", file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)


def accept_any_text() -> None:
    """Let standard output write escapes for characters that its encoding lacks, instead of raising."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Write what is still buffered, so that an error is found here and not when the interpreter exits."""
    if sys.stdout is not None and not sys.stdout.closed:  # a job in a thread may have closed it
        with _named():
            sys.stdout.flush()


@contextmanager
def _named() -> Iterator[None]:
    """Say what could not be written, which the system's own words leave out."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(f"standard output cannot be written: {error.strerror or error}") from None


def discard_unwritable() -> None:
    """Drop what standard output cannot write. Otherwise the interpreter would print a traceback about it at exit."""
    try:
        flush()
    except OSError:
        _discard(sys.stdout)


def has_stuck_thread() -> bool:
    """Whether a thread seems to hang while it prints or logs, because nobody reads that.

    Then this thread would hang too: at the next line, or when the interpreter exits.
    """
    import threading  # only here: few commands have other threads

    flushing = threading.Thread(target=_flush_everything, daemon=True)
    flushing.start()
    flushing.join(_PATIENCE)
    return flushing.is_alive()


def _flush_everything() -> None:
    import logging

    for each in (*logging.root.handlers, logging.lastResort, sys.stdout, sys.stderr):
        with suppress(Exception):
            if each is not None:
                each.flush()


def _discard(stream: Any) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
