"""The table of commands, and what each command loads and creates."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import gigq.cli.commands
from gigq import Job, JobQueue
from gigq.cli.command import NOTHING, Command
from gigq.cli.commands import COMMANDS, FAMILIES, declared
from gigq.cli.help import typed_words
from gigq.cli.parser import parse

Run = Callable[..., Any]

EXAMPLES = {"ID": "x", "NAME": "x", "QUEUE": "x", "N": "1", "ACTION": "list", "MODULE.FUNCTION": "functions.greet"}
EXAMPLES |= {"ARGUMENT": "1", "COMMAND": "list", "SHELL": "bash", "DEST": "copy.db", "FILTER": "queue:x"}
"""A word for each of the words that commands take."""

NEEDED = {
    "schedule add": ["--every", "1h"],
    "reschedule": ["--delay", "1h"],
    "dead purge": ["--all"],
    "prune": ["--all"],
    "scale": ["--all"],
    "stop": ["--all"],
    "worker": ["--once"],
}
"""Options without which these commands do nothing, or do not end."""


PRUNING = {"prune", "dead purge"}
"""They take filters, or `--all`."""


def words_of(command: Command, *, is_complete: bool) -> list[str]:
    """An example of what is typed after a command, with the words that may be left out or without them."""
    words = [each for each in command.arguments if not each.is_option]
    return [EXAMPLES[each.typed_name] for each in words if is_complete or each.is_needed]


def test_the_table_and_the_modules_name_the_same_commands() -> None:
    folder = Path(gigq.cli.commands.__file__).parent
    modules = {path.stem: import_module(f"gigq.cli.commands.{path.stem}") for path in folder.glob("[!_]*.py")}
    declaring = {
        (stem, name.strip("_").replace("_", " "))
        for stem, module in modules.items()
        for name, each in vars(module).items()
        if isinstance(each, Command)
    }

    assert declaring == {(row.module, words) for words, row in COMMANDS.items()}


@pytest.mark.parametrize("words", COMMANDS)
def test_the_summary_in_the_table_is_the_first_line_of_the_help(words: str) -> None:
    assert declared(words).help.partition("\n")[0] == COMMANDS[words].summary


def test_a_group_of_commands_has_a_summary() -> None:
    assert {words.split()[0] for words in COMMANDS if " " in words} == FAMILIES.keys()


@pytest.mark.parametrize("words", COMMANDS)
def test_only_a_command_that_is_declared_so_creates_the_file(run: Run, path: str, words: str) -> None:
    outcome = run(*words.split(), *words_of(declared(words), is_complete=words not in PRUNING), *NEEDED.get(words, []))

    assert Path(path).exists() == declared(words).creates_file
    if not declared(words).creates_file and declared(words).opens != NOTHING:
        assert (outcome.code, outcome.out) == (1, "")
        assert "there is no queue at" in outcome.err


@pytest.mark.parametrize("words", COMMANDS)
def test_words_in_brackets_may_be_left_out_and_no_others(words: str) -> None:
    typed = words_of(declared(words), is_complete=False)

    parse([*words.split(), *typed])
    if typed:
        with pytest.raises(gigq.cli.UsageError, match="the following arguments are required"):
            parse([*words.split(), *typed[:-1]])
    assert typed_words(words, declared(words)).count("[") == bool(declared(words).options) + len(
        words_of(declared(words), is_complete=True)
    ) - len(typed)


def test_version_prints_the_version(run: Run) -> None:
    assert run("version").out == f"gigq {gigq.__version__}\n"
    assert run("version", "--json").json == {"version": gigq.__version__, "json_version": 1}


ANSWERS = ("answer", "args", "out", "styled")
HELP = {"fields", "help", "topics"}
LIST = {"answer", "args", "columns", "commands.listing", "filtering", "hiding", "options", "styled", "table", "values"}
LIST |= HELP


def loaded_by(path: str, *words: str) -> set[str]:
    """The modules that are loaded when a command has run in a new interpreter."""
    script = f"from gigq.cli import main\nimport sys\nmain({list(words)!r})\nprint(*sys.modules, file=sys.stderr)"
    environment = {"PYTHONPATH": str(Path(gigq.__file__).parents[1]), "GIGQ_DB": path}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True, text=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(
    ("words", "modules"),
    [
        (["version"], {"commands.version", *ANSWERS}),
        (["--help"], HELP),
        (["schedule", "--help"], HELP),
        (["list", "--help"], LIST),
    ],
)
def test_version_and_help_load_no_queue(path: str, words: list[str], modules: set[str]) -> None:
    always = {"command", "commands", "common", "exits", "forms", "opening", "output", "parser"}
    always |= {"terminal", "words"}
    others = {"gigq.clock", "gigq.status"} if words[0] == "list" else set[str]()

    assert {each for each in loaded_by(path, *words) if each.startswith("gigq")} == {
        *("gigq", "gigq.version", "gigq.errors", "gigq.cleaning", "gigq.cli"),
        *(f"gigq.cli.{each}" for each in always | modules),
        *others,
    }


OF_LISTS = {
    "gigq.pages", "gigq.queue.looking",
    *(f"gigq.store.{each}" for each in ("choosing", "filtering", "paging", "sources", "ways")),
}  # fmt: skip
"""What finds jobs."""

A_LIST = {
    "gigq.durations", "gigq.handles", "gigq.redaction",
    *(f"gigq.cli.{each}" for each in ("commands.listing", "fields", "filtering", "hiding", "job_table")),
    "gigq.cli.options", "gigq.cli.values",
}  # fmt: skip
"""What shows a list of them in which there is no text that may have a secret in it."""


@pytest.mark.parametrize(("words", "more"), [(["list"], OF_LISTS | A_LIST), (["stats"], {"gigq.cli.commands.reading"})])
def test_a_command_that_only_looks_loads_nothing_that_claims_settles_or_runs_jobs(
    path: str, queue: JobQueue, words: list[str], more: set[str]
) -> None:
    ours = {"checks", "cleaning", "clock", "codec", "errors", "filters", "importing", "job_ids", "lazy", "measure"}
    ours |= {"plain", "priority", "records"}
    store = {"reading", "rows", "schema", "tables", "engine"}
    engine = {"bell", "budget", "connections", "database", "files", "forking", "lists", "mounts"}
    engine |= {"opened_file", "read_only", "joined", "marks", "patience", "searching", "sqlite_errors", "transaction"}
    cli = {"answer", "args", "columns", "command", "commands", "common", "exits", "forms", "opening", "out", "output"}
    cli |= {"parser", "styled", "table", "terminal", "words"}

    queue.submit(Job("report", "package.module:name"))

    loaded = loaded_by(path, *words)

    assert {each for each in loaded if each.startswith("gigq")} == {
        *("gigq", "gigq.queue", "gigq.queue.job_queue", "gigq.store", "gigq.cli"),
        *(f"gigq.{each}" for each in {*ours, "status", "version"}),
        *(f"gigq.store.{each}" for each in store),
        *(f"gigq.store.engine.{each}" for each in engine),
        *(f"gigq.cli.{each}" for each in cli),
        *more,
    }
    assert {"ctypes", "logging", "pathlib", "socket", "subprocess", "urllib.parse", "zoneinfo"} & (
        loaded - loaded_by(path, "version")
    ) == set()
