"""The shapes of the users' routes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from dashboard.api.schemas import Moment, Strict

Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Note = Annotated[str, StringConstraints(max_length=200)]
Password = Annotated[str, StringConstraints(max_length=1000), Field(repr=False)]


class Which(Strict):
    """A user of a server; the server may be left out if there is one."""

    name: Name
    server: Annotated[str, StringConstraints(max_length=63)] = ""


class NewUser(Which):
    note: Note = ""
    password: Password = ""


class NewPassword(Which):
    password: Password = ""


class NewNote(Which):
    note: Note


class NewExpiry(Which):
    expires: Moment | None


class NewUsers(Strict):
    """A users file as text; of names that are known with another hash, those to take from it."""

    server: Annotated[str, StringConstraints(max_length=63)] = ""
    file: Annotated[str, StringConstraints(max_length=4 * 1024 * 1024)]
    replace: Annotated[list[Name], Field(max_length=10_000)] = []


class UserAnswer(Strict):
    name: str
    server: str
    note: str
    created: datetime
    rotated: datetime | None
    expires: datetime | None
    last_seen: datetime | None
    live_since: datetime | None
    disabled: datetime | None


class PasswordAnswer(Strict):
    """The password is in this one answer and nowhere else."""

    name: str
    server: str
    password: str
    repository: str
    live: bool
    live_since: datetime | None


class UsersAnswer(Strict):
    users: list[UserAnswer]


class FileAnswer(Strict):
    file: str


class ImportedLine(Strict):
    number: int
    name: str
    code: Literal["added", "changed", "same", "refused"]
    sentence: str


class ImportAnswer(Strict):
    lines: list[ImportedLine]
