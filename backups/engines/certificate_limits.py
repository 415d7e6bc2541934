"""Name constraints: whether an authority may sign for what a certificate holds; as Go has it."""

import ipaddress
from collections.abc import Iterable, Iterator
from itertools import product
from urllib.parse import urlsplit

from cryptography import x509

from backups.engines.certificate_der import Part, first
from backups.engines.certificate_extensions import DIRECTORY, DNS, IP, MAIL, URI
from backups.engines.certificate_form import form_of
from backups.engines.certificate_names import address_of, is_domain

# As many as Go compares before it gives up.
_MOST_COMPARED = 250_000


def has_limits(issuer: x509.Certificate) -> bool:
    found = form_of(issuer).extensions
    return bool(found.permitted or found.excluded)


def is_outside(issuer: x509.Certificate, below: Iterable[x509.Certificate]) -> bool:
    """Whether a subject is in no directory that is permitted; OpenSSL minds that, and Go not."""
    permitted = form_of(issuer).extensions.permitted
    folders = [first(part.content).content for part in permitted if part.tag == DIRECTORY]
    subjects = [first(form_of(one).subject).content for one in below]
    return bool(folders) and not all(
        not subject or any(subject.startswith(folder) for folder in folders) for subject in subjects
    )


def forbidden_name(issuer: x509.Certificate, below: Iterable[x509.Certificate]) -> str:
    """The first name that the issuer may not sign for, or ""; in the manner of a name."""
    limits = form_of(issuer).extensions
    names = [(tag, name) for one in below for tag, name in _names_of(one)]
    if len(names) * (len(limits.permitted) + len(limits.excluded)) > _MOST_COMPARED:
        return "so many names"
    return next(
        (
            name or "an empty name"
            for tag, name in names
            if not _is_allowed(tag, name, limits.permitted, limits.excluded)
        ),
        "",
    )


def _names_of(certificate: x509.Certificate) -> Iterator[tuple[int, str]]:
    found = form_of(certificate).extensions
    yield from product([DNS], found.dns)
    yield from product([IP], map(str, found.addresses))
    yield from product([MAIL], found.mails)
    yield from product([URI], found.uris)


def _is_allowed(tag: int, name: str, permitted: list[Part], excluded: list[Part]) -> bool:
    if tag == DNS and not is_domain(name):
        return False
    allowed = [part.content for part in permitted if part.tag == tag]
    denied = [part.content for part in excluded if part.tag == tag]
    try:
        within = not allowed or any(_is_within(tag, name, limit) for limit in allowed)
        return within and not any(_is_within(tag, name, limit) for limit in denied)
    except ValueError:
        return False


def _is_within(tag: int, name: str, limit: bytes) -> bool:
    """ValueError for a name that cannot be compared: with limits above it Go refuses that."""
    if tag == IP:
        return _is_in_network(name, limit)
    domain = limit.decode().lower()
    if tag == MAIL:
        mailbox, at, host = name.rpartition("@")
        if not at:
            raise ValueError("This is no mail address.")
        if "@" in domain:
            return f"{mailbox}@{host.lower()}" == limit.decode()
    elif tag == URI:
        host = urlsplit(name).hostname or ""
        if not host or address_of(host):
            raise ValueError("Its host has no name.")
    else:
        host = name
    if tag != DNS and not is_domain(host):
        raise ValueError("This is no name of a host.")
    return _is_below(host.lower(), domain)


def _is_below(host: str, domain: str) -> bool:
    """With a dot in front the domain itself is not meant."""
    if domain.startswith("."):
        return host.endswith(domain)
    return not domain or host == domain or host.endswith(f".{domain}")


def _is_in_network(name: str, limit: bytes) -> bool:
    address, half = ipaddress.ip_address(name), len(limit) // 2
    if len(address.packed) != half:
        return False
    base, mask = (int.from_bytes(part, "big") for part in (limit[:half], limit[half:]))
    return int(address) & mask == base & mask
