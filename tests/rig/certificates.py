"""Certificates of every good and bad kind, made for tests."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PSS
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH


def ec_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve or ec.SECP256R1())


@dataclass
class Made:
    """A certificate with its key, and what it was signed by."""

    certificate: x509.Certificate
    key: Any = field(repr=False)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def key_pem(self, password: bytes = b"", form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
        closing = BestAvailableEncryption(password) if password else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, form, closing)


def make(
    name: str = "localhost",
    *,
    by: Made | None = None,
    key: Any = None,
    names: Sequence[str] | None = ("localhost", "127.0.0.1"),
    is_authority: bool = False,
    path_length: int | None = None,
    days: tuple[float, float] = (-1, 90),
    purposes: Iterable[x509.ObjectIdentifier] | None = (SERVER_AUTH,),
    usage: x509.KeyUsage | None = None,
    basic: bool = True,
    more: Iterable[tuple[x509.ExtensionType, bool]] = (),
    digest: HashAlgorithm | None = SHA256(),  # noqa: B008 (a value without state)
    padding: PSS | None = None,
) -> Made:
    """A certificate as it is usually made; every option makes it worse."""
    key = key or ec_key()
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(by.certificate.subject if by else _name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
    if basic:
        constraints = x509.BasicConstraints(ca=is_authority, path_length=path_length)
        builder = builder.add_extension(constraints, critical=True)
    if names and not is_authority:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_alternative(one) for one in names]), critical=False
        )
    if purposes and not is_authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=False)
    if usage:
        builder = builder.add_extension(usage, critical=True)
    for extension, is_critical in more:
        builder = builder.add_extension(extension, critical=is_critical)
    signer = by.key if by else key
    is_edwards = type(signer).__name__.startswith("Ed")
    signed = builder.sign(signer, None if is_edwards else digest, rsa_padding=padding)
    return Made(signed, key)


def authority(name: str = "Test CA", **options: Any) -> Made:
    return make(name, is_authority=True, days=options.pop("days", (-1, 900)), **options)


def key_usage(**on: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
    names += ("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: on.get(name, False) for name in names})


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(text: str) -> x509.GeneralName:
    if text.startswith("dns:"):
        return x509.DNSName(text.removeprefix("dns:"))
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)
