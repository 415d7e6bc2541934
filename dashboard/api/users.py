"""Users for scripts: an operator's key does what its operator does on the pages.

Names stand in the body or the query, never in the path: they may hold letters of any script, and
a path ends in the logs of every proxy.
"""

from collections.abc import Callable
from dataclasses import asdict

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status
from ninja.security import HttpBearer
from ninja.throttling import AuthRateThrottle

from backups.actions import users as actions
from backups.actions.api_keys import operator_of_key
from backups.actions.users_import import export_users, import_users
from backups.engines.errors import EngineError
from backups.engines.restserver import repository_url
from backups.models import Operator, Server, User
from dashboard.api import user_schemas as shapes
from dashboard.api.schemas import Problem


class OperatorKey(HttpBearer):
    """The key that an operator made for a script."""

    def authenticate(self, request: HttpRequest, token: str) -> Operator | None:
        return operator_of_key(token)


class NobodyError(Exception):
    """There is no such server or user."""


_REFUSALS = {404: Problem, 409: Problem, 503: Problem}

router = Router(auth=OperatorKey(), throttle=[AuthRateThrottle("600/m")], tags=["users"])


@router.get("", response={200: shapes.UsersAnswer, **_REFUSALS})
def list_users(request: HttpRequest, server: str = "") -> dict[str, object]:
    """All of a server."""
    of = _server(server)
    return {"users": [_told(user) for user in of.users.select_related("server")]}


@router.post("", response={201: shapes.PasswordAnswer, **_REFUSALS})
def add(request: HttpRequest, response: HttpResponse, user: shapes.NewUser) -> Status[object]:
    """Add one; without a password, one is made."""
    new = actions.add_user(
        _server(user.server), user.name, note=user.note, password=user.password, by=_by(request)
    )
    return Status(201, _told_once(response, new))


@router.post("/rotate", response={200: shapes.PasswordAnswer, **_REFUSALS})
def rotate(request: HttpRequest, response: HttpResponse, user: shapes.NewPassword) -> object:
    """Replace the password at once."""
    new = actions.rotate_user(_user(user), password=user.password, by=_by(request))
    return _told_once(response, new)


@router.post("/disable", response={200: shapes.UserAnswer, **_REFUSALS})
def disable(request: HttpRequest, user: shapes.Which) -> object:
    """Refuse it and keep its hash."""
    return _after(actions.disable_user, request, _user(user))


@router.post("/enable", response={200: shapes.UserAnswer, **_REFUSALS})
def enable(request: HttpRequest, user: shapes.Which) -> object:
    """Let it in again with the password it had."""
    return _after(actions.enable_user, request, _user(user))


@router.post("/expire", response={200: shapes.UserAnswer, **_REFUSALS})
def expire(request: HttpRequest, user: shapes.NewExpiry) -> object:
    """Disable it at that minute; null: never."""
    found = _user(user)
    actions.set_expiry(found, user.expires, by=_by(request))
    return _told(found)


@router.post("/note", response={200: shapes.UserAnswer, **_REFUSALS})
def note(request: HttpRequest, user: shapes.NewNote) -> object:
    """Write a note for the people here."""
    found = _user(user)
    actions.note_user(found, user.note, by=_by(request))
    return _told(found)


@router.post("/delete", response={204: None, **_REFUSALS})
def delete(request: HttpRequest, user: shapes.Which) -> Status[None]:
    """Remove it; its repositories stay."""
    actions.delete_user(_user(user), by=_by(request))
    return Status(204, None)


@router.get("/export", response={200: shapes.FileAnswer, **_REFUSALS})
def export(request: HttpRequest, response: HttpResponse, server: str = "") -> dict[str, str]:
    """The users file as text; its hashes are secrets."""
    response["Cache-Control"] = "no-store"
    return {"file": export_users(_server(server), by=_by(request))}


@router.post("/import", response={200: shapes.ImportAnswer, **_REFUSALS})
def import_(request: HttpRequest, users: shapes.NewUsers) -> dict[str, object]:
    """Add who is new, in one change; says of each line what became of it."""
    plan = import_users(
        _server(users.server), users.file, by=_by(request), replace=set(users.replace)
    )
    return {"lines": [asdict(line) for line in plan.lines]}


def _by(request: HttpRequest) -> Operator:
    operator: Operator = request.auth  # type: ignore[attr-defined]
    return operator


def _server(name: str) -> Server:
    servers = list(Server.objects.filter(name=name) if name else Server.objects.lasting()[:2])
    if name and not servers:
        raise NobodyError(f"There is no server called {name}.")
    if len(servers) != 1:
        raise EngineError("Say which server." if servers else "There is no server yet.")
    return servers[0]


def _user(which: shapes.Which) -> User:
    server = _server(which.server)
    user = server.users.filter(name=which.name).first()
    if user is None:
        raise NobodyError(f"{server} has no user called {which.name}.")
    return user


def _after(action: Callable[..., None], request: HttpRequest, user: User) -> dict[str, object]:
    action(user, by=_by(request))
    return _told(user)


def _told(user: User) -> dict[str, object]:
    fields = shapes.UserAnswer.model_fields.keys() - {"server"}
    return {name: getattr(user, name) for name in fields} | {"server": user.server.name}


def _told_once(response: HttpResponse, new: actions.NewPassword) -> dict[str, object]:
    response["Cache-Control"] = "no-store"
    user = new.user
    return {
        "name": user.name,
        "server": user.server.name,
        "password": new.password,
        "repository": repository_url(user.server.url, "", "", user.name),
        "live": user.live_since is not None,
        "live_since": user.live_since,
    }
