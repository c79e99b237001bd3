"""What a queue must do with jobs that running jobs have found, and with what a job remembers."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from model.rules import Job, Rules

BADLY = ("failed", "timeout", "cancelled")
HAND = "manual"  # who takes jobs without being a worker
Submitted = tuple[str, bool]  # the name of the job that is there now, and whether it is new


class Kin(Rules):
    """Jobs that others have submitted while they ran: who waits for one of those waits for these, too."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[tuple[str, str]] = []  # what running jobs have written themselves
        self.derived: dict[Any, str] = {}  # the names of found jobs by what they are, for a retry finds them again

    def parents(self, job: Job) -> list[str]:
        """Those that it has named, then those that have been found since, in the order of submission."""
        return [*job["parents"], *(name for name in self.jobs if name in job["more"])]

    def children(self, name: str) -> list[Job]:
        return [job for job in self.jobs.values() if name in self.parents(job)]

    def blockers(self, job: Job) -> int:
        return sum(self.jobs[parent]["status"] in ("pending", "running") for parent in self.parents(job))

    def held_by_worker(self, name: str) -> Job | None:
        job = self.jobs.get(name)
        return job if job and job["status"] == "running" and job["worker"] != HAND else None

    def find_job(self, by: str, name: str, *, what: int, is_detached: bool, **options: Any) -> Any:
        submitter = self.held_by_worker(by)
        if submitter is None:
            return None
        work = by, submitter["generation"], what, options["function"], tuple(options["parents"])
        number = submitter["numbers"].get(work, 0)
        while number and self.derived.get((work, number)) not in self.jobs:
            number -= 1
        saved, derived = deepcopy(self.__dict__), (work, number + 1)
        found = self.submit(self.derived.get(derived, name), by=by, **options)
        if found and not self._adopt(by, *found, is_detached=is_detached, may_circle=bool(options["parents"])):
            self.__dict__, found = saved, None
        self.jobs[by]["numbers"][work] = number + 1
        if found and found[1]:
            self.derived[derived] = found[0]
        return found

    def _adopt(self, by: str, name: str, is_new: bool, *, is_detached: bool, may_circle: bool) -> bool:
        """Have what waits for the submitter wait for this job too; False if that would be a circle."""
        job, is_known = self.jobs[name], self.jobs[name]["by"] == by and not is_new
        if is_new:
            workflow = None if is_detached else self.jobs[by]["workflow"]
            job.update(by=by, is_detached=is_detached, workflow=workflow)
        waiting = [] if is_detached or is_known else self._waiting_for(by)
        if (may_circle or not is_new) and any(name in self._below(child) for child in waiting):
            return False
        for child in waiting:
            self._wait(child, [name])
            if job["status"] in BADLY:
                self.cancel_blocked(child)
        return True

    def found_by(self, *names: str, without: Iterable[str] = ()) -> list[str]:
        """What these have found, and what that has found, but for what was detached."""
        found: set[str] = set()
        while new := {
            job["name"]
            for job in self.jobs.values()
            if job["by"] in {*names, *found} - set(without) and not job["is_detached"] and job["name"] not in found
        }:
            found |= new
        return [name for name in self.jobs if name in found]

    def let_go(self, name: str) -> None:
        """What a job has found is not its own any more: it begins anew."""
        old = [(self.jobs[each], self.jobs[each]["status"], self.jobs[each]["because"]) for each in self.found_by(name)]
        waiting = self._waiting_for(name) if old else []
        for child in waiting:
            child["more"] -= {job["name"] for job, *_ in old}
        if old:
            for job in self.those(by=name):
                job["is_detached"] = True
        for child in waiting:
            self._wait(child, self.found_by(*self.parents(child)))
        for job, *_ in old:
            job["workflow"] = None
            if job["status"] == "pending":
                self.finish(job, "cancelled")
        for root in sorted({because or job["name"] for job, status, because in old if status in BADLY}):
            self.revive(root)

    def path_to(self, name: str | None) -> list[str]:
        path = [name] if name in self.jobs else []
        while path and (job := self.jobs[path[-1] or ""])["by"] in self.jobs and not job["is_detached"]:
            path.append(job["by"])
        return [str(each) for each in path]

    def _waiting_for(self, name: str) -> list[Job]:
        """Those that may still run, and were not found by it, or by what it has found."""
        last = {self.lasts.get(job["workflow"]) for job in self.jobs.values()} - {None}
        return [
            job
            for job in self.children(name)
            if (job["status"] != "completed" or job["name"] in last)
            and job["by"] != name
            and (job["by"] is None or name not in self.path_to(job["name"]))
        ]

    def _wait(self, child: Job, names: Iterable[str]) -> None:
        child["more"] |= set(names) - set(child["parents"])

    def _below(self, child: Job) -> set[str]:
        below = {child["name"]}
        while new := {job["name"] for each in below for job in self.children(each)} - below:
            below |= new
        return below

    # what is remembered

    def remember(self, name: str, step: str, *, writes: bool = False) -> bool | None:
        """Whether it was new; None for a job that no worker holds."""
        job = self.held_by_worker(name)
        if job is None:
            return None
        is_new = step not in job["steps"]
        job["steps"] += [step] * is_new
        self.entries += [(name, step)] * (is_new and writes)
        return is_new

    def complete_itself(self, name: str, value: int) -> bool:
        """Whether it could: it was held by a worker."""
        if self.held_by_worker(name) is None:
            return False
        self.entries.append((name, str(value)))
        return self.settle(name, end="completed", result=value)

    def set_cursor(self, name: str, value: int) -> None:
        for job in self.those(name=name, status="running"):
            job["cursor"] = value

    def together(self, steps: list[Any], *, commit: bool) -> list[Any]:
        """In one transaction, which is committed or rolled back."""
        saved = deepcopy(self.__dict__)
        found = [getattr(self, method)(*arguments, **options) for method, arguments, options in steps]
        if not commit:
            self.__dict__ = saved
        return found

    # what the model has

    def submit(self, name: str, *, by: str | None = None, **options: Any) -> Submitted | None:
        raise NotImplementedError

    def settle(self, name: str, *, end: str, result: int = 1) -> bool:
        raise NotImplementedError

    def finish(self, job: Job, status: str, *, because: str | None = None) -> None:
        raise NotImplementedError

    def revive(self, name: str) -> None:
        raise NotImplementedError

    def cancel_blocked(self, job: Job) -> None:
        raise NotImplementedError
