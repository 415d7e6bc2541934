"""Repositories on a server's disk: all that can be learnt without their password."""

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backups.engines import untrusted
from backups.engines.errors import EngineError

# rest-server serves nothing that lies deeper than /user/repository.
MAX_DEPTH = 2

# rest-server takes these for parts of a repository, wherever they stand in a path.
PARTS = ("data", "index", "keys", "locks", "snapshots")
_NO_REPOSITORIES = frozenset((*PARTS, "lost+found"))

# A living restic writes its lock anew every 5 minutes; after 30 restic itself calls it stale.
LOCK_IS_STALE_AFTER = timedelta(minutes=30)

# Each file is named after the SHA-256 of its content; what is not was put there by others.
_ID = re.compile(r"[0-9a-f]{64}")

MAX_KEY = 16 * 1024
_EPOCH = datetime.fromtimestamp(0, UTC)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
MAX_PATH = 255
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A receipt: the snapshot file that ended a backup, and when it was stored."""

    id: str
    arrived: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Key:
    """A password of the repository: who made it and on which machine."""

    id: str
    created: datetime | None
    username: str
    hostname: str


@dataclass(frozen=True, slots=True)
class Lock:
    """A restic at work, or one that was killed."""

    id: str
    touched: datetime

    def is_stale(self, now: datetime) -> bool:
        return now - self.touched > LOCK_IS_STALE_AFTER


@dataclass(frozen=True, slots=True)
class Repository:
    """What lies at one path; unreadable counts what we could not look at."""

    path: str
    bytes: int = 0
    files: int = 0
    snapshots: tuple[Snapshot, ...] = ()
    keys: tuple[Key, ...] = ()
    locks: tuple[Lock, ...] = ()
    leftovers: int = 0
    unreadable: int = 0

    @property
    def user(self) -> str:
        """With private repositories, the one who may use it."""
        return self.path.partition("/")[0]


def scan(directory: Path) -> list[Repository]:
    """Every repository that rest-server would serve from this directory, by path."""
    try:
        folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise EngineError(
            f"The data directory {directory} cannot be read ({reason}): check the path and who "
            "may enter it."
        ) from None
    try:
        found = {repository.path: repository for repository in _find(folder, "", depth=0)}
        return [found[path] for path in sorted(found)]
    finally:
        os.close(folder)


def _find(folder: int, path: str, *, depth: int) -> Iterator[Repository]:
    entries = _Count()
    listing = list(entries.files_and_folders(folder))
    files = {entry.name for entry in listing if entry.is_file(follow_symlinks=False)}
    folders = {entry.name for entry in listing if entry.is_dir(follow_symlinks=False)}
    if "config" in files and "data" in folders:
        yield _measure(folder, path)
    elif entries.unreadable:
        yield Repository(_readable(path), unreadable=entries.unreadable)
    for name in sorted(folders - _NO_REPOSITORIES) if depth < MAX_DEPTH else ():
        below = f"{path}/{name}" if path else name
        try:
            with _opened(name, folder) as child:
                yield from _find(child, below, depth=depth + 1)
        except OSError as error:
            if error.errno not in _GONE:
                yield Repository(_readable(below), unreadable=1)


@dataclass(slots=True)
class _Count:
    """What is added up while a repository is walked; files may vanish on the way."""

    bytes: int = 0
    files: int = 0
    leftovers: int = 0
    unreadable: int = 0

    def files_and_folders(self, folder: int) -> Iterator["os.DirEntry[str]"]:
        with self.tolerance(), os.scandir(folder) as entries:
            yield from entries

    def walk(self, part: str, parent: int, *, depth: int) -> Iterator[tuple[str, os.stat_result]]:
        """The files of one part that have an id; data has its files one folder deeper."""
        with self.tolerance(), _opened(part, parent) as folder:
            for entry in self.files_and_folders(folder):
                if depth and entry.is_dir(follow_symlinks=False):
                    yield from self.walk(entry.name, folder, depth=depth - 1)
                elif status := self.add(entry):
                    yield entry.name, status

    def add(self, entry: "os.DirEntry[str]") -> os.stat_result | None:
        with self.tolerance():
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                self.bytes += status.st_size
                self.files += 1
                self.leftovers += ".rest-server-temp" in entry.name
                return status if _ID.fullmatch(entry.name) else None
        return None

    @contextmanager
    def tolerance(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.unreadable += error.errno not in _GONE


def _measure(folder: int, path: str) -> Repository:
    count = _Count()
    with count.tolerance():
        status = os.stat("config", dir_fd=folder, follow_symlinks=False)
        count.bytes, count.files = status.st_size, 1
    for part in ("data", "index"):
        for _ in count.walk(part, folder, depth=1):
            pass
    snapshots = [
        Snapshot(name, _moment(status.st_mtime), status.st_size)
        for name, status in count.walk("snapshots", folder, depth=0)
    ]
    locks = [
        Lock(name, _moment(status.st_mtime))
        for name, status in count.walk("locks", folder, depth=0)
    ]
    names = [name for name, _ in count.walk("keys", folder, depth=0)]
    keys = list(_keys(names, folder, count))
    return Repository(
        path=_readable(path),
        # A file with holes can be as large as its owner likes.
        bytes=min(count.bytes, untrusted.MAX_NUMBER),
        files=count.files,
        snapshots=tuple(sorted(snapshots, key=lambda snapshot: (snapshot.arrived, snapshot.id))),
        keys=tuple(keys),
        locks=tuple(sorted(locks, key=lambda lock: (lock.touched, lock.id))),
        leftovers=count.leftovers,
        unreadable=count.unreadable,
    )


def _keys(names: list[str], parent: int, count: _Count) -> Iterator[Key]:
    """Key files are plain JSON; only the key in them is encrypted."""
    with count.tolerance(), _opened("keys", parent) as folder:
        for name in sorted(names):
            with count.tolerance():
                # Not blocking, should somebody have put a pipe there meanwhile.
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
                with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file:
                    yield _key(name, file.read(MAX_KEY))


def _key(name: str, content: bytes) -> Key:
    document: object = None
    with suppress(ValueError, RecursionError):
        document = json.loads(content)
    found = document if isinstance(document, dict) else {}
    return Key(
        id=name,
        created=_parsed_time(found.get("created")),
        username=untrusted.text(found.get("username"), limit=100),
        hostname=untrusted.text(found.get("hostname"), limit=255),
    )


@contextmanager
def _opened(name: str, parent: int) -> Iterator[int]:
    """A folder below another, never by way of a symbolic link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    folder = os.open(name, flags, dir_fd=parent)
    try:
        yield folder
    finally:
        os.close(folder)


def _moment(seconds: float) -> datetime:
    """The time of a file; one that is still to come was set by hand, and would never grow old."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return _EPOCH
    return moment if moment < datetime.now(UTC) + timedelta(days=1) else _EPOCH


def _parsed_time(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        # Before 0.15 restic wrote some times without a zone.
        return moment and (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _readable(name: str) -> str:
    """File names are bytes; those that are no text must still fit into a page and a column."""
    text = os.fsencode(name).decode(errors="backslashreplace")
    text = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    if len(text) <= MAX_PATH:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{text[: MAX_PATH - 13]}…{digest}"
