"""The shapes of the API; an unknown field is refused, so that no report is half understood."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

_YEARS = range(2000, 2200)


def _plausible(moment: datetime) -> datetime:
    """In UTC, and in an age in which databases and calendars can reckon with it."""
    if moment.year not in _YEARS:
        raise ValueError("the year must be between 2000 and 2199")
    return moment.astimezone(UTC)


def _written_out(moment: object) -> object:
    if not isinstance(moment, str | datetime):
        raise ValueError("a time is written as 2026-07-31T02:15:00Z")
    return moment


def _seconds(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


# Strict fields would take no text for a time, and lax ones any number.
Moment = Annotated[
    AwareDatetime,
    Field(strict=False, json_schema_extra={"pattern": "^2[01][0-9]{2}-"}),
    BeforeValidator(_written_out),
    AfterValidator(_plausible),
]
# In seconds since 1970, for those who have no better clock than `date +%s`.
Second = Annotated[int, Field(ge=_seconds(_YEARS.start), lt=_seconds(_YEARS.stop))]
# PostgreSQL keeps no text that holds NUL.
_WithoutNul = AfterValidator(lambda text: text.replace("\0", ""))
Short = Annotated[str, StringConstraints(max_length=255), _WithoutNul]
Line = Annotated[str, StringConstraints(max_length=1000), _WithoutNul]
Text = Annotated[str, StringConstraints(max_length=256 * 1024), _WithoutNul]
Certificates = Annotated[str, StringConstraints(max_length=64 * 1024), _WithoutNul]
Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
# As systemd has it: such a name also fits into an address.
Service = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:_.\\@-]{1,247}\.service$")]
JobName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,255}$")]


class Strict(Schema):
    model_config = ConfigDict(extra="forbid", strict=True)


class HostFacts(Strict):
    hostname: Short = ""
    os: Short = ""
    kernel: Short = ""
    systemd: Short = ""
    restic: Short = ""
    python: Short = ""
    agent: Short = ""


class Enrolment(Strict):
    token: Short
    host: HostFacts


class EnrolmentAnswer(Strict):
    key: str
    host: str


class TimerReport(Strict):
    name: Short
    schedule: Line = ""
    next: Moment | None = None
    last: Moment | None = None
    persistent: bool = False
    state: Short = ""


class UnitReport(Strict):
    name: Service
    text: Text = ""
    needs_reload: bool = False
    mode: Literal["online", "text", ""] = ""
    security: Text = ""
    systemd: Short = ""
    timer: TimerReport | None = None
    # When its text took effect, by the host's clock; an agent that cannot tell says nothing.
    changed: Moment | None = None
    # Whom it names in User= or a group, and the host has nobody of that name.
    unknown_users: Annotated[list[Short], Field(max_length=20)] = []


class RunReport(Strict):
    key: Key
    job: JobName
    unit: Service | Literal[""] = ""
    arguments: Annotated[list[Line], Field(max_length=500)] = []
    repository: Line = ""
    started: Moment
    finished: Moment | None = None
    exit_code: Annotated[int, Field(ge=0, le=255)] | None = None
    signal: Annotated[str, StringConstraints(max_length=20), _WithoutNul] = ""
    result: Annotated[str, StringConstraints(max_length=40), _WithoutNul] = ""
    output: Text = ""
    restic: Annotated[str, StringConstraints(max_length=50), _WithoutNul] = ""
    # PEM, or empty for the system's; an agent that cannot tell, or is older, says nothing.
    trust: Certificates | None = None


class Report(Strict):
    sent: Moment
    host: HostFacts
    runs: Annotated[list[RunReport], Field(max_length=200)] = []
    # Each may be scored here, which takes up to 30 ms; the agent sends ten at most.
    units: Annotated[list[UnitReport], Field(max_length=20)] = []


class Output(Strict):
    """What a shell says of a run; the body is what restic printed. Times are in Unix seconds."""

    # All that stands in an address is text.
    model_config = ConfigDict(strict=False)

    job: JobName
    key: Key
    command: Literal["backup", "forget", "prune", "check", "restore", "other"] = "backup"
    started: Second
    ended: Second | None = None
    exit: Annotated[int, Field(ge=0, le=255)] | None = None
    restic: Annotated[str, StringConstraints(max_length=50), _WithoutNul] = ""

    @model_validator(mode="after")
    def _is_whole(self) -> "Output":
        if (self.ended is None) != (self.exit is None):
            raise ValueError("ended and exit belong together")
        return self


class ReportAnswer(Strict):
    accepted: int
    time: datetime


class KeyAnswer(Strict):
    host: str
    time: datetime


class Problem(Strict):
    detail: str
