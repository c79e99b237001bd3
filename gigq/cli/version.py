"""`gigq version`."""

from __future__ import annotations

from gigq.cli.call import Call
from gigq.cli.commands import Commands, add_command
from gigq.version import VERSION


def declare(commands: Commands) -> None:
    """Add the command."""
    add_command(commands, "version", version)


def version(call: Call) -> None:
    """Print which gigq this is."""
    call.answer({"version": VERSION}, [f"gigq {VERSION}"])
