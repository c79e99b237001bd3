"""The command that checks the file: `gigq doctor`."""

from __future__ import annotations

from gigq.cli.call import Call, Refused
from gigq.cli.commands import Command


def doctor(call: Call) -> None:
    """Check the file, and print every problem.

    The exit code is 1 if there is a problem.
    It reads the whole file and changes nothing.
    """
    with call.look() as queue:
        problems = queue.check()
    call.answer({"problems": problems}, problems or ["The file is sound."])
    if problems:
        raise Refused(f"{call.path!r} is not sound; restore a backup, or keep the file and report these problems")


COMMANDS = {"doctor": Command(doctor)}
