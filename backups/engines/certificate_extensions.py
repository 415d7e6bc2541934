"""What the extensions of a certificate say, as Go's parser reads them."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field

from backups.engines.certificate_der import (
    BITS,
    BOOLEAN,
    INTEGER,
    OCTETS,
    OID,
    SEQUENCE,
    Part,
    content_of,
    dotted,
    first,
    inside,
    number,
    parts,
)
from backups.engines.certificate_names import Address, UnreadableError, is_domain
from backups.engines.certificate_uris import host_of

KEY_ID, AUTHORITY_KEY_ID = "2.5.29.14", "2.5.29.35"
ACCESS = "1.3.6.1.5.5.7.1.1"
NAMES, LIMITS = "2.5.29.17", "2.5.29.30"
_USAGE, _BASIC = "2.5.29.15", "2.5.29.19"
_POLICIES, _PURPOSES, _LISTS = "2.5.29.32", "2.5.29.37", "2.5.29.31"
# Tags of general names.
MAIL, DNS, DIRECTORY, URI, IP = 0x81, 0x82, 0xA4, 0x86, 0x87
NOT_ASCII = "a name in it has other letters than ASCII"


@dataclass(slots=True)
class Extensions:
    """`usage` is the bits of the key usage, the first one highest; None where nothing is said."""

    present: list[str] = field(default_factory=list)
    critical: list[str] = field(default_factory=list)
    dns: list[str] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    uris: list[str] = field(default_factory=list)
    is_authority: bool | None = None
    path_length: int | None = None
    usage: int | None = None
    purposes: list[str] = field(default_factory=list)
    permitted: list[Part] = field(default_factory=list)
    excluded: list[Part] = field(default_factory=list)


def _read_usage(found: Extensions, value: bytes) -> None:
    bits = content_of(first(value), BITS)[1:]
    found.usage = int.from_bytes(bits[:2].ljust(2, b"\0"), "big")


def _read_basic(found: Extensions, value: bytes) -> None:
    said = inside(value)
    found.is_authority = False
    if said and said[0].tag == BOOLEAN:
        found.is_authority = said.pop(0).content == b"\xff"
    if said and said[0].tag == INTEGER:
        found.path_length = number(said[0])
        if found.path_length < 0:
            raise ValueError("Less than nothing.")


def _read_names(found: Extensions, value: bytes) -> None:
    for part in inside(value):
        if part.tag in {MAIL, DNS, URI} and not part.content.isascii():
            raise UnreadableError(NOT_ASCII)
        if part.tag == MAIL:
            found.mails.append(part.content.decode())
        elif part.tag == DNS:
            found.dns.append(part.content.decode())
        elif part.tag == URI:
            found.uris.append(part.content.decode())
            host_of(found.uris[-1])
        elif part.tag == IP:
            if len(part.content) not in {4, 16}:
                raise UnreadableError("an IP address in it has a wrong length")
            found.addresses.append(ipaddress.ip_address(part.content))


def _read_purposes(found: Extensions, value: bytes) -> None:
    found.purposes = [dotted(part) for part in inside(value)]
    if not found.purposes:
        raise ValueError("OpenSSL refuses an empty list.")


def _read_policies(_: Extensions, value: bytes) -> None:
    names = [content_of(first(content_of(part, SEQUENCE)), OID) for part in inside(value)]
    if len(names) != len(set(names)):
        raise UnreadableError("it names a policy twice")


def _read_limits(found: Extensions, value: bytes) -> None:
    sides = {part.tag: parts(part.content) for part in inside(value)}
    if not sides or not all(sides.values()) or not sides.keys() <= {0xA0, 0xA1}:
        raise UnreadableError("its name constraints are empty")
    for tag, trees in sides.items():
        limits = [first(content_of(tree, SEQUENCE)) for tree in trees]
        for limit in limits:
            _check_limit(limit)
        if tag == 0xA0:
            found.permitted = limits
        else:
            found.excluded = limits


def _check_limit(limit: Part) -> None:
    if limit.tag in {MAIL, DNS, URI}:
        if not limit.content.isascii():
            raise UnreadableError(NOT_ASCII)
        text = limit.content.decode()
        is_mailbox = limit.tag == MAIL and "@" in text
        if not is_domain((text.split("@")[-1] if is_mailbox else text).removeprefix(".")):
            raise UnreadableError("its name constraints hold what is no domain")
    elif limit.tag == DIRECTORY:
        content_of(first(limit.content), SEQUENCE)
    elif limit.tag == IP:
        half = len(limit.content) // 2
        mask = int.from_bytes(limit.content[half:], "big") ^ (1 << 8 * half) - 1
        if half not in {4, 16} or len(limit.content) % 2 or mask & (mask + 1):
            raise UnreadableError("its name constraints hold what is no network")


def has_strange_limits(found: Extensions) -> bool:
    """Such as one on directory names, which Go does not handle."""
    return any(limit.tag not in {MAIL, DNS, URI, IP} for limit in found.permitted + found.excluded)


def _read_key_id(_: Extensions, value: bytes) -> None:
    content_of(first(value), OCTETS)


def _read_sequence(_: Extensions, value: bytes) -> None:
    for part in inside(value):
        first(part.whole)


READERS: dict[str, Callable[[Extensions, bytes], None]] = {
    _USAGE: _read_usage,
    _BASIC: _read_basic,
    NAMES: _read_names,
    LIMITS: _read_limits,
    _POLICIES: _read_policies,
    _PURPOSES: _read_purposes,
    _LISTS: _read_sequence,
    KEY_ID: _read_key_id,
    AUTHORITY_KEY_ID: _read_sequence,
    ACCESS: _read_sequence,
}
HANDLED = READERS.keys()
