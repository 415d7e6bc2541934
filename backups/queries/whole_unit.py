"""A whole new unit for what a unit backs up, as its host told it."""

import re
from collections.abc import Iterable, Iterator

from backups.engines.systemd_choices import OLDEST, version_of
from backups.engines.systemd_render import SCHEDULE, SCHEDULES, Plan
from backups.engines.systemd_unit import parse_unit
from backups.engines.systemd_work import TAKES_A_VALUE, work_of
from backups.models import Unit
from backups.queries.whatif import addresses_of

# The whole unit says these itself, or has them from its credentials.
_SAID_ANEW = frozenset(
    (
        *("-r", "--repo", "--repository-file", "-p", "--password-file", "--password-command"),
        *("--cacert", "--cache-dir", "--no-cache", "--json", "--exclude-caches", "-q", "--quiet"),
        *("-v", "--verbose", "--cleanup-cache", "--insecure-tls", "-n", "--dry-run"),
    )
)


def plan_of(unit: Unit) -> Plan:
    """A whole new unit for what this one backs up, when and where to."""
    work = work_of(parse_unit(unit.text))
    backup = work.backups[0] if work.backups else ()
    options = tuple(_options(backup))
    job = unit.job if hasattr(unit, "job") else None
    schedule = job.schedule.split(";")[0].strip() if job else ""
    name = re.sub(r"[^A-Za-z0-9_:.-]", "-", unit.name.removesuffix(".service"))[:100]
    return Plan(
        name=name.lstrip("-") or "restic-backup",
        paths=work.paths or (() if _has_list(options) else ("/",)),
        schedule=schedule if re.fullmatch(SCHEDULES, schedule) else SCHEDULE,
        addresses=addresses_of(unit),
        certificate=_certificate(backup),
        systemd=max(version_of(unit.host.systemd), OLDEST),
        has_agent=unit.host.is_enrolled,
        options=options,
    )


def left_out_of(unit: Unit) -> list[str]:
    """What the unit does as well, and the new one will not."""
    work = work_of(parse_unit(unit.text))
    verbs = (_verb(words) for words in work.restic if "backup" not in words)
    return [*(f"restic {verb}" for verb in verbs if verb), *work.others]


def is_known(unit: Unit) -> bool:
    """Whether its text tells what restic backs up; a script does not."""
    work = work_of(parse_unit(unit.text))
    return bool(work.backups) and bool(work.paths or _has_list(_options(work.backups[0])))


def _has_list(options: Iterable[str]) -> bool:
    return any(option.startswith("--files-from") for option in options)


def _verb(words: tuple[str, ...]) -> str:
    known = ("forget", "prune", "check", "unlock", "copy", "init", "cat", "snapshots", "stats")
    return next((word for word in words if word in known), "")


def _options(words: tuple[str, ...]) -> Iterator[str]:
    """The options of a backup that the new unit does not set itself, each with its value."""
    rest = iter(words[1:])
    for word in rest:
        name = word.partition("=")[0]
        takes = word if word.startswith("-") and "=" not in word and word in TAKES_A_VALUE else ""
        said = [word, next(rest, "")] if takes else [word]
        is_kept = word.startswith("-") and name not in _SAID_ANEW
        if is_kept and all(_may_stand(each) for each in said):
            yield from said


def _may_stand(word: str) -> bool:
    """Not what was hidden, and not what this unit alone has."""
    return word.isprintable() and "***" not in word and "$" not in word.replace("$$", "")


def _certificate(words: tuple[str, ...]) -> str:
    for before, word in zip(("", *words), words, strict=False):
        if before == "--cacert" or word.startswith("--cacert="):
            path = word.removeprefix("--cacert=")
            return path if path.startswith("/") and path.isprintable() else ""
    return ""
