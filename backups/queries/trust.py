"""Who trusts what: the hosts that back up to a server, and what a certificate would do to them."""

import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from backups.engines.certificates import refusal
from backups.models import Job, Server

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Client:
    """A job before the server; `reason` says why it would refuse, empty when it would not."""

    job: Job
    host_name: str
    reason: str
    is_known: bool


@dataclass(frozen=True, slots=True)
class Clients:
    """All jobs that back up to one server."""

    all: tuple[Client, ...]

    @property
    def broken(self) -> tuple[Client, ...]:
        return tuple(client for client in self.all if client.reason)

    @property
    def unknown(self) -> tuple[Client, ...]:
        return tuple(c for c in self.all if not c.reason and not c.is_known)

    @property
    def fine(self) -> tuple[Client, ...]:
        return tuple(client for client in self.all if not client.reason and client.is_known)


def jobs_of(server: Server) -> list[Job]:
    """Jobs that back up there, by the disk where it is known, else by the address."""
    jobs = Job.objects.filter(repository_url__startswith="rest:").select_related("host")
    ours = _hosts_of(server)
    return [job for job in jobs.select_related("repository") if _goes_to(job, server, ours)]


def names_of(server: Server) -> tuple[str, ...]:
    """The names and addresses that clients use, the published one first."""
    published = server.public_name or server.probe_address
    used = (_address_of(job).hostname or "" for job in jobs_of(server))
    return tuple(dict.fromkeys(name.lower() for name in (published, *used) if name))


def clients_of(server: Server, chain: str, system: str = "") -> Clients:
    """What each would say of this chain (PEM); an empty one stands for plain HTTP.

    `system` is what a host trusts that was given no certificate (PEM).
    """
    judge = lru_cache(maxsize=None)(refusal)
    clients = []
    for job in jobs_of(server):
        address = _address_of(job)
        name = address.hostname or ""
        if reason := _other_scheme(address, chain):
            clients.append(Client(job, name, reason, is_known=True))
            continue
        anchors = job.trusted or system
        is_asked = bool(chain) and job.is_trust_known
        said = judge(chain, anchors, (name,)) if is_asked else ""
        clients.append(Client(job, name, said, is_known=job.is_trust_known or not chain))
    return Clients(tuple(clients))


@lru_cache(maxsize=1)
def system_store() -> str:
    """What this machine trusts, standing for what a host does; empty where there is nothing."""
    file = ssl.get_default_verify_paths().cafile
    path = Path(file or "/etc/ssl/certs/ca-certificates.crt")
    return path.read_text() if path.is_file() else ""


def _other_scheme(address: SplitResult, chain: str) -> str:
    if chain and address.scheme == "http":
        return "it comes with plain http://, and would have to come with https://"
    if not chain and address.scheme == "https":
        return "it comes with https://, and would have to come with plain http://"
    return ""


def _goes_to(job: Job, server: Server, ours: frozenset[str]) -> bool:
    if job.repository is not None:
        return job.repository.server_id == server.pk
    address = _address_of(job)
    return _port_of(address) == server.port and (address.hostname or "").lower() in ours


def _hosts_of(server: Server) -> frozenset[str]:
    names = {server.public_name.lower(), server.address, server.probe_address}
    return frozenset(names | _LOOPBACK if server.is_loopback else names) - {""}


def _address_of(job: Job) -> SplitResult:
    try:
        return urlsplit(job.repository_url.removeprefix("rest:"))
    except ValueError:
        return urlsplit("")


def _port_of(address: SplitResult) -> int | None:
    try:
        return address.port or _PORTS.get(address.scheme)
    except ValueError:
        return None
