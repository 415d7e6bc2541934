"""A good pair in other clothes, and with things beside it that nobody needs."""

import gzip
import io
import subprocess
import zipfile
from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.rig.certificate_rows import Row
from tests.rig.certificates import Made, authority, make


def rows() -> Iterator[tuple[str, Row]]:
    ca = authority()
    leaf = make(by=ca)
    files = [leaf.pem, leaf.key_pem(), ca.pem]
    raw = (leaf.pem, leaf.key_pem())
    for kind, (content, code) in strangers(leaf).items():
        yield f"beside-{kind}", Row([*files, content], {code}, ca.pem, raw)
        one_file = b"\n".join([content, *files])
        if content.startswith(b"-----BEGIN"):
            yield f"within-{kind}", Row([one_file], {code}, ca.pem, raw)
    for kind, codec in {"utf-16": "utf-16", "le": "utf-16-le", "be": "utf-16-be"}.items():
        marked = [text.decode().replace("\n", "\r\n").encode(codec) for text in files]
        yield f"wide-{kind}", Row(marked, root=ca.pem)
    marked = [f"\ufeff{text.decode()}".encode("utf-16-be") for text in files]
    yield "wide-be-marked", Row(marked, root=ca.pem)
    for kind, options in {"plain": [], "for-servers": ["-addtrust", "serverAuth"]}.items():
        command = ["openssl", "x509", "-trustout", "-setalias", "house", *options]
        done = subprocess.run(command, input=leaf.pem, capture_output=True, check=True)
        assert done.stdout.startswith(b"-----BEGIN TRUSTED")
        yield f"trusted-{kind}", Row([done.stdout, leaf.key_pem(), ca.pem], root=ca.pem)


def strangers(leaf: Made) -> dict[str, tuple[bytes, str]]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("cert.pem", leaf.pem)
    builder = x509.CertificateSigningRequestBuilder().subject_name(leaf.certificate.subject)
    request = builder.sign(leaf.key, SHA256())
    other = make()
    ssh = other.key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    info = PublicFormat.SubjectPublicKeyInfo
    return {
        "request": (request.public_bytes(Encoding.PEM), "request"),
        "request-der": (request.public_bytes(Encoding.DER), "request"),
        "zip": (archive.getvalue(), "zip"),
        "gzip": (gzip.compress(leaf.pem), "gzip"),
        "readme": (b"This folder holds what certbot wrote.\n", "not-a-certificate"),
        "web-page": (b"<html>Thank you for your order.</html>", "web-page"),
        "ssh-key": (ssh, "ssh-key"),
        "public-key": (other.key.public_key().public_bytes(Encoding.PEM, info), "public-key"),
        "closed-key": (other.key_pem(b"secret"), "key-encrypted"),
        "own-closed-key": (leaf.key_pem(b"secret"), "key-encrypted"),
    }
