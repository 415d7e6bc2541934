"""The line between hosts and a server, proven from outside as a host would see it."""

from backups.actions.lease import Lease
from backups.engines import tls
from backups.engines.errors import EngineError
from backups.models import Certificate, Server
from backups.queries.trust import names_of


def prove(server: Server, certificate: Certificate | None, lease: Lease) -> list[str]:
    """What was seen, as parts of a sentence; EngineError for the first thing that is not so."""
    if not server.has_tls:
        return _said(lease, [f"rest-server answers at {server.probe_url}"])
    if certificate is None:
        raise EngineError(f"{server} has no certificate to show. Add one first.")
    proofs = [_prove_leaf(server, certificate), *_prove_versions(server)]
    return _said(lease, [*proofs, _prove_trust(server, certificate)])


def _said(lease: Lease, proofs: list[str]) -> list[str]:
    for proof in proofs:
        lease.log(proof)
    return proofs


def _prove_leaf(server: Server, certificate: Certificate) -> str:
    shown = tls.look(server.probe_address, server.port)
    if shown.fingerprint != certificate.fingerprint:
        raise EngineError(
            shown.problem or f"The port shows another certificate ({shown.fingerprint[:8]}…)."
        )
    return f"the port shows {certificate.print[:9]}…"


def _prove_versions(server: Server) -> list[str]:
    speaks = {version: _speaks(server, version) for version in tls.VERSIONS}
    wanted = {"1.2": server.tls_min_version != "1.3", "1.3": True}
    if speaks != wanted:
        found = " and ".join(version for version, does in speaks.items() if does) or "none"
        raise EngineError(f"It should speak TLS {_words(wanted)}, but speaks {found}.")
    return [f"it speaks TLS {_words(wanted)}"]


def _words(versions: dict[str, bool]) -> str:
    return "1.2 and 1.3" if versions["1.2"] else "1.3 alone"


def _speaks(server: Server, version: str) -> bool:
    try:
        return tls.speaks(server.probe_address, server.port, version)
    except OSError as error:
        raise EngineError(f"{server} stopped to answer: {error.strerror or error}.") from error


def _prove_trust(server: Server, certificate: Certificate) -> str:
    """By a client that trusts what a host would be given; else what the chain itself leads to."""
    name = names_of(server)[0]
    anchors = certificate.root or certificate.chain
    if reason := tls.distrust(server.probe_address, server.port, name, anchors):
        raise EngineError(f"A client that comes to {name} refuses the certificate: {reason}.")
    return f"a client that comes to {name} trusts it"
