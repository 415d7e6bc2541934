"""The private certificate authority of this house, and the keys that keep its secrets."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from backups import engines
from backups.actions.events import Actor, record_event
from backups.engines import certificates, key_file
from backups.engines.certificates import Pair
from backups.engines.errors import EngineError
from backups.models import Authority, Certificate, Operation, SigningRequest

if TYPE_CHECKING:
    from backups.engines.encryption import Vault


def make_authority(name: str = "", *, by: Actor) -> Authority:
    """Hosts that trust it trust every certificate that this house makes, also the next one."""
    with transaction.atomic():
        current = Authority.objects.select_for_update().current()
        if current is not None and not current.ends_soon:
            raise EngineError(
                f"The house has an authority already, {current}, until "
                f"{current.not_after:%d %b %Y}. Hosts trust that one."
            )
        pair = certificates.make_authority(name or _default_name())
        facts = pair.facts
        authority = Authority.objects.create(
            name=facts.subject,
            fingerprint=facts.fingerprint,
            chain=pair.chain,
            encrypted_key=engines.vault().close(pair.key),
            by_name=str(by),
            not_before=facts.not_before,
            not_after=facts.not_after,
        )
        record_event(by, "made", authority, sentence=f"Until {facts.not_after:%d %b %Y}.")
    return authority


def authority_pair(*, by: Actor) -> Pair:
    """That of now, as what signs; made where there is none."""
    authority = Authority.objects.current() or make_authority(by=by)
    key = engines.vault().open(authority.encrypted_key)
    facts = certificates.facts_of(authority.chain)
    return Pair(facts=facts, chain=authority.chain, key=key, root=authority.chain)


def rotate_encryption_key(*, by: Actor) -> int:
    """Encrypt every private key anew, with a new key or the first of ENCRYPTION_KEY; how many."""
    if not settings.ENCRYPTION_KEY:
        # The former one stays in the file until the next rotation: a kill in between, or another
        # process that read the file just before, loses nothing.
        former = engines.vault().keys[0]
        key_file.replace(engines.encryption_key_file(), f"{engines.new_key()}\n{former}")
    vault = engines.vault()
    with transaction.atomic():
        count = sum(_close_anew(rows, vault) for rows in (Authority, Certificate, SigningRequest))
        _close_former_anew(vault)
        record_event(by, "rotated", "encryption key", name="of private keys")
    return count


def _close_anew(
    model: type[Authority] | type[Certificate] | type[SigningRequest], vault: "Vault"
) -> int:
    rows = list(model._default_manager.select_for_update().exclude(encrypted_key=b""))
    for row in rows:
        row.encrypted_key = vault.close_anew(row.encrypted_key)
        row.save(update_fields=["encrypted_key"])
    return len(rows)


def _close_former_anew(vault: "Vault") -> None:
    """The pairs that operations keep aside, which a later worker may have to put back."""
    for operation in Operation.objects.open().select_for_update().filter(former__has_key="pair"):
        pair = operation.former["pair"]
        operation.former["pair"] = {
            name: vault.close_anew(closed.encode()).decode() for name, closed in pair.items()
        }
        operation.save(update_fields=["former"])


def _default_name() -> str:
    return f"{settings.RESTHOUSE_NAME or 'Resthouse'} CA"
