"""Servers: wanted, made, driven and forgotten."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from backups import engines
from backups.actions.events import Actor, record_event
from backups.actions.operations import start_operation
from backups.engines.errors import EngineError
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
    insist_on_lasting(server)
    if reason := server.why_not_there():
        raise EngineError(reason)
    return start_operation(Operation.Kind.CREATE_SERVER, server=server, by=by)


def build_image(server: Server, *, by: Actor) -> Operation:
    """Build the rest-server image on this machine, then go on with making the server."""
    return start_operation(Operation.Kind.BUILD_IMAGE, server=server, by=by)


def drive_server(server: Server, verb: str, *, by: Actor) -> Operation:
    """`start`, `stop`, `restart` or `remove` its container; the data stays in every case."""
    insist_on_lasting(server)
    return start_operation(_DRIVE[verb], server=server, by=by)


def insist_on_lasting(server: Server) -> None:
    """EngineError for a window, which is opened and closed, and nothing else."""
    if server.window_of_id is not None:
        raise EngineError(f"{server} is a maintenance window. Close it, and open another one.")


def forget_server(server: Server, *, by: Actor) -> None:
    """Drop a server without a container; its data directory stays, what is known of it goes."""
    if server.status not in _RETRIED:
        raise EngineError(f"{server} has a container. Remove that first.")
    if server.operations.open().exists():
        raise EngineError(f"{server} is worked on now. Wait until that has ended.")
    if server.windows.exists():
        raise EngineError(f"The maintenance window of {server} is open. Close it first.")
    with transaction.atomic():
        record_event(by, "forgot", server)
        server.delete()


def erase_server(server: Server, typed: str, *, by: Actor) -> Operation:
    """Have all data of a removed server deleted; EngineError unless its name was typed."""
    if server.status != Server.Status.REMOVED:
        raise EngineError(f"{server} has a container. Remove that first.")
    if typed != server.name:
        raise EngineError(f"Type {server}, letter by letter: nothing brings the data back.")
    if reason := server.why_not_to_erase():
        raise EngineError(reason)
    if not server.is_volume and not engines.is_visible(server):
        raise EngineError(
            f"{server.data_directory} is not seen from here. Delete it on the machine of the "
            "engine."
        )
    return start_operation(Operation.Kind.ERASE_SERVER, server=server, by=by)


def validation_sentence(error: ValidationError) -> str:
    """All that is wrong, in one line for the terminal."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items())
