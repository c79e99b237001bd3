"""Failure detection: where workers run, and when one of them is considered dead."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Callable, Iterable
from typing import NamedTuple


class WorkerKey(NamedTuple):
    """A worker in the file: the number of its row, and its name for people."""

    seq: int
    id: str


class ProcessIdentity(NamedTuple):
    """The identity of a process, exact enough to tell whether it is still running.

    Attributes:
        machine_id: the id of the installation; empty if it is unknown.
        boot_id: an id that changes each time the machine starts; empty if it is unknown.
        pid_namespace: the namespace in which `pid` means this process.
        pid: the number of the process.
    """

    machine_id: str
    boot_id: str
    pid_namespace: str
    pid: int


class Heartbeat(NamedTuple):
    """The signs of life that the file shows of a worker.

    Attributes:
        key: the worker.
        counter: a number that grows while the worker is alive; None for a worker without one, whose silence proves
            nothing.
        process: where it runs.
    """

    key: WorkerKey
    counter: int | None
    process: ProcessIdentity


def certainly_dead(
    heartbeats: Iterable[Heartbeat], *, here: ProcessIdentity, is_gone: Callable[[int], bool]
) -> list[WorkerKey]:
    """Return the workers whose process has certainly ended, as far as one look can prove it.

    Args:
        heartbeats: of the workers in question.
        here: the identity of the observer.
        is_gone: whether no process has this pid in the observer's own namespace. That a process has it proves nothing:
            it may be a later one.
    """
    return [heartbeat.key for heartbeat in heartbeats if _is_certain(heartbeat, here, is_gone)]


class FailureDetector:
    """One observer's memory of the other workers' heartbeats. Not safe to share between threads.

    Args:
        here: the identity of the observer.
        lease: seconds without a heartbeat after which a worker is considered dead.
    """

    def __init__(self, here: ProcessIdentity, *, lease: float) -> None:
        self._here = here
        self._lease = lease
        self._looked_at: float | None = None
        self._seen: dict[WorkerKey, tuple[int | None, float]] = {}

    def dead(self, heartbeats: Iterable[Heartbeat], *, now: float, is_gone: Callable[[int], bool]) -> list[WorkerKey]:
        """Return the workers that are dead for certain, or silent for a whole lease.

        Args:
            heartbeats: those of all workers but the observer itself.
            now: the observer's monotonic time.
            is_gone: as for `certainly_dead`.
        """
        if self._looked_at is None or now - self._looked_at > self._lease / 3:
            self._seen.clear()  # it has not looked for a while, perhaps suspended: silence in that time proves nothing
        self._looked_at = now
        heartbeats = list(heartbeats)
        self._seen = {heartbeat.key: self._last_move(heartbeat, now) for heartbeat in heartbeats}
        return [each.key for each in heartbeats if _is_certain(each, self._here, is_gone) or self._is_silent(each, now)]

    def forget(self) -> None:
        """Start over: until now no worker could write a heartbeat, so that silence proves nothing."""
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
