"""How what a function logs and prints comes into the log of its execution."""

from __future__ import annotations

import copy
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, TextIO, cast

from gigq.clock import to_text
from gigq.errors import JobCancelled, JobTimeout
from gigq.runtime.output import Log

Find = Callable[[], Log | None]

_FORMATTER = logging.Formatter("%(levelname)s %(name)s: %(message)s")


@cache
def capture_logging(find: Find) -> None:
    """From now on, also write each record to the log that `find` names in the thread that makes it; once per `find`.

    Where records are made, and not by a handler: one at the root would keep `logging.basicConfig` from doing anything,
    and the warnings of a program without handlers from standard error. For good, but outside of a job whose log is
    kept it costs a record no more than the look.
    """
    make = logging.getLogRecordFactory()

    def make_and_keep(*args: Any, **options: Any) -> logging.LogRecord:
        record = make(*args, **options)
        log = find()
        if log is not None and record.name:  # logging.makeLogRecord makes nameless ones, and fills them afterwards
            log.write(_line(record))
        return record

    logging.setLogRecordFactory(make_and_keep)


def capture_prints(find: Find) -> None:
    """From now on, also write what is printed on standard output and error to the log that `find` names."""
    # Either is missing where a program has no console.
    if sys.stdout is not None:
        sys.stdout = cast(TextIO, _Tee(sys.stdout, find))
    if sys.stderr is not None:
        sys.stderr = cast(TextIO, _Tee(sys.stderr, find))


def _line(record: logging.LogRecord) -> str:
    made_at = to_text(datetime.fromtimestamp(record.created, UTC))
    try:
        # Of a copy: a formatter leaves its traces in the record, and other handlers would use them.
        text = _FORMATTER.format(copy.copy(record))
    except (JobTimeout, JobCancelled):
        raise
    except Exception as error:  # arguments that do not fit the message: logging itself says so on standard error
        text = f"{record.levelname} {record.name}: {record.msg!r:.1000} ({type(error).__name__} while formatting it)"
    return f"{made_at} {text}\n"


class _Tee:
    """A stream that passes everything on, and keeps what is written."""

    def __init__(self, stream: TextIO, find: Find) -> None:
        self._stream = stream
        self._find = find

    def write(self, text: str) -> int:
        # What logging writes has been kept as a record.
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
