"""The commands about the command line itself: `gigq help`, `gigq env`, `gigq completion`."""

from __future__ import annotations

from collections.abc import Iterator

from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import NOTHING, argument, command
from gigq.cli.commands import COMMANDS, FAMILIES
from gigq.cli.exits import DONE, REFUSED, UsageError
from gigq.cli.styled import BOLD, Line, Styled
from gigq.cli.table import TABLE, table


@command(
    argument("words", metavar="COMMAND", nargs="*", default=[], completes="help", help="a command, or a topic"),
    opens=NOTHING,
    fields=("topic", "lines"),
    is_long=True,
    examples=(("gigq help schedule add", "how to use a command"), ("gigq help exit-codes", "a topic")),
)
def help_(args: Args) -> Answer:
    """Show how to use a command, or explain a topic.

    The topics are filters, times, exit-codes, environment and json.
    """
    from gigq.cli.help import explained, overview, usage
    from gigq.cli.topics import TOPICS
    from gigq.cli.wording import perhaps

    words = " ".join(args.words or ())
    width = args.terminal.width_or(80)
    if not words:
        lines = list(overview(width))
    elif words in COMMANDS or words in FAMILIES:
        lines = list(usage(words, width))
    elif words in TOPICS:
        lines = explained(TOPICS[words], width)
    else:
        known = [*COMMANDS, *FAMILIES, *TOPICS]
        topics = f"the topics are {', '.join(TOPICS)}"
        raise UsageError(f"there is no command or topic {words!r}{perhaps(words, among=known) or f'; {topics}'}")
    return Answer({"topic": words, "lines": lines}, lines)


@command(*TABLE, opens=NOTHING, fields=("name", "value", "source", "meaning"))
def env(args: Args) -> Answer:
    """Show the environment variables that gigq heeds, with what holds and where it comes from.

    A variable with a value that cannot be, or with a name that is nearly one of these, is an error.
    """
    from gigq.cli.variables import faults, held, variables

    known = list(variables())
    found = [
        {"name": each.name, "value": value, "source": source, "meaning": each.meaning}
        for each, value, source in held(known, args.environ)
    ]
    wrong = list(faults(known, args.environ))
    for each in found[:2]:
        _prefer_typed(args, each)
    return Answer(found, _table(args, found), code=REFUSED if wrong else DONE, notes=wrong)


@command(
    argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish"), help="bash, zsh or fish"),
    opens=NOTHING,
    fields=(),
    examples=(
        ('eval "$(gigq completion bash)"', "in ~/.bashrc"),
        ('eval "$(gigq completion zsh)"', "in ~/.zshrc, after compinit"),
        ("gigq completion fish > ~/.config/fish/completions/gigq.fish", "once"),
    ),
)
def completion(args: Args) -> Answer:
    """Print the script that lets a shell complete commands, options, queues, names and IDs.

    What is offered is read from the queue that --db or GIGQ_DB names.
    """
    from gigq.cli.completion import SCRIPTS

    script = SCRIPTS[args.shell]
    return Answer(script, script.splitlines())


def _prefer_typed(args: Args, record: dict[str, str]) -> None:
    """What was typed for --db and --color counts for more than their variables, which come first."""
    typed = {"GIGQ_DB": args.db, "GIGQ_COLOR": args.color}.get(record["name"])
    if typed is not None:
        record.update(value=typed, source="command line")


def _table(args: Args, found: list[dict[str, str]]) -> Iterator[Line]:
    rows = [
        (_name(each), each["value"], each["source"], each["meaning"]) for each in found
    ]
    return table(args, ("name", "value", "from", "meaning"), rows, flexible=("value", "meaning"), dropped=("meaning",))


def _name(record: dict[str, str]) -> Line:
    """The name of a variable, bold if it is set."""
    return record["name"] if record["source"] == "default" else Styled(record["name"], BOLD)
