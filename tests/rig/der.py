"""DER by hand: certificates that no library makes."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate, Extension, ExtensionType, load_der_x509_certificate

from backups.engines.certificate_pem import pem
from tests.rig.certificates import Made

SEQUENCE, SET, INTEGER, BITS, OCTETS, NULL, OID, BOOLEAN = 48, 49, 2, 3, 4, 5, 6, 1
UTC, GENERALIZED = 23, 24
SHA256_WITH_ECDSA = "1.2.840.10045.4.3.2"


def der(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    long = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(long)]) + long + content


def integer(number: int) -> bytes:
    return der(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    content = bytes([first * 40 + second])
    for number in rest:
        septets = [number & 127]
        while number := number >> 7:
            septets.append(number & 127 | 128)
        content += bytes(reversed(septets))
    return der(OID, content)


def algorithm(dotted: str, *parameters: bytes) -> bytes:
    return der(SEQUENCE, oid(dotted), *parameters)


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    mark = der(BOOLEAN, b"\xff") if critical else b""
    return der(SEQUENCE, oid(dotted), mark, der(OCTETS, value))


def by_hand(
    like: Made,
    by: Made,
    *,
    version: int | None = 2,
    serial: bytes = b"",
    validity: bytes = b"",
    subject: bytes = b"",
    spki: bytes = b"",
    extensions: list[bytes] | None = None,
    inner: bytes = b"",
    signature: bytes | None = None,
) -> Made:
    """A certificate like another one, with the parts that are given in their place."""
    model = like.certificate
    outer = algorithm(SHA256_WITH_ECDSA)
    kept = [_extension(one) for one in model.extensions]
    extra = der(0xA3, der(SEQUENCE, *(kept if extensions is None else extensions)))
    content = der(
        SEQUENCE,
        b"" if version is None else der(0xA0, integer(version)),
        serial or integer(model.serial_number),
        inner or outer,
        by.certificate.subject.public_bytes(),
        validity or _validity(model),
        subject or model.subject.public_bytes(),
        spki or like.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        extra if extensions is None or extensions else b"",
    )
    signed = by.key.sign(content, ec.ECDSA(SHA256())) if signature is None else signature
    whole = der(SEQUENCE, content, outer, der(BITS, b"\0", signed))
    return Raw(whole, like.key)


class Raw(Made):
    """One that perhaps no library reads."""

    def __init__(self, content: bytes, key: object) -> None:
        self.content, self.key = content, key

    @property
    def certificate(self) -> Certificate:  # type: ignore[override]
        return load_der_x509_certificate(self.content)

    @property
    def der(self) -> bytes:
        return self.content

    @property
    def pem(self) -> bytes:
        return pem("CERTIFICATE", self.content).encode()


def times(begins: tuple[int, str], ends: tuple[int, str]) -> bytes:
    return der(SEQUENCE, *(der(tag, text.encode()) for tag, text in (begins, ends)))


def _validity(model: Certificate) -> bytes:
    begins, ends = model.not_valid_before_utc, model.not_valid_after_utc
    return times((UTC, f"{begins:%y%m%d%H%M%SZ}"), (UTC, f"{ends:%y%m%d%H%M%SZ}"))


def _extension(one: Extension[ExtensionType]) -> bytes:
    return extension(one.oid.dotted_string, one.value.public_bytes(), critical=one.critical)


def name(*attributes: tuple[str, int, bytes]) -> bytes:
    """A name of attributes: their kind, tag and content."""
    parts = (der(SET, der(SEQUENCE, oid(kind), der(tag, text))) for kind, tag, text in attributes)
    return der(SEQUENCE, *parts)
