"""What the servers need a person for."""

from django.db.models import QuerySet

from backups.models import Server
from backups.models.present import Now
from backups.queries.need import Need, source

_SERVER_WORDS = {
    Server.Status.UNMADE: ("failed", "could not be made"),
    Server.Status.FAILED: ("failed", "does not answer"),
    Server.Status.GONE: ("failed", "has lost its container"),
    Server.Status.UNKNOWN: ("warning", "cannot be seen"),
    Server.Status.STOPPED: ("warning", "is stopped"),
}


def _servers(now: Now) -> QuerySet[Server]:
    return Server.objects.lasting().filter(status__in=_SERVER_WORDS)


def _of_server(server: Server) -> Need:
    state, sentence = _SERVER_WORDS[Server.Status(server.status)]
    return Need(
        state=state,
        label=server.get_status_display(),
        name=server.name,
        sentence=sentence,
        reason=server.reason,
        button="See the server",
        url=server.get_absolute_url(),
        when="Proven last",
        since=server.proven,
    )


def _drifted(now: Now) -> QuerySet[Server]:
    """One that is gone is named for that."""
    gone = (Server.Status.GONE, *Server.WITHOUT_CONTAINER)
    return Server.objects.lasting().exclude(drift=[]).exclude(status__in=gone)


def _of_drift(server: Server) -> Need:
    names = ", ".join(difference["name"] for difference in server.drift)
    return Need(
        state="warning",
        label="Changed by hand",
        name=server.name,
        sentence="runs otherwise than it is wanted",
        reason=f"{names}.",
        button="Put back or adopt",
        url=server.get_absolute_url(),
        when="Found",
        since=server.drift_since,
    )


# Those that receive nothing before those that somebody has changed.
SERVER_NEEDS = (source(_servers, _of_server), source(_drifted, _of_drift))
