"""The command that submits jobs: `gigq submit`."""

from __future__ import annotations

from gigq.cli import output, values
from gigq.cli.call import Call
from gigq.cli.commands import Command, Parser
from gigq.cli.importing import check_function
from gigq.cli.options import add_call, given_call

_OF_JOB = ("name", "delay", "expires_at", "unique_key")


def _submit_options(parser: Parser) -> None:
    add_call(parser)
    add = parser.add_argument
    # fmt: off
    add("--name", help="a name for people; default: the function's name")
    add("--delay", metavar="DURATION", type=values.duration, help="do not start the job before this time has passed")
    add("--expires-at", metavar="INSTANT",
        help="cancel the job if it has not started by then: ISO 8601, in local time unless it names a zone")
    add("--unique-key", metavar="TEXT",
        help="if an unfinished job has this key, submit nothing and print `Already there: ID` of that job")
    add("--depends-on", dest="parents", metavar="ID", action="append", type=values.prefix,
        help="a job that must complete first; repeat it for several")
    # fmt: on


def submit(call: Call) -> None:
    """Submit a job that calls a function, and print the job's ID.

    The function is imported if that is possible here, to check its name and its arguments.
    If not, the job is submitted all the same: the module may be there where the worker runs.
    """
    from gigq.job import Job

    function, typed = call.options.function, call.given("parents").get("parents", ())
    options = {"name": _last_name(function), **given_call(call), **call.given(*_OF_JOB)}
    call.check_path()
    Job(function=function, **options)  # says what is wrong with them before anything is imported or created
    note = check_function(function, options["params"], has_parents=bool(typed))
    with call.open_queue() as queue:
        parents = [queue.full_id(each) for each in typed]
        job_id = queue.submit(Job(function=function, dependencies=parents, **options))
    said = "Job submitted" if job_id.is_new else "Already there"
    call.answer({"id": job_id, "is_new": job_id.is_new}, [f"{said}: {job_id}"])
    if note:
        output.note(note)


def _last_name(function: str) -> str:
    return function.replace(":", ".").rpartition(".")[2] or function


COMMANDS = {"submit": Command(submit, _submit_options, creates_file=True)}
