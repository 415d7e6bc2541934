"""Values that a program on another machine wrote, made safe to store and to count with."""

import json
import re

from backups.engines.redaction import redact

# Nine petabytes, or as many files: a database can still add up a thousand of such numbers.
MAX_NUMBER = 2**53
MAX_LINE = 1000

# Lone surrogates cannot be encoded, and PostgreSQL refuses NUL.
_UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# They turn text around, or hide in it.
_INVISIBLE = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def document(line: str) -> object:
    """The JSON of one line, or None."""
    if not line.startswith(("{", "[{")):
        return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def text(value: object, *, limit: int = MAX_LINE) -> str:
    if not isinstance(value, str):
        return ""
    return shortened(redact(_UNPRINTABLE.sub("", value)), limit=limit)


def visible(value: str, *, limit: int = MAX_LINE) -> str:
    """For a page that is read by eye: nothing in it is hidden or turned around."""
    return text(_INVISIBLE.sub("", value), limit=limit)


def shortened(value: str, *, limit: int = MAX_LINE) -> str:
    return value if len(value) <= limit else f"{value[: limit - 1]}…"


def number(value: object) -> float:
    """Zero for what is no number, negative, not finite or beyond any size."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if 0 <= value <= MAX_NUMBER else 0.0


def whole(value: object) -> int:
    # By way of float a large count would lose its last digits.
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value <= MAX_NUMBER else 0
    return min(int(number(value)), MAX_NUMBER)
