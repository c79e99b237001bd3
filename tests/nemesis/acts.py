"""The nemesis: what it does to the clients, their disk and their clock. An act that lasts is undone after a while."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from sched import scheduler

from nemesis.arena import Arena
from nemesis.clients import LEASE, Client
from nemesis.history import note
from nemesis.tools import CopyingTool, ReadingTool, SwitchingTool
from nemesis.workers import LackingClient, Mode, MuteClient, WorkingClient
from small_disk import Disk

from gigq.clock import SystemClock

_JUMPS = (-3600.0, -60.0, -5.0, 0.0, 5.0, 60.0, 3600.0)

_MODES: tuple[Mode, ...] = ("thread", "process")

ACTS = {
    "kill": 0.5, "child": 2.0, "stop": 2.0, "hangup": 3.0, "service": 3.0, "suspend": 2.0, "jump": 2.0, "fill": 8.0,
    "protect": 8.0, "pin": 4.0, "lack": 4.0, "mute": 4.0, "switch": 15.0, "copy": 3.0,
}  # fmt: skip
"""The acts, and the average number of seconds between two of each."""


class Nemesis:
    """Does acts at random moments.

    Args:
        acts: which of `ACTS`, and how often.

    Attributes:
        kills: how many processes were killed.
    """

    def __init__(self, arena: Arena, chance: random.Random, *, acts: Mapping[str, float]) -> None:
        self.kills = 0
        self._arena = arena
        self._chance = chance
        self._acts = acts
        self._schedule = scheduler(SystemClock().monotonic, arena.pause)
        self._is_over: Callable[[], bool] = lambda: False

    def rage(self, seconds: float, *, most_kills: int) -> None:
        """Do acts for this long, or until this many processes were killed; in the end undo what can be undone."""
        end = SystemClock().monotonic() + seconds
        self._is_over = lambda: SystemClock().monotonic() > end or self.kills >= most_kills
        for act in self._acts:
            self._plan(act)
        self._schedule.run()
        self._arena.clock.jump(0.0)

    def _plan(self, act: str) -> None:
        self._schedule.enter(self._chance.expovariate(1 / self._acts[act]), 0, self._do, (act,))

    def _do(self, act: str) -> None:
        if not self._is_over():
            getattr(self, f"_{act}")()
            self._plan(act)

    def _after(self, shortest: float, longest: float, undo: Callable[..., None], *arguments: object) -> None:
        self._schedule.enter(self._chance.uniform(shortest, longest), 0, undo, arguments)

    def _kill(self) -> None:
        self.kills += 1
        self._arena.kill(self._chance.choice(list(self._arena.living)))

    def _child(self) -> None:
        children = [(child, pid) for pid in self._arena.of(WorkingClient) for child in _children(pid)]
        if children:
            self.kills += 1
            victim, worker = self._chance.choice(children)
            note("kill", victim=victim, worker=worker)
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
            note("died", victim=victim, code=-signal.SIGKILL)  # also the processes that it started after the line above

    def _stop(self) -> None:
        os.kill(self._a_worker(), signal.SIGTERM)

    def _hangup(self) -> None:
        os.kill(self._a_worker(), signal.SIGHUP)

    def _service(self) -> None:
        """Tell a worker to stop as systemd does: it and all the processes that it has started, in whatever group."""
        worker = self._a_worker()
        note("service", victim=worker)
        for pid in (*_children(worker), worker):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def _a_worker(self) -> int:
        return self._chance.choice(self._arena.of(WorkingClient))

    def _suspend(self) -> None:
        victim = self._chance.choice(list(self._arena.living))
        note("suspend", victim=victim)
        os.kill(victim, signal.SIGSTOP)
        self._after(0.1, 2 * LEASE, self._continue, victim)

    def _continue(self, victim: int) -> None:
        if victim in self._arena.living:
            os.kill(victim, signal.SIGCONT)
            note("continue", victim=victim)

    def _jump(self) -> None:
        seconds = self._chance.choice(_JUMPS)
        note("jump", seconds=seconds)
        self._arena.clock.jump(seconds)

    def _fill(self) -> None:
        disk = self._arena.disk
        if disk and not disk.is_full:
            note("fill")
            disk.fill()
            self._after(0.2, 2 * LEASE, self._free, disk)

    def _free(self, disk: Disk) -> None:
        disk.free()
        note("free")

    def _protect(self) -> None:
        if self._arena.folder.stat().st_mode & 0o200:
            note("protect")
            self._set_modes(0o500, 0o400)
            self._after(0.2, LEASE, self._unprotect)

    def _unprotect(self) -> None:
        self._set_modes(0o700, 0o600)
        note("unprotect")

    def _set_modes(self, folder: int, files: int) -> None:
        self._arena.folder.chmod(folder)
        for each in self._arena.folder.iterdir():
            with suppress(FileNotFoundError):
                each.chmod(files)

    def _pin(self) -> None:
        if self._arena.of(ReadingTool):
            return
        reader = self._arena.enter(ReadingTool(self._arena.path, self._arena.clock))
        self._after(0.5, 2 * LEASE, self._unpin, reader)

    def _unpin(self, reader: int) -> None:
        if reader in self._arena.living:
            note("unpin", bytes=_size(self._arena.wal))
            os.kill(reader, signal.SIGTERM)
        self._after(1, 1, self._weigh)

    def _weigh(self) -> None:
        note("weighed", bytes=_size(self._arena.wal))

    def _lack(self) -> None:
        mode, has_module = self._chance.choice(_MODES), self._chance.random() < 0.3
        self._visit(LackingClient(self._arena.path, self._arena.clock, mode=mode, has_module=has_module))

    def _mute(self) -> None:
        mode, is_read = self._chance.choice(_MODES), self._chance.random() < 0.5
        self._visit(MuteClient(self._arena.path, self._arena.clock, mode=mode, is_read=is_read))

    def _visit(self, client: Client) -> None:
        """Let a worker come that goes again; only one of its kind at a time."""
        if not self._arena.of(type(client)):
            self._after(1, 2 * LEASE, self._send_away, self._arena.enter(client))

    def _send_away(self, visitor: int) -> None:
        if visitor in self._arena.living:
            os.kill(visitor, signal.SIGTERM)

    def _switch(self) -> None:
        self.kills += len(self._arena.living)
        self._arena.outage(SwitchingTool(self._arena.path, self._arena.clock))

    def _copy(self) -> None:
        if not self._arena.of(CopyingTool):
            self._arena.enter(CopyingTool(self._arena.path, self._arena.clock))


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
