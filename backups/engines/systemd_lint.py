"""Lines of a unit that systemd ignores or that do harm to a backup."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line that is wrong, why, and the line that is right."""

    code: str
    line: int | None
    directive: str
    sentence: str
    fix: str
    severity: str
    file: str = "unit"
