"""The live screen: `gigq top`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gigq.cli.args import Args
from gigq.cli.command import CHANGE, argument, command
from gigq.cli.hiding import SHOW_SECRETS, redactor
from gigq.cli.top import plain
from gigq.cli.top.watch import Watch

if TYPE_CHECKING:
    from gigq.cli.columns import Pieces
    from gigq.cli.top.capabilities import Capabilities
    from gigq.cli.top.display import Display
    from gigq.cli.top.live import Live
    from gigq.cli.top.questions import Question
    from gigq.queue.job_queue import JobQueue


@command(
    argument("--read-only", action="store_true", help="only look: no key can change anything"),
    SHOW_SECRETS,
    fields=(
        "at", "workers", "ready", "running", "scheduled", "completed_last_minute", "failed_last_minute", "sentences",
        "trouble",
    ),
    examples=(
        ("gigq top", "the whole queue, until q"),
        ("gigq top --read-only", "the same for a screen on the wall"),
        ("gigq top | tee -a queue.log", "a line every ten seconds"),
    ),
)  # fmt: skip
def top(queue: JobQueue, args: Args) -> None:
    """Show the queue live: what runs, what fails, what is next.

    It begins with a sentence about what is not getting on, and the last hour; then come queues, running jobs, failures by cause, and the jobs that run next.
    Tab walks the panes, the arrows choose a line, Enter opens a job, / shows the jobs that match a filter, ? lists all keys.
    p pauses a queue, R requeues and K cancels; each of them asks first.
    It reads only after the file has changed, and draws at most four times a second.

    Where the output is no terminal, or with ACCESSIBLE set, it prints a line every ten seconds.
    """  # noqa: E501
    from gigq.queue.job_queue import JobQueue  # only here: `gigq top --help` needs no queue

    watch = Watch(queue, reopen=lambda: JobQueue(args.path, read_only=True), hide=redactor(args).text)
    try:
        can = _capabilities(args)
        if can is None:
            _print_lines(watch, args)
        else:
            _show(watch, args, can)
    finally:
        watch.close()


def _capabilities(args: Args) -> Capabilities | None:
    """Return what the terminal can do; None where there is no screen to draw on, or nobody at the keyboard."""
    if not (args.terminal.is_live and args.out.form.is_for_people and sys.stdin and sys.stdin.isatty()):
        return None
    try:
        import termios  # noqa: F401  not on Windows
    except ImportError:
        return None
    from gigq.cli.top.capabilities import capabilities

    return capabilities(args.environ, sys.stdout.fileno())


def _print_lines(watch: Watch, args: Args) -> None:
    while True:
        watch.refresh()
        watch.look()
        now = watch.now
        ids = [job.id for job in watch.scene.running]
        args.out.put(plain.values(watch.scene, now), [plain.line(watch.scene, now)], ids=ids)
        watch.queue.clock.sleep(plain.EVERY)


def _show(watch: Watch, args: Args, can: Capabilities) -> None:
    from gigq.cli.ended import Ended, end_by
    from gigq.cli.top.display import Display

    try:
        with Display(can, keyboard=sys.stdin.fileno(), screen=sys.stdout.fileno()) as display:
            _live(watch, args, can, display).run()
    except Ended as ended:
        watch.close()
        end_by(ended.number)


def _live(watch: Watch, args: Args, can: Capabilities, display: Display) -> Live:
    from gigq.cli.top.acting import act
    from gigq.cli.top.live import Live
    from gigq.cli.top.palette import palette
    from gigq.cli.top.pieces import Look
    from gigq.cli.top.story import story

    def told(job_id: str) -> list[Pieces]:
        from gigq.cli.commands import declared
        from gigq.cli.parser import add_defaults, parse

        shows = ["--show-secrets"] if args.show_secrets else []
        status, values = declared("status"), parse(["status", *shows, "--", job_id]).values
        add_defaults(status, values, args.environ)
        return story(status, watch.queue, args, values)

    def change(asked: Question) -> str:
        with args.open(CHANGE) as queue:  # the screen itself is read through a connection that cannot write
            return act(queue, asked)

    look = Look(is_unicode=args.terminal.is_unicode)
    return Live(
        watch, display, capabilities=can, palette=palette(can.colours if args.terminal.is_coloured else 0), look=look,
        story=told, act=change, is_read_only=args.read_only,
    )  # fmt: skip
