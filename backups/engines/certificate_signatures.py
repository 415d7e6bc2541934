"""Keys and signatures: what Go's crypto/x509 takes, and whether one certificate signed another."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import PublicKeyAlgorithmOID

from backups.engines.certificate_der import (
    SEQUENCE,
    Part,
    content_of,
    dotted,
    first,
    inside,
    number,
    parts,
)
from backups.engines.certificate_form import form_of
from backups.engines.certificate_keys import TROUBLE, identity, key_kind

_CURVES = (ec.SECP224R1, ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_LARGEST_EXPONENT = 2**31 - 1
_MASK = "1.2.840.113549.1.1.8"
_NULL = b"\x05\x00"
_PSS, _ED25519 = "1.2.840.113549.1.1.10", "1.3.101.112"
# With SHA-256, SHA-384 and SHA-512: PKCS#1 v1.5, then ECDSA.
_SIGNATURES = {
    *("1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13"),
    *("1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4"),
}
_SIZES = {
    "2.16.840.1.101.3.4.2.1": 32,
    "2.16.840.1.101.3.4.2.2": 48,
    "2.16.840.1.101.3.4.2.3": 64,
}
# MD2, MD5 and SHA-1 with RSA; SHA-1 with DSA and ECDSA.
_WEAK = {
    *("1.2.840.113549.1.1.2", "1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5"),
    *("1.2.840.10040.4.3", "1.2.840.10045.4.1"),
}


def unusable_key(certificate: x509.Certificate) -> str:
    """What is wrong with a public key that Go does not use at all, in words; "" for the others."""
    try:
        key = certificate.public_key()
    except TROUBLE:
        return "a key of an unknown kind"
    is_pss = certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS
    is_rsa = isinstance(key, rsa.RSAPublicKey) and not is_pss
    is_curve = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)
    if not (is_rsa or is_curve or isinstance(key, ed25519.Ed25519PublicKey)):
        return key_kind(certificate)
    # As with a compressed point, or a curve that is spelt out instead of named.
    is_usual = identity(certificate) == form_of(certificate).public_key
    return "" if is_usual else f"{key_kind(certificate)}, written in an unusual way"


def has_large_exponent(certificate: x509.Certificate) -> bool:
    try:
        key = certificate.public_key()
    except TROUBLE:
        return False
    return isinstance(key, rsa.RSAPublicKey) and key.public_numbers().e > _LARGEST_EXPONENT


def has_weak_signature(certificate: x509.Certificate) -> bool:
    """One that clients refuse, and our own library does not even verify."""
    return _kind_of(certificate) in _WEAK


def has_usable_signature(certificate: x509.Certificate) -> bool:
    """Whether it is signed in one of the ways that Go verifies."""
    try:
        kind, *parameters = inside(form_of(certificate).algorithm)
        name = dotted(kind)
        if name == _PSS:
            return len(parameters) == 1 and _is_usual_pss(parameters[0])
    except ValueError:
        return False
    return name in _SIGNATURES or (name == _ED25519 and not parameters)


def _is_usual_pss(parameters: Part) -> bool:
    """One hash for all of it, and a salt as long as that."""
    given = {part.tag: part.content for part in parts(content_of(parameters, SEQUENCE))}
    kind, *more = inside(given.get(0xA0, b""))
    mask, *inner = inside(given.get(0xA1, b""))
    if dotted(mask) != _MASK or len(inner) != 1:
        return False
    masked_kind, *masked_more = parts(content_of(inner[0], SEQUENCE))
    nulls = [part.whole for part in (*more, *masked_more)]
    salt, trailer = (first(given[tag]) if tag in given else None for tag in (0xA2, 0xA3))
    return (
        masked_kind.whole == kind.whole
        and set(nulls) <= {_NULL}
        and (20 if salt is None else number(salt)) == _SIZES.get(dotted(kind))
        and (1 if trailer is None else number(trailer)) == 1
    )


def _kind_of(certificate: x509.Certificate) -> str:
    try:
        return dotted(inside(form_of(certificate).algorithm)[0])
    except (ValueError, IndexError):
        return ""


def is_named(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the name of the issuer is the subject of this one: byte for byte, as Go does it."""
    return form_of(certificate).issuer == form_of(issuer).subject != b""


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether name and signature say so; a signature that cannot be verified is taken for true."""
    if not is_named(certificate, issuer):
        return False
    if has_weak_signature(certificate):
        return True
    if not has_usable_signature(certificate) or unusable_key(issuer):
        return _is_verified(certificate, issuer) is not False
    return _is_verified(certificate, issuer) is True


def _is_verified(certificate: x509.Certificate, issuer: x509.Certificate) -> bool | None:
    """None where our own library cannot tell."""
    content, signature = certificate.tbs_certificate_bytes, certificate.signature
    try:
        key, digest = issuer.public_key(), certificate.signature_hash_algorithm
        how = certificate.signature_algorithm_parameters
        if isinstance(key, rsa.RSAPublicKey) and isinstance(how, padding.PKCS1v15 | padding.PSS):
            if digest is None:
                return None
            key.verify(signature, content, how, digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(how, ec.ECDSA):
            key.verify(signature, content, how)
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey) and how is None:
            key.verify(signature, content)
        elif isinstance(key, dsa.DSAPublicKey) and digest is not None and how is None:
            key.verify(signature, content, digest)
        else:
            return False
    except InvalidSignature:
        return False
    except TROUBLE:
        return None
    return True
