"""What a queue must do with jobs, in plain dicts: no SQL, no transactions, and nothing stored that can be counted."""

from __future__ import annotations

from math import inf
from operator import itemgetter
from typing import Any

from model.flows import Flows
from model.kin import BADLY, HAND, Submitted
from model.rules import OPEN, Job

DAY = 86_400  # after which a job fails whose function no worker has found


class Model(Flows):
    """A queue. Instants are seconds: inf never comes, -inf has passed. Methods return what their callers would get."""

    def submit(self, name: str, *, by: str | None = None, **options: Any) -> Submitted | None:
        if known := self._key_holder(options) or (name if name in self.jobs else None):
            return known, False
        if not set(options["parents"]) <= self.jobs.keys():
            return None
        generous = [each for each in options["parents"] if each not in self.path_to(by)]
        more = {"more": set(self.found_by(*generous)) - set(options["parents"]), "steps": [], "cursor": None}
        never = {"executions": [], "crashes": 0, "releases": 0, "has_begun": False, "ready_at": self.now}
        none = {"by": None, "is_detached": False, "workflow": None, "generation": 0, "numbers": {}}
        job = self.jobs[name] = options | never | more | none | {"name": name}
        self._return(job, delay=options["delay"])
        if forbidding := self._forbidding(job):
            self.finish(job, "cancelled", because=forbidding)
        return name, True

    def submit_many(self, jobs: list[tuple[str, Job]]) -> list[Submitted | None]:
        return [self.submit(name, **options) for name, options in jobs]

    def claim(self, worker: str, *, queues: list[str] | None, **room: Any) -> list[str]:
        if worker == HAND:
            self.reclaim(older_than=inf)
        self._make_due_ready()
        best = self.startable(queues, room["absent"], room["probed"])[: room["free"] + room["ahead"]]
        suspect = [number for number, job in enumerate(best) if job["crashes"] and job["attempts"] + 1 == job["most"]]
        if suspect and room["suspects"] is not None:  # alone or not at all
            best = best[: suspect[0] or int(room["suspects"])]
        claimed: list[str] = []
        for job in best:
            is_safe = not job["crashes"] and job["attempts"] + 1 < job["most"] and job["function"] in room["returned"]
            is_ahead = len(claimed) >= room["free"]
            if is_ahead and (self.has_limits(job["queue"]) or not is_safe):
                break
            job.update(status="running", attempts=job["attempts"] + 1, worker=worker, changed_at=self.now)
            job["started_at"] = inf if is_ahead else self.now
            job["numbers"] = {}
            job["executions"].append({key: job[key] for key in ("attempts", "worker", "status", "started_at")})
            if (rule := self.rules.get(job["queue"], OPEN))["rate_limit"] < inf:
                rule["starts"].append(self.now)
            claimed.append(job["name"])
        return claimed

    def begin(self, name: str) -> None:
        for job in self.those(name=name, status="running", started_at=inf):
            job["started_at"] = job["executions"][-1]["started_at"] = self.now

    def settle(
        self, name: str, *, end: str, is_final: bool = False, delay: int = 0, result: int = 1, **whose: Any
    ) -> bool:
        ended = self._end(self.those(name=name, status="running", **whose), end, is_final=is_final, delay=delay)
        for job in self.those(name=name, status="completed") if ended else []:
            job["result"] = result
        return ended == 1

    def miss(self, name: str) -> bool:
        """Its worker does not find the function."""
        for job in (running := self.those(name=name, status="running")):
            job["started_at"] = job["executions"][-1]["started_at"] = inf
            since = self.missing.setdefault(job["function"], self.now)
            is_over = self.now - max(min(since, self.now), min(job["ready_at"], self.now)) >= DAY
            self._end([job], "failed" if is_over else "released", is_final=True)
        return bool(running)

    def leave(self, worker: str, *, is_dead: bool) -> int:
        for job in (held := self.those(status="running", worker=worker)):
            self._end([job], "lost" if is_dead and job["started_at"] < inf else "released")
            job["crashes"] += is_dead
        if not is_dead:
            self.forget_the_unwanted()
        return len(held)

    def reclaim(self, *, older_than: float) -> int:
        ages = [(self.now - job["started_at"], job) for job in self.those(status="running")]
        overdue = [job for age, job in ages if job["worker"] == HAND and age >= job["timeout"]]
        old = [job for age, job in ages if age > older_than and job not in overdue]
        return self._end(overdue, "timeout") + self._end(old, "lost")

    def cancel(self, name: str, *, running: bool) -> bool:
        for job in (pending := self.those(name=name, status="pending")):
            self.finish(job, "cancelled")
        return bool(pending) or (running and self.settle(name, end="cancelled"))

    def requeue(self, name: str, *, delay: int, restart: bool = False, from_step: str | None = None) -> bool | None:
        job = self.jobs.get(name)
        if not job or job["status"] not in BADLY or self._forbidding(job) or self._key_holder(job):
            return False
        if from_step not in (None, *job["steps"]):
            return None
        kept = len(job["steps"]) if from_step is None else job["steps"].index(from_step)
        job["steps"] = job["steps"][: 0 if restart else kept]
        job.update({"cursor": None, "generation": job["generation"] + 1} if restart else {})
        self.reopen(job, delay=delay)
        self.revive(name)
        if restart:
            self.let_go(name)
        return True

    def revive(self, name: str) -> None:
        """What was cancelled because of it comes back, each after its parents and else in the order of submission."""
        rest = self.those(because=name)
        while rest:
            those = [each["name"] for each in rest]
            other = next(each for each in rest if not set(self.parents(each)) & set(those))
            rest.remove(other)
            other["because"] = self._forbidding(other)
            if not (other["because"] or self._key_holder(other)):
                self.reopen(other)

    def reschedule(self, name: str, *, delay: int | None = None, **changes: Any) -> bool:
        for job in (pending := self.those(name=name, status="pending")):
            job.update(changes if delay is None else self._from_now(delay))
        return bool(pending)

    def prune(self, statuses: list[str], *, older_than: float, keep: int) -> int:
        ended = [job for job in sorted(self.jobs.values(), key=itemgetter("ended_at")) if job["status"] in statuses]
        old = [job["name"] for job in ended[: max(0, len(ended) - keep)] if self.now - job["ended_at"] > older_than]
        while unneeded := [name for name in old if name in self.jobs and not self._needing(name, "completed")]:
            for name in unneeded:
                self._delete(name)
        return sum(name not in self.jobs for name in old)

    def delete(self, name: str) -> bool:
        job = self.jobs.get(name)
        if job is None or job["status"] == "running" or self._needing(name, "completed", *BADLY):
            return False
        self._delete(name)
        return True

    def _needing(self, name: str, *unless: str) -> list[Job]:
        """Its children, and who has found it and would do so again; but for those with one of these statuses."""
        needing = self.children(name) + self.those(name=self.jobs[name]["by"])
        return [each for each in needing if each["status"] not in unless]

    def _delete(self, name: str) -> None:
        for each in self.children(name):
            each["parents"] = [parent for parent in each["parents"] if parent != name]
            each["more"].discard(name)
        for each in self.those(because=name):
            each["because"] = None
        for each in self.those(by=name):
            each["by"] = None
        del self.jobs[name]
        self.lasts = {flow: last for flow, last in self.lasts.items() if last != name}

    def tick(self, names: list[str]) -> None:
        new_names = iter(names)
        for next_at, name in sorted((each["next_at"], name) for name, each in self.schedules.items()):
            if next_at <= self.now and not (schedule := self.schedules[name])["is_paused"]:
                if schedule["overlap"] or not self.those(name=schedule["last"], ended_at=inf):
                    schedule["last"], _ = self.submit(next(new_names), **schedule["job"]) or (None, False)
                self.move_on(schedule)

    def _make_due_ready(self) -> None:
        for job in sorted(self.those(status="pending"), key=itemgetter("expires_at")):
            if job["status"] == "pending" and not job["has_begun"] and job["expires_at"] <= self.now:
                self.finish(job, "cancelled")
            was_later = job["attempts"] and job["changed_at"] > self.now  # before the clock went back
            if -inf < job["run_at"] <= self.now or (job["run_at"] > self.now and was_later):
                job.update(run_at=-inf, ready_at=self.now)

    def _end(self, jobs: list[Job], end: str, *, is_final: bool = False, delay: int = 0) -> int:
        for job in jobs:
            job["executions"][-1]["status"] = end
            job["has_begun"] |= end != "released" or job["started_at"] < inf
            job["ready_at"] = job["ready_at"] if end == "released" else self.now
            job["releases"] += end == "released"
            if end == "released":
                self._forget_releases(job["executions"])
                self._return(job, job["attempts"] - 1, delay=delay)
            elif end in ("completed", "cancelled") or is_final or job["attempts"] == job["most"]:
                self.finish(job, "failed" if end == "lost" else end)
            else:
                self._return(job, job["attempts"], delay=min(3600, job["retry_delay"] * 2 ** (job["attempts"] - 1)))
        return len(jobs)

    def _forget_releases(self, executions: list[Job]) -> None:
        """Keep the first and the last 20."""
        released = [number for number, each in enumerate(executions) if each["status"] == "released"]
        for number in reversed(released[1:-20]):
            del executions[number]

    def reopen(self, job: Job, *, delay: int = 0) -> None:
        job.update(expires_at=job["expires_at"] if job["expires_at"] > self.now else inf, ready_at=self.now)
        self._return(job, delay=delay)

    def _return(self, job: Job, attempts: int = 0, *, delay: int = 0) -> None:
        never = {"because": None, "ended_at": inf, "result": None}
        job.update(status="pending", attempts=attempts, **never, **self._from_now(delay))

    def _from_now(self, delay: int) -> Job:
        return {"run_at": self.now + delay if delay else -inf, "changed_at": self.now}

    def finish(self, job: Job, status: str, *, because: str | None = None) -> None:
        job.update(status=status, run_at=-inf, because=because, ended_at=self.now)
        for child in [each for each in self.children(job["name"]) if each["ended_at"] == inf]:
            child["ready_at"] = child["ready_at"] if self.blockers(child) else self.now
        for child in [each for each in self.children(job["name"]) if each["goes_with_parent"]]:
            if status in BADLY and child["status"] == "pending":
                self.finish(child, "cancelled", because=because or job["name"])

    def cancel_blocked(self, job: Job) -> None:
        if job["status"] == "pending" and (forbidding := self._forbidding(job)):
            self.finish(job, "cancelled", because=forbidding)

    def _forbidding(self, job: Job) -> str | None:
        bad = [self.jobs[each] for each in self.parents(job) if self.jobs[each]["status"] in BADLY]
        return bad[-1]["because"] or bad[-1]["name"] if bad and job["goes_with_parent"] else None

    def _key_holder(self, job: Job) -> str | None:
        return next((each["name"] for each in self.those(key=job["key"], ended_at=inf) if job["key"]), None)
