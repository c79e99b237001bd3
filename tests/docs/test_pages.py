"""The pages of the documentation: their code runs and prints what they show, and their links work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from soundness import problems_in

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOT_RUN = re.compile(r"<!-- not run: [^>]+-->\n$")
_FILE = re.compile(r"<!-- file: (\S+) -->\n$")
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
_MARK = "\x1e"


@dataclass(frozen=True)
class Block:
    """A fenced block, and the line of the page on which its code begins.

    Attributes:
        file: a file that the page tells its reader to make of the block; then it runs only where a command runs it.
        output: what the page shows that it prints.
    """

    language: str
    code: str
    line: int
    file: str | None = None
    output: str | None = None


def blocks_of(page: Path) -> list[Block]:
    """The blocks of a page that are run, each with the ```text block that follows it."""
    text = page.read_text()
    found: list[Block] = []
    for match in _BLOCK.finditer(text):
        language, code = match.groups()
        if _NOT_RUN.search(text[: match.start()]):
            continue
        if language == "text":
            assert found and found[-1].output is None, f"{page}: what prints {code!r}?"
            found[-1] = replace(found[-1], output=code)
        elif language in ("python", "sh"):
            file = _FILE.search(text[: match.start()])
            line = text.count("\n", 0, match.start(2)) + 1
            found.append(Block(language, code, line, file and file[1]))
    return found


def script_of(blocks: list[Block]) -> str:
    """One script of a page's Python blocks, each on its own lines of the page; a mark ends the output of each."""
    lines: list[str] = []
    for block in blocks:
        lines += [""] * (block.line - 1 - len(lines))
        lines += [*block.code.splitlines(), f"print({_MARK!r}, end='', flush=True)"]
    return "\n".join(lines) + "\n"


def shell_script_of(blocks: list[Block]) -> str:
    """One script of a page's shell blocks, as a reader types them into one terminal."""
    return "".join(f"{block.code}printf '{_MARK}'\n" for block in blocks)


def matches(shown: str, printed: str) -> bool:
    """Whether the output is the one shown, in which … stands for any text in a line, or alone for any lines."""
    lines = ["(?:.*\n)*?" if line.strip() == "…" else _any_text(line) + "\n" for line in shown.splitlines()]
    return re.fullmatch("".join(lines), printed) is not None


def _any_text(line: str) -> str:
    return ".*?".join(re.escape(part) for part in line.split("…"))


def environment(folder: Path) -> dict[str, str]:
    """A shell in which `python`, `python3` and `gigq` are those of this checkout."""
    commands = folder / "commands"
    commands.mkdir()
    for name, command in (("python", ""), ("python3", ""), ("gigq", "-m gigq")):
        script = commands / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S {command} "$@"\n')  # the quickest start
        script.chmod(0o700)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIGQ_")},
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }


def run(command: list[str], folder: Path, env: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def prose_of(page: Path) -> Iterator[tuple[int, str]]:
    """The numbered lines of a page that are neither code nor tables nor headings, without the signs of lists."""
    is_code = False
    for number, line in enumerate(page.read_text().splitlines(), start=1):
        if line.startswith("```"):
            is_code = not is_code
        elif not is_code and line and not line.startswith(("|", "#", "<")):
            yield number, re.sub(r"^ *(\d+\.|-) ", "", line)


def run_page(name: str, folder: Path) -> list[tuple[Block, str]]:
    """Follow a page in an empty folder: its blocks, and what each has printed."""
    blocks = blocks_of(ROOT / name)
    python = [block for block in blocks if block.language == "python" and not block.file]
    shell = [block for block in blocks if block.language == "sh"]
    env = environment(folder)
    outputs: list[str] = []
    for block in blocks:
        if block.file:
            (folder / block.file).write_text(block.code)
    if python:
        script = f"{Path(name).stem.replace('-', '_').replace('.', '_').lower()}.py"
        (folder / script).write_text(script_of(python))
        outputs = run([sys.executable, "-S", "-W", "error", script], folder, env).split(_MARK)[:-1]
    if shell:
        outputs += run(["bash", "-e", "-c", shell_script_of(shell)], folder, env).split(_MARK)[:-1]
    return list(zip([*python, *shell], outputs, strict=True))


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Any]]]:
    """The pages that are to be tested, each followed in a process of its own, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        items = [item for item in request.session.items if "runs" in getattr(item, "fixturenames", ())]
        names = [str(item.callspec.params["name"]) for item in items if isinstance(item, pytest.Function)]
        yield {name: pool.submit(_in_a_folder, name, tmp_path_factory.mktemp("page")) for name in names}


def _in_a_folder(name: str, folder: Path) -> tuple[list[tuple[Block, str]], list[str]]:
    return run_page(name, folder), problems_in(folder)


@pytest.mark.parametrize("name", [name for name in NAMES if blocks_of(ROOT / name)])
def test_the_code_of_a_page_runs_and_prints_what_the_page_shows(name: str, runs: dict[str, Future[Any]]) -> None:
    blocks, problems = runs[name].result()
    for block, printed in blocks:
        if block.output is not None:
            assert matches(block.output, printed), f"{name}, line {block.line}: printed\n{printed}"
    assert problems == []


@pytest.mark.parametrize("name", NAMES)
def test_the_links_of_a_page_lead_to_files(name: str) -> None:
    page = ROOT / name
    targets = [target.partition("#")[0] for _, target in _LINK.findall(page.read_text()) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_links_of_a_page_lead_to_headings(name: str) -> None:
    page = ROOT / name
    targets = [target.partition("#") for _, target in _LINK.findall(page.read_text()) if "://" not in target]
    anchors = [(page.parent / file if file else page, anchor) for file, _, anchor in targets if anchor]
    assert [f"{file}#{anchor}" for file, anchor in anchors if anchor not in anchors_of(file)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_link_with_the_name_of_a_test_leads_to_the_file_that_has_it(name: str) -> None:
    page = ROOT / name
    named = [(text.strip("`"), target) for text, target in _LINK.findall(page.read_text())]
    tests = [(test, target) for test, target in named if test.startswith("test_") and not test.endswith(".py")]
    assert [test for test, target in tests if f"\ndef {test}(" not in "\n" + (page.parent / target).read_text()] == []


@pytest.mark.parametrize("name", ["reliability.md", "proofs.md"])
def test_every_guarantee_and_every_proof_names_what_holds_it(name: str) -> None:
    sections = re.split(r"^## ", (ROOT / "docs/explanation" / name).read_text(), flags=re.MULTILINE)[1:]
    assert len(sections) >= 6
    proof = r"\[`test_|^```sh$|`JobQueue.check\(\)`"
    assert [section.splitlines()[0] for section in sections if not re.search(proof, section, re.MULTILINE)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_line_of_prose_holds_one_sentence(name: str) -> None:
    full = [
        (number, line)
        for number, line in prose_of(ROOT / name)
        if re.search(r"[.!?] +[A-Z]", re.sub(r"`[^`]*`", "x", line))
    ]
    assert full == []


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_in_the_table_of_contents(name: str) -> None:
    contents = (ROOT / "docs/README.md").read_text()
    assert name in ("README.md", "docs/README.md") or f"({name.removeprefix('docs/')})" in contents


@pytest.mark.parametrize("name", NAMES)
def test_no_page_installs_the_older_package_of_this_name(name: str) -> None:
    assert not re.search(r"pip install (-\S+ )*gigq", (ROOT / name).read_text())


def test_the_readme_can_be_tried_with_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    block = _BLOCK.search(text, text.index("## Try it"))
    assert block is not None
    assert block.group(2).splitlines() == [
        "PYTHONPATH=. python3 examples/library_census.py",
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/python -m pytest -n 2 --dist loadfile",
    ]
