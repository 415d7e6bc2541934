"""What is to be said of the certificate of a server itself; rules as in Go's crypto/x509."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from backups.engines.certificate_facts import names_in
from backups.engines.certificate_form import form_of
from backups.engines.certificate_keys import key_kind
from backups.engines.certificate_names import address_of, is_covered
from backups.engines.certificate_signatures import has_large_exponent, unusable_key
from backups.engines.certificate_values import Finding

ENDS_SOON = timedelta(days=14)
SHORTEST, LONGEST = 2048, 8192
_USE = "Use RSA from 2048 bits on, P-256, P-384, P-521 or Ed25519."
_SERVERS, _ANY = "1.3.6.1.5.5.7.3.1", "2.5.29.37.0"
# Digital signature, key encipherment and key agreement.
_FOR_TLS, _SIGNS_OTHERS = 0b1010_1000_0000_0000, 0b0000_0100_0000_0000


def leaf_findings(leaf: x509.Certificate, names: Iterable[str], now: datetime) -> Iterator[Finding]:
    yield from key_findings(leaf)
    yield from date_findings(leaf, now)
    yield from name_findings(leaf, names)
    yield from _purpose_findings(leaf)


def key_findings(leaf: x509.Certificate) -> Iterator[Finding]:
    """What rest-server cannot load, and what clients refuse."""
    trouble = unusable_key(leaf)
    if not trouble and has_large_exponent(leaf):
        trouble = f"{key_kind(leaf)} with so large an exponent"
    key = None if trouble else leaf.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP224R1):
        trouble = key_kind(leaf)
    if trouble:
        yield _error("key-kind", f"rest-server cannot use {trouble}.", _USE)
    elif isinstance(key, rsa.RSAPublicKey):
        if key.key_size < SHORTEST:
            yield _error("key-weak", f"A key of {key.key_size} bits is too short.", _USE)
        if key.key_size > LONGEST:
            yield _error(
                "key-too-long", f"restic refuses a key of {key.key_size} bits: too long.", _USE
            )


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
    usage = form_of(leaf).extensions.usage
    if usage is not None and not usage & _FOR_TLS:
        yield _error(
            "key-usage",
            "Its key may not be used for TLS (key usage), so many clients refuse it.",
            "Have one made with the key usage digital signature.",
        )


def is_for_servers(certificate: x509.Certificate, *, is_strict: bool = False) -> bool:
    """As Go has it; strictly, as OpenSSL does, to which "any" is no purpose of its own."""
    purposes = set(form_of(certificate).extensions.purposes)
    allowed = {_SERVERS} if is_strict else {_SERVERS, _ANY}
    return not purposes or bool(allowed & purposes)


def may_sign_others(certificate: x509.Certificate) -> bool:
    """Where a usage is told; Go takes an empty one for none."""
    return not (usage := form_of(certificate).extensions.usage) or bool(usage & _SIGNS_OTHERS)


def now_or(now: datetime | None) -> datetime:
    return now or datetime.now(UTC)


def _error(code: str, sentence: str, advice: str) -> Finding:
    return Finding(code, "error", sentence, advice)
