"""The commands, and the table of them all: a command's module is imported when the command is typed."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gigq.cli.command import Command

RUN, LOOK, ACT, FIX, SERVE = "run", "look", "act", "fix", "serve"

GROUPS = {
    RUN: "Run jobs",
    LOOK: "Look",
    ACT: "Act",
    FIX: "Fix",
    SERVE: "Serve other programs, and this one",
}
"""What the commands are for, in the order of the help."""


class Row(NamedTuple):
    """A command in the table.

    Attributes:
        module: the module in `gigq.cli.commands`.
        group: one of `GROUPS`.
        summary: the first line of its help.
        is_common: whether the short help shows it.
        default: the command that the word of a family means alone; empty for none.
    """

    module: str
    group: str
    summary: str
    is_common: bool = False
    default: str = ""


COMMANDS = {
    "submit": Row("submitting", RUN, "Submit a job that calls a function, and print the job's ID.", True),
    "worker": Row("worker", RUN, "Run jobs until stopped by SIGTERM, SIGHUP, Ctrl-C or `gigq stop`.", True),
    "drain": Row("draining", RUN, "Run everything that can run, here and now, and say how it went."),
    "wait": Row("waiting", RUN, "Wait until jobs have ended, and say how each has."),
    "result": Row("waiting", RUN, "Print what a job has returned: text as it is, and anything else as JSON."),
    "schedule add": Row("schedules", RUN, "Add or change a schedule, and print its next tick."),
    "schedule list": Row("schedules", LOOK, "List the schedules."),
    "schedule preview": Row("schedules", LOOK, "Print the next ticks of a schedule, in UTC."),
    "schedule run": Row("schedules", RUN, "Submit a schedule's job now, and print the job's ID."),
    "schedule pause": Row("schedules", ACT, "Stop a schedule from submitting jobs until it is resumed."),
    "schedule resume": Row("schedules", ACT, "Let a paused schedule submit jobs again, from its next tick."),
    "schedule remove": Row("schedules", ACT, "Remove a schedule; the jobs it has submitted stay."),
    "list": Row("listing", LOOK, "List jobs, newest first.", True),
    "status": Row("status", LOOK, "Show one job, attempt by attempt, and what happens next.", True),
    "why": Row("why", LOOK, "Explain why jobs are not getting on, or how one ended.", True),
    "next": Row("next_jobs", LOOK, "Show what runs next, and predict when."),
    "graph": Row("graph", LOOK, "Draw what a job depends on, and what depends on it."),
    "logs": Row("logs", LOOK, "Show what a job has logged, attempt by attempt."),
    "top": Row("top", LOOK, "Show the queue live: what runs, what fails, what is next.", True),
    "stats": Row("reading", LOOK, "Count the jobs by status."),
    "info": Row("monitoring", LOOK, "Show what the file is: its path, sizes, versions, and how much it holds."),
    "queues": Row("queues", LOOK, "List the queues that have unfinished jobs, a limit or a pause."),
    "workers": Row("workers", LOOK, "List the workers, oldest first, and what each of them runs."),
    "errors": Row("history", LOOK, "Show what failed, grouped by cause: the same function, error and message."),
    "functions": Row(
        "history",
        LOOK,
        "Show what each function cost: how often it ran and failed, how long it took, and how long its jobs waited.",
    ),
    "trace": Row("tracing", LOOK, "Draw what the slots of all workers did over time."),
    "diff": Row("difference", LOOK, "Compare two attempts of a job, two jobs, or a failed job with the last good one."),
    "actions": Row(
        "history", LOOK, "Show what people did to the queue, newest first: who, when, what, and to how many jobs."
    ),
    "dead list": Row("dead_letters", LOOK, "Show dead letters, grouped by cause: jobs that used up their attempts."),
    "dead requeue": Row("control", ACT, "Send dead letters back to the queue."),
    "dead purge": Row("pruning", ACT, "Delete dead letters, oldest first, and print how many."),
    "workflow list": Row("workflows", LOOK, "List workflows, newest first, with the number of their jobs by status."),
    "workflow show": Row(
        "workflows", LOOK, "Show where a workflow stands, and draw its jobs below those that they wait for."
    ),
    "workflow graph": Row("workflows", LOOK, "Print the picture of a workflow, as Mermaid or SVG."),
    "workflow cancel": Row(
        "workflows", ACT, "Cancel the pending and running jobs of a workflow, except the one that runs at its end."
    ),
    "workflow requeue": Row("workflows", ACT, "Send the failed and timed-out jobs of a workflow back to the queue."),
    "cancel": Row("control", ACT, "Cancel pending jobs, and the jobs that depend on them.", True),
    "requeue": Row("control", ACT, "Send failed, timed-out or cancelled jobs back to the queue.", True),
    "reschedule": Row("control", ACT, "Change when pending jobs run, their priority or their queue."),
    "pause": Row("steering", ACT, "Stop workers from claiming jobs from one queue, or from all."),
    "resume": Row("steering", ACT, "Let workers claim jobs again, from one queue or from all."),
    "configure": Row("steering", ACT, "Change a queue's limits, and show them."),
    "scale": Row("steering", ACT, "Set how many jobs workers run at a time."),
    "stop": Row("steering", ACT, "Ask workers to stop."),
    "delete": Row("pruning", ACT, "Delete jobs, finished or pending, with their executions."),
    "prune": Row("pruning", ACT, "Delete finished jobs, oldest first, and print how many."),
    "clear": Row("pruning", ACT, "Delete completed and cancelled jobs, and print how many."),
    "doctor": Row(
        "checking", FIX, "Check the queue and its file, and print every problem, why it matters, and what to do.", True
    ),
    "replay": Row("replay", FIX, "Run a job's exact call again, here and now, and record nothing.", True),
    "backup": Row("backing_up", FIX, "Copy the queue to another file while workers run, and check the copy."),
    "recover": Row("steering", FIX, "Recover the jobs of dead workers, and print how many."),
    "health": Row("monitoring", SERVE, "Say in one line whether the queue is well, for Docker, Nagios and cron."),
    "metrics": Row("metrics", SERVE, "Print metrics of the queue in the Prometheus text format."),
    "help": Row("helping", SERVE, "Show how to use a command, or explain a topic."),
    "env": Row(
        "helping", SERVE, "Show the environment variables that gigq heeds, with what holds and where it comes from."
    ),
    "completion": Row(
        "helping", SERVE, "Print the script that lets a shell complete commands, options, queues, names and IDs."
    ),
    "version": Row("version", SERVE, "Print the version of gigq."),
}
"""Each command, the most used ones of each group first: enough for the list of all of them."""

FAMILIES = {
    "dead": Row(
        "dead_letters", LOOK, "Show dead letters, send them back or delete them.", default="dead list"
    ),
    "schedule": Row("schedules", RUN, "Submit jobs at certain times."),
    "workflow": Row("workflows", LOOK, "Look at workflows, cancel them, and send them back where they failed."),
}
"""The first words of commands of two words."""


def declared(words: str) -> "Command":
    """Import the module of a command, and return the command."""
    from importlib import import_module

    module = import_module(f"gigq.cli.commands.{COMMANDS[words].module}")
    name = words.replace(" ", "_")
    found: Command = getattr(module, name, None) or getattr(module, f"{name}_")
    return found
