"""Lines of a unit that systemd ignores or that do harm to a backup, the worst first."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain, islice

from backups.engines import systemd_harms
from backups.engines.systemd_checks import (
    ERROR,
    IGNORED,
    POISONED,
    WARNING,
    Finding,
    check,
    finding,
)
from backups.engines.systemd_unit import Assignment, in_force, parse_unit, words_of

__all__ = ["UNKNOWN_USER", "lint", "unknown_users"]

UNKNOWN_USER = "unknown-user"

MAX_FINDINGS = 200
MAX_WARNINGS = 1000

_WARNING = re.compile(r"(?P<path>[^\n:]{1,4000}):(?P<line>\d{1,7}): (?P<message>.{1,2000})")
_UNKNOWN_KEY = re.compile(r"Unknown key(?: name)? '(.+?)' in section")
_UNKNOWN_SECTION = re.compile(r"Unknown section '(.+?)'")
_IGNORED_WORD = re.compile(r"(?:ignoring(?: assignment)?: |Invalid device rights ')([^\s']+)")

# What a person may have meant by a key that systemd does not know.
_DIRECTIVES = (
    *("AmbientCapabilities", "CapabilityBoundingSet", "NoNewPrivileges", "UMask", "User", "Group"),
    *("ProtectSystem", "ProtectHome", "ProtectProc", "ProcSubset", "ProtectControlGroups"),
    *("ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectClock"),
    *("ProtectHostname", "PrivateTmp", "PrivateDevices", "PrivateMounts", "PrivateNetwork"),
    *("PrivateUsers", "PrivateIPC", "DynamicUser", "DevicePolicy", "DeviceAllow", "KeyringMode"),
    *("RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID"),
    *("LockPersonality", "MemoryDenyWriteExecute", "RemoveIPC", "SystemCallArchitectures"),
    *("SystemCallFilter", "SystemCallErrorNumber", "IPAddressAllow", "IPAddressDeny"),
    *("ReadOnlyPaths", "ReadWritePaths", "InaccessiblePaths", "CacheDirectory", "StateDirectory"),
    *("LoadCredential", "Environment", "EnvironmentFile", "ExecStart", "ExecStartPre", "Type"),
    *("TimeoutStartSec", "WorkingDirectory", "Nice", "IOSchedulingClass", "SupplementaryGroups"),
    *("Description", "After", "Wants", "Requires", "OnFailure", "OnSuccess", "WantedBy"),
)
_SECTIONS = ("Unit", "Service", "Install")


def lint(text: str, *, dropin: str = "", warnings: str = "") -> tuple[Finding, ...]:
    """Findings of our own, and systemd's warnings about the same text where there are any."""
    assignments = [*parse_unit(text), *parse_unit(dropin, file="dropin")]
    said = list(_read_warnings(warnings))
    ignored: dict[tuple[str, int], set[str]] = {}
    for warning in said:
        if match := _IGNORED_WORD.search(warning.message):
            ignored.setdefault((warning.file, warning.line), set()).add(match[1])
    found = chain(check(assignments, ignored), systemd_harms.check(assignments, ignored))
    ours = {(f.file, f.line, f.code): f for f in islice(found, MAX_FINDINGS)}
    explained = {(file, line) for file, line, _ in ours}
    for theirs in islice(_explain(said, assignments), MAX_FINDINGS):
        if (theirs.file, theirs.line) not in explained:
            ours.setdefault((theirs.file, theirs.line, theirs.code), theirs)
    return tuple(sorted(ours.values(), key=_gravity)[:MAX_FINDINGS])


def unknown_users(text: str, names: Collection[str]) -> tuple[Finding, ...]:
    """Of names that the host itself says it does not know: no other machine can tell."""
    lines = [at for at in in_force(parse_unit(text)) if at.key in _WHO and at.section == "Service"]
    found = {}
    for name in names:
        # What stands there may hold a specifier, which the host has filled in.
        at = next((at for at in lines if name in words_of(at.value)), None)
        at = at or next((at for at in lines if "%" in at.value), None)
        if at is not None:
            who, status = ("user", "217/USER") if at.key == "User" else ("group", "216/GROUP")
            sentence = (
                f"The host has no {who} `{name[:60]}`: the unit ends with {status} before restic "
                "begins, and the score counts the line all the same."
            )
            found[at.line] = finding(UNKNOWN_USER, at, sentence, value="", severity=ERROR)
    return tuple(found.values())


_WHO = ("User", "Group", "SupplementaryGroups")


def _gravity(one: Finding) -> tuple[bool, bool, bool, int]:
    return one.code != POISONED, one.severity != ERROR, one.file != "unit", one.line or 0


@dataclass(frozen=True, slots=True)
class _Warning:
    """One line of systemd-analyze's standard error."""

    file: str
    line: int
    message: str


def _read_warnings(text: str) -> Iterator[_Warning]:
    for line in text.split("\n")[:MAX_WARNINGS]:
        if match := _WARNING.match(line):
            file = "dropin" if match["path"].endswith(".conf") else "unit"
            yield _Warning(file, int(match["line"]), match["message"])


def _explain(said: list[_Warning], assignments: list[Assignment]) -> Iterator[Finding]:
    by_line = {
        (assignment.file, number): assignment
        for assignment in assignments
        for number in range(assignment.line, assignment.last_line + 1)
    }
    for warning in said:
        place = (warning.file, warning.line)
        at = by_line.get(place) or Assignment(*place, warning.line, "", "", "")
        yield _explained(warning, at)


def _explained(warning: _Warning, at: Assignment) -> Finding:
    if match := _UNKNOWN_KEY.match(warning.message):
        meant = _closest(match[1], _DIRECTIVES)
        sentence = f"systemd knows no `{match[1]}` in [{at.section}] and ignores the line."
        fix = f"{meant}={at.value}"[:500] if meant and meant != at.key else ""
        return Finding("unknown-key", at.line, match[1], sentence, fix, WARNING, at.file)
    if match := _UNKNOWN_SECTION.match(warning.message):
        meant = _closest(match[1], _SECTIONS) or "Service"
        sentence = f"systemd knows no section [{match[1]}] and ignores all of it."
        return Finding("unknown-section", at.line, "", sentence, f"[{meant}]", ERROR, at.file)
    if warning.message.startswith(("Missing '='", "Invalid section header")):
        sentence = "This line is neither a section nor key=value, and is ignored."
        return Finding("broken-line", at.line, "", sentence, "", WARNING, at.file)
    if "ignoring" in warning.message or "Ignoring" in warning.message:
        # Newer systemd knows PrivateUsers=full; yes would not be what was meant.
        is_switch = "boolean" in warning.message and at.key != "PrivateUsers"
        return finding(IGNORED, at, _quote(warning), value="yes" if is_switch else "")
    return finding("systemd-says", at, _quote(warning), value="")


def _quote(warning: _Warning) -> str:
    return f"systemd says: {warning.message.rstrip('. ')}."


def _closest(word: str, names: tuple[str, ...]) -> str:
    return next(iter(get_close_matches(word[:60], names, n=1)), "")
