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
class Residence:
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
class Sign:
    """What the file shows of a worker's life.

    Attributes:
        heartbeat: a counter that moves while the worker lives; None where nobody moves one, and silence proves nothing.
    """

    key: WorkerKey
    heartbeat: int | None
    residence: Residence


def certainly_dead(signs: Iterable[Sign], *, here: Residence, is_gone: Callable[[int], bool]) -> list[WorkerKey]:
    """Return the workers whose process has certainly ended, as far as one look from `here` can prove it.

    Args:
        is_gone: whether no process of this pid runs in the observer's own namespace. That a pid exists proves nothing,
            for it may have been given to another process.
    """
    return [sign.key for sign in signs if _is_certain(sign, here, is_gone)]


class Watch:
    """One observer's memory of the other workers' heartbeats. Not safe to share between threads.

    Args:
        here: where the observer itself runs.
        lease: seconds without a heartbeat after which a worker is held dead.
    """

    def __init__(self, here: Residence, *, lease: float) -> None:
        self._here = here
        self._lease = lease
        self._looked_at: float | None = None
        self._seen: dict[WorkerKey, tuple[int | None, float]] = {}

    def dead(self, signs: Iterable[Sign], *, now: float, is_gone: Callable[[int], bool]) -> list[WorkerKey]:
        """Return the workers that are dead: certainly, or by the silence of a whole lease.

        Args:
            signs: of all workers, but the observer itself.
            now: the observer's monotonic time.
            is_gone: as for `certainly_dead`.
        """
        if self._looked_at is None or now - self._looked_at > self._lease / 3:
            self._seen.clear()  # the observer was away, suspended perhaps: no silence counts that it did not hear
        self._looked_at = now
        signs = list(signs)
        self._seen = {sign.key: self._last_move(sign, now) for sign in signs}
        return [sign.key for sign in signs if _is_certain(sign, self._here, is_gone) or self._is_silent(sign, now)]

    def forget(self) -> None:
        """Count no silence from before: nobody could write a heartbeat then."""
        self._seen.clear()

    def _last_move(self, sign: Sign, now: float) -> tuple[int | None, float]:
        known = self._seen.get(sign.key)
        return known if known is not None and known[0] == sign.heartbeat else (sign.heartbeat, now)

    def _is_silent(self, sign: Sign, now: float) -> bool:
        return sign.heartbeat is not None and now - self._seen[sign.key][1] >= self._lease


def _is_certain(sign: Sign, here: Residence, is_gone: Callable[[int], bool]) -> bool:
    there = sign.residence
    if not here.boot_id:
        return False
    if there.boot_id != here.boot_id:
        return bool(there.boot_id) and bool(here.machine_id) and there.machine_id == here.machine_id
    return there.pid_namespace == here.pid_namespace and is_gone(there.pid)
