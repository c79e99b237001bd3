"""The command that looks for everything that is wrong with a queue, and mends its file: `gigq doctor`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import CHANGE, LOOK, argument, command
from gigq.cli.exits import DONE, REFUSED, Refused
from gigq.cli.styled import RED, YELLOW, Line, Styled

if TYPE_CHECKING:
    from gigq.health_records import Finding
    from gigq.queue.job_queue import JobQueue

_MOST_JOBS = 1_000
"""The newest unfinished jobs whose functions are looked for."""


@command(
    argument("--repair", action="store_true", help="mend what can be mended, and print what was done"),
    argument("--no-import", action="store_true",
             help="do not import the functions of unfinished jobs, as a worker that is started here would"),
    opens=lambda args: CHANGE if args.repair else LOOK,
    fields=("repaired", "problems", "findings"),
    is_long=True,
    examples=(
        ("gigq doctor", "what is wrong, why it matters, and what to do"),
        ("gigq doctor --repair", "mend what others have done to the file"),
    ),
)  # fmt: skip
def doctor(queue: JobQueue, args: Args) -> Answer:
    """Check the queue and its file, and print every problem, why it matters, and what to do.

    It looks at what the file holds, its mode, file system, disk and log, at SQLite, lost and stuck workers, functions
    that workers do not find, or that cannot be imported here, and the clock.
    The exit code is 1 if there is a problem; advice alone does not raise it.
    It reads the whole file, and changes nothing without --repair.
    Then what belongs to jobs that are gone is deleted, and running jobs without a worker are settled as lost.
    """
    repaired = queue.repair() if args.repair else []
    found = queue.examine()
    if args.repair:
        found = list(map(_after_repair, found))
    if not args.no_import and not any(each.area == "content" for each in found):
        found = sorted([*found, *_of_functions(queue)], key=lambda each: not each.is_problem)
    problems = [each for each in found if each.is_problem]
    value = {
        **({"repaired": repaired} if args.repair else {}),
        "problems": [each.what for each in problems],
        "findings": [each.as_dict() | {"remedy": _typed(args, each.remedy)} for each in found],
    }
    is_broken = any(each.area == "content" for each in problems)
    lines = [*repaired, *_lines(args, found), *([] if is_broken else ["The file is sound."])]
    notes = [_verdict(args, is_broken=is_broken, number=len(problems))] if problems else []
    return Answer(value, lines, code=REFUSED if problems else DONE, notes=notes)


def _after_repair(finding: Finding) -> Finding:
    """Return a problem that has outlived a repair: another one would not mend it either."""
    if finding.remedy == "gigq doctor --repair":
        return finding._replace(remedy="restore a backup, or keep the file and report this problem")
    return finding


def _lines(args: Args, found: Iterable[Finding]) -> Iterator[Line]:
    for each in found:
        sign = Styled.sign("✕ ", "x ", RED) if each.is_problem else Styled.sign("! ", "! ", YELLOW)
        yield sign + Styled(each.what)
        yield f"    why: {each.why}"
        yield f"    {'do' if each.is_problem else 'perhaps'}: {_typed(args, each.remedy)}"


def _typed(args: Args, remedy: str) -> str:
    """Return a remedy with the file that was named, so that a command can be copied."""
    is_named = args.db is not None
    return f"gigq --db {quote(args.path)}{remedy[4:]}" if is_named and remedy.startswith("gigq ") else remedy


def _verdict(args: Args, *, is_broken: bool, number: int) -> str:
    if not is_broken:
        return f"there {'is 1 problem' if number == 1 else f'are {number} problems'} with {args.path!r}"
    last = "restore a backup, or keep the file and report these problems"
    remedy = last if args.repair else "gigq doctor --repair mends what it can"
    return f"{args.path!r} is not sound; {remedy}"


def _of_functions(queue: JobQueue) -> Iterator[Finding]:
    """Yield the functions of unfinished jobs and of schedules that cannot be imported here."""
    from gigq.cli.importing import check_presence
    from gigq.health_records import Finding

    why = "a worker that is started here leaves the jobs that call it to others"
    for function in _functions(queue):
        try:
            if problem := check_presence(function):
                yield Finding("functions", problem, why, "run gigq where the code is", is_problem=False)
        except Refused as error:
            yield Finding("functions", str(error), why, "mend the code, or gigq cancel the jobs that call it")


def _functions(queue: JobQueue) -> Sequence[str]:
    jobs = queue.find_jobs(("pending", "running"), _MOST_JOBS)
    return list(dict.fromkeys([*(job.function for job in jobs), *(each.function for each in queue.schedules)]))
