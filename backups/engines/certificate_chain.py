"""What makes a client refuse the way up from a certificate; rules as in Go's crypto/x509."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from backups.engines.certificate_extensions import (
    ACCESS,
    AUTHORITY_KEY_ID,
    HANDLED,
    KEY_ID,
    LIMITS,
    NAMES,
    has_strange_limits,
)
from backups.engines.certificate_facts import facts
from backups.engines.certificate_form import form_of
from backups.engines.certificate_leaf import LONGEST, SHORTEST, is_for_servers, may_sign_others
from backups.engines.certificate_limits import forbidden_name, has_limits, is_outside
from backups.engines.certificate_names import is_mapped
from backups.engines.certificate_paths import Path, paths_from
from backups.engines.certificate_signatures import (
    has_large_exponent,
    has_usable_signature,
    has_weak_signature,
    unusable_key,
)
from backups.engines.certificate_values import Finding

# Go's clients take no message of more than 64 kB; each certificate has five octets around it.
_LARGEST_CHAIN = 65536
# Go refuses these where they are critical, older versions of it do not.
_NEVER_CRITICAL = {KEY_ID, AUTHORITY_KEY_ID, ACCESS}
_NEW = "Have its authority make one anew."


def best_path(
    leaf: x509.Certificate,
    others: Iterable[x509.Certificate],
    anchors: Iterable[x509.Certificate],
    now: datetime,
) -> Path:
    """The one that clients take, the shortest of several; else the one with the least trouble."""

    def troubles(path: Path) -> tuple[int, bool, int]:
        errors = sum(finding.level == "error" for finding in path_findings(path, now))
        length = len(path.served)
        return errors, path.anchor is None, length if path.anchor is not None else -length

    paths = paths_from(leaf, others, anchors)
    return paths[0] if len(paths) == 1 else min(paths, key=troubles)


def path_findings(path: Path, now: datetime) -> Iterator[Finding]:
    """The leaf's own dates, names and key are not among it."""
    everyone = path.all
    yield from _size_findings(path)
    for depth, certificate in enumerate(everyone):
        if certificate != path.anchor:
            yield from _signature_findings(certificate)
        yield from _form_findings(certificate)
        if depth:
            yield from _issuer_findings(certificate, depth, now, is_end=certificate == path.anchor)
            yield from _issuer_key_findings(certificate)
            if is_outside(certificate, everyone[:depth]):
                sentence = f"{_name(certificate)} may sign for another organisation alone."
                yield _error("limits-elsewhere", sentence, _NEW)
            if has_limits(certificate) and (name := forbidden_name(certificate, everyone[:depth])):
                sentence = f"{_name(certificate)} may not sign for {name}."
                yield _error("name-forbidden", sentence, _NEW)


def _size_findings(path: Path) -> Iterator[Finding]:
    size = 4 + sum(5 + len(form_of(one).whole) for one in path.served)
    if size > _LARGEST_CHAIN:
        yield _error(
            "chain-too-large",
            f"With {size // 1000} kB the chain is larger than what restic takes, which is 64 kB.",
            "Have one made with fewer names.",
        )


def _signature_findings(certificate: x509.Certificate) -> Iterator[Finding]:
    if has_weak_signature(certificate):
        yield _error("signature-weak", f"{_name(certificate)} is signed with SHA-1 or MD5.", _NEW)
    elif not has_usable_signature(certificate):
        yield _error(
            "signature-kind",
            f"{_name(certificate)} is signed in a way that restic does not know.",
            "Have its authority sign with SHA-256, SHA-384 or SHA-512, or with Ed25519.",
        )


def _form_findings(certificate: x509.Certificate) -> Iterator[Finding]:
    name, form = _name(certificate), form_of(certificate)
    if form.problem:
        yield _error(
            "unreadable", f"rest-server and restic cannot read {name}: {form.problem}.", _NEW
        )
    if form.serial < 0:
        yield Finding(
            "serial-negative",
            "warning",
            f"The serial number of {name} is negative, which newer programs may refuse.",
            _NEW,
        )
    if mapped := [str(one) for one in form.extensions.addresses if is_mapped(one)]:
        yield Finding(
            "address-mapped",
            "warning",
            f"{name} holds {mapped[0]}, an IPv4 address written as IPv6: newer programs refuse it.",
            _NEW,
        )
    for kind in form.extensions.critical:
        if kind in _NEVER_CRITICAL:
            sentence = f"{name} marks as critical what must not be ({kind})."
            yield _error("critical-wrongly", sentence, _NEW)
        elif _is_unhandled(kind, certificate):
            sentence = f"{name} demands something that clients do not know ({kind})."
            yield _error("critical-extension", sentence, _NEW)


def _is_unhandled(kind: str, certificate: x509.Certificate) -> bool:
    found = form_of(certificate).extensions
    if kind == NAMES:
        return not (found.dns or found.addresses or found.mails or found.uris)
    return has_strange_limits(found) if kind == LIMITS else kind not in HANDLED


def _issuer_findings(
    issuer: x509.Certificate, depth: int, now: datetime, *, is_end: bool
) -> Iterator[Finding]:
    name, form = _name(issuer), form_of(issuer)
    said = form.extensions
    # What is trusted may be older than the rule that an authority calls itself one.
    is_old_root = is_end and form.version < 3
    is_authority = said.is_authority or (said.is_authority is None and is_old_root)
    if not is_authority or not may_sign_others(issuer):
        yield _error("issuer-no-authority", f"{name} may not sign certificates.", _NEW)
    elif said.path_length is not None and said.path_length < depth - 1:
        yield _error("path-too-long", f"{name} allows no other authority below it.", _NEW)
    if not is_for_servers(issuer):
        yield _error("issuer-purpose", f"{name} may not sign for servers.", _NEW)
    if issuer.not_valid_after_utc < now:
        ended = f"{issuer.not_valid_after_utc:%d %b %Y}"
        yield _error("issuer-expired", f"{name}, which signed it, ended on {ended}.", _NEW)
    elif issuer.not_valid_before_utc > now:
        begins = f"{issuer.not_valid_before_utc:%d %b %Y}"
        yield _error("issuer-not-yet-valid", f"{name}, which signed it, begins on {begins}.", _NEW)


def _issuer_key_findings(issuer: x509.Certificate) -> Iterator[Finding]:
    name = _name(issuer)
    if trouble := unusable_key(issuer):
        yield _error("issuer-key-kind", f"restic cannot use the key of {name}: {trouble}.", _NEW)
        return
    key = issuer.public_key()
    if has_large_exponent(issuer):
        yield Finding(
            "issuer-exponent",
            "warning",
            f"The key of {name} has so large an exponent that newer clients refuse it.",
            _NEW,
        )
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < SHORTEST:
        sentence = f"The key of {name} is too short with {key.key_size} bits."
        yield _error("issuer-key-weak", sentence, _NEW)
    elif isinstance(key, rsa.RSAPublicKey) and key.key_size > LONGEST:
        sentence = f"The key of {name} is too long with {key.key_size} bits."
        yield _error("issuer-key-too-long", sentence, _NEW)


def _name(certificate: x509.Certificate) -> str:
    return facts(certificate).subject


def _error(code: str, sentence: str, advice: str) -> Finding:
    return Finding(code, "error", sentence, advice)
