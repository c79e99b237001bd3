"""What a queue must do with workflows: stored whole, cancelled, and sent back where they failed."""

from __future__ import annotations

from copy import deepcopy

from model.kin import Kin, Submitted
from model.rules import Job

NOBODYS = {"key": None, "goes_with_parent": False}
"""What the last job of a workflow is like: no other takes its place, and it runs however its parents ended."""


class Flows(Kin):
    """Workflows, which are there as long as they have jobs."""

    def submit_workflow(self, name: str, jobs: list[tuple[str, Job]], *, last: Job | None) -> list[Submitted] | None:
        saved, holders, found = deepcopy(self.__dict__), dict[str, str](), list[Submitted]()
        for each, options in [*jobs, *([(f"{name}end", last | NOBODYS)] if last else [])]:
            parents = [other for other, _ in jobs] if last and each == f"{name}end" else options["parents"]
            parents = list(dict.fromkeys(holders.get(parent, parent) for parent in parents))
            told = self.submit(each, **{**options, "parents": parents})
            if told is None:
                self.__dict__ = saved
                return None
            holders[each] = told[0]
            found.append(told)
        for each, is_new in found:
            self.jobs[each]["workflow"] = name if is_new else self.jobs[each]["workflow"]
        if last:
            self.lasts[name] = f"{name}end"
        return found

    def cancel_workflow(self, name: str) -> int | None:
        jobs = self.those(workflow=name)
        unfinished = [job["name"] for job in jobs if job["status"] in ("pending", "running")]
        unfinished = [each for each in unfinished if each != self.lasts.get(name)]
        for each in unfinished:
            self.cancel(each, running=True)
        return len(unfinished) if jobs else None

    def requeue_workflow(self, name: str) -> int | None:
        jobs, requeued = self.those(workflow=name), 0
        while some := sum(
            self.requeue(job["name"], delay=0) is True
            for job in [job for job in jobs if job["status"] in ("failed", "timeout")]
        ):
            requeued += some
        if requeued and name in self.lasts:
            self._run_again(self.jobs[self.lasts[name]])
        return requeued if jobs else None

    def _run_again(self, last: Job) -> None:
        if not self.blockers(last):
            return
        last.update(steps=[], cursor=None, generation=last["generation"] + 1)
        if last["status"] == "running":
            self.settle(last["name"], end="released")
        elif last["status"] != "pending":
            self.reopen(last)

    # what the model has

    def cancel(self, name: str, *, running: bool) -> bool:
        raise NotImplementedError

    def requeue(self, name: str, *, delay: int) -> bool | None:
        raise NotImplementedError

    def reopen(self, job: Job, *, delay: int = 0) -> None:
        raise NotImplementedError
