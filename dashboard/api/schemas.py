"""The shapes of the API; an unknown field is refused, so that no report is half understood."""

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

Short = Annotated[str, StringConstraints(max_length=255)]
Line = Annotated[str, StringConstraints(max_length=1000)]
Text = Annotated[str, StringConstraints(max_length=256 * 1024)]
Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Strict(Schema):
    model_config = ConfigDict(extra="forbid")


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
    next: AwareDatetime | None = None
    last: AwareDatetime | None = None
    persistent: bool = False
    state: Short = ""


class UnitReport(Strict):
    name: Short
    text: Text = ""
    needs_reload: bool = False
    mode: Literal["online", "text", ""] = ""
    security: Text = ""
    systemd: Short = ""
    timer: TimerReport | None = None


class RunReport(Strict):
    key: Key
    job: Short
    unit: Short = ""
    arguments: Annotated[list[Line], Field(max_length=500)] = []
    repository: Line = ""
    started: AwareDatetime
    finished: AwareDatetime | None = None
    exit_code: Annotated[int, Field(ge=0, le=255)] | None = None
    signal: Annotated[str, StringConstraints(max_length=20)] = ""
    result: Annotated[str, StringConstraints(max_length=40)] = ""
    output: Text = ""
    restic: Annotated[str, StringConstraints(max_length=50)] = ""


class Report(Strict):
    sent: AwareDatetime
    host: HostFacts
    runs: Annotated[list[RunReport], Field(max_length=200)] = []
    units: Annotated[list[UnitReport], Field(max_length=200)] = []


class ReportAnswer(Strict):
    accepted: int
    time: datetime


class KeyAnswer(Strict):
    host: str
    time: datetime


class Problem(Strict):
    detail: str
