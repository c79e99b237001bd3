"""The command that submits jobs: `gigq submit`."""

from __future__ import annotations

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import BY_ITSELF, CREATE, argument, command
from gigq.cli.importing import check_function
from gigq.cli.options import call, given_call

_OF_JOB = ("name", "delay", "expires_at", "unique_key")


@command(
    *call(),
    argument("--name", help="a name for people; default: the function's name"),
    argument("--delay", metavar="DURATION", type=values.duration,
        help="do not start the job before this time has passed"),
    argument("--expires-at", metavar="INSTANT",
        help="cancel the job if it has not started by then: ISO 8601, in local time unless it names a zone"),
    argument("--unique-key", metavar="TEXT",
        help="if an unfinished job has this key, submit nothing and print `Already there: ID` of that job"),
    argument("--depends-on", dest="parents", metavar="ID", action="append", type=values.prefix, completes="jobs",
        help="a job that must complete first; repeat it for several"),
    opens=BY_ITSELF,
    fields=("id", "is_new"),
    examples=(
        ("gigq submit shop.send_mail -p to=ann@example.org", "call send_mail(to='ann@example.org') of shop.py"),
        ("gigq submit shop.tidy --delay 2h --queue night", "in two hours at the earliest, in a queue of its own"),
    ),
)  # fmt: skip
def submit(args: Args) -> Answer:
    """Submit a job that calls a function, and print the job's ID.

    The function is imported if that is possible here, to check its name and its arguments.
    If not, the job is submitted all the same: the module may be there where the worker runs.
    """
    from gigq.job import Job

    function, typed = args.function, args.parents or ()
    options = {"name": _last_name(function), **given_call(args), **args.given(*_OF_JOB)}
    args.check_path()
    Job(function=function, **options)  # says what is wrong with them before anything is imported or created
    note = check_function(function, options["params"], has_parents=bool(typed))
    with args.open(CREATE) as queue:
        parents = [queue.full_id(each) for each in typed]
        job_id = queue.submit(Job(function=function, dependencies=parents, **options))
    said = "Job submitted" if job_id.is_new else "Already there"
    return Answer(
        {"id": job_id, "is_new": job_id.is_new}, [f"{said}: {job_id}"],
        ids=[job_id],
        notes=[note] if note else (),
        suggestions=[f"gigq status {job_id}"],
    )  # fmt: skip


def _last_name(function: str) -> str:
    return function.replace(":", ".").rpartition(".")[2] or function
