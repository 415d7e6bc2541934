"""Names as TLS compares them: Go's rules for hosts, and what stands in a certificate."""

import ipaddress
import re
import unicodedata
from contextlib import suppress

from cryptography import x509

from backups.engines.errors import EngineError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_LABEL = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_-]*")


class UnreadableError(ValueError):
    """What Go's parser of certificates does not take, in words."""


def is_domain(text: str) -> bool:
    """As Go's parser has it: labels of visible ASCII, none of them empty; or nothing at all."""
    return not text or all(
        label and all("!" <= letter <= "~" for letter in label) for label in text.split(".")
    )


def address_of(name: str) -> Address | None:
    """The IP address that a name is, also in the brackets of a URL."""
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    with suppress(ValueError):
        address = ipaddress.ip_address(bare)
        # As Go's net.ParseIP: no zone, and one address in either notation.
        if isinstance(address, ipaddress.IPv6Address):
            return None if address.scope_id else address.ipv4_mapped or address
        return address
    return None


def is_mapped(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None


def ascii_of(name: str) -> str:
    """A host name as it goes over the line: lower-case, and in punycode where it needs to be."""
    # Not the codec "idna", which knows the rules of 2003 alone: it makes "ss" of "ß".
    text = unicodedata.normalize("NFKC", name.strip().lower()).replace("\u3002", ".")
    labels = (
        label if label.isascii() else f"xn--{label.encode('punycode').decode()}"
        for label in text.split(".")
    )
    return ".".join(labels)


def is_host_name(name: str, *, is_pattern: bool = False) -> bool:
    """As Go's validHostname: empty labels are refused, and wildcards but in the first one."""
    labels = (name if is_pattern else name.removesuffix(".")).split(".")
    if is_pattern and len(labels) > 1 and labels[0] == "*":
        labels = labels[1:]
    return all(_LABEL.fullmatch(label) for label in labels)


def covers(pattern: str, host: str) -> bool:
    """Whether a DNS name in a certificate is good for a host, both in ASCII; Go's rules."""
    pattern, host = pattern.lower(), host.lower()
    if not pattern.endswith(host.removesuffix(".").partition(".")[2]):
        return False
    if not (is_host_name(pattern, is_pattern=True) and is_host_name(host)):
        return pattern == host and host not in {"", "."}
    ours, theirs = pattern.split("."), host.removesuffix(".").split(".")
    first = ours[0] == "*" or ours[0] == theirs[0]
    return first and ours[1:] == theirs[1:]


def is_covered(name: str, dns: list[str], addresses: list[Address]) -> bool:
    """Whether a client that uses this name would take a certificate with these."""
    address = address_of(name.strip())
    if address is not None:
        return any(address == (address_of(str(other)) or other) for other in addresses)
    return any(covers(pattern, ascii_of(name)) for pattern in dns)


def general_name(name: str) -> x509.GeneralName:
    """A name to put into a certificate; EngineError when no client could ever use it."""
    address = address_of(name.strip())
    if address is not None:
        return x509.IPAddress(address)
    host = ascii_of(name).removesuffix(".")
    is_possible = is_host_name(host, is_pattern=True) and len(host) <= 253
    if not is_possible or any(len(label) > 63 for label in host.split(".")):
        raise EngineError(
            f"“{name.strip()[:80]}” is no name for a certificate. "
            "Give host names such as backup.example.com, or IP addresses."
        )
    # Clients take what looks like an address for one; a DNS name of that form is never compared.
    if host.split(".")[-1].isdigit():
        raise EngineError(f"“{host}” is neither a host name nor an IP address. Write it in full.")
    return x509.DNSName(host)
