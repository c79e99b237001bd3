"""Many processes, and a nemesis: what was acknowledged is not lost, whatever happens.

By command, for as long as you like, or until a number of kills::

    PYTHONPATH=.:tests python tests/nemesis/battle.py --seconds 600
    PYTHONPATH=.:tests python tests/nemesis/battle.py --acts kill=0.05 --kills 10000 --seconds 3600
    PYTHONPATH=.:tests python tests/nemesis/battle.py --acts jump=1 --seconds 300
    TZ=Europe/Berlin PYTHONPATH=.:tests python tests/nemesis/battle.py --acts kill --begin 2026-10-25T02:59:30+02:00
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path

from nemesis import history
from nemesis.acts import ACTS, Nemesis
from nemesis.arena import Arena
from nemesis.checker import figures, problems
from nemesis.clients import SubmittingClient
from nemesis.evidence import Evidence
from nemesis.tools import Tool
from nemesis.workers import WorkingClient

from gigq import JobQueue

_PATIENCE = 60.0


def fight(
    folder: Path,
    *,
    acts: dict[str, float],
    seconds: float,
    kills: int,
    clients: tuple[int, int, int],
    begin: datetime | None,
    seed: int,
) -> Evidence:
    """Run a battle, wait until all jobs have ended, and return the evidence, which is in the folder `history`.

    Args:
        folder: an empty one.
        acts: what the nemesis does, and after how many seconds each time, on average.
        seconds: how long it rages, unless it reaches the number of kills before.
        clients: how many submit, work with threads, and work with child processes.
        begin: what the wall clock of the clients shows at first; None for the machine's time.
    """
    records = folder / "history"
    records.mkdir()
    history.begin(records)
    with closing(Arena(folder, begin=begin)) as arena:
        arena.found()
        submitters, threaded, processes = clients
        for _ in range(submitters):
            arena.enter(SubmittingClient(arena.path, arena.clock))
        for number in range(threaded + processes):
            arena.enter(WorkingClient(arena.path, arena.clock, mode="thread" if number < threaded else "process"))
        Nemesis(arena, random.Random(seed), acts=acts).rage(seconds, most_kills=kills)
        _make_peace(arena)
        for file in arena.folder.glob(f"{arena.path.name}*"):
            shutil.copy(file, records)
    return Evidence.of(history.read(records), records / arena.path.name)


def _make_peace(arena: Arena) -> None:
    """Let the workers end all jobs, and leave."""
    for kind in (SubmittingClient, Tool):
        arena.dismiss(kind, patience=_PATIENCE)
    with JobQueue(arena.path, initialize=False) as queue:
        arena.wait_until(lambda: queue.count("pending") + queue.count("running") == 0, patience=_PATIENCE)
        arena.dismiss(WorkingClient, patience=_PATIENCE)
        for problem in queue.check():
            history.note("broke", trace=problem)


def main() -> int:
    parser = argparse.ArgumentParser(description="Attack a queue and its clients, and check what becomes of it.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--kills", type=int, default=sys.maxsize)
    parser.add_argument("--acts", nargs="+", default=list(ACTS), help="NAME or NAME=SECONDS between two of them")
    parser.add_argument("--clients", nargs=3, type=int, default=(2, 4, 2), metavar="N", help="that submit, work with "
                        "threads, and work with child processes")  # fmt: skip
    parser.add_argument("--begin", type=datetime.fromisoformat, metavar="INSTANT", help="of the clients' wall clock")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    given = parser.parse_args()
    acts = dict(_act(word) for word in given.acts)
    folder = Path(tempfile.mkdtemp(prefix="battle-"))
    evidence = fight(
        folder,
        acts=acts,
        seconds=given.seconds,
        kills=given.kills,
        clients=given.clients,
        begin=given.begin,
        seed=given.seed,
    )
    for name, value in figures(evidence).items():
        print(f"{value:10,.0f}" if isinstance(value, int) else f"{value:10.3f}", name)
    found = problems(evidence)
    print(*found[:50], f"seed {given.seed}: {len(found)} problems", sep="\n")
    if found:
        print(f"their history and the file are kept in {folder / 'history'}")
    else:
        shutil.rmtree(folder)
    return bool(found)


def _act(word: str) -> tuple[str, float]:
    name, _, seconds = word.partition("=")
    return name, float(seconds or ACTS[name])


if __name__ == "__main__":
    sys.exit(main())
