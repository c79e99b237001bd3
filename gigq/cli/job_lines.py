"""Jobs as lines of JSON, an object a line: ``{"function": "app.send", "params": {"to": "ada"}}``."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gigq.cli.exits import Refused
from gigq.errors import GigqError, InvalidJob
from gigq.job import Job, JobOptions
from gigq.queue.preparing import prepare

if TYPE_CHECKING:
    from gigq.job_ids import JobId
    from gigq.queue.job_queue import JobQueue

_KNOWN = ("function", "args", "params", *JobOptions.__annotations__)


def jobs_in(lines: Iterable[str | bytes], options: Mapping[str, Any]) -> dict[int, Job]:
    """Return the jobs that are written in lines, by the numbers of the lines. Blank lines are left out.

    Args:
        lines: text, or bytes in UTF-8.
        options: the arguments of `Job` for what a line does not say.

    Raises:
        Refused: what is wrong, and in which line.
    """
    jobs = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            with about_line(number):
                jobs[number] = _job(_object(line), options)
    return jobs


def with_parents(jobs: Mapping[int, Job], full_id: Callable[[str], str]) -> dict[int, Job]:
    """Return the same jobs with the whole IDs of what they wait for: jobs of earlier lines, or of the file.

    Args:
        full_id: makes a whole ID of part of one.

    Raises:
        Refused: there is no such job, or there are several.
    """
    own, whole, found = set[str](), {}, functools.cache(full_id)
    for number, job in jobs.items():
        if job.dependencies:
            with about_line(number):
                named: Sequence[str] = vars(job)["dependencies"]  # which are texts, once a job is made
                job = replace(job, dependencies=[each if each in own else found(each) for each in named])
        whole[number] = job
        own.add(job.id)
    return whole


def submit(queue: JobQueue, jobs: Mapping[int, Job]) -> list[JobId]:
    """Submit jobs in one transaction, and return their IDs.

    Raises:
        Refused: one of them cannot be stored, and which. Nothing was stored.
        StoreError: as `JobQueue.submit_many`.
    """
    try:
        return queue.submit_many(jobs.values())
    except InvalidJob:
        for number, job in jobs.items():
            with about_line(number):
                prepare(job, limit=queue.params_limit)
        raise


@contextmanager
def about_line(number: int) -> Iterator[None]:
    """While the block runs, let an error say which line it is about; 0 is what was typed, of which it says nothing.

    Raises:
        Refused: anything is wrong with the line.
    """
    try:
        yield
    except (Refused, GigqError, ValueError, TypeError) as error:
        if not number:
            raise
        raise Refused(f"line {number}: {error}") from None


def last_name(function: str) -> str:
    """Return the name that a job has by default: that of its function."""
    return function.replace(":", ".").rpartition(".")[2] or function


def _job(given: Mapping[str, Any], options: Mapping[str, Any]) -> Job:
    for name in given:
        if name not in _KNOWN:
            from gigq.cli.wording import perhaps

            raise Refused(f"there is no option {name!r}{perhaps(name, among=_KNOWN)}")
    whole = {**options, **given}
    if not isinstance(whole.get("function"), str) or not whole["function"]:
        raise Refused('there must be a "function", such as "package.module.name"')
    return Job(**{"name": last_name(whole["function"]), **whole})


def _object(line: str | bytes) -> dict[str, Any]:
    try:
        text = line if isinstance(line, str) else line.decode("utf-8-sig")  # what Windows writes begins with a mark
        found = json.loads(text.strip(), parse_constant=_refuse)
    except UnicodeDecodeError:
        raise Refused("it is not UTF-8") from None
    except RecursionError:
        raise Refused("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Refused(f"it is not JSON: {error.msg} at character {error.pos + 1}") from None
    if not isinstance(found, dict):
        raise Refused('it is not an object of JSON, such as {"function": "app.send"}')
    return found


def _refuse(constant: str) -> Any:
    raise Refused(f"it is not JSON, which has no {constant}")
