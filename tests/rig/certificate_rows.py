"""Kinds of certificates that people bring, and what has to be said of each."""

import gzip
import io
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.rig.certificates import Made, authority, ec_key, key_usage, make

NAMES = ("localhost", "127.0.0.1")


@dataclass
class Row:
    """What is brought, what must be said of it, and what somebody without us would have copied."""

    brought: list[bytes]
    codes: set[str] = field(default_factory=set)
    root: bytes = b""
    raw: tuple[bytes, bytes] | None = None
    password: str = ""
    names: tuple[str, ...] = NAMES
    # Older and newer versions of Go differ over it.
    is_disputed: bool = False
    # PEM that the house knows to be trusted, besides the root.
    anchors: tuple[bytes, ...] = ()


def plain(leaf: Made, ca: Made, *codes: str, **more: Any) -> Row:
    files = [leaf.pem, leaf.key_pem(), ca.pem]
    return Row(files, set(codes), ca.pem, (leaf.pem, leaf.key_pem()), **more)


def signed(*codes: str, key: object = None, **options: Any) -> Row:
    ca = authority()
    return plain(make(by=ca, key=key, **options), ca, *codes)


def rows() -> Iterator[tuple[str, Row]]:
    yield from good_keys()
    yield from good_forms()
    yield from bad_keys()
    yield from bad_dates_and_names()
    yield from bad_chains()
    yield from junk()


def good_keys() -> Iterator[tuple[str, Row]]:
    yield "p256", signed()
    yield "p384", signed(key=ec_key(ec.SECP384R1()))
    yield "p521", signed(key=ec_key(ec.SECP521R1()))
    yield "ed25519", signed(key=ed25519.Ed25519PrivateKey.generate())
    yield "rsa-2048", signed(key=rsa.generate_private_key(65537, 2048))
    yield "rsa-4096", signed(key=rsa.generate_private_key(65537, 4096))


def good_forms() -> Iterator[tuple[str, Row]]:
    ca = authority()
    leaf = make(by=ca)
    key = leaf.key_pem()
    old = leaf.key_pem(form=PrivateFormat.TraditionalOpenSSL)
    yield "key-first", Row([key + leaf.pem + ca.pem], root=ca.pem)
    yield "sec1-key", Row([old, leaf.pem, ca.pem], root=ca.pem)
    yield (
        "text-around",
        Row([b"Bag Attributes\r\n" + leaf.pem, b"\xef\xbb\xbf" + key, ca.pem], root=ca.pem),
    )
    yield "windows-lines", Row([leaf.pem.replace(b"\n", b"\r\n"), key, ca.pem], root=ca.pem)
    der_key = leaf.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    yield "der", Row([leaf.der, der_key, ca.der], root=ca.pem)
    yield (
        "encrypted-key",
        Row([leaf.pem, leaf.key_pem(b"secret"), ca.pem], root=ca.pem, password="secret"),
    )
    for name, closing in (
        ("pkcs12", BestAvailableEncryption(b"secret")),
        ("pkcs12-open", NoEncryption()),
    ):
        packed = pkcs12.serialize_key_and_certificates(
            b"x", leaf.key, leaf.certificate, [ca.certificate], closing
        )
        yield name, Row([packed], root=ca.pem, password="secret" if name == "pkcs12" else "")
    both = pkcs7.serialize_certificates([leaf.certificate, ca.certificate], Encoding.DER)
    yield "pkcs7", Row([both, key], root=ca.pem)
    middle = authority("Middle CA", by=ca, path_length=0)
    below = make(by=middle)
    everything = [below.pem, below.key_pem(), middle.pem, ca.pem]
    yield "full-chain", Row(everything, root=ca.pem)
    yield (
        "chain-upside-down",
        Row([ca.pem + middle.pem + below.pem, below.key_pem()], {"order-mended"}, ca.pem),
    )
    stray = make("stray")
    yield "stray-certificate", Row([*everything, stray.pem], {"others-left-out"}, ca.pem)
    own = make()
    yield "self-signed", Row([own.pem, own.key_pem()], {"self-signed"}, own.pem)
    tutorial = make(
        basic=False, purposes=None, more=[(x509.BasicConstraints(ca=True, path_length=None), True)]
    )
    yield (
        "self-signed-authority",
        Row([tutorial.pem, tutorial.key_pem()], {"self-signed"}, tutorial.pem),
    )
    wild = make(by=ca, names=("*.localhost", "127.0.0.1"))
    yield (
        "address-alone",
        Row([wild.pem, wild.key_pem(), ca.pem], root=ca.pem, names=("127.0.0.1",)),
    )
    yield (
        "any-purpose",
        signed("purpose-any", purposes=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)),
    )
    yield "no-purpose", signed(purposes=None)
    yield "ends-soon", signed("ends-soon", days=(-1, 5))


def bad_keys() -> Iterator[tuple[str, Row]]:
    ca = authority()
    leaf = make(by=ca)
    other = ec_key()
    foreign = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    yield "rsa-1024", signed("key-weak", key=rsa.generate_private_key(65537, 1024))
    yield "secp256k1", signed("key-kind", key=ec_key(ec.SECP256K1()))
    yield "p224", signed("key-kind", key=ec_key(ec.SECP224R1()))
    yield "brainpool", signed("key-kind", key=ec_key(ec.BrainpoolP256R1()))
    yield "ed448", signed("key-kind", key=ed448.Ed448PrivateKey.generate())
    yield "dsa", signed("key-kind", key=dsa.generate_private_key(2048))
    yield (
        "key-mismatch",
        Row([leaf.pem, foreign, ca.pem], {"key-mismatch"}, ca.pem, (leaf.pem, foreign)),
    )
    yield "no-key", Row([leaf.pem, ca.pem], {"no-key"}, ca.pem, (leaf.pem, b""))
    closed = leaf.key_pem(b"secret")
    yield (
        "key-encrypted",
        Row([leaf.pem, closed, ca.pem], {"key-encrypted"}, ca.pem, (leaf.pem, closed)),
    )
    yield (
        "wrong-password",
        Row([leaf.pem, closed, ca.pem], {"wrong-password"}, ca.pem, (leaf.pem, closed), "no"),
    )
    yield (
        "key-alone",
        Row([leaf.key_pem()], {"no-certificate"}, ca.pem, (leaf.key_pem(), leaf.key_pem())),
    )
    yield (
        "key-cut-off",
        Row(
            [leaf.pem, leaf.key_pem()[:-40], ca.pem],
            {"cut-off", "no-key"},
            ca.pem,
            (leaf.pem, leaf.key_pem()[:-40]),
        ),
    )


def bad_dates_and_names() -> Iterator[tuple[str, Row]]:
    yield "expired", signed("expired", days=(-30, -1))
    yield "not-yet-valid", signed("not-yet-valid", days=(2, 30))
    yield "common-name-only", signed("no-names", names=None)
    yield "other-name", signed("name-missing", names=("other.example.org",))
    yield "address-as-name", signed("name-missing", names=("other.example.org", "dns:127.0.0.1"))
    yield "wildcard-too-high", signed("name-missing", names=("*.localhost", "127.0.0.2"))
    yield "client-purpose", signed("purpose", purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,))
    sign_only = key_usage(crl_sign=True)
    yield "key-usage", signed("key-usage", usage=sign_only)
    strange = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    yield "critical-extension", signed("critical-extension", more=[(strange, True)])
    yield "sha1", of_sha1()


def of_sha1() -> Row:
    """By the command openssl: the library does not sign so any more."""
    ca = authority()
    leaf = make(by=ca)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for name, content in (
            ("ca.pem", ca.pem),
            ("ca.key", ca.key_pem()),
            ("key", leaf.key_pem()),
        ):
            (here / name).write_bytes(content)
        (here / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        for command in (
            "req -new -key key -subj /CN=localhost -out request",
            "x509 -req -sha1 -in request -CA ca.pem -CAkey ca.key -extfile names -out leaf",
        ):
            subprocess.run(["openssl", *command.split()], cwd=here, check=True, capture_output=True)
        content = (here / "leaf").read_bytes()
    files = [content, leaf.key_pem(), ca.pem]
    return Row(files, {"signature-weak"}, ca.pem, (content, leaf.key_pem()))


def bad_chains() -> Iterator[tuple[str, Row]]:
    ca = authority()
    middle = authority("Middle CA", by=ca)
    below = make(by=middle)
    pair = (below.pem, below.key_pem())
    yield "intermediate-missing", Row([*pair, ca.pem], {"chain-incomplete"}, ca.pem, pair)
    yield "issuer-unknown", Row([*pair], {"issuer-unknown"}, ca.pem, pair)
    no_ca = make("Middle", by=ca)
    yield "issuer-no-authority", chained(ca, no_ca, "issuer-no-authority")
    old = authority("Old CA", by=ca, days=(-900, -1))
    yield "issuer-expired", chained(ca, old, "issuer-expired")
    deep = authority("Flat CA", by=ca, path_length=0)
    deeper = authority("Deeper CA", by=deep)
    last = make(by=deeper)
    chain = last.pem + deeper.pem + deep.pem
    yield (
        "path-too-long",
        Row([chain, last.key_pem(), ca.pem], {"path-too-long"}, ca.pem, (chain, last.key_pem())),
    )
    twin = authority("Test CA")
    fake = make(by=Made(twin.certificate, twin.key))
    yield (
        "signature-wrong",
        Row(
            [fake.pem, fake.key_pem(), ca.pem],
            {"signature-wrong"},
            ca.pem,
            (fake.pem, fake.key_pem()),
        ),
    )
    limited = authority(
        "Limited", by=ca, more=[(x509.NameConstraints([x509.DNSName("example.org")], None), True)]
    )
    yield "name-forbidden", chained(ca, limited, "name-forbidden", names=("localhost",))


def chained(ca: Made, middle: Made, code: str, **options: Any) -> Row:
    leaf = make(by=middle, **options)
    chain = leaf.pem + middle.pem
    names = tuple(options.get("names", NAMES))
    return Row(
        [chain, leaf.key_pem(), ca.pem], {code}, ca.pem, (chain, leaf.key_pem()), names=names
    )


def junk() -> Iterator[tuple[str, Row]]:
    ca = authority()
    leaf = make(by=ca)
    key = leaf.key_pem()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("cert.pem", leaf.pem)
    ssh = leaf.key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = leaf.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    builder = x509.CertificateSigningRequestBuilder().subject_name(leaf.certificate.subject)
    request = builder.sign(leaf.key, SHA256()).public_bytes(Encoding.PEM)
    contents = {
        "zip": (archive.getvalue(), "zip"),
        "gzip": (gzip.compress(leaf.pem), "gzip"),
        "web-page": (b"<html>504 Gateway Time-out</html>", "web-page"),
        "random": (os.urandom(600).replace(b"\x30", b"\x31"), "not-a-certificate"),
        "ssh-key": (ssh, "ssh-key"),
        "public-key": (public, "public-key"),
        "request": (request, "request"),
        "certificate-cut-off": (leaf.pem[:-60], "cut-off"),
        "too-large": (b"x" * (1024 * 1024 + 1), "too-large"),
    }
    for name, (content, code) in contents.items():
        codes = {code} | ({"no-certificate"} if name != "x" else set())
        yield name, Row([content, key], codes, ca.pem, (content, key))
    yield "empty", Row([b""], {"nothing"}, ca.pem, (b"", b""))
