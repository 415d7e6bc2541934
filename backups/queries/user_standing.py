"""How one user stands: its entry, its repositories and the calendar taken together."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from backups.engines.htpasswd import Entry, Kind
from backups.models import Repository, Server, User
from backups.queries.differences import Difference

# `htpasswd -B` makes 5 by default, a guess every 2 ms; 8 takes seven times as long.
WEAK_BELOW = 8
UNUSED_AFTER = timedelta(days=90)
NEW_FOR = timedelta(days=1)
# The scheduler looks twice a minute, and a proof takes its time.
EXPIRED_WITHIN = timedelta(minutes=2)

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
    "differs": _Kind("failed", "was changed by hand", "were changed by hand"),
    "expired": _Kind("failed", "has expired, but is let in", "have expired, but are let in"),
    "missing": _Kind("failed", "is gone from the file", "are gone from the file"),
    "unusable": _Kind("failed", "cannot sign in", "cannot sign in"),
    "weak": _Kind("warning", "has a weak hash", "have weak hashes"),
    "unused": _Kind("warning", "has long been silent", "have long been silent"),
    "never": _Kind("warning", "was never used", "were never used"),
    "empty": _Kind("warning", "owns no repository", "own no repository"),
    "new": _Kind("running", "waits for its first backup", "wait for their first backup"),
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
    difference: Difference | None = None
    kind: Kind | None = None
    cost: int | None = None
    # Everything that can be said of it; `code` is the worst of it.
    codes: frozenset[str] = frozenset()

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


Owned = Mapping[str, tuple[Repository, ...]]


def stand_users(
    server: Server,
    users: Iterable[User],
    entries: Mapping[str, Entry] | None,
    owned: Owned,
    differences: Iterable[Difference],
) -> tuple[Standing, ...]:
    """Worst first; without entries, what can be said of a file that cannot be read."""
    differing = {difference.name: difference for difference in differences}
    found = (
        _stand(user, server, entries, owned.get(user.name, ()), differing.get(user.name))
        for user in users
    )
    return tuple(sorted(found, key=lambda standing: (standing.order, standing.user.name)))


def share(some: list[Standing], count: int) -> str:
    """In the words of their kind when they are all of one."""
    codes = {standing.code for standing in some}
    if "fine" in codes:
        codes = {"fine"}
    if len(codes) > 1:
        return f"{len(some)} of {count} users need a look"
    kind = _KINDS[codes.pop()]
    if len(some) == 1:
        return f"{some[0].user.name} {kind.one}"
    everybody = "Both" if count == 2 else f"All {count}"
    number = everybody if len(some) == count else f"{len(some)} of {count}"
    return f"{number} users {kind.several}"


def _stand(
    user: User,
    server: Server,
    entries: Mapping[str, Entry] | None,
    owned: tuple[Repository, ...],
    difference: Difference | None,
) -> Standing:
    entry = (entries or {}).get(user.name)
    words = list(_words(user, server, entry, owned, difference, is_read=entries is not None))
    kept = entry or (Entry(user.name, user.disabled_hash) if user.disabled else None)
    return Standing(
        user=user,
        code=words[0][0],
        sentence=words[0][1],
        hash=f"{_hash(kept)}{', kept' * (not entry)}" if kept else "",
        repositories=owned,
        difference=difference,
        kind=kept.kind if kept else None,
        cost=kept.cost if kept else None,
        codes=frozenset(code for code, _ in words),
    )


def _words(
    user: User,
    server: Server,
    entry: Entry | None,
    owned: tuple[Repository, ...],
    difference: Difference | None,
    *,
    is_read: bool,
) -> Iterator[tuple[str, str]]:
    """All that can be said, the worst first."""
    if difference:
        yield "differs", difference.sentence.rstrip(".")
    if user.disabled:
        yield "disabled", f"Disabled since {timezone.localtime(user.disabled):%-d %b %Y}"
    elif not is_read:
        yield "unread", "Not known now"
    elif entry is None:
        yield "missing", "Gone from the file, by hand"
    else:
        yield from _of_entry(user, entry)
        # Somebody without a row yet: the first look at this file is still to come.
        if server.scanned is None or user.pk is None:
            yield "fine", "Can sign in"
        else:
            yield from _of_use(server, user, owned)


def _of_entry(user: User, entry: Entry) -> Iterator[tuple[str, str]]:
    """What is wrong with being let in at all, or with the hash."""
    if user.expires and timezone.now() - user.expires > EXPIRED_WITHIN:
        yield "expired", "Expired, but still let in"
    if not entry.is_usable:
        yield "unusable", "Cannot sign in, rotate"
    elif entry.kind == "sha1" or (entry.cost or WEAK_BELOW) < WEAK_BELOW:
        yield "weak", "Weak hash, rotate"


def _of_use(server: Server, user: User, owned: tuple[Repository, ...]) -> Iterator[tuple[str, str]]:
    """What disk and calendar say; with no look at the disk, nothing is held against it."""
    now = timezone.now()
    if user.last_seen is None and now - user.created < NEW_FOR:
        yield "new", "Waits for its first backup"
        return
    if user.last_seen is None:
        yield "never", "Never used"
    elif now - user.last_seen > UNUSED_AFTER:
        yield "unused", f"Unused for {(now - user.last_seen).days} days"
    if server.has_private_repositories and not owned:
        yield "empty", "Owns no repository"
    if user.expires:
        yield "fine", f"Fine until {timezone.localtime(user.expires):%-d %b}"
    yield "fine", "Fine"


def _hash(entry: Entry) -> str:
    if entry.kind == "bcrypt":
        return f"bcrypt {entry.cost}" if entry.cost else "bcrypt, cut"
    return _HASHES[entry.kind]
