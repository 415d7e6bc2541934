"""What people bring along as a certificate: any format, any order, and what is none at all."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    pkcs7,
    pkcs12,
)

from backups.engines.certificate_facts import load
from backups.engines.certificate_keys import TROUBLE
from backups.engines.certificate_pem import CERTIFICATES, blocks, is_cut_off
from backups.engines.certificate_values import Finding

MOST_BYTES, MOST_CERTIFICATES = 1024 * 1024, 20
_KEYS = frozenset(
    {
        *("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        *("RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY"),
    }
)
_HARMLESS = frozenset({"EC PARAMETERS", "DH PARAMETERS", "X509 CRL"})
_PKCS12 = re.compile(rb"\x30(?:\x80|[\x00-\x7f]|\x81.|\x82..|\x83...)\x02\x01\x03", re.DOTALL)

_WANTED = "Bring the certificate itself: it begins with -----BEGIN CERTIFICATE-----."
# By how they begin: what it is, and what to do.
_Stranger = tuple[bytes, str, str, str]
_BINARIES: tuple[_Stranger, ...] = (
    (b"PK\x03\x04", "zip", "a zip archive", "Unpack it, and bring what is in it."),
    (b"\x1f\x8b", "gzip", "a gzip archive", "Unpack it, and bring what is in it."),
    (b"%PDF", "document", "a PDF document", _WANTED),
    (b"\xff\xd8\xff", "image", "a picture", _WANTED),
    (b"\x89PNG", "image", "a picture", _WANTED),
    (b"\xfe\xed\xfe\xed", "java-keystore", "a Java keystore", "Export it as PKCS#12."),
)
_TEXTS: tuple[_Stranger, ...] = (
    (b"<", "web-page", "a web page or XML", _WANTED),
    (b"ssh-", "ssh-key", "a public key of SSH", _WANTED),
    (b"ecdsa-", "ssh-key", "a public key of SSH", _WANTED),
    (b"PuTTY-", "ssh-key", "a key of PuTTY", _WANTED),
)
# By the label of a PEM block.
_LABELS: dict[str, tuple[str, str, str]] = {
    "OPENSSH PRIVATE KEY": ("ssh-key", "a private key of SSH", _WANTED),
    "SSH2 PUBLIC KEY": ("ssh-key", "a public key of SSH", _WANTED),
    "PUBLIC KEY": ("public-key", "a public key", _WANTED),
    "RSA PUBLIC KEY": ("public-key", "a public key", _WANTED),
    "CERTIFICATE REQUEST": (
        "request",
        "a signing request",
        "An authority has to sign it first; bring its answer.",
    ),
    "NEW CERTIFICATE REQUEST": (
        "request",
        "a signing request",
        "An authority has to sign it first; bring its answer.",
    ),
    "PGP MESSAGE": ("pgp", "a message of PGP", _WANTED),
    "PGP PUBLIC KEY BLOCK": ("pgp", "a key of PGP", _WANTED),
    "PGP PRIVATE KEY BLOCK": ("pgp", "a key of PGP", _WANTED),
}


@dataclass(slots=True)
class Material:
    """Certificates and keys in the order in which they came, and what else was found."""

    certificates: list[x509.Certificate] = field(default_factory=list)
    keys: list[PrivateKeyTypes] = field(default_factory=list, repr=False)
    findings: list[Finding] = field(default_factory=list)
    # An encrypted key was there, but could not be opened.
    has_closed_key: bool = False
    has_broken_certificate: bool = False

    def error(self, code: str, sentence: str, advice: str = "") -> None:
        self.findings.append(Finding(code, "error", sentence, advice))

    def stranger(self, code: str, what: str, advice: str) -> None:
        self.error(code, f"This is {what}, no certificate.", advice)

    def add(self, certificate: x509.Certificate) -> None:
        if certificate not in self.certificates:
            self.certificates.append(certificate)


def read(files: Iterable[bytes], password: str) -> Material:
    """Never raises: what cannot be read is a finding."""
    material = Material()
    for content in files:
        if len(content) > MOST_BYTES:
            material.error("too-large", "This is larger than 1 MB, and no certificate.", _WANTED)
            continue
        content = _narrow(content).removeprefix(b"\xef\xbb\xbf")
        if stranger := _stranger(content, _BINARIES):
            material.stranger(*stranger)
        elif b"-----BEGIN" in content:
            _read_pem(material, content.decode("latin-1"), password)
        elif content.strip():
            _read_bytes(material, content, password)
    if len(material.certificates) > MOST_CERTIFICATES:
        material.error(
            "too-many",
            f"There are more than {MOST_CERTIFICATES} certificates in it.",
            "Bring the one for the server, and those that it was signed by.",
        )
        del material.certificates[MOST_CERTIFICATES:]
    return material


def _narrow(content: bytes) -> bytes:
    """What Windows has written with two octets per letter, with one."""
    for codec, mark, start in (
        ("utf-16-le", b"\xff\xfe", b"-\0-\0"),
        ("utf-16-be", b"\xfe\xff", b"\0-\0-"),
    ):
        if content.startswith((mark, start)):
            return content.decode(codec, "replace").encode("utf-8", "replace")
    return content


def _stranger(content: bytes, known: tuple[_Stranger, ...]) -> tuple[str, str, str] | None:
    """By how it begins: its code, what it is, and what to do."""
    return next((rest for start, *rest in known if content.startswith(start)), None)  # type: ignore[return-value]


def _read_pem(material: Material, text: str, password: str) -> None:
    for block in blocks(text):
        if block.label in CERTIFICATES:
            _add_certificate(material, block.der)
        elif block.label in _KEYS:
            content = block.render()
            _add_key(material, password, _pem_loader(content))
        elif block.label == "PKCS7":
            _add_all(material, block.der)
        elif block.label in _LABELS:
            material.stranger(*_LABELS[block.label])
        elif block.label not in _HARMLESS:
            material.stranger("unknown-block", f"a block of {block.label[:40].lower()}", _WANTED)
    if is_cut_off(text):
        material.error(
            "cut-off", "A block begins in it that does not end.", "Bring it once more, whole."
        )


def _pem_loader(content: bytes) -> Callable[[bytes | None], PrivateKeyTypes]:
    return lambda password: load_pem_private_key(content, password)


def _add_certificate(material: Material, der: bytes) -> None:
    certificate = load(der)
    if certificate is None:
        material.has_broken_certificate = True
        material.error(
            "broken-certificate", "A certificate in it cannot be read.", "Bring it once more."
        )
    else:
        material.add(certificate)


def _add_all(material: Material, der: bytes) -> None:
    """The certificates of a PKCS#7 file."""
    try:
        found = pkcs7.load_der_pkcs7_certificates(der)
    except TROUBLE:
        material.error("broken-pkcs7", "This PKCS#7 file cannot be read.", _WANTED)
        return
    for certificate in found:
        _keep_readable(material, certificate)


def _add_key(
    material: Material, password: str, open_with: Callable[[bytes | None], PrivateKeyTypes]
) -> None:
    try:
        material.keys.append(_opened(open_with, password))
    except _PasswordWantedError:
        material.has_closed_key = True
        material.error("key-encrypted", "The key is encrypted.", "Give its password as well.")
    except _PasswordWrongError:
        material.has_closed_key = True
        material.error("wrong-password", "The password does not open the key.", "Try it again.")
    except UnsupportedAlgorithm:
        material.has_closed_key = True
        material.error(
            "key-kind",
            "The key is of a kind that rest-server cannot load.",
            "Use RSA from 2048 bits on, P-256, P-384, P-521 or Ed25519.",
        )
    except TROUBLE:
        material.has_closed_key = True
        material.error("broken-key", "The key in it cannot be read.", "Bring it once more, whole.")


class _PasswordWantedError(Exception):
    """It is encrypted, and no password was given."""


class _PasswordWrongError(Exception):
    """It is encrypted with another password."""


def _opened(open_with: Callable[[bytes | None], PrivateKeyTypes], password: str) -> PrivateKeyTypes:
    try:
        return open_with(None)
    except TypeError:
        # How the library says that there must be a password.
        if not password:
            raise _PasswordWantedError from None
    try:
        return open_with(password.encode(errors="surrogatepass"))
    except UnsupportedAlgorithm:
        raise
    except TROUBLE:
        raise _PasswordWrongError from None


def _read_bytes(material: Material, content: bytes, password: str) -> None:
    if stranger := _stranger(content.lstrip(), _TEXTS):
        material.stranger(*stranger)
    elif content[:1] != b"\x30":
        material.error("not-a-certificate", "This is neither a certificate nor a key.", _WANTED)
    elif _PKCS12.match(content):
        _read_pkcs12(material, content, password)
    elif (certificate := load(content)) is not None:
        material.add(certificate)
    else:
        _read_other_der(material, content, password)


def _read_other_der(material: Material, content: bytes, password: str) -> None:
    with suppress(*TROUBLE):
        for certificate in pkcs7.load_der_pkcs7_certificates(content):
            _keep_readable(material, certificate)
        return
    with suppress(*TROUBLE):
        x509.load_der_x509_csr(content)
        material.stranger(*_LABELS["CERTIFICATE REQUEST"])
        return
    with suppress(*TROUBLE):
        load_der_public_key(content)
        material.stranger(*_LABELS["PUBLIC KEY"])
        return
    _add_key(material, password, lambda secret: load_der_private_key(content, secret))


def _read_pkcs12(material: Material, content: bytes, password: str) -> None:
    """Without a password and with an empty one are two things in this format."""
    for secret in _secrets(password):
        with suppress(*TROUBLE):
            found = pkcs12.load_pkcs12(content, secret)
            if found.key is not None:
                material.keys.append(found.key)
            for part in (found.cert, *found.additional_certs):
                if part is not None:
                    _keep_readable(material, part.certificate)
            return
    material.has_closed_key = True
    if password:
        material.error("wrong-password", "The password does not open this file.", "Try it again.")
    else:
        material.error(
            "key-encrypted", "This PKCS#12 file is encrypted.", "Give its password as well."
        )


def _secrets(password: str) -> Iterator[bytes | None]:
    if password:
        yield password.encode(errors="surrogatepass")
    yield None
    yield b""


def _keep_readable(material: Material, certificate: x509.Certificate) -> None:
    _add_certificate(material, certificate.public_bytes(Encoding.DER))
