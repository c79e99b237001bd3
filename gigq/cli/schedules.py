"""The commands for schedules: `gigq schedule add`, `list`, `preview`, `run`, `pause`, `resume`, `remove`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigq.cli import output, values
from gigq.cli.call import Call, Refused
from gigq.cli.commands import Command, Parser
from gigq.cli.importing import check_function
from gigq.cli.options import add_call, given_call
from gigq.clock import to_text

if TYPE_CHECKING:
    from gigq.queue_records import ScheduleRecord

_OF_SCHEDULE = ("cron", "every", "timezone", "missed", "overlap")
_TITLES = ("name", "rule", "next", "last", "missed", "function")


def _name(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="the name of the schedule")


def _add_options(parser: Parser) -> None:
    _name(parser)
    add_call(parser)
    add = parser.add_argument
    # fmt: off
    add("--cron", metavar="LINE",
        help="the ticks: minute, hour, day of month, month, day of week; or a word such as @daily")
    add("--every", metavar="DURATION", type=values.duration, help="instead of --cron: the time from tick to tick")
    add("--timezone", metavar="ZONE", help="the zone of the cron line, such as Europe/Berlin; default: UTC")
    add("--missed", choices=("once", "skip", "all"),
        help="for ticks that passed while no worker ran, submit one job, none, or one for each; default: once")
    add("--no-overlap", dest="overlap", action="store_false",
        help="submit nothing while the schedule's last job is unfinished")
    # fmt: on


def add(call: Call) -> None:
    """Add or change a schedule, and print its next tick.

    Changing a schedule keeps its next tick, unless its cron line, interval or time zone changes.
    The function is checked as submit does.
    """
    options = call.given(*_OF_SCHEDULE) | given_call(call)
    note = check_function(call.options.function, options["params"])
    with call.open_queue() as queue:
        added = queue.schedules.add(call.options.name, call.options.function, **options)
    call.answer(added.as_dict(), [f"Next tick: {_next(added)}"])
    if note:
        output.note(note)


def list_schedules(call: Call) -> None:
    """List the schedules."""
    with call.look() as queue:
        found = list(queue.schedules)
    table = output.table(_TITLES, [_row(each) for each in found], flexible=("function", "name"))
    call.answer([each.as_dict() for each in found], table)


def _preview_options(parser: Parser) -> None:
    _name(parser)
    parser.add_argument("-n", metavar="N", type=values.at_least_one, help="how many ticks; default: 10")


def preview(call: Call) -> None:
    """Print the next ticks of a schedule, in UTC."""
    with call.look() as queue:
        ticks = [to_text(each) for each in queue.schedules.preview(call.options.name, **call.given("n"))]
    call.answer(ticks, ticks)


def run(call: Call) -> None:
    """Submit a schedule's job now, and print the job's ID.

    The ticks stay as they are.
    """
    with call.open_queue() as queue:
        job_id = queue.schedules.run(call.options.name)
    call.answer({"id": job_id}, [f"Job submitted: {job_id}"])


def pause(call: Call) -> None:
    """Stop a schedule from submitting jobs until it is resumed."""
    with call.open_queue() as queue:
        _answer(call, "paused", is_found=queue.schedules.pause(call.options.name))


def resume(call: Call) -> None:
    """Let a paused schedule submit jobs again, from its next tick."""
    with call.open_queue() as queue:
        _answer(call, "resumed", is_found=queue.schedules.resume(call.options.name))


def remove(call: Call) -> None:
    """Remove a schedule; the jobs it has submitted stay."""
    with call.open_queue() as queue:
        _answer(call, "removed", is_found=queue.schedules.remove(call.options.name))


def _answer(call: Call, done: str, *, is_found: bool) -> None:
    name = call.options.name
    if not is_found:
        raise Refused(f"no schedule has the name {name!r}")
    call.answer({"name": name, done: True}, [f"Schedule {done}: {name}"])


def _row(schedule: ScheduleRecord) -> tuple[str, ...]:
    rule = f"every {output.span(schedule.every)}" if schedule.every else f"{schedule.cron} {schedule.timezone}"
    last = to_text(schedule.last_at) if schedule.last_at else ""
    return (schedule.name, rule, _next(schedule), last, schedule.missed, schedule.function)


def _next(schedule: ScheduleRecord) -> str:
    if schedule.is_paused:
        return "paused"
    return to_text(schedule.next_at) if schedule.next_at else "never"


COMMANDS = {
    "schedule add": Command(add, _add_options, creates_file=True),
    "schedule list": Command(list_schedules),
    "schedule preview": Command(preview, _preview_options),
    "schedule run": Command(run, _name),
    "schedule pause": Command(pause, _name),
    "schedule resume": Command(resume, _name),
    "schedule remove": Command(remove, _name),
}
