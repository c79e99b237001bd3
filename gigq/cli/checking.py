"""The command that checks the file, and mends it: `gigq doctor`."""

from __future__ import annotations

from gigq.cli.call import Call, Refused
from gigq.cli.commands import Command, Parser


def _doctor_options(parser: Parser) -> None:
    parser.add_argument("--repair", action="store_true", help="mend what can be mended, and print what was done")


def doctor(call: Call) -> None:
    """Check the file, and print every problem.

    The exit code is 1 if there is a problem.
    It reads the whole file, and changes nothing without --repair.
    Then what belongs to jobs that are gone is deleted, and running jobs without a worker are settled as lost.
    """
    is_repair = bool(call.given("repair"))
    with call.open_queue() if is_repair else call.look() as queue:
        repaired = queue.repair() if is_repair else []
        problems = queue.check()
    found = {"repaired": repaired} if is_repair else {}
    call.answer({**found, "problems": problems}, [*repaired, *(problems or ["The file is sound."])])
    if problems:
        last = "restore a backup, or keep the file and report these problems"
        remedy = last if is_repair else "gigq doctor --repair mends what it can"
        raise Refused(f"{call.path!r} is not sound; {remedy}")


COMMANDS = {"doctor": Command(doctor, _doctor_options)}
