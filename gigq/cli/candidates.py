"""What a shell may offer for a word: commands, options, choices, and what the queue holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gigq.cli.command import Argument, Command
from gigq.cli.commands import COMMANDS, FAMILIES, declared
from gigq.cli.common import COMMON

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue

Candidate: TypeAlias = tuple[str, str]
"""A word, and what it stands for; empty if that is plain."""

FILES = ("", "files")
"""Stands for the names of files, which the shell knows itself."""

_JOBS = 50
_LOOKED_AT = 200
"""The newest jobs among which names and tags are looked for."""
_TIMEOUT = 0.02
"""Seconds to wait for somebody who has the file locked."""
_OUR_ID, _HANDLE = 36, 8
"""Characters of an ID of ours, and of its end, which lists show."""


class _Typed(NamedTuple):
    """What stands before the word to complete."""

    words: str = ""
    command: Command | None = None
    option: Argument | None = None
    """the option whose value the word is"""
    positionals: int = 0
    used: frozenset[str] = frozenset()
    db: str | None = None
    only_words: bool = False
    """whether a ``--`` was typed"""


def candidates(before: Sequence[str], word: str, environ: Mapping[str, str]) -> Iterator[Candidate]:
    """Yield what may stand in the place of a word that was begun.

    Args:
        before: the words before it, without ``gigq``.
        environ: the environment variables.
    """
    typed = _typed(before)
    if typed is None:
        return
    path = typed.db or environ.get("GIGQ_DB") or "gigq.db"
    if typed.option is not None:
        yield from _values(typed.option, word, path)
    elif word.startswith("-") and not typed.only_words:
        yield from _options(typed, word, path)
    elif typed.command is None:
        yield from _commands(typed.words, word)
    else:
        if typed.words in FAMILIES and not typed.positionals:
            yield from _commands(typed.words, word)
        yield from _words(typed, typed.command, word, path)


def _typed(before: Sequence[str]) -> _Typed | None:
    """What the words before mean; None if there is no such command."""
    typed = _Typed()
    for word in before:
        if typed.option is not None:
            is_db = typed.option.dest == "db"
            typed = typed._replace(option=None, db=word if is_db else typed.db)
        elif word == "--" and not typed.only_words:
            typed = typed._replace(only_words=True)
        elif word.startswith("-") and word != "-" and not typed.only_words:
            typed = _with_option(typed, word)
        elif typed.command is not None and f"{typed.words} {word}" not in COMMANDS:
            typed = typed._replace(positionals=typed.positionals + 1)
        else:
            words = f"{typed.words} {word}".strip()
            if words not in COMMANDS and words not in FAMILIES:
                return None
            meant = FAMILIES[words].default if words in FAMILIES else words
            typed = typed._replace(words=words, command=declared(meant) if meant else None)
    return typed


def _with_option(typed: _Typed, word: str) -> _Typed:
    name, equals, value = word.partition("=")
    option = _named(typed.command, name)
    if option is None:
        return typed
    if equals and option.dest == "db":
        return typed._replace(db=value)
    waits = option.takes_value and not equals and option.settings.get("nargs") != "?"
    return typed._replace(used=typed.used | {*option.names}, option=option if waits else None)


def _arguments(command: Command | None) -> list[Argument]:
    """The arguments that may be typed, without those that the help does not show."""
    all_of_them = [*(command.arguments if command else ()), *COMMON]
    return [each for each in all_of_them if not each.is_hidden]


def _named(command: Command | None, name: str) -> Argument | None:
    return next((each for each in _arguments(command) if name in each.names), None)


def _commands(family: str, word: str) -> Iterator[Candidate]:
    """The commands of one word and the families of others, or those of one family."""
    for words, row in {**COMMANDS, **FAMILIES}.items():
        first, _, second = words.rpartition(" ")
        if first == family and second.startswith(word):
            yield second, row.summary


def _options(typed: _Typed, word: str, path: str) -> Iterator[Candidate]:
    name, equals, begun = word.partition("=")
    if equals:
        yield from _after_equals(typed, name, begun, path)
        return
    for each in _arguments(typed.command):
        is_used = each.settings.get("action") != "append" and any(one in typed.used for one in each.names)
        long = [one for one in each.names if one.startswith("--")]
        if long and long[0].startswith(word) and not is_used:
            yield long[0], each.help
    if "--help".startswith(word):
        yield "--help", "show how to use it"


def _after_equals(typed: _Typed, name: str, begun: str, path: str) -> Iterator[Candidate]:
    if name in ("--json", "--jsonl") and typed.command is not None:
        done, comma, last = begun.rpartition(",")
        chosen = done.split(",")
        for field in typed.command.fields or ():
            if field.startswith(last) and field not in chosen:
                yield f"{name}={done}{comma}{field}", ""
    elif (option := _named(typed.command, name)) is not None and option.takes_value:
        for value, meaning in _values(option, begun, path):
            yield (f"{name}={value}", meaning) if value else FILES


def _words(typed: _Typed, command: Command, word: str, path: str) -> Iterator[Candidate]:
    """The values of the next word that the command takes, or its options if it takes no more."""
    positionals = [each for each in command.arguments if not each.names[0].startswith("-")]
    place = min(typed.positionals, len(positionals) - 1)
    if positionals and (place == typed.positionals or positionals[place].nargs in ("*", "+")):
        yield from _values(positionals[place], word, path)
    elif not word:
        yield from _options(typed, "--", path)


def _values(argument: Argument, word: str, path: str) -> Iterator[Candidate]:
    """The values of an argument that begin with what was typed."""
    choices: Iterable[object] = argument.settings.get("choices") or ()
    yield from ((str(each), "") for each in choices if str(each).startswith(word))
    if argument.completes == "files":
        yield FILES
    elif argument.completes == "help":
        yield from _helped(word)
    elif argument.completes:
        yield from _stored(argument.completes, word, path)


def _helped(word: str) -> Iterator[Candidate]:
    from gigq.cli.topics import TOPICS

    yield from _commands("", word)
    yield from ((name, topic.summary) for name, topic in TOPICS.items() if name.startswith(word))


def _stored(source: str, word: str, path: str) -> Iterator[Candidate]:
    from gigq.queue.job_queue import JobQueue  # only here: most words need no queue

    with JobQueue(path, read_only=True, timeout=_TIMEOUT) as queue:
        yield from SOURCES[source](queue, word)


def _queues(queue: JobQueue, word: str) -> Iterator[Candidate]:
    return ((each.name, "paused" if each.is_paused else "") for each in queue.queues() if each.name.startswith(word))


def _names(queue: JobQueue, word: str) -> Iterator[Candidate]:
    names = dict.fromkeys(job.name for job in queue.find_jobs(limit=_LOOKED_AT))
    return ((name, "") for name in names if name.startswith(word))


def _functions(queue: JobQueue, word: str) -> Iterator[Candidate]:
    functions = dict.fromkeys(job.function for job in queue.find_jobs(limit=_LOOKED_AT))
    return ((function, "") for function in functions if function.startswith(word))


def _filters(queue: JobQueue, word: str) -> Iterator[Candidate]:
    """The words of the grammar of filters, and the values of those that have names in the queue."""
    from gigq.query import KEYS
    from gigq.status import JobStatus, Phase

    key, colon, begun = word.partition(":")
    if not colon:
        for name, each in KEYS.items():
            if name.startswith(word):
                yield f"{name}{'.' if name == 'args' else ':'}", each.meaning
    elif key in _OF_FILTERS:
        yield from ((f"{key}:{value}", meaning) for value, meaning in SOURCES[_OF_FILTERS[key]](queue, begun))
    elif key in ("status", "phase"):
        words: Iterable[str] = JobStatus if key == "status" else Phase
        yield from ((f"{key}:{each}", "") for each in words if each.startswith(begun))


def _tags(queue: JobQueue, word: str) -> Iterator[Candidate]:
    tags = dict.fromkeys(tag for job in queue.find_jobs(limit=_LOOKED_AT) for tag in job.tags)
    return ((tag, "") for tag in tags if tag.startswith(word))


def _schedules(queue: JobQueue, word: str) -> Iterator[Candidate]:
    return ((each.name, each.function) for each in queue.schedules if each.name.startswith(word))


def _workers(queue: JobQueue, word: str) -> Iterator[Candidate]:
    return ((each.id, f"{each.mode}, running {each.running}") for each in queue.workers() if each.id.startswith(word))


def _workflows(queue: JobQueue, word: str) -> Iterator[Candidate]:
    return _ids(((each.id, each.name) for each in queue.workflows(_JOBS)), word)


def _jobs(queue: JobQueue, word: str) -> Iterator[Candidate]:
    return _ids(((each.id, f"{each.name}, {each.phase}") for each in queue.find_jobs(limit=_JOBS)), word)


def _ids(found: Iterable[Candidate], word: str) -> Iterator[Candidate]:
    """IDs whose end begins with what was typed, as their ends; of those that begin with it, the whole of them."""
    for whole, name in found:
        end = whole[-_HANDLE:] if len(whole) == _OUR_ID else whole
        if end.startswith(word):
            yield end, name
        elif whole.startswith(word):
            yield whole, name


_OF_FILTERS = {
    "function": "functions", "name": "names", "queue": "queues", "tag": "tags", "worker": "workers",
    "workflow": "workflows",
}  # fmt: skip
"""Where the values of filters come from."""

SOURCES: dict[str, Callable[[JobQueue, str], Iterator[Candidate]]] = {
    "filters": _filters,
    "functions": _functions,
    "jobs": _jobs,
    "names": _names,
    "queues": _queues,
    "schedules": _schedules,
    "tags": _tags,
    "workers": _workers,
    "workflows": _workflows,
}
"""What the queue holds that a word may be: the values of `completes`, besides ``files`` and ``help``."""
