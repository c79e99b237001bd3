"""What is told of a job that was opened: the same as `gigq status` tells."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from gigq.cli.args import Args
from gigq.cli.columns import Pieces
from gigq.cli.command import Command
from gigq.cli.forms import Form
from gigq.cli.out import Output
from gigq.cli.styled import Styled

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue

_MOST = 5000
"""Lines of a job that are shown: it is told again whenever something changes."""


def story(status: Command, queue: JobQueue, args: Args, typed: Mapping[str, Any]) -> list[Pieces]:
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
    answer = status.run(queue, Args(typed, absent=status.absent, environ=args.environ, out=out))
    assert answer is not None
    lines = list(islice(answer.lines, _MOST + 1))
    if len(lines) > _MOST:
        lines[_MOST:] = [f"… `gigq status {shlex.quote(typed['id'])}` shows the rest"]
    return [list((line if isinstance(line, Styled) else Styled(line)).pieces(args.terminal)) for line in lines]
