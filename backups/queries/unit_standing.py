"""How one unit stands: its score, the line that is wrong, and what would close it further."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils import timezone

from backups.engines.systemd import Row
from backups.engines.systemd_dropin import place_of
from backups.models import AcceptedRisk, Assessment, Unit
from backups.queries.hardening import Reckoning, reckon
from backups.queries.policy import score_by_policy
from backups.queries.proofs import ALARM, Proof, proof_of
from backups.queries.scores import Scored

_HISTORY = 100
_STEPS = 60
# Codes of findings behind which no backup leaves the machine any more.
_CUTS_OFF = ("poisoned-allow-list", "cuts-network")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A finding beside the line it speaks of."""

    code: str
    severity: str
    line: int | None
    sentence: str
    fix: str
    written: str = ""
    file: str = ""
    file_line: int = 0

    @property
    def state(self) -> str:
        return "failed" if self.severity == "error" else "warning"


@dataclass(frozen=True)
class UnitStanding:
    """One unit with its newest scoring and those before."""

    unit: Unit
    assessments: list[Assessment]

    @property
    def assessment(self) -> Assessment | None:
        return self.assessments[0] if self.assessments else None

    @cached_property
    def wrongs(self) -> list[Wrong]:
        """What its lint found, the worst first; the engine's own refusal where there is no list."""
        found = self.assessment.findings if self.assessment else []
        if not found and self.unit.finding and not self.unit.finding.startswith(ALARM):
            return [Wrong("", "error", None, self.unit.finding, "")]
        return [
            Wrong(code, severity, line, sentence, fix, self._line(line), *self._place(line))
            for code, severity, line, sentence, fix in found
        ]

    @property
    def cuts_off(self) -> bool:
        """A backup that arrived since then knows better."""
        is_refuted = self.proof is not None and self.proof.state == "ok"
        return not is_refuted and any(wrong.code in _CUTS_OFF for wrong in self.wrongs)

    @cached_property
    def reckoning(self) -> Reckoning | None:
        if self.assessment is None:
            return None
        return reckon(Row(field, field, *rest) for field, *rest in self.assessment.rows)

    @cached_property
    def proof(self) -> Proof | None:
        return proof_of(self.unit, self.assessments)

    @property
    def open_rows(self) -> list[str]:
        """Rows that cost something, the dearest first."""
        rows = self.assessment.rows if self.assessment else []
        found = [Row(field, field, *rest) for field, *rest in rows]
        found.sort(key=lambda row: -row.points)
        return [row.field for row in found if row.is_applicable and row.badness]

    @cached_property
    def risks(self) -> list[AcceptedRisk]:
        """Its own and those of the whole house, also those that ran out."""
        return list(AcceptedRisk.objects.of(self.unit).select_related("unit"))

    @cached_property
    def by_policy(self) -> Scored | None:
        return score_by_policy(self.unit, self.risks)

    @property
    def gain(self) -> int:
        """Tenths that all helpful lines together would take away."""
        if self.reckoning is None or self.unit.exposure is None:
            return 0
        return self.unit.exposure - self.reckoning.predicted

    @property
    def predicate(self) -> str:
        """The headline behind the unit's name; the score goes before it."""
        exposure = self.unit.exposure
        if exposure is None:
            return "has no score yet" if self.unit.host.systemd else "cannot be scored"
        words = ((90, "stands wide open"), (75, "stands open"), (50, "is half open"))
        found = next((word for least, word in words if exposure >= least), "is well closed")
        return f"{found}, with a wrong line" if self.wrongs else found

    @property
    def text(self) -> list[tuple[str, str]]:
        """The lines of its text, each with its state where something is wrong with it."""
        wrong = {each.line: each.state for each in reversed(self.wrongs)}
        lines = enumerate(self.unit.text.rstrip("\n").split("\n"), start=1)
        return [(line, wrong.get(number, "")) for number, line in lines]

    @property
    def history(self) -> list[int]:
        """The score over time in even steps, from the first scoring to now."""
        scored = [(each.at, each.exposure) for each in reversed(self.assessments)]
        if len(scored) < 2:
            return []
        first, now = scored[0][0], timezone.now()
        moments = [first + (now - first) * step / _STEPS for step in range(_STEPS + 1)]
        return [_score_at(moment, scored) for moment in moments]

    @property
    def history_in_words(self) -> str:
        first, last = self.assessments[-1], self.assessments[0]
        started = timezone.localtime(first.at)
        return f"From {_said(first)} on {started.day} {started:%b} to {_said(last)} now."

    @property
    def ticks(self) -> list[str]:
        first = timezone.localtime(self.assessments[-1].at)
        return [f"{first.day} {first:%b}", "now"]

    def _place(self, number: int | None) -> tuple[str, int]:
        return place_of(self.unit.text, number) if number else ("", 0)

    def _line(self, number: int | None) -> str:
        lines = self.unit.text.split("\n")
        return lines[number - 1].strip() if number and number <= len(lines) else ""


def standing_of(unit: Unit) -> UnitStanding:
    return UnitStanding(unit, list(unit.assessments.all()[:_HISTORY]))


def _score_at(moment: datetime, scored: list[tuple[datetime, int]]) -> int:
    return next((score for at, score in reversed(scored) if at <= moment), scored[0][1])


def _said(assessment: Assessment) -> str:
    return f"{assessment.exposure // 10}.{assessment.exposure % 10}"
