"""Which failures have one cause: their errors are the same but for numbers, ids, quoted values and addresses."""

from __future__ import annotations

import re
from functools import lru_cache

MOST = 500
"""Characters of an error that count."""

_ANY = "…"

_VARYING = (
    # What is quoted, also if its end was cut off; an apostrophe inside a word quotes nothing.
    (re.compile(r"(?<!\w)(?:'[^'\n]*(?:'(?!\w)|$)|\"[^\"\n]*(?:\"(?!\w)|$)|`[^`\n]*(?:`(?!\w)|$))"), f"'{_ANY}'"),
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), _ANY),
    (re.compile(r"\b[0-9]+-[0-9a-f]{4}\b"), _ANY),  # the end of a worker's id: its process and four random digits
    (re.compile(r"\b0[xX][0-9a-fA-F]+\b"), _ANY),
    (re.compile(r"\b(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{8,}\b"), _ANY),
    (re.compile(r"\b(?=\w*[0-9]\w*[0-9])(?=\w*[A-Za-z])\w{8,}\b"), _ANY),  # ids of other systems
    (re.compile(r"[0-9]+(?:[.,:_/-][0-9]+)*"), _ANY),
    (re.compile(r"\s+"), " "),
)


_DIGITS = str.maketrans("123456789", "0" * 9)
"""All digits are alike: of a million errors there are a few then, and the patterns are tried on those alone."""


def without_values(error: str) -> str:
    """Return an error without what differs from one to the next."""
    return _reduced(error[:MOST].translate(_DIGITS))


@lru_cache(maxsize=2_000)
def _reduced(text: str) -> str:
    for pattern, placeholder in _VARYING:
        text = pattern.sub(placeholder, text)
    return text.strip()


def key_of(function: str, error_type: str | None, message: str) -> str:
    """Return eight hexadecimal digits, the same for the same cause in every file and at every time.

    Args:
        message: as `without_values` returns it.
    """
    from hashlib import blake2b  # only here: it takes longer to import than this module

    text = "\0".join((function, error_type or "", message))
    return blake2b(text.encode(errors="surrogatepass"), digest_size=4).hexdigest()
