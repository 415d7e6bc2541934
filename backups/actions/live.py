"""Whether a container has become a server that answers: what every start ends with."""

import time
from typing import TYPE_CHECKING

from django.utils import timezone

from backups import engines
from backups.actions.lease import Lease
from backups.engines import restserver
from backups.engines.errors import EngineError
from backups.engines.restserver_log import read_log
from backups.models import Server

if TYPE_CHECKING:
    from backups.engines.containers import Containers

READY_WITHIN = 30
_LAST = 20


def wait_until_live(
    containers: "Containers", server: Server, lease: Lease, *, pin: str | None = None
) -> None:
    """Until rest-server has answered and stayed; with `pin`, under this certificate."""
    lease.step("Waiting until rest-server answers", 85)
    pin = server.pin if pin is None else pin
    deadline = time.monotonic() + READY_WITHIN
    mark = engines.mark_of(server)
    while not (answer := restserver.probe(server.probe_url, pin=pin, mark=mark)).is_live:
        _insist_on_running(containers, server)
        if time.monotonic() > deadline:
            raise EngineError(f"It started, but rest-server does not answer. {answer.sentence}")
        time.sleep(0.1)


def insist_on_staying(
    containers: "Containers", server: Server, *, pin: str, seconds: float
) -> None:
    """A first answer may be the last one: it answers still, and was not started again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.5)
        _insist_on_running(containers, server, restarts=0)
    answer = restserver.probe(server.probe_url, pin=pin, mark=engines.mark_of(server))
    if not answer.is_live:
        raise EngineError(f"It answered at first, but not for long. {answer.sentence}")


def write_live(server: Server, lease: Lease) -> None:
    with lease.held():
        fields = server.become(Server.Status.LIVE, now=timezone.now(), is_anew=True)
        server.save(update_fields=fields)


def _insist_on_running(containers: "Containers", server: Server, *, restarts: int = 1) -> None:
    container = containers.find(server.name)
    if container is None or container.state == "exited" or container.restart_count > restarts:
        raise EngineError(_crash(containers, server))


def _crash(containers: "Containers", server: Server) -> str:
    said = last_words(containers, server) or "It wrote nothing."
    return f"The container ends right after its start. {said}"


def last_words(containers: "Containers", server: Server) -> str:
    """What it wrote last, and what that means; empty where it wrote nothing."""
    lines = [line for line in read_log(containers.logs(server.name, tail=_LAST)) if line.text]
    if not lines:
        return ""
    # What ended it may stand above the trace of where.
    told = next((line for line in reversed(lines) if line.level == "error"), lines[-1])
    return f"Its last line: “{told.text}”. {told.meaning}".strip()
