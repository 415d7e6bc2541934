"""The files of a server's data directory, where this machine sees them."""

import contextlib
import errno
import os
import secrets
import stat
import time
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Protocol

from backups.engines.errors import EngineError

LEFTOVER_AFTER = 3600
# A hundred thousand users; the container can put a file without end here.
MAX_BYTES = 16 * 1024 * 1024


class Files(Protocol):
    """Small files in one directory, each replaced whole; readers see the old or the new one."""

    def read(self, name: str) -> bytes | None:
        """None where there is no such file."""

    def write(self, name: str, content: bytes, *, mode: int = 0o640) -> None: ...

    def remove(self, name: str) -> None:
        """No error when it is gone already."""


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """A directory on a file system of this machine; files belong to the container's user."""

    directory: Path
    uid: int
    gid: int

    def read(self, name: str) -> bytes | None:
        # The container can put anything here: a link would lead out, a pipe would block for ever.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            descriptor = os.open(self.directory / name, flags)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed("read", name, error) from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise EngineError(f"{self.directory / name} is no regular file. Move it away.")
            with open(descriptor, "rb", closefd=False) as file:
                return bounded(file.read(MAX_BYTES + 1), self.directory / name)
        finally:
            os.close(descriptor)

    def write(self, name: str, content: bytes, *, mode: int = 0o640) -> None:
        """On the disk, with its owner and mode, before it takes the name."""
        # Nobody can foresee the name, so nothing can be planted there.
        new = self.directory / f".{name.lstrip('.')}.{secrets.token_hex(8)}.new"
        try:
            self._sweep(name)
            try:
                self._create(new, content, mode)
                new.rename(self.directory / name)
            except BaseException:
                new.unlink(missing_ok=True)
                raise
            self._sync()
        except OSError as error:
            raise self._failed("write", name, error) from error

    def remove(self, name: str) -> None:
        try:
            (self.directory / name).unlink(missing_ok=True)
            self._sync()
        except OSError as error:
            raise self._failed("remove", name, error) from error

    def _create(self, path: Path, content: bytes, mode: int) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            self._give(descriptor, mode)
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)

    def _give(self, descriptor: int, mode: int) -> None:
        """To the container's user, or where we may not, to its group."""
        owner = os.fstat(descriptor)
        if (owner.st_uid, owner.st_gid) == (self.uid, self.gid):
            return
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, self.uid, self.gid)
            return
        if owner.st_uid == self.uid:
            return
        with contextlib.suppress(PermissionError):
            if mode & stat.S_IRGRP:
                os.fchown(descriptor, -1, self.gid)
                return
        raise EngineError(
            f"A file in {self.directory} could not be given to user {self.uid}, so the server "
            f"could not read it. Run Resthouse as root or as user {self.uid}, or in group "
            f"{self.gid}."
        )

    def _sweep(self, name: str) -> None:
        """Remove what killed writers left; a younger one may still be at work."""
        before = time.time() - LEFTOVER_AFTER
        for path in self.directory.glob(f".{name.lstrip('.')}.{'[0-9a-f]' * 16}.new"):
            with contextlib.suppress(FileNotFoundError):
                if path.lstat().st_mtime < before:
                    path.unlink()

    def _sync(self) -> None:
        """The directory holds the names: without this, power loss could bring the old file back."""
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _failed(self, verb: str, name: str, error: OSError) -> EngineError:
        if error.errno == errno.ELOOP:
            return EngineError(
                f"{self.directory / name} is a symbolic link. Put the file itself there."
            )
        return EngineError(f"Could not {verb} {self.directory / name}: {error.strerror}.")


def bounded(content: bytes, path: PurePath) -> bytes:
    """The content, unless it is more than any file of a server has."""
    if len(content) > MAX_BYTES:
        raise EngineError(
            f"{path} is larger than {MAX_BYTES // 1024**2} MiB, so it is not what it is called. "
            "Move it away."
        )
    return content
