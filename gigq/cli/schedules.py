"""The commands about schedules: `gigq schedule add`, `list`, `preview`, `run`, `pause`, `resume`, `remove`."""

from __future__ import annotations

from collections.abc import Callable

from gigq.cli import output, values
from gigq.cli.call import Call, Refused
from gigq.cli.commands import Commands, Parser, add_command, add_group
from gigq.cli.submitting import add_call, given_call
from gigq.clock import to_text
from gigq.queue.schedules import Schedules
from gigq.records import ScheduleRecord

_OF_SCHEDULE = ("cron", "every", "timezone", "missed", "overlap")
_TITLES = ("name", "rule", "next", "last", "missed", "function")


def declare(commands: Commands) -> None:
    """Add the commands."""
    group = add_group(commands, "schedule", "Submit jobs at certain times, as long as a worker runs.")
    _declare_add(group)
    add_command(group, "list", list_schedules)
    _add_named(group, "preview", preview).add_argument(
        "-n", metavar="N", type=values.at_least_one, help="how many; default: 10"
    )
    for name, command in (("run", run), ("pause", pause), ("resume", resume), ("remove", remove)):
        _add_named(group, name, command)


def add(call: Call) -> None:
    """Enter a schedule, or change the one of this name, and print its next tick.

    While the rule stays the same, so does the next tick.
    """
    options = call.given(*_OF_SCHEDULE) | given_call(call)
    with call.open_queue(create=True) as queue:
        added = queue.schedules.add(call.options.name, call.options.function, **options)
    call.answer(added.as_dict(), [f"Next tick: {_next(added)}"])


def list_schedules(call: Call) -> None:
    """List the schedules."""
    with call.open_queue() as queue:
        found = list(queue.schedules)
    table = output.table(_TITLES, [_row(each) for each in found], flexible=("function", "name"))
    call.answer([each.as_dict() for each in found], table)


def preview(call: Call) -> None:
    """Print the next ticks of a schedule, in UTC."""
    with call.open_queue() as queue:
        ticks = [to_text(each) for each in queue.schedules.preview(call.options.name, **call.given("n"))]
    call.answer(ticks, ticks)


def run(call: Call) -> None:
    """Submit the job of a schedule now, and print its id; the ticks stay as they are."""
    with call.open_queue() as queue:
        job_id = queue.schedules.run(call.options.name)
    call.answer({"id": job_id}, [f"Job submitted: {job_id}"])


def pause(call: Call) -> None:
    """Let a schedule submit nothing until it is resumed."""
    _steer(call, Schedules.pause, "paused")


def resume(call: Call) -> None:
    """Let a paused schedule go on with its next tick from now."""
    _steer(call, Schedules.resume, "resumed")


def remove(call: Call) -> None:
    """Forget a schedule; the jobs that it has submitted stay."""
    _steer(call, Schedules.remove, "removed")


def _declare_add(group: Commands) -> None:
    parser = _add_named(group, "add", add)
    add_call(parser)
    option = parser.add_argument
    # fmt: off
    option("--cron", metavar="LINE", help="minute, hour, day of month, month, day of week; or such as @daily")
    option("--every", metavar="DURATION", type=values.duration, help="instead of a cron line: from tick to tick")
    option("--timezone", metavar="ZONE", help="of the cron line, such as Europe/Berlin; default: UTC")
    option("--missed", choices=("once", "skip", "all"),
           help="what to do about ticks that came while no worker ran; default: once")
    option("--no-overlap", dest="overlap", action="store_false",
           help="submit nothing while the last job of the schedule is unfinished")
    # fmt: on


def _add_named(group: Commands, name: str, command: Callable[[Call], None]) -> Parser:
    parser = add_command(group, name, command)
    parser.add_argument("name", metavar="NAME", help="of the schedule")
    return parser


def _steer(call: Call, act: Callable[[Schedules, str], bool], done: str) -> None:
    name = call.options.name
    with call.open_queue() as queue:
        if not act(queue.schedules, name):
            raise Refused(f"there is no schedule {name!r}")
    call.answer({"name": name, done: True}, [f"Schedule {done}: {name}"])


def _row(schedule: ScheduleRecord) -> tuple[str, ...]:
    rule = f"every {values.in_words(schedule.every)}" if schedule.every else f"{schedule.cron} {schedule.timezone}"
    last = to_text(schedule.last_at) if schedule.last_at else ""
    return (schedule.name, rule, _next(schedule), last, schedule.missed, schedule.function)


def _next(schedule: ScheduleRecord) -> str:
    if schedule.is_paused:
        return "paused"
    return to_text(schedule.next_at) if schedule.next_at else "never"
