"""The text of a unit, line by line as systemd reads it."""

from collections.abc import Iterator
from dataclasses import dataclass

# systemd takes time by the square of a line that goes on over many.
MAX_UNIT = 96 * 1024

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
            section = content.strip("[]")
            continue
        key, equals, value = content.partition("=")
        yield Assignment(file, first, last, section, key.strip() if equals else "", value.strip())


def _logical_lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Comments may stand between a line that ends in a backslash and the next."""
    first, parts = 0, list[str]()
    number = 0
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if line.startswith(("#", ";")) or not (line or parts):
            continue
        first = first or number
        if line.endswith("\\"):
            parts.append(line[:-1])
            continue
        yield first, number, " ".join([*parts, line]).strip()
        first, parts = 0, []
    if parts:
        yield first, number, " ".join(parts).strip()


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
