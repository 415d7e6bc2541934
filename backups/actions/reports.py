"""Reports of hosts: runs and units, each written once however often it is told."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from backups.actions.assessments import (
    Assessed,
    TimerReport,
    UnitReport,
    ask_systemd,
    assess,
    prove,
    write_assessment,
)
from backups.actions.day_sums import sum_day
from backups.actions.hosts import HostFacts, fitting, learn_facts
from backups.actions.jobs import GONE, refresh_job
from backups.actions.queue import enqueue_once
from backups.actions.repositories import scan_servers
from backups.actions.run_texts import write_text
from backups.actions.verdicts import first_verdict
from backups.engines import certificates, restic
from backups.engines.errors import EngineError
from backups.models import Host, Job, Run, Unit

# The agent's own unit is scored like any other, but it is no backup job.
AGENT_UNIT = "resthouse-agent.service"
# Nothing else is kept of what a host sends: only what these letters can be.
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----")


# Of what hangs on a job, the time of its last run and the unit's own columns are enough.
_UNREAD = [
    "unit__text",
    *(f"last_run__{f.name}" for f in Run._meta.fields if f.name not in ("id", "started")),
]
_HEARD = (*HostFacts.__slots__, "reported", "clock_offset")
# What a unit is told by a report that holds no new text.
_TOLD = [
    *("needs_reload", "text_changed", "seen"),
    *("assessed", "exposure", "level", "finding", "change", "worst"),
]
# What a job is told by its runs.
_LEARNT = ["unit_id", "repository_url", "repository_id", "is_backup", "trusted", "is_trust_known"]


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run as its host tells it; `finished` is None while it runs."""

    key: str
    job: str
    started: datetime
    unit: str = ""
    arguments: tuple[str, ...] = ()
    repository: str = ""
    finished: datetime | None = None
    exit_code: int | None = None
    signal: str = ""
    result: str = ""
    output: str = field(default="", repr=False)
    restic: str = ""
    trust: str | None = None


class UnknownHostError(EngineError):
    """The key was revoked, or the host deleted, while its report was on the way."""


def record_report(
    host: Host,
    *,
    sent: datetime,
    facts: HostFacts,
    runs: tuple[RunReport, ...] = (),
    units: tuple[UnitReport, ...] = (),
) -> int:
    """Write a report down, whole or not at all; returns how many runs and units it held."""
    # Parsing takes its time, during which others want to write.
    assessed = [(unit, assess(host, unit)) for unit in units]
    with transaction.atomic():
        _hear(host, sent, facts)
        # Runs first: what was due stays due until one of them answers.
        ran = [record_run(host, run) for run in runs]
        written = [(record_unit(host, unit, found), found) for unit, found in assessed]
        ended = {run.job.unit_id: run.job.unit for run in ran if run.finished}
        _prove_changed(ended | {unit.pk: unit for unit, _ in written})
    if any(run.finished for run in runs):
        # At once: whoever watches the page waits for the word of the disks.
        enqueue_once(scan_servers)
    for unit, found in written:
        if found and found.findings is not None:
            enqueue_once(ask_systemd, unit.pk)
    return len(runs) + len(units)


def _hear(host: Host, sent: datetime, facts: HostFacts) -> None:
    """Writing its row locks it, so that its reports come one after the other."""
    now = timezone.now()
    learn_facts(host, facts)
    host.reported, host.clock_offset = now, sent - now
    told = {name: getattr(host, name) for name in _HEARD}
    if not Host.objects.filter(pk=host.pk, key_hash=host.key_hash).update(**told):
        raise UnknownHostError("The key of this host was revoked.")


def _prove_changed(units: dict[int | None, Unit | None]) -> None:
    """Of a unit that is as it was first told there is nothing to prove."""
    for unit in units.values():
        if unit is not None and unit.text_changed != unit.text_known:
            prove(unit)


def record_run(host: Host, report: RunReport) -> Run:
    """Write one run; an end that is known is never overwritten by older word of its start."""
    output = restic.parse_output(report.output)
    kind = _kind_of(report, output)
    job = _job_of(host, report, kind)
    last = job.last_run
    run = _known_run(job, report.key) or Run(job=job, key=report.key)
    # That it was lost was our guess; its host knows better.
    was_lost = run.status == Run.Status.LOST and run.result != restic.HOST_DOWN
    is_known = run.finished is not None and not was_lost
    if is_known and report.finished is None:
        return run
    run.kind = kind
    _fill(run, report, output)
    if run.verdict in {Run.Verdict.NONE, Run.Verdict.WAITING}:
        run.verdict = first_verdict(run)
    is_new = run.pk is None
    run.save()
    if run.finished is not None:
        write_text(run, is_new=is_new)
    if run.finished is not None or was_lost:
        sum_day(job, run.started)
    is_newest = last is None or (run.started, run.pk) >= (last.started, last.pk)
    refresh_job(job, newest=run if is_newest else None)
    return run


def _known_run(job: Job, key: str) -> Run | None:
    """Most are new: whether one is there is asked without all that it would hold."""
    pk = Run.objects.filter(job=job, key=key).order_by().values_list("pk", flat=True).first()
    return Run.objects.defer("log", "errors").get(pk=pk) if pk else None


def record_unit(host: Host, report: UnitReport, found: Assessed | None) -> Unit:
    """Write one unit, its timer, and its score where that differs from the one before."""
    unit, _ = Unit.objects.get_or_create(host=host, name=report.name)
    now = timezone.now()
    has_news = bool(report.text) and report.text != unit.text
    if has_news:
        unit.text_changed = _moment_of_change(host, unit, report, now)
        unit.text = report.text
        unit.text_known = unit.text_known or now
    elif unit.needs_reload and not report.needs_reload:
        # What stood on the disk for a while has taken effect only now.
        unit.text_changed = _moment_of_change(host, unit, report, now)
    unit.needs_reload, unit.seen = report.needs_reload, now
    if found is not None:
        write_assessment(unit, found, now)
    unit.save(update_fields=None if has_news else _TOLD)
    if report.name != AGENT_UNIT:
        if report.timer is not None:
            _learn_timer(host, unit, report.timer, now)
        else:
            _learn_of_no_timer(host, unit, has_news=has_news)
    return unit


def _moment_of_change(host: Host, unit: Unit, report: UnitReport, now: datetime) -> datetime:
    """By the host's own clock, as its runs are: one may have come between change and report.

    What it says must lie between the last sight of the former text and now.
    """
    offset = host.clock_offset or timedelta()
    if report.changed is None or unit.text_known is None or unit.seen is None:
        return now
    return report.changed if unit.seen + offset < report.changed <= now + offset else now


def _job_of(host: Host, report: RunReport, kind: str) -> Job:
    known = Job.objects.select_for_update(of=("self",)).select_related("unit", "last_run")
    job = known.defer(*_UNREAD).filter(host=host, name=report.job).first()
    if job is None:
        job, _ = Job.objects.get_or_create(host=host, name=report.job)
    job.host, before = host, _learnt(job)
    if report.unit and (job.unit is None or job.unit.name != report.unit):
        _take_unit(job, Unit.objects.defer("text").get_or_create(host=host, name=report.unit)[0])
    url = fitting(Job, "repository_url", report.repository)
    if url and url != job.repository_url and _is_newest(job, report):
        # Where it went before says nothing about where it goes now.
        job.repository_url, job.repository = url, None
    # One backup makes it a backup job; what only prunes or checks has none to miss.
    job.is_backup = kind == Run.Kind.BACKUP or (job.is_backup and job.last_run_id is not None)
    _learn_trust(job, report)
    if _learnt(job) != before:
        job.save(update_fields=_LEARNT)
    return job


def _learnt(job: Job) -> list[Any]:
    return [getattr(job, field) for field in _LEARNT]


def _is_newest(job: Job, report: RunReport) -> bool:
    """What was spooled for long comes after what is newer, and is overtaken by it."""
    return job.last_run is None or report.started >= job.last_run.started


def _learn_trust(job: Job, report: RunReport) -> None:
    """What it trusts; word that holds no certificate does not undo what is known."""
    found = certificates.bundle("\n".join(_CERTIFICATE.findall(report.trust or "")))
    is_news = (job.trusted, job.is_trust_known) != (found, True)
    if (found or report.trust == "") and is_news and _is_newest(job, report):
        job.trusted, job.is_trust_known = found, True


def _take_unit(job: Job, unit: Unit | None) -> None:
    """A unit makes one job: a second one that names it, as a wrapped command may, goes without."""
    if unit is None:
        return
    is_its_own = job.unit_id == unit.pk
    if is_its_own or not Job.objects.filter(unit=unit).exclude(pk=job.pk).exists():
        job.unit = unit


def _kind_of(report: RunReport, output: restic.Output) -> str:
    """By what restic was told, or where a script hides that, by what it left."""
    kind = restic.kind_of(report.arguments)
    if kind == Run.Kind.OTHER and output.summary and output.summary.snapshot_id:
        return Run.Kind.BACKUP
    return kind


def _fill(run: Run, report: RunReport, output: restic.Output) -> None:
    run.started, run.finished, run.restic = report.started, report.finished, report.restic
    run.exit_code, run.signal, run.result = report.exit_code, report.signal, report.result
    run.log = "\n".join(output.lines)
    run.errors = [[error.item, error.message] for error in output.errors]
    if output.summary:
        _fill_summary(run, output.summary)
    if report.finished is None:
        run.status, run.reason = Run.Status.RUNNING, restic.trouble_of(output)
        if output.progress and output.progress.percent >= (run.percent or 0):
            _fill_progress(run, output.progress)
        return
    # Of its progress nothing is kept.
    run.percent = run.bytes_done = run.bytes_total = run.seconds_left = None
    judgement = restic.judge(
        kind=run.kind,
        exit_code=report.exit_code,
        signal=report.signal,
        result=report.result,
        version=report.restic,
        output=output,
    )
    run.status, run.reason, run.advice = judgement.status, judgement.sentence, judgement.advice


def _fill_progress(run: Run, progress: restic.Progress) -> None:
    run.percent = min(100, int(progress.percent))
    run.bytes_done, run.bytes_total = progress.bytes_done, progress.total_bytes
    run.seconds_left = progress.seconds_left


def _fill_summary(run: Run, summary: restic.Summary) -> None:
    run.snapshot_id = summary.snapshot_id
    run.files_new, run.files_changed = summary.files_new, summary.files_changed
    run.files_processed = summary.files_processed
    run.bytes_added, run.bytes_processed = summary.bytes_added, summary.bytes_processed


def _learn_timer(host: Host, unit: Unit, timer: TimerReport, now: datetime) -> None:
    job, _ = Job.objects.select_for_update().get_or_create(
        host=host, name=unit.name.removesuffix(".service")
    )
    job.host = host
    job.due = _due(job, timer, now)
    _take_unit(job, unit)
    job.timer, job.elapsed = timer.name, timer.last
    job.timer_state = fitting(Job, "timer_state", timer.state)
    # A masked timer tells no schedule; what it was says when it is unmasked.
    job.schedule = fitting(Job, "schedule", timer.schedule) or job.schedule
    job.save(update_fields=["unit", "timer", "timer_state", "elapsed", "schedule", "due"])
    refresh_job(job)


def _learn_of_no_timer(host: Host, unit: Unit, *, has_news: bool) -> None:
    """A timer that was there and is told no more was removed."""
    for job in Job.objects.select_for_update().filter(unit=unit):
        job.host = host
        if job.timer and job.timer_state != GONE:
            job.due, job.timer_state = None, GONE
            job.save(update_fields=["due", "timer_state"])
        elif not has_news:
            continue
        refresh_job(job)


def _due(job: Job, timer: TimerReport, now: datetime) -> datetime | None:
    """The timer tells its next turn even if the last one came to nothing; that stays due."""
    is_open = (
        job.due is not None
        and job.due < now
        and job.schedule == timer.schedule
        and not job.runs.filter(started__gte=job.due).exists()
    )
    return job.due if is_open and timer.next is not None else timer.next
