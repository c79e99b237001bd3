"""The arena of a battle: a disk, a clock, and the processes that use them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from nemesis.clients import ENDING, NARROW, BentClock, Client
from nemesis.deeds import LEDGER
from nemesis.history import note
from rights import die_with_parent, heed_modes
from small_disk import CannotMount, Disk

from gigq import JobQueue
from gigq.clock import SystemClock

_MEGABYTES = 512


class Arena:
    """A queue on a small disk of its own, and the clients that use it, each forked from this process.

    A client that ends is replaced, until `dismiss`. For the only thread of a process that has opened no queue.

    Attributes:
        folder: the disk, on which there is nothing else but what the nemesis puts there.
        path: the queue's file.
        wal: its write-ahead log.
        clock: the wall clock of all clients.
        living: the clients, by pid.
        disk: what can be filled; None where no disk can be mounted, and the folder is like any other.
    """

    def __init__(self, folder: Path, *, begin: datetime | None) -> None:
        self.folder = folder / "disk"
        self.folder.mkdir(mode=0o700)
        self.path = self.folder / "jobs.db"
        self.wal = self.folder / "jobs.db-wal"
        self.clock = BentClock(begin)
        self.living: dict[int, Client] = {}
        self.disk = self._disk()
        self._replacing = True
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])

    def found(self) -> None:
        """Make the queue."""
        with JobQueue(self.path) as queue:
            queue.configure("narrow", max_running=NARROW)
            with queue.transaction() as db:
                db.execute(LEDGER)

    def enter(self, client: Client) -> int:
        """Start a client, and return its pid."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # until the client sets its own
        pid = os.fork()
        if not pid:
            _be(client)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        self.living[pid] = client
        return pid

    def of(self, kind: type[Client]) -> list[int]:
        """Return the clients of a kind."""
        return [pid for pid, client in self.living.items() if isinstance(client, kind)]

    def kill(self, pid: int) -> None:
        """Kill a client by SIGKILL, and put another in its place."""
        note("kill", victim=pid)
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        self._bury(pid, status)

    def outage(self, tool: Client) -> None:
        """Kill all clients at once, let a tool do its work, and put others in their places."""
        self._replacing = False
        fallen = [client for client in self.living.values() if client.is_replaced]
        for pid in list(self.living):
            self.kill(pid)
        alone = self.enter(tool)
        self.wait_until(lambda: alone not in self.living, patience=30.0)
        self._replacing = True
        for client in fallen:
            self.enter(client)

    def pause(self, seconds: float) -> None:
        """Let this much time pass, and meanwhile replace the clients that end."""
        clock = SystemClock()
        end = clock.monotonic() + seconds
        while (left := end - clock.monotonic()) > 0:
            signal.sigtimedwait([signal.SIGCHLD], left)
            self._reap()

    def dismiss(self, kind: type[Client], *, patience: float) -> None:
        """Tell all clients of a kind to end, and replace none from now on. Those that do not end in time are noted."""
        self._replacing = False
        for pid in self.of(kind):
            os.kill(pid, signal.SIGTERM)
        if not self.wait_until(lambda: not self.of(kind), patience=patience):
            note("broke", trace=f"of its kind {len(self.of(kind))} do not end when they are told to")

    def wait_until(self, is_so: Callable[[], bool], *, patience: float) -> bool:
        """Whether something becomes true within this many seconds."""
        end = SystemClock().monotonic() + patience
        while not is_so():
            if SystemClock().monotonic() > end:
                return False
            self.pause(0.1)
        return True

    def close(self) -> None:
        """End all processes, and remove the disk."""
        self._replacing = False
        for pid in list(self.living):
            self.kill(pid)
        if self.disk:
            self.disk.unmount()

    def _disk(self) -> Disk | None:
        try:
            return Disk(self.folder, megabytes=_MEGABYTES)
        except CannotMount:
            return None

    def _reap(self) -> None:
        while self.living:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            self._bury(pid, status)

    def _bury(self, pid: int, status: int) -> None:
        client = self.living.pop(pid)
        code = os.waitstatus_to_exitcode(status)
        note("died", victim=pid, code=code)
        if self._replacing and client.is_replaced:
            self.enter(client)


def _be(client: Client) -> None:
    """Be a client until its end, and never return."""
    code = 2
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        die_with_parent()
        heed_modes()
        code = client.run()
    finally:
        os._exit(code)
