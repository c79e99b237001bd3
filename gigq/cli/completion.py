"""Completion: what a shell asks with ``gigq __complete``, and the scripts that make it ask."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stderr, suppress

from gigq.cleaning import clean
from gigq.cli.candidates import FILES, Candidate, candidates

_PATIENCE = 0.5
"""Seconds after which nothing is offered: whoever types does not wait for a slow disk."""
_MEANING = 60
"""Characters that are shown of what a word stands for."""
_MENU = "37"
"""What bash says when it inserts one word after the other, so that only words may be offered."""

BASH = r"""# Completion of gigq for bash. In ~/.bashrc:  eval "$(gigq completion bash)"
_gigq() {
    local word
    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <(gigq __complete bash "$COMP_TYPE" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [ "${COMPREPLY[0]}" = $'\tfiles' ]; then
        COMPREPLY=()
        compopt -o default 2>/dev/null
    elif [ "${#COMPREPLY[@]}" -eq 1 ] && [ "${COMPREPLY[0]: -1}" = = ]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -F _gigq gigq
"""

ZSH = r"""#compdef gigq
# Completion of gigq for zsh. In ~/.zshrc, after compinit:  eval "$(gigq completion zsh)"
_gigq() {
    local -a found
    found=("${(@f)$(gigq __complete zsh - "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ "${found[1]}" == $'\tfiles' ]]; then
        [[ "$PREFIX" == --*=* ]] && compset -P '*='
        _files
    elif [[ -n "${found[1]}" ]]; then
        _describe -V gigq found
    fi
}
if [[ "${funcstack[1]}" == _gigq ]]; then
    _gigq "$@"
else
    compdef _gigq gigq
fi
"""

FISH = r"""# Completion of gigq for fish:  gigq completion fish > ~/.config/fish/completions/gigq.fish
function __gigq_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found (gigq __complete fish - $words[2..-1] "$current" 2>/dev/null)
    if test "$found[1]" = \t"files"
        set -l option (string match -r -- '^--[^=]*=' "$current")
        printf '%s\n' "$option"(__fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current"))
    else
        printf '%s\n' $found
    end
end
complete -c gigq -f -k -a '(__gigq_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""For each shell the script that asks for what may be typed."""


def complete(words: Sequence[str]) -> None:
    """Print what a shell may offer, a line each, and nothing at all where something goes wrong.

    Args:
        words: the name of the shell, how bash completes, and the words after ``gigq`` up to the one that was begun.
    """
    lines: list[str] = []
    # A fault of the file is no news for who types.
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere), suppress(Exception):
        shell, how, *typed = words
        lines = list(_offered(shell, how, typed or [""]))
    for line in lines:
        print(line)


def _offered(shell: str, how: str, typed: list[str]) -> Iterator[str]:
    *before, word = [each.strip("'\"") for each in _reassembled(typed)] if shell == "bash" else typed
    found = [each for each in candidates(before, word, os.environ) if _is_safe(each)]
    if FILES in found:
        return iter(("\tfiles",))
    if shell == "bash":
        return _for_bash(found, word, has_meanings=how != _MENU)
    return _for_zsh(found) if shell == "zsh" else (f"{value}\t{_short(meaning)}" for value, meaning in found)


def _reassembled(words: Iterable[str]) -> list[str]:
    """The words as they were typed: bash parts them at = and : too."""
    whole: list[str] = []
    is_open = False
    for word in words:
        is_break = word in ("=", ":")
        if whole and (is_break or is_open) and whole[-1:] != ["--"]:
            whole[-1] += word
        else:
            whole.append(word)
        is_open = is_break
    return whole or [""]


def _for_bash(found: Sequence[Candidate], word: str, *, has_meanings: bool) -> Iterator[str]:
    """Words of which bash has still to insert the part behind the last = or :, with their meaning in a list of IDs."""
    from shlex import quote

    known = max(word.rfind("="), word.rfind(":")) + 1
    for value, meaning in found:
        if len(found) > 1 and has_meanings and meaning and not value.startswith("-") and not value.isalpha():
            yield f"{value[known:]}  ({_short(meaning)})"
        else:
            yield value[known:] if value.startswith("-") else quote(value[known:])


def _for_zsh(found: Iterable[Candidate]) -> Iterator[str]:
    for value, meaning in found:
        escaped = value.replace("\\", "\\\\").replace(":", "\\:")
        yield f"{escaped}:{_short(meaning)}" if meaning else escaped


def _short(meaning: str) -> str:
    text = clean(meaning)
    return text if len(text) <= _MEANING else f"{text[:_MEANING]}..."


def _is_safe(candidate: Candidate) -> bool:
    """Whether a word can be typed: one with control characters cannot, and might do something on the terminal."""
    return clean(candidate[0]) == candidate[0]


def end_soon() -> None:
    """End the process when the time is over, whatever it is doing then, such as waiting for a disk."""
    import threading

    timer = threading.Timer(_PATIENCE, os._exit, [0])
    timer.daemon = True
    timer.start()
