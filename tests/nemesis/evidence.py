"""The evidence that a battle leaves behind: the histories of the clients, put together, and the file."""

from __future__ import annotations

import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from nemesis.clients import LEASE
from nemesis.history import Event

Row = dict[str, Any]

_ENDS = ("returned", "raised", "stopped")
_AFTERMATH = LEASE + 2
_ORPHANHOOD = 1.0
"""Seconds for which a child process may outlive its worker."""

_AWAKENING = 1.0
"""Seconds for which a worker that was suspended may call what it had claimed ahead, before it looks into the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One call of a job's function, as the function has recorded it.

    Attributes:
        client: the worker's process.
        how: ``returned``, ``raised``, ``stopped`` by the worker, or ``died``.
        is_suspended: whether its worker was, for long enough to be considered dead, or had just been.
        is_orphan: whether it ended in a child process that had outlived its worker for a moment.
    """

    job: str
    attempt: int
    client: str
    began: float
    ended: float
    how: str
    is_suspended: bool
    is_orphan: bool

    @property
    def may_go_on(self) -> bool:
        """Whether it may have gone on while another worker had its job already."""
        return self.is_suspended or self.is_orphan

    def is_of(self, row: Row) -> bool:
        """Whether a stored execution is this one."""
        return (self.attempt, self.client) == (row["attempt"], row["worker_id"])


class Evidence:
    """The history and the stored file, and the questions to them.

    Args:
        events: in the order of time.
        jobs: the rows of the table, by id, each with its ``parents``.
        executions: the rows of the table in the order of ids, each with the id of its ``job``.
        ledger: the rows of what transfers have written.
    """

    def __init__(
        self, events: list[Event], *, jobs: dict[str, Row], executions: list[Row], ledger: list[Row] | None = None
    ) -> None:
        self.events = events
        self.ledger = ledger or []
        self.jobs = jobs
        self.executions = executions

    @classmethod
    def of(cls, events: list[Event], path: Path) -> Evidence:
        """Read the file as any SQLite tool does."""
        connection = sqlite3.connect(path)
        connection.row_factory = sqlite3.Row
        jobs = {row["id"]: dict(row) | {"parents": []} for row in connection.execute("SELECT * FROM jobs")}
        for child, parent in connection.execute(_DEPENDENCIES):
            jobs[child]["parents"].append(parent)
        executions = [dict(row) for row in connection.execute(_EXECUTIONS)]
        ledger = [dict(row) for row in connection.execute("SELECT * FROM ledger")]
        connection.close()
        return cls(events, jobs=jobs, executions=executions, ledger=ledger)

    def records_of(self, what: str) -> list[Event]:
        """Return the records of a kind."""
        return [event for event in self.events if event["what"] == what]

    @cached_property
    def runs(self) -> dict[str, list[Run]]:
        """The calls of each job, in the order of time."""
        found: dict[str, list[Run]] = defaultdict(list)
        open_ones: dict[tuple[int, int], Event] = {}
        for event in self.events:
            if event["what"] in ("began", *_ENDS):
                begin = open_ones.pop((event["pid"], event["thread"]), None)
                if begin is not None:
                    found[begin["job"]].append(self._run(begin, event))
            if event["what"] == "began":
                open_ones[event["pid"], event["thread"]] = event
        for begin in open_ones.values():
            found[begin["job"]].append(self._run(begin, None))
        return {job: self._cut(sorted(runs, key=lambda run: run.began)) for job, runs in found.items()}

    @cached_property
    def executions_of(self) -> dict[str, list[Row]]:
        """The stored executions of each job."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.executions:
            found[row["job"]].append(row)
        return found

    def was_stopped(self, run: Run) -> bool:
        """Whether its execution was ended by others. Its function may have gone on until it noticed."""
        rows = [row for row in self.executions_of[run.job] if run.is_of(row)]
        return any(row["status"] in ("timeout", "cancelled", "released") for row in rows)

    def is_disturbed(self, begin: float, end: float) -> bool:
        """Whether a process was suspended, the disk full or the folder read-only then, or shortly before."""
        return any(start < end and begin < stop + _AFTERMATH for start, stop in self._windows)

    def is_excused(self, worker: str) -> bool:
        """Whether a worker, or a child process of it, was killed or suspended, or could not write while it lived."""
        if int(worker) in self._victims:
            return True
        ends = [event["at"] for event in self.records_of("died") if str(event["victim"]) == worker]
        begins = [event["at"] for event in self.events if event["client"] == worker]
        begin, end = min(begins, default=-math.inf), min(ends, default=math.inf)
        return any(start < end and begin < stop + _AFTERMATH for start, stop in self._refusals)

    @cached_property
    def _victims(self) -> set[int]:
        events = self.records_of("kill") + self.records_of("suspend")
        return {event[name] for event in events for name in ("victim", "worker") if name in event}

    def is_refusing(self, at: float) -> bool:
        """Whether the file could not be written then, or shortly before."""
        return any(start <= at < stop + _AFTERMATH for start, stop in self._refusals)

    @cached_property
    def _refusals(self) -> list[tuple[float, float]]:
        return [*self._between("fill", "free"), *self._between("protect", "unprotect")]

    @cached_property
    def _suspensions(self) -> dict[str, list[tuple[float, float]]]:
        found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for event in self.records_of("suspend"):
            victim = event["victim"]
            ends = (
                later["at"]
                for later in self.records_of("continue") + self.records_of("died")
                if later["victim"] == victim
            )
            found[str(victim)].append((event["at"], min((at for at in ends if at > event["at"]), default=math.inf)))
        return found

    @cached_property
    def _windows(self) -> list[tuple[float, float]]:
        return [*self._refusals, *(each for windows in self._suspensions.values() for each in windows)]

    def _between(self, first: str, last: str) -> list[tuple[float, float]]:
        ends = [event["at"] for event in self.records_of(last)]
        begins = [event["at"] for event in self.records_of(first)]
        return [(begin, next((end for end in ends if end > begin), math.inf)) for begin in begins]

    @cached_property
    def _deaths(self) -> dict[int, list[float]]:
        """When the processes with each ID were killed or reaped: others may notice a kill before it is reaped."""
        found: dict[int, list[float]] = defaultdict(list)
        for event in self.events:
            if event["what"] in ("kill", "died"):
                found[event["victim"]].append(event["at"])
        return found

    def _death(self, begin: Event) -> float:
        """When the process of a call died, at the latest. Nothing records that a child process dies with its worker."""
        of_process = min((at for at in self._deaths[begin["pid"]] if at > begin["at"]), default=math.inf)
        return max(begin["at"], min(of_process, self._orphaned(begin)))

    def _orphaned(self, begin: Event) -> float:
        """When the worker of a call died, at the latest. A child process may have begun the call a moment later."""
        deaths = self._deaths[int(begin["client"])]
        return min((at for at in deaths if at > begin["at"] - _ORPHANHOOD), default=math.inf)

    def _cut(self, runs: list[Run]) -> list[Run]:
        """End calls whose child process was killed by its worker, which nothing records, where the next call begins."""
        for number, (run, following) in enumerate(zip(runs, [*runs[1:], None], strict=True)):
            if run.how == "died" and self.was_stopped(run):
                ended = run.ended if following is None else min(run.ended, following.began)
                runs[number] = replace(run, how="stopped", ended=ended)
        return runs

    def _run(self, begin: Event, following: Event | None) -> Run:
        """Put a call together with the next record of its thread: its end, the start of another call, or none.

        Without a record of its end, its process has died, or it was stopped while it wrote that.
        """
        death = self._death(begin)
        if following is None or (following["what"] == "began" and following["at"] > death):
            ended, how = death, "died"
        else:
            ended, how = following["at"], following["what"]
            how = "stopped" if how == "began" else how
        orphaned = self._orphaned(begin) if begin["pid"] != int(begin["client"]) else math.inf
        long = [(start, end) for start, end in self._suspensions[begin["client"]] if end - start > LEASE / 2]
        return Run(
            job=begin["job"], attempt=begin["attempt"], client=begin["client"], began=begin["at"], ended=ended, how=how,
            is_suspended=any(start < ended and begin["at"] < end + _AWAKENING for start, end in long),
            is_orphan=orphaned < ended < orphaned + _ORPHANHOOD,
        )  # fmt: skip


def quantile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that a share of the values does not exceed; 0 without values."""
    found = sorted(values)
    return found[min(len(found) - 1, int(share * len(found)))] if found else 0.0


_DEPENDENCIES = """
    SELECT children.id, parents.id
      FROM job_dependencies
      JOIN jobs AS children ON children.seq = job_dependencies.child
      JOIN jobs AS parents ON parents.seq = job_dependencies.parent
"""

_EXECUTIONS = """
    SELECT executions.id, jobs.id AS job, attempt, executions.worker_id, executions.status, executions.started_at,
           executions.error_type
      FROM executions JOIN jobs ON jobs.seq = executions.job_seq
     ORDER BY executions.id
"""
