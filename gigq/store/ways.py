"""The ways along which jobs are looked for, in steps, so that a look that is stopped knows how far it came.

A single statement that is interrupted tells nothing of what it has read.
"""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple

from gigq.clock import earlier, later, to_text
from gigq.filters import Filters
from gigq.store.engine.transaction import Transaction
from gigq.store.filtering import EVERY, where
from gigq.store.sources import MOST, Source, ends_of, within_ends

_FIRST, _LAST = -1, 2**63 - 1
_EARLIEST, _LATEST = "", "9999-12-31T23:59:59.999999Z~"
"""Before and after every instant."""

_ASKEW = 3600.0
"""Seconds by which a clock may have been wrong when a job was submitted, for `Rows` to find it where it looks."""

_AGGREGATES = {"all": "group_concat", "number": "count"}


class Place(NamedTuple):
    """Where a job is on a way.

    Attributes:
        ended_at: when it ended, on the way of those that have.
    """

    seq: int
    ended_at: str | None = None

    @property
    def text(self) -> str:
        """The place as the cursor of a page."""
        return f"{self.seq}" if self.ended_at is None else f"{self.seq}@{self.ended_at}"


class Step(NamedTuple):
    """What one step has found.

    Attributes:
        found: the places of the jobs that pass the filters, in the order of the way.
        looked_at: how many jobs were looked at.
        end: from where to go on; None where the way ends.
    """

    found: list[Place]
    looked_at: int
    end: Place | None


class Number(NamedTuple):
    """How many one step has found; otherwise as `Step`."""

    found: int
    looked_at: int
    end: Place | None


class Way(ABC):
    """A way through the jobs that may pass some filters, those that came last first.

    Attributes:
        is_bare: all jobs on it pass.
    """

    is_bare: bool

    @abstractmethod
    def step(self, after: Place | None, size: int) -> Step:
        """Look at so many jobs, or fewer, from behind a place on; from the beginning for None."""

    def number(self, after: Place | None, size: int) -> Number:
        """Look at as many, and count those that pass."""
        step = self.step(after, size)
        return Number(len(step.found), step.looked_at, step.end)


class Rows(Way):
    """All jobs, those that were submitted last first.

    Args:
        is_bounded: look only among the jobs that were submitted in the time that was asked for, or up to an hour before
            or after it. Others have such an instant only if the clock was wrong by more when they were submitted.
    """

    def __init__(self, tx: Transaction, filters: Filters, *, is_bounded: bool) -> None:
        self._tx = tx
        self._where, self._values = where(filters, now=tx.stamp)
        self.is_bare = self._where == EVERY
        self._first, self._last = _FIRST, _LAST
        if is_bounded and filters.since is not None:
            self._first = _first_since(tx, to_text(earlier(filters.since, _ASKEW)))
        if is_bounded and filters.until is not None:
            self._last = _first_since(tx, to_text(later(filters.until, _ASKEW)))

    def step(self, after: Place | None, size: int) -> Step:
        if self.is_bare:
            return self._bare(after, size)
        number, text, end = self._range("all", after, size)
        found = sorted(map(int, text.split(",")), reverse=True) if text else []
        return Step([Place(seq) for seq in found], number, end)

    def number(self, after: Place | None, size: int) -> Number:
        number, found, end = self._range("number", after, size)
        return Number(found or 0, number, end)

    def _bare(self, after: Place | None, size: int) -> Step:
        rows = self._tx.execute(
            "SELECT seq FROM jobs WHERE seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?",
            (self._first, self._behind(after), size),
        ).fetchall()
        return _step([Place(seq) for (seq,) in rows], size)

    def _range(self, wanted: Literal["all", "number"], after: Place | None, size: int) -> tuple[int, Any, Place | None]:
        """Return the number of jobs in a range of numbers, what is wanted of them, and where it ends.

        Where jobs were deleted the range holds fewer.
        """
        end = self._behind(after)
        newest = self._newest(end)
        if newest is None:
            return 0, None, None
        begin = max(newest + 1 - size, self._first)
        number, found = self._tx.execute(
            f"""
            SELECT count(*), {_AGGREGATES[wanted]}(CASE WHEN {self._where} THEN seq END)
              FROM jobs
             WHERE seq >= :begin AND seq < :end
            """,
            self._values | {"begin": begin, "end": end},
        ).fetchone()
        return number, found, None if self._newest(begin) is None else Place(begin)

    def _behind(self, after: Place | None) -> int:
        return self._last if after is None else min(after.seq, self._last)

    def _newest(self, end: int) -> int | None:
        found: int | None = self._tx.value("SELECT max(seq) FROM jobs WHERE seq >= ? AND seq < ?", (self._first, end))
        return found


class Sourced(Way):
    """The jobs of a source, those that were submitted last first."""

    def __init__(self, tx: Transaction, source: Source) -> None:
        self._tx = tx
        self._source = source
        self._where, self._values = where(source.left, now=tx.stamp)
        self.is_bare = self._where == EVERY
        self._has_begun = False
        self._waiting: list[int] = []  # what later steps look at, the newest last, if the source had to be sorted

    def step(self, after: Place | None, size: int) -> Step:
        seqs = self._next(after, size)
        passing = set(seqs) if self.is_bare or not seqs else self._passing(seqs)
        end = Place(seqs[-1]) if size and len(seqs) == size else None
        return Step([Place(seq) for seq in seqs if seq in passing], len(seqs), end)

    def _next(self, after: Place | None, size: int) -> Sequence[int]:
        if self._source.is_sorted or not self._has_begun:
            self._has_begun = True
            return self._newest(after, size)
        if not self._waiting:
            self._waiting = self._newest(after, MOST)[::-1]
        taken = self._waiting[-size:][::-1]
        del self._waiting[-size:]
        return taken

    def _newest(self, after: Place | None, size: int) -> list[int]:
        rows = self._tx.execute(
            f"SELECT seq FROM ({self._source.sql}) WHERE seq < :after ORDER BY seq DESC LIMIT :size",
            self._source.values | {"after": _LAST if after is None else after.seq, "size": size},
        )
        return [seq for (seq,) in rows]

    def _passing(self, seqs: Sequence[int]) -> set[int]:
        rows = self._tx.execute(
            f"SELECT seq FROM jobs WHERE seq IN (SELECT value FROM json_each(:seqs)) AND {self._where}",
            self._values | {"seqs": f"[{','.join(map(str, seqs))}]"},
        )
        return {seq for (seq,) in rows}


class Ended(Way):
    """The jobs that have ended, those that ended last first."""

    def __init__(self, tx: Transaction, filters: Filters) -> None:
        self._tx = tx
        self._statuses = ends_of(filters)
        self._when, self._instants = within_ends(filters)
        left = filters._replace(statuses=None, phases=None, ended_since=None, ended_until=None)
        self._where, self._values = where(left, now=tx.stamp)
        self.is_bare = self._where == EVERY

    def step(self, after: Place | None, size: int) -> Step:
        # The index has one row of jobs for each status.
        if self.is_bare:
            from heapq import merge  # only here: most lists are in the order of submission

            rows = merge(*(self._first(status, after, size) for status in self._statuses), reverse=True)
            return _step([Place(seq, ended_at) for ended_at, seq in islice(rows, size)], size)
        ends = [end for status in self._statuses if (end := self._end(status, after, size)) is not None]
        last = max(ends, default=None)  # of the row that comes that far first
        found, looked_at = list[tuple[str, int]](), 0
        for status in self._statuses:
            among = self._among(after, last) | {"status": status}
            looked_at += self._number(among)
            found += self._passing(among)
        places = [Place(seq, ended_at) for ended_at, seq in sorted(found, reverse=True)]
        return Step(places, looked_at, None if last is None else Place(last[1], last[0]))

    def _first(self, status: str, after: Place | None, size: int) -> Sequence[tuple[str, int]]:
        return self._tx.execute(
            f"""
            SELECT completed_at, seq
              FROM jobs INDEXED BY jobs_finished
             WHERE status = :status AND {self._when} AND (completed_at, seq) < (:ended_at, :seq)
             ORDER BY completed_at DESC, seq DESC
             LIMIT :size
            """,
            self._among(after, None) | {"status": status, "size": size},
        ).fetchall()

    def _end(self, status: str, after: Place | None, size: int) -> tuple[str, int] | None:
        """Return the key of the last of so many jobs; None if there are fewer."""
        found: tuple[str, int] | None = self._tx.execute(
            f"""
            SELECT completed_at, seq
              FROM jobs INDEXED BY jobs_finished
             WHERE status = :status AND {self._when} AND (completed_at, seq) < (:ended_at, :seq)
             ORDER BY completed_at DESC, seq DESC
             LIMIT 1 OFFSET :skipped
            """,
            self._among(after, None) | {"status": status, "skipped": size - 1},
        ).fetchone()
        return found

    def _number(self, among: dict[str, Any]) -> int:
        found: int = self._tx.value(
            f"""
            SELECT count(*)
              FROM jobs INDEXED BY jobs_finished
             WHERE status = :status AND {self._when}
               AND (completed_at, seq) < (:ended_at, :seq) AND (completed_at, seq) >= (:last_at, :last_seq)
            """,
            among,
        )
        return found

    def _passing(self, among: dict[str, Any]) -> Sequence[tuple[str, int]]:
        return self._tx.execute(
            f"""
            SELECT completed_at, seq
              FROM jobs INDEXED BY jobs_finished
             WHERE status = :status AND {self._when}
               AND (completed_at, seq) < (:ended_at, :seq) AND (completed_at, seq) >= (:last_at, :last_seq)
               AND {self._where}
            """,
            self._values | among,
        ).fetchall()

    def _among(self, after: Place | None, last: tuple[str, int] | None) -> dict[str, Any]:
        """Return the values of the ends between which to look, and of those that were asked for."""
        first = (_LATEST, _LAST) if after is None else (after.ended_at, after.seq)
        last_at, last_seq = last or (_EARLIEST, _FIRST)
        return self._instants | {"ended_at": first[0], "seq": first[1], "last_at": last_at, "last_seq": last_seq}


def _step(places: list[Place], size: int) -> Step:
    return Step(places, len(places), places[-1] if size and len(places) == size else None)


def _first_since(tx: Transaction, stamp: str) -> int:
    """Return the number of the first job that was submitted at an instant or later, or the number after the last."""
    # Two statements: one that asks for both reads the whole table.
    least, most = tx.value("SELECT min(seq) FROM jobs") or 0, (tx.value("SELECT max(seq) FROM jobs") or 0) + 1
    while least < most:
        middle = (least + most) // 2
        seq, created_at = tx.execute(
            "SELECT seq, created_at FROM jobs WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)
        ).fetchone()
        least, most = (seq + 1, most) if created_at < stamp else (least, middle)
    return int(least)
