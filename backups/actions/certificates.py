"""Certificates: brought or made, checked, kept with their predecessors, applied."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from backups import engines
from backups.actions.authorities import authority_pair
from backups.actions.events import Actor, record_event
from backups.actions.pairs import FilePair
from backups.engines import certificates
from backups.engines.certificates import Checked, Pair
from backups.engines.errors import EngineError
from backups.models import Authority, Certificate, Server, SigningRequest
from backups.queries.trust import names_of, published_names, system_store


class UnfitCertificateError(EngineError):
    """What was brought has errors; nothing of it is kept."""

    def __init__(self, checked: Checked) -> None:
        super().__init__(" ".join(finding.sentence for finding in checked.errors))
        self.checked = checked


def check_files(
    files: Iterable[bytes],
    *,
    names: Iterable[str],
    password: str = "",
    server: Server | None = None,
) -> Checked:
    """Judge what was brought as it would be for this server; keeps and changes nothing."""
    authorities = Authority.objects.values_list("chain", flat=True)
    return certificates.check(
        files,
        names=names,
        password=password,
        keys=_waiting_keys(server) if server else (),
        anchors=(*authorities, system_store()),
    )


def check_certificate(certificate: Certificate) -> Checked:
    """Judge one that is kept: time has passed, and the names of the server may have changed."""
    closed = certificate.encrypted_key
    key = engines.vault().open(closed) if closed else ""
    files = [certificate.chain.encode(), certificate.root.encode(), key.encode()]
    server = certificate.server
    return check_files([f for f in files if f], names=published_names(server), server=server)


def add_certificate(
    server: Server,
    files: Iterable[bytes],
    *,
    by: Actor,
    password: str = "",
    origin: Certificate.Origin = Certificate.Origin.UPLOADED,
) -> Certificate:
    """Keep what was brought, if it has no error; the server does not know of it yet."""
    names = published_names(server)
    checked = check_files(files, names=names, password=password, server=server)
    if checked.pair is None:
        raise UnfitCertificateError(checked)
    return keep_pair(server, checked.pair, origin=origin, by=by)


def keep_pair(server: Server, pair: Pair, *, origin: Certificate.Origin, by: Actor) -> Certificate:
    """Write it down once; the same certificate again only completes what was kept of it."""
    facts = pair.facts
    closed = engines.vault().close(pair.key)
    with transaction.atomic():
        request = _answered_by(server, pair)
        certificate, is_new = Certificate.objects.get_or_create(
            server=server,
            fingerprint=facts.fingerprint,
            defaults={
                "subject": facts.subject,
                "issuer": facts.issuer,
                "names": list(facts.names),
                "key_kind": facts.key_kind,
                "not_before": facts.not_before,
                "not_after": facts.not_after,
                "chain": pair.chain,
                "root": pair.root,
                "encrypted_key": closed,
                "origin": Certificate.Origin.REQUESTED if request else origin,
                "by_name": str(by),
            },
        )
        if request:
            request.answer = certificate
            request.save(update_fields=["answer"])
        if is_new:
            record_event(by, "added", certificate, sentence=f"For {server}, from {facts.issuer}.")
        else:
            certificate.chain, certificate.root = pair.chain, pair.root or certificate.root
            certificate.save(update_fields=["chain", "root"])
    return certificate


def make_certificate(
    server: Server, *, by: Actor, names: Iterable[str] = (), kind: str = certificates.KINDS[0]
) -> Certificate:
    """By the authority of this house, which is made first where there is none."""
    wanted = _names_for(server, names)
    pair = certificates.make_certificate(authority_pair(by=by), wanted, kind=kind)
    return keep_pair(server, pair, origin=Certificate.Origin.MADE, by=by)


def make_self_signed(
    server: Server, *, by: Actor, names: Iterable[str] = (), kind: str = certificates.KINDS[0]
) -> Certificate:
    """One that signs itself: each host has to be given it, and its successor again."""
    pair = certificates.make_self_signed(_names_for(server, names), kind=kind)
    return keep_pair(server, pair, origin=Certificate.Origin.SELF_SIGNED, by=by)


def make_request(
    server: Server, *, by: Actor, names: Iterable[str] = (), kind: str = certificates.KINDS[0]
) -> SigningRequest:
    """A key, kept here, and the request that somebody else signs."""
    request = certificates.make_request(_names_for(server, names), kind=kind)
    with transaction.atomic():
        kept = SigningRequest.objects.create(
            server=server,
            names=list(request.names),
            pem=request.pem,
            encrypted_key=engines.vault().close(request.key),
            by_name=str(by),
        )
        record_event(by, "made", "signing request", name=str(kept), sentence=f"For {server}.")
    return kept


def certificate_to_start_with(server: Server, *, by: Actor) -> Certificate:
    """The pair in its folder; or a new one, written there, where there is none that fits.

    With TLS, rest-server does not start without.
    """
    found = keep_files(server, FilePair.on(server), by=by)
    if found is not None:
        return found
    certificate = make_certificate(server, by=by)
    FilePair.of(certificate).write_to(server)
    return certificate


def keep_files(server: Server, files: FilePair, *, by: Actor) -> Certificate | None:
    """Keep the pair that is in the files, whatever a check would say; None if they do not fit."""
    if not files.chain or not files.key:
        return None
    chain, key = files.chain.decode("latin-1"), files.key.decode("latin-1")
    try:
        facts = certificates.facts_of(chain)
    except EngineError:
        return None
    if not certificates.fits(chain, key):
        return None
    pair = Pair(facts, chain, key, chain if facts.is_self_signed else "")
    return keep_pair(server, pair, origin=Certificate.Origin.FOUND, by=by)


def write_live(certificate: Certificate, now: datetime) -> None:
    """It is the one that is shown, and no other; in the transaction that knows it proven."""
    served = certificate.server.certificates.served()
    served.exclude(pk=certificate.pk).update(live_until=now)
    if not certificate.is_live:
        certificate.live_since, certificate.live_until = now, None
        certificate.save(update_fields=["live_since", "live_until"])


def export_key(certificate: Certificate, *, by: Actor) -> str:
    """The private key, because somebody asked for it by name; the book tells of it."""
    key = engines.vault().open(certificate.encrypted_key)
    record_event(by, "exported the key of", certificate, sentence=f"Of {certificate.server}.")
    return key


def _names_for(server: Server, names: Iterable[str]) -> list[str]:
    return list(names) or list(names_of(server))


def _waiting_keys(server: Server) -> list[str]:
    """Of requests, and of certificates that come again without their key, as renewed ones may."""
    vault = engines.vault()
    requests = server.signing_requests.all()
    kept = server.certificates.exclude(encrypted_key=b"")
    return [vault.open(row.encrypted_key) for row in (*requests, *kept)]


def _answered_by(server: Server, pair: Pair) -> SigningRequest | None:
    vault = engines.vault()
    for request in server.signing_requests.filter(answer=None):
        if certificates.fits(pair.chain, vault.open(request.encrypted_key)):
            return request
    return None
