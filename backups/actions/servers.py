"""Servers: wanted, made, driven, and asked how they are."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_tasks import task

from backups import engines
from backups.actions.events import Actor, record_event
from backups.actions.operations import start_operation
from backups.engines.container_state import Container
from backups.engines.errors import EngineError, EngineUnavailable
from backups.models import Operation, Server

_DRIVE = {
    "start": Operation.Kind.START_SERVER,
    "stop": Operation.Kind.STOP_SERVER,
    "restart": Operation.Kind.RESTART_SERVER,
    "remove": Operation.Kind.REMOVE_SERVER,
}
# A new one, too: a worker that was killed too often leaves it without a word on the server.
_RETRIED = {*Server.WITHOUT_CONTAINER, Server.Status.GONE}


def create_server(server: Server, *, by: Actor) -> Operation:
    """Keep what is wanted, and hand the making to a worker; ValidationError on bad input.

    A server of this name whose making failed holds nothing yet, so this one takes its place.
    """
    with transaction.atomic():
        _unmade(server.name).delete()
        server.full_clean()
        server.save()
        record_event(by, "asked for", server, sentence=f"{server.image} at {server.url}")
        return start_operation(Operation.Kind.CREATE_SERVER, server=server, by=by)


def _unmade(name: str) -> QuerySet[Server]:
    open_ones = Operation.objects.open().filter(server__isnull=False).values("server")
    return Server.objects.filter(name=name, status=Server.Status.UNMADE).exclude(pk__in=open_ones)


def retry_server(server: Server, *, by: Actor) -> Operation:
    """Make the container of a server that has none: its making failed, or it was removed."""
    if server.status not in _RETRIED:
        raise EngineError(f"{server} has a container already.")
    return start_operation(Operation.Kind.CREATE_SERVER, server=server, by=by)


def build_image(server: Server, *, by: Actor) -> Operation:
    """Build the rest-server image on this machine, then go on with making the server."""
    return start_operation(Operation.Kind.BUILD_IMAGE, server=server, by=by)


def drive_server(server: Server, verb: str, *, by: Actor) -> Operation:
    """`start`, `stop`, `restart` or `remove` its container; the data stays in every case."""
    return start_operation(_DRIVE[verb], server=server, by=by)


def forget_server(server: Server, *, by: Actor) -> None:
    """Drop a server without a container; its data directory stays, what is known of it goes."""
    if server.status not in _RETRIED:
        raise EngineError(f"{server} has a container. Remove that first.")
    if server.operations.open().exists():
        raise EngineError(f"{server} is worked on now. Wait until that has ended.")
    with transaction.atomic():
        record_event(by, "forgot", server)
        server.delete()


@task(queue_name="checks")
def check_servers() -> None:
    for server in Server.objects.made():
        check_server(server)


def check_server(server: Server) -> None:
    """Ask the engine and the port, and write down what they say."""
    if server.status in Server.WITHOUT_CONTAINER or _has_open_operation(server):
        return
    status, reason = _look_at(server)
    with transaction.atomic():
        # What an operation did while we looked is newer than what we saw.
        now = Server.objects.select_for_update().filter(pk=server.pk).first()
        if now is None or now.status != server.status or _has_open_operation(server):
            return
        _write_status(server, status, reason)


def _write_status(server: Server, status: Server.Status, reason: str) -> None:
    now = timezone.now()
    changed = status != server.status
    server.status, server.reason = status, reason
    if status == Server.Status.LIVE:
        server.proven = now
        server.live_since = now if changed or not server.live_since else server.live_since
    elif status != Server.Status.UNKNOWN:
        server.live_since = None
    server.save(update_fields=["status", "reason", "proven", "live_since"])
    if changed:
        record_event("scheduler", "found", server, sentence=server.get_status_display())


def _has_open_operation(server: Server) -> bool:
    return Operation.objects.open().filter(server=server).exists()


def _look_at(server: Server) -> tuple[Server.Status, str]:
    try:
        container = engines.containers_of(server).find(server.name)
    except EngineUnavailable as error:
        return Server.Status.UNKNOWN, str(error)
    if container is None:
        return Server.Status.GONE, f"The container {server.name} was removed outside Resthouse."
    if container.state != "running":
        return _stopped_or_failed(container)
    answer = engines.probe(server)
    if answer.is_live:
        return Server.Status.LIVE, ""
    return Server.Status.FAILED, answer.sentence


def _stopped_or_failed(container: Container) -> tuple[Server.Status, str]:
    if container.state == "exited" and container.exit_code == 0:
        return Server.Status.STOPPED, "It was stopped."
    return Server.Status.FAILED, container.exit_reason


def validation_sentence(error: ValidationError) -> str:
    """All that is wrong, in one line for the terminal."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items())
