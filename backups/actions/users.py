"""Users: changed in `.htpasswd`, proven on the running server, or taken back."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone
from django_tasks import task

from backups import engines
from backups.actions.events import Actor, record_event
from backups.engines import htpasswd, restserver
from backups.engines.errors import EngineError
from backups.engines.htpasswd import Entry
from backups.models import Server, User

PROVEN_WITHIN = 5


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password as it was made, to be shown once."""

    user: User
    password: str = field(repr=False)


def add_user(
    server: Server, name: str, *, by: Actor, note: str = "", password: str = ""
) -> NewPassword:
    """Add an entry; without a password, one is generated."""
    htpasswd.check_name(name, is_private=server.has_private_repositories)
    password = password or htpasswd.generate_password()
    htpasswd.check_password(password)
    with _change(server, lets_in={name: password}) as entries:
        if name in entries or server.users.filter(name=name).exists():
            raise EngineError(f"{server} has a user called {name} already.")
        entries[name] = Entry(name, htpasswd.hash_password(password))
    now = timezone.now()
    user = User.objects.create(
        server=server, name=name, note=note, rotated=now, live_since=_live_since(server)
    )
    record_event(by, "added", user, sentence=_proof(server))
    return NewPassword(user, password)


def rotate_user(user: User, *, by: Actor, password: str = "") -> NewPassword:
    """Replace the password; the former one is refused from then on."""
    password = password or htpasswd.generate_password()
    htpasswd.check_password(password)
    server = user.server
    if user.is_disabled:
        raise EngineError(f"{user} is disabled. Enable it first.")
    with _change(server, lets_in={user.name: password}) as entries:
        entries[user.name] = Entry(user.name, htpasswd.hash_password(password))
    user.rotated, user.live_since = timezone.now(), _live_since(server)
    user.save(update_fields=["rotated", "live_since"])
    record_event(by, "rotated", user, sentence=_proof(server))
    return NewPassword(user, password)


def disable_user(user: User, *, by: Actor) -> None:
    """Take the entry out of the file and keep its hash."""
    if user.is_disabled:
        raise EngineError(f"{user} is disabled already.")
    try:
        with _change(user.server) as entries:
            entry = entries.pop(user.name, None)
            if entry is None:
                raise EngineError(f"{user} is not in the file any more: somebody removed it.")
            # Kept before the file changes: a hash that is in neither place would be lost.
            _keep_hash(user, timezone.now(), entry.hash)
    except EngineError:
        _keep_hash(user, None, "")
        raise
    record_event(by, "disabled", user, sentence=_proof(user.server))


def enable_user(user: User, *, by: Actor) -> None:
    """Put the kept hash back: the former password works again."""
    if not user.is_disabled:
        raise EngineError(f"{user} is enabled already.")
    with _change(user.server) as entries:
        entries.setdefault(user.name, Entry(user.name, user.disabled_hash))
    user.disabled, user.disabled_hash = None, ""
    if user.expires and user.expires <= timezone.now():
        user.expires = None
    user.live_since = _live_since(user.server)
    user.save(update_fields=["disabled", "disabled_hash", "expires", "live_since"])
    record_event(by, "enabled", user, sentence=_proof(user.server))


def delete_user(user: User, *, by: Actor) -> None:
    """Remove the entry; its repositories stay on the disk."""
    with _change(user.server) as entries:
        entries.pop(user.name, None)
    record_event(by, "deleted", user, sentence=_proof(user.server))
    user.delete()


def note_user(user: User, note: str, *, by: Actor) -> None:
    user.note = note
    user.save(update_fields=["note"])
    record_event(by, "noted", user)


@task(queue_name="checks")
def expire_users() -> int:
    """Disable whose time is over; returns how many."""
    over = User.objects.filter(expires__lte=timezone.now(), disabled__isnull=True)
    for user in over.select_related("server"):
        disable_user(user, by="scheduler")
    return len(over)


@task(queue_name="checks")
def adopt_all_users() -> None:
    for server in Server.objects.live():
        adopt_users(server)


def adopt_users(server: Server) -> int:
    """Know entries that were made by hand; changes nothing in the file."""
    known = set(server.users.values_list("name", flat=True))
    found = [entry.name for entry in engines.htpasswd_of(server).read().entries]
    new = [User(server=server, name=name) for name in found if name not in known]
    User.objects.bulk_create(new, ignore_conflicts=True)
    for user in new:
        record_event("scheduler", "adopted", user, sentence="It was added by hand.")
    return len(new)


@contextmanager
def _change(server: Server, lets_in: dict[str, str] | None = None) -> Iterator[dict[str, Entry]]:
    """Change the entries of one server; published, proven, or put back as they were."""

    def apply() -> None:
        if server.is_live:
            engines.containers_of(server).reload_users(server.name)

    def prove() -> None:
        apply()
        for name, password in (lets_in or {}).items():
            _prove(server, name, password)

    with engines.htpasswd_of(server).change(prove=prove, undo=apply) as entries:
        yield entries


def _prove(server: Server, name: str, password: str) -> None:
    """The new password is let in and a wrong one refused, by the server that runs."""
    if not server.is_live:
        return
    deadline = time.monotonic() + PROVEN_WITHIN
    while not restserver.is_let_in(server.probe_url, name, password):
        if time.monotonic() > deadline:
            raise EngineError(
                f"{server} did not accept the new password of {name}, "
                "so the former file is back. Its log may say why."
            )
        time.sleep(0.05)
    if restserver.is_let_in(server.probe_url, name, secrets.token_urlsafe(18)):
        raise EngineError(
            f"{server} lets anybody in as {name}: authentication is off. The former file is back."
        )


def _keep_hash(user: User, disabled: datetime | None, hashed: str) -> None:
    user.disabled, user.disabled_hash = disabled, hashed
    user.save(update_fields=["disabled", "disabled_hash"])


def _live_since(server: Server) -> datetime | None:
    return timezone.now() if server.is_live else None


def _proof(server: Server) -> str:
    return "proven by a real sign-in" if server.is_live else "will apply when the server starts"
