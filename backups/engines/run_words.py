"""The words by which a run is found: of what it wrote, and of what somebody looks for."""

import re
from collections.abc import Iterable

MOST_LETTERS = 6000
_LONGEST = 64
# As databases take a text to pieces, whatever stands between.
_WORD = re.compile(r"[^\W_]+")


def words_of(lines: Iterable[str]) -> str:
    """In their order; the last lines count most, and what comes again adds nothing."""
    kept: dict[str, None] = {}
    size = 0
    for line in reversed([*lines]):
        words = " ".join(_split(line))
        if words and words not in kept:
            size += len(words) + 1
            if size > MOST_LETTERS:
                break
            kept[words] = None
    return "\n".join(reversed(kept))


def asked_for(text: str) -> list[str]:
    """The words of a question, of which the last may be only begun."""
    return _split(text[:200])


def _split(text: str) -> list[str]:
    return [word[:_LONGEST] for word in _WORD.findall(text.lower())]
