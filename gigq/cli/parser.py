"""The words of a command line, read by what the commands declare. A command is imported when it is typed.

Not by argparse: to import it, and to build and use the parser of the typed command alone, would take 26 million more
instructions in ``gigq list``, where all the rest takes 215 million.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from gigq.cli.command import Argument, Command
from gigq.cli.commands import COMMANDS, FAMILIES, declared
from gigq.cli.common import COMMON, HELP, VERSION
from gigq.cli.exits import BadValue, UsageError
from gigq.cli.forms import Form
from gigq.cli.words import Words, is_option


class Typed:
    """What was typed.

    Attributes:
        words: the words of the command, such as ``schedule add``; those of a family if the second one is missing.
        command: the command; None if there is none.
        values: the values by their names, without those that were not typed, but for the file, the form and colours.
        asks_for: ``help`` or ``version``, if that was typed; then nothing else counts.
    """

    def __init__(self) -> None:
        self.words = ""
        self.command: Command | None = None
        self.values: dict[str, Any] = {"db": None, "form": Form(), "color": None}
        self.asks_for = ""

    @property
    def program(self) -> str:
        """How its help is called."""
        return f"gigq {self.words}".strip()


def parse(argv: Sequence[str]) -> Typed:
    """Read the words after ``gigq``. Defaults from the environment are not added yet: see `add_defaults`.

    Raises:
        UsageError: they mean nothing.
    """
    return _Parser(argv).parse()


def add_defaults(command: Command, values: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Add the values that environment variables give to arguments that were not typed, and then the defaults.

    Raises:
        UsageError: a variable has a value that its argument cannot have.
    """
    for each in command.arguments:
        text = environ.get(each.env) if each.env else None
        if text and each.dest not in values and not any(one.dest in values for one in command.excluded_by(each)):
            values[each.dest] = each.read(text)
    for each in command.arguments:
        if "default" in each.settings:
            values.setdefault(each.dest, each.settings["default"])


class _Parser:
    """Reads the words of one command line."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._words = Words(argv)
        self._typed = Typed()
        self._positionals: list[str] = []
        self._options: list[Argument] = []
        self._is_word_only = False

    def parse(self) -> Typed:
        typed = self._typed
        while self._words and not typed.asks_for:
            if self._is_word_only:
                self._word(self._words.value())
            elif (word := self._words.take()) == "--":
                self._is_word_only = True
            elif word is not None:
                self._option(word) if is_option(word) else self._word(word)
        if typed.command is not None and not typed.asks_for:
            self._take_default()
            self._place(typed.command)
        return typed

    def _word(self, word: str) -> None:
        typed = self._typed
        if typed.command is not None and not self._is_of_family(word):
            self._take_default()
            return self._positionals.append(word)
        words = f"{typed.words} {word}".strip()
        if words not in COMMANDS and words not in FAMILIES:
            first = f"{typed.words} " if typed.words else ""
            known = [each.removeprefix(first).split()[0] for each in COMMANDS if each.startswith(first)]
            self._refuse(f"there is no command {word!r}", typed=word, among=dict.fromkeys(known))
        typed.words = words
        meant = FAMILIES[words].default if words in FAMILIES else words
        typed.command = declared(meant) if meant else None

    def _is_of_family(self, word: str) -> bool:
        """Whether a word says which command of a family is meant, or was to say so, where the family has a default."""
        family = self._typed.words
        if family not in FAMILIES or self._is_word_only or ":" in word or " " in word:
            return False
        from gigq.cli.wording import perhaps

        known = [each.removeprefix(f"{family} ") for each in COMMANDS if each.startswith(f"{family} ")]
        if word in known and any(each not in COMMON for each in self._options):
            self._refuse(f"{word} must follow {family} at once, before the options")
        return word in known or bool(perhaps(word, among=known))

    def _take_default(self) -> None:
        """Take the default of a family: nothing that is typed from here on can say another command."""
        typed = self._typed
        typed.words = FAMILIES[typed.words].default if typed.words in FAMILIES else typed.words

    def _option(self, word: str) -> None:
        name, equals, text = word.partition("=")
        if name in ("--json", "--jsonl") and equals:
            name += "-fields"
        for each in self._known():
            if name in each.names:
                return self._take(each, text if equals else None)
        if word[1] == "-" or not self._cluster(word):
            known = [name for each in self._known() if not each.is_hidden for name in each.names]
            self._refuse(f"unrecognized arguments: {word}", typed=name, among=known)

    def _cluster(self, word: str) -> bool:
        """Read short options in one word, such as ``-vc4``, and return whether all of it was read."""
        for place, letter in enumerate(word[1:], 2):
            option = next((each for each in self._known() if f"-{letter}" in each.names), None)
            if option is None:
                return False
            if option.takes_value:
                self._take(option, word[place:].removeprefix("=") or None)
                return True
            self._take(option, None)
        return True

    def _known(self) -> Iterable[Argument]:
        command = self._typed.command
        yield from command.options if command is not None else ()
        yield from COMMON
        yield HELP
        if command is None:
            yield VERSION

    def _take(self, option: Argument, text: str | None) -> None:
        """Take an option, with the value after its = or without."""
        values, typed = self._typed.values, self._typed
        if option.action in ("help", "version"):
            typed.asks_for = option.action
            return
        self._check_alone(option)
        if not option.takes_value:
            if text is not None:
                self._refuse(f"{'/'.join(option.names)}: takes no value")
            values[option.dest] = _constant(option)
            return
        if text is None and (not self._words or is_option(self._words.next)):
            if option.nargs != "?":
                self._refuse(f"{'/'.join(option.names)}: a value is missing")
            values[option.dest] = option.settings.get("const")
            return
        value = self._value(option, self._words.value() if text is None else text)
        values[option.dest] = [*values.get(option.dest, ()), value] if option.action == "append" else value

    def _check_alone(self, option: Argument) -> None:
        command = self._typed.command
        others = command.excluded_by(option) if command is not None else []
        for each in self._options:
            if each in others:
                self._refuse(f"{'/'.join(option.names)}: not allowed with {'/'.join(each.names)}")
        self._options.append(option)

    def _place(self, command: Command) -> None:
        """Give the words to the arguments in their order."""
        words, values = self._positionals, self._typed.values
        arguments = [each for each in command.arguments if not each.is_option]
        for number, each in enumerate(arguments):
            room = max(0, len(words) - sum(later.is_needed for later in arguments[number + 1 :]))
            count = {None: 1, "?": min(1, room), "*": room, "+": max(1, room)}[each.nargs]
            if count > len(words):
                missing = [later.typed_name for later in arguments[number:] if later.is_needed]
                self._refuse(f"the following arguments are required: {', '.join(missing)}")
            found = [self._value(each, word) for word in words[:count]]
            words = words[count:]
            if found:
                values[each.dest] = found if each.nargs in ("*", "+") else found[0]
        if words:
            self._refuse(f"unrecognized arguments: {' '.join(words)}")

    def _value(self, argument: Argument, text: str) -> Any:
        try:
            return argument.value(text)
        except BadValue as error:
            name = "/".join(argument.names) if argument.is_option else argument.typed_name
            self._refuse(f"{name}: {error}")

    def _refuse(self, message: str, *, typed: str = "", among: Iterable[str] = ()) -> NoReturn:
        from gigq.cli.wording import perhaps

        message += perhaps(typed, among=among) if among else ""
        raise UsageError(f"{message}{' See' if message.endswith('?') else '; see'} {self._typed.program} --help")


def _constant(option: Argument) -> Any:
    if option.action == "store_const":
        return option.settings["const"]
    return option.action == "store_true"
