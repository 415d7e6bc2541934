"""The text of a unit, line by line as systemd reads it."""

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backups.engines.errors import EngineError

# systemd takes time by the square of a line that goes on over many.
MAX_UNIT = 96 * 1024

_BLANK = " \t\n\r"
# An empty value of these is ignored like a wrong one.
_NEVER_EMPTIED = frozenset(
    (
        *("ProtectHome", "ProtectSystem", "ProtectProc", "PrivateUsers", "PrivateNetwork"),
        *("PrivateTmp", "DynamicUser"),
    )
)

_TRUE = frozenset(("1", "yes", "y", "true", "t", "on"))
_FALSE = frozenset(("0", "no", "n", "false", "f", "off"))


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `key=value`, which may go on over several lines."""

    file: str
    line: int
    last_line: int
    section: str
    key: str
    value: str


def parse_unit(text: str, *, file: str = "unit") -> Iterator[Assignment]:
    section = ""
    for first, last, content in _logical_lines(text[:MAX_UNIT].removeprefix("\ufeff")):
        if content.startswith("["):
            section = content[1:-1] if content.endswith("]") else ""
            continue
        key, equals, value = content.partition("=")
        key = key.strip(_BLANK) if equals else ""
        yield Assignment(file, first, last, section, key, value.strip(_BLANK))


def lines_of(text: str) -> list[str]:
    """Where systemd ends a line: at either letter of a line's end, and at both together."""
    return re.split(r"\r\n|\n\r|\r|\n", text)


def _logical_lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Comments may stand between a line that ends in a backslash and the next."""
    first, parts, number = 0, list[str](), 0
    for number, raw in enumerate(lines_of(text), start=1):
        line = raw.lstrip(_BLANK)
        if line.startswith(("#", ";")) or not (line or parts):
            continue
        first = first or number
        # A backslash that is written twice, or that a blank follows, goes on with nothing.
        if (len(line) - len(line.rstrip("\\"))) % 2:
            parts.append(f"{line[:-1]} ")
            continue
        yield first, number, "".join([*parts, line]).strip(_BLANK)
        first, parts = 0, []
    if parts:
        yield first, number, "".join(parts).strip(_BLANK)


def in_force(assignments: Iterable[Assignment]) -> list[Assignment]:
    """Without the lines that a later empty one takes back."""
    lines = list(assignments)
    emptied = {
        (at.section, at.key): place
        for place, at in enumerate(lines)
        if not at.value and at.key not in _NEVER_EMPTIED
    }
    return [
        at
        for place, at in enumerate(lines)
        if at.value and place > emptied.get((at.section, at.key), -1)
    ]


def words_of(value: str) -> list[str]:
    """As systemd parts them: at blanks, unless they stand in quotes."""
    try:
        parts = shlex.shlex(value, posix=True, punctuation_chars=False)
        parts.whitespace, parts.whitespace_split, parts.commenters = _BLANK, True, ""
        return list(parts)
    except ValueError:
        return value.split()


def boolean(value: str) -> bool | None:
    """As systemd reads it; None for what it ignores."""
    word = value.lower()
    return True if word in _TRUE else False if word in _FALSE else None


def is_mount_namespace_made(assignments: list[Assignment]) -> bool:
    """Whether a running unit gets its own mount namespace, asked for or implied.

    Offline, systemd-analyze 252 forgets what implies it, and 254 and newer take it for granted.
    """
    last: dict[str, str] = {}
    for assignment in assignments:
        if assignment.section == "Service" and _is_heeded(assignment):
            last[assignment.key] = assignment.value
    return any(
        value not in ("", "no") and boolean(value) is not False
        for key, value in last.items()
        if key in _MAKES_MOUNT_NAMESPACE
    )


_BOOLEANS = (
    *("PrivateMounts", "PrivateTmp", "PrivateDevices", "DynamicUser"),
    *("ProtectControlGroups", "ProtectKernelTunables", "ProtectKernelModules"),
)
_CHOICES = {
    "ProtectHome": ("read-only", "tmpfs"),
    "ProtectSystem": ("full", "strict"),
    # Newer than 252, where they are ignored.
    "PrivateTmp": ("disconnected",),
    "ProtectControlGroups": ("private", "strict"),
}
_MAKES_MOUNT_NAMESPACE = frozenset((*_BOOLEANS, *_CHOICES, "RootImage"))


def _is_heeded(assignment: Assignment) -> bool:
    key, value = assignment.key, assignment.value
    if key not in _MAKES_MOUNT_NAMESPACE:
        return False
    return key == "RootImage" or boolean(value) is not None or value in _CHOICES.get(key, ())


def quoted(word: str) -> str:
    """One word of a line of a unit, whatever it holds."""
    if re.search(r"[\x00-\x1f\x7f\x85\u2028\u2029]", word):
        raise EngineError("A line of a unit cannot hold control characters.")
    return spelled(word.replace("%", "%%"))


def spelled(word: str) -> str:
    """One word as it is meant, in quotes where it needs them; specifiers stay specifiers."""
    if re.fullmatch(r"[\w@%+=:,./~-]+", word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
