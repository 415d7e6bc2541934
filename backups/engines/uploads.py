"""Uploads under way: what rest-server writes before a file has its name."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from backups.engines.repositories import MAX_DEPTH

MARK = ".rest-server-temp"
# A living upload writes all the time; a broken one leaves its beginning behind for ever.
UNDER_WAY = 120
_PARTS = ("data", "index", "keys", "locks", "snapshots")


def count(directory: Path) -> int:
    """How many uploads write into this data directory now; 0 where it cannot be read."""
    return sum(1 for folder in _folders(directory) for _ in _uploads(folder))


def _folders(directory: Path, depth: int = 0) -> Iterator[Path]:
    """Those that files are put into, of every repository."""
    folders = [entry.name for entry in _entries(directory) if entry.is_dir(follow_symlinks=False)]
    if "data" in folders:
        for part in _PARTS:
            yield directory / part
        yield from (directory / "data" / entry.name for entry in _entries(directory / "data"))
    for name in folders if depth < MAX_DEPTH else ():
        if name not in _PARTS:
            yield from _folders(directory / name, depth + 1)


def _uploads(folder: Path) -> Iterator[str]:
    since = time.time() - UNDER_WAY
    with suppress(OSError):
        # A new file changes the time of its folder: most need not be looked into.
        if folder.stat(follow_symlinks=False).st_mtime < time.time() - 3600:
            return
    for entry in _entries(folder):
        with suppress(OSError):
            if MARK in entry.name:
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and status.st_mtime > since:
                    yield entry.name


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    with suppress(OSError), os.scandir(folder) as entries:
        yield from entries
