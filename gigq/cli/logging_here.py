"""What a command that runs functions prints of their log, and of that of gigq, on standard error."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gigq.cli import output
from gigq.logs import PACKAGE, Format, Printer

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
"""The levels that can be typed."""


@contextmanager
def logging_to_stderr(level: int, *, format: Format = "text", lowers_root: bool) -> Iterator[None]:
    """While the block runs, print the log of gigq, and that of modules that set up no logging of their own.

    Nothing is changed at the root: a handler there would keep `logging.basicConfig` of a job's module from doing
    anything. The log of gigq does not reach the root either, where it would be printed a second time.

    Args:
        level: from which on.
        format: of the lines.
        lowers_root: whether what modules log below a warning becomes a record at all.
    """
    printer = Printer(format=format)
    printer.setLevel(level)
    levels = [(each, each.level) for each in (PACKAGE, logging.root)]
    before = PACKAGE.propagate, logging.lastResort
    PACKAGE.addHandler(printer)
    PACKAGE.propagate, logging.lastResort = False, printer
    PACKAGE.setLevel(level)
    if lowers_root:
        logging.root.setLevel(min(level, logging.INFO))
    try:
        yield
    finally:
        if output.has_stuck_thread():
            os._exit(0 if sys.exc_info()[0] is None else 1)  # the interpreter would wait for the thread for ever
        PACKAGE.removeHandler(printer)
        PACKAGE.propagate, logging.lastResort = before
        for logger, was in levels:
            logger.setLevel(was)  # not by its attribute: all loggers remember which levels are enabled
