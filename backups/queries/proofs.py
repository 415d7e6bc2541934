"""Whether a unit that was changed still backs up all that it did: its score beside its files."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from backups.engines.systemd_dropin import split_cat
from backups.engines.systemd_unit import Assignment, boolean, parse_unit
from backups.models import Assessment, Job, Run, Unit

# What begins the sentence of an alarm, by which a later run takes it back.
ALARM = "The score got better, but the backup holds less: "

_LOOK_BACK = 30
# After so long, or so many changes, what the backup holds is how it is meant to be.
_UNPROVEN_FOR = timedelta(days=30)
_UNPROVEN = 5
_TOLERANCE = 0.05
_COMPLETE = (Run.Status.SUCCEEDED, Run.Status.WARNING)


@dataclass(frozen=True, slots=True)
class Held:
    """Files or bytes of the run since the change, beside what the runs before held."""

    name: str
    unit: str
    value: int | None
    low: int
    high: int

    @property
    def is_less(self) -> bool:
        return self.value is not None and self.value < self.low * (1 - _TOLERANCE)

    @property
    def is_more(self) -> bool:
        return self.value is not None and self.value > self.high * (1 + _TOLERANCE)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the newest run since the last change of a unit says of that change."""

    before: Assessment
    after: Assessment
    state: str
    headline: str
    changed: datetime
    run: Run | None = None
    held: tuple[Held, ...] = ()
    take_back: Assignment | None = None

    @property
    def is_alarm(self) -> bool:
        """A better score with fewer files."""
        is_better = self.after.exposure < self.before.exposure
        return is_better and self.state == "failed" and any(each.is_less for each in self.held)

    @property
    def alarm(self) -> str:
        if not self.is_alarm:
            return ""
        less = [f"{each.value:,} {each.name} instead of {each.low:,}" for each in self._less]
        return f"{ALARM}{', '.join(less)}."

    @property
    def _less(self) -> list[Held]:
        return [each for each in self.held if each.is_less]


def proof_of(unit: Unit, assessments: Sequence[Assessment]) -> Proof | None:
    """None where the unit never changed, or backs nothing up."""
    job = unit.job if hasattr(unit, "job") else None
    changes = _changes(unit, assessments)
    if job is None or not changes:
        return None
    newest, first = changes[0], changes[_unproven(job, changes)]
    earlier = _complete_before(job, first.at)
    runs = job.runs.backups().since(newest.at).exclude(status=Run.Status.RUNNING)
    run = None if unit.needs_reload else runs.order_by("-started", "-id").first()
    held = tuple(_held(run, earlier))
    state, headline = _judge(run, held, is_known=bool(earlier))
    if unit.needs_reload:
        headline = "The change waits for systemctl daemon-reload"
    line = _line_to_take_back(unit, run, held) if run and state == "failed" else None
    return Proof(first.before, assessments[0], state, headline, newest.at, run, held, line)


def got_better(unit: Unit, assessments: Sequence[Assessment]) -> bool:
    """Whether the changes of late made the score better; else there is no alarm to raise."""
    changes = _changes(unit, assessments)[:_UNPROVEN]
    return any(change.before.exposure > assessments[0].exposure for change in changes)


@dataclass(frozen=True, slots=True)
class _Change:
    """The last scoring before another text, and when that took effect."""

    before: Assessment
    at: datetime


def _changes(unit: Unit, assessments: Sequence[Assessment]) -> list[_Change]:
    """The newest first. Of the newest its host may know the moment better than our next look."""
    pairs = itertools.pairwise(assessments)
    found = [_Change(old, new.at) for new, old in pairs if new.text_hash != old.text_hash]
    known = unit.text_changed
    if found and known and found[0].before.at <= known:
        found[0] = replace(found[0], at=known)
    return found


def _unproven(job: Job, changes: Sequence[_Change]) -> int:
    """How many changes back the backup last held everything.

    A run that lost files is no measure for the change that comes next.
    """
    oldest = changes[0].at - _UNPROVEN_FOR
    for index, (later, sooner) in enumerate(itertools.pairwise(changes[:_UNPROVEN])):
        if sooner.at < oldest:
            return index
        between = job.runs.backups().since(sooner.at).filter(started__lt=later.at)
        run = between.exclude(status=Run.Status.RUNNING).order_by("-started", "-id").first()
        earlier = _complete_before(job, sooner.at)
        is_less = any(each.is_less for each in _held(run, earlier))
        if not earlier or (run and run.status in _COMPLETE and not is_less):
            return index
    return min(len(changes), _UNPROVEN) - 1


def _complete_before(job: Job, moment: datetime) -> list[tuple[int | None, int | None]]:
    """Files and bytes of each."""
    runs = job.runs.backups().filter(started__lt=moment, status__in=_COMPLETE)
    held = runs.values_list("files_processed", "bytes_processed")
    return list(held.order_by("-started", "-id")[:_LOOK_BACK])


def _held(run: Run | None, earlier: list[tuple[int | None, int | None]]) -> Iterator[Held]:
    found = (run.files_processed, run.bytes_processed) if run else (None, None)
    for place, (name, unit) in enumerate((("files", "count"), ("bytes", "size"))):
        values = [value for each in earlier if (value := each[place]) is not None]
        if values:
            yield Held(name, unit, found[place], min(values), max(values))


def _judge(run: Run | None, held: tuple[Held, ...], *, is_known: bool) -> tuple[str, str]:
    if run is None:
        return "off", "The next run will show whether the backup holds"
    if run.verdict == Run.Verdict.DIFFERS:
        return "failed", "Since the change, nothing arrives"
    if run.status == Run.Status.WARNING:
        return "failed", "Since the change, files cannot be read"
    if run.status != Run.Status.SUCCEEDED:
        return "failed", "Since the change, the backup fails"
    if any(each.is_less for each in held):
        return "failed", "Since the change, files are missing"
    if not is_known or not held:
        return "warning", "The backup runs, and there is none before to compare it with"
    return "ok", "The backup still holds everything"


# What restic says where a line is to blame, and which; the likeliest first.
_BLAME = (
    (r"address family not supported", ("RestrictAddressFamilies", "PrivateNetwork")),
    (r"bad system call|\bSYS\b|core-dump", ("SystemCallFilter", "SystemCallArchitectures")),
    (r"read-only file system", ("ProtectSystem", "PrivateTmp", "ProtectHome")),
    (r"timeout|timed out|unreachable|no route", ("IPAddressDeny", "PrivateNetwork")),
    (r"dial .*operation not permitted", ("IPAddressDeny",)),
    (
        r"permission denied|operation not permitted",
        ("PrivateUsers", "CapabilityBoundingSet", "AmbientCapabilities", "User", "ProtectHome"),
    ),
    (r"no such file|does not exist", ("ProtectHome", "PrivateTmp", "InaccessiblePaths")),
)
_HIDES = (
    *("ProtectHome", "PrivateUsers", "InaccessiblePaths", "TemporaryFileSystem", "PrivateTmp"),
    "ProtectKernelModules",
)


def _line_to_take_back(unit: Unit, run: Run, held: tuple[Held, ...]) -> Assignment | None:
    """The likeliest line to blame, among those that the unit has; of our drop-in before others."""
    written = {at.key: at for at in parse_unit(unit.text) if at.section == "Service" and at.value}
    _, own = split_cat(unit.text)
    ours = {at.key for at in parse_unit(own)}
    suspects = [key for key in _suspects(run, held) if _can_harm(written.get(key))]
    suspects.sort(key=lambda key: bool(ours) and key not in ours)
    return written[suspects[0]] if suspects else None


def _suspects(run: Run, held: tuple[Held, ...]) -> Iterator[str]:
    errors = " ".join(f"{item} {message}" for item, message in run.errors)
    said = " ".join((run.reason, run.signal, run.result, errors, run.log))
    for pattern, keys in _BLAME:
        if run.status != Run.Status.SUCCEEDED and re.search(pattern, said, re.IGNORECASE):
            yield from keys
    if any(each.is_less for each in held):
        yield from _HIDES


def _can_harm(at: Assignment | None) -> bool:
    if at is None:
        return False
    return boolean(at.value) is not False and (at.key, at.value) != ("ProtectHome", "read-only")
