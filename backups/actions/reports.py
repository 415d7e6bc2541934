"""Reports of hosts: runs and units, each written once however often it is told."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from backups.actions.hosts import HostFacts, learn_facts
from backups.actions.jobs import refresh_job
from backups.actions.repositories import scan_servers
from backups.actions.verdicts import first_verdict
from backups.engines import restic, systemd
from backups.engines.errors import EngineError
from backups.models import Assessment, Host, Job, Run, Unit

# The agent's own unit is scored like any other, but it is no backup job.
AGENT_UNIT = "resthouse-agent.service"


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


@dataclass(frozen=True, slots=True)
class TimerReport:
    """The timer that starts a unit."""

    name: str
    schedule: str = ""
    next: datetime | None = None
    last: datetime | None = None
    persistent: bool = False
    state: str = ""


@dataclass(frozen=True, slots=True)
class UnitReport:
    """One unit: its text, its timer, and what systemd-analyze said, word for word."""

    name: str
    text: str = ""
    needs_reload: bool = False
    mode: str = ""
    security: str = field(default="", repr=False)
    systemd: str = ""
    timer: TimerReport | None = None


def record_report(
    host: Host,
    *,
    sent: datetime,
    facts: HostFacts,
    runs: tuple[RunReport, ...] = (),
    units: tuple[UnitReport, ...] = (),
) -> int:
    """Write a report down, whole or not at all; returns how many runs and units it held."""
    with transaction.atomic():
        now = timezone.now()
        learn_facts(host, facts)
        host.reported, host.clock_offset = now, sent - now
        host.save()
        for unit in units:
            record_unit(host, unit)
        for run in runs:
            record_run(host, run)
    _look_at_the_disks(runs)
    return len(runs) + len(units)


def record_run(host: Host, report: RunReport) -> Run:
    """Write one run; an end that is known is never overwritten by older word of its start."""
    output = restic.parse_output(report.output)
    kind = _kind_of(report, output)
    job = _job_of(host, report, kind)
    run = Run.objects.filter(job=job, key=report.key).first() or Run(job=job, key=report.key)
    if run.pk and run.finished and report.finished is None:
        return run
    run.kind = kind
    _fill(run, report, output)
    if run.verdict in {Run.Verdict.NONE, Run.Verdict.WAITING}:
        run.verdict = first_verdict(run)
    run.save()
    if job.due is not None and run.started >= job.due:
        job.due = None
        job.save(update_fields=["due"])
    refresh_job(job)
    return run


def record_unit(host: Host, report: UnitReport) -> Unit:
    """Write one unit, its timer, and its score where that differs from the one before."""
    unit, _ = Unit.objects.get_or_create(host=host, name=report.name)
    now = timezone.now()
    if report.text and report.text != unit.text:
        unit.text, unit.text_changed = report.text, now
    unit.needs_reload, unit.seen = report.needs_reload, now
    if report.security:
        _assess(unit, report, now)
    unit.save()
    if report.timer is not None and report.name != AGENT_UNIT:
        _learn_timer(host, unit, report.timer)
    return unit


def _job_of(host: Host, report: RunReport, kind: str) -> Job:
    unit = None
    if report.unit:
        unit, _ = Unit.objects.get_or_create(host=host, name=report.unit)
    job, _ = Job.objects.get_or_create(host=host, name=report.job)
    job.unit = unit or job.unit
    job.repository_url = report.repository or job.repository_url
    # One backup makes it a backup job; what only prunes or checks has none to miss.
    job.is_backup = kind == Run.Kind.BACKUP or (job.is_backup and job.last_run_id is not None)
    job.save(update_fields=["unit", "repository_url", "is_backup"])
    return job


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
        run.status = Run.Status.RUNNING
        if output.progress:
            _fill_progress(run, output.progress)
        return
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


def _assess(unit: Unit, report: UnitReport, now: datetime) -> None:
    """Score by the host's own words; what cannot be read leaves the former score, and says so."""
    try:
        score = systemd.parse_security(
            report.security, mode=report.mode, version=report.systemd, unit=report.name
        )
    except EngineError as error:
        unit.finding = str(error)
        return
    unit.exposure, unit.level, unit.assessed = score.exposure, score.level, now
    text_hash = hashlib.sha256(unit.text.encode()).hexdigest()
    last = unit.assessments.first()
    known = (last.exposure, last.text_hash, last.systemd) if last else None
    if known == (score.exposure, text_hash, report.systemd):
        return
    findings = _findings(report)
    worst = next((finding for finding in findings if finding.severity == "error"), None)
    unit.finding = worst.sentence if worst else ""
    Assessment.objects.create(
        unit=unit,
        at=now,
        exposure=score.exposure,
        level=score.level,
        mode=score.mode,
        systemd=report.systemd,
        text_hash=text_hash,
        rows=[
            [row.field, row.is_set, row.weight, row.badness, row.range, row.description]
            for row in score.rows
        ],
        findings=[[f.code, f.severity, f.line, f.sentence, f.fix] for f in findings],
    )


def _findings(report: UnitReport) -> tuple[systemd.Finding, ...]:
    """With the warnings of the systemd of this machine, where there is one."""
    try:
        return systemd.score_unit(report.text, name=report.name).findings
    except EngineError:
        return systemd.lint(report.text)


def _learn_timer(host: Host, unit: Unit, timer: TimerReport) -> None:
    job, _ = Job.objects.get_or_create(
        host=host, name=unit.name.removesuffix(".service"), defaults={"unit": unit}
    )
    job.unit, job.timer, job.schedule = unit, timer.name, timer.schedule
    job.due = timer.next
    job.save(update_fields=["unit", "timer", "schedule", "due"])
    refresh_job(job)


def _look_at_the_disks(runs: tuple[RunReport, ...]) -> None:
    """Ask the disks at once: whoever watches the page waits for their word."""
    if any(run.finished for run in runs):
        transaction.on_commit(lambda: scan_servers.enqueue() and None)
