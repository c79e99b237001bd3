"""Where the jobs that pass some filters are, other than among all jobs: in an index that holds few others.

A source is the SQL of a query for the ``seq`` of jobs, in any order. All jobs that pass the filters are among them.
"""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import Any, NamedTuple

from gigq.clock import to_text
from gigq.codec import encode_texts
from gigq.filters import Filters
from gigq.status import FINISHED, Phase
from gigq.store.filtering import named
from gigq.store.tables import OPEN, READY

MOST = 100_000
"""Jobs of a source that are sorted to find the newest, which takes 10 ms. Of more, some are soon met among all jobs."""

_READY, _DUE, _LATER, _WAITING, _RUNNING = "ready", "due", "later", "waiting", "running"
_ENDED = frozenset(status.value for status in FINISHED)
_OF_STATUS = {
    "pending": frozenset({_READY, _DUE, _LATER, _WAITING}),
    "running": frozenset({_RUNNING}),
    **{status: frozenset({status}) for status in _ENDED},
}
_OF_PHASE = {
    **_OF_STATUS,
    Phase.READY: frozenset({_READY, _DUE}),
    Phase.PAUSED: frozenset({_READY, _DUE}),
    Phase.SCHEDULED: frozenset({_LATER}),
    Phase.RETRYING: frozenset({_LATER}),
    Phase.WAITING: frozenset({_WAITING}),
    Phase.RESERVED: frozenset({_RUNNING}),
}
"""Where the jobs of each status and phase are: there is a query for each of these places."""

_UNFINISHED = {
    _READY: f"SELECT seq FROM jobs INDEXED BY jobs_ready WHERE {READY}",
    _DUE: "SELECT seq FROM jobs INDEXED BY jobs_due WHERE status = 'pending' AND run_at <= :now",
    _LATER: "SELECT seq FROM jobs INDEXED BY jobs_due WHERE status = 'pending' AND run_at > :now",
    _RUNNING: f"SELECT job_seq AS seq FROM executions INDEXED BY executions_open WHERE {OPEN}",
}
_OF_RETRIES = """
    SELECT seq
      FROM jobs INDEXED BY jobs_retrying
     WHERE status = 'pending' AND run_at IS NOT NULL AND attempts > 0"""
ALL_UNFINISHED = " UNION ALL ".join(_UNFINISHED.values())
# No index holds the jobs that wait for parents. From each of them parents lead to one that does not.
_BY_PARENTS = f"""
    SELECT seq
      FROM (WITH RECURSIVE standing (seq) AS (
                 {ALL_UNFINISHED}
                  UNION
                 SELECT jobs.seq
                   FROM standing
                   JOIN job_dependencies ON job_dependencies.parent = standing.seq
                   JOIN jobs ON jobs.seq = job_dependencies.child
                  WHERE jobs.status = 'pending' AND jobs.blockers > 0
                  LIMIT {MOST + 1})
            SELECT seq FROM standing)"""
_CHILDREN = """
    SELECT seq
      FROM jobs
     WHERE seq IN (SELECT child FROM job_dependencies) AND status = 'pending' AND blockers > 0"""
_NOT_AMONG = {
    frozenset(): "",
    frozenset({_DUE}): " AND (run_at IS NULL OR run_at > :now)",
    frozenset({_LATER}): " AND (run_at IS NULL OR run_at <= :now)",
    frozenset({_DUE, _LATER}): " AND run_at IS NULL",
}
"""Of jobs that wait for parents and also have a time: whether the indexes of that lead to them too."""

_OF_WORKFLOW = """
    SELECT seq
      FROM jobs INDEXED BY jobs_of_workflow
     WHERE workflow_seq = (SELECT seq FROM job_workflows WHERE id = :workflow) AND workflow_seq IS NOT NULL"""
_OF_IDS = "SELECT jobs.seq FROM json_each(:ids) AS wanted CROSS JOIN jobs ON jobs.id = wanted.value"
_NONE = "SELECT NULL AS seq WHERE 0"


class Source(NamedTuple):
    """A query for the ``seq`` of jobs.

    Attributes:
        sql: of the query.
        values: of the names in it.
        left: the filters that its jobs must still pass. The others they do pass.
        is_sorted: SQLite finds them in the order of their seqs, so that it does not matter how many there are.
    """

    sql: str
    values: dict[str, Any]
    left: Filters
    is_sorted: bool = False


class Waiting(Enum):
    """How the jobs that wait for parents are found."""

    NONE = auto()
    """there are none"""
    BY_PARENTS = auto()
    """all unfinished jobs are asked for their children, so that all of them are met"""
    BY_CHILDREN = auto()
    """all jobs that have parents are looked at"""


def may_wait(filters: Filters) -> bool:
    """Whether jobs that wait for parents may pass the filters, and these ask for jobs of some status or error."""
    return (_name_places(filters) or filters.error is not None) and _WAITING in _places(filters)


def all_passing(filters: Filters, *, now: str, waiting: Waiting) -> Source | None:
    """Return a source of jobs that all pass, whatever their number; None if there is none."""
    if filters == Filters():
        return Source("SELECT seq FROM jobs", {}, filters)
    found = standing(filters, now=now, waiting=waiting)
    return found if found is not None and found.left == Filters() else None


def are_ended(filters: Filters) -> bool:
    """Whether the filters ask for finished jobs alone."""
    return _name_places(filters) and _places(filters) <= _ENDED


def ends_of(filters: Filters) -> list[str]:
    """Return the statuses of the finished jobs that may pass the filters."""
    return sorted(_places(filters) & _ENDED)


def within_ends(filters: Filters) -> tuple[str, dict[str, str]]:
    """Return the SQL of the condition on the end of a finished job, in the words of its index, and its values."""
    found, values = ["completed_at IS NOT NULL"], {}
    if filters.ended_since is not None:
        found.append("completed_at >= :ended_since")
        values["ended_since"] = to_text(filters.ended_since)
    if filters.ended_until is not None:
        found.append("completed_at < :ended_until")
        values["ended_until"] = to_text(filters.ended_until)
    return " AND ".join(found), values


def sources(filters: Filters) -> Iterator[Source]:
    """Yield the sources of jobs that pass, but the one that `standing` makes."""
    if filters.ids is not None:
        yield Source(_OF_IDS, {"ids": encode_texts(filters.ids)}, filters._replace(ids=None))
    if filters.workflow is not None:
        yield Source(_OF_WORKFLOW, {"workflow": filters.workflow}, filters._replace(workflow=None))
    for tag in filters.tags:
        others = tuple(each for each in filters.tags if each != tag)
        sql = "SELECT job_seq AS seq FROM job_tags WHERE tag = :of_tag"
        yield Source(sql, {"of_tag": tag}, filters._replace(tags=others), is_sorted=True)


def standing(filters: Filters, *, now: str, waiting: Waiting) -> Source | None:
    """Return the source of the jobs of some statuses, or of those that may have an error; None if others are wanted.

    Args:
        now: the instant at which jobs are ready, or scheduled for later.
        waiting: how to find those that wait for parents.
    """
    if not _name_places(filters) and filters.error is None:
        return None
    places = _places(filters)
    if waiting is Waiting.NONE:
        places -= {_WAITING}
    meets_others = _WAITING in places and waiting is Waiting.BY_PARENTS
    left = filters if meets_others else filters._replace(statuses=None)
    if places <= _ENDED:
        left = left._replace(phases=None, ended_since=None, ended_until=None)
    ended, values = _ended(filters, sorted(places & _ENDED))
    sql = " UNION ALL ".join([*_unfinished(filters, places, waiting), *ended]) or _NONE
    return Source(sql, values | {"now": now, "queue": filters.queue}, left)


def _unfinished(filters: Filters, places: set[str], waiting: Waiting) -> list[str]:
    if _WAITING in places and waiting is Waiting.BY_PARENTS:
        return [_BY_PARENTS]
    if places == {_LATER} and filters.phases == [Phase.RETRYING]:
        return [_OF_RETRIES]
    found = [sql for place, sql in _UNFINISHED.items() if place in places]
    if _READY in places and filters.queue is not None:
        found = [f"{sql} AND queue = :queue" if sql == _UNFINISHED[_READY] else sql for sql in found]
    if _WAITING in places:
        found.append(_CHILDREN + _NOT_AMONG[frozenset(places & {_DUE, _LATER})])
    return found


def _ended(filters: Filters, statuses: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    if not statuses:
        return [], {}
    these, values = named("ended", statuses)
    when, instants = within_ends(filters)
    sql = f"SELECT seq FROM jobs INDEXED BY jobs_finished WHERE status IN {these} AND {when}"
    return [sql], values | instants


def _name_places(filters: Filters) -> bool:
    given = (filters.statuses, filters.phases, filters.ended_since, filters.ended_until)
    return any(each is not None for each in given)


def _places(filters: Filters) -> set[str]:
    found = {place for places in _OF_STATUS.values() for place in places}
    if filters.statuses is not None:
        found &= {place for status in filters.statuses for place in _OF_STATUS[status]}
    if filters.phases is not None:
        found &= {place for phase in filters.phases for place in _OF_PHASE[phase]}
    if filters.ended_since is not None or filters.ended_until is not None:
        found &= _ENDED
    # What has completed has no error.
    return found if filters.error is None else found - {"completed"}
