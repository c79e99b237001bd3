"""A queue in which every text that a program can choose is meant to do something to a terminal, or to a reader."""

from __future__ import annotations

import logging
import re

from gigq import Job, JobQueue, Worker, Workflow, current_job

ATTACKS = (
    "\x1b[2J\x1b[H\x1b[31m",  # empties the screen, colours what follows
    "\x1b]0;title\x07\x1b]52;c;cm0gLXJm\x07",  # sets the window's title, and the clipboard
    "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1bP+q544e\x1b\\\x1b_Gf=100\x1b\\\x1b^x\x1b\\",  # DCS, APC, PM
    "\x9b31m\x9d0;title\x9c\x90q\x9c\x85",  # the same by C1
    "\u202egpj.exe\u202c \u2066x\u2069 \u200f\u061c",  # turns text round
    "\r\n\x08\x0b\x0c\x7f\x00\tx\u2028\u2029",
    "<script>alert(1)</script>'onmouseover=\"x\"",
    "../../%2f#?&=; $(touch x) `touch x` --all",
)
TEXT = " ".join(ATTACKS)

UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
"""What may never reach a terminal: controls but the line feed, and what turns text round."""


def misbehave(shown: str) -> None:
    """Log, report and raise what is hostile. What a function prints by itself is its own."""
    logging.getLogger(shown).warning("%s", shown)
    current_job().progress(1, 2, shown)
    raise type("Error" + ATTACKS[0] + ATTACKS[4], (ValueError,), {})(shown)


def fill(path: str) -> dict[str, str]:
    """Make the queue, and return the ids of jobs that have failed, are ready, wait, and belong to a workflow."""
    with JobQueue(path) as queue:
        failed = queue.submit(_job("failed", "hostile:misbehave", args=(TEXT,), max_attempts=1))
        worker = Worker(path, worker_id=TEXT, burst=True, capture_logs=True)
        worker.start()
        worker.close()
        ready = queue.submit(_job("ready", "nowhere:run", priority=9, unique_key=TEXT))
        waiting = queue.submit(_job("waiting", "package.module:run", dependencies=[ready]))
        flow = Workflow(TEXT, id=TEXT)
        in_flow = flow.at_end(_job("end", "hostile:misbehave"))
        flow.submit_all(queue)
        queue.submit(Job(TEXT, "nowhere:run", queue="plain", delay=86_400))
        queue.schedules.add(TEXT, "hostile:misbehave", every=60, queue=TEXT)
        queue.configure(TEXT, max_running=1)
        queue.pause(TEXT + "3")
        return {"failed": failed, "ready": ready, "waiting": waiting, "flow": in_flow.id, "workflow": TEXT}


def _job(identity: str, function: str, **settings: object) -> Job:
    params = {TEXT: {TEXT: [TEXT]}} if function.startswith("package") else {}
    return Job(
        TEXT, function, params=params, id=f"{identity}-{TEXT}", queue=TEXT, description=TEXT, tags=[TEXT],
        metadata={TEXT: TEXT}, **settings,  # type: ignore[arg-type]
    )  # fmt: skip
