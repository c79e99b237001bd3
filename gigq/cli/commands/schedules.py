"""The commands for schedules: `gigq schedule add`, `list`, `preview`, `run`, `pause`, `resume`, `remove`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from gigq.cli import last_job, values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.call_options import call, given_call
from gigq.cli.command import BY_ITSELF, CHANGE, CREATE, argument, command
from gigq.cli.exits import Refused
from gigq.cli.fields import DRY_RUN, SCHEDULE
from gigq.cli.importing import check_function
from gigq.cli.questions import confirm, sure
from gigq.cli.styled import status_cell
from gigq.cli.table import TABLE, Cell, age, table
from gigq.clock import to_text

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue
    from gigq.queue_records import ScheduleRecord

_OF_SCHEDULE = ("cron", "every", "timezone", "missed", "overlap")
_TITLES = ("name", "rule", "next", "last", "missed", "function")
_FOR_GOOD = "It can only be added again."
_NAME = argument("name", metavar="NAME", completes="schedules", help="the name of the schedule")


@command(
    _NAME,
    *call(),
    argument("--cron", metavar="LINE",
        help="the ticks: minute, hour, day of month, month, day of week; or a word such as @daily"),
    argument("--every", metavar="DURATION", type=values.duration,
        help="instead of --cron: the time from tick to tick"),
    argument("--timezone", metavar="ZONE", help="the zone of the cron line, such as Europe/Berlin; default: UTC"),
    argument("--missed", choices=("once", "skip", "all"),
        help="for ticks that passed while no worker ran, submit one job, none, or one for each; default: once"),
    argument("--no-overlap", dest="overlap", action="store_false",
        help="submit nothing while the schedule's last job is unfinished"),
    opens=BY_ITSELF,
    fields=SCHEDULE,
)  # fmt: skip
def schedule_add(args: Args) -> Answer:
    """Add or change a schedule, and print its next tick.

    Changing a schedule keeps its next tick, unless its cron line, interval or time zone changes.
    The function is checked as submit does.
    """
    options = args.given(*_OF_SCHEDULE) | given_call(args)
    note = check_function(args.function, options.get("params", {}), args=options.get("args", ()))
    with args.open(CREATE) as queue:
        added = queue.schedules.add(args.name, args.function, **options)
    return Answer(added, [f"Next tick: {_next(added)}"], notes=[note] if note else ())


@command(*TABLE, fields=SCHEDULE)
def schedule_list(queue: JobQueue, args: Args) -> Answer:
    """List the schedules."""
    found = list(queue.schedules)
    now = queue.clock.now()
    lines = table(args, _TITLES, [_row(args, each, now) for each in found], flexible=("function", "name"))
    return Answer(found, lines if found else ["No schedules found."])


@command(
    _NAME,
    argument("-n", metavar="N", type=values.at_least_one, help="how many ticks; default: 10"),
    fields=(),
)
def schedule_preview(queue: JobQueue, args: Args) -> Answer:
    """Print the next ticks of a schedule, in UTC."""
    ticks = [to_text(each) for each in queue.schedules.preview(args.name, **args.given("n"))]
    return Answer(ticks, ticks)


@command(_NAME, opens=CHANGE, fields=("id",))
def schedule_run(queue: JobQueue, args: Args) -> Answer:
    """Submit a schedule's job now, and print the job's ID.

    The ticks stay as they are.
    """
    job_id = queue.schedules.run(args.name)
    last_job.remember(queue.db_path, job_id)
    return Answer({"id": job_id}, [f"Job submitted: {job_id}"], ids=[job_id])


@command(_NAME, opens=CHANGE, fields=("name", "paused"))
def schedule_pause(queue: JobQueue, args: Args) -> Answer:
    """Stop a schedule from submitting jobs until it is resumed."""
    return _answer(args.name, "paused", is_found=queue.schedules.pause(args.name))


@command(_NAME, opens=CHANGE, fields=("name", "resumed"))
def schedule_resume(queue: JobQueue, args: Args) -> Answer:
    """Let a paused schedule submit jobs again, from its next tick."""
    return _answer(args.name, "resumed", is_found=queue.schedules.resume(args.name))


@command(_NAME, *sure(), opens=CHANGE, fields=("name", "removed", *DRY_RUN))
def schedule_remove(queue: JobQueue, args: Args) -> Answer:
    """Remove a schedule; the jobs it has submitted stay."""
    meant = [each for each in queue.schedules if each.name == args.name]
    samples = [f"{each.name}: {each.function}, {_rule(each)}" for each in meant]
    if meant and (answer := confirm(args, "remove", 1, samples, noun="schedule", warning=_FOR_GOOD)):
        return answer
    return _answer(args.name, "removed", is_found=queue.schedules.remove(args.name))


def _answer(name: str, done: str, *, is_found: bool) -> Answer:
    if not is_found:
        raise Refused(f"no schedule has the name {name!r}")
    return Answer({"name": name, done: True}, [f"Schedule {done}: {name}"])


def _row(args: Args, schedule: ScheduleRecord, now: datetime) -> tuple[Cell, ...]:
    last = age(args, schedule.last_at, now) if schedule.last_at else ""
    following = status_cell("paused") if schedule.is_paused else _ahead(args, schedule, now)
    return (schedule.name, _rule(schedule), following, last, schedule.missed, schedule.function)


def _ahead(args: Args, schedule: ScheduleRecord, now: datetime) -> str:
    from gigq import durations  # only here: few commands tell a length of time

    if args.time == "iso" or schedule.next_at is None:
        return _next(schedule)
    seconds = (schedule.next_at - now).total_seconds()
    return f"in {durations.age(seconds)}" if seconds > 0 else "now"


def _rule(schedule: ScheduleRecord) -> str:
    from gigq import durations  # only here: few commands tell a length of time

    return f"every {durations.age(schedule.every)}" if schedule.every else f"{schedule.cron} {schedule.timezone}"


def _next(schedule: ScheduleRecord) -> str:
    if schedule.is_paused:
        return "paused"
    return to_text(schedule.next_at) if schedule.next_at else "never"
