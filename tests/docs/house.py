"""Draws the map of the code: the floors of `tests/test_floors.py`, the modules on them, and what each module does."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from gigq.cli.commands import COMMANDS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "gigq"

LABELS = {
    "__init__": "package",
    "cli/": "faces",
    "workflow": "sugar",
    "worker/": "worker",
    "queue/": "queue",
    "store/": "core",
    "errors": "rules",
}
"""What a floor is called, by one of its rooms."""


@dataclass(frozen=True)
class Room:
    """A module that lies at the top, or a folder with all its modules.

    Attributes:
        modules: of a folder: lists of module names by the folder inside it in which they lie, empty for none.
    """

    name: str
    modules: dict[str, list[str]]


def floors() -> list[list[Room]]:
    """The floors from the top, with the rooms that are built."""
    found = [[room(name) for name in names.split() if (PACKAGE / file_of(name)).exists()] for names in _table()]
    return list(reversed(found))


def file_of(name: str) -> str:
    return name if name.endswith("/") else f"{name}.py"


def room(name: str) -> Room:
    modules: dict[str, list[str]] = {}
    if name.endswith("/"):
        for path in sorted((PACKAGE / name).rglob("*.py")):
            if not path.name.startswith("__"):
                inside = path.parent.relative_to(PACKAGE / name).as_posix()
                modules.setdefault("" if inside == "." else f"{inside}/", []).append(path.stem)
    return Room(name, dict(sorted(modules.items())))


def _table() -> tuple[str, ...]:
    """`FLOORS` from the test of the floors, read without importing it."""
    tree = ast.parse((ROOT / "tests/test_floors.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FLOORS":
            table: tuple[str, ...] = ast.literal_eval(node.value)
            return table
    raise LookupError("FLOORS")


# the picture

WIDTH, _GUTTER, PAD, _LINE, _GAP = 880, 108, 12, 22, 14
_LETTER, _SPACE = 7.83, 14

_STYLE = """
    text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; }
    .label { font: 14px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #57606a; }
    .title { font-weight: 700; }
    .inside { font-weight: 700; fill: #57606a; }
    rect { fill: #f6f8fa; stroke: #57606a; stroke-width: 1.5; }
    rect.folder { fill: #ddf4ff; stroke: #0969da; }
    path { fill: none; stroke: #57606a; stroke-width: 1.5; }
    marker path { fill: #57606a; stroke: none; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .label, .inside { fill: #9da7b3; }
      rect { fill: #21262d; stroke: #9da7b3; }
      rect.folder { fill: #0c2d4d; stroke: #58a6ff; }
      path { stroke: #9da7b3; }
      marker path { fill: #9da7b3; }
    }
"""


def picture() -> str:
    """The floors as SVG."""
    body: list[str] = []
    top = 12
    for rooms in floors():
        drawn, height = _floor(rooms, top)
        body += [_label(rooms, top + height // 2), *drawn]
        top += height + _GAP
    height = top - _GAP + 12
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
            f' height="{height}" role="img" aria-labelledby="title">',
            '  <title id="title">The floors of gigq and their modules; imports go down</title>',
            f"  <style>{_STYLE}  </style>",
            '  <defs><marker id="arrow" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="8" markerHeight="8"'
            ' markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 L8 4 L0 8 Z"/></marker></defs>',
            f'  <path d="M28 14 V{height - 16}" marker-end="url(#arrow)"/>',
            f'  <text class="label" transform="translate(18 {height // 2}) rotate(-90)" text-anchor="middle">'
            "imports go down</text>",
            *body,
            "</svg>",
            "",
        ]
    )


def _label(rooms: list[Room], middle: int) -> str:
    (label,) = [LABELS[room.name] for room in rooms if room.name in LABELS]
    return f'  <text class="label" x="40" y="{middle + 5}">{label}</text>'


def _floor(rooms: list[Room], top: int) -> tuple[list[str], int]:
    """A floor of folders side by side, or one box of modules, with the folders among them inside."""
    width = WIDTH - _GUTTER - PAD
    if not all(room.name.endswith("/") for room in rooms):
        inside = {room.name: room.modules[""] for room in rooms if room.name.endswith("/")}
        alone = [room.name for room in rooms if not room.name.endswith("/")]
        return _box("", {"": alone, **inside}, left=_GUTTER, top=top, width=width)
    widths = _shares(rooms, width)
    lefts = [_GUTTER + sum(widths[:number]) + _GAP * number for number in range(len(rooms))]
    heights = [
        _box(each.name, each.modules, left=0, top=0, width=wide)[1] for each, wide in zip(rooms, widths, strict=True)
    ]
    lines: list[str] = []
    for each, wide, left in zip(rooms, widths, lefts, strict=True):
        lines += _box(each.name, each.modules, left=left, top=top, width=wide, height=max(heights))[0]
    return lines, max(heights)


def _shares(rooms: list[Room], width: int) -> list[int]:
    """The widths of folders side by side, in proportion to their letters, but none too narrow."""
    letters = [max(60, sum(len(name) + 2 for names in room.modules.values() for name in names)) for room in rooms]
    return [int((width - _GAP * (len(rooms) - 1)) * each / sum(letters)) for each in letters]


def _box(
    title: str, modules: dict[str, list[str]], *, left: int, top: int, width: int, height: int | None = None
) -> tuple[list[str], int]:
    texts, line = [], 1
    if title:
        texts.append(_text("title", left + PAD, top, line, title))
        line += 1
    for inside, names in modules.items():
        start = left + PAD
        if inside:
            texts.append(_text("inside", start, top, line, inside))
            start += round(len(inside) * _LETTER) + _SPACE
        x: float = start
        for name in names:
            if x > start and x + len(name) * _LETTER > left + width - PAD:
                x, line = start, line + 1
            texts.append(_text("", x, top, line, name))
            x += len(name) * _LETTER + _SPACE
        line += 1
    height = height or (line - 1) * _LINE + PAD
    kind = ' class="folder"' if title else ""
    return [f'  <rect{kind} x="{left}" y="{top}" width="{width}" height="{height}" rx="8"/>', *texts], height


def _text(kind: str, x: float, top: int, line: int, text: str) -> str:
    shown = f' class="{kind}"' if kind else ""
    return f'  <text{shown} x="{x:g}" y="{top + line * _LINE - 1}">{text}</text>'


# the lists


def modules() -> str:
    """Every module by floor, from the top, with what the first line of its docstring says."""
    lines: list[str] = []
    for rooms in floors():
        alone = [each.name for each in rooms if not each.modules]
        if alone:
            (label,) = [LABELS[name] for name in alone if name in LABELS]
            lines += _section(f"gigq/: {label}", "", ((name, PACKAGE / f"{name}.py") for name in alone))
        for each in rooms:
            for inside, names in each.modules.items():
                folder = PACKAGE / each.name / inside
                about = first_line(folder / "__init__.py")
                lines += _section(f"gigq/{each.name}{inside}", about, ((name, folder / f"{name}.py") for name in names))
    return "\n".join(lines)


def _section(title: str, about: str, paths: Iterable[tuple[str, Path]]) -> list[str]:
    text = [*re.split(r"(?<=[.!?]) (?=[A-Z])", about), ""] if about else []
    return [f"### {title}", "", *text, *_head(), *(_row(name, path) for name, path in paths), ""]


def _head() -> list[str]:
    return ["| module | |", "| --- | --- |"]


def _row(name: str, path: Path) -> str:
    link = f"../../{path.relative_to(ROOT).as_posix()}"
    return f"| [`{name}`]({link}) | {first_line(path)} |"


def first_line(path: Path) -> str:
    """What a module's docstring says in its first line."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n\n")[0].replace("\n", " ").replace("``", "`").replace("|", "\\|")


def slices() -> str:
    """The words that name a module in more than one folder, and where."""
    folders = ("queue", "worker", "store", "cli")
    where = {word: [folder for folder in folders if (PACKAGE / folder / f"{word}.py").exists()] for word in _words()}
    lines = ["| word | " + " | ".join(f"`{folder}/`" for folder in folders) + " |", "| --- " * 5 + "|"]
    for word, found in where.items():
        if len(found) > 1:
            cells = (f"[`{word}.py`](../../gigq/{each}/{word}.py)" if each in found else "" for each in folders)
            lines.append(f"| {word} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _words() -> list[str]:
    return sorted({path.stem for path in PACKAGE.glob("*/*.py") if not path.name.startswith("__")})


def commands() -> str:
    """The modules of the command line that have commands, and which."""
    found: dict[str, list[str]] = {}
    for words, row in COMMANDS.items():
        found.setdefault(row.module, []).append(f"`{words}`")
    rows = (f"| [`{module}.py`](../../gigq/cli/commands/{module}.py) | {', '.join(some)} |" for module, some in found.items())
    return "\n".join(["| module | commands |", "| --- | --- |", *rows]) + "\n"


PARTS: dict[str, Callable[[], str]] = {"modules": modules, "slices": slices, "commands": commands}
