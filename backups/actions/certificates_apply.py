"""Certificates and the line applied to a server that runs, by an operation that proves them."""

from typing import Any

from backups.actions.certificates import UnfitCertificateError, check_certificate
from backups.actions.events import Actor
from backups.actions.operations import start_operation
from backups.engines import tls
from backups.engines.errors import EngineError
from backups.models import Certificate, Operation, Server

_RUNNING = {Server.Status.LIVE, Server.Status.FAILED}


def apply_certificate(
    certificate: Certificate, *, by: Actor, wait: float | None = None
) -> Operation:
    """Have the server show it from now on; `wait`: seconds for uploads to end before."""
    checked = check_certificate(certificate)
    if checked.pair is None:
        raise UnfitCertificateError(checked)
    server = certificate.server
    # Somebody may have put another one there: then it is applied once more.
    if certificate.is_live and _shown_by(server) == certificate.fingerprint:
        raise EngineError(f"{certificate.server} shows this certificate already.")
    return _change(
        Operation.Kind.APPLY_CERTIFICATE,
        certificate.server,
        {"certificate": certificate.pk, "fields": {"has_tls": True}},
        by=by,
        subject=str(certificate),
        wait=wait,
    )


def change_line(
    server: Server,
    *,
    has_tls: bool,
    tls_min_version: str = "",
    by: Actor,
    wait: float | None = None,
) -> Operation:
    """Turn TLS on or off, or set its lowest version; proven as a certificate is."""
    wanted: dict[str, Any] = {
        "fields": {"has_tls": has_tls, "tls_min_version": tls_min_version if has_tls else ""}
    }
    if has_tls and not server.pin:
        last = server.certificates.shown_last().first()
        if last is None:
            raise EngineError(f"{server} has no certificate yet. Add or make one first.")
        wanted["certificate"] = last.pk
    kind = Operation.Kind.CHANGE_SERVER
    return _change(kind, server, wanted, by=by, subject=str(server), wait=wait)


def former_certificate(server: Server) -> Certificate | None:
    """The one that was shown before the present one."""
    past = server.certificates.filter(live_until__isnull=False)
    return past.order_by("-live_until", "-live_since").first()


def roll_back(server: Server, *, by: Actor, wait: float | None = None) -> Operation:
    former = former_certificate(server)
    if former is None:
        raise EngineError(f"{server} has shown no other certificate before.")
    return apply_certificate(former, by=by, wait=wait)


def _shown_by(server: Server) -> str:
    return tls.look(server.probe_address, server.port).fingerprint if server.has_tls else ""


def _change(
    kind: Operation.Kind,
    server: Server,
    wanted: dict[str, Any],
    *,
    by: Actor,
    subject: str,
    wait: float | None,
) -> Operation:
    if server.status not in _RUNNING:
        raise EngineError(f"{server} does not run, so nothing could be proven. Start it first.")
    if wait is not None:
        wanted["wait"] = wait
    return start_operation(kind, server=server, by=by, subject=subject, wanted=wanted)
