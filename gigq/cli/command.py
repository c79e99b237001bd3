"""The declaration of a command: its arguments, how it opens the queue, and the function that does it.

A command declares and acts in one place, in a module of `gigq/cli/commands/`::

    @command(argument("queue", metavar="QUEUE", nargs="?", help="only this queue; default: all"), opens=CHANGE)
    def pause(queue: JobQueue, args: Args) -> Answer:
        '''Stop workers from claiming jobs from one queue, or from all.

        The rest of the docstring is the rest of the help.
        '''

`schedule_add` is the function of ``gigq schedule add``. A word that Python has taken gets an underscore at its end, as
in `list_`.
"""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from gigq.cli.exits import BadValue, UsageError
from gigq.cli.opening import BY_ITSELF as BY_ITSELF
from gigq.cli.opening import CHANGE as CHANGE
from gigq.cli.opening import CREATE as CREATE
from gigq.cli.opening import LOOK as LOOK
from gigq.cli.opening import NOTHING as NOTHING

if TYPE_CHECKING:
    from gigq.cli.answer import Answer
    from gigq.cli.args import Args

HIDDEN = "\0"
"""The help of an argument that no help shows."""

Opening: TypeAlias = "str | Callable[[Args], str]"


class Argument(NamedTuple):
    """An argument of a command.

    Attributes:
        names: ``--lease``, or the name of a word without dashes.
        settings: as `ArgumentParser.add_argument` of the standard library takes them: metavar, help, dest, type,
            choices, default, nargs (None, "?", "*", "+"), const, and action (store, append, store_true, store_false,
            store_const).
        env: the environment variable that it has its default from; empty for none.
        completes: what a shell may offer for it, a key of `gigq.cli.candidates.SOURCES`; empty for its choices.
    """

    names: tuple[str, ...]
    settings: dict[str, Any]
    env: str = ""
    completes: str = ""

    @property
    def dest(self) -> str:
        """The name of its value."""
        if "dest" in self.settings:
            return str(self.settings["dest"])
        long = next((name for name in self.names if name.startswith("--")), self.names[0])
        return long.lstrip("-").replace("-", "_")

    @property
    def is_option(self) -> bool:
        """Whether it is typed with dashes, and no word by its place."""
        return self.names[0].startswith("-")

    @property
    def action(self) -> str:
        """What becomes of its value."""
        return str(self.settings.get("action", "store"))

    @property
    def nargs(self) -> str | None:
        """How many words it takes: None for one, ``?`` for one or none, ``*`` for any number, ``+`` for one or more."""
        found: str | None = self.settings.get("nargs")
        return found

    @property
    def is_needed(self) -> bool:
        """Whether it is a word that may not be left out."""
        return not self.is_option and self.nargs in (None, "+")

    @property
    def typed_name(self) -> str:
        """What people type for it."""
        return self.names[-1] if self.is_option else str(self.settings.get("metavar", self.names[0]))

    @property
    def absent(self) -> Any:
        """Its value where it is not typed and has no default: None, or False for a switch."""
        if self.action in ("store_true", "store_false"):
            return self.action == "store_false"
        return self.settings.get("default")

    @property
    def is_hidden(self) -> bool:
        """Whether no help shows it."""
        return self.settings.get("help") == HIDDEN

    @property
    def takes_value(self) -> bool:
        """Whether a word follows it."""
        return self.action in ("store", "append")

    @property
    def help(self) -> str:
        """Its help, with the variable before the default."""
        text = str(self.settings.get("help", ""))
        if not self.env or self.is_hidden:
            return text
        before, default, after = text.rpartition("default: ")
        return f"{before}default: {self.env}, else {after}" if default else f"{text}; default: {self.env}"

    def read(self, text: str) -> Any:
        """Return the value that a variable gives.

        Raises:
            UsageError: the argument cannot have it.
        """
        try:
            if self.action == "append":
                return [self.value(each.strip()) for each in text.split(",") if each.strip()]
            return self.value(text) if self.action == "store" else self._switched(text)
        except BadValue as error:
            raise UsageError(f"{self.env}: {error}") from None

    def value(self, text: str) -> Any:
        """Return the value of a word.

        Raises:
            BadValue: it cannot be one.
        """
        value = self.settings.get("type", str)(text)
        choices = self.settings.get("choices")
        if choices is not None and value not in choices:
            from gigq.cli.wording import perhaps  # only here: it is for errors

            known = [str(each) for each in choices]
            raise BadValue(f"{text!r} is not one of {', '.join(known)}{perhaps(text, among=known)}")
        return value

    def _switched(self, text: str) -> Any:
        if text.lower() not in ("1", "true", "yes", "on", "0", "false", "no", "off"):
            raise BadValue(f"{text!r} is neither yes nor no")
        is_on = text.lower() in ("1", "true", "yes", "on")
        return is_on == (self.action == "store_true")


class Exclusive(NamedTuple):
    """Arguments of which only one may be typed."""

    arguments: tuple[Argument, ...]


def argument(*names: str, env: str = "", completes: str = "", **settings: Any) -> Argument:
    """Return an argument of a command, such as ``argument("--limit", metavar="N", type=values.whole, help="…")``.

    An argument that is not typed has no value, so that the library's default holds: see `Args.given`.

    Args:
        names: ``--lease``, ``"-c", "--concurrency"``, or the name of a word without dashes.
        env: the environment variable that has its default. One that is repeated is a list with commas there.
        completes: what a shell may offer for it, a key of `gigq.cli.candidates.SOURCES`.
        settings: see `Argument`.
    """
    return Argument(names, settings, env, completes)


def exclusive(*arguments: Argument) -> Exclusive:
    """Return arguments of which only one may be typed."""
    return Exclusive(arguments)


class Command:
    """A command, as `command` declares it.

    Attributes:
        run: the function that does it. It gets the queue, unless the command opens none, and what was typed.
        declared: its arguments, in the order of its help; some of them may exclude each other.
        opens: how it opens the queue.
        examples: what people type, with a note: shown at the end of its help.
        fields: the fields of its records, which ``--json=`` may choose from; empty if it answers with no records, None
            if they are not known beforehand.
        is_long: whether its lines may fill screens: then they are shown in a pager.
        check: what is called before the queue is opened.
    """

    def __init__(
        self,
        run: "Callable[..., Answer | None]",
        declared: Sequence[Argument | Exclusive],
        *,
        opens: Opening,
        examples: Sequence[tuple[str, str]],
        fields: Sequence[str] | None,
        is_long: bool,
        check: "Callable[[Args], object]",
    ) -> None:
        self.run = run
        self.declared = tuple(declared)
        self.opens = opens
        self.examples = tuple(examples)
        self.fields = fields
        self.is_long = is_long
        self.check = check

    @property
    def help(self) -> str:
        """The docstring, without its indentation."""
        return "\n".join(line.strip() for line in (self.run.__doc__ or "").splitlines()).strip()

    @property
    def arguments(self) -> list[Argument]:
        """All its arguments."""
        return [each for one in self.declared for each in (one.arguments if isinstance(one, Exclusive) else (one,))]

    @property
    def options(self) -> list[Argument]:
        """Its arguments that are typed with dashes."""
        return [each for each in self.arguments if each.is_option]

    @property
    def absent(self) -> dict[str, Any]:
        """The values of its arguments where they are not typed and have no default."""
        return {each.dest: each.absent for each in reversed(self.arguments)}

    def excluded_by(self, one: Argument) -> list[Argument]:
        """Return the arguments that may not be typed together with one."""
        groups = [each.arguments for each in self.declared if isinstance(each, Exclusive)]
        return [each for group in groups if one in group for each in group if each is not one]

    @property
    def creates_file(self) -> bool:
        """Whether it creates the queue's file where there is none."""
        return self.opens in (CREATE, BY_ITSELF)


def command(
    *arguments: Argument | Exclusive,
    opens: Opening = LOOK,
    examples: Sequence[tuple[str, str]] = (),
    fields: Sequence[str] | None = None,
    is_long: bool = False,
    check: "Callable[[Args], object]" = lambda args: None,
) -> "Callable[[Callable[..., Answer | None]], Command]":
    """Declare the function of a command. Its docstring is the help, and its first line that of the table of commands.

    Args:
        arguments: its arguments, in the order of its help.
        opens: `LOOK`, `CHANGE`, `CREATE`, `NOTHING`, `BY_ITSELF`, or a function from what was typed to one of these.
        examples: what people type, each with what it does, such as ``("gigq list --status failed", "what failed")``.
        fields: the fields of the records that it answers with, for ``--json=``; none for another answer.
        is_long: whether to show its lines in a pager, if they do not fit on a terminal.
        check: refuses what was typed wrongly, before the queue is opened. It raises `UsageError`.
    """

    def declare(run: "Callable[..., Answer | None]") -> Command:
        return Command(run, arguments, opens=opens, examples=examples, fields=fields, is_long=is_long, check=check)

    return declare
