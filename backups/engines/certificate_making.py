"""New certificates: an authority, what it signs, what signs itself, and requests to others."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from backups.engines.certificate_facts import facts, load_all, render
from backups.engines.certificate_keys import load_key, render_key
from backups.engines.certificate_names import general_name
from backups.engines.certificate_values import KINDS, Pair, Request
from backups.engines.errors import EngineError

_Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
_MAKERS: dict[str, Callable[[], _Key]] = {
    "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-4096": lambda: rsa.generate_private_key(65537, 4096),
}
# Hosts whose clocks are behind must not take a new one for one of tomorrow.
_LEEWAY = timedelta(hours=1)
_LONGEST_COMMON_NAME = 64


def make_authority(
    name: str, *, days: int = 3650, kind: str = KINDS[0], now: datetime | None = None
) -> Pair:
    """A certificate authority for servers: what it signs can sign nothing."""
    if not name.strip() or len(name.strip()) > _LONGEST_COMMON_NAME or not name.isprintable():
        raise EngineError("Give the authority a name of at most 64 characters.")
    key = _new_key(kind)
    subject = _common_name(name.strip())
    begins, ends = _term(days, now)
    builder = (
        _draft(subject, subject, key, begins, ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
    )
    return _pair(builder.sign(key, _digest(key)), key, root="")


def make_certificate(
    authority: Pair,
    names: Iterable[str],
    *,
    days: int = 397,
    kind: str = KINDS[0],
    now: datetime | None = None,
) -> Pair:
    """For a server, never longer than the authority itself lasts."""
    issuer = next(iter(load_all(authority.chain)), None)
    signer = load_key(authority.key)
    if issuer is None or not isinstance(signer, _Key):
        raise EngineError("The authority cannot sign: its certificate or its key is not readable.")
    begins, ends = _term(days, now)
    begins = max(begins, issuer.not_valid_before_utc)
    ends = min(ends, issuer.not_valid_after_utc)
    if ends <= begins:
        raise EngineError(f"The authority ended on {ends:%d %b %Y}. Make a new one first.")
    key = _new_key(kind)
    subject, alternatives = _identity(names)
    builder = _server(
        _draft(subject, issuer.subject, key, begins, ends), alternatives
    ).add_extension(_authority_of(issuer), critical=False)
    return _pair(builder.sign(signer, _digest(signer)), key, root=render(issuer))


def make_self_signed(
    names: Iterable[str], *, days: int = 397, kind: str = KINDS[0], now: datetime | None = None
) -> Pair:
    """For a server whose hosts are given this very certificate."""
    key = _new_key(kind)
    subject, alternatives = _identity(names)
    own = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    draft = _draft(subject, subject, key, *_term(days, now))
    builder = _server(draft, alternatives).add_extension(own, critical=False)
    return _pair(builder.sign(key, _digest(key)), key, root="")


def make_request(names: Iterable[str], *, kind: str = KINDS[0]) -> Request:
    """A key, and what somebody else's authority signs for it."""
    key = _new_key(kind)
    subject, alternatives = _identity(names)
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    signed = builder.add_extension(alternatives, critical=False).sign(key, _digest(key))
    text = signed.public_bytes(Encoding.PEM).decode()
    return Request(text, render_key(key), tuple(str(name.value) for name in alternatives))


def _new_key(kind: str) -> _Key:
    if kind not in _MAKERS:
        raise EngineError(f"The kind of key is one of {', '.join(KINDS)}.")
    return _MAKERS[kind]()


def _digest(key: CertificateIssuerPrivateKeyTypes) -> SHA256 | SHA384 | None:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    is_long = isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size > 256
    return SHA384() if is_long else SHA256()


def _term(days: int, now: datetime | None) -> tuple[datetime, datetime]:
    begins = now or datetime.now(UTC)
    try:
        return begins - _LEEWAY, begins + timedelta(days=days)
    except OverflowError:
        raise EngineError("That is too long. Give a number of days below 36500.") from None


def _identity(names: Iterable[str]) -> tuple[x509.Name, x509.SubjectAlternativeName]:
    unique = list(dict.fromkeys(general_name(name) for name in names))
    if not unique:
        raise EngineError("Give at least one name that the hosts know the server by.")
    alternatives = x509.SubjectAlternativeName(unique)
    text = _first(alternatives)
    subject = _common_name(text) if len(text) <= _LONGEST_COMMON_NAME else x509.Name([])
    return subject, alternatives


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _draft(
    subject: x509.Name, issuer: x509.Name, key: _Key, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _server(
    draft: x509.CertificateBuilder, alternatives: x509.SubjectAlternativeName
) -> x509.CertificateBuilder:
    # RFC 5280: where the subject is empty, the alternative names have to be critical.
    is_nameless = len(_first(alternatives)) > _LONGEST_COMMON_NAME
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        draft.add_extension(alternatives, critical=is_nameless)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(purpose, critical=False)
    )


def _first(alternatives: x509.SubjectAlternativeName) -> str:
    return str(next(iter(alternatives)).value)


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_of(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    try:
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        own = x509.SubjectKeyIdentifier.from_public_key(issuer.public_key())
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _pair(certificate: x509.Certificate, key: _Key, root: str) -> Pair:
    chain = render(certificate)
    return Pair(facts(certificate), chain, render_key(key), root or chain)
