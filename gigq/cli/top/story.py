"""What is told of a job that was opened: the same as `gigq status` tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigq.cli.args import Args
from gigq.cli.columns import Pieces
from gigq.cli.command import Command
from gigq.cli.forms import Form
from gigq.cli.out import Output
from gigq.cli.styled import Styled

if TYPE_CHECKING:
    from argparse import Namespace

    from gigq.queue.job_queue import JobQueue


def story(status: Command, queue: JobQueue, args: Args, typed: Namespace) -> list[Pieces]:
    """Return what `gigq status` prints of a job, as lines.

    Args:
        status: the command.
        args: those of the screen.
        typed: what would have been typed for `gigq status`.

    Raises:
        JobNotFound: the job was deleted.
    """
    terminal = args.terminal._replace(is_coloured=False)  # drawn lines come without sequences, which take no place
    out = Output(Form(), terminal, environ=args.environ, colour="never")
    answer = status.run(queue, Args(typed, environ=args.environ, out=out))
    assert answer is not None
    lines = [line if isinstance(line, Styled) else Styled(line) for line in answer.lines]
    return [list(line.pieces(args.terminal)) for line in lines]
