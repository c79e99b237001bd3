"""The ancestors and the descendants of a job: what it depends on or was submitted by, and the other way round."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gigq.graph_records import GraphJob, GraphLevel, JobGraph
from gigq.store.engine.lists import listed, portions
from gigq.store.engine.transaction import Transaction
from gigq.store.rows import graph_job
from gigq.store.tables import SUBMITTER, phase_of

MOST = 10_000
"""Ancestors, and descendants, that are looked for."""

_MOST_FUNCTIONS = 3


def graph(tx: Transaction, job_id: str, *, limit: int) -> JobGraph | None:
    """Return a job with its ancestors and descendants; None for an unknown id.

    Args:
        limit: how many jobs to return one by one; all are counted.
    """
    found = tx.execute("SELECT seq, name FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if found is None:
        return None
    seq, name = found
    distances = {seq: 0}
    is_complete = all([_walk(tx, distances, seq, step=step) for step in (-1, 1)])
    shown = sorted(distances, key=lambda each: (abs(distances[each]), each))[: max(1, limit)]
    jobs = {each: job for each, job in _jobs(tx, sorted(shown), distances)}
    return JobGraph(
        id=job_id,
        name=name,
        at=tx.now,
        jobs=tuple(jobs.values()),
        edges=tuple(_edges(tx, jobs)),
        levels=tuple(_levels(tx, distances)),
        is_complete=is_complete,
    )


def _walk(tx: Transaction, distances: dict[int, int], start: int, *, step: int) -> bool:
    """Add the ancestors, or the descendants, of a job, and their distances; return whether these are all."""
    layer, distance, room = [start], 0, MOST
    while layer:
        distance += step
        new = dict.fromkeys(each for each in _next(tx, layer, step) if each not in distances)
        layer = list(new)[:room]
        distances.update(dict.fromkeys(layer, distance))
        room -= len(layer)
        if len(new) > len(layer):
            return False
    return True


def _next(tx: Transaction, layer: Sequence[int], step: int) -> Iterator[int]:
    """Yield the parents, or the children, of these jobs."""
    for portion in portions(layer):
        seqs, values = listed(portion)
        if step < 0:
            rows = tx.execute(
                f"""
                SELECT parent FROM job_dependencies WHERE child IN {seqs}
                 UNION
                SELECT submitted_by FROM jobs WHERE seq IN {seqs} AND submitted_by IS NOT NULL
                 LIMIT ?
                """,
                (*values, *values, MOST + 1),
            )
        else:
            rows = tx.execute(
                f"""
                SELECT child FROM job_dependencies INDEXED BY job_dependencies_of_parent WHERE parent IN {seqs}
                 UNION
                SELECT seq FROM jobs INDEXED BY jobs_submitted_by WHERE submitted_by IN {seqs}
                 LIMIT ?
                """,
                (*values, *values, MOST + 1),
            )
        yield from (seq for (seq,) in rows.fetchall())


def _jobs(tx: Transaction, seqs: Sequence[int], distances: Mapping[int, int]) -> Iterator[tuple[int, GraphJob]]:
    for portion in portions(seqs):
        these, values = listed(portion)
        rows = tx.rows(
            f"""
            SELECT seq, id, name, function, queue, {phase_of("?")} AS phase, run_at, started_at, completed_at,
                   {SUBMITTER} AS submitted_by
              FROM jobs
             WHERE seq IN {these}
             ORDER BY seq
            """,
            (tx.stamp, *values),
        )
        yield from ((row["seq"], graph_job(row, distance=distances[row["seq"]])) for row in rows)


def _edges(tx: Transaction, jobs: Mapping[int, GraphJob]) -> Iterator[tuple[str, str]]:
    for portion in portions(list(jobs)):
        seqs, values = listed(portion)
        rows = tx.execute(
            f"SELECT parent, child FROM job_dependencies WHERE child IN {seqs} ORDER BY child, position", values
        )
        yield from ((jobs[parent].id, jobs[child].id) for parent, child in rows if parent in jobs)


def _levels(tx: Transaction, distances: Mapping[int, int]) -> Iterator[GraphLevel]:
    phases: defaultdict[int, Counter[str]] = defaultdict(Counter)
    functions: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for seq, phase, function in _kinds(tx, list(distances)):
        phases[distances[seq]][phase] += 1
        functions[distances[seq]][function] += 1
    for distance in sorted(phases):
        yield GraphLevel(distance, dict(phases[distance]), dict(functions[distance].most_common(_MOST_FUNCTIONS)))


def _kinds(tx: Transaction, seqs: Iterable[int]) -> Iterator[tuple[int, str, str]]:
    for portion in portions(list(seqs)):
        these, values = listed(portion)
        yield from tx.execute(
            f"SELECT seq, {phase_of('?')}, function FROM jobs WHERE seq IN {these}", (tx.stamp, *values)
        ).fetchall()
