"""PEM, as people hand it over: blocks with text around them, indented, or in a string of JSON."""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field

from backups.engines.certificate_der import first

# No dashes in between: else every BEGIN without an END would be followed to the end of the text.
_BLOCK = re.compile(
    r"-----BEGIN ([A-Z0-9][A-Z0-9 ]{0,60})-----((?:[^-]|-(?!----))*+)-----END \1-----"
)
_EDGE = re.compile(r"-----(?:BEGIN|END) [A-Z0-9][A-Z0-9 ]*-----")
_HEADER = re.compile(r"^[ \t]*([A-Za-z0-9-]+):(.*)$", re.MULTILINE)
CERTIFICATES = frozenset({"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"})


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between BEGIN and END; `der` is empty where it is no base64."""

    label: str
    headers: tuple[tuple[str, str], ...]
    der: bytes = field(repr=False)

    @property
    def is_encrypted(self) -> bool:
        return self.label == "ENCRYPTED PRIVATE KEY" or ("Proc-Type", "4,ENCRYPTED") in self.headers

    def render(self) -> bytes:
        """As OpenSSL writes it."""
        return pem(self.label, self.der, self.headers).encode()


def blocks(text: str) -> Iterator[Block]:
    """Every whole block, in order."""
    # A line break that became "\n" in a variable or in JSON; base64 knows no backslash.
    text = text.replace("\\r", "").replace("\\n", "\n")
    for label, body in _BLOCK.findall(text):
        headers = tuple((name, value.strip()) for name, value in _HEADER.findall(body))
        data = "".join(_HEADER.sub("", body).split())
        try:
            der = b64decode(data, validate=True)
            # OpenSSL's: a certificate, and after it whom it is trusted by.
            der = first(der).whole if label == "TRUSTED CERTIFICATE" else der
        except ValueError:
            der = b""
        yield Block(label, headers, der)


def is_cut_off(text: str) -> bool:
    """Whether a block begins that does not end, or the other way round."""
    return len(_EDGE.findall(text)) > 2 * len(_BLOCK.findall(text))


def pem(label: str, der: bytes, headers: tuple[tuple[str, str], ...] = ()) -> str:
    data = b64encode(der).decode()
    lines = [f"{name}: {value}" for name, value in headers]
    lines += [""] * bool(headers) + [data[n : n + 64] for n in range(0, len(data), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def certificate_ders(text: str) -> Iterator[bytes]:
    """The certificates of a text, undecoded."""
    for block in blocks(text):
        if block.label in CERTIFICATES and block.der:
            yield block.der


def bundle(*texts: str) -> str:
    """The certificates of all texts, each once."""
    ders = dict.fromkeys(der for text in texts for der in certificate_ders(text))
    return "".join(pem("CERTIFICATE", der) for der in ders)
