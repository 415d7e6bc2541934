"""Where hosts say that their repositories are, and which server that is."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from backups.models import Server

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A server as restic names it, behind "rest:"; the host in lower case."""

    scheme: str
    host: str
    port: int


def address_of(repository_url: str) -> Address | None:
    """None where it is no server that is meant, or where nobody can say which."""
    if not repository_url.startswith("rest:"):
        return None
    try:
        parts = urlsplit(repository_url.removeprefix("rest:"))
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or port is None:
        return None
    return Address(parts.scheme, parts.hostname, port)


def leads_to(address: Address, server: Server) -> bool:
    """Whether it could be this server; a tunnel makes any of them a local one."""
    host = address.host
    if address.port != server.port:
        return False
    if host == server.public_name.lower() or host == "localhost":
        return True
    try:
        literal = ip_address(host)
    except ValueError:
        # A name that nobody told us may well lead to a server that everybody reaches.
        return not server.public_name and not server.is_loopback
    return literal.is_loopback or ip_address(server.address) in {literal, _any(literal.version)}


def _any(version: int) -> IPv4Address | IPv6Address:
    return ip_address("0.0.0.0" if version == 4 else "::")  # noqa: S104
