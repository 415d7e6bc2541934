"""The users of a rest-server: its `.htpasswd`, read by its own rules and replaced whole."""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from passlib.hash import bcrypt

from backups.engines.errors import EngineError
from backups.engines.files import Files
from backups.engines.htpasswd_check import CheckedLine, MendedLine, check_file, mend, mended_lines
from backups.engines.htpasswd_entries import (
    Contents,
    Entry,
    Kind,
    Problem,
    decode,
    encode,
    is_name,
    parse,
    quoted,
    render,
)

__all__ = [
    "CheckedLine",
    "Contents",
    "Entry",
    "Htpasswd",
    "Kind",
    "MendedLine",
    "Problem",
    "check_file",
    "check_name",
    "check_password",
    "decode",
    "encode",
    "explain_name",
    "generate_password",
    "hash_password",
    "mend",
    "mended_lines",
    "parse",
    "render",
]

NAME = ".htpasswd"
PREVIOUS = ".htpasswd.previous"
# rest-server takes these for parts of a repository, so /NAME/ never reaches their owner.
RESERVED = frozenset({"data", "index", "keys", "locks", "snapshots", "config", ".", ".."})
MIN_CHARACTERS = 12
MAX_BYTES = 72


@dataclass(frozen=True, slots=True)
class Htpasswd:
    """The users of one server; every writer of its file holds the same lock."""

    files: Files
    lock: Path

    def read(self) -> Contents:
        """Without the file nobody is known, as with an empty one."""
        return parse(self.read_text())

    def read_text(self) -> str:
        return decode(self.files.read(NAME) or b"")

    @contextmanager
    def change(
        self,
        *,
        prove: Callable[[], None] | None = None,
        undo: Callable[[], None] | None = None,
    ) -> Iterator[dict[str, Entry]]:
        """Change the entries by name; published at the end, or not at all after an exception.

        When `prove` raises, the former file comes back, `undo` tells the server, and the
        exception goes on. Other writers wait until all of it is over.
        """
        with _locked(self.lock):
            former = self.files.read(NAME) or b""
            contents = parse(decode(former))
            _refuse_damaged(contents)
            entries = {entry.name: entry for entry in contents.entries}
            wanted = dict(entries)
            yield wanted
            if wanted == entries:
                return
            text = render(wanted.values(), comments=contents.comments)
            self._publish(former, text, prove, undo)

    def replace(
        self,
        make: Callable[[str], str],
        *,
        prove: Callable[[], None] | None = None,
        undo: Callable[[], None] | None = None,
    ) -> None:
        """Put the text there that `make` has for the present one; as change(), but of any file.

        For a damaged file: it has no entries that could be changed.
        """
        with _locked(self.lock):
            former = self.files.read(NAME) or b""
            text = make(decode(former))
            _refuse_damaged(parse(text))
            self._publish(former, text, prove, undo)

    def _publish(
        self,
        former: bytes,
        text: str,
        prove: Callable[[], None] | None,
        undo: Callable[[], None] | None,
    ) -> None:
        self.files.write(PREVIOUS, former)
        self.files.write(NAME, encode(text))
        try:
            if prove:
                prove()
        except BaseException:
            self.files.write(NAME, former)
            if undo:
                undo()
            raise


def check_name(name: str, *, is_private: bool) -> None:
    """EngineError with the reason when rest-server could not serve a user of this name."""
    if not name:
        raise EngineError("Give the user a name.")
    if not is_name(name):
        wrong = next(char for char in name if not is_name(char))
        raise EngineError(
            f"{quoted(name)} is no name for a user: rest-server would ignore it because of "
            f"{quoted(wrong)}. Use letters, digits, '@', '.', '_' and '-'."
        )
    if is_private and name in RESERVED:
        raise EngineError(
            f"{quoted(name)} is a part of every repository, so with private repositories this "
            "user could never be served. Choose another name."
        )


def explain_name(name: str, *, is_private: bool) -> str:
    """What is special about a name that works; empty where nothing is."""
    if is_private and name == "metrics":
        return (
            "With private repositories, rest-server shows its counters to this user alone: "
            "give it to what collects them."
        )
    return ""


def check_password(password: str) -> None:
    """EngineError with the reason when a password is too short, or would be cut or lost."""
    if len(password) < MIN_CHARACTERS:
        raise EngineError(f"The password is too short. Use at least {MIN_CHARACTERS} characters.")
    if not password.isprintable():
        raise EngineError(
            "The password holds a line break or another character that cannot be printed. "
            "Leave it out."
        )
    # bcrypt knows no more: a longer password would be as good as its beginning.
    if len(password.encode()) > MAX_BYTES:
        raise EngineError(f"The password is too long. Use at most {MAX_BYTES} bytes.")


def generate_password() -> str:
    """24 of [A-Za-z0-9_-]: 144 bits, and nothing that a URL or a shell would have to quote."""
    return secrets.token_urlsafe(18)


def hash_password(password: str, *, cost: int = 10) -> str:
    hashed: str = bcrypt.using(rounds=cost, ident="2y").hash(password)
    return hashed


def _refuse_damaged(contents: Contents) -> None:
    blocking = [problem.sentence for problem in contents.problems if problem.blocks]
    if blocking:
        raise EngineError(
            f"The users file is damaged, and nothing was changed. {blocking[0]} "
            "Mend that line first."
        )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One holder at a time, over threads and processes; the kernel frees it with the process."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise EngineError(f"{path} cannot be locked: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
