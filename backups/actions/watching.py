"""Servers and their engines, looked at again and again: what pages show is what was seen last."""

import logging
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from backups import engines
from backups.actions.events import record_event
from backups.actions.live import last_words
from backups.actions.making import HOUSE, former_name, house_id
from backups.engines.container_drift import Difference, differences
from backups.engines.container_state import Container
from backups.engines.errors import EngineError
from backups.models import ContainerEngine, Operation, Server

if TYPE_CHECKING:
    # Few need the SDK that it is made with.
    from backups.engines.container_sight import Sight

logger = logging.getLogger(__name__)


@task(queue_name="checks")
def check_servers() -> None:
    """All of them, and the engine of each; one that is down is asked once."""
    addresses = {"", *Server.objects.made().values_list("engine", flat=True)}
    ContainerEngine.objects.exclude(address__in=addresses).delete()
    found = {address: check_engine(address) for address in addresses}
    for server in Server.objects.made():
        engine = found[server.engine]
        try:
            if engine.is_up:
                check_server(server)
            else:
                _write(server, Server.Status.UNKNOWN, engine.sentence, None)
        except Exception:
            # What is odd about one must not hide the others.
            logger.exception("the check of %s", server)


@task(queue_name="checks")
def check_server_now(name: str) -> None:
    """The engine has just said that something happened to it."""
    for server in Server.objects.made().filter(name=name):
        check_server(server)


@task(queue_name="samples")
def look_for_images() -> None:
    """Whether the registry has another image under the same name; not being asked is no news."""
    for server in Server.objects.lasting().made():
        if digest := server.seen.get("digest"):
            try:
                newest = engines.containers_of(server).newest_digest(server.image)
            except EngineError as error:
                logger.info("no word of a newer %s: %s", server.image, error)
                continue
            _write_newest(server, newest if newest != digest else "")


def _write_newest(server: Server, digest: str) -> None:
    if digest and digest != server.newer_image:
        sentence = f"The registry has another {server.image} by now."
        record_event("scheduler", "found", "image", name=server.name, sentence=sentence)
    Server.objects.filter(pk=server.pk).update(newer_image=digest)


def check_engine(address: str) -> ContainerEngine:
    """Ask it, and write down since when it answers or does not."""
    now, status = timezone.now(), engines.engine_at(address).status()
    engine = ContainerEngine.objects.filter(address=address).first()
    if engine is None:
        engine = ContainerEngine(address=address, since=now, problem=status.problem)
    elif engine.problem != status.problem:
        engine.since, engine.problem = now, status.problem
        said = "found" if status.is_up else "lost"
        name = str(engine)
        record_event("scheduler", said, "container engine", name=name, sentence=status.sentence)
    engine.version, engine.sentence, engine.checked = status.version, status.sentence, now
    engine.save()
    return engine


def check_server(server: Server) -> None:
    """Ask the engine and the port, and write down what they say."""
    if server.status in Server.WITHOUT_CONTAINER or _has_open_operation(server):
        return
    try:
        sight = engines.containers_of(server).look(server.name)
        status, reason = _status_of(server, sight)
    except EngineError as error:
        sight, status, reason = None, Server.Status.UNKNOWN, str(error)
    _write(server, status, reason, sight)


def drift_of(server: Server, sight: "Sight") -> list[Difference]:
    """What runs otherwise than it is wanted."""
    if sight.reading is None:
        return [Difference("Container", "as it was made here", sight.unreadable)]
    is_ours = not server.is_adopted and sight.container.labels.get(HOUSE) == house_id()
    return differences(server.spec, sight.reading, is_ours=is_ours)


def _write(server: Server, status: Server.Status, reason: str, sight: "Sight | None") -> None:
    """What an operation did while we looked is newer than what we saw."""
    with transaction.atomic():
        now = Server.objects.select_for_update().filter(pk=server.pk).first()
        if now is None or now.status != server.status or _has_open_operation(server):
            return
        if now.spec != server.spec:
            return
        _write_sight(server, status, reason, sight, timezone.now())


def _write_sight(
    server: Server, status: Server.Status, reason: str, sight: "Sight | None", now: datetime
) -> None:
    is_news = status != server.status
    fields = list(server.become(status, reason, now=now))
    if sight is not None:
        server.seen = sight.as_mapping()
        fields += ["seen", *_drift_fields(server, drift_of(server, sight), now)]
    server.save(update_fields=fields)
    if is_news:
        record_event("scheduler", "found", server, sentence=server.get_status_display())


def _drift_fields(server: Server, found: list[Difference], now: datetime) -> list[str]:
    drift = [asdict(difference) for difference in found]
    if drift == server.drift:
        return []
    if drift:
        names = ", ".join(difference.name for difference in found)
        record_event("scheduler", "found changed", server, sentence=f"By hand: {names}.")
    server.drift, server.drift_since = drift, now if drift else None
    return ["drift", "drift_since"]


def _has_open_operation(server: Server) -> bool:
    return Operation.objects.open().filter(server=server).exists()


def _status_of(server: Server, sight: "Sight | None") -> tuple[Server.Status, str]:
    if sight is None:
        return Server.Status.GONE, _why_gone(server)
    if not sight.container.is_running:
        return _stopped_or_failed(server, sight.container)
    # By the address that it really has: somebody may have given it another one.
    address, port = server.probe_address, server.port
    if sight.reading is not None:
        spec = sight.reading.spec
        address, port = server.reached_at(spec.address), spec.port
    answer = engines.probe(server, address=address, port=port)
    if answer.is_live:
        return Server.Status.LIVE, ""
    return Server.Status.FAILED, answer.sentence


def _why_gone(server: Server) -> str:
    if engines.containers_of(server).find(former_name(server)):
        return (
            f"A change was broken off: its container stands aside as {former_name(server)}. Make "
            "it again: that puts it back."
        )
    return f"The container {server.name} was removed outside Resthouse."


def _stopped_or_failed(server: Server, container: Container) -> tuple[Server.Status, str]:
    if container.state == "exited" and container.exit_code == 0:
        return Server.Status.STOPPED, "It was stopped."
    return Server.Status.FAILED, f"{container.exit_reason}{_last_words(server)}"


def _last_words(server: Server) -> str:
    try:
        return f" {last_words(engines.containers_of(server), server)}".rstrip()
    except EngineError:
        return ""
