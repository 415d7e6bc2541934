"""What the ports really show, whatever lies in the files: looked at again and again."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from backups.actions.certificates import keep_files, write_live
from backups.actions.events import Actor, record_event
from backups.actions.pairs import FilePair
from backups.engines import certificates, tls
from backups.engines.errors import EngineError
from backups.engines.tls import Shown
from backups.models import Certificate, Handshake, Server
from backups.models.certificates import stage_of


@task(queue_name="checks")
def check_handshakes() -> None:
    for server in Server.objects.made().filter(has_tls=True):
        if not server.operations.open().exists():
            check_handshake(server)


def check_handshake(server: Server) -> Handshake:
    """Look at the port and at the files, and write down what differs; a new stage is an event."""
    shown = tls.look(server.probe_address, server.port)
    if shown.fingerprint and not server.pin:
        adopt_shown(server, by="scheduler")
    handshake = Handshake.objects.filter(server=server).first() or Handshake(server=server)
    before = handshake.stage, handshake.fingerprint
    handshake.looked, handshake.problem = timezone.now(), _problem(server, shown)
    if shown.fingerprint:
        handshake.fingerprint, handshake.version = shown.fingerprint, shown.version
        handshake.not_after = _end_of(shown)
        handshake.stage = stage_of(handshake.not_after)
    with transaction.atomic():
        handshake.save()
        if handshake.stage and (handshake.stage, handshake.fingerprint) != before:
            record_event(
                "scheduler", "found", "certificate", name=str(server), sentence=_left(handshake)
            )
    return handshake


def adopt_shown(server: Server, *, by: Actor) -> Certificate | None:
    """Take the pair in the files for ours, if it is what the port shows; None if it is not."""
    files = FilePair.on(server)
    shown = tls.look(server.probe_address, server.port).fingerprint
    if not shown or _leaf_of(files) != shown:
        return None
    with transaction.atomic():
        found = keep_files(server, files, by=by)
        if found is not None and not found.is_live:
            write_live(found, timezone.now())
            record_event(by, "adopted", found, sentence=f"{server} shows it.")
    return found


def put_files_back(server: Server, *, by: Actor) -> Handshake:
    """The pair that the port shows into the files again; a running server is not disturbed."""
    served = server.certificates.served().first()
    if served is None or tls.look(server.probe_address, server.port).fingerprint != server.pin:
        raise EngineError(f"{server} does not show the certificate that was applied here.")
    FilePair.of(served).write_to(server)
    record_event(by, "put back", served, sentence=f"Its files, at {server}.")
    return check_handshake(server)


def _problem(server: Server, shown: Shown) -> str:
    if shown.problem:
        return shown.problem
    if server.pin and shown.fingerprint != server.pin:
        return "The port shows another certificate than the one that was applied here."
    try:
        pair = FilePair.on(server)
    except EngineError as error:
        return str(error)
    if pair.chain is None or pair.key is None:
        return "Its files are gone: the next start of the container would fail."
    if _leaf_of(pair) != shown.fingerprint:
        return "The files hold another certificate, which the next start would show."
    if not certificates.fits(pair.chain.decode("latin-1"), pair.key.decode("latin-1")):
        return "The files do not fit each other: the next start of the container would fail."
    return ""


def _leaf_of(pair: FilePair) -> str:
    try:
        return certificates.facts_of((pair.chain or b"").decode("latin-1")).fingerprint
    except EngineError:
        return ""


def _end_of(shown: Shown) -> datetime:
    from cryptography import x509

    return x509.load_pem_x509_certificate(shown.leaf.encode()).not_valid_after_utc


def _left(handshake: Handshake) -> str:
    if handshake.stage == "over":
        return "The certificate that the port shows is over."
    return f"The certificate that the port shows ends within {handshake.stage} days."
