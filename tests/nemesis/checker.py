"""Checks whether the queue kept its guarantees in a battle, as far as its clients could see."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from nemesis.clients import NARROW
from nemesis.deeds import Flaw
from nemesis.evidence import Evidence, Row, quantile

FINISHED = ("completed", "failed", "timeout", "cancelled")

LATEST = 5.0
"""Seconds by which a retry may be late while no process is suspended and the file can be written."""

LARGEST_LOG = 6_000_000
"""The most bytes of the write-ahead log a second after the last reader has left."""

_NOT_ITS_DOING = ("released", "lost", "cancelled")
"""How an execution may end in a worker that does not have its function."""

_TRIES = 8
"""The most executions of a function that a worker opens in the seconds of its life which does not have it."""

_SLOWEST_COPY = 10.0
"""Seconds; no process of the battle takes longer to copy the files, even if it is suspended meanwhile."""

_EARLIEST = 0.5
"""Seconds by which a function may seem to have had too little time: on a busy machine it records its start late."""


def problems(evidence: Evidence) -> list[str]:
    """Return a sentence for each guarantee that was broken."""
    return [f"{rule.__name__.strip('_')}: {problem}" for rule in RULES for problem in rule(evidence)]


def figures(evidence: Evidence) -> dict[str, float]:
    """Return what was counted and measured; times in seconds.

    Times are undisturbed if no process was suspended and the file could be written.
    """
    recoveries, retries = list(_recoveries(evidence)), list(_retries(evidence))
    calm = [seconds for seconds, is_disturbed in recoveries if not is_disturbed]
    return {
        "jobs": len(evidence.jobs),
        "calls": sum(map(len, evidence.runs.values())),
        "transfers completed": sum(row["entry"] == "end" for row in evidence.ledger),
        "kills": len(evidence.records_of("kill")),
        "suspensions": len(evidence.records_of("suspend")),
        "clock jumps": len(evidence.records_of("jump")),
        "full disks": len(evidence.records_of("fill")),
        "read-only folders": len(evidence.records_of("protect")),
        "signals to a worker and its children": len(evidence.records_of("service")),
        "outages, after which the file had another journal": len(evidence.records_of("switched")),
        "copies of the files": len(evidence.records_of("copied")),
        "a copy, longest": max((event["seconds"] for event in evidence.records_of("copied")), default=0.0),
        "workers with a log that nobody reads": len(evidence.records_of("mute")),
        "workers without the code": len(evidence.records_of("lacks")),
        "executions that they gave back": sum(row["status"] == "released" for row in _lacked(evidence)),
        "jobs killed in a call": len(recoveries),
        "called again after a kill, longest": max((seconds for seconds, _ in recoveries), default=0.0),
        "and undisturbed, median": quantile(calm, 0.5),
        "and undisturbed, 99 %": quantile(calm, 0.99),
        "and undisturbed, longest": max(calm, default=0.0),
        "undisturbed retries": len(retries),
        "undisturbed retry late, longest": max(retries, default=0.0),
        "log a second after a reader, largest, MB": max(_logs(evidence), default=0) / 1e6,
    }


def lost(evidence: Evidence) -> Iterator[str]:
    """Jobs that were acknowledged are missing, or only a part of one submit is there."""
    acknowledged = {job for event in evidence.records_of("submitted") for job in event["jobs"]}
    yield from (f"job {job} was acknowledged" for job in acknowledged - evidence.jobs.keys())
    for event in evidence.records_of("submitting"):
        stored = evidence.jobs.keys() & event["jobs"]
        if 0 < len(stored) < len(event["jobs"]):
            yield f"of {len(event['jobs'])} jobs that were submitted together {len(stored)} are stored"


def stuck(evidence: Evidence) -> Iterator[str]:
    """A job is unfinished although there was time enough and there were workers."""
    yield from (f"job {job} is {row['status']}" for job, row in evidence.jobs.items() if row["status"] not in FINISHED)


def doubled(evidence: Evidence) -> Iterator[str]:
    """A job ran twice at once, or was completed twice."""
    for job, runs in evidence.runs.items():
        for first, second in pairwise(runs):
            if second.began < first.ended and not (first.may_go_on or first.how == "stopped"):
                yield f"{second} began during {first}"
        if sum(row["status"] == "completed" for row in evidence.executions_of[job]) > 1:
            yield f"job {job} was completed twice"


def stale(evidence: Evidence) -> Iterator[str]:
    """A completed job has the result of another execution than the one that completed it, or of none."""
    for job, row in evidence.jobs.items():
        if row["status"] == "completed":
            last = evidence.executions_of[job][-1]
            runs = [run for run in evidence.runs.get(job, []) if run.how == "returned" and run.is_of(last)]
            if last["status"] != "completed" or json.loads(row["result"])["attempt"] != last["attempt"] or not runs:
                yield f"job {job} has {row['result']!r:.60} of {last}"


def overrun(evidence: Evidence) -> Iterator[str]:
    """A job was called more often than its attempts allow, or a queue had more jobs running than its limit allows."""
    for job, runs in evidence.runs.items():
        most, released = evidence.jobs[job]["max_attempts"], evidence.jobs[job]["releases"]
        tried = len(_counted(evidence, job))
        if tried > most or len(runs) > most + released:
            yield f"job {job} was called {len(runs)} times and tried {tried} times; it may be {most}"
    narrow = [run for job, runs in evidence.runs.items() if evidence.jobs[job]["queue"] == "narrow" for run in runs]
    sure = [run for run in narrow if not (run.may_go_on or evidence.was_stopped(run))]
    steps = [(at, step) for run in sure for at, step in ((run.began, 1), (run.ended, -1))]
    at_once = 0
    for at, step in sorted(steps):
        at_once += step
        if at_once > NARROW:
            yield f"{at_once} jobs of the narrow queue ran at once at {at:.3f}"


def miscounted(evidence: Evidence) -> Iterator[str]:
    """A job has other attempts than executions that count: all but those that were given back."""
    for job, row in evidence.jobs.items():
        tried = len(_counted(evidence, job))
        if row["attempts"] != tried:
            yield f"job {job} was tried {tried} times and has {row['attempts']} attempts"


def blamed(evidence: Evidence) -> Iterator[str]:
    """An execution failed, or was lost, and neither its function nor the nemesis is the reason."""
    for row in evidence.executions:
        is_failed = row["status"] == "failed" and row["error_type"] != Flaw.__name__
        if (is_failed or row["status"] == "lost") and not evidence.is_excused(row["worker_id"]):
            yield f"job {row['job']} was {row['status']}, {row['error_type']}, in worker {row['worker_id']}"


def unlearned(evidence: Evidence) -> Iterator[str]:
    """A worker without the code has ended jobs that it could not run, or has taken them again and again."""
    for row in _lacked(evidence):
        if row["status"] not in _NOT_ITS_DOING and row["error_type"] != "ProcessDied":  # of which `blamed` knows more
            how = f"{row['status']}, {row['error_type']},"
            yield f"job {row['job']} is {how} by worker {row['worker_id']}, which lacks its function"
    taken = Counter((row["worker_id"], evidence.jobs[row["job"]]["function"]) for row in _lacked(evidence))
    for (worker, function), number in taken.items():
        if number > _TRIES:
            yield f"worker {worker} took {number} jobs of {function}, which it lacks"


def overruled(evidence: Evidence) -> Iterator[str]:
    """A job whose cancellation was acknowledged is not cancelled, or was claimed later."""
    for event in evidence.records_of("cancelled"):
        job = event["job"]
        if evidence.jobs[job]["status"] != "cancelled":
            yield f"job {job} was cancelled and is {evidence.jobs[job]['status']}"
        for run in evidence.runs.get(job, []):
            # A worker that had claimed it may not know yet.
            was_claimed = any(run.is_of(row) and row["status"] == "cancelled" for row in evidence.executions_of[job])
            if run.began > event["at"] and not was_claimed:
                yield f"job {job} was called after it had been cancelled"


def hasty(evidence: Evidence) -> Iterator[str]:
    """A job ran before its parents had returned, or timed out early."""
    for job, runs in evidence.runs.items():
        for parent in evidence.jobs[job]["parents"]:
            returns = [run.ended for run in evidence.runs.get(parent, []) if run.how == "returned"]
            if not returns or min(returns) > runs[0].began:
                yield f"job {job} was called before its parent {parent} had returned"
        timeout = evidence.jobs[job]["timeout"]
        for row in evidence.executions_of[job]:
            times = [run.ended - run.began for run in runs if row["status"] == "timeout" and run.is_of(row)]
            if times and max(times) < timeout - _EARLIEST:
                yield f"job {job} had {max(times):.3f} of {timeout} seconds"


def hindered(evidence: Evidence) -> Iterator[str]:
    """To copy the files took long."""
    copies = evidence.records_of("copied")
    yield from (f"a copy took {each['seconds']:.1f} seconds" for each in copies if each["seconds"] > _SLOWEST_COPY)


def late(evidence: Evidence) -> Iterator[str]:
    """A retry was late although nothing held it up."""
    yield from (f"a retry came {seconds:.1f} seconds late" for seconds in _retries(evidence) if seconds > LATEST)


def fat(evidence: Evidence) -> Iterator[str]:
    """The write-ahead log is still large a second after the reader that held it up has left."""
    yield from (f"the log has {size:,} bytes" for size in _logs(evidence) if size > LARGEST_LOG)


def rude(evidence: Evidence) -> Iterator[str]:
    """A client saw an error that no user should see, or ended in another way than it was told to."""
    killed = {event["victim"] for event in evidence.records_of("kill")}
    for event in evidence.events:
        match event["what"]:
            case "broke":
                yield f"client {event['client']} broke: {event['trace'].strip().splitlines()[-1]}"
            case "refused" if event["error"] == "QueueBusy" or not evidence.is_refusing(event["at"]):
                yield f"client {event['client']} was refused: {event['text']}"
            case "died" if event["code"] and (event["code"], event["victim"] in killed) != (-9, True):
                yield f"client {event['victim']} ended with {event['code']}"


def unbalanced(evidence: Evidence) -> Iterator[str]:
    """What a transfer has written is not what it has committed: money is lost or made, or written twice."""
    entries: dict[str, list[Row]] = {job: [] for job, row in evidence.jobs.items() if row["name"] == "transfer"}
    for row in evidence.ledger:
        entries[row["job"]].append(row)
    for job, rows in entries.items():
        found = sorted(row["entry"] for row in rows)
        is_completed = evidence.jobs[job]["status"] == "completed"
        if len(set(found)) < len(found) or ("end" in found) != is_completed:
            yield f"job {job} is {evidence.jobs[job]['status']} and has written {', '.join(found) or 'nothing'}"
        if is_completed and (len(found) != 3 or sum(row["amount"] for row in rows)):
            yield f"job {job} has moved {[row['amount'] for row in rows]}"


def repeated(evidence: Evidence) -> Iterator[str]:
    """A step that was remembered was made again, or what a job had submitted was submitted again."""
    remembered: set[str] = set()
    for event in evidence.events:
        if event["what"] == "remembered":
            remembered.add(event["job"])
        elif event["what"] == "stepping" and event["job"] in remembered:
            yield f"a step of job {event['job']} was made again at {event['at']:.3f}, after it was remembered"
    found = Counter(row["submitted_by"] for row in evidence.jobs.values() if row["submitted_by"] is not None)
    seqs = {row["seq"]: job for job, row in evidence.jobs.items()}
    for seq, number in found.items():
        if number > 1:
            yield f"job {seqs[seq]} has submitted {number} jobs; it submits one"
    for job, row in evidence.jobs.items():
        if row["name"] == "transfer" and row["status"] == "completed" and not found[row["seq"]]:
            yield f"job {job} has completed, and what it had submitted is gone"


RULES: tuple[Callable[[Evidence], Iterator[str]], ...] = (
    lost, stuck, doubled, stale, overrun, miscounted, blamed, unlearned, overruled, hasty, hindered, late, fat, rude,
    unbalanced, repeated,
)  # fmt: skip


def _counted(evidence: Evidence, job: str) -> list[Row]:
    """The executions of a job that count as attempts. All of them are kept; of those given back, only some are."""
    return [row for row in evidence.executions_of[job] if row["status"] != "released"]


def _lacked(evidence: Evidence) -> Iterator[Row]:
    """The executions whose functions their workers did not have."""
    lacks = {event["client"]: event["functions"] for event in evidence.records_of("lacks")}
    for row in evidence.executions:
        if evidence.jobs[row["job"]]["function"] in lacks.get(row["worker_id"], ()):
            yield row


def _recoveries(evidence: Evidence) -> Iterator[tuple[float, bool]]:
    """Seconds from each kill of a worker during a call to the next call of that job, and whether that was disturbed."""
    killed = {str(event["victim"]) for event in evidence.records_of("kill")}
    for job, runs in evidence.runs.items():
        for first, second in pairwise(runs):
            is_ours = first.how == "died" and first.client in killed and not evidence.jobs[job]["retry_delay"]
            if is_ours:
                yield second.began - first.ended, evidence.is_disturbed(first.ended, second.began)


def _retries(evidence: Evidence) -> Iterator[float]:
    """How late each retry came after its delay in undisturbed times, unless a worker that had claimed it was killed."""
    for job, runs in evidence.runs.items():
        for first, second in pairwise(runs):
            is_next = any(first.is_of(row) and second.is_of(next_row) for row, next_row in _pairs(evidence, job))
            if first.how == "raised" and is_next and not evidence.is_disturbed(first.ended, second.began):
                yield second.began - first.ended - evidence.jobs[job]["retry_delay"]


def _pairs(evidence: Evidence, job: str) -> Iterator[tuple[Row, Row]]:
    return pairwise(evidence.executions_of[job])


def _logs(evidence: Evidence) -> Iterator[int]:
    """The sizes of the write-ahead log a second after a reader, in undisturbed times."""
    for event in evidence.records_of("weighed"):
        if not evidence.is_disturbed(event["at"] - 1, event["at"]):
            yield event["bytes"]
