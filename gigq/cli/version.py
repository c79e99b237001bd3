"""`gigq version`."""

from __future__ import annotations

from importlib import metadata

from gigq.cli.call import Call
from gigq.cli.commands import Commands, add_command


def declare(commands: Commands) -> None:
    """Add the command."""
    add_command(commands, "version", version)


def version(call: Call) -> None:
    """Print the version of the installed package."""
    try:
        found = metadata.version("gigq")
    except metadata.PackageNotFoundError:
        found = "unknown"  # run from its sources
    call.answer({"version": found}, [f"gigq {found}"])
