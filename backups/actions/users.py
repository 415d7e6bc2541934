"""Users: changed in `.htpasswd`, proven on the running server, or taken back."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django_tasks import task

from backups.actions.events import Actor, record_event
from backups.actions.proofs import Proof, change_entries
from backups.actions.users_book import Entries
from backups.engines import htpasswd
from backups.engines.errors import EngineError
from backups.engines.htpasswd import Entry
from backups.models import Server, User
from backups.models.users import MAX_NAME, MAX_NOTE

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
    check_row(name, note)
    password, hashed = new_password(password)

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

    user = change_entries(server, alter, keep, about={name}, lets_in={name: password})
    return NewPassword(user, password)


def rotate_user(user: User, *, by: Actor, password: str = "") -> NewPassword:
    """Replace the password; the former one is refused from then on."""
    password, hashed = new_password(password)

    def alter(entries: Entries) -> None:
        refresh(user)
        if user.is_disabled:
            raise EngineError(f"{user} is disabled. Enable it first.")
        entries[user.name] = Entry(user.name, hashed)

    def keep(proof: Proof) -> User:
        user.rotated, user.live_since = timezone.now(), proof.since
        user.save(update_fields=["rotated", "live_since"])
        record_event(by, "rotated", user, sentence=proof.sentence)
        return user

    lets_in = {user.name: password}
    change_entries(user.server, alter, keep, about={user.name}, lets_in=lets_in)
    return NewPassword(user, password)


def disable_user(user: User, *, by: Actor) -> None:
    """Take the entry out of the file and keep its hash."""
    kept: list[str] = []

    def alter(entries: Entries) -> None:
        refresh(user)
        entry = entries.pop(user.name, None)
        if entry is None and user.is_disabled:
            raise EngineError(f"{user} is disabled already.")
        if entry is None:
            raise _NotInFileError(f"{user} is not in the file any more: somebody removed it.")
        kept.append(entry.hash)

    def keep(proof: Proof) -> User:
        user.disabled, user.disabled_hash = timezone.now(), kept[0]
        user.save(update_fields=["disabled", "disabled_hash"])
        record_event(by, "disabled", user, sentence=proof.sentence)
        return user

    _changed(user, alter, keep)


def enable_user(user: User, *, by: Actor) -> None:
    """Put the kept hash back: the former password works again."""

    def alter(entries: Entries) -> None:
        refresh(user)
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

    _changed(user, alter, keep)


def delete_user(user: User, *, by: Actor) -> None:
    """Remove the entry; its repositories stay on the disk."""

    def alter(entries: Entries) -> None:
        entries.pop(user.name, None)

    def keep(proof: Proof) -> User:
        record_event(by, "deleted", user, sentence=proof.sentence)
        user.delete()
        return user

    change_entries(user.server, alter, keep, about={user.name}, settles=True)


def note_user(user: User, note: str, *, by: Actor) -> None:
    check_row(user.name, note)
    user.note = note
    user.save(update_fields=["note"])
    record_event(by, "noted", user)


def set_expiry(user: User, when: datetime | None, *, by: Actor) -> None:
    """Disable it at this minute; None: never."""
    if when is not None:
        when = when.replace(second=0, microsecond=0)
        if when <= timezone.now():
            raise EngineError(
                f"{timezone.localtime(when):%-d %b %Y %H:%M} is over. Disable {user} to refuse it "
                "now, or choose a later time."
            )
    user.expires = when
    user.save(update_fields=["expires"])
    until = f"until {timezone.localtime(when):%-d %b %Y %H:%M %Z}" if when else "no expiry"
    record_event(by, "set the expiry of", user, sentence=until)


@task(queue_name="checks")
def expire_users() -> int:
    """Disable whose time is over; returns how many."""
    over = User.objects.filter(expires__lte=timezone.now(), disabled__isnull=True)
    return sum(_expire(user) for user in over.select_related("server"))


def new_password(given: str) -> tuple[str, str]:
    """The password, generated where none is given, and its hash."""
    password = given or htpasswd.generate_password()
    htpasswd.check_password(password)
    return password, htpasswd.hash_password(password, cost=settings.BCRYPT_COST)


def refresh(user: User) -> None:
    """What others did to the row since it was read counts; the file's lock is held by now."""
    try:
        user.refresh_from_db()
    except User.DoesNotExist:
        raise EngineError(f"{user} was deleted in the meantime.") from None


def _changed(user: User, alter: Callable[[Entries], None], keep: Callable[[Proof], User]) -> None:
    change_entries(user.server, alter, keep, about={user.name})


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


def check_row(name: str, note: str = "") -> None:
    """The file would take any length, the row would not."""
    for what, value, limit in (("name", name, MAX_NAME), ("note", note, MAX_NOTE)):
        if len(value) > limit:
            raise EngineError(f"The {what} is too long. Use at most {limit} characters.")
        if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in value):
            raise EngineError(f"The {what} holds a character that is no text. Leave it out.")
