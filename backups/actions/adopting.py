"""Containers that somebody else made, and changes that somebody else made to ours: taken over as
they are, or put back as they were wanted."""

import re
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from backups import engines
from backups.actions.events import Actor, record_event
from backups.actions.handshakes import check_handshake
from backups.actions.making import HOUSE, house_id
from backups.actions.operations import start_operation
from backups.actions.queue import enqueue_once
from backups.actions.repositories import scan_servers
from backups.actions.watching import check_server
from backups.engines.container_oddities import Oddity, oddities
from backups.engines.container_reading import Reading
from backups.engines.container_spec import Spec
from backups.engines.container_state import DATA_DIRECTORY
from backups.engines.errors import EngineError
from backups.models import Operation, Server

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,199}", re.ASCII)
# A page waits for it, and the engine may hang.
_PAGE_TIMEOUT = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A container that could become a server, as it would be, and what is to be known of it."""

    server: Server
    oddities: tuple[Oddity, ...]
    is_running: bool


def find_candidates(engine: str = "") -> list[str]:
    """Names of the rest-servers on an engine that are no servers of this house yet."""
    known = set(Server.objects.filter(engine=engine).values_list("name", flat=True))
    found = engines.engine_at(engine).rest_servers()
    return [one.name for one in found if one.name not in known and not _is_helper(one.name)]


def _is_helper(name: str) -> bool:
    """What an operation makes beside a server, for as long as it lasts."""
    return name.endswith((".former", ".trial"))


def read_candidate(name: str, engine: str = "") -> Candidate:
    """Look at it; changes nothing. EngineError where it cannot be adopted, with what to do."""
    is_a_name = _NAME.fullmatch(name) is not None
    sight = engines.engine_at(engine).look(name, timeout=_PAGE_TIMEOUT) if is_a_name else None
    if sight is None:
        raise EngineError(f"There is no container called {name}.")
    if sight.reading is None:
        raise EngineError(sight.unreadable)
    if not sight.container.is_rest_server:
        raise EngineError(f"{name} is no rest-server: it runs {sight.container.image}.")
    server = Server(engine=engine, is_adopted=True, **fields_of(sight.reading.spec))
    return Candidate(server, tuple(oddities(sight.reading)), sight.container.is_running)


def adopt_container(
    name: str, *, engine: str = "", public_name: str = "", by: Actor
) -> tuple[Server, tuple[Oddity, ...]]:
    """Make it a server of this house as it runs; ValidationError on what cannot be one.

    Nothing of the container is touched: its users, its repositories and its certificate are
    read, and its options are changed when that is asked for.
    """
    candidate = read_candidate(name, engine)
    server = candidate.server
    server.public_name = public_name
    # Until the look below: it exists, and nothing has been proven.
    server.status, server.reason = Server.Status.FAILED, "It was not looked at yet."
    with transaction.atomic():
        server.full_clean()
        server.save()
        record_event(by, "adopted", server, sentence=f"{server.image} at {server.url}")
    if server.has_tls and candidate.is_running:
        check_handshake(server)
    check_server(server)
    # Of a large disk that takes longer than anybody waits.
    enqueue_once(scan_servers)
    return server, candidate.oddities


def fields_of(spec: Spec) -> dict[str, Any]:
    """A Spec as the fields of Server; the other way round than `Server.spec`."""
    extras = {
        "data_target": "" if spec.data_target == DATA_DIRECTORY else spec.data_target,
        "environment": spec.extra_environment,
        "labels": spec.labels,
        "mounts": [_mount_of(mount) for mount in spec.extra_mounts],
        "network": spec.network,
    }
    options = spec.options
    return {
        "name": spec.name,
        "image": spec.image,
        "address": spec.address,
        "port": spec.port,
        "data_directory": spec.data_directory,
        "is_append_only": options.is_append_only,
        "has_private_repositories": options.has_private_repositories,
        "has_prometheus": options.has_prometheus,
        "has_tls": options.has_tls,
        "tls_min_version": options.tls_min_version,
        "has_access_log": options.has_access_log,
        "max_size": options.max_size,
        "proxy_header": options.proxy_header,
        "memory_limit": spec.memory_limit,
        "restart_policy": spec.restart_policy,
        "uid": spec.uid,
        "gid": spec.gid,
        "selinux_label": spec.selinux_label,
        "extra_options": " ".join(spec.extra_options),
        "extras": {name: value for name, value in extras.items() if value},
    }


def _mount_of(mount: Any) -> list[Any]:
    return [mount.kind, mount.source, mount.target, mount.is_writable]


def adopt_drift(server: Server, *, by: Actor) -> Server:
    """Want it as it runs now, whoever changed it."""
    sight = engines.containers_of(server).look(server.name, timeout=_PAGE_TIMEOUT)
    if sight is None:
        raise EngineError(f"{server} has no container. Make it again, or forget it.")
    if server.operations.open().exists():
        raise EngineError(f"{server} is worked on now. Wait until that has ended.")
    reading = _insist_on_readable(server, sight.reading, sight.unreadable)
    if not server.drift:
        raise EngineError(f"{server} runs as it is wanted: there is nothing to adopt.")
    names = ", ".join(difference["name"] for difference in server.drift)
    with transaction.atomic():
        for name, value in fields_of(reading.spec).items():
            setattr(server, name, value)
        server.is_adopted = sight.container.labels.get(HOUSE) != house_id() or bool(reading.loose)
        server.drift, server.drift_since = [], None
        server.full_clean()
        server.save()
        record_event(by, "adopted", server, sentence=f"As it runs: {names}.")
    check_server(server)
    return server


def _insist_on_readable(server: Server, reading: Reading | None, why: str) -> Reading:
    if reading is None:
        raise EngineError(f"{server} cannot be adopted as it runs. {why}")
    return reading


def put_back(server: Server, *, by: Actor) -> Operation:
    """Have its container made anew as it is wanted; the one that runs stays until that is proven.

    One that is gone is made again.
    """
    if server.status == Server.Status.GONE:
        return start_operation(Operation.Kind.CREATE_SERVER, server=server, by=by)
    if not server.drift or server.status in Server.WITHOUT_CONTAINER:
        raise EngineError(f"{server} runs as it is wanted: there is nothing to put back.")
    return start_operation(Operation.Kind.RETURN_SERVER, server=server, by=by)
