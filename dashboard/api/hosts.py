"""The agents' routes: the host is the key's host, never a name in the body."""

from datetime import UTC, datetime

from django.core.cache import caches
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Status
from ninja.security import HttpBearer
from ninja.throttling import AnonRateThrottle, AuthRateThrottle

from backups.actions import assessments, hosts, outputs, reports
from backups.engines.curl_lines import MAX_OUTPUT, REPOSITORY
from backups.engines.errors import EngineError
from backups.models import Host
from dashboard.api import schemas

router = Router()


class HostKey(HttpBearer):
    """The key that a host got at its enrolment."""

    def authenticate(self, request: HttpRequest, token: str) -> Host | None:
        return hosts.host_of_key(token)


class ReportThrottle(AuthRateThrottle):
    """By the key that it came with."""

    cache = caches["reports"]


@router.post(
    "/enrol",
    response={201: schemas.EnrolmentAnswer, 403: schemas.Problem},
    throttle=[AnonRateThrottle("20/m")],
)
def enrol(request: HttpRequest, enrolment: schemas.Enrolment) -> Status[dict[str, str]]:
    """Trade a one-time token for a key."""
    try:
        host, key = hosts.enrol_host(
            enrolment.token, hosts.HostFacts(**enrolment.host.model_dump())
        )
    except EngineError as error:
        return Status(403, {"detail": str(error)})
    return Status(201, {"key": key, "host": host.name})


@router.post(
    "/reports",
    auth=HostKey(),
    response={202: schemas.ReportAnswer},
    throttle=[ReportThrottle("120/m")],
)
def report(request: HttpRequest, report: schemas.Report) -> Status[dict[str, object]]:
    """Take one report; of a run that is told twice, the later word counts."""
    accepted = reports.record_report(
        request.auth,  # type: ignore[attr-defined]
        sent=report.sent,
        facts=hosts.HostFacts(**report.host.model_dump()),
        runs=tuple(_run(run) for run in report.runs),
        units=tuple(_unit(unit) for unit in report.units),
    )
    return Status(202, {"accepted": accepted, "time": timezone.now()})


@router.post(
    "/output",
    auth=HostKey(),
    response={202: schemas.ReportAnswer, 413: schemas.Problem, 422: schemas.Problem},
    throttle=[AuthRateThrottle("60/m")],
    openapi_extra={
        "requestBody": {
            "content": {"text/plain": {"schema": {"type": "string", "maxLength": MAX_OUTPUT}}}
        },
        "parameters": [
            {"in": "header", "name": REPOSITORY, "schema": {"type": "string", "maxLength": 1000}}
        ],
    },
)
def output(request: HttpRequest, run: Query[schemas.Output]) -> Status[dict[str, object]]:
    """Take one run from a host without an agent: the body is what restic printed."""
    if len(request.body) > MAX_OUTPUT:
        return Status(413, {"detail": f"This is too large: send the last {MAX_OUTPUT} bytes."})
    if unknown := set(request.GET) - schemas.Output.model_fields.keys():
        return Status(422, {"detail": f"{len(unknown)} fields are unknown here."})
    accepted = outputs.record_output(
        request.auth,  # type: ignore[attr-defined]
        _run_of(run, request.body.decode(errors="replace")),
        sent=_moment(run.started if run.ended is None else run.ended),
        command=run.command,
        repository=request.headers.get(REPOSITORY, "")[:1000],
    )
    return Status(202, {"accepted": accepted, "time": timezone.now()})


@router.get("/key", auth=HostKey(), response=schemas.KeyAnswer)
def key(request: HttpRequest) -> dict[str, object]:
    """Whether the key is good, and whose it is."""
    host: Host = request.auth  # type: ignore[attr-defined]
    return {"host": host.name, "time": timezone.now()}


def _run_of(run: schemas.Output, output: str) -> reports.RunReport:
    return reports.RunReport(
        key=run.key,
        job=run.job,
        started=_moment(run.started),
        finished=None if run.ended is None else _moment(run.ended),
        exit_code=run.exit,
        output=output,
        restic=run.restic,
    )


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _run(run: schemas.RunReport) -> reports.RunReport:
    return reports.RunReport(**{**run.model_dump(), "arguments": tuple(run.arguments)})


def _unit(unit: schemas.UnitReport) -> assessments.UnitReport:
    timer = assessments.TimerReport(**unit.timer.model_dump()) if unit.timer else None
    users = tuple(unit.unknown_users)
    told = {**unit.model_dump(), "timer": timer, "unknown_users": users}
    return assessments.UnitReport(**told)
