"""What a certificate says of itself, and whether a key belongs to it."""

import warnings
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import MD5, SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID, PublicKeyAlgorithmOID

from backups.engines.certificate_names import Address
from backups.engines.certificate_pem import certificate_ders, pem
from backups.engines.certificate_values import Facts
from backups.engines.errors import EngineError

# Whatever `cryptography` raises on what is not as it should be.
TROUBLE = (
    *(ValueError, TypeError, OverflowError, UnsupportedAlgorithm, InternalError),
    *(x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)
_CURVES = {
    "secp192r1": "P-192",
    "secp224r1": "P-224",
    "secp256r1": "P-256",
    "secp384r1": "P-384",
    "secp521r1": "P-521",
}


def facts_of(chain: str) -> Facts:
    """Of the first certificate of a PEM text; EngineError when there is none."""
    certificate = next(iter(load_all(chain)), None)
    if certificate is None:
        raise EngineError("This is no certificate. It begins with -----BEGIN CERTIFICATE-----.")
    return facts(certificate)


def fits(chain: str, key: str) -> bool:
    """Whether a PEM key, unencrypted, belongs to the first certificate of a chain."""
    certificate = next(iter(load_all(chain)), None)
    private = load_key(key)
    if certificate is None or private is None:
        return False
    return identity_of(private) == identity(certificate) != b""


def load_all(text: str) -> list[x509.Certificate]:
    """The certificates of a PEM text that can be read, in its order."""
    found = (load(der) for der in certificate_ders(text))
    return [certificate for certificate in found if certificate is not None]


def load(der: bytes) -> x509.Certificate | None:
    """One certificate, all parts of which can be read."""
    try:
        # In the store of every system there is one with a serial number that no rule allows.
        with warnings.catch_warnings(action="ignore", category=CryptographyDeprecationWarning):
            certificate = x509.load_der_x509_certificate(der)
            facts(certificate)
            certificate.signature_algorithm_parameters  # noqa: B018 (read for what it raises)
    except TROUBLE:
        return None
    return certificate


def load_key(text: str) -> PrivateKeyTypes | None:
    try:
        return load_pem_private_key(text.encode(), None)
    except TROUBLE:
        return None


def identity(certificate: x509.Certificate) -> bytes:
    """The public key of a certificate, to be compared; empty where its kind is unknown."""
    try:
        return certificate.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
    except TROUBLE:
        return b""


def identity_of(key: PrivateKeyTypes) -> bytes:
    """The public half of a private key, as identity() gives it."""
    try:
        return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except TROUBLE:
        return b""


def render(certificate: x509.Certificate) -> str:
    return pem("CERTIFICATE", certificate.public_bytes(Encoding.DER))


def render_key(key: PrivateKeyTypes) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def facts(certificate: x509.Certificate) -> Facts:
    """May raise one of TROUBLE, where load() has not tried before."""
    dns, addresses = names_in(certificate)
    names = (*dns, *map(str, addresses))
    return Facts(
        fingerprint=certificate.fingerprint(SHA256()).hex(),
        subject=_called(certificate.subject, names),
        issuer=_called(certificate.issuer, ()),
        names=names,
        key_kind=key_kind(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        is_self_signed=is_signed_by(certificate, certificate),
    )


def names_in(certificate: x509.Certificate) -> tuple[list[str], list[Address]]:
    """The DNS names and the IP addresses that it is good for."""
    try:
        kind = x509.SubjectAlternativeName
        alternatives = certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return [], []
    addresses = alternatives.get_values_for_type(x509.IPAddress)
    return (
        alternatives.get_values_for_type(x509.DNSName),
        [address for address in addresses if isinstance(address, Address)],
    )


def key_kind(certificate: x509.Certificate) -> str:
    """Such as "RSA 2048" or "EC P-256"."""
    try:
        key = certificate.public_key()
    except TROUBLE:
        return "unknown"
    if isinstance(key, rsa.RSAPublicKey):
        is_pss = certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS
        return f"RSA{'-PSS' * is_pss} {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {_CURVES.get(key.curve.name, key.curve.name)}"[:20]
    if isinstance(key, dsa.DSAPublicKey):
        return f"DSA {key.key_size}"
    return type(key).__name__.removesuffix("PublicKey")[:20]


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether name and signature say so; a signature too weak to be verified is taken for true."""
    if not is_named(certificate, issuer):
        return False
    if has_weak_signature(certificate):
        return True
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *TROUBLE):
        return False
    return True


def has_weak_signature(certificate: x509.Certificate) -> bool:
    """One that clients refuse, and our own library does not even verify."""
    try:
        return isinstance(certificate.signature_hash_algorithm, SHA1 | MD5)
    except TROUBLE:
        return True


def is_named(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the name of the issuer is the subject of this one: byte for byte, as Go does it."""
    return certificate.issuer.public_bytes() == issuer.subject.public_bytes()


def _called(name: x509.Name, others: Iterable[str]) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    texts = (*(str(attribute.value) for attribute in common), *others, name.rfc4514_string())
    text = next((text for text in texts if text.strip()), "no name")
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:255]
