"""A whole new unit for what a unit backs up, as its host told it."""

import re
import shlex
from collections.abc import Iterator

from backups.engines.systemd_choices import OLDEST, version_of
from backups.engines.systemd_render import SCHEDULE, Plan
from backups.engines.systemd_unit import parse_unit
from backups.models import Unit
from backups.queries.whatif import addresses_of


def plan_of(unit: Unit) -> Plan:
    """A whole new unit for what this one backs up, when and where to."""
    words = _command(unit.text)
    job = unit.job if hasattr(unit, "job") else None
    schedule = job.schedule.split(";")[0].strip() if job else ""
    name = re.sub(r"[^\w:.-]", "-", unit.name.removesuffix(".service"))[:100]
    return Plan(
        name=name,
        paths=tuple(_paths(words)) or ("/",),
        schedule=schedule if re.fullmatch(r"[A-Za-z0-9 *:,./~+-]+", schedule) else SCHEDULE,
        addresses=addresses_of(unit),
        certificate=_certificate(words),
        systemd=max(version_of(unit.host.systemd), OLDEST),
        has_agent=unit.host.is_enrolled,
    )


def _command(text: str) -> list[str]:
    for at in parse_unit(text):
        if at.key == "ExecStart" and "restic" in at.value:
            try:
                return shlex.split(at.value)
            except ValueError:
                return at.value.split()
    return []


def _paths(words: list[str]) -> Iterator[str]:
    """What stands behind `backup`; the values of options that may begin with a slash are none."""
    found = words[words.index("backup") + 1 :] if "backup" in words else []
    for before, word in zip(["backup", *found], found, strict=False):
        is_value = before.startswith("-") and "=" not in before and before in _TAKES_A_VALUE
        if word.startswith("/") and not is_value and word.isprintable():
            yield word


_TAKES_A_VALUE = frozenset(
    (
        *("-e", "--exclude", "--exclude-file", "--iexclude", "--iexclude-file", "--files-from"),
        *("-r", "--repo", "--repository-file", "-p", "--password-file", "--cacert", "--cache-dir"),
        *("--tls-client-cert", "--files-from-raw", "--files-from-verbatim", "--parent", "--tag"),
        *("--exclude-if-present", "--host", "-H", "--password-command"),
    )
)


def _certificate(words: list[str]) -> str:
    for before, word in zip(["", *words], words, strict=False):
        if before == "--cacert" or word.startswith("--cacert="):
            path = word.removeprefix("--cacert=")
            return path if path.startswith("/") and path.isprintable() else ""
    return ""
