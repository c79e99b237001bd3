"""Secrets in what commands show: hidden, unless ``--show-secrets`` was typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigq.cli.command import argument

if TYPE_CHECKING:
    from gigq.cli.args import Args
    from gigq.redaction import Redactor

SHOW_SECRETS = argument(
    "--show-secrets", action="store_true", env="GIGQ_SHOW_SECRETS",
    help="show passwords, tokens and other secrets in arguments, results, errors and logs",
)  # fmt: skip
"""The option of every command that shows what jobs carry, in whatever form."""


def redactor(args: Args) -> Redactor:
    """Return what hides secrets: by the usual keys, and those in ``GIGQ_REDACT``; nothing with ``--show-secrets``."""
    from gigq.redaction import Nothing, Redactor  # only here: few commands show what jobs carry

    return Nothing() if args.show_secrets else Redactor.extended(args.environ.get("GIGQ_REDACT"))
