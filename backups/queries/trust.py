"""Who trusts what: the hosts that back up to a server, and what a certificate would do to them."""

import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.db.models import Q

from backups.engines import certificates
from backups.engines.errors import EngineError
from backups.models import Job, Server
from backups.queries.addresses import Address, address_of, leads_to


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
    return [job for job, _ in _ways_to(server)]


def published_names(server: Server) -> tuple[str, ...]:
    """What a certificate must be for; what only a host says of its way here can stop nobody."""
    return ((server.public_name or server.probe_address).lower(),)


def names_of(server: Server) -> tuple[str, ...]:
    """The names and addresses that clients use, the published one first."""
    used = (address.host for _, address in _ways_to(server) if _is_a_name(address.host))
    return tuple(dict.fromkeys([*published_names(server), *used]))


def clients_of(server: Server, chain: str, system: str = "") -> Clients:
    """What each would say of this chain (PEM); an empty one stands for plain HTTP.

    `system` is what a host trusts that was given no certificate (PEM).
    """
    judge = lru_cache(maxsize=None)(certificates.refusal)
    clients = []
    for job, address in _ways_to(server):
        name = address.host
        reason, anchors = _other_scheme(address, chain), job.trusted or system
        is_known = bool(reason) or not chain or (job.is_trust_known and bool(anchors))
        if chain and not reason:
            # Whatever it trusts: nobody takes what is over, or made for another name.
            reason = judge(chain, anchors if is_known else chain, (name,))
        clients.append(Client(job, name, reason, is_known=is_known))
    return Clients(tuple(clients))


@lru_cache(maxsize=1)
def system_store() -> str:
    """What this machine trusts, standing for what a host does; empty where there is nothing."""
    file = ssl.get_default_verify_paths().cafile
    path = Path(file or "/etc/ssl/certs/ca-certificates.crt")
    return path.read_text() if path.is_file() else ""


def _ways_to(server: Server) -> list[tuple[Job, Address]]:
    ours = Q(repository__server=server) | Q(repository=None)
    jobs = Job.objects.filter(ours, repository_url__startswith="rest:").select_related("host")
    ways = ((job, address_of(job.repository_url)) for job in jobs)
    return [
        (job, address)
        for job, address in ways
        if address and (job.repository_id is not None or leads_to(address, server))
    ]


def _is_a_name(host: str) -> bool:
    """Whether a certificate may hold it: a host can report anything as its address."""
    try:
        certificates.general_name(host)
    except EngineError:
        return False
    return "*" not in host


def _other_scheme(address: Address, chain: str) -> str:
    if chain and address.scheme == "http":
        return "it comes with plain http://, and would have to come with https://"
    if not chain and address.scheme == "https":
        return "it comes with https://, and would have to come with plain http://"
    return ""
