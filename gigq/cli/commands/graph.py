"""The command that draws what a job depends on and what depends on it: `gigq graph`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gigq.cli import pictures, values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.choosing import job_id
from gigq.cli.command import argument, command
from gigq.cli.options import ONE_ID
from gigq.cli.styled import Line

if TYPE_CHECKING:
    from gigq.graph_records import JobGraph
    from gigq.queue.job_queue import JobQueue

_MOST = 200


@command(
    ONE_ID,
    argument("--limit", metavar="N", type=values.at_least_one, default=_MOST,
        help=f"draw up to N jobs one by one, and more of them level by level; default: {_MOST}"),
    pictures.kinds("as Mermaid, which GitHub and others draw"),
    fields=("id", "name", "at", "jobs", "edges", "levels", "is_complete", "number", "file"),
    examples=(("gigq graph 7c1f09e2 --svg graph.svg", "the same as a picture for a browser"),),
    is_long=True,
)  # fmt: skip
def graph(queue: JobQueue, args: Args) -> Answer:
    """Draw what a job depends on, and what depends on it.

    Each job stands below those that it waits for; a job that has submitted another one counts as one of these.
    With --json, print the nearest jobs, their dependencies, and how many there are at each distance.
    """
    from gigq.drawing.related import graph_of

    found = queue.graph(job_id(queue, args.id), args.limit)
    ids = [job.id for job in found.jobs]
    if not args.out.form.is_for_people and args.svg in (None, pictures.STANDARD_OUTPUT):
        return Answer(found, (), ids=ids)
    if args.svg is not None and args.svg != pictures.STANDARD_OUTPUT:
        pictures.write(args.svg, pictures.svg(graph_of(found)))
        return Answer({"id": found.id, "file": args.svg}, [f"Picture written: {args.svg}"], ids=ids)
    return Answer(found, _lines(args, found), ids=ids, notes=_notes(found))


def _lines(args: Args, found: JobGraph) -> Iterator[Line]:
    from gigq.drawing.related import graph_of

    if args.svg is not None:
        yield from pictures.svg(graph_of(found)).splitlines()
    elif args.mermaid:
        yield from pictures.mermaid(graph_of(found))
    else:
        yield from pictures.drawn(args, graph_of(found))


def _notes(found: JobGraph) -> list[str]:
    notes = []
    if found.number > len(found.jobs):
        notes.append(f"{found.number:,} jobs are drawn level by level; --limit N draws up to N one by one")
    if not found.is_complete:
        notes.append("there are more: only the nearest 10,000 before and after the job are counted")
    return notes
