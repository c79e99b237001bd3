"""The history of a battle: what each process did and when, in a file that outlives it."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

Event = dict[str, Any]
"""What happened: ``what``, ``at`` (monotonic seconds, the same for all processes), ``pid`` and ``thread``, the
``client`` that this process is or belongs to, and further facts."""

_FOLDER, _CLIENT = "GIGQ_NEMESIS_HISTORY", "GIGQ_NEMESIS_CLIENT"


def begin(folder: Path) -> None:
    """Make this process, and those that it starts, write their history into this file."""
    os.environ[_FOLDER] = str(folder)
    os.environ[_CLIENT] = "nemesis"


def be_client() -> None:
    """Make this process, with those that it starts, a client of its own."""
    os.environ[_CLIENT] = str(os.getpid())


def note(what: str, **facts: Any) -> float:
    """Write one line in one call, so that after a kill it is there in whole or not at all, and return the time."""
    at = time.monotonic()
    here = {"pid": os.getpid(), "thread": threading.get_ident(), "client": os.environ[_CLIENT]}
    line = json.dumps({"what": what, "at": at, **here, **facts})
    file = os.open(os.path.join(os.environ[_FOLDER], f"{os.getpid()}.jsonl"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, f"{line}\n".encode())
    finally:
        os.close(file)
    return at


def read(folder: Path) -> list[Event]:
    """Return what all processes have written, in chronological order."""
    events: list[Event] = []
    for file in folder.glob("*.jsonl"):
        events += map(json.loads, file.read_text().splitlines())
    return sorted(events, key=lambda event: event["at"])
