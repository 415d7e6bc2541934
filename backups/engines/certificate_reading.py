"""What people bring along as a certificate: any format, any order, and what is none at all."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from backups.engines.certificate_facts import load
from backups.engines.certificate_keys import TROUBLE, is_public_key
from backups.engines.certificate_material import MOST_CERTIFICATES, MOST_KEYS, Material
from backups.engines.certificate_opening import (
    PasswordWantedError,
    PasswordWrongError,
    TooMuchError,
    open_der,
    open_pem,
    open_pkcs12,
)
from backups.engines.certificate_pem import CERTIFICATES, blocks, is_cut_off
from backups.engines.certificate_strangers import BINARIES, LABELS, TEXTS, WANTED, stranger_in

MOST_BYTES, MOST_FILES = 1024 * 1024, 50
# More than this goes into no handshake.
_LARGEST = 65536
_KEYS = frozenset(
    {
        *("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        *("RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY"),
    }
)
_HARMLESS = frozenset({"EC PARAMETERS", "DH PARAMETERS", "X509 CRL"})
_PKCS12 = re.compile(rb"\x30(?:\x80|[\x00-\x7f]|\x81.|\x82..|\x83...)\x02\x01\x03", re.DOTALL)


def read(files: Iterable[bytes], password: str) -> Material:
    """Never raises: what cannot be read is a finding."""
    material, whole = Material(), list(files)
    if len(whole) > MOST_FILES:
        material.error(
            "too-many-files",
            f"These are more than {MOST_FILES} files.",
            "Bring the certificate, its key, and those that it was signed by.",
        )
        return material
    left = MOST_BYTES
    for content in whole:
        if len(content) > left:
            what = "This is" if len(content) > MOST_BYTES else "Together the files are"
            material.error("too-large", f"{what} larger than 1 MB.", WANTED)
            continue
        left -= len(content)
        _read_file(material, content, password)
    return material


def _read_file(material: Material, content: bytes, password: str) -> None:
    content = _narrow(content).removeprefix(b"\xef\xbb\xbf")
    if stranger := stranger_in(content, BINARIES):
        material.stranger(*stranger)
    elif b"-----BEGIN" in content:
        _read_pem(material, content.decode("latin-1"), password)
    elif content.strip():
        _read_bytes(material, content, password)


def _narrow(content: bytes) -> bytes:
    """What Windows has written with two octets per letter, with one."""
    for codec, mark, start in (
        ("utf-16-le", b"\xff\xfe", b"-\0-\0"),
        ("utf-16-be", b"\xfe\xff", b"\0-\0-"),
    ):
        if content.startswith((mark, start)):
            return content.decode(codec, "replace").encode("utf-8", "replace")
    return content


def _read_pem(material: Material, text: str, password: str) -> None:
    for block in blocks(text):
        if block.label in CERTIFICATES:
            _add_certificate(material, block.der)
        elif block.label in _KEYS:
            opened = partial(open_pem, block.render(), block.der, password)
            _add_key(material, block.der, opened)
        elif block.label == "PKCS7":
            _add_all(material, block.der)
        elif block.label in LABELS:
            material.stranger(*LABELS[block.label])
        elif block.label not in _HARMLESS:
            material.stranger("unknown-block", f"a block of {block.label[:40].lower()}", WANTED)
    if is_cut_off(text):
        material.error(
            "cut-off", "A block begins in it that does not end.", "Bring it once more, whole."
        )


def _add_certificate(material: Material, der: bytes) -> None:
    if der in material.seen:
        return
    if len(material.seen) == MOST_CERTIFICATES:
        material.too_many()
        return
    material.seen.add(der)
    if len(der) > _LARGEST:
        material.has_broken_certificate = True
        sentence = "A certificate in it is larger than the 64 kB that restic takes."
        material.error("chain-too-large", sentence, "Have one made with fewer names.")
    elif certificate := load(der):
        material.certificates.append(certificate)
    else:
        material.has_broken_certificate = True
        material.error(
            "broken-certificate", "A certificate in it cannot be read.", "Bring it once more."
        )


def _add_all(material: Material, der: bytes) -> None:
    """The certificates of a PKCS#7 file."""
    try:
        found = pkcs7.load_der_pkcs7_certificates(der)
    except TROUBLE:
        material.error("broken-pkcs7", "This PKCS#7 file cannot be read.", WANTED)
        return
    for certificate in found:
        _add_certificate(material, certificate.public_bytes(Encoding.DER))


def _add_key(material: Material, der: bytes, opened: Callable[[], PrivateKeyTypes]) -> None:
    if not material.may_try(1):
        return
    try:
        material.count_rounds(der)
        material.keys.append(opened())
        return
    except PasswordWantedError:
        material.error("key-encrypted", "The key is encrypted.", "Give its password as well.")
    except PasswordWrongError:
        material.error("wrong-password", "The password does not open the key.", "Try it again.")
    except TooMuchError:
        material.too_much("key")
    except UnsupportedAlgorithm:
        material.error(
            "key-kind",
            "The key is of a kind that rest-server cannot load.",
            "Use RSA from 2048 bits on, P-256, P-384, P-521 or Ed25519.",
        )
    except TROUBLE:
        material.error("broken-key", "The key in it cannot be read.", "Bring it once more, whole.")
    material.has_closed_key = True


def _read_bytes(material: Material, content: bytes, password: str) -> None:
    if stranger := stranger_in(content.lstrip(), TEXTS):
        material.stranger(*stranger)
    elif content[:1] != b"\x30":
        material.error("not-a-certificate", "This is neither a certificate nor a key.", WANTED)
    elif _PKCS12.match(content):
        _read_pkcs12(material, content, password)
    elif load(content) is not None:
        _add_certificate(material, content)
    else:
        _read_other_der(material, content, password)


def _read_other_der(material: Material, content: bytes, password: str) -> None:
    with suppress(*TROUBLE):
        for certificate in pkcs7.load_der_pkcs7_certificates(content):
            _add_certificate(material, certificate.public_bytes(Encoding.DER))
        return
    with suppress(*TROUBLE):
        x509.load_der_x509_csr(content)
        material.stranger(*LABELS["CERTIFICATE REQUEST"])
        return
    if is_public_key(content):
        material.stranger(*LABELS["PUBLIC KEY"])
    else:
        _add_key(material, content, partial(open_der, content, password))


def _read_pkcs12(material: Material, content: bytes, password: str) -> None:
    if not material.may_try(MOST_KEYS // 2):
        return
    try:
        material.count_rounds(content)
        found = open_pkcs12(content, password)
    except PasswordWrongError:
        sentence = "The password does not open this file."
        material.error("wrong-password", sentence, "Try it again.")
    except PasswordWantedError:
        sentence = "This PKCS#12 file is encrypted."
        material.error("key-encrypted", sentence, "Give its password as well.")
    except TooMuchError:
        material.too_much("file")
    else:
        material.tries -= 1
        _read_pem(material, found, "")
        return
    material.has_closed_key = True
