"""Secrets in what jobs carry, hidden from screens: by the name of their key, at any depth and inside texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gigq.records import ExecutionRecord, JobRecord
    from gigq.redacted_text import Scanner
    from gigq.steps import StepRecord

DEFAULT = (
    "password", "passwd", "passphrase", "passcode", "pass", "pwd", "secret", "token", "authorization", "auth",
    "cookie", "credential", "api key", "access key", "private key", "signing key", "encryption key", "account key",
    "session id", "session key", "signature", "sig", "jwt", "otp", "csrf", "xsrf",
)  # fmt: skip
"""The keys whose values are secret, as words: ``api key`` stands for api_key, Api-Key, apiKey and APIKEY."""

# Patterns are text, which `re` compiles when it is first used, and keeps: most lists of jobs need none.
_WORD = "[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\\W\\d_A-Za-z]+"
_MEASURES = frozenset(
    ("count", "limit", "max", "min", "total", "num", "number", "length", "len", "size", "ttl", "age", "expires",
     "expiry", "expiration", "timeout", "usage", "used", "at", "in")
)  # fmt: skip
"""Words beside which a number is no secret: token_ttl, max_tokens, password_length."""

_WHOLE_WORD = 4
"""Letters up to which a key must be a whole word: the end of ``compass`` is no ``pass``, that of PGPASSWORD is one."""

_LONGEST_KEY = 100
_NAME = r"[\w.\-]{1,40}"
_NAMES, _VALUES = ("name", "key", "Name", "Key"), ("value", "Value")


class Redactor:
    """Hides the values of secret keys, at any depth, and in texts. It changes nothing that it is given.

    In texts it finds ``key=value``, ``key: value`` and ``"key": "value"``, also in JSON that is written inside a text;
    credentials in URLs, ``Bearer`` and ``Basic`` tokens, private keys, and tokens of a well-known form. It cannot know
    a secret that no key names, such as a positional argument. True, False and None are never hidden.

    Safe to share between threads.

    Args:
        keys: the secret keys, as words; see `DEFAULT`.

    Example:
        >>> from gigq.redaction import Redactor
        >>> Redactor().value({"user": 42, "auth": {"apiKey": "k-1"}, "url": "https://me:hush@example.org/"})
        {'user': 42, 'auth': '[redacted]', 'url': 'https://me:[redacted]@example.org/'}
        >>> Redactor().text("login failed: password=hunter2, user=ann")
        'login failed: password=[redacted], user=ann'
    """

    def __init__(self, keys: Iterable[str] = DEFAULT) -> None:
        self._keys = tuple(keys)
        self._known: dict[str, bool] = {}
        self._scanner: Scanner | None = None

    @classmethod
    def extended(cls, keys: str | None) -> Redactor:
        """Return one that hides the usual keys and those that are listed with commas, as in ``card,ssn``."""
        return cls((*DEFAULT, *(keys or "").split(",")))

    def is_secret(self, key: str) -> bool:
        """Whether the values of this key are secret."""
        known = self._known.get(key)
        if known is None:
            if len(self._known) > 10_000:
                self._known.clear()
            known = self._known[key] = self._is_secret(_words(key[-_LONGEST_KEY:]))
        return known

    def hides(self, key: str, is_number: bool = False) -> bool:
        """Whether a value of this key is hidden: numbers are not where they measure something, as in max_tokens."""
        return self.is_secret(key) and not (is_number and _is_measure(key))

    def value(self, value: Any) -> Any:
        """Return a value with the mask in the place of each secret in it."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return self._entries(value)
        if isinstance(value, list | tuple):
            return self._items(value)
        return value

    def text(self, text: str) -> str:
        """Return a text with the mask in the place of each secret in it."""
        if _is_harmless(text):
            return text
        if self._scanner is None:
            from gigq.redacted_text import Scanner  # only here: most lists of jobs need it not, and it takes 4 ms

            self._scanner = Scanner(self.hides)
        return self._scanner.text(text)

    def maybe(self, text: str | None) -> str | None:
        """Return what `text` does, and None for None."""
        return None if text is None else self.text(text)

    def job(self, job: JobRecord) -> JobRecord:
        """Return a job, with its executions, whose secrets are hidden."""
        return job._replace(
            name=self.text(job.name),
            description=self.text(job.description),
            args=self.value(job.args),
            params=self.value(job.params),
            result=self.value(job.result),
            error=self.maybe(job.error),
            progress=self.value(job.progress),
            cursor=self.value(job.cursor),
            unique_key=self.maybe(job.unique_key),
            metadata=self.value(job.metadata),
            executions=tuple(map(self.execution, job.executions)),
        )

    def execution(self, execution: ExecutionRecord) -> ExecutionRecord:
        """Return an execution whose secrets are hidden."""
        return execution._replace(
            result=self.value(execution.result),
            error=self.maybe(execution.error),
            traceback=self.maybe(execution.traceback),
            log=self.maybe(execution.log),
        )

    def step(self, step: StepRecord) -> StepRecord:
        """Return a step whose secrets are hidden."""
        return step._replace(arguments=self.maybe(step.arguments), result=self.value(step.result))

    def _entries(self, entries: dict[Any, Any]) -> dict[Any, Any]:
        """Return a dict without its secrets; in ``{"name": "password", "value": …}`` a key is a value itself."""
        named = next((entries[key] for key in _NAMES if isinstance(entries.get(key), str)), "")
        return {
            key: self._under(named if key in _VALUES and self.is_secret(named) else key, each)
            for key, each in entries.items()
        }

    def _items(self, items: Sequence[Any]) -> Any:
        if len(items) == 2 and isinstance(items[0], str) and re.fullmatch(_NAME, items[0]):  # a pair, as of headers
            found = [items[0], self._under(items[0], items[1])]
        else:
            found = [self.value(each) for each in items]
        return found if isinstance(items, list) else tuple(found)

    def _under(self, key: object, value: Any) -> Any:
        """Return the value of a key."""
        is_number = isinstance(value, int | float)
        is_harmless = value is None or isinstance(value, bool) or value in ("", [], {}, ())
        if is_harmless or not isinstance(key, str) or not self.hides(key, is_number):
            return self.value(value)
        from gigq.redacted_text import MASK

        return MASK

    @cached_property
    def _names(self) -> set[str]:
        return {"".join(_words(key)) for key in self._keys} - {""}

    @cached_property
    def _tails(self) -> tuple[str, ...]:
        return tuple(name for name in self._names if len(name) > _WHOLE_WORD)

    def _is_secret(self, words: list[str]) -> bool:
        """Whether the last words up to one of them, written as one, are a name, or end with one of some length."""
        for end in range(1, len(words) + 1):
            for start in range(end):
                joined = "".join(words[start:end])
                if joined in self._names or joined.removesuffix("s") in self._names:
                    return True
            joined = "".join(words[:end])
            if joined.endswith(self._tails) or joined.removesuffix("s").endswith(self._tails):
                return True
        return False


class Nothing(Redactor):
    """Hides nothing: for who has asked to see secrets."""

    def value(self, value: Any) -> Any:
        return value

    def text(self, text: str) -> str:
        return text


def _is_harmless(text: str) -> bool:
    """Whether a text is of mere words, or too short a word, in which nothing is a key or a token."""
    joined = text.replace(" ", "")
    return not text or ((joined.isalpha() or (len(text) < 16 and joined.isalnum())) and "bearer" not in text.lower())


def _words(key: str) -> list[str]:
    """Return the words of a key in lower case: ``X-Api_keyNo2`` is x, api, key, no."""
    return [word.lower() for word in re.findall(_WORD, key)]


def _is_measure(key: str) -> bool:
    words = _words(key)
    return not _MEASURES.isdisjoint(words) or words[-1:] == ["tokens"]
