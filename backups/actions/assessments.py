"""Assessments: how exposed a unit is, by the words of its own host."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django_tasks import task

from backups.actions.hosts import fitting
from backups.engines import systemd
from backups.engines.errors import EngineError
from backups.engines.systemd_choices import version_of
from backups.models import Assessment, Host, Unit
from backups.queries.proofs import ALARM, got_better, proof_of
from backups.queries.unit_news import change_of, worst_of

# A finding as it is kept: code, severity, line, sentence, fix.
Kept = list[str | int | None]
# So many scorings are looked through for the last change of a text.
_CHANGES = 20


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
    # By the clock of the host.
    changed: datetime | None = None
    unknown_users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessed:
    """A score as it was read; `findings` only where it differs from the one before.

    `problem`: why there is no score, or the worst of the findings that are known already.
    """

    score: systemd.Score | None
    problem: str = ""
    findings: tuple[systemd.Finding, ...] | None = None
    systemd: str = ""
    text_hash: str = ""


def assess(host: Host, report: UnitReport) -> Assessed | None:
    """Score by the host's own words; what cannot be read leaves the former score, and says so."""
    if not report.security:
        return None
    try:
        score = systemd.parse_security(
            report.security, mode=report.mode, version=report.systemd, unit=report.name
        )
    except EngineError as error:
        return Assessed(None, problem=str(error))
    unit = Unit.objects.filter(host=host, name=report.name).only("text").first()
    text = report.text or (unit.text if unit else "")
    text_hash = _hash(text)
    version = fitting(Assessment, "systemd", report.systemd)
    strangers = systemd.unknown_users(text, report.unknown_users)
    last = unit.assessments.defer("rows").first() if unit else None
    if last and _is_told_again(last, (score.exposure, text_hash, version), strangers):
        return Assessed(score, problem=_worst_of(last))
    findings = (*systemd.lint(text), *strangers)
    return Assessed(score, findings=findings, systemd=version, text_hash=text_hash)


def _is_told_again(
    last: Assessment, news: tuple[int, str, str], strangers: tuple[systemd.Finding, ...]
) -> bool:
    known = (last.exposure, last.text_hash, last.systemd)
    return known == news and _kept(strangers) == [*_strangers_in(last)]


def _strangers_in(assessment: Assessment) -> Iterator[Kept]:
    """What this machine cannot know: only the host knows its users."""
    return (list(each) for each in assessment.findings if each[0] == systemd.UNKNOWN_USER)


def write_assessment(unit: Unit, found: Assessed, now: datetime) -> None:
    """Into the unit's own columns, and into its history where something changed."""
    score = found.score
    if score is None:
        unit.finding = found.problem
        return
    unit.exposure, unit.level, unit.assessed = score.exposure, score.level, now
    if found.findings is None:
        if not unit.finding.startswith(ALARM):
            # A score that could not be read in between is no reproach any more.
            unit.finding = found.problem
        return
    unit.finding = _worst(found.findings)
    before = unit.assessments.values_list("exposure", flat=True).first()
    unit.change, unit.worst = change_of(score.exposure, before), worst_of(score.rows)
    Assessment.objects.create(
        unit=unit,
        at=now,
        exposure=score.exposure,
        level=score.level,
        mode=score.mode,
        systemd=found.systemd,
        text_hash=found.text_hash,
        rows=[
            [row.field, row.is_set, row.weight, row.badness, row.range, row.description]
            for row in score.rows
        ],
        findings=_kept(found.findings),
    )


@task(queue_name="checks")
def ask_systemd(pk: int) -> None:
    """Add the warnings of this machine's systemd about a host's unit to our own.

    A worker's business: a page and a report must not wait for another program.
    """
    unit = Unit.objects.select_related("host").filter(pk=pk).first()
    asked = unit.assessments.first() if unit else None
    if unit is None or asked is None or asked.text_hash != _hash(unit.text):
        return
    try:
        if version_of(unit.host.systemd) > version_of(systemd.version()):
            # Of a newer systemd's lines this one would say that it ignores them.
            return
        findings = systemd.score_unit(unit.text, name=unit.name).findings
    except EngineError:
        # Our own checks stand; the host's systemd knows the unit better than this one.
        return
    with transaction.atomic():
        unit = Unit.objects.select_for_update().filter(pk=pk).first()
        # A report may have come since, with another text.
        if unit is not None and unit.assessments.filter(pk=asked.pk).exists():
            asked.findings = [*_kept(findings), *_strangers_in(asked)]
            asked.save(update_fields=["findings"])
            if unit.assessments.first() == asked:
                unit.finding = _worst_of(asked)
                unit.save(update_fields=["finding"])
                prove(unit)


def prove(unit: Unit) -> None:
    """Raise an alarm where a better score came with fewer files, and take it back when they come.

    Called in the transaction that wrote a run or a score.
    """
    assessments = list(unit.assessments.only("unit", "at", "exposure", "text_hash")[:_CHANGES])
    proof = proof_of(unit, assessments) if got_better(unit, assessments) else None
    if proof is not None and proof.is_alarm:
        finding = proof.alarm
    elif unit.finding.startswith(ALARM):
        finding = _worst_of(assessments[0]) if assessments else ""
    else:
        return
    if finding != unit.finding:
        unit.finding = finding
        unit.save(update_fields=["finding"])


def _worst_of(assessment: Assessment) -> str:
    errors = (
        sentence for _, severity, _, sentence, _ in assessment.findings if severity == "error"
    )
    return next(errors, "")


def _kept(findings: Iterable[systemd.Finding]) -> list[Kept]:
    return [[f.code, f.severity, f.line, f.sentence, f.fix] for f in findings]


def _worst(findings: Iterable[systemd.Finding]) -> str:
    return next((finding.sentence for finding in findings if finding.severity == "error"), "")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
