"""Users: changed in `.htpasswd`, proven on the running server, or taken back."""

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from backups import engines
from backups.actions.events import Actor, record_event
from backups.actions.proofs import Entries, Proof, change_entries, tell
from backups.engines import htpasswd
from backups.engines.errors import EngineError
from backups.engines.htpasswd import Entry
from backups.models import Server, User

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password as it was made, to be shown once."""

    user: User
    password: str = field(repr=False)


class _NotInFileError(EngineError):
    """Nobody of this name stands in the file."""


def add_user(
    server: Server, name: str, *, by: Actor, note: str = "", password: str = ""
) -> NewPassword:
    """Add an entry; without a password, one is generated."""
    htpasswd.check_name(name, is_private=server.has_private_repositories)
    password, hashed = _password(password)

    def alter(entries: Entries) -> None:
        if name in entries or server.users.filter(name=name).exists():
            raise EngineError(f"{server} has a user called {name} already.")
        entries[name] = Entry(name, hashed)

    def keep(proof: Proof) -> User:
        user = User.objects.create(
            server=server, name=name, note=note, rotated=timezone.now(), live_since=proof.since
        )
        record_event(by, "added", user, sentence=proof.sentence)
        return user

    return NewPassword(change_entries(server, alter, keep, lets_in={name: password}), password)


def rotate_user(user: User, *, by: Actor, password: str = "") -> NewPassword:
    """Replace the password; the former one is refused from then on."""
    password, hashed = _password(password)

    def alter(entries: Entries) -> None:
        _refresh(user)
        if user.is_disabled:
            raise EngineError(f"{user} is disabled. Enable it first.")
        entries[user.name] = Entry(user.name, hashed)

    def keep(proof: Proof) -> User:
        user.rotated, user.live_since = timezone.now(), proof.since
        user.save(update_fields=["rotated", "live_since"])
        record_event(by, "rotated", user, sentence=proof.sentence)
        return user

    return NewPassword(
        change_entries(user.server, alter, keep, lets_in={user.name: password}), password
    )


def disable_user(user: User, *, by: Actor) -> None:
    """Take the entry out of the file and keep its hash."""

    def alter(entries: Entries) -> None:
        _refresh(user)
        entry = entries.pop(user.name, None)
        if entry is None and user.is_disabled:
            raise EngineError(f"{user} is disabled already.")
        if entry is None:
            raise _NotInFileError(f"{user} is not in the file any more: somebody removed it.")
        # Kept before the file changes: a hash that is in neither place would be lost.
        _keep_hash(user, timezone.now(), entry.hash)

    def keep(proof: Proof) -> User:
        record_event(by, "disabled", user, sentence=proof.sentence)
        return user

    try:
        change_entries(user.server, alter, keep)
    except BaseException:
        _forget_hash_of_present(user)
        raise


def enable_user(user: User, *, by: Actor) -> None:
    """Put the kept hash back: the former password works again."""

    def alter(entries: Entries) -> None:
        _refresh(user)
        if not user.is_disabled:
            raise EngineError(f"{user} is enabled already.")
        entries.setdefault(user.name, Entry(user.name, user.disabled_hash))

    def keep(proof: Proof) -> User:
        user.disabled, user.disabled_hash, user.live_since = None, "", proof.since
        if user.expires and user.expires <= timezone.now():
            user.expires = None
        user.save(update_fields=["disabled", "disabled_hash", "expires", "live_since"])
        record_event(by, "enabled", user, sentence=proof.sentence)
        return user

    change_entries(user.server, alter, keep)


def delete_user(user: User, *, by: Actor) -> None:
    """Remove the entry; its repositories stay on the disk."""

    def alter(entries: Entries) -> None:
        entries.pop(user.name, None)

    def keep(proof: Proof) -> User:
        record_event(by, "deleted", user, sentence=proof.sentence)
        user.delete()
        return user

    change_entries(user.server, alter, keep)


def note_user(user: User, note: str, *, by: Actor) -> None:
    user.note = note
    user.save(update_fields=["note"])
    record_event(by, "noted", user)


@task(queue_name="checks")
def expire_users() -> int:
    """Disable whose time is over; returns how many."""
    over = User.objects.filter(expires__lte=timezone.now(), disabled__isnull=True)
    return sum(_expire(user) for user in over.select_related("server"))


def _expire(user: User) -> bool:
    """One server that cannot be changed now must not keep the others' users in."""
    try:
        disable_user(user, by="scheduler")
    except _NotInFileError:
        return False
    except EngineError as error:
        logger.warning("%s of %s has expired, but is still let in: %s", user, user.server, error)
        return False
    return True


@task(queue_name="checks")
def adopt_all_users() -> None:
    for server in Server.objects.live():
        try:
            adopt_users(server)
        except EngineError as error:
            logger.warning("the users of %s: %s", server, error)


def adopt_users(server: Server) -> int:
    """Know what was changed in the file by hand; changes nothing in it."""
    if not _differences(server, _names_in_file(server)):
        return 0
    # Only now it is worth waiting for whoever changes the file at this moment.
    with engines.htpasswd_of(server).change() as entries, transaction.atomic():
        found = _differences(server, set(entries))
        for user in found:
            said = "It was added by hand." if user.pk is None else "It was put back by hand."
            user.disabled, user.disabled_hash = None, ""
            user.save()
            record_event("scheduler", "adopted", user, sentence=said)
    # Also a change of our own may have been cut off just before this.
    tell(server)
    return len(found)


def _names_in_file(server: Server) -> set[str]:
    """Of a damaged file none: it must be mended first."""
    contents = engines.htpasswd_of(server).read()
    return set() if contents.is_refused else {entry.name for entry in contents.entries}


def _differences(server: Server, in_file: set[str]) -> list[User]:
    """Who stands in the file, but is unknown here or known as disabled."""
    known = {user.name: user for user in server.users.all()}
    new = [User(server=server, name=name) for name in sorted(in_file - set(known))]
    return new + [known[name] for name in sorted(in_file & set(known)) if known[name].is_disabled]


def _password(given: str) -> tuple[str, str]:
    """The password, generated where none is given, and its hash."""
    password = given or htpasswd.generate_password()
    htpasswd.check_password(password)
    return password, htpasswd.hash_password(password)


def _refresh(user: User) -> None:
    """What others did to the row since it was read counts; the file's lock is held by now."""
    try:
        user.refresh_from_db()
    except User.DoesNotExist:
        raise EngineError(f"{user} was deleted in the meantime.") from None


def _keep_hash(user: User, disabled: datetime | None, hashed: str) -> None:
    user.disabled, user.disabled_hash = disabled, hashed
    user.save(update_fields=["disabled", "disabled_hash"])


def _forget_hash_of_present(user: User) -> None:
    """After a change that failed: who is in the file is not disabled."""
    with suppress(EngineError):
        if user.is_disabled and user.name in _names_in_file(user.server):
            _keep_hash(user, None, "")
