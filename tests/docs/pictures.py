"""Draws the pictures of workflows in the documentation, under a clock that stands still."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gigq import Job, JobQueue, ManualClock, Phase, Workflow, current_job
from gigq.drawing.graph import Edge, Graph, Node
from gigq.drawing.stored import graph_of
from gigq.drawing.svg import to_svg
from gigq.drawing.text import Terminal, to_text
from gigq.queue import workflows

CLOCK = ManualClock()
SECONDS = {"beach.jpg": 0.8, "city.jpg": 2.4}


def list_photos() -> None:
    """Find the photos, and have each of them hashed."""
    CLOCK.advance(1.2)
    for name in ("beach.jpg", "city.jpg", "lake.jpg", "sunset.jpg"):
        current_job().submit(Job(f"hash {name}", hash_photo, {"name": name}, retry_delay=30))


def hash_photo(name: str) -> None:
    CLOCK.advance(SECONDS.get(name, 0.3))
    if name not in SECONDS:
        raise OSError(f"{name} cannot be read")


def find_duplicates() -> None:
    """Not reached in the picture."""


@contextmanager
def photos() -> Iterator[tuple[JobQueue, Workflow]]:
    """A workflow in the middle of its work."""
    CLOCK.set("2026-01-01T00:00:00Z")
    with JobQueue(":memory:", clock=CLOCK) as queue:
        workflow = Workflow("photos")
        listed = workflow.add_job(Job("list photos", list_photos))
        duplicates = workflow.add_job(Job("find duplicates", find_duplicates), depends_on=listed)
        workflow.add_job(Job("delete copies", find_duplicates), depends_on=duplicates)
        workflow.at_end(Job("send report", find_duplicates))
        workflow.submit_all(queue)
        for _ in range(4):
            claim = queue.dequeue("worker")
            assert claim is not None
            queue.execute_job(claim)
        queue.dequeue("worker")
        CLOCK.advance(4)
        yield queue, workflow


def photos_svg() -> str:
    with photos() as (queue, workflow):
        return workflow.to_svg(queue) + "\n"


FILES = ("photos/beach.jpg", "photos/2025/lake.jpg", "photos/2025/city.jpg", "photos/2026/sunset.jpg")


def duplicates_svg() -> str:
    """The workflow of the example, when it knows of all of its jobs."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
    import find_duplicates

    CLOCK.set("2026-01-01T00:00:00Z")
    with TemporaryDirectory() as folder, JobQueue(":memory:", clock=CLOCK) as queue:
        for file in FILES:
            Path(folder, file).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, file).write_text(file)
        workflow = find_duplicates.plan(Path(folder, "photos"), Path(folder, "report"))
        workflow.submit_all(queue)
        for _ in range(4):
            claim = queue.dequeue("worker")
            assert claim is not None
            CLOCK.advance(0.1)
            queue.execute_job(claim)
        queue.dequeue("worker")
        return workflow.to_svg(queue) + "\n"


def archive_svg() -> str:
    """A workflow with more jobs than anybody would look at one by one."""
    phases = [Phase.COMPLETED] * 811 + [Phase.FAILED] * 9 + [Phase.RUNNING] * 16 + [Phase.READY] * 364
    fetched = [Node(f"page {number}", f"page {number}", "app:fetch", phase) for number, phase in enumerate(phases)]
    first, last = Node("list", "list pages", "app:list", Phase.COMPLETED, "in 3.1 s"), Node("zip", "pack", "app:pack")
    edges = [edge for node in fetched for edge in (Edge("list", node.id), Edge(node.id, "zip"))]
    nodes = [first, *fetched, last._replace(phase=Phase.WAITING)]
    return f"{to_svg(Graph('archive', nodes, edges))}\n"


def photos_text() -> str:
    with photos() as (queue, workflow):
        graph = graph_of(workflows.graph(queue.database, workflow.id))
    return "```console\n" + "\n".join(to_text(graph, Terminal())) + "\n```\n"
