"""Writes the parts of the documentation that follow from the code: `python tests/docs/generate.py` rewrites them."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import house  # noqa: E402
import interface  # noqa: E402
import pictures  # noqa: E402

from gigq import ExecutionStatus, JobQueue, JobStatus  # noqa: E402
from gigq import status as status_module  # noqa: E402
from gigq.status import Move, move_after  # noqa: E402
from gigq.store import tables as tables_of_file  # noqa: E402
from gigq.store.engine.database import Transaction  # noqa: E402
from gigq.store.indexes import INDEXES  # noqa: E402

LIFE = ROOT / "docs/explanation/life-of-a-job.md"
PICTURE = ROOT / "docs/explanation/life-of-a-job.svg"
SCHEMA = ROOT / "docs/reference/schema.md"
INTERFACE = ROOT / "docs/reference/api.md"
ARCHITECTURE = ROOT / "docs/explanation/architecture.md"
FLOORS = ROOT / "docs/explanation/floors.svg"
WORKFLOWS = ROOT / "docs/how-to/pictures.md"
PHOTOS = ROOT / "docs/how-to/photos.svg"
ARCHIVE = ROOT / "docs/how-to/archive.svg"
DUPLICATES = ROOT / "docs/how-to/duplicates.svg"


def main() -> None:
    for path, text in generated().items():
        path.write_text(text)


@cache
def generated() -> dict[Path, str]:
    """What each file with generated parts should hold; what is outside the markers is kept."""
    pages = (LIFE, SCHEMA, INTERFACE, ARCHITECTURE, WORKFLOWS)
    drawn = {PICTURE: picture(), FLOORS: house.picture()}
    drawn |= {PHOTOS: pictures.photos_svg(), ARCHIVE: pictures.archive_svg(), DUPLICATES: pictures.duplicates_svg()}
    return drawn | {page: filled(page.read_text()) for page in pages}


def filled(text: str) -> str:
    """The text of a page, with what is between its markers rewritten."""

    def fill(match: re.Match[str]) -> str:
        return f"<!-- generated: {match[1]} -->\n\n{PARTS[match[1]]()}\n<!-- end -->"

    return re.sub(r"<!-- generated: ([\w ]+) -->\n.*?<!-- end -->", fill, text, flags=re.DOTALL)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


# the words of status.py


def _words(name: str, head: str = "status") -> str:
    """The members of an enum of status.py that have a docstring, and what it says."""
    tree = ast.parse(Path(status_module.__file__).read_text())
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name).body
    rows = []
    for member, meaning in pairwise(body):
        if isinstance(member, ast.Assign) and isinstance(meaning, ast.Expr):
            rows.append([f"`{ast.literal_eval(member.value)}`", ast.literal_eval(meaning.value)])
    return _table([head, "means"], rows)


# the moves


def mermaid() -> str:
    lines = ["stateDiagram-v2", "    direction LR", "    [*] --> pending: submit"]
    for (source, target), labels in _edges().items():
        lines.append(f"    {source} --> {target}: {' / '.join(labels)}")
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def _edges() -> dict[tuple[str, str], list[str]]:
    """The labels of the moves from one status to another."""
    edges: dict[tuple[str, str], list[str]] = {}
    for move in Move:
        for source in move.sources:
            edges.setdefault((source.value, move.target.value), []).append(move.label)
    return edges


def decisions() -> str:
    rows = []
    for ended in ExecutionStatus:
        if ended is not ExecutionStatus.RUNNING:
            moves = [
                move_after(ended, is_final=False, attempts_left=1),
                move_after(ended, is_final=False, attempts_left=0),
                move_after(ended, is_final=True, attempts_left=1),
            ]
            rows.append([f"`{ended}`", *(f"{move.label} → `{move.target}`" for move in moves)])
    return _table(["the execution ended", "attempts left", "none left", "another attempt is pointless"], rows)


_CENTRES = {"pending": (110, 140), "running": (390, 140), "completed": (670, 70), "failed": (670, 140),
            "timeout": (670, 210), "cancelled": (390, 290)}  # fmt: skip
_WIDTH, _HEIGHT = 120, 44

# The path of the line from one status to the next, and where its label is, if it has one of its own.
_WAYS: dict[tuple[str, str], tuple[str, tuple[int, int, str] | None]] = {
    ("pending", "running"): ("M170 140 H322", (250, 132, "middle")),
    ("running", "completed"): ("M450 130 C530 130 520 70 602 70", (596, 62, "end")),
    ("running", "pending"): ("M390 118 V78 Q390 62 374 62 H126 Q110 62 110 78 V110", (250, 54, "middle")),
    ("running", "failed"): ("M450 140 H602", (596, 132, "end")),
    ("running", "timeout"): ("M450 150 C530 150 520 210 602 210", (596, 229, "end")),
    ("pending", "cancelled"): ("M140 162 V274 Q140 290 156 290 H322", (250, 282, "middle")),
    ("running", "cancelled"): ("M390 162 V260", (398, 222, "start")),
    ("failed", "pending"): ("M730 140 H754 Q770 140 770 156 V210", None),
    ("timeout", "pending"): ("M730 210 H770 V344 Q770 360 754 360 H106 Q90 360 90 344 V170", (580, 352, "middle")),
    ("cancelled", "pending"): ("M390 312 V360", None),
    ("completed", "pending"): ("M670 48 V36 Q670 20 654 20 H106 Q90 20 90 36 V110", (380, 12, "middle")),
}

_STYLE = """
    text { font: 15px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
    .label { font-size: 13px; fill: #57606a; }
    rect { fill: #f6f8fa; stroke: #57606a; stroke-width: 1.5; }
    .pending, .running { fill: #ddf4ff; stroke: #0969da; }
    .completed { fill: #dafbe1; stroke: #1a7f37; }
    .failed, .timeout { fill: #ffebe9; stroke: #cf222e; }
    path { fill: none; stroke: #57606a; stroke-width: 1.5; }
    .back { stroke-dasharray: 5 4; }
    marker path { fill: #57606a; stroke: none; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .label { fill: #9da7b3; }
      rect { fill: #21262d; stroke: #9da7b3; }
      .pending, .running { fill: #0c2d4d; stroke: #58a6ff; }
      .completed { fill: #12341d; stroke: #3fb950; }
      .failed, .timeout { fill: #4b1113; stroke: #f85149; }
      path { stroke: #9da7b3; }
      marker path { fill: #9da7b3; }
    }
"""


def picture() -> str:
    """The statuses and moves as SVG. A move for which no path is drawn is a KeyError."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-24 -6 814 382" width="814" height="382" role="img"'
        ' aria-labelledby="title">',
        '  <title id="title">The six statuses of a job and the moves between them</title>',
        f"  <style>{_STYLE}  </style>",
        '  <defs><marker id="arrow" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="8" markerHeight="8"'
        ' markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 L8 4 L0 8 Z"/></marker></defs>',
        '  <path d="M-20 140 H42" marker-end="url(#arrow)"/>',
        '  <text class="label" x="-12" y="132">submit</text>',
    ]
    for edge, labels in _edges().items():
        parts += _edge(edge, labels)
    for status in JobStatus:
        x, y = _CENTRES[status]
        left, top = x - _WIDTH // 2, y - _HEIGHT // 2
        parts.append(f'  <rect class="{status}" x="{left}" y="{top}" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>')
        parts.append(f'  <text x="{x}" y="{y + 5}" text-anchor="middle">{status}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _edge(edge: tuple[str, str], labels: list[str]) -> Iterable[str]:
    way, place = _WAYS[edge]
    looks = ' class="back"' if edge[1] == JobStatus.PENDING else ""
    end = ' marker-end="url(#arrow)"' if place else ""  # without a label it runs into another line, which has the arrow
    yield f'  <path{looks} d="{way}"{end}/>'
    if place:
        x, y, anchor = place
        yield f'  <text class="label" x="{x}" y="{y}" text-anchor="{anchor}">{", ".join(labels)}</text>'


# the tables

_PLAIN = {
    ("jobs", "status"): "the status of the job",
    ("jobs", "on_parent_failure"): "what happens to it when a parent ends badly",
    ("executions", "job_seq"): "the job",
    ("executions", "started_at"): "when it was claimed",
    ("executions", "completed_at"): "when it ended, however it ended",
    ("executions", "traceback"): "of the exception",
    ("job_dependencies", "child"): "the job that waits",
    ("job_dependencies", "parent"): "the job that it waits for",
    ("job_tags", "job_seq"): "the job",
    ("job_tags", "tag"): "a word to find it by",
    ("job_workers", "started_at"): "when the worker started",
    ("job_steps", "job_seq"): "the job",
    ("job_steps", "started_at"): "when its function was called",
    ("job_steps", "completed_at"): "when it was remembered",
}
"""The meaning of columns whose names need no comment in the SQL."""


def tables() -> str:
    return _from_file(lambda tx: "\n".join(_one_table(tx, name) for name in tables_of_file.TABLES))


def indexes() -> str:
    def read(tx: Transaction) -> str:
        found = dict(tx.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
        assert found.keys() == INDEXES.keys()
        return _table(
            ["index", "on", "serves"], ([f"`{name}`", *_index(sql)] for name, sql in INDEXES.items())
        )

    return _from_file(read)


def views() -> str:
    def read(tx: Transaction) -> str:
        found = [name for (name,) in tx.execute("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY rowid")]
        return _table(["view", "columns"], ([f"`{name}`", ", ".join(_columns(tx, name))] for name in found))

    return _from_file(read)


def _one_table(tx: Transaction, name: str) -> str:
    sql: str = tx.value("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
    comments = dict(re.findall(r"^  (\w+) [^\n]*?-- ([^\n]+)$", sql, re.MULTILINE))
    checks = dict(re.findall(r"^  (\w+) [^\n]*?CHECK \(([^()]* = '[^()]*)\)", sql, re.MULTILINE))
    choices = {column: ", ".join(re.findall(r"'\w+'", check)) for column, check in checks.items()}
    rows = []
    for _, column, kind, not_null, _, key in tx.execute(f"PRAGMA table_info({name})").fetchall():
        meaning = comments.get(column) or _PLAIN[name, column]
        if column in choices:
            meaning += f": one of {choices[column].replace(chr(39), '`')}" if kind == "TEXT" else ""
        rows.append([f"`{column}`", kind, "" if not_null or key else "yes", meaning.strip().rstrip(",")])
    return f"### {name}\n\n" + _table(["column", "type", "NULL", "meaning"], rows)


def _index(sql: str) -> list[str]:
    head, rest = sql.strip().split("\n", 1)
    create, comment = head.split(" -- ")
    unique = "unique: " if "UNIQUE" in create else ""
    on = re.sub(r"\s+", " ", rest).strip().removeprefix("ON ")
    return [f"{unique}`{on}`", comment]


def _columns(tx: Transaction, name: str) -> list[str]:
    return [f"`{row[1]}`" for row in tx.execute(f"PRAGMA table_info({name})").fetchall()]


def _from_file(read: Callable[[Transaction], str]) -> str:
    """What a freshly created file says."""
    with (
        TemporaryDirectory() as folder,
        JobQueue(Path(folder) / "jobs.db") as queue,
        queue.database.read() as tx,
    ):
        return read(tx)


PARTS: dict[str, Callable[[], str]] = {
    "statuses": lambda: _words("JobStatus"),
    "phases": lambda: _words("Phase", "phase"),
    "execution statuses": lambda: _words("ExecutionStatus"),
    "moves": mermaid,
    "decisions": decisions,
    "tables": tables,
    "indexes": indexes,
    "views": views,
    "workflow in the terminal": pictures.photos_text,
    **interface.PARTS,
    **house.PARTS,
}

if __name__ == "__main__":
    main()
