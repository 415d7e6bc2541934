"""From the certificate of a server up to what hosts trust; rules as in Go's crypto/x509."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from backups.engines.certificate_facts import (
    facts,
    has_weak_signature,
    is_named,
    is_signed_by,
    load_all,
    names_in,
)
from backups.engines.certificate_leaf import extension, is_for_servers
from backups.engines.certificate_values import Finding

_HANDLED = frozenset(
    {
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.EXTENDED_KEY_USAGE,
    }
)
_NEW = "Have its authority make one anew."


@dataclass(frozen=True, slots=True)
class Path:
    """What the server is to send, leaf first, and what that leads to, if it is known."""

    served: tuple[x509.Certificate, ...]
    anchor: x509.Certificate | None

    @property
    def all(self) -> tuple[x509.Certificate, ...]:
        is_apart = self.anchor is not None and self.anchor not in self.served
        return (*self.served, self.anchor) if self.anchor and is_apart else self.served


@lru_cache(maxsize=16)
def loaded(text: str) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM text; the store of a system has some hundred and fifty."""
    return tuple(load_all(text))


def path_from(
    leaf: x509.Certificate,
    others: Iterable[x509.Certificate],
    anchors: Iterable[x509.Certificate],
) -> Path:
    """The shortest way up to an anchor, or as far as the others lead."""
    pool, trusted = [other for other in others if other != leaf], list(anchors)
    served = [leaf]
    while True:
        here = served[-1]
        if here in trusted or is_signed_by(here, here):
            return Path(tuple(served), here) if len(served) == 1 else _ending_with(served)
        if anchor := _issuer(here, trusted):
            return Path(tuple(served), anchor)
        issuer = _issuer(here, [other for other in pool if other not in served])
        if issuer is None:
            return Path(tuple(served), None)
        served.append(issuer)


def _ending_with(served: list[x509.Certificate]) -> Path:
    """The one at the end hosts have already: it is not sent."""
    return Path(tuple(served[:-1]), served[-1])


def _issuer(
    certificate: x509.Certificate, candidates: Iterable[x509.Certificate]
) -> x509.Certificate | None:
    """Of several the one that lasts longest: an authority may have renewed its own."""
    signers = [other for other in candidates if is_signed_by(certificate, other)]
    return max(signers, key=lambda signer: signer.not_valid_after_utc, default=None)


def path_findings(path: Path, now: datetime) -> Iterator[Finding]:
    """What makes a client refuse the way up; the leaf's own dates and names are not among it."""
    everyone = path.all
    for depth, certificate in enumerate(everyone):
        is_anchor = certificate == path.anchor
        if not is_anchor and has_weak_signature(certificate):
            yield _error(
                "signature-weak", f"{_name(certificate)} is signed with SHA-1 or MD5.", _NEW
            )
        if strange := _unhandled(certificate):
            yield _error(
                "critical-extension",
                f"{_name(certificate)} demands something that clients do not know ({strange}).",
                _NEW,
            )
        if depth:
            yield from _issuer_findings(certificate, depth, now)
            yield from _constraint_findings(certificate, everyone[0])


def _issuer_findings(issuer: x509.Certificate, depth: int, now: datetime) -> Iterator[Finding]:
    name = _name(issuer)
    basic, usage = extension(issuer, x509.BasicConstraints), extension(issuer, x509.KeyUsage)
    if basic is None or not basic.ca or (usage and not usage.key_cert_sign):
        yield _error("issuer-no-authority", f"{name} may not sign certificates.", _NEW)
    elif basic.path_length is not None and basic.path_length < depth - 1:
        yield _error("path-too-long", f"{name} allows no other authority below it.", _NEW)
    if not is_for_servers(issuer):
        yield _error("issuer-purpose", f"{name} may not sign for servers.", _NEW)
    if issuer.not_valid_after_utc < now:
        ended = f"{issuer.not_valid_after_utc:%d %b %Y}"
        yield _error("issuer-expired", f"{name}, which signed it, ended on {ended}.", _NEW)
    elif issuer.not_valid_before_utc > now:
        begins = f"{issuer.not_valid_before_utc:%d %b %Y}"
        yield _error("issuer-not-yet-valid", f"{name}, which signed it, begins on {begins}.", _NEW)


def _constraint_findings(issuer: x509.Certificate, leaf: x509.Certificate) -> Iterator[Finding]:
    limits = extension(issuer, x509.NameConstraints)
    if limits is None:
        return
    dns, addresses = names_in(leaf)
    permitted, excluded = limits.permitted_subtrees or [], limits.excluded_subtrees or []
    for name in dns:
        if not _is_allowed(name, permitted, excluded, x509.DNSName):
            yield _error("name-forbidden", f"{_name(issuer)} may not sign for {name}.", _NEW)
    for address in addresses:
        if not _is_allowed(address, permitted, excluded, x509.IPAddress):
            yield _error("name-forbidden", f"{_name(issuer)} may not sign for {address}.", _NEW)


def _is_allowed(
    name: object,
    permitted: list[x509.GeneralName],
    excluded: list[x509.GeneralName],
    kind: type[x509.DNSName] | type[x509.IPAddress],
) -> bool:
    allowed = [one.value for one in permitted if isinstance(one, kind)]
    denied = [one.value for one in excluded if isinstance(one, kind)]
    is_within = any(_is_within(name, limit) for limit in allowed)
    return (is_within or not allowed) and not any(_is_within(name, limit) for limit in denied)


def _is_within(name: object, limit: object) -> bool:
    if isinstance(name, str):
        host, domain = name.lower(), str(limit).lower().removeprefix(".")
        return not domain or host == domain or host.endswith(f".{domain}")
    try:
        return name in limit  # type: ignore[operator]
    except TypeError:
        return False


def _unhandled(certificate: x509.Certificate) -> str:
    found = (
        one.oid.dotted_string
        for one in certificate.extensions
        if one.critical and one.oid not in _HANDLED
    )
    return next(found, "")


def wrongly_signed(path: Path, others: Iterable[x509.Certificate]) -> x509.Certificate | None:
    """One that has the name of the issuer that is missing, but did not sign."""
    top = path.served[-1]
    return next((other for other in others if other != top and is_named(top, other)), None)


def _name(certificate: x509.Certificate) -> str:
    return facts(certificate).subject


def _error(code: str, sentence: str, advice: str) -> Finding:
    return Finding(code, "error", sentence, advice)
