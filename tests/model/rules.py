"""What a queue must do by rules: which jobs may start, and which are submitted by schedules."""

from __future__ import annotations

from math import inf
from typing import Any

OPEN = {"is_paused": False, "max_running": inf, "rate_limit": inf, "rate_period": inf, "starts": []}
Job = dict[str, Any]


class Rules:
    def __init__(self) -> None:
        self.now = 0
        self.jobs: dict[str, Job] = {}  # by name, in the order of submission
        self.rules: dict[str, dict[str, Any]] = {}  # by queue; "" is all of them
        self.schedules: dict[str, dict[str, Any]] = {}
        self.lasts: dict[str | None, str] = {}  # the last job of each workflow that has one
        self.missing: dict[str, int] = {}  # since when no worker has found a function that one did not find

    def say(self, queue: str, **rule: Any) -> None:
        self.rules.setdefault(queue, OPEN | {"starts": []}).update(rule)

    def schedule(self, name: str, **rule: Any) -> None:
        known = self.schedules.setdefault(name, {"every": 0, "is_paused": False, "last": None})
        next_at = known["next_at"] if known["every"] == rule["every"] else self.now + rule["every"]
        known.update(rule, next_at=next_at)

    def pause(self, name: str, *, is_paused: bool) -> bool:
        schedule = self.schedules.get(name, {"is_paused": is_paused})
        if schedule["is_paused"] and not is_paused:
            self.move_on(schedule)
        schedule["is_paused"] = is_paused
        return name in self.schedules

    def move_on(self, schedule: dict[str, Any]) -> None:
        schedule["next_at"] += schedule["every"] * (1 + (self.now - schedule["next_at"]) // schedule["every"])

    def those(self, **having: Any) -> list[Job]:
        return [job for job in self.jobs.values() if having.items() <= job.items()]

    def blockers(self, job: Job) -> int:
        raise NotImplementedError

    def startable(self, queues: list[str] | None, absent: list[str], probed: list[str]) -> list[Job]:
        ready = [job for job in self.those(status="pending", run_at=-inf) if not self.blockers(job)]
        best: list[Job] = []
        for job in sorted(ready, key=lambda job: -job["priority"]):
            before = [each for each in best if each["queue"] == job["queue"]]
            is_here = job["function"] not in absent + [each["function"] for each in best if each["function"] in probed]
            if is_here and len(before) < self.room(job["queue"]) and (queues is None or job["queue"] in queues):
                best.append(job)
        return best

    def find(self, function: str) -> None:
        self.missing.pop(function, None)

    def forget_the_unwanted(self) -> None:
        wanted = {job["function"] for job in self.those(status="pending", run_at=-inf) if not self.blockers(job)}
        self.missing = {function: since for function, since in self.missing.items() if function in wanted}

    def has_limits(self, queue: str) -> bool:
        rule = self.rules.get(queue, OPEN)
        return min(rule["max_running"], rule["rate_limit"]) < inf

    def room(self, queue: str) -> float:
        """How many jobs of a queue may start now."""
        rule = self.rules.get(queue, OPEN)
        running = len(self.those(status="running", queue=queue))
        recent = sum(start > self.now - rule["rate_period"] for start in rule["starts"])
        is_paused = rule["is_paused"] or self.rules.get("", OPEN)["is_paused"]
        return 0 if is_paused else min(rule["max_running"] - running, rule["rate_limit"] - recent)
