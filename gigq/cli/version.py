"""The command that prints the version: `gigq version`."""

from __future__ import annotations

from gigq.cli.call import Call
from gigq.cli.commands import Command
from gigq.version import VERSION


def version(call: Call) -> None:
    """Print the version of gigq."""
    call.answer({"version": VERSION}, [f"gigq {VERSION}"])


COMMANDS = {"version": Command(version)}
