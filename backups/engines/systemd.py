"""systemd on a host: the exposure of its units and the lines that do not do what they say."""

from backups.engines.systemd_checks import Finding
from backups.engines.systemd_lint import UNKNOWN_USER, lint, unknown_users
from backups.engines.systemd_score import check_schedule, score_unit, version
from backups.engines.systemd_security import Row, Score, level_of, parse_security

__all__ = [
    "UNKNOWN_USER",
    "Finding",
    "Row",
    "Score",
    "check_schedule",
    "level_of",
    "lint",
    "parse_security",
    "score_unit",
    "unknown_users",
    "version",
]
