"""What a queue must do, in plain dicts: no SQL, no transactions, and nothing is stored that can be counted."""

from __future__ import annotations

from typing import Any

UNFINISHED = ("pending", "running")
BADLY = ("failed", "timeout", "cancelled")
Job = dict[str, Any]


class Model:
    """A queue. Instants are seconds; jobs and workers have names; each method returns what its caller is told.

    Attributes:
        jobs: by name, in the order of submission.
        rules: what was said of queues: whether paused, and how many jobs may run. "" stands for all.
    """

    def __init__(self) -> None:
        self.now = self.executions = 0
        self.jobs: dict[str, Job] = {}
        self.rules: dict[str, dict[str, Any]] = {}

    def submit(self, name: str, **options: Any) -> str | None:
        holder = self._holder(options["key"])
        if holder or name in self.jobs:
            return holder or name
        if any(parent not in self.jobs for parent in options["parents"]):
            return None
        seq = 1 + max((each["seq"] for each in self.jobs.values()), default=0)
        job = self.jobs[name] = options | {"name": name, "seq": seq, "executions": [], "crashes": 0}
        self._renew(job, options["delay"])
        if forbidding := self._forbidding(job):
            self._cancel(job, because=self._root(forbidding))
        return name

    def claim(self, worker: str, *, free: int, ahead: int, queues: list[str] | None) -> list[str]:
        self._make_due_ready()
        claimed: list[str] = []
        room = {job["queue"]: self._room(job["queue"], queues) for job in self.jobs.values()}
        for job in [job for job in self._ready() if self._takes_place(job, room)][: free + ahead]:
            is_ahead = len(claimed) >= free
            if is_ahead and (job["queue"] in self.rules or job["crashes"] or job["attempts"] + 1 == job["most"]):
                break
            self.executions += 1
            job.update(status="running", attempts=job["attempts"] + 1, changed=self.now)
            job["executions"].append(
                [self.executions, job["attempts"], worker, "running", None if is_ahead else self.now]
            )
            claimed.append(job["name"])
        return claimed

    def begin(self, name: str, *, which: int) -> None:
        if execution := self._open(name, which):
            execution[4] = self.now

    def settle(self, name: str, *, which: int, end: str, is_final: bool = False, delay: int = 0) -> bool:
        execution = self._open(name, which)
        if not execution:
            return False
        job, execution[3] = self.jobs[name], end
        is_last = job["attempts"] == job["most"] or (is_final and end != "timeout")
        if end == "released":
            job.update(status="pending", attempts=job["attempts"] - 1, run_at=self._later(delay), changed=self.now)
        elif end in ("failed", "lost", "timeout") and not is_last:
            wait = min(3600, job["retry_delay"] * 2 ** (job["attempts"] - 1))
            job.update(status="pending", run_at=self._later(wait), changed=self.now)
        else:
            job.update(status="failed" if end == "lost" else end, ended=self.now)
            if end != "completed":
                self._cancel_children(job, because=name)
        return True

    def standing(self, worker: str) -> list[int]:
        return sorted(execution[0] for _, execution in self._held(worker))

    def strike_off(self, worker: str) -> int:
        held = self._held(worker)
        for job, execution in held:
            self.settle(job["name"], which=-1, end="released" if execution[4] is None else "lost")
            job["crashes"] += 1
        return len(held)

    def take_away(self, *, older_than: int) -> int:
        running = [job for job in self.jobs.values() if job["status"] == "running"]
        starts = [(job["name"], job["executions"][-1][4]) for job in running]
        old = [name for name, start in starts if start is not None and start < self.now - older_than]
        return sum(self.settle(name, which=-1, end="lost") for name in old)

    def resign(self, worker: str) -> None:
        for job, _ in self._held(worker):
            self.settle(job["name"], which=-1, end="released")

    def cancel(self, name: str, *, running: bool) -> bool:
        job = self.jobs.get(name)
        if job and job["status"] == "pending":
            self._cancel(job, because=None)
            return True
        return running and self.settle(name, which=-1, end="cancelled")

    def requeue(self, name: str, *, delay: int) -> bool:
        job = self.jobs.get(name)
        if not job or job["status"] not in BADLY or self._forbidding(job) or self._holder(job["key"]):
            return False
        self._renew(job, delay)
        for other in [each for each in self.jobs.values() if each["because"] == name]:
            if forbidding := self._forbidding(other):
                other["because"] = self._root(forbidding)
            elif self._holder(other["key"]):
                other["because"] = None
            else:
                self._renew(other, 0)
        return True

    def reschedule(self, name: str, *, delay: int | None, priority: int | None, queue: str | None) -> bool:
        job = self.jobs.get(name)
        if not job or job["status"] != "pending":
            return False
        job["run_at"] = job["run_at"] if delay is None else self._later(delay)
        job.update({key: value for key, value in (("priority", priority), ("queue", queue)) if value is not None})
        return True

    def pause(self, queue: str, *, is_paused: bool) -> None:
        self.rules.setdefault(queue, {})["is_paused"] = is_paused

    def configure(self, queue: str, *, max_running: int | None) -> None:
        self.rules.setdefault(queue, {})["max_running"] = max_running

    def prune(self, statuses: list[str], *, older_than: int | None, keep: int | None) -> int:
        ended = [job for job in self.jobs.values() if job["status"] in statuses]
        ended.sort(key=lambda job: (job["ended"], job["seq"]))
        ended = ended if keep is None else ended[: -keep or None]
        old = [job for job in ended if older_than is None or job["ended"] < self.now - older_than]
        before = len(self.jobs)
        while gone := [job for job in old if job["name"] in self.jobs and not self._is_needed(job)]:
            for job in gone:
                del self.jobs[job["name"]]
        for job in self.jobs.values():
            job["parents"] = [parent for parent in job["parents"] if parent in self.jobs]
        return before - len(self.jobs)

    def let_pass(self, seconds: int) -> None:
        self.now += seconds

    def state(self) -> dict[str, Any]:
        """What can be seen of all jobs: blockers only while they matter."""
        seen = ("status", "attempts", "run_at", "because", "queue", "priority", "crashes", "executions")
        return {
            name: {key: job[key] for key in seen}
            | {"run_at": job["run_at"] if job["status"] == "pending" else None}
            | {"blockers": self._blockers(job) if job["status"] in UNFINISHED else None}
            for name, job in self.jobs.items()
        }

    def _renew(self, job: Job, delay: int) -> None:
        job.update(status="pending", attempts=0, run_at=self._later(delay), because=None, changed=self.now)

    def _later(self, delay: int) -> int | None:
        return self.now + delay if delay else None

    def _make_due_ready(self) -> None:
        expiring = [job for job in self.jobs.values() if job["expires_at"] is not None]
        for job in sorted(expiring, key=lambda job: (job["expires_at"], job["seq"])):
            if job["status"] == "pending" and not job["attempts"] and job["expires_at"] <= self.now:
                self._cancel(job, because=None)
        for job in self.jobs.values():
            was_later = job["attempts"] and job["changed"] > self.now  # before the clock went back
            if job["run_at"] is not None and (job["run_at"] <= self.now or was_later):
                job["run_at"] = None

    def _ready(self) -> list[Job]:
        pending = [job for job in self.jobs.values() if job["status"] == "pending" and job["run_at"] is None]
        return sorted(
            filter(lambda job: not self._blockers(job), pending), key=lambda job: (-job["priority"], job["seq"])
        )

    def _room(self, queue: str, queues: list[str] | None) -> float:
        rule = self.rules.get(queue, {})
        if self.rules.get("", {}).get("is_paused") or rule.get("is_paused") or queue not in (queues or [queue]):
            return 0
        running = sum(job["status"] == "running" and job["queue"] == queue for job in self.jobs.values())
        return float("inf") if rule.get("max_running") is None else rule["max_running"] - running

    def _takes_place(self, job: Job, room: dict[str, float]) -> bool:
        room[job["queue"]] -= 1
        return room[job["queue"]] >= 0

    def _open(self, name: str, which: int) -> list[Any] | None:
        executions = self.jobs[name]["executions"] if name in self.jobs else []
        found = executions[which] if -len(executions) <= which < len(executions) else None
        return found if found and found[3] == "running" else None

    def _held(self, worker: str) -> list[tuple[Job, list[Any]]]:
        running = [job for job in self.jobs.values() if job["status"] == "running"]
        return [(job, job["executions"][-1]) for job in running if job["executions"][-1][2] == worker]

    def _holder(self, key: str | None) -> str | None:
        held = (job["name"] for job in self.jobs.values() if job["key"] == key and job["status"] in UNFINISHED)
        return next(held, None) if key else None

    def _blockers(self, job: Job) -> int:
        return sum(self.jobs[parent]["status"] in UNFINISHED for parent in job["parents"])

    def _forbidding(self, job: Job) -> Job | None:
        parents = (self.jobs[parent] for parent in job["parents"] if job["goes_with_parent"])
        return next((parent for parent in parents if parent["status"] in BADLY), None)

    def _root(self, job: Job) -> str:
        return str(job["because"] or job["name"])

    def _cancel(self, job: Job, because: str | None) -> None:
        job.update(status="cancelled", run_at=None, ended=self.now, because=because)
        self._cancel_children(job, because=because or job["name"])

    def _cancel_children(self, job: Job, because: str) -> None:
        for child in self._children(job):
            if child["status"] == "pending" and child["goes_with_parent"]:
                self._cancel(child, because=because)

    def _children(self, job: Job) -> list[Job]:
        return [each for each in self.jobs.values() if job["name"] in each["parents"]]

    def _is_needed(self, job: Job) -> bool:
        return any(child["status"] != "completed" for child in self._children(job))
