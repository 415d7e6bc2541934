"""The made-up house's book: events of its people, and operations that ended well or not."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

from backups.models import Event, Host, Operation, Server, User

_PEOPLE = ("ines", "jonas")


def make_operations(servers: dict[str, Server], now: datetime) -> list[Operation]:
    """How the servers came to be, and a restart that failed before one that did not."""
    main, offsite = servers["house-main"], servers["house-offsite"]
    kind, night = Operation.Kind, now - timedelta(days=16, hours=5)
    told = (
        (kind.CREATE_SERVER, main, main.created, 41, ""),
        (kind.CREATE_SERVER, offsite, main.created + timedelta(hours=1), 12, "image-missing"),
        (kind.CREATE_SERVER, offsite, main.created + timedelta(hours=2), 38, ""),
        (kind.RESTART_SERVER, offsite, night, 34, "no-answer"),
        (kind.RESTART_SERVER, offsite, night + timedelta(minutes=41), 3, ""),
    )
    return [
        _operation(pk, kind, server, at, timedelta(seconds=seconds), code)
        for pk, (kind, server, at, seconds, code) in enumerate(told, 1)
    ]


_PROBLEMS = {
    "image-missing": (
        "Pulling restic/rest-server:0.14.0",
        "The registry could not be reached: name or service not known.",
    ),
    "no-answer": (
        "Waiting until it answers",
        "house-offsite runs, but nothing answered at its port within 30 s.",
    ),
}


def _operation(
    pk: int, kind: str, server: Server, at: datetime, lasted: timedelta, code: str
) -> Operation:
    step, problem = _PROBLEMS.get(code, ("Waiting until it answers", ""))
    return Operation(
        pk=pk,
        kind=kind,
        subject=server.name,
        server=server,
        by_name="ines",
        state=Operation.State.FAILED if code else Operation.State.SUCCEEDED,
        step=step,
        percent=None if code else 100,
        log=f"image {server.image} is here\n" if code != "image-missing" else "",
        problem=problem,
        problem_code=code if code == "image-missing" else "",
        attempt=1,
        created=at,
        started=at + timedelta(seconds=1),
        finished=at + lasted,
    )


def make_events(
    servers: dict[str, Server],
    users: list[User],
    hosts: list[Host],
    operations: list[Operation],
    now: datetime,
) -> list[Event]:
    """In the order of time, as a book is written."""
    first = servers["house-main"].created - timedelta(minutes=9)
    events = [
        Event(at=first, by_name="ines", verb="set up", noun="operator", name="ines"),
        *_of_servers(servers),
        *_of_users(users, now),
        *_of_hosts(hosts),
        *(_of_operation(operation) for operation in operations),
    ]
    events = sorted((event for event in events if event.at <= now), key=lambda event: event.at)
    for event, pk in zip(events, count(1), strict=False):
        event.pk = pk
    return events


def _of_servers(servers: dict[str, Server]) -> Iterator[Event]:
    for server in servers.values():
        yield Event(
            at=server.created,
            by_name="ines",
            verb="asked for",
            noun="server",
            name=server.name,
            sentence=f"{server.image} at {server.url}",
        )
    offsite = servers["house-offsite"]
    back = offsite.live_since or offsite.created
    for at, words in ((back - timedelta(hours=5), "Does not answer"), (back, "Live")):
        yield _said("scheduler", at, "found", offsite, words)


def _of_users(users: list[User], now: datetime) -> Iterator[Event]:
    for number, user in enumerate(users):
        by = _PEOPLE[number % len(_PEOPLE)]
        yield _said(by, user.created, "added", user, "proven by a real sign-in")
        if user.rotated and user.rotated > user.created:
            yield _said(by, user.rotated, "rotated", user, "proven by a real sign-in")
        if user.disabled and user.disabled > user.created:
            yield _said(by, user.disabled, "disabled", user, "proven by a real sign-in")
        if user.name == "legacy-nas":
            yield _said(
                "scheduler", now - timedelta(days=31), "adopted", user, "It was added by hand."
            )


def _of_hosts(hosts: list[Host]) -> Iterator[Event]:
    for number, host in enumerate(hosts):
        yield _said(_PEOPLE[number % len(_PEOPLE)], host.created, "added", host)
        if host.enrolled:
            yield _said(f"host {host.name}", host.enrolled, "enrolled", host)


def _of_operation(operation: Operation) -> Event:
    verb, _, noun = operation.kind.partition("_")
    return Event(
        at=operation.finished or operation.created,
        by_name=operation.by_name,
        verb=verb,
        noun=noun,
        name=operation.subject,
        sentence=operation.problem,
        result=Event.Result.FAILED if operation.problem else Event.Result.DONE,
    )


def _said(
    by: str, at: datetime, verb: str, thing: Server | User | Host, sentence: str = ""
) -> Event:
    noun = type(thing).__name__.lower()
    return Event(at=at, by_name=by, verb=verb, noun=noun, name=thing.name, sentence=sentence)
