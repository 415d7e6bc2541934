"""The made-up servers' certificates: real ones, of a certificate authority that nobody trusts."""

from datetime import datetime, timedelta
from itertools import count
from random import Random

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from backups import engines
from backups.models import Authority, Certificate, Handshake, Server
from backups.models.certificates import stage_of

_LASTS = timedelta(days=90)
_RENEWED = timedelta(days=60)


def make_certificates(
    servers: dict[str, Server], now: datetime, random: Random
) -> list[Certificate]:
    """For each server the one that is served, and the one before it."""
    numbers = count(1)
    made = []
    for server, age in zip(servers.values(), (timedelta(days=21), timedelta(days=79)), strict=True):
        begun = now - age
        made += [
            _certificate(next(numbers), server, begun - _RENEWED, begun, random),
            _certificate(next(numbers), server, begun, None, random),
        ]
    return made


def make_authority(now: datetime, random: Random) -> Authority:
    """Made long ago by one of the operators; its key signs nothing here."""
    key = Ed25519PrivateKey.from_private_bytes(b"Example House CA".ljust(32))
    begun = now - timedelta(days=400)
    name = _named("Example House CA")
    own = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(random.getrandbits(150))
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, None)
    )
    return Authority(
        pk=1,
        name="Example House CA",
        fingerprint=own.fingerprint(SHA256()).hex(),
        chain=own.public_bytes(Encoding.PEM).decode(),
        encrypted_key=_closed(key),
        by_name="ines",
        not_before=begun,
        not_after=begun + timedelta(days=3650),
        created=begun,
    )


def make_handshakes(certificates: list[Certificate], now: datetime) -> list[Handshake]:
    """What the ports would show: just the certificates that are said to be served."""
    return [
        Handshake(
            pk=number,
            server=certificate.server,
            fingerprint=certificate.fingerprint,
            not_after=certificate.not_after,
            version="1.3",
            stage=stage_of(certificate.not_after),
            looked=now,
        )
        for number, certificate in enumerate(certificates, 1)
        if certificate.is_live
    ]


def _certificate(
    pk: int, server: Server, begun: datetime, until: datetime | None, random: Random
) -> Certificate:
    # Ed25519, because its signatures are the same each time.
    key = Ed25519PrivateKey.from_private_bytes(random.randbytes(32))
    leaf = (
        x509.CertificateBuilder()
        .subject_name(_named(server.public_name))
        .issuer_name(_named("Example House CA"))
        .public_key(key.public_key())
        .serial_number(random.getrandbits(150))
        .not_valid_before(begun)
        .not_valid_after(begun + _LASTS)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(server.public_name)]), critical=False
        )
        .sign(Ed25519PrivateKey.from_private_bytes(b"Example House CA".ljust(32)), None)
    )
    return Certificate(
        pk=pk,
        server=server,
        fingerprint=leaf.fingerprint(SHA256()).hex(),
        subject=server.public_name,
        issuer="Example House CA",
        names=[server.public_name],
        key_kind="Ed25519",
        chain=leaf.public_bytes(Encoding.PEM).decode(),
        root="",
        encrypted_key=_closed(key),
        origin=Certificate.Origin.MADE,
        by_name="ines",
        not_before=begun,
        not_after=begun + _LASTS,
        created=begun,
        live_since=begun,
        live_until=until,
    )


def _closed(key: Ed25519PrivateKey) -> bytes:
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return engines.vault().close(text.decode())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
