"""Where a job stood: the file into which a child writes that before it dies, and what the worker reads there."""

from __future__ import annotations

import os
import re
import tempfile
from traceback import FrameSummary

from gigq.runtime.process.signals import GRACE

_MOST_READ = 1 << 20
_THREAD = re.compile(r"^(?:Current thread|Thread) 0x.*:\n((?:  .*\n?)*)", re.MULTILINE)
_FRAME = re.compile(r'^  File "(.*)", line (\d+) in (.*)$', re.MULTILINE)
_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")
_CALL = '/gigq/runtime/call.py"'


class StackFile:
    """A file without a name. It costs nothing until a child writes to it."""

    def __init__(self) -> None:
        if hasattr(os, "memfd_create"):
            self._file = os.memfd_create("gigq-stack")
        else:
            with tempfile.TemporaryFile() as file:
                self._file = os.dup(file.fileno())

    def fileno(self) -> int:
        return self._file

    @property
    def asks_for_grace(self) -> bool:
        """Whether the job handles SIGTERM itself, and has not ended yet."""
        return os.pread(self._file, 1, 0) == GRACE

    def frames(self) -> list[FrameSummary]:
        """Return the frames of the thread that runs the job, the innermost last; none if nothing was written."""
        text = os.pread(self._file, _MOST_READ, 1).decode(errors="replace")
        threads: list[str] = _THREAD.findall(text)
        # The job's is the main thread, which the signal has met unless the job has blocked it there.
        of_the_job = next((each for each in threads if _CALL in each), threads[0] if threads else "")
        found = _FRAME.findall(of_the_job)
        return [FrameSummary(_unescaped(file), int(line), _unescaped(name)) for file, line, name in reversed(found)]

    def close(self) -> None:
        os.close(self._file)


def _unescaped(text: str) -> str:
    """Return text as it was: `faulthandler` writes ASCII only."""
    return _ESCAPED.sub(lambda found: chr(int("".join(filter(None, found.groups())), 16)), text)
