"""Keys: what they are called, whether one is the half of another, and PEM of them."""

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import PublicKeyAlgorithmOID

from backups.engines.certificate_der import BITS, SEQUENCE, inside

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


def load_key(text: str) -> PrivateKeyTypes | None:
    try:
        return load_pem_private_key(text.encode(), None, unsafe_skip_rsa_key_validation=True)
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


def render_key(key: PrivateKeyTypes) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


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


def is_public_key(der: bytes) -> bool:
    """By its outline: the kind of a key, and its bits."""
    try:
        return [part.tag for part in inside(der)] == [SEQUENCE, BITS]
    except ValueError:
        return False
