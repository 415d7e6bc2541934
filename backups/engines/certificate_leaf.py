"""What is to be said of the certificate of a server itself; rules as in Go's crypto/x509."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, PublicKeyAlgorithmOID

from backups.engines.certificate_facts import TROUBLE, key_kind, names_in
from backups.engines.certificate_names import address_of, is_covered
from backups.engines.certificate_values import Finding

_E = TypeVar("_E", bound=x509.ExtensionType)

ENDS_SOON = timedelta(days=14)
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_SHORTEST, _LONGEST = 2048, 8192
_USE = "Use RSA from 2048 bits on, P-256, P-384, P-521 or Ed25519."


def leaf_findings(leaf: x509.Certificate, names: Iterable[str], now: datetime) -> Iterator[Finding]:
    yield from key_findings(leaf)
    yield from date_findings(leaf, now)
    yield from name_findings(leaf, names)
    yield from _purpose_findings(leaf)


def key_findings(leaf: x509.Certificate) -> Iterator[Finding]:
    """What rest-server cannot load, and what clients refuse."""
    try:
        key = leaf.public_key()
    except TROUBLE:
        key = None
    is_pss = leaf.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS
    if isinstance(key, rsa.RSAPublicKey) and not is_pss:
        if key.key_size < _SHORTEST:
            yield _error("key-weak", f"A key of {key.key_size} bits is too short.", _USE)
        if key.key_size > _LONGEST:
            yield _error(
                "key-too-long", f"restic refuses a key of {key.key_size} bits: too long.", _USE
            )
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, _CURVES):
            yield _error("key-kind", f"rest-server cannot use {key_kind(leaf)}.", _USE)
    elif not isinstance(key, ed25519.Ed25519PublicKey):
        yield _error("key-kind", f"rest-server cannot use {key_kind(leaf)}.", _USE)


def date_findings(leaf: x509.Certificate, now: datetime) -> Iterator[Finding]:
    begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if ends < now:
        yield _error("expired", f"It ended on {ends:%d %b %Y, %H:%M} UTC.", "Bring a new one.")
    elif begins > now:
        yield _error(
            "not-yet-valid",
            f"It begins on {begins:%d %b %Y, %H:%M} UTC.",
            "Wait until then, or look at the clock of this machine.",
        )
    elif ends < now + ENDS_SOON:
        yield Finding(
            "ends-soon",
            "warning",
            f"It ends on {ends:%d %b %Y, %H:%M} UTC.",
            "Bring the next one in time.",
        )


def name_findings(leaf: x509.Certificate, names: Iterable[str]) -> Iterator[Finding]:
    """Clients look at the alternative names alone."""
    dns, addresses = names_in(leaf)
    if not dns and not addresses:
        yield _error(
            "no-names",
            "It holds its name in the subject alone, where clients do not look any more.",
            "Have one made with subject alternative names.",
        )
        return
    for name in dict.fromkeys(names):
        if not is_covered(name, dns, addresses):
            held = ", ".join([*dns, *map(str, addresses)][:5])
            yield _error(
                "name-missing",
                f"Hosts use {name}, but it is for {held}.",
                f"Have one made for {name}{_as_address(name, dns)}.",
            )


def _as_address(name: str, dns: list[str]) -> str:
    is_there_as_name = address_of(name) is not None and name in dns
    return ", as an IP address and not as a DNS name" if is_there_as_name else ""


def _purpose_findings(leaf: x509.Certificate) -> Iterator[Finding]:
    if not is_for_servers(leaf):
        yield _error(
            "purpose",
            "It is not meant for servers (extended key usage).",
            "Have one made for TLS web server authentication.",
        )
    elif not is_for_servers(leaf, is_strict=True):
        yield _error(
            "purpose-any",
            "Its purpose is any, which restic takes, but many other clients refuse.",
            "Have one made for TLS web server authentication.",
        )
    usage = extension(leaf, x509.KeyUsage)
    if usage and not (usage.digital_signature or usage.key_encipherment or usage.key_agreement):
        yield _error(
            "key-usage",
            "Its key may not be used for TLS (key usage), so many clients refuse it.",
            "Have one made with the key usage digital signature.",
        )


def is_for_servers(certificate: x509.Certificate, *, is_strict: bool = False) -> bool:
    """As Go has it; strictly, as OpenSSL does, to which "any" is no purpose of its own."""
    usages = extension(certificate, x509.ExtendedKeyUsage)
    allowed = {ExtendedKeyUsageOID.SERVER_AUTH}
    if not is_strict:
        allowed.add(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    return usages is None or bool(allowed & set(usages))


def extension(certificate: x509.Certificate, kind: type[_E]) -> _E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def now_or(now: datetime | None) -> datetime:
    return now or datetime.now(UTC)


def _error(code: str, sentence: str, advice: str) -> Finding:
    return Finding(code, "error", sentence, advice)
