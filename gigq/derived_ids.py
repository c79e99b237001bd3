"""The ids of what a job submits, derived from what that is: a retry that finds the same makes the same ids."""

from __future__ import annotations

import re
from hashlib import blake2b

from gigq.codec import canonical
from gigq.job_ids import uuid_of

_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def derived_id(of: str, *key: object) -> str:
    """Return a UUIDv8 (RFC 9562), the same for the same key.

    It begins like the id of the job, so that an index of ids grows where that one is.

    Args:
        of: the id of the job that submits.
        key: tells apart what it submits; as JSON can hold it.
    """
    own = int(of.replace("-", "")[:16], 16) if _UUID.fullmatch(of) else _hash(of)
    first = own & ~(0xF << 12) | 0x8 << 12
    return uuid_of(first << 64 | 0b10 << 62 | _hash([of, *key]) >> 2)


def _hash(value: object) -> int:
    """Return 64 bits."""
    text = canonical(value) or ""
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest())
