"""restic on a host: what its command line asks for, what it wrote and how it ended."""

from collections.abc import Sequence

from backups.engines.redaction import redact
from backups.engines.restic_output import FileError, Output, Progress, Summary, parse_output
from backups.engines.restic_verdict import (
    HOST_DOWN,
    Judgement,
    code_of,
    full_file,
    judge,
    trouble_of,
)

__all__ = [
    "HOST_DOWN",
    "FileError",
    "Judgement",
    "Output",
    "Progress",
    "Summary",
    "code_of",
    "full_file",
    "judge",
    "kind_of",
    "parse_output",
    "redact",
    "trouble_of",
]

KINDS = ("backup", "forget", "prune", "check", "restore")

# These take the next word as their value, and may stand before the command.
_GLOBAL_OPTIONS = frozenset(
    (
        *("-r", "--repo", "--repository-file", "-p", "--password-file", "--password-command"),
        *("--key-hint", "--cacert", "--tls-client-cert", "--cache-dir", "-o", "--option"),
        *("--compression", "--pack-size", "--retry-lock", "--limit-download", "--limit-upload"),
        *("--http-user-agent", "--stuck-request-timeout"),
    )
)


def kind_of(arguments: Sequence[str]) -> str:
    """The kind of run that a command line asks for; a dry run of anything is "other"."""
    arguments = _after_program(arguments)
    words = iter(arguments)
    for word in words:
        if word in _GLOBAL_OPTIONS:
            next(words, None)
        elif not word.startswith("-"):
            is_dry = not {"-n", "--dry-run", "--dry-run=true"}.isdisjoint(arguments)
            return word if word in KINDS and not is_dry else "other"
    return "other"


def _after_program(arguments: Sequence[str]) -> Sequence[str]:
    """What follows restic itself, behind `nice -n 10`, `timeout 3h` or `sh -c "…"`."""
    for index, word in enumerate(arguments):
        if index and arguments[index - 1] == "-c":
            return _after_program(word.split())
        if word.rpartition("/")[2].startswith("restic"):
            return arguments[index + 1 :]
    return arguments
