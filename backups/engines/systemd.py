"""systemd on a host: the exposure of its units and the lines that do not do what they say."""

from backups.engines.systemd_lint import Finding
from backups.engines.systemd_security import Row, Score, level_of, parse_security

__all__ = ["Finding", "Row", "Score", "level_of", "parse_security"]
