"""A call as a job: its function by name, its arguments as JSON, and an id that a later run derives again."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import threading
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from gigq.checks import Default
from gigq.codec import canonical, decode, encode
from gigq.errors import NotSerializable
from gigq.executor.code import code_of, differs
from gigq.job import Job
from gigq.job_ids import new_job_id
from gigq.main_guard import IMPORTS
from gigq.new_job import NewJob
from gigq.paths import path_of, unwrapped
from gigq.queue.preparing import prepare

CODE = "gigq.code"
"""The key in the metadata of a job under which the code of its function is kept."""

_METADATA_LIMIT = 1_000_000


class _Template(NamedTuple):
    """What all calls of one function have in common: the fields of `NewJob` before its arguments, and after."""

    function: str
    before: tuple[Any, ...]
    after: tuple[Any, ...]


class Calls:
    """Makes jobs of calls. Safe to use from many threads.

    Args:
        key: what the ids are derived from besides the call itself; None for ids that are new each time.
        options: those of `Job` that all calls have.
        limit: the most bytes that arguments may have as JSON.
        default: makes of an object in arguments that JSON lacks one that it has.
    """

    def __init__(
        self, key: Sequence[str] | None, options: Mapping[str, Any], *, limit: int, default: Default | None
    ) -> None:
        self._key = None if key is None else blake2b(
            encode(list(key), name="key", limit=_METADATA_LIMIT).encode(), digest_size=16
        )
        self._options = options
        self._limit = limit
        self._default = default
        self._templates: dict[Callable[..., Any], _Template] = {}
        self._codes: dict[str, str | None] = {}
        self._seen: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def job(self, function: Callable[..., Any], args: Sequence[Any], params: Mapping[str, Any]) -> NewJob:
        """Return the job of one more call.

        Raises:
            NotImportable: a worker could not find the function.
            NotSerializable: JSON cannot hold the arguments.
        """
        IMPORTS.refuse("a job was submitted")
        template = self._template(function)
        try:
            args_text = encode(list(args), name="args", limit=self._limit, default=self._default)
            params_text = encode(dict(params), name="params", limit=self._limit, default=self._default)
        except NotSerializable as error:
            raise NotSerializable(f"{template.before[0]}: {error}") from None
        job_id = new_job_id() if self._key is None else self._derived(template.function, args_text, params_text)
        return tuple.__new__(NewJob, (job_id, *template.before, args_text, params_text, *template.after))

    def is_outdated(self, function: str, metadata: str) -> bool:
        """Whether a result with this metadata was made by other code than the function has now."""
        if f'"{CODE}"' not in metadata:
            return False
        return differs(decode(metadata).get(CODE), self._codes.get(function))

    def forget(self) -> None:
        """Number equal calls from 1 again."""
        self._seen.clear()

    def _template(self, function: Callable[..., Any]) -> _Template:
        try:
            template = self._templates.get(function)
        except TypeError:  # a callable object that is not hashable is refused next
            template = None
        return template or self._new_template(function)

    def _new_template(self, function: Callable[..., Any]) -> _Template:
        if isinstance(function, str):
            raise TypeError(f"fn is {function!r:.80}; it must be a function")
        path, plain = path_of(function), unwrapped(function)
        code = self._codes[path] = code_of(plain) if self._key else None
        options = dict(self._options)
        if code is not None:
            options["metadata"] = {**(options.get("metadata") or {}), CODE: code}
        made = prepare(
            Job(getattr(plain, "__name__", path), path, **options), limit=_METADATA_LIMIT, default=self._default
        )
        at = NewJob._fields.index("args")
        template = self._templates[function] = _Template(path, made[1:at], made[at + 2 :])
        return template

    def _derived(self, function: str, args: str, params: str) -> str:
        """Return an id made of what the call is, and of how many equal ones this run has made before."""
        assert self._key is not None
        digest = self._key.copy()
        for each in (function, _comparable(args), _comparable(params)):
            digest.update(f"{len(each)}:{each}".encode(errors="surrogatepass"))
        call = digest.digest()
        with self._lock:
            occurrence = self._seen[call] = self._seen.get(call, 0) + 1
        if occurrence > 1:
            call = blake2b(call + b"%d" % occurrence, digest_size=16).digest()
        return _as_uuid(call)


def _comparable(text: str) -> str:
    """Return JSON that is the same whatever the order of the keys."""
    return text if "{" not in text or text == "{}" else canonical(decode(text)) or text


def _as_uuid(digest: bytes) -> str:
    """Return a UUID of version 8 (RFC 9562)."""
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"
