"""The machines of the made-up fleet: hosts, their units with every scoring, their jobs."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from backups.demo.fleet import Member
from backups.demo.rhythm import Rhythm
from backups.demo.units import backup_unit, prune_unit
from backups.engines.systemd import Score
from backups.models import Assessment, Host, Job, Unit
from backups.queries.unit_news import change_of, worst_of


def make_host(pk: int, member: Member, created: datetime, now: datetime) -> Host:
    """Heard a moment ago, unless its story says otherwise."""
    if member.is_waiting:
        return Host(pk=pk, name=member.name, note=member.role.note, created=now - timedelta(days=3))
    return Host(
        pk=pk,
        name=member.name,
        note=member.role.note,
        group=member.group,
        tags=member.tags,
        may_sleep=timedelta(days=7) if member.is_laptop else None,
        created=created + timedelta(minutes=7 * pk),
        # The hash of no key: no agent gets in by it.
        key_hash=hashlib.sha256(f"made up {member.name}".encode()).hexdigest(),
        enrolled=created + timedelta(minutes=7 * pk + 3),
        reported=now - timedelta(seconds=pk * 37 % 300),
        clock_offset=timedelta(milliseconds=pk * 61 % 900 - 450),
        hostname=f"{member.name}.example.net",
        os=member.os,
        kernel=member.kernel,
        systemd=member.systemd,
        restic=member.restic,
        python=member.python,
        agent="1.0",
    )


@dataclass(slots=True)
class Workshop:
    """Makes units and their assessments; the scores come from the real engine, once a rung."""

    scores: dict[str, Score]
    now: datetime
    unit_ids: Iterator[int]
    assessment_ids: Iterator[int]
    worst: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.worst = {rung: worst_of(score.rows) for rung, score in self.scores.items()}

    def backup_unit(self, member: Member, host: Host) -> tuple[Unit, list[Assessment]]:
        """The unit as it is, and every step of the way there."""
        unit = Unit(pk=next(self.unit_ids), host=host, name="restic-backup.service", seen=self.now)
        steps = list(self._steps(member, unit))
        return unit, steps

    def prune_unit(self, host: Host) -> tuple[Unit, list[Assessment]]:
        unit = Unit(pk=next(self.unit_ids), host=host, name="restic-prune.service", seen=self.now)
        created = host.enrolled or self.now
        return unit, list(self._assess(unit, "open", prune_unit(), created))

    def _steps(self, member: Member, unit: Unit) -> Iterator[Assessment]:
        enrolled = unit.host.enrolled or self.now
        # The last step of a poisoned unit is two days old; the others came over the weeks.
        span = self.now - timedelta(days=2) - enrolled
        for number, rung in enumerate(member.ladder):
            part = number / max(1, len(member.ladder) - 1)
            at = enrolled + span * (part if member.story == "poisoned" else part * 0.7)
            yield from self._assess(unit, rung, backup_unit(member, rung), at)

    def _assess(self, unit: Unit, rung: str, text: str, at: datetime) -> Iterator[Assessment]:
        unit.text, unit.text_changed = text, at
        score = self.scores.get(rung)
        if score is None:
            return
        worst = next((f.sentence for f in score.findings if f.severity == "error"), "")
        unit.change, unit.worst = change_of(score.exposure, unit.exposure), self.worst[rung]
        unit.exposure, unit.level, unit.assessed, unit.finding = (
            score.exposure,
            score.level,
            at,
            worst,
        )
        yield Assessment(
            pk=next(self.assessment_ids),
            unit=unit,
            at=at,
            exposure=score.exposure,
            level=score.level,
            mode=Assessment.Mode.TEXT if unit.host.systemd == "247" else Assessment.Mode.ONLINE,
            systemd=unit.host.systemd,
            text_hash=hashlib.sha256(text.encode()).hexdigest(),
            rows=[
                [r.field, r.is_set, r.weight, r.badness, r.range, r.description] for r in score.rows
            ],
            findings=[[f.code, f.severity, f.line, f.sentence, f.fix] for f in score.findings],
        )


def make_job(pk: int, member: Member, host: Host, unit: Unit | None, rhythm: Rhythm) -> Job:
    """The backup; on a laptop it is a wrapped command, without unit and timer."""
    port = 8000 if member.server == "house-main" else 8001
    where = f"rest:https://backup.example.net:{port}/{member.path}/"
    stated = {"rhythm": Job.Rhythm.HOURS, "stated": "24", "stated_at": host.enrolled}
    held = {
        "hold": Job.Hold.PAUSED,
        "held_by": "ines",
        "held_since": rhythm.starts[-1],
        "held_why": "its disks are being replaced",
    }
    return Job(
        pk=pk,
        host=host,
        **(stated if member.is_laptop else {}),
        **(held if member.story == "paused" else {}),
        name="restic-backup" if unit else "home",
        unit=unit,
        repository_url=where if member.server else "s3:s3.example.com/web-01-backup",
        timer="restic-backup.timer" if unit else "",
        timer_state="enabled" if unit else "",
        schedule=rhythm.schedule,
        due=rhythm.due,
    )


def make_prune_job(pk: int, host: Host, unit: Unit, rhythm: Rhythm) -> Job:
    return Job(
        pk=pk,
        host=host,
        name="restic-prune",
        is_backup=False,
        unit=unit,
        timer="restic-prune.timer",
        timer_state="enabled",
        schedule=rhythm.schedule,
        due=rhythm.due,
    )
