"""The log of the package: its loggers, what prints it, and how the threads that may not wait write to it."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

from gigq import checks
from gigq.cleaning import clean
from gigq.clock import to_text

Format = Literal["text", "json"]
"""How the log is printed: a line for people, or an object of JSON for programs."""

PACKAGE = logging.getLogger("gigq")
"""The parent of all loggers of the package. It has no handler, so that a program which has not set up logging sees the
warnings on standard error, as Python prints those of any other library."""

_FIELDS = (
    "worker_id", "job_id", "job_name", "queue", "function", "attempt", "max_attempts", "status", "duration",
    "error_type", "error", "next_attempt_at", "completed", "failed", "retried", "released", "cancelled",
)  # fmt: skip
"""The attributes that records of ours may have, in the order in which JSON names them."""

_KEYS = {"job_name": "name"}  # a record's own name is that of its logger


def logger(part: str) -> logging.Logger:
    """Return the logger of one part of the package, such as ``gigq.worker`` for ``worker``."""
    found = PACKAGE.getChild(part)
    found.addFilter(_is_for_handlers)
    return found


def say(
    log: logging.Logger, level: int, message: str, *args: object, below: str | None = None, **fields: object
) -> None:
    """Log a message, with fields for programs.

    Args:
        below: more lines, which formatters print below the message as they do a traceback.
        fields: attributes of the record, among those of `_FIELDS`.
    """
    if log.isEnabledFor(level):
        file, line, function, _ = log.findCaller(stacklevel=2)
        record = log.makeRecord(log.name, level, file, line, message, args, None, function, extra=fields)
        record.exc_text = below and below.rstrip("\n")
        log.handle(record)


def setup_logging(level: int | str = logging.INFO, *, format: Format = "text") -> None:
    """Print the log of gigq on standard error, from this level up: each line once, however often this is called.

    Handlers of the root logger get the lines too. Where one of them prints on the terminal, that one does the printing.
    Under ``gigq worker`` this does nothing: the options of the command say what is printed.

    Args:
        level: ``logging.INFO``, ``"INFO"``, or another level of Python's logging.
        format: ``"text"``, or ``"json"`` for one object a line.

    Raises:
        ValueError: there is no such level or format.
    """
    printer = _Fallback(format=checks.one_of(format, "format", choices=("text", "json")))
    if not any(type(each) is Printer for each in PACKAGE.handlers):
        PACKAGE.setLevel(_level(level))
        for each in [each for each in PACKAGE.handlers if isinstance(each, _Fallback)]:
            PACKAGE.removeHandler(each)
        PACKAGE.addHandler(printer)


def _level(level: int | str) -> int | str:
    known = logging.getLevelNamesMapping()
    if isinstance(level, str) and level.upper() in known:
        return level.upper()
    if isinstance(level, bool) or not isinstance(level, int):
        raise ValueError(f"level is {checks.shown(level)}; it must be a number or one of {', '.join(known)}")
    return level


class Printer(logging.StreamHandler[Any]):
    """Prints on standard error, whatever that is at the time."""

    def __init__(self, *, format: Format = "text") -> None:
        super().__init__()
        self.setFormatter(TextFormatter() if format == "text" else JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is not None:  # a program without a console has none
            self.stream = sys.stderr
            super().emit(record)


class _Fallback(Printer):
    """Prints what no handler of the root logger prints on the terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        if not (PACKAGE.propagate and any(_prints(each, record) for each in logging.root.handlers)):
            super().emit(record)


def _prints(handler: logging.Handler, record: logging.LogRecord) -> bool:
    is_on_terminal = isinstance(handler, logging.StreamHandler) and handler.stream in (sys.stderr, sys.stdout)
    return is_on_terminal and record.levelno >= handler.level


class TextFormatter(logging.Formatter):
    """Writes a record as one line, whatever the name of a job is. A traceback below it keeps its lines."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._second = (-1.0, "", "")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """Return the local time with its zone, such as ``2026-01-31 09:00:00.123+01:00``."""
        second, fraction = divmod(record.created, 1)
        if second != self._second[0]:  # only the milliseconds are written each time
            text = datetime.fromtimestamp(second).astimezone().isoformat(" ", "seconds")
            self._second = (second, text[:19], text[19:])
        _, text, zone = self._second
        return f"{text}.{int(fraction * 1000):03}{zone}"

    def formatMessage(self, record: logging.LogRecord) -> str:
        text = super().formatMessage(record)
        return text if text.isprintable() else clean(text)

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if text.isprintable():
            return text
        first, *below = text.split("\n")
        return "\n".join([first, *map(clean, below)])


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON: time, level, logger and message, and what else is known."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": to_text(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        known = vars(record)
        entry |= {_KEYS.get(name, name): known[name] for name in _FIELDS if known.get(name) is not None}
        below = record.exc_text or (self.formatException(record.exc_info) if record.exc_info else "")
        if below:
            entry["traceback"] = below
        return json.dumps(entry, default=str)


# The lines of a thread that may not wait


class _Diverted(threading.local):
    send: Callable[[logging.LogRecord], object] | None = None


_DIVERTED = _Diverted()


@contextmanager
def diverted(send: Callable[[logging.LogRecord], object]) -> Iterator[None]:
    """While the block runs, give what this thread logs with loggers of ours to `send`, and not to any handler."""
    before, _DIVERTED.send = _DIVERTED.send, send
    try:
        yield
    finally:
        _DIVERTED.send = before


def hand_over(record: logging.LogRecord) -> None:
    """Give a record that was diverted to the handlers, from a thread that may wait for them. Raises nothing."""
    try:
        logging.getLogger(record.name).handle(record)
    except (Exception, SystemExit):
        logging.NullHandler().handleError(record)  # prints what is wrong with the handler, as Python's logging does


def _is_for_handlers(record: logging.LogRecord) -> bool:
    send = _DIVERTED.send
    if send is None:
        return True
    send(record)
    return False
