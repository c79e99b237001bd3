"""The clients of a battle that are no programs of gigq: they hold a snapshot, switch the journal, copy files."""

from __future__ import annotations

import hashlib
import shutil
import signal
import sqlite3
import tempfile
from contextlib import suppress

from nemesis.clients import Client
from nemesis.history import note

from gigq.clock import SystemClock


class Tool(Client):
    """A process that comes once."""

    is_replaced = False


class ReadingTool(Tool):
    """Keeps one snapshot of the file until it is told to end, past which no checkpoint can get."""

    def _run(self) -> None:
        reader = sqlite3.connect(self._path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM jobs").fetchone()
        signal.sigwait([signal.SIGTERM])
        reader.close()
        note("let go")


class SwitchingTool(Tool):
    """Switches the file to a rollback journal, which takes that nobody else has it open."""

    def _run(self) -> None:
        tool = sqlite3.connect(self._path, isolation_level=None, timeout=5)
        with suppress(sqlite3.OperationalError):  # the disk is full, or the file read-only
            ((mode,),) = tool.execute("PRAGMA journal_mode = DELETE")
            note("switched", to=mode)
        tool.close()


class CopyingTool(Tool):
    """Copies and hashes all files whose names begin with that of the queue's, as ``cp jobs.db*`` does."""

    def _run(self) -> None:
        began_at = SystemClock().monotonic()
        with tempfile.TemporaryDirectory() as folder:
            for file in self._path.parent.glob(f"{self._path.name}*"):
                with suppress(FileNotFoundError):  # the last one that closes the queue removes its log
                    hashlib.sha256(file.read_bytes())
                    shutil.copy(file, folder)
        note("copied", seconds=SystemClock().monotonic() - began_at)
