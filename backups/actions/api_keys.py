"""Keys for scripts: made once, shown once, and revoked at any time."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from backups.actions.events import Actor, record_event
from backups.models import ApiKey, Operator

_PREFIX = "rh_"
_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it was made, to be shown once."""

    key: ApiKey
    token: str = field(repr=False)


def make_key(operator: Operator, *, by: Actor, note: str = "") -> NewKey:
    """A key that may do what its operator may."""
    token = _PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        key = ApiKey.objects.create(operator=operator, note=note[:200], key_hash=_hash(token))
        record_event(by, "made a key for", operator, sentence=key.note)
    return NewKey(key, token)


def revoke_key(key: ApiKey, *, by: Actor) -> None:
    """Refuse it from now on."""
    with transaction.atomic():
        key.revoked = key.revoked or timezone.now()
        key.save(update_fields=["revoked"])
        record_event(by, "revoked a key of", key.operator, sentence=key.note)


def operator_of_key(token: str) -> Operator | None:
    """Whose key it is; None when it is unknown or revoked, or its operator may not sign in."""
    key = (
        ApiKey.objects.filter(key_hash=_hash(token), revoked=None, operator__is_active=True)
        .select_related("operator")
        .first()
    )
    if key is None:
        return None
    now = timezone.now()
    if key.last_used is None or now - key.last_used > _NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used=now)
    return key.operator


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
