"""Copy what a function logs and prints into the log of its execution."""

from __future__ import annotations

import copy
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, TextIO, cast

from gigq.clock import to_text
from gigq.runtime.output import Log

Find = Callable[[], Log | None]

_FORMATTER = logging.Formatter("%(levelname)s %(name)s: %(message)s")


@cache
def capture_logging(find: Find) -> None:
    """From now on, also write each log record to the log that `find` returns in its thread; once per `find`.

    The record factory does it, not a handler: a handler at the root would keep `logging.basicConfig` from doing
    anything, and would silence the warnings that programs without handlers print on standard error. It stays for good,
    but outside a job whose log is kept it costs a record only the call of `find`.
    """
    make = logging.getLogRecordFactory()

    def make_and_keep(*args: Any, **options: Any) -> logging.LogRecord:
        record = make(*args, **options)
        log = find()
        if log is not None and record.name:  # logging.makeLogRecord makes records without a name, and fills them later
            log.write(_line(record))
        return record

    logging.setLogRecordFactory(make_and_keep)


def capture_prints(find: Find) -> None:
    """From now on, also write what is printed on standard output and error to the log that `find` returns."""
    # A program without a console has neither.
    if sys.stdout is not None:
        sys.stdout = cast(TextIO, _Tee(sys.stdout, find))
    if sys.stderr is not None:
        sys.stderr = cast(TextIO, _Tee(sys.stderr, find))


def _line(record: logging.LogRecord) -> str:
    made_at = to_text(datetime.fromtimestamp(record.created, UTC))
    try:
        # A copy, because a formatter adds attributes to the record that other handlers would then use.
        text = _FORMATTER.format(copy.copy(record))
    except Exception as error:  # arguments that do not fit the message: logging itself reports them on standard error
        text = f"{record.levelname} {record.name}: {record.msg!r:.1000} ({type(error).__name__} while formatting it)"
    return f"{made_at} {text}\n"


class _Tee:
    """A stream that passes everything on, and keeps a copy."""

    def __init__(self, stream: TextIO, find: Find) -> None:
        self._stream = stream
        self._find = find

    def write(self, text: str) -> int:
        # What logging prints has been kept already, as a record.
        if isinstance(text, str) and sys._getframe(1).f_globals.get("__name__") != "logging":
            log = self._find()
            if log is not None:
                log.write(text)
        return self._stream.write(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
