"""What `restic backup` prints at its end when nobody asked for JSON."""

import re

from backups.engines.untrusted import MAX_NUMBER

_FILES = re.compile(r"Files: +(\d+) new, +(\d+) changed, +(\d+) unmodified")
_ADDED = re.compile(r"(Added|Would add) to the repo(?:sitory)?: ([\d.]{1,20} +[KMGTPE]?i?B)")
_PROCESSED = re.compile(r"processed (\d+) files, ([\d.]{1,20} +[KMGTPE]?i?B) in ([\d:]{1,20})")
_SAVED = re.compile(r"snapshot ([0-9a-f]{8,64}) saved")
_ERROR = re.compile(r"error: (?:Open: )?(?:open |lstat |read |readlink )?(.+): ([^:]+)$")

_POWERS = {"B": 0, "KiB": 1, "MiB": 2, "GiB": 3, "TiB": 4, "PiB": 5, "EiB": 6}


class TextSummary:
    """Collects the summary's lines as they come; the last ones win."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def read(self, line: str) -> None:
        found = self._found
        if match := _FILES.match(line):
            found["new"], found["changed"], found["unmodified"] = match.groups()
        elif match := _ADDED.match(line):
            found["mode"], found["added"] = match.groups()
        elif match := _PROCESSED.match(line):
            found["files"], found["bytes"], found["duration"] = match.groups()
        elif match := _SAVED.match(line):
            found["snapshot_id"] = match[1]

    def message(self) -> dict[object, object] | None:
        """The same as the summary message of --json, with rounded sizes."""
        found = self._found
        if not found.keys() & {"snapshot_id", "files"}:
            return None
        return {
            "snapshot_id": found.get("snapshot_id", ""),
            "files_new": _count(found.get("new", "")),
            "files_changed": _count(found.get("changed", "")),
            "files_unmodified": _count(found.get("unmodified", "")),
            "total_files_processed": _count(found.get("files", "")),
            "data_added": _size(found.get("added", "")),
            "total_bytes_processed": _size(found.get("bytes", "")),
            "total_duration": _duration(found.get("duration", "")),
            "dry_run": found.get("mode") == "Would add",
        }


def unreadable_file(line: str) -> tuple[str, str] | None:
    """The file that a line complains of, and why."""
    match = _ERROR.match(line)
    return (match[1], match[2]) if match else None


def _count(digits: str) -> int:
    return min(int(digits), MAX_NUMBER) if 0 < len(digits) < 20 else 0


def _size(text: str) -> int:
    amount, _, unit = text.partition(" ")
    try:
        return min(round(float(amount) * 1024.0 ** _POWERS[unit.strip()]), MAX_NUMBER)
    except (ValueError, KeyError):
        return 0


def _duration(text: str) -> int:
    seconds = 0
    for part in text.split(":"):
        seconds = seconds * 60 + _count(part)
    return seconds
