"""What is done to many jobs at a time, or to those that were named: asked about, done, and told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from gigq.affected import Affected
from gigq.cli.answer import Answer
from gigq.cli.command import argument
from gigq.cli.exits import DONE, REFUSED, Refused, UsageError
from gigq.cli.forms import IDS
from gigq.cli.questions import SAMPLES, confirm, require_choice, sample
from gigq.cli.selecting import CHOICES, Selection, is_chosen, selected

if TYPE_CHECKING:
    from gigq.cli.args import Args
    from gigq.history_records import FailureGroup
    from gigq.queue.job_queue import JobQueue
    from gigq.status import JobStatus

GROUP = argument(
    "--group", metavar="KEY", help="only dead jobs whose last failure is in this group of `gigq errors`"
)
"""An argument of the commands that take a group of failures."""

_MANY = 1000
"""Jobs from which on it is shown how far a verb is."""

_PATIENCE = 2.0
"""Seconds for which jobs are counted before a person is asked about them."""


class Verb(NamedTuple):
    """What a command does to jobs.

    Attributes:
        name: such as "cancel".
        done: such as "cancelled".
        statuses: those of the jobs that it takes.
        one: does it to the job of this ID, and returns whether that could be done.
        why_not: why it could not be done to the job of this ID, as a sentence without its end.
        many: does it to all jobs that pass filters; one of the methods of `JobQueue` that do.
        warning: what cannot be taken back. Then one job is asked about, too.
    """

    name: str
    done: str
    statuses: Sequence[JobStatus]
    one: Callable[[str], bool]
    why_not: Callable[[str], str]
    many: Callable[..., Affected] | None = None
    warning: str = ""


def check(args: Args) -> None:
    """Refuse a command without IDs and filters, unless ``--all`` was typed.

    Raises:
        UsageError: nothing was typed that names or chooses jobs, or too much.
    """
    has_group = getattr(args, GROUP.dest, None) is not None
    if has_group and args.ids:
        raise UsageError("give either IDs or --group")
    require_choice(args, has_group or is_chosen(args), choices=CHOICES)


def carried_out(queue: JobQueue, args: Args, verb: Verb) -> Answer:
    """Do something to the jobs that were typed, having asked where that is due.

    Raises:
        UsageError: IDs and filters were typed, or a status that the verb does not take.
        Refused: nobody said yes, and nothing was done; or the one job was not one to do it to.
    """
    chosen = selected(queue, args, statuses=verb.statuses)
    if getattr(args, GROUP.dest, None) is not None:
        return _to_group(queue, args, verb, chosen)
    if chosen.ids is None or (chosen.is_piped and verb.many):
        return _to_many(queue, args, verb, chosen)
    return to_named(queue, args, verb, chosen.ids, is_bulk=chosen.is_piped)


def told(affected: Affected, verb: str, *, others: int = 0) -> Answer:
    """Return the answer that something was done to many jobs: to how many, and what became of the others.

    Args:
        verb: what was done, such as "cancelled".
        others: how many more were named, and were not as they have to be for it.
    """
    parts = [f"Jobs {verb}: {int(affected):,}"]
    if affected.along:
        parts.append(f"{affected.along:,} more went with one that they depend on")
    if affected.changed:
        parts.append(f"{affected.changed:,} had changed meanwhile")
    parts += [f"{number:,} skipped: {reason}" for reason, number in affected.reasons.items()]
    if others:
        parts.append(f"{others:,} skipped: they cannot be {verb} as they are")
    counts = {"along": affected.along, "changed": affected.changed, "skipped": affected.skipped + others}
    return Answer({verb: int(affected), **counts}, ["; ".join(parts)])


def _to_many(queue: JobQueue, args: Args, verb: Verb, chosen: Selection) -> Answer:
    named = {} if chosen.ids is None else {"ids": chosen.ids}
    filters = {"status": verb.statuses, **chosen.filters, **named}
    count = queue.count(**filters, within=_PATIENCE)
    samples = queue.find_jobs(limit=SAMPLES, within=_PATIENCE, **filters) if count else ()
    ids = _ids_of(queue, filters)
    is_one = chosen.ids is not None and len(chosen.ids) == 1 and not verb.warning
    if answer := confirm(
        args, verb.name, count, [*map(sample, samples)], ids=ids, warning=verb.warning, is_asked=not is_one
    ):
        return answer
    others = len(chosen.ids) - count if chosen.ids is not None else 0
    assert verb.many is not None, verb
    if not count and count.is_exact:
        return told(Affected(), verb.done, others=others)
    before = list(_ids_of(queue, filters)) if args.out.form.kind == IDS else []
    with shown_chunks(queue, args, verb.done, count) as on_chunk:
        affected = verb.many(**filters, bound=count.bound or None, on_chunk=on_chunk)
    answer = told(affected, verb.done, others=others)
    if before:
        still = set(_ids_of(queue, {"ids": before, "status": verb.statuses}))
        answer.ids = [each for each in before if each not in still]
    return answer


def _to_group(queue: JobQueue, args: Args, verb: Verb, chosen: Selection) -> Answer:
    group, bound = _group(queue, args.group), queue.count(at_most=0).bound
    newest = queue.get_job(group.job_id)
    samples = [sample(newest)] if newest is not None else []
    if answer := confirm(args, verb.name, group.dead, samples, ids=[group.job_id], warning=verb.warning):
        return answer
    assert verb.many is not None, verb
    with shown_chunks(queue, args, verb.done, group.dead) as on_chunk:
        affected = verb.many(failure=group, bound=bound or None, on_chunk=on_chunk, **chosen.filters)
    return told(affected, verb.done)


def _group(queue: JobQueue, key: str) -> FailureGroup:
    """Return the group of failures whose key begins with what was typed.

    Raises:
        Refused: none does, or several do.
    """
    found = [each for each in queue.history.failures(None) if each.key.startswith(key)]
    if len(found) != 1:
        number = "several groups" if found else "no group"
        raise Refused(f"{number} of failures with a key that begins with {key!r:.80}; `gigq errors` lists them")
    return found[0]


@contextmanager
def shown_chunks(queue: JobQueue, args: Args, label: str, count: int) -> Iterator[Callable[[Affected], object] | None]:
    """Show on a terminal how far a verb is that the block calls, chunk by chunk; Ctrl-C ends it after one of them."""
    if count < _MANY or not args.out.errors.is_live:
        yield None
        return
    from gigq.progress_line import ProgressLine  # only here: most of them are done at once

    with ProgressLine(label, clock=queue.clock) as line:
        yield lambda done: line.show(min(done + done.along + done.changed + done.skipped, count), count)


def _ids_of(queue: JobQueue, filters: Mapping[str, Any]) -> Iterator[str]:
    """Yield the IDs of all jobs that pass filters, page by page."""
    cursor = None
    while True:
        page = queue.find_jobs(limit=1000, after=cursor, **filters)
        yield from (job.id for job in page)
        cursor = page.cursor
        if cursor is None:
            return


def to_named(queue: JobQueue, args: Args, verb: Verb, ids: Sequence[str], *, is_bulk: bool = False) -> Answer:
    """Do something to the jobs that a person has named one by one, which asks nothing unless it is for good.

    Args:
        is_bulk: whether a program has named them, and nobody has seen them. Then it is asked about, too.

    Raises:
        Refused: nobody said yes, or it could not be done to the only one.
    """
    if verb.warning or is_bulk or getattr(args, "dry_run", False):
        samples = [sample(job) for job in map(queue.get_job, ids[:SAMPLES]) if job is not None]
        is_asked = bool(verb.warning) or len(ids) > 1
        if answer := confirm(args, verb.name, len(ids), samples, ids=ids, warning=verb.warning, is_asked=is_asked):
            return answer
    left = _each_done(verb.one, ids)
    refused = {each: verb.why_not(each) for each in left}
    if len(ids) == 1 and refused:
        raise Refused(refused[ids[0]])
    return _named(verb, [each for each in ids if each not in refused], refused, is_one=len(ids) == 1)


def _each_done(one: Callable[[str], bool], ids: Sequence[str]) -> list[str]:
    """Do something to each of these, and return those to which it could not be done.

    These get another chance once it was done to others: a parent may come after its child.
    """
    left = [each for each in ids if not one(each)]
    return left if len(left) in (0, len(ids)) else _each_done(one, left)


def _named(verb: Verb, done: Sequence[str], refused: Mapping[str, str], *, is_one: bool) -> Answer:
    if is_one:
        value: dict[str, Any] = {"id": done[0], verb.done: True}
    else:
        value = {verb.done: len(done), "ids": list(done), "refused": dict(refused)}
    return Answer(
        value,
        [f"Job {each} {verb.done}." for each in done],
        ids=done,
        code=REFUSED if refused else DONE,
        notes=["; ".join(refused.values())] if refused else (),
    )
