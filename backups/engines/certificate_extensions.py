"""What the extensions of a certificate say, as Go's parser reads them."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field

from backups.engines.certificate_der import (
    BOOLEAN,
    INTEGER,
    OCTETS,
    SEQUENCE,
    Part,
    bits,
    boolean,
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
_GENERAL_NAMES = {0xA0, MAIL, DNS, 0xA3, DIRECTORY, 0xA5, URI, IP, 0x88}
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
    found.usage = int.from_bytes(bits(first(value))[:2].ljust(2, b"\0"), "big")


def _read_basic(found: Extensions, value: bytes) -> None:
    said = inside(value)
    found.is_authority = False
    if said and said[0].tag == BOOLEAN:
        found.is_authority = boolean(said.pop(0))
    if said and said[0].tag == INTEGER:
        found.path_length = number(said.pop(0))
        if found.path_length < 0:
            raise ValueError("Less than nothing.")
    if said:
        raise ValueError("There is something else.")


def _read_names(found: Extensions, value: bytes) -> None:
    for part in inside(value):
        _check_kind(part)
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
    policies = [first(content_of(part, SEQUENCE)) for part in inside(value)]
    names = [dotted(policy, largest=2**448) for policy in policies]
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


def _check_kind(part: Part) -> None:
    """Go leaves out names of a kind that there is not; OpenSSL refuses them."""
    if part.tag not in _GENERAL_NAMES:
        raise ValueError("There are no such names.")


def _check_limit(limit: Part) -> None:
    _check_kind(limit)
    if limit.tag in {MAIL, DNS, URI}:
        if not limit.content.isascii():
            raise UnreadableError(NOT_ASCII)
        text = limit.content.decode()
        mailbox, at, domain = text.rpartition("@") if limit.tag == MAIL else ("", "", text)
        is_named = not at or (mailbox and "@" not in mailbox and domain)
        if not is_named or not is_domain(domain if at else domain.removeprefix(".")):
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


def _read_authority_key_id(_: Extensions, value: bytes) -> None:
    tags = [part.tag for part in inside(value)]
    if tags != sorted({0x80, 0x82, 0xA1} & set(tags), key=lambda tag: tag & 0x1F):
        raise ValueError("There is something else.")


def _read_lists(_: Extensions, value: bytes) -> None:
    for point in inside(value):
        for part in parts(content_of(point, SEQUENCE)):
            if part.tag == 0xA0 and (name := first(part.content)).tag == 0xA0:
                for one in parts(name.content):
                    _check_kind(one)
            elif part.tag not in {0x81, 0xA2} and first(part.content).tag != 0xA1:
                raise ValueError("There is something else.")


def _read_access(_: Extensions, value: bytes) -> None:
    for part in inside(value):
        content = content_of(part, SEQUENCE)
        kind = first(content)
        dotted(kind)
        if content[len(kind.whole) :][:1] == bytes([URI]):
            first(content, len(kind.whole))


READERS: dict[str, Callable[[Extensions, bytes], None]] = {
    _USAGE: _read_usage,
    _BASIC: _read_basic,
    NAMES: _read_names,
    LIMITS: _read_limits,
    _POLICIES: _read_policies,
    _PURPOSES: _read_purposes,
    _LISTS: _read_lists,
    KEY_ID: _read_key_id,
    AUTHORITY_KEY_ID: _read_authority_key_id,
    ACCESS: _read_access,
}
HANDLED = READERS.keys()
