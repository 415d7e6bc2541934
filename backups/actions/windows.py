"""Maintenance windows: a second, short-lived container over the data of a server, without
append-only and for this machine alone, so that somebody can forget and prune."""

import logging
import socket
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django_tasks import task

from backups.actions.events import Actor, record_event
from backups.actions.operations import start_operation
from backups.actions.servers import create_server, validation_sentence
from backups.engines.errors import EngineError
from backups.models import Operation, Server

logger = logging.getLogger(__name__)

LONGEST = timedelta(hours=24)
_PORTS = range(8900, 9000)


def open_window(server: Server, span: timedelta, *, by: Actor) -> Operation:
    """Make it; it removes itself after `span`. EngineError where there must be none."""
    if server.window_of_id is not None or not server.is_live:
        raise EngineError(f"{server} is not live, so there is nothing to open. Start it first.")
    if server.windows.exists():
        raise EngineError(f"The window of {server} is open already. Make it longer, or close it.")
    if server.selinux_label == "Z":
        raise EngineError(
            f"The data of {server} is labelled for one container alone (Z). Change that to z first."
        )
    if server.engine_host:
        raise EngineError(
            f"A window is for the machine of the engine alone, and {server.engine_host} is another "
            "one than this: it could not be proven from here."
        )
    closes = _end_of(timezone.now(), span)
    window = Server(
        name=f"{server.name[:51]}-maintenance",
        engine=server.engine,
        image=server.image,
        address="127.0.0.1",
        port=_free_port(server.engine),
        data_directory=server.data_directory,
        is_append_only=False,
        has_private_repositories=server.has_private_repositories,
        has_access_log=True,
        uid=server.uid,
        gid=server.gid,
        selinux_label=server.selinux_label,
        restart_policy="no",
        extras={key: value for key, value in server.extras.items() if key == "data_target"},
        window_of=server,
        closes=closes,
    )
    try:
        operation = create_server(window, by=by)
    except ValidationError as error:
        raise EngineError(validation_sentence(error)) from error
    record_event(by, "opened a window", server, sentence=f"Until {_clock(closes)}.")
    return operation


def extend_window(window: Server, span: timedelta, *, by: Actor) -> None:
    """So much longer than it would have stayed."""
    if window.window_of is None or window.closes is None:
        raise EngineError(f"{window} is no maintenance window.")
    window.closes = _end_of(window.closes, span)
    window.save(update_fields=["closes"])
    record_event(by, "extended the window", window.window_of, sentence=_clock(window.closes))


def close_window(window: Server, *, by: Actor) -> None:
    """Remove its container; once that has happened, all that was known of it."""
    if window.window_of is None:
        raise EngineError(f"{window} is no maintenance window.")
    window.closes = timezone.now()
    window.save(update_fields=["closes"])
    _close(window, by)


@task(queue_name="checks")
def close_windows() -> None:
    """Those whose time is over; in two steps, because removing waits for uploads."""
    for window in Server.objects.filter(closes__lte=timezone.now()).select_related("window_of"):
        try:
            _close(window, "scheduler")
        except EngineError as error:
            logger.warning("the window %s is still open: %s", window, error)


def _close(window: Server, by: Actor) -> None:
    if window.operations.open().exists():
        return
    if window.status in {Server.Status.REMOVED, Server.Status.UNMADE, Server.Status.GONE}:
        record_event(by, "closed the window", "server", name=str(window.window_of))
        window.delete()
    elif window.status != Server.Status.UNKNOWN:
        start_operation(Operation.Kind.REMOVE_SERVER, server=window, by=by)


def _end_of(begin: datetime, span: timedelta) -> datetime:
    closes = begin + span
    if not timedelta() < span <= LONGEST or closes > timezone.now() + LONGEST:
        raise EngineError("A window is open for a minute to a day.")
    return closes


def _free_port(engine: str) -> int:
    taken = set(Server.objects.filter(engine=engine).values_list("port", flat=True))
    free = (port for port in _PORTS if port not in taken and _is_free(port))
    if (port := next(free, None)) is None:
        raise EngineError(f"No port from {_PORTS[0]} to {_PORTS[-1]} is free for a window.")
    return port


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _clock(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%d %b %H:%M")
