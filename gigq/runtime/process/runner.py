"""Run functions in child processes, one for each slot."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from gigq.checks import Default
from gigq.claims import Claim
from gigq.clock import Clock, to_text
from gigq.paths import Function
from gigq.reports import Progress, Report
from gigq.runtime.functions import path_of_default, paths_of
from gigq.runtime.output import Log, Output, cursors_in, logs_in, progress_in, with_output
from gigq.runtime.process.distribution import Backlog
from gigq.runtime.process.handle import Child, exit_reason
from gigq.runtime.process.launching import refuse_here
from gigq.runtime.process.overdue import Overdue
from gigq.runtime.process.poller import Poller
from gigq.runtime.process.reaper import Reaper
from gigq.runtime.process.spawner import Spawner
from gigq.runtime.process.stdio import occupy
from gigq.runtime.process.wire import QueueFile, Settings
from gigq.runtime.runner import Ended
from gigq.runtime.verdict import timed_out


class ProcessRunner:
    """Calls functions in child processes, one at a time in each. Unix only.

    The children are started when they are first needed, live as long as the runner, and hold nothing of the queue.
    At a deadline a child is killed, with everything that its job has started, and a new one takes its slot at once.
    Just before, it writes down where its job stands. Signals that stop the worker do nothing in the children.

    The children import the functions themselves, from where this process would import them now; the script that is
    running as the module of its file's name. So its children also do what a script does at its top level, unless that
    is under ``if __name__ == "__main__":``.

    Args:
        slots: how many functions may run at a time; may be changed.
        clock: where time comes from; the jobs themselves see the machine's.
        handlers: functions by the names that jobs use for them. The children get their import paths.
        allow: as for `Functions`.
        result_limit: the most bytes that a result may have as JSON.
        default: converts what JSON lacks in a result. The children get its import path.
        grace: seconds from SIGTERM to SIGKILL, for jobs that handle SIGTERM; others are killed at once.
        jobs_per_child: how many jobs a child runs before a new one takes its place; None for no limit.
        keeps_logs: whether reports include what the function has logged and printed. When a child is killed or dies,
            the last half second may be missing.
        file, watch: as for `Settings`.

    Raises:
        NotImportable: a handler has no import path.
        RuntimeError: on Windows, and inside a job.
        ValueError: in a frozen application.
    """

    def __init__(
        self,
        *,
        slots: int,
        clock: Clock,
        handlers: Mapping[str, Function] | None,
        allow: Sequence[str] | None = None,
        result_limit: int,
        default: Default | None = None,
        grace: float = 2.0,
        jobs_per_child: int | None = None,
        keeps_logs: bool = False,
        file: QueueFile | None = None,
        watch: Sequence[str] | None = None,
    ) -> None:
        refuse_here()
        occupy()
        if jobs_per_child is not None and jobs_per_child < 1:
            raise ValueError(f"jobs_per_child is {jobs_per_child!r}; it must be at least 1, or None")
        self.slots = slots
        self._clock = clock
        settings = Settings(
            handlers=paths_of(handlers or {}), allow=allow, result_limit=result_limit,
            default=default and path_of_default(default), keeps_logs=keeps_logs, file=file, watch=watch,
        )  # fmt: skip
        self._jobs_per_child = math.inf if jobs_per_child is None else jobs_per_child
        self._backlog = Backlog(self._jobs_per_child)
        self._ended: list[Ended] = []
        self._children: list[Child] = []
        self._overdue = Overdue()
        self._most_needed = 0
        self._trouble = ""
        self._spawner = Spawner(clock, settings)
        self._reaper = Reaper(clock, grace)
        self._poller = Poller()

    @property
    def is_stuck(self) -> bool:
        return self._spawner.has_given_up and not any(child.is_ready for child in self._children)

    @property
    def why_stuck(self) -> str:
        return f"no child process can be started: {self._trouble}"

    @property
    def free(self) -> int:
        able = sum(child.is_ready for child in self._children) if self._spawner.is_failing else self.slots
        return max(0, able - len(self._backlog.claims) - sum(len(child.claims) for child in self._children))

    @property
    def running(self) -> Collection[int]:
        given = [each.claim for each in self._overdue]
        given += [claim for child in self._children for claim in child.claims]
        return [claim.execution_id for claim in (*given, *self._backlog.claims)]

    @property
    def begun(self) -> Collection[int]:
        begun = [each.claim for each in self._overdue]
        begun += [claim for child in self._children for claim in child.begun()]
        return [claim.execution_id for claim in begun]

    @property
    def next_deadline(self) -> float | None:
        deadline = min((child.deadline for child in self._children), default=math.inf)
        return None if deadline == math.inf else deadline

    def progress(self) -> Mapping[int, Progress]:
        return progress_in(self._outputs())

    def cursors(self) -> Mapping[int, str]:
        return cursors_in(self._outputs())

    def logs(self) -> Mapping[int, Log]:
        return logs_in(self._outputs())

    def start(self, claims: Sequence[Claim]) -> None:
        self._backlog.claims += claims
        self._go_on()

    def ended(self) -> list[Ended]:
        self._listen(0)
        self._stop_the_overdue()
        self._report_the_overdue()
        self._go_on()
        ended, self._ended = self._ended, []
        return ended

    def stop(self, executions: Collection[int]) -> None:
        """Kill the children that run these, and forget them: reports that they still send are dropped."""
        unwanted = set(executions)
        for each in self._overdue.forget(unwanted):
            self._reaper.terminate(each.child)
        for child in list(self._children):
            if unwanted.intersection(claim.execution_id for claim in child.claims):
                self._take_back(child)
                if child.claims and child.claims[0].execution_id in unwanted:
                    self._terminate(child)
        self._backlog.claims = deque(each for each in self._backlog.claims if each.execution_id not in unwanted)
        self._ended = [each for each in self._ended if each[0].execution_id not in unwanted]
        self._go_on()

    def give_back(self) -> list[Claim]:
        for child in list(self._children):
            self._take_back(child)
        return self._backlog.take_all()

    def wait(self, seconds: float, *, bell: int | None = None) -> bool:
        if self._ended:
            return False
        has_rung = self._listen(min(seconds, self._next_duty() - self._clock.monotonic()), bell=bell)
        self._go_on()
        return has_rung

    def wake(self) -> None:
        self._poller.wake()

    def close(self) -> None:
        """Let idle children end, and kill the others. Returns when all have ended, after `grace` seconds at most."""
        for child in self._children:
            if child.is_idle:
                self._reaper.dismiss(child)
            else:
                self._reaper.terminate(child)
        self._children.clear()
        for each in self._overdue:
            self._reaper.terminate(each.child)
        self._reaper.finish()
        self._poller.close()

    def _next_duty(self) -> float:
        """The monotonic time at which there will be something to do even if nothing arrives."""
        moments = [self._reaper.next_kill, self._overdue.next_report, self._backlog.next_check(self._children)]
        moments += [self._spawner.ready_by(child) for child in self._children]
        if len(self._children) < self._most_needed:
            moments.append(self._spawner.next_spawn(self._children))
        return min(moments)

    def _listen(self, seconds: float, *, bell: int | None = None) -> bool:
        ending = [each.child for each in self._overdue]
        readable, has_rung = self._poller.poll([*self._children, *ending], seconds, bell=bell)
        for child in readable:
            if child.asked_at is None:
                self._read(child)
            else:
                child.ended(self._clock.monotonic())  # too late; this only notes that it has hung up
        return has_rung

    def _read(self, child: Child) -> None:
        self._ended += child.ended(self._clock.monotonic())
        if child.has_hung_up:
            self._lose(child)
        elif child.is_ready:
            self._spawner.note_ready()
            if child.served >= self._jobs_per_child:
                self._dismiss(child)

    def _lose(self, child: Child) -> None:
        """Report the job of a child that has died. What it had not begun goes back to the backlog."""
        self._children.remove(child)
        self._backlog.take_back(child)
        reason = exit_reason(self._reaper.reap(child), is_garbled=child.is_garbled)
        self._end(child, Report.failed(reason, error_type="ProcessDied"))
        if not child.is_ready:
            self._note_failed_start(reason)

    def _note_failed_start(self, reason: str) -> None:
        self._trouble = reason
        self._spawner.note_failure()
        if self.is_stuck:
            report = Report.released(f"given back: its worker could start no process: {reason}", has_begun=False)
            self._ended += [(claim, report) for claim in self._backlog.take_all()]

    def _stop_the_overdue(self) -> None:
        now = self._clock.monotonic()
        for child in list(self._children):
            if child.deadline <= now:
                self._take_back(child)
                if child.deadline <= now:
                    self._children.remove(child)
                    self._overdue.add(child, started_at=self._began_at(child), now=now)
            elif self._spawner.ready_by(child) <= now:
                self._terminate(child)
                self._note_failed_start("it was not ready in time")

    def _report_the_overdue(self) -> None:
        for child, claim, started_at in self._overdue.take(self._clock.monotonic()):
            report = timed_out(claim, stack=child.stack())._replace(started_at=started_at)
            self._ended.append((claim, with_output(report, child.output, claim.execution_id)))
            self._reaper.terminate(child)

    def _end(self, child: Child, report: Report) -> None:
        """Report for a child that cannot."""
        report = report._replace(started_at=self._began_at(child))
        self._ended += [(claim, with_output(report, child.output, claim.execution_id)) for claim in child.claims]
        child.claims.clear()

    def _began_at(self, child: Child) -> str:
        """When the first of its claims began, as the file holds it."""
        return to_text(self._clock.now() - timedelta(seconds=self._clock.monotonic() - child.begun_at))

    def _take_back(self, child: Child) -> None:
        """Take back what a child has not begun, and read what it has sent: at most one claim is left."""
        self._backlog.take_back(child)
        self._read(child)

    def _outputs(self) -> list[Output]:
        children = (*self._children, *(each.child for each in self._overdue))
        return [output for child in children if (output := child.output) is not None]

    def _terminate(self, child: Child) -> None:
        self._children.remove(child)
        self._reaper.terminate(child)

    def _dismiss(self, child: Child) -> None:
        self._children.remove(child)
        self._reaper.dismiss(child)

    def _go_on(self) -> None:
        """See to the children that are ending, overloaded, too many or too few, and hand out the backlog."""
        self._reaper.poll()
        for child in self._backlog.overloaded(self._children, now=self._clock.monotonic()):
            self._take_back(child)
        for child in [child for child in self._children if child.is_idle][: max(0, len(self._children) - self.slots)]:
            self._dismiss(child)
        self._backlog.distribute(self._children, now=self._clock.monotonic())
        self._start_children()

    def _start_children(self) -> None:
        busy = sum(bool(child.claims) for child in self._children)
        self._most_needed = min(self.slots, max(self._most_needed, busy + len(self._backlog.claims)))
        while len(self._children) < self._most_needed:
            if self._clock.monotonic() < self._spawner.next_spawn(self._children):
                break
            try:
                self._children.append(self._spawner.spawn())
            except OSError as error:
                self._note_failed_start(str(error))
