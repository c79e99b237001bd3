"""Secrets in texts: what of an error, a log or a traceback is the value of a secret key, or a secret by its form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

MASK = "[redacted]"
"""What is shown in the place of a secret."""

# Every pattern begins where a word begins and gives back nothing that it has taken, so that a text of megabytes is
# passed once, whoever wrote it.
_KEY = re.compile(
    r"""(?<![\w.\-])(?:--?(?P<option>\w[\w.\-]*+)[ \t]++(?=[^\s\-])"""
    r"""|[.\-]*+(?P<key>\w[\w.\-]*+)(?P<closed>\\*+["'\]]{0,2}+)[ \t]*+(?P<sign>=>|[:!=]?=|[:,>])[ \t]*+)"""
)
_IN_PAIR = re.compile(r"""\([ \t]*[bu]?\\*["']\Z""")
_ESCAPES = "nrt"
"""Letters that end an escape such as \\n, behind which a key may begin."""

_HARMLESS = re.compile(r"(?:None|null|nil|True|true|False|false)(?![\w.\-])")
_QUOTED = re.compile(r"""[bBrRuUfF]{0,2}(\\*+)(\"{3}|'{3}|["'])""")
_UNESCAPED = {
    quote: re.compile(rf"(?s)(?:[^\\{quote[0]}]|\\.{f'|{quote[0]}(?!{quote[1:]})' if quote[1:] else ''})*+")
    for quote in ('"""', "'''", '"', "'")
}
"""What is between quotes."""

_PLAIN = re.compile(r"""(?:[^\s,;&]|[,;&](?!\s*+["']?[\w.\-]++["']?\s*+[=:]))++""")
_PUNCTUATION = """.,;)]}>"'`"""
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?")
_DEFAULT = re.compile(r"[ \t]*+=(?!=)[ \t]*+")
_HEADER = re.compile(r"(?i)(?:.*[.\-_])?(?:authorization|cookie)s?2?")
_SCHEME = re.compile(r"(?i)(?:bearer|basic|digest|token|negotiate|apikey)[ \t]++(?=\S)")
_LINE = re.compile(r"[^\r\n]*+")
_PARTS = re.compile(r""""(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|[(\[{]|[)\]}]|[^"'()\[\]{}]++|.""", re.DOTALL)

_FORMS = re.compile(
    r"""(?P<pem>-----BEGIN[ ][A-Z ]{0,40}?PRIVATE[ ]KEY-----)(?:(?!-----END)[\s\S])*+"""
    r"""|(?P<scheme>(?i:\bBearer)\s++)[\w.~+/=\-]{8,}+"""
    r"""|(?P<basic>\bBasic\s++)(?=[A-Za-z+/]*+[0-9=])[A-Za-z0-9+/=]{8,}+"""
    r"""|(?<![\w\-])(?:eyJ[\w\-]{8,}+\.[\w\-]++\.[\w\-]*+|gh[pousr]_\w{20,}+|github_pat_\w{20,}+"""
    r"""|xox[abprs]-[\w\-]{10,}+|A[KS]IA[A-Z0-9]{16}+(?!\w)|[sr]k_(?:live|test)_\w{10,}+|sk-[\w\-]{20,}+"""
    r"""|glpat-[\w\-]{20,}+|AIza[\w\-]{35}+(?!\w))"""
    r"""|(?P<url>://[^\s'"<>`]++)"""
)
_PORT = re.compile(r"[0-9]{1,5}(?:[/?#]|\Z)")


class Scanner:
    """Hides secrets in texts. Safe to share between threads.

    Args:
        hides: whether the value of a key is secret, given the key and whether the value is a number.
    """

    def __init__(self, hides: Callable[[str, bool], bool]) -> None:
        self._hides = hides

    def text(self, text: str) -> str:
        """Return a text with the mask in the place of each secret in it."""
        return _FORMS.sub(_without_form, "".join(self._without_values(text)))

    def _without_values(self, text: str) -> Iterator[str]:
        done = at = 0
        while (found := _KEY.search(text, at)) is not None:
            at = found.end("option" if found["option"] else "key")  # a sign may be followed by a key: `error: token=…`
            key = self._secret_key(text, found)
            if key is None:
                continue
            start, end = _value(text, found)
            if start < end and self._hides(key, _NUMBER.fullmatch(text, start, end) is not None):
                yield f"{text[done:start]}{MASK}"
                at = done = end
        yield text[done:]

    def _secret_key(self, text: str, found: re.Match[str]) -> str | None:
        """Return the key if its values are secret, and if what follows it can be one."""
        key, start = found["option"] or found["key"], found.start("option" if found["option"] else "key")
        if not self._hides(key, False):
            key = key[1:] if key[0] in _ESCAPES and text[start - 1 : start] == "\\" else ""
            if not self._hides(key, False):
                return None
        if found["sign"] == ",":  # a pair, as in a list of headers
            return key if found["closed"] and _IN_PAIR.search(text, max(0, start - 8), start) else None
        return key if found["sign"] != ">" or text[start - 1 : start] == "<" else None


def _value(text: str, found: re.Match[str]) -> tuple[int, int]:
    """Return where the value begins and ends that follows a key and its sign; both are the same if there is none."""
    start = found.end()
    if _HARMLESS.match(text, start) or text.startswith(MASK, start):
        return start, start
    if found["sign"] == ">":
        end = text.find("<", start)
        return start, len(text) if end < 0 else end
    if quoted := _QUOTED.match(text, start):
        return quoted.end(), _end_of_quoted(text, quoted)
    if text[start : start + 1] in ("[", "(", "{"):
        return start, _end_of_brackets(text, start)
    if found["key"] and _HEADER.fullmatch(found["key"]):
        return start, _end_of_header(text, found)
    return start, _end_of_plain(text, start)


def _end_of_plain(text: str, start: int) -> int:
    end = start
    while True:
        scheme = _SCHEME.match(text, end)
        plain = _PLAIN.match(text, scheme.end() if scheme else end)
        if plain is None:
            return end
        default = _DEFAULT.match(text, plain.end())  # in a line of Python: `token: str = "…"`
        if default is None:
            return end + len(text[end : plain.end()].rstrip(_PUNCTUATION))
        end = default.end()
        if quoted := _QUOTED.match(text, end):
            return min(len(text), _end_of_quoted(text, quoted) + len(quoted[2]))


def _end_of_quoted(text: str, quoted: re.Match[str]) -> int:
    """Return where a quoted text ends; in JSON inside JSON its quotes have backslashes before them."""
    slashes, quote = quoted.groups()
    start = quoted.end()
    if not slashes:
        end = _UNESCAPED[quote].match(text, start).end()  # type: ignore[union-attr]  # it matches nothing, too
        return end if text.startswith(quote, end) else _end_of_line(text, start)
    end = text.find(slashes + quote, start)
    while end > start and text[end - 1] == "\\":
        end = text.find(slashes + quote, end + len(slashes) + 1)
    return end if end >= 0 else _end_of_line(text, start)


def _end_of_brackets(text: str, start: int) -> int:
    """Return where the bracket is closed, or the end of the text: it was cut."""
    depth = 0
    for part in _PARTS.finditer(text, start):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(part[0], 0)
        if depth == 0:
            return part.end()
    return len(text)


def _end_of_header(text: str, found: re.Match[str]) -> int:
    """Return where a header ends: with its line, or the quotes that it is in."""
    end = _end_of_line(text, found.end())
    before = text[max(0, found.start("key") - 1) : found.start("key")]
    closed = text.find(before, found.end(), end) if before in ("'", '"') else -1
    return closed if closed >= 0 else end


def _end_of_line(text: str, start: int) -> int:
    return _LINE.match(text, start).end()  # type: ignore[union-attr]  # it matches an empty line, too


def _without_form(found: re.Match[str]) -> str:
    if found["url"]:
        return _without_credentials(found["url"])
    return f"{found['pem'] or found['scheme'] or found['basic'] or ''}{MASK}"


def _without_credentials(rest: str) -> str:
    """Return what follows the scheme of a URL without its password, in which there may be a slash or an @."""
    before, sign, host = rest[3:].rpartition("@")
    user, colon, password = before.partition(":")
    if not (sign and colon and password) or re.search("[/?#]", user) or _PORT.match(password):
        return rest
    return f"://{user}:{MASK}@{host}"
