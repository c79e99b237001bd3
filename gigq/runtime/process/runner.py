"""A child process for each slot."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from gigq.claims import Claim
from gigq.clock import Clock
from gigq.errors import NotImportable
from gigq.paths import Function, path_of
from gigq.reports import Progress, Report
from gigq.runtime.call import timed_out
from gigq.runtime.output import Output, with_output
from gigq.runtime.process.ending import Ending
from gigq.runtime.process.handle import Child, exit_reason
from gigq.runtime.process.listening import Listening
from gigq.runtime.process.starting import Starting, refuse_here
from gigq.runtime.process.wire import Settings
from gigq.runtime.runner import Ended

MOST_AHEAD = 64
"""Claims that a child may hold while its jobs are quick, the one that runs among them."""

QUICK = 0.01
"""Seconds. A child whose job takes longer gives back what it holds besides."""


class ProcessRunner:
    """Calls functions in child processes, one at a time in each. Unix only.

    The children are started when they are needed first, live as long as the runner, and hold nothing of the queue.
    At a deadline the child is killed, with all that its job has started, and a new one takes its slot at once.

    Functions are imported by the children anew, from where this process would import them now; the script that is
    running as the module of its file's name. So what a script does at its top level, its children do too, unless it
    stands under ``if __name__ == "__main__":``.

    Args:
        slots: how many functions may run at a time; may be changed.
        clock: where time comes from; the jobs themselves see the machine's.
        handlers: functions by the name that jobs call them by. They are sent by their import path.
        allow: as for `Functions`.
        result_limit: the most bytes that a result may have as JSON.
        grace: seconds from SIGTERM to SIGKILL.
        jobs_per_child: how many jobs a child runs before a new one takes its place; None for no end of them.
        keeps_logs: whether reports come with what the function has logged and printed. Of a child that is killed or
            dies, the last half of a second may be missing.

    Raises:
        NotImportable: a handler has no import path.
        RuntimeError: on Windows, and inside a job.
    """

    def __init__(
        self,
        *,
        slots: int,
        clock: Clock,
        handlers: Mapping[str, Function] | None,
        allow: Sequence[str] | None = None,
        result_limit: int,
        grace: float = 2.0,
        jobs_per_child: int | None = None,
        keeps_logs: bool = False,
    ) -> None:
        refuse_here()
        if jobs_per_child is not None and jobs_per_child < 1:
            raise ValueError(f"jobs_per_child is {jobs_per_child!r}; it must be at least 1, or None")
        self.slots = slots
        self._clock = clock
        paths = {name: _path_of_handler(name, function) for name, function in (handlers or {}).items()}
        settings = Settings(handlers=paths, allow=allow, result_limit=result_limit, keeps_logs=keeps_logs)
        self._jobs_per_child = math.inf if jobs_per_child is None else jobs_per_child
        self._backlog: deque[Claim] = deque()
        self._ended: list[Ended] = []
        self._children: list[Child] = []
        self._most_needed = 0
        self._starting = Starting(clock, settings)
        self._ending = Ending(clock, grace)
        self._listening = Listening()

    is_stuck = False

    @property
    def free(self) -> int:
        able = sum(child.is_ready for child in self._children) if self._starting.is_failing else self.slots
        return max(0, able - len(self._backlog) - sum(len(child.claims) for child in self._children))

    @property
    def running(self) -> Collection[int]:
        handed = [claim for child in self._children for claim in child.claims]
        return [claim.execution_id for claim in (*handed, *self._backlog)]

    @property
    def begun(self) -> Collection[int]:
        return [claim.execution_id for child in self._children for claim in child.begun()]

    @property
    def next_deadline(self) -> float | None:
        deadline = min((_deadline(child) for child in self._children), default=math.inf)
        return None if deadline == math.inf else deadline

    def progress(self) -> Mapping[int, Progress]:
        return {output.execution_id: output.progress for output in self._outputs() if output.progress is not None}

    def logs(self, executions: Collection[int]) -> Mapping[int, str]:
        wanted = [output for output in self._outputs() if output.execution_id in executions]
        return {output.execution_id: text for output in wanted if output.log and (text := output.log.text())}

    def start(self, claims: Sequence[Claim]) -> None:
        self._backlog += claims
        self._go_on()

    def ended(self) -> list[Ended]:
        self._listen(0)
        self._stop_the_overdue()
        self._go_on()
        ended, self._ended = self._ended, []
        return ended

    def stop(self, executions: Collection[int]) -> None:
        """Kill the children that run these, and forget them: what they may still report is dropped."""
        unwanted = set(executions)
        for child in list(self._children):
            if unwanted.intersection(claim.execution_id for claim in child.claims):
                self._take_back(child)
                if child.claims and child.claims[0].execution_id in unwanted:
                    self._cut_off(child)
        self._backlog = deque(claim for claim in self._backlog if claim.execution_id not in unwanted)
        self._ended = [each for each in self._ended if each[0].execution_id not in unwanted]
        self._go_on()

    def give_back(self) -> list[Claim]:
        for child in list(self._children):
            self._take_back(child)
        given, self._backlog = list(self._backlog), deque()
        return given

    def wait(self, seconds: float, *, bell: int | None = None) -> bool:
        if self._ended:
            return False
        has_rung = self._listen(min(seconds, self._next_duty() - self._clock.monotonic()), bell=bell)
        self._go_on()
        return has_rung

    def wake(self) -> None:
        self._listening.wake()

    def close(self) -> None:
        """Let idle children end, and kill the others; returns when all have ended, after `grace` seconds at most."""
        for child in self._children:
            if child.is_idle:
                self._ending.dismiss(child)
            else:
                self._ending.terminate(child)
        self._children.clear()
        self._ending.finish()
        self._listening.close()

    def _next_duty(self) -> float:
        """The monotonic time at which there is something to do though nothing has arrived."""
        moments = [self._ending.next_kill]
        moments += [child.begun_at + QUICK for child in self._children if len(child.claims) > 1]
        moments += [self._starting.limit(child) for child in self._children]
        if len(self._children) < self._most_needed:
            moments.append(self._starting.next_start(self._children))
        return min(moments)

    def _listen(self, seconds: float, *, bell: int | None = None) -> bool:
        speaking, has_rung = self._listening.listen(list(self._children), seconds, bell=bell)
        for child in speaking:
            self._read(child)
        return has_rung

    def _read(self, child: Child) -> None:
        ended, is_over = child.reports(self._clock.monotonic())
        self._ended += ended
        if is_over:
            self._lose(child)
        elif child.is_ready:
            self._starting.succeed()
            if child.served >= self._jobs_per_child:
                self._dismiss(child)

    def _lose(self, child: Child) -> None:
        """Say what became of the job of a child that has died; what it had not begun goes back."""
        self._children.remove(child)
        self._backlog.extendleft(reversed(child.take_back()))
        how = exit_reason(self._ending.reap(child))
        self._end(child, _failed(how, "ProcessDied"))
        if not child.is_ready:
            self._fail_to_start(how)

    def _fail_to_start(self, reason: str) -> None:
        if self._starting.fail() and self._backlog:
            error = f"no process could be started for it: {reason}"
            self._ended.append((self._backlog.popleft(), _failed(error, "ProcessNotStarted")))

    def _stop_the_overdue(self) -> None:
        now = self._clock.monotonic()
        for child in list(self._children):
            if _deadline(child) <= now:
                self._take_back(child)
                if _deadline(child) <= now:
                    self._end(child, timed_out(child.claims[0]))
                    self._cut_off(child)
            elif self._starting.limit(child) <= now:
                self._cut_off(child)
                self._fail_to_start("it was not ready in time")

    def _end(self, child: Child, report: Report) -> None:
        """Report in the name of a child that cannot."""
        started_at = self._clock.now() - timedelta(seconds=self._clock.monotonic() - child.begun_at)
        report = report._replace(started_at=started_at)
        self._ended += [(claim, with_output(report, child.output, claim.execution_id)) for claim in child.claims]
        child.claims.clear()

    def _take_back(self, child: Child) -> None:
        """Put what a child has not begun back into the backlog, and read what it has said: at most one is left."""
        self._backlog.extendleft(reversed(child.take_back()))
        self._read(child)

    def _outputs(self) -> list[Output]:
        return [output for child in self._children if (output := child.output) is not None]

    def _cut_off(self, child: Child) -> None:
        self._children.remove(child)
        self._ending.terminate(child)

    def _dismiss(self, child: Child) -> None:
        self._children.remove(child)
        self._ending.dismiss(child)

    def _go_on(self) -> None:
        """See to the children, those that are at their end, too slow, too many or too few, and hand out what waits."""
        self._ending.poll()
        self._take_back_from_the_slow()
        for child in [child for child in self._children if child.is_idle][: max(0, len(self._children) - self.slots)]:
            self._dismiss(child)
        self._distribute()
        self._start_children()

    def _take_back_from_the_slow(self) -> None:
        late = self._clock.monotonic() - QUICK
        someone_is_idle = not self._backlog and any(child.is_idle for child in self._children)
        for child in list(self._children):
            if len(child.claims) > 1 and (someone_is_idle or child.begun_at <= late):
                self._take_back(child)

    def _distribute(self) -> None:
        """Give each idle child a claim, and then what is left to those whose jobs are quick, in equal shares."""
        ready = [child for child in self._children if child.is_ready]
        for child in ready:
            self._give(child, 1 - len(child.claims))
        share = min(MOST_AHEAD, 1 + len(self._backlog) // max(1, len(ready)))
        for child in ready:
            # Not one by one: a write for several costs a write.
            if 2 * len(child.claims) <= share and child.is_quick(self._clock.monotonic(), QUICK):
                self._give(child, share - len(child.claims))

    def _give(self, child: Child, count: int) -> None:
        count = int(min(count, len(self._backlog), self._jobs_per_child - child.served - len(child.claims)))
        if count > 0:
            claims = [self._backlog.popleft() for _ in range(count)]
            child.give(claims, now=self._clock.monotonic())

    def _start_children(self) -> None:
        busy = sum(bool(child.claims) for child in self._children)
        self._most_needed = min(self.slots, max(self._most_needed, busy + len(self._backlog)))
        while len(self._children) < self._most_needed:
            if self._clock.monotonic() < self._starting.next_start(self._children):
                break
            try:
                self._children.append(self._starting.start())
            except OSError as error:
                self._fail_to_start(str(error))


def _deadline(child: Child) -> float:
    timeout = child.claims[0].timeout if child.claims else None
    return math.inf if timeout is None else child.begun_at + timeout


def _failed(error: str, error_type: str) -> Report:
    return Report.failed(error, error_type=error_type)


def _path_of_handler(name: str, function: Function) -> str:
    try:
        return path_of(function)
    except NotImportable as error:
        raise NotImportable(f"the handler {name!r} cannot be sent to another process: {error}") from error
