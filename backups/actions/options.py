"""Changes of what a server is told, and of its image: asked for here, proven by an operation."""

from collections.abc import Mapping
from typing import Any

from backups import engines
from backups.actions.changing import FIELDS
from backups.actions.events import Actor
from backups.actions.operations import start_operation
from backups.actions.servers import insist_on_lasting
from backups.engines.errors import EngineError
from backups.models import Operation, Server

_LONGEST_WAIT = 86_400
_RUNNING = {Server.Status.LIVE, Server.Status.FAILED}


class UploadsUnderWayError(EngineError):
    """Somebody has to say whether to wait for them or to go on."""


def change_options(
    server: Server, fields: Mapping[str, Any], *, by: Actor, wait: float | None = None
) -> Operation:
    """Have its container made anew with these fields; ValidationError for what cannot be.

    `wait`: seconds that uploads have to end before.
    """
    news = news_of(server, fields)
    if not news:
        raise EngineError(f"{server} is told just that already.")
    check_options(server, news)
    if news.get("has_tls") and not server.certificates.exists():
        raise EngineError(f"{server} has no certificate yet. Add or make one: that turns TLS on.")
    return _change(Operation.Kind.CHANGE_SERVER, server, news, by=by, wait=wait)


def news_of(server: Server, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from what it is told now; EngineError for what is no option."""
    if unknown := fields.keys() - set(FIELDS):
        raise EngineError(f"{', '.join(sorted(unknown))} cannot be changed.")
    return {name: value for name, value in fields.items() if getattr(server, name) != value}


def upgrade_server(
    server: Server,
    *,
    by: Actor,
    image: str = "",
    wait: float | None = None,
    is_forced: bool = False,
) -> Operation:
    """Pull the image and go over to it; refused while uploads run, unless told what to do."""
    if image and image != server.image:
        check_options(server, {"image": image})
    if wait is None and not is_forced and (count := engines.uploads_of(server)):
        some = "An upload is" if count == 1 else f"{count} uploads are"
        raise UploadsUnderWayError(
            f"{some} under way. Wait for the end, or go on all the same: restic then tries again "
            "by itself."
        )
    news = {"image": image or server.image}
    seconds = 0.0 if is_forced else wait
    return _change(Operation.Kind.UPGRADE_SERVER, server, news, by=by, wait=seconds)


def check_options(server: Server, news: Mapping[str, Any]) -> None:
    """As if it were so already; the row itself is left alone."""
    tried = Server.objects.get(pk=server.pk)
    for name, value in news.items():
        setattr(tried, name, value)
    tried.full_clean()


def _change(
    kind: Operation.Kind,
    server: Server,
    news: Mapping[str, Any],
    *,
    by: Actor,
    wait: float | None,
) -> Operation:
    insist_on_lasting(server)
    if wait is not None and not 0 <= wait <= _LONGEST_WAIT:
        raise EngineError("Wait for uploads at most a day.")
    if server.status not in _RUNNING:
        raise EngineError(f"{server} does not run, so nothing could be proven. Start it first.")
    wanted: dict[str, Any] = {"fields": dict(news)}
    if news.get("has_tls") and not server.has_tls:
        last = server.certificates.shown_last().first()
        wanted["certificate"] = last.pk if last else None
    if wait is not None:
        wanted["wait"] = wait
    return start_operation(kind, server=server, by=by, wanted=wanted)
