"""How the users of a server stand: file, disk and calendar taken together."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from backups import engines
from backups.engines.errors import EngineError
from backups.engines.htpasswd import Contents, Entry, Problem
from backups.models import Repository, Server, User

# `htpasswd -B` makes 5 by default, a guess every 2 ms; 8 takes seven times as long.
WEAK_BELOW = 8
UNUSED_AFTER = timedelta(days=90)
NEW_FOR = timedelta(days=1)

_PLACES = 3
_HASHES = {
    "sha1": "SHA-1",
    "apr1": "Apache MD5",
    "crypt": "crypt",
    "plain": "no hash",
    "unknown": "unknown",
}


class _Kind(NamedTuple):
    """How a user can stand; the words end a sentence about one or about several."""

    state: str
    one: str
    several: str


# Worst first: this is the order of the page.
_KINDS = {
    "missing": _Kind("failed", "is gone from the file", "are gone from the file"),
    "unusable": _Kind("failed", "cannot sign in", "cannot sign in"),
    "weak": _Kind("warning", "has a weak hash", "have weak hashes"),
    "unused": _Kind("warning", "has long been silent", "have long been silent"),
    "never": _Kind("warning", "was never used", "were never used"),
    "empty": _Kind("warning", "owns no repository", "own no repository"),
    "new": _Kind("running", "waits for its first backup", "wait for their first backup"),
    "found": _Kind("running", "was added by hand", "were added by hand"),
    "unread": _Kind("off", "is not known now", "are not known now"),
    "fine": _Kind("ok", "can back up", "can back up"),
    "disabled": _Kind("off", "is disabled", "are disabled"),
}
_ORDER = list(_KINDS)


@dataclass(frozen=True, slots=True)
class Standing:
    """One user; `code` says how it stands, as a word for programs."""

    user: User
    code: str
    sentence: str
    hash: str
    repositories: tuple[Repository, ...] = ()

    @property
    def state(self) -> str:
        return _KINDS[self.code].state

    @property
    def predicate(self) -> str:
        return _KINDS[self.code].one

    @property
    def order(self) -> int:
        return _ORDER.index(self.code)

    @property
    def needs_a_look(self) -> bool:
        return self.state in {"failed", "warning"}

    @property
    def places(self) -> str:
        """Where its repositories lie, as far as that fits in a line."""
        paths = [repository.path or "the root" for repository in self.repositories]
        more = [f"{len(paths) - _PLACES} more"] if len(paths) > _PLACES else []
        return ", ".join(paths[:_PLACES] + more)

    @property
    def bytes(self) -> int:
        return sum(repository.bytes for repository in self.repositories)


@dataclass(frozen=True, slots=True)
class Book:
    """All users of one server, and what is wrong with their file as a whole."""

    standings: tuple[Standing, ...] = ()
    problems: tuple[Problem, ...] = ()
    obstacle: str = ""

    @property
    def is_refused(self) -> bool:
        return any(problem.blocks for problem in self.problems)

    @property
    def headline(self) -> str:
        if self.is_refused:
            return "The users file is damaged"
        if self.obstacle:
            return "The users file cannot be read now"
        if not self.standings:
            return "Nobody can back up yet"
        return _headline(self.standings)


def book_of(server: Server) -> Book:
    """Everybody, worst first; of a file that cannot be read, what the database knows."""
    users = {user.name: user for user in server.users.all()}
    contents, obstacle = _read(server)
    entries = _by_name(contents)
    for name in (entries or {}).keys() - users.keys():
        users[name] = User(server=server, name=name)
    problems = contents.problems if contents else ()
    return Book(_standings(server, users.values(), entries), problems, obstacle)


def standing_of(user: User) -> Standing:
    contents, _ = _read(user.server)
    return _standings(user.server, [user], _by_name(contents))[0]


def _read(server: Server) -> tuple[Contents | None, str]:
    try:
        return engines.htpasswd_of(server).read(), ""
    except EngineError as error:
        return None, str(error)


def _by_name(contents: Contents | None) -> dict[str, Entry] | None:
    return {entry.name: entry for entry in contents.entries} if contents else None


def _standings(
    server: Server, users: Iterable[User], entries: dict[str, Entry] | None
) -> tuple[Standing, ...]:
    owned: dict[str, list[Repository]] = {}
    for repository in server.repositories.filter(is_gone=False):
        owned.setdefault(repository.user_name, []).append(repository)
    found = (_stand(server, user, entries, tuple(owned.get(user.name, ()))) for user in users)
    return tuple(sorted(found, key=lambda standing: (standing.order, standing.user.name)))


def _stand(
    server: Server, user: User, entries: dict[str, Entry] | None, owned: tuple[Repository, ...]
) -> Standing:
    if user.disabled:
        hashed = f"{_hash(Entry(user.name, user.disabled_hash))}, kept"
        sentence = f"Disabled since {timezone.localtime(user.disabled):%-d %b %Y}"
        return Standing(user, "disabled", sentence, hashed, owned)
    if entries is None:
        return Standing(user, "unread", "Not known now", "", owned)
    entry = entries.get(user.name)
    if entry is None:
        return Standing(user, "missing", "Gone from the file, by hand", "", owned)
    code, sentence = _of_entry(entry) or _of_use(server, user, owned)
    return Standing(user, code, sentence, _hash(entry), owned)


def _of_entry(entry: Entry) -> tuple[str, str] | None:
    """What its hash alone says, where that is bad."""
    if not entry.is_usable:
        return "unusable", "Cannot sign in, rotate"
    if entry.kind == "sha1" or (entry.cost or WEAK_BELOW) < WEAK_BELOW:
        return "weak", "Weak hash, rotate"
    return None


def _of_use(server: Server, user: User, owned: tuple[Repository, ...]) -> tuple[str, str]:
    """What disk and calendar say; with no look at the disk, nothing is held against it."""
    now = timezone.now()
    if user.pk is None:
        return "found", "Added by hand, just found"
    if server.scanned is None:
        return "fine", "Can sign in"
    if user.last_seen is None:
        is_new = now - user.created < NEW_FOR
        return ("new", "Waits for its first backup") if is_new else ("never", "Never used")
    if now - user.last_seen > UNUSED_AFTER:
        return "unused", f"Unused for {(now - user.last_seen).days} days"
    if server.has_private_repositories and not owned:
        return "empty", "Owns no repository"
    if user.expires:
        return "fine", f"Fine until {timezone.localtime(user.expires):%-d %b}"
    return "fine", "Fine"


def _hash(entry: Entry) -> str:
    if entry.kind == "bcrypt":
        return f"bcrypt {entry.cost}" if entry.cost else "bcrypt, cut"
    return _HASHES[entry.kind]


def _headline(standings: tuple[Standing, ...]) -> str:
    ill = [standing for standing in standings if standing.needs_a_look]
    new = [standing for standing in standings if standing.code == "new"]
    if ill or new:
        return _share(ill or new, len(standings))
    able = [standing for standing in standings if standing.code in {"fine", "found"}]
    if not able:
        return "Nobody can back up now"
    return _share(able, len(standings))


def _share(some: list[Standing], count: int) -> str:
    """In the words of their kind when they are all of one."""
    codes = {standing.code for standing in some}
    if "fine" in codes:
        codes = {"fine"}
    if len(codes) > 1:
        return f"{len(some)} of {count} users need a look"
    kind = _KINDS[codes.pop()]
    if len(some) == 1:
        return f"{some[0].user.name} {kind.one}"
    number = f"All {count}" if len(some) == count else f"{len(some)} of {count}"
    return f"{number} users {kind.several}"
