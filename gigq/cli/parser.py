"""The parser of the whole command line. A command's module is imported when the command is typed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

from gigq.cli.commands import Command, Parser
from gigq.cli.options import add_common
from gigq.version import VERSION

_DESCRIPTION = "A durable job queue in one SQLite file."
_EPILOG = """\
gigq COMMAND --help lists the options of a command. An ID may be shortened to any prefix that no other job's ID has. \
A DURATION is a number of seconds, or has a unit, such as 30s, 5m, 2h or 7d."""


COMMANDS = {
    "submit": ("submitting", "Submit a job that calls a function, and print the job's ID."),
    "status": ("reading", "Show one job."),
    "list": ("reading", "List jobs, newest first."),
    "stats": ("reading", "Count the jobs by status."),
    "why": ("why", "Explain why a job is not running, or how it ended."),
    "metrics": ("metrics", "Print metrics of the queue in the Prometheus text format."),
    "logs": ("logs", "Show what a job has logged, attempt by attempt."),
    "cancel": ("control", "Cancel pending jobs, and the jobs that depend on them."),
    "requeue": ("control", "Send failed, timed-out or cancelled jobs back to the queue."),
    "reschedule": ("control", "Change when a pending job runs, its priority or its queue."),
    "queues": ("queues", "List the queues that have unfinished jobs, a limit or a pause."),
    "pause": ("queues", "Stop workers from claiming jobs from one queue, or from all."),
    "resume": ("queues", "Let workers claim jobs again, from one queue or from all."),
    "configure": ("queues", "Change a queue's limits, and show them."),
    "schedule add": ("schedules", "Add or change a schedule, and print its next tick."),
    "schedule list": ("schedules", "List the schedules."),
    "schedule preview": ("schedules", "Print the next ticks of a schedule, in UTC."),
    "schedule run": ("schedules", "Submit a schedule's job now, and print the job's ID."),
    "schedule pause": ("schedules", "Stop a schedule from submitting jobs until it is resumed."),
    "schedule resume": ("schedules", "Let a paused schedule submit jobs again, from its next tick."),
    "schedule remove": ("schedules", "Remove a schedule; the jobs it has submitted stay."),
    "workflow list": ("workflows", "List workflows, newest first, with the number of their jobs by status."),
    "workflow show": ("workflows", "Show where a workflow stands, and draw its jobs below those that they wait for."),
    "workflow graph": ("workflows", "Print the picture of a workflow, as Mermaid or SVG."),
    "workflow cancel": (
        "workflows", "Cancel the pending and running jobs of a workflow, except the one that runs at its end.",
    ),
    "workflow requeue": ("workflows", "Send the failed and timed-out jobs of a workflow back to the queue."),
    "clear": ("pruning", "Delete completed and cancelled jobs, and print how many."),
    "delete": ("pruning", "Delete jobs, finished or pending, with their executions."),
    "prune": ("pruning", "Delete finished jobs, oldest first, and print how many."),
    "dead": ("dead_letters", "List, requeue or purge dead letters: jobs that used up their attempts."),
    "worker": ("worker", "Run jobs until stopped by SIGTERM, SIGHUP, Ctrl-C or `gigq stop`."),
    "workers": ("workers", "List the workers, oldest first."),
    "scale": ("workers", "Set how many jobs workers run at a time."),
    "stop": ("workers", "Ask workers to stop."),
    "recover": ("workers", "Recover the jobs of dead workers, and print how many."),
    "doctor": ("checking", "Check the file, and print every problem."),
    "version": ("version", "Print the version of gigq."),
}
"""The module and the first line of the help of each command: enough for the list of all of them, in this order."""

GROUPS = {
    "schedule": "Submit jobs at certain times.",
    "workflow": "Look at workflows, cancel them, and send them back where they failed.",
}
"""The first words of commands of two words."""


def build_parser() -> Parser:
    """Return the parser of the whole command line."""
    parser = Parser(prog="gigq", description=_DESCRIPTION, epilog=_EPILOG)
    add_common(parser)
    parser.add_argument("--version", action="version", version=f"gigq {VERSION}", help="print the version of gigq")
    parser.set_defaults(db=None, json=False)
    _add_commands(parser, "")
    return parser


def declared(words: str) -> Command:
    """Import the module of a command, and return the command."""
    module, _ = COMMANDS[words]
    commands: dict[str, Command] = import_module(f"gigq.cli.{module}").COMMANDS
    return commands[words]


class LazyParser(Parser):
    """The parser of a command, which is built when it is first used.

    Building the parsers of all commands takes longer than most commands do: argparse looks on the disk for a
    translation of each of its words.

    Attributes:
        fill: adds the options of the command.
    """

    fill: Callable[[Parser], None]

    def __init__(self, **settings: Any) -> None:
        self._settings: dict[str, Any] | None = settings

    def build(self) -> None:
        """Build the parser, unless that was done before."""
        if self._settings is not None:
            super().__init__(**self._settings)
            self._settings = None
            self.fill(self)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self.build()
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:  # argparse would leave it to the parser of all commands, whose help does not list the options
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown


_Subparsers: TypeAlias = "argparse._SubParsersAction[LazyParser]"
"""Where the parsers of commands are added. argparse has no public name for it."""


def _add_commands(parser: Parser, group: str) -> None:
    """Add the commands whose words begin with that of a group, or with no group's; and the groups."""
    subparsers: _Subparsers = parser.add_subparsers(
        title="commands", metavar="COMMAND", prog=parser.prog, parser_class=LazyParser
    )
    # Without a command, print what there is.
    parser.set_defaults(run=lambda call: parser.print_help(), creates_file=False, names={})
    for words, (_, summary) in COMMANDS.items():
        first, _, second = words.rpartition(" ")
        if first == group:
            _add_command(subparsers, second, words, summary)
        elif not group and first not in subparsers.choices:
            _add_group(subparsers, first)


def _add_group(subparsers: _Subparsers, word: str) -> None:
    parser = subparsers.add_parser(word, help=GROUPS[word], description=GROUPS[word])
    parser.fill = lambda built: _add_commands(built, word)


def _add_command(subparsers: _Subparsers, word: str, words: str, summary: str) -> None:
    parser = subparsers.add_parser(word, help=summary, argument_default=argparse.SUPPRESS)
    parser.fill = lambda built: _declare(built, declared(words))


def _declare(parser: Parser, command: Command) -> None:
    parser.description = command.help
    add_common(parser)
    command.add_options(parser)
    parser.set_defaults(run=command.run, creates_file=command.creates_file, names=parser.names)
