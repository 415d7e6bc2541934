"""What a restic run wrote, as JSON lines or as text, read into values."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from backups.engines import untrusted
from backups.engines.restic_text import TextSummary, unreadable_file
from backups.engines.untrusted import MAX_LINE

MAX_TEXT = 1024 * 1024
MAX_LINES = 400
MAX_ERRORS = 200
MAX_CURRENT_FILES = 8

# restic appends Go's stack to some of its last words.
_STACK_FRAME = re.compile(r"\t|(?:github\.com|golang\.org)/|(?:runtime|main)\.\w")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup or restore counted at its end; no id when no snapshot was made."""

    snapshot_id: str = ""
    files_new: int = 0
    files_changed: int = 0
    files_unmodified: int = 0
    files_processed: int = 0
    bytes_added: int = 0
    bytes_processed: int = 0
    seconds: float = 0.0
    is_dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """The last state that a run told before its output ends."""

    percent: float
    files_done: int
    total_files: int
    bytes_done: int
    total_bytes: int
    seconds_left: int | None
    current_files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileError:
    """A file or directory that restic could not read."""

    item: str
    message: str
    during: str


@dataclass(frozen=True, slots=True)
class Output:
    """All that is known from the output of one run; nothing in it holds a password."""

    summary: Summary | None = None
    progress: Progress | None = None
    errors: tuple[FileError, ...] = ()
    lines: tuple[str, ...] = ()
    error_count: int = 0


def parse_output(text: str) -> Output:
    """Reads JSON lines of restic 0.14 to 0.19, its plain text, and both mixed with anything."""
    if len(text) > MAX_TEXT:
        # Not from the middle of a line: a password without its URL could not be told from words.
        text = text[-MAX_TEXT:].partition("\n")[2]
    reader = _Reader()
    for line in text.split("\n"):
        reader.read(line)
    return reader.output()


class _Reader:
    """Takes one line after the other."""

    def __init__(self) -> None:
        self._summary: dict[object, object] | None = None
        self._status: dict[object, object] | None = None
        self._errors: dict[str, FileError] = {}
        self._lines: list[str] = []
        self._text = TextSummary()

    def read(self, line: str) -> None:
        match untrusted.document(line):
            case {"message_type": str(kind), **message}:
                self._read_message(kind, message)
            case [*groups]:
                self._lines.extend(_forgotten(groups))
            case _:
                self._read_text(line)

    def _read_message(self, kind: str, message: dict[object, object]) -> None:
        match kind:
            case "summary" if "num_errors" in message:
                if count := untrusted.whole(message["num_errors"]):
                    self._lines.append(f"check found {count} error{'s' if count > 1 else ''}")
            case "summary":
                self._summary = message
            # Up to 0.15 the verbose "scan_finished" comes as a status with an action.
            case "status" if "action" not in message:
                self._status = message
            case "error" if "item" in message:
                self._add_error(_file_error(message))
            case "error" | "exit_error":
                self._add_lines(untrusted.text(message.get("message"), limit=4 * MAX_LINE))

    def _read_text(self, line: str) -> None:
        # What precedes a carriage return was overwritten on the screen.
        line = next((part for part in reversed(line.split("\r")) if part.strip()), "")
        text = untrusted.text(line)
        self._text.read(text)
        if found := unreadable_file(text):
            self._add_error(FileError(*found, during=""))
        self._add_lines(text)

    def _add_error(self, error: FileError) -> None:
        self._errors.setdefault(error.item, error)

    def _add_lines(self, text: str) -> None:
        self._lines.extend(
            line.strip()
            for line in text.split("\n")
            if line.strip() and not _STACK_FRAME.match(line)
        )

    def output(self) -> Output:
        errors = _without_repeats(self._errors)
        summary = self._summary or self._text.message()
        return Output(
            summary=_summary(summary) if summary else None,
            progress=_progress(self._status) if self._status else None,
            errors=tuple(errors[:MAX_ERRORS]),
            lines=tuple(self._lines[-MAX_LINES:]),
            error_count=len(errors),
        )


def _summary(message: dict[object, object]) -> Summary:
    is_dry_run = message.get("dry_run") is True
    is_restore = "files_restored" in message
    files = "files_restored" if is_restore else "total_files_processed"
    size = "bytes_restored" if is_restore else "total_bytes_processed"
    return Summary(
        # A dry run prints an id too, though no such snapshot exists.
        snapshot_id="" if is_dry_run else untrusted.text(message.get("snapshot_id"), limit=64),
        files_new=untrusted.whole(message.get("files_new")),
        files_changed=untrusted.whole(message.get("files_changed")),
        files_unmodified=untrusted.whole(message.get("files_unmodified")),
        files_processed=untrusted.whole(message.get(files)),
        bytes_added=untrusted.whole(message.get("data_added")),
        bytes_processed=untrusted.whole(message.get(size)),
        # 0.18.0 with --skip-if-unchanged says -9223372036.85 seconds.
        seconds=untrusted.number(message.get("total_duration")),
        is_dry_run=is_dry_run,
    )


def _progress(status: dict[object, object]) -> Progress:
    files = status.get("current_files")
    names = files[:MAX_CURRENT_FILES] if isinstance(files, list) else []
    return Progress(
        percent=min(untrusted.number(status.get("percent_done")) * 100, 100.0),
        files_done=untrusted.whole(status.get("files_done")),
        total_files=untrusted.whole(status.get("total_files")),
        bytes_done=untrusted.whole(status.get("bytes_done")),
        total_bytes=untrusted.whole(status.get("total_bytes")),
        # restic leaves out what is zero, so zero and unknown are one.
        seconds_left=untrusted.whole(status.get("seconds_remaining")) or None,
        current_files=tuple(untrusted.text(name) for name in names),
    )


def _file_error(message: dict[object, object]) -> FileError:
    return FileError(
        item=untrusted.text(message.get("item")),
        message=_reason(message.get("error")),
        during=untrusted.text(message.get("during"), limit=40),
    )


def _reason(error: object) -> str:
    """Before 0.17.1 the error is Go's own struct, and often an empty one."""
    match error:
        case {"message": str(message)} if message:
            return untrusted.text(message)
        case {"Err": int(code)} if 0 < code < 4096:
            return os.strerror(code).lower()
        case str(message) if message:
            return untrusted.text(message)
    return "could not be read"


def _without_repeats(errors: dict[str, FileError]) -> list[FileError]:
    """The scan names a directory by its full path, the archiver by the end of it."""
    full_paths: dict[str, list[str]] = {}
    for item in errors:
        if item.startswith("/"):
            full_paths.setdefault(item.rpartition("/")[2], []).append(item)
    return [
        error
        for item, error in errors.items()
        if item.startswith("/")
        or not any(
            path.endswith(f"/{item}")
            for path in full_paths.get(item.rpartition("/")[2], [])[:MAX_ERRORS]
        )
    ]


def _forgotten(groups: list[object]) -> Iterator[str]:
    """`forget --json` prints one array with what it kept and removed of each group."""
    for group in groups[:MAX_ERRORS]:
        match group:
            case {"host": host, "keep": keep, "remove": remove}:
                kept = len(keep) if isinstance(keep, list) else 0
                removed = len(remove) if isinstance(remove, list) else 0
                yield f"{untrusted.text(host, limit=80)}: kept {kept}, removed {removed}"
