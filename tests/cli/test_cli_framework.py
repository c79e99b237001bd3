"""What all commands share: words, forms of the answer, variables, topics, and what a shell completes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gigq import Job, JobQueue
from gigq.cli import EXIT_CODES, main, pager
from gigq.cli.candidates import FILES, candidates
from gigq.cli.commands import COMMANDS, GROUPS, declared
from gigq.cli.completion import SCRIPTS
from gigq.cli.help import typed_words
from gigq.cli.parser import parse
from gigq.cli.styled import RED, Styled, shown, status_cell
from gigq.cli.terminal import Terminal, terminal_of
from gigq.cli.topics import TOPICS

Run = Callable[..., Any]

PERSON = Terminal(width=40, height=10, is_terminal=True, is_coloured=True, is_unicode=True)


# words


@pytest.mark.parametrize(
    "words",
    [
        ["delete", "a", "--status", "failed", "b"],
        ["delete", "--status=failed", "a", "b"],
        ["delete", "a", "b", "--status", "failed"],
        ["delete", "--status", "failed", "--", "a", "b"],
    ],
)
def test_options_may_stand_before_between_and_after_words(words: list[str]) -> None:
    typed = parse(words)

    assert (typed.values["ids"], typed.values["status"]) == (["a", "b"], ["failed"])


def test_words_of_a_file_stand_in_its_place_and_a_value_is_no_file(tmp_path: Path) -> None:
    file = tmp_path / "worker.args"
    file.write_text("--lease 30s  # how long it may be silent\n--queue 'my mail' --queue @other\n")

    typed = parse(["worker", f"@{file}", "--worker-id", "@me"])

    assert typed.values["lease"] == 30
    assert typed.values["queues"] == ["my mail", "@other"]
    assert typed.values["worker_id"] == "@me"
    assert parse(["schedule", "add", "tidy", "f", "--cron", "@daily"]).values["cron"] == "@daily"
    assert parse(["status", "--", "@me"]).values["id"] == "@me"


def test_a_file_of_words_that_is_missing_is_one_line_of_error(run: Run) -> None:
    said = "gigq: the words in 'nowhere' cannot be read: No such file or directory; "
    assert run("list", "@nowhere").err == f"{said}a word that begins with @ goes after --\n"


def test_short_options_may_share_a_word() -> None:
    values = parse(["worker", "-vc4"]).values

    assert (values["log_level"], values["concurrency"]) == ("debug", 4)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["list", "--limt", "3"], "unrecognized arguments: --limt; did you mean '--limit'"),
        (["list", "--limit"], "--limit: a value is missing; see gigq list --help"),
        (["list", "--wide=3"], "-w/--wide: takes no value; see gigq list --help"),
        (["worker", "--once", "--burst"], "--burst: not allowed with --once; see gigq worker --help"),
        (["list", "--status", "faild"], "--status: 'faild' is not one of pending, running, completed, failed, "),
        (["status"], "the following arguments are required: ID; see gigq status --help"),
        (["stats", "x"], "unrecognized arguments: x; see gigq stats --help"),
        (["schedule", "ad"], "there is no command 'ad'; did you mean 'add'"),
    ],
)
def test_what_is_typed_wrongly_is_told_in_one_line(run: Run, words: list[str], error: str) -> None:
    outcome = run(*words)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert error in outcome.err


# forms


@pytest.fixture
def two(queue: JobQueue) -> list[str]:
    return [queue.submit(Job(name, "functions.nothing")) for name in ("one", "two\x1b[2J")]


def test_fields_are_chosen_in_the_order_in_which_they_are_typed(run: Run, two: list[str]) -> None:
    assert run("list", "--json=name,id").json == [
        {"name": "two\x1b[2J", "id": two[1]},
        {"name": "one", "id": two[0]},
    ]
    assert list(run("list", "--json=name,id").json[0]) == ["name", "id"]
    assert run("list", "--jsonl=name").out == '{"name": "two\\u001b[2J"}\n{"name": "one"}\n'


def test_a_format_of_ones_own_is_a_line_for_each_record_and_cleaned(run: Run, two: list[str]) -> None:
    assert run("list", "--format", "{name:>8}\\t{priority}{error}").out == "two\\x1b[2J\t0\n     one\t0\n"


def test_quiet_prints_only_ids(run: Run, two: list[str]) -> None:
    assert run("list", "-q").out == f"{two[1]}\n{two[0]}\n"
    assert run("reschedule", two[0], "--delay", "1h", "-q").out == f"{two[0]}\n"
    assert run("stats", "-q").out == ""


def test_the_form_that_is_typed_last_counts(run: Run, two: list[str]) -> None:
    assert run("--json", "list", "-q").out.split() == two[::-1]


@pytest.mark.parametrize("form", ["--json=idd", "--jsonl=idd", "--format={idd}", "--format={0}", "--format={id"])
def test_a_field_that_there_is_not_is_refused_before_anything_is_done(run: Run, two: list[str], form: str) -> None:
    outcome = run("reschedule", two[0], "--priority", "9", form)

    assert (outcome.code, outcome.out) == (2, "")
    assert run("status", two[0], "--json=priority").json == {"priority": 0}


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_that_changes_something_declares_its_fields(words: str) -> None:
    assert declared(words).fields is not None or words in ("metrics", "result")


def test_json_is_never_coloured(run: Run, two: list[str]) -> None:
    assert "\x1b" not in run("list", "--json", "--color=always").out
    assert "\x1b" not in run("list", "--format", "{phase}", "--color=always").out
    assert "\x1b[1m" in run("list", "--color=always").out


@pytest.mark.parametrize("words", ["list", "stats", "queues", "version", "env", "workers", "schedule list", "info"])
def test_the_fields_of_an_answer_are_those_that_are_declared(run: Run, two: list[str], words: str) -> None:
    run("schedule", "add", "tidy", "functions.nothing", "--every", "1h")
    value = run(*words.split(), "--json").json

    for record in value if isinstance(value, list) else [value]:
        assert tuple(record) == tuple(declared(words).fields or ())


# what a stream shows


@pytest.mark.parametrize(
    ("variables", "colour", "is_coloured"),
    [
        ({}, "auto", True),
        ({"NO_COLOR": "1"}, "auto", False),
        ({"NO_COLOR": ""}, "auto", True),
        ({"NO_COLOR": "1"}, "always", True),
        ({"CLICOLOR": "0"}, "auto", False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, "auto", False),
        ({"TERM": "dumb"}, "auto", False),
        ({"TERM": "dumb", "CLICOLOR_FORCE": "1"}, "auto", True),
        ({}, "never", False),
    ],
)
def test_colours_are_for_people_who_want_them(variables: dict[str, str], colour: str, is_coloured: bool) -> None:
    class Screen:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    assert terminal_of(Screen(), variables, colour=colour).is_coloured == is_coloured
    assert terminal_of(None, variables, colour=colour).is_coloured == (
        colour == "always" or (is_coloured and variables.get("CLICOLOR_FORCE") == "1")
    )


@pytest.mark.parametrize(
    ("variables", "is_unicode"),
    [
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LC_CTYPE": "en_US.utf8", "LANG": "C"}, True),
        ({"LANG": "en_US.UTF-8", "TERM": "dumb"}, False),
    ],
)
def test_signs_are_ascii_where_the_locale_is_not_utf_8(variables: dict[str, str], is_unicode: bool) -> None:
    class Screen:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    assert terminal_of(Screen(), variables).is_unicode == is_unicode


def test_a_status_is_a_sign_a_word_and_a_colour_for_people_and_a_word_for_programs() -> None:
    cell = status_cell("failed")

    assert shown(cell, PERSON) == "\x1b[31m✕ \x1b[0m\x1b[31mfailed\x1b[0m"
    assert "† " in shown(status_cell("lost"), PERSON), "it is not shown as cancelled"
    assert shown(cell, PERSON._replace(is_unicode=False, is_coloured=False)) == "x failed"
    assert shown(cell, Terminal()) == "failed"
    assert shown(status_cell("no such word"), PERSON) == "no such word"


def test_whatever_is_put_into_a_line_is_cleaned() -> None:
    assert shown("a\x1b[2J" + Styled("b\x07", RED) + "\u202e", PERSON) == "a\\x1b[2J\x1b[31mb\\x07\x1b[0m\\u202e"


def test_a_table_aligns_numbers_and_cuts_nothing_when_it_is_wide(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    queue.submit(Job("n" * 200, "functions.nothing", queue="mail", priority=7))

    assert all(len(line) <= 60 for line in run("list").out.splitlines())
    assert "n" * 200 in run("list", "--wide").out
    assert len(run("queues", "--no-header").out.splitlines()) == 1
    assert run("queues").out.splitlines()[0].index("ready") < run("queues").out.splitlines()[1].index("1")
    assert f"{queue.queues()[0].oldest_ready_at:%Y-%m-%dT%H:%M}" in run("queues", "--time=iso", "-w").out


def test_a_long_read_goes_to_the_pager_only_if_it_does_not_fit(tmp_path: Path) -> None:
    file = tmp_path / "read"
    variables = {"GIGQ_PAGER": f"cat > '{file}'", "PATH": os.environ["PATH"]}

    assert not pager.show(["line"] * 9, PERSON, variables)
    assert not pager.show(["line"] * 99, PERSON, variables | {"GIGQ_PAGER": ""})
    assert not pager.show(["line"] * 99, PERSON._replace(is_accessible=True), variables)
    assert not pager.show(["line"] * 99, PERSON, variables | {"GIGQ_PAGER": "/no/such/pager 2> /dev/null"})
    assert not file.exists()
    assert pager.show(["line"] * 99, PERSON, variables)
    assert file.read_text() == "line\n" * 99


def test_where_there_is_no_less_and_no_pager_was_named_nobody_hears_of_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not pager.show(["line"] * 99, PERSON, {"PATH": str(tmp_path)})
    assert capfd.readouterr() == ("", "")


def test_every_command_with_a_dry_run_names_the_fields_of_its_json() -> None:
    tried = [each for each in map(declared, COMMANDS) if any("--dry-run" in one.names for one in each.arguments)]

    assert len(tried) > 10
    assert [each for each in tried if not {"dry_run", "verb", "count", "is_exact"} <= set(each.fields or ())] == []


# variables


def test_every_option_of_the_worker_has_a_variable() -> None:
    without = [each.names[-1] for each in declared("worker").options if not each.env]

    assert [each for each in without if each not in ("--once", "--verbose")] == []


def test_env_says_what_holds_and_where_it_comes_from(run: Run, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIGQ_LEASE", "20s")
    found = {each["name"]: each for each in run("env", "--json").json}

    assert (found["GIGQ_DB"]["value"], found["GIGQ_DB"]["source"]) == (path, "command line")
    assert (found["GIGQ_LEASE"]["value"], found["GIGQ_LEASE"]["source"]) == ("20s", "environment")
    assert (found["GIGQ_MODE"]["value"], found["GIGQ_MODE"]["source"]) == ("thread", "default")


def test_env_finds_wrong_values_and_unknown_names(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIGQ_CONCURRENCY", "many")
    monkeypatch.setenv("GIGQ_LEESE", "20s")
    outcome = run("env")

    assert outcome.code == 1
    assert "gigq: GIGQ_CONCURRENCY: 'many' is not a whole number of at least 1\n" in outcome.err
    assert "gigq: GIGQ_LEESE means nothing to gigq; did you mean 'GIGQ_LEASE'" in outcome.err


def test_what_was_typed_counts_for_more_than_a_variable_and_excludes_it(
    run: Run, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIGQ_BURST", "yes")

    assert run("worker", "--once").out == "No jobs available to process.\n"
    assert run("worker").code == 0  # as with --burst: there is nothing to do
    monkeypatch.setenv("GIGQ_BURST", "perhaps")
    assert run("worker").err == "gigq: GIGQ_BURST: 'perhaps' is neither yes nor no\n"


# help


def test_the_help_lists_each_group_each_command_and_each_exit_code(run: Run) -> None:
    out = run("--help").out

    assert out.index("Examples:") < min(out.index(f"{title}:") for title in GROUPS.values())
    assert all(f"\n  {words.split()[0]} " in out for words in COMMANDS)
    assert all(f"\n  {code} " in out for code in EXIT_CODES)
    assert all(len(line) <= 80 for line in out.splitlines())


@pytest.mark.parametrize("topic", TOPICS)
def test_each_topic_is_explained_within_the_width(run: Run, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    outcome = run("help", topic)

    assert (outcome.code, outcome.err) == (0, "")
    assert len(outcome.out) > 200
    assert all(len(line) <= 60 for line in outcome.out.splitlines())


def test_help_shows_how_to_use_a_command_and_guesses(run: Run) -> None:
    assert run("help", "schedule", "add") == run("schedule", "add", "--help")
    assert run("help", "schedule").out == run("schedule").out
    assert run("help").out == run("--help").out
    outcome = run("help", "exit-cods")
    assert outcome.code == 2
    assert outcome.err == "gigq: there is no command or topic 'exit-cods'; did you mean 'exit-codes'?\n"


@pytest.mark.parametrize("words", COMMANDS)
def test_the_help_of_a_command_fits_and_says_what_is_typed(run: Run, words: str) -> None:
    out = run(*words.split(), "--help").out

    assert out.startswith(f"usage: {typed_words(words, declared(words))}\n")
    assert all(each.help for each in declared(words).arguments)


# completion


def offered(path: str, *typed: str) -> list[str]:
    return [value for value, _ in candidates(typed[:-1], typed[-1], {"GIGQ_DB": path})]


def test_a_shell_is_offered_commands_options_choices_and_what_the_queue_holds(path: str, queue: JobQueue) -> None:
    queue.configure("mail", max_running=1)
    job_id = queue.submit(Job("send it", "functions.nothing", queue="mail", tags=["night"]))
    queue.schedules.add("tidy", "functions.nothing", every=60)

    assert offered(path, "sta") == ["status", "stats"]
    assert offered(path, "schedule", "p") == ["preview", "pause"]
    assert offered(path, "list", "--li") == ["--limit"]
    assert offered(path, "list", "--status", "f") == ["failed"]
    assert offered(path, "list", "--queue", "") == offered(path, "pause", "m") == ["mail"]
    assert offered(path, "list", "--queue=m") == ["--queue=mail"]
    assert offered(path, "list", "--name", "s") == ["send it"]
    assert offered(path, "list", "--tag", "") == ["night"]
    assert offered(path, "schedule", "run", "") == ["tidy"]
    assert offered(path, "status", "") == [job_id[-8:]]
    assert offered(path, "status", job_id[:9]) == [job_id]
    assert offered(path, "list", "--json=id,sta") == ["--json=id,status", "--json=id,started_at"]
    assert offered(path, "completion", "") == ["bash", "zsh", "fish"]
    assert "exit-codes" in offered(path, "help", "e")
    assert list(candidates(["--db"], "", {})) == [FILES]
    assert offered(path, "nonsense", "") == []


def completed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[str, str]:
    capsys.readouterr()
    assert main(["__complete", *words]) == 0
    out, err = capsys.readouterr()
    return out, err


def test_a_word_that_cannot_be_typed_is_not_offered(
    path: str, queue: JobQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("plain", "two words", "a\x1b[2Jb", "\u202edrow", "it's"):
        queue.submit(Job(name, "functions.nothing", description="\x1b]52;c;x\x07"))

    out, _ = completed(capsys, "bash", "9", "--db", path, "list", "--name", "")

    assert sorted(out.splitlines()) == sorted(["plain", "'two words'", "'it'\"'\"'s'"])


def test_bash_inserts_what_comes_after_an_equals_sign(
    path: str, queue: JobQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    queue.configure("mail", max_running=1)

    assert completed(capsys, "bash", "9", "--db", path, "list", "--queue", "=", "m")[0] == "mail\n"


@pytest.mark.parametrize("kind", ["missing", "foreign", "locked", "folder"])
def test_completion_is_silent_on_any_fault(
    path: str, queue: JobQueue, capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str
) -> None:
    file = str(tmp_path / "other.db")
    if kind == "foreign":
        file = __file__
    if kind == "folder":
        os.mkdir(file)
    if kind == "locked":
        JobQueue(file).close()
    with closing(sqlite3.connect(file if kind == "locked" else path, isolation_level=None)) as holder:
        if kind == "locked":
            holder.execute("PRAGMA locking_mode = EXCLUSIVE")
            holder.execute("BEGIN EXCLUSIVE")
        assert completed(capsys, "bash", "9", "--db", file, "list", "--queue", "") == ("", "")


def test_the_script_for_bash_can_be_read_by_bash(run: Run) -> None:
    for shell in ("bash", "zsh", "fish"):
        script = run("completion", shell).out
        assert script == SCRIPTS[shell]
        if shutil.which(shell):
            subprocess.run([shell, "-n"], input=script, text=True, check=True)


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish")
def test_fish_offers_files_behind_an_equals_sign_and_keeps_the_order(tmp_path: Path) -> None:
    asked = f"""
        function gigq; if string match -q -- '--db*' $argv[-1]; echo \\t"files"; else; echo z; echo a; end; end
        {SCRIPTS["fish"]}
        complete -C "gigq --db=q"; complete -C "gigq "
    """
    (tmp_path / "queue.db").touch()

    shown = subprocess.run(["fish", "-N", "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["--db=queue.db", "z", "a"]


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash_asks_for_words(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    (tmp_path / "gigq").write_text(f"#!/bin/sh\necho \"$*\" > '{asked}'\necho 'two words'\necho '*'\n")
    (tmp_path / "gigq").chmod(0o755)
    typing = "COMP_WORDS=(gigq list --na); COMP_CWORD=2; COMP_TYPE=9; _gigq"
    script = SCRIPTS["bash"] + typing + "; printf '%s\\n' \"${COMPREPLY[@]}\""

    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=path, cwd=tmp_path, capture_output=True, text=True)

    assert (done.stdout, asked.read_text()) == ("two words\n*\n", "__complete bash 9 list --na\n")
