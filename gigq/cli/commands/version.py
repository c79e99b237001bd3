"""The command that prints the version: `gigq version`."""

from __future__ import annotations

from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import NOTHING, command
from gigq.cli.forms import JSON_VERSION
from gigq.version import VERSION


@command(opens=NOTHING, fields=("version", "json_version"))
def version(args: Args) -> Answer:
    """Print the version of gigq.

    With --json, also that of the JSON which all commands print: it changes when a field is removed or means another
    thing.
    """
    return Answer({"version": VERSION, "json_version": JSON_VERSION}, [f"gigq {VERSION}"])
