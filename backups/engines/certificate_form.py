"""How a certificate is written, read as Go's parser does: stricter here, more lenient there."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from backups.engines.certificate_der import (
    BOOLEAN,
    OCTETS,
    SEQUENCE,
    SET,
    Part,
    content_of,
    dotted,
    first,
    inside,
    number,
    parts,
)
from backups.engines.certificate_extensions import READERS, Extensions
from backups.engines.certificate_names import UnreadableError

_COMMON_NAME = "2.5.4.3"
_PARTS = {_COMMON_NAME: "CN", "2.5.4.11": "OU", "2.5.4.10": "O", "2.5.4.7": "L", "2.5.4.6": "C"}
# The kinds of text that Go reads in a name, by their tags; before 1.26 it took no other kind.
_UTF8, _NUMERIC, _PRINTABLE, _T61, _IA5, _BMP = 12, 18, 19, 20, 22, 30
_CODECS = {
    _UTF8: "utf-8",
    _NUMERIC: "ascii",
    _PRINTABLE: "ascii",
    _T61: "latin-1",
    _IA5: "ascii",
    _BMP: "utf-16-be",
}


@dataclass(frozen=True, slots=True)
class Form:
    """The parts of a certificate, undecoded; `problem` is what rest-server cannot read."""

    whole: bytes = field(default=b"", repr=False)
    version: int = 1
    serial: int = 0
    issuer: bytes = b""
    subject: bytes = b""
    public_key: bytes = field(default=b"", repr=False)
    algorithm: bytes = b""
    extensions: Extensions = field(default_factory=Extensions)
    problem: str = ""


@lru_cache(maxsize=512)
def form_of(certificate: x509.Certificate) -> Form:
    """Never raises: what cannot be read has a problem."""
    try:
        return _read(certificate.public_bytes(Encoding.DER))
    except ValueError:
        return Form(certificate.public_bytes(Encoding.DER), problem="it is no proper DER")


def _read(der: bytes) -> Form:
    body, outer, _ = inside(der)
    fields = parts(content_of(body, SEQUENCE))
    version = 1
    if fields[0].tag == 0xA0:
        version = number(first(fields.pop(0).content)) + 1
    if len(fields) < 6:
        raise ValueError("There are parts missing.")
    serial, inner, issuer, _, subject, key, *rest = fields
    listed = next((part for part in rest if part.tag == 0xA3), None)
    extensions, problem = Extensions(), ""
    if listed is not None:
        extensions, problem = _extensions(inside(listed.content))
    if inner.whole != outer.whole:
        problem = "it names two ways of signing"
    return Form(
        der,
        version,
        number(serial),
        issuer.whole,
        subject.whole,
        key.whole,
        outer.whole,
        extensions,
        problem or _trouble_in_name(issuer) or _trouble_in_name(subject),
    )


def _extensions(listed: list[Part]) -> tuple[Extensions, str]:
    found, problem, seen = Extensions(), "", set()
    for part in listed:
        kind, *more = parts(content_of(part, SEQUENCE))
        name = dotted(kind)
        if name in seen:
            problem = problem or f"it holds {name} twice"
            continue
        seen.add(name)
        is_critical = more[0].tag == BOOLEAN and more.pop(0).content == b"\xff"
        if is_critical:
            found.critical.append(name)
        found.present.append(name)
        try:
            if read := READERS.get(name):
                read(found, content_of(more[0], OCTETS))
        except UnreadableError as error:
            problem = problem or str(error)
        except (ValueError, IndexError):
            problem = problem or f"its {name} is malformed"
    return found, problem


def _trouble_in_name(name: Part) -> str:
    try:
        for _, value in _attributes(name.whole):
            _text(value)
    except ValueError:
        return "a text in its subject or issuer is of a kind that Go does not read"
    return ""


def _attributes(name: bytes) -> Iterator[tuple[str, Part]]:
    for group in inside(name):
        for pair in parts(content_of(group, SET)):
            kind, value = parts(content_of(pair, SEQUENCE))
            yield dotted(kind), value


def _text(value: Part) -> str:
    if value.tag not in _CODECS:
        raise ValueError("This is no text.")
    text = value.content.decode(_CODECS[value.tag])
    if value.tag == _NUMERIC and text.strip("0123456789 "):
        raise ValueError("These are no numbers.")
    return text


def common_name(name: bytes) -> str:
    """Of a subject or an issuer, or ""."""
    found = (text for kind, text in _texts(name) if kind == _COMMON_NAME and text.strip())
    return next(found, "")


def in_full(name: bytes) -> str:
    """As people write it, with the nearest first."""
    known = [(_PARTS[kind], text) for kind, text in _texts(name) if kind in _PARTS]
    return ",".join(f"{part}={text}" for part, text in reversed(known))


def _texts(name: bytes) -> list[tuple[str, str]]:
    try:
        return [(kind, _text(value)) for kind, value in _attributes(name)]
    except ValueError:
        return []
