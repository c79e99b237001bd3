"""Where a worker lives, and when another one may hold it for dead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple


class WorkerKey(NamedTuple):
    """A worker as the file knows it: its row, and its name for people."""

    seq: int
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """Where a process runs, exactly enough to tell whether it still does.

    Attributes:
        machine_id: of the installation; empty where it cannot be known.
        boot_id: changes with every start of the machine; empty where it cannot be known.
        pid_namespace: in which `pid` means this process.
    """

    machine_id: str
    boot_id: str
    pid_namespace: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """What the file shows of a worker's life.

    Attributes:
        counter: it moves while the worker lives; None where nobody moves one, and silence proves nothing.
    """

    key: WorkerKey
    counter: int | None
    process: ProcessIdentity


def certainly_dead(heartbeats: Iterable[Heartbeat], *, here: ProcessIdentity, is_gone: Callable[[int], bool]) -> list[WorkerKey]:
    """Return the workers whose process has certainly ended, as far as one look from `here` can prove it.

    Args:
        is_gone: whether no process of this pid runs in the observer's own namespace. That a pid exists proves nothing,
            for it may have been given to another process.
    """
    return [heartbeat.key for heartbeat in heartbeats if _is_certain(heartbeat, here, is_gone)]


class FailureDetector:
    """One observer's memory of the other workers' heartbeats. Not safe to share between threads.

    Args:
        here: where the observer itself runs.
        lease: seconds without a heartbeat after which a worker is held dead.
    """

    def __init__(self, here: ProcessIdentity, *, lease: float) -> None:
        self._here = here
        self._lease = lease
        self._looked_at: float | None = None
        self._seen: dict[WorkerKey, tuple[int | None, float]] = {}

    def dead(self, heartbeats: Iterable[Heartbeat], *, now: float, is_gone: Callable[[int], bool]) -> list[WorkerKey]:
        """Return the workers that are dead: certainly, or by the silence of a whole lease.

        Args:
            heartbeats: of all workers, but the observer itself.
            now: the observer's monotonic time.
            is_gone: as for `certainly_dead`.
        """
        if self._looked_at is None or now - self._looked_at > self._lease / 3:
            self._seen.clear()  # the observer was away, suspended perhaps: no silence counts that it did not hear
        self._looked_at = now
        heartbeats = list(heartbeats)
        self._seen = {heartbeat.key: self._last_move(heartbeat, now) for heartbeat in heartbeats}
        return [heartbeat.key for heartbeat in heartbeats if _is_certain(heartbeat, self._here, is_gone) or self._is_silent(heartbeat, now)]

    def forget(self) -> None:
        """Count no silence from before: nobody could write a heartbeat then."""
        self._seen.clear()

    def _last_move(self, heartbeat: Heartbeat, now: float) -> tuple[int | None, float]:
        known = self._seen.get(heartbeat.key)
        return known if known is not None and known[0] == heartbeat.counter else (heartbeat.counter, now)

    def _is_silent(self, heartbeat: Heartbeat, now: float) -> bool:
        return heartbeat.counter is not None and now - self._seen[heartbeat.key][1] >= self._lease


def _is_certain(heartbeat: Heartbeat, here: ProcessIdentity, is_gone: Callable[[int], bool]) -> bool:
    there = heartbeat.process
    if not here.boot_id:
        return False
    if there.boot_id != here.boot_id:
        return bool(there.boot_id) and bool(here.machine_id) and there.machine_id == here.machine_id
    return there.pid_namespace == here.pid_namespace and is_gone(there.pid)
