"""What a unit would score with other lines, and the drop-in that holds them."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from backups.engines import systemd
from backups.engines.errors import EngineError
from backups.engines.systemd import Row
from backups.engines.systemd_choices import (
    BY_ITSELF,
    CHOICES,
    hides_mounts,
    is_advised,
    takes_from_others,
    version_of,
)
from backups.engines.systemd_dropin import (
    Commands,
    chosen_in,
    commands,
    literal,
    part_at_ours,
    poisoned,
    render,
    split_cat,
)
from backups.engines.systemd_render import address_in
from backups.engines.systemd_unit import parse_unit
from backups.engines.systemd_work import Work, work_of
from backups.models import Assessment, Unit
from backups.queries.hardening import OTHERS, Proposal, line_of, reckon
from backups.queries.scores import Scored, score_of


@dataclass(frozen=True, slots=True)
class Option:
    """A line that a person may choose, with what it gains and what it may break."""

    proposal: Proposal
    key: str
    state: str
    cost: str
    is_open: bool = True
    is_chosen: bool = False
    lines: tuple[str, ...] = ()

    @property
    def is_harmful(self) -> bool:
        return self.state == "failed"


@dataclass(frozen=True)
class WhatIf:
    """One unit with the lines that a person chose, or else those that a backup survives."""

    unit: Unit
    assessment: Assessment | None = None
    asked: frozenset[str] | None = None
    addresses: tuple[str, ...] = ()

    @cached_property
    def _split(self) -> tuple[str, str]:
        return split_cat(self.unit.text)

    @property
    def version(self) -> int:
        return version_of(self.unit.host.systemd)

    @property
    def here(self) -> int:
        """The systemd that scores."""
        try:
            return version_of(systemd.version())
        except EngineError:
            return 0

    @property
    def is_older(self) -> bool:
        """Whether the host obeys lines that the systemd which scores has never heard of."""
        return self.version > self.here > 0

    @property
    def is_installed(self) -> bool:
        return bool(self._split[1])

    @cached_property
    def base(self) -> Scored:
        """The unit without our drop-in."""
        if not self.unit.text:
            return Scored(None, problem="Its host has not told its text yet.")
        return score_of(self._split[0], name=self.unit.name)

    @cached_property
    def after(self) -> Scored:
        if self.base.exposure is None or not self.dropin:
            return self.base
        return self._with(self.dropin)

    def _with(self, dropin: str) -> Scored:
        """Where systemd would read it: a drop-in of a later name has the last word."""
        before, behind = part_at_ours(self._split[0])
        return score_of(before, name=self.unit.name, dropin=f"{dropin}{behind}")

    @cached_property
    def poisoned(self) -> tuple[str, ...]:
        return poisoned(self._split[0])

    @cached_property
    def repaired(self) -> Scored | None:
        """With nothing but the right line in place of the one that denies everything."""
        if not self.poisoned or self.base.exposure is None:
            return None
        right = render(self.poisoned, unit=self.unit.name, text=self._split[0])
        return self._with(right)

    @cached_property
    def chosen(self) -> frozenset[str]:
        if self.asked is not None:
            return self.asked & CHOICES.keys()
        if self.is_installed:
            return chosen_in(self._split[1])
        keys = CHOICES.keys() - BY_ITSELF
        return frozenset(
            key
            for key in keys
            if is_advised(CHOICES[key], self.version, addresses=self.addresses, work=self.work)
        )

    @cached_property
    def work(self) -> Work:
        """What the unit does without our drop-in."""
        return work_of(parse_unit(self._split[0]), repository=self._repository)

    @property
    def _repository(self) -> str:
        return self.unit.job.repository_url if hasattr(self.unit, "job") else ""

    @property
    def _is_repository_known(self) -> bool:
        return bool(self._repository or re.search(r"\brest:|\bRESTIC_REPOSITORY=", self._split[0]))

    @property
    def others(self) -> str:
        """The programs that the unit runs beside restic, in words."""
        return " and ".join([*self.work.others, *self.work.free][:2])

    @property
    def held_back(self) -> list[Option]:
        """Lines that would help, and that another program of the unit may not survive."""
        return [one for one in self.options if not one.is_harmful and self._is_held_back(one.key)]

    def _is_held_back(self, key: str) -> bool:
        return takes_from_others(key, self.work)

    @cached_property
    def dropin(self) -> str:
        keys = {option.key for option in self.options if option.is_chosen} | {*self.poisoned}
        url = self._repository
        writable = [url] if url.startswith("/") else []
        return render(
            keys,
            unit=self.unit.name,
            text=self._split[0],
            addresses=self.addresses,
            writable=writable,
        )

    @property
    def commands(self) -> Commands:
        return commands(self.dropin, self.unit.name)

    @cached_property
    def options(self) -> list[Option]:
        return [*self._options()]

    @property
    def helpful(self) -> list[Option]:
        held = {option.key for option in self.held_back}
        return [one for one in self.options if not one.is_harmful and one.key not in held]

    @property
    def harmful(self) -> list[Option]:
        return [option for option in self.options if option.is_harmful]

    @property
    def open_count(self) -> int:
        """Lines that help and that the host's systemd obeys."""
        return sum(option.is_open for option in self.helpful)

    @property
    def offered_count(self) -> int:
        return sum(option.is_open for option in self.options)

    @property
    def chosen_count(self) -> int:
        return sum(option.is_chosen for option in self.options)

    @property
    def harms(self) -> list[Option]:
        """What was chosen although the backup does not survive it."""
        return [option for option in self.harmful if option.is_chosen]

    def _rows(self) -> Iterable[Row]:
        if self.base.rows:
            return self.base.rows
        rows = self.assessment.rows if self.assessment else []
        return (Row(field, field, *rest) for field, *rest in rows)

    def _options(self) -> Iterator[Option]:
        reckoning = reckon(self._rows())
        proposals = (*reckoning.helpful, *reckoning.harmful)
        opposites = {CHOICES[key].instead_of: key for key in OTHERS}
        for proposal in proposals:
            yield self._option(proposal, proposal.key)
            if key := opposites.get(proposal.key):
                points = sum(reading.row.points for reading in proposal.readings)
                yield self._option(proposal.instead(line_of(key), points), key)

    def _option(self, proposal: Proposal, key: str) -> Option:
        choice, line = CHOICES.get(key), proposal.line
        if choice is None:
            return Option(proposal, key, line.state, line.cost, is_open=False)
        state, cost = line.state, line.cost
        is_open = self.version >= choice.since
        if not is_open:
            needed = f"Needs systemd {choice.since}, {self.unit.host} has {self.version or 'none'}"
            return Option(proposal, key, "off", needed, is_open=False)
        if key == "PrivateUsers":
            state, cost = "ok", "Breaks nothing for a backup"
        if self._is_held_back(key) and state != "failed":
            state, cost = "warning", self._said_of_others(key, cost)
        if key == "ProtectSystem" and not self._is_repository_known:
            cost = "Nobody told where its repository is: a folder here could not be written"
        if key == "IPAddressDeny" and not self.addresses:
            cost = "Needs the address of the server, below"
        lines = tuple(self._lines(key))
        return Option(proposal, key, state, cost, is_chosen=key in self.chosen, lines=lines)

    def _said_of_others(self, key: str, cost: str) -> str:
        if self.work.mounters and hides_mounts(key, self.work):
            return f"Loses what {self.work.mounters[0]} mounts, with exit 0"
        if hides_mounts(key, self.work):
            return f"If {self.work.scripts[0]} mounts, that is lost"
        return "There, sudo and su fail" if key == "NoNewPrivileges" else cost

    def _lines(self, key: str) -> Iterator[str]:
        for line in CHOICES[key].lines:
            yield line.replace("{addresses}", " ".join(self.addresses) or "…")


def what_if(
    unit: Unit,
    assessment: Assessment | None = None,
    *,
    asked: Collection[str] | None = None,
    addresses: Collection[str] | None = None,
) -> WhatIf:
    """Without a choice of addresses, the one that the repository is named by."""
    if addresses is None:
        addresses = addresses_of(unit)
    asked = frozenset(asked) if asked is not None else None
    return WhatIf(unit, assessment, asked, literal(addresses))


def addresses_of(unit: Unit) -> tuple[str, ...]:
    """From the installed drop-in, else from the repository where it is named by number."""
    _, own = split_cat(unit.text)
    allowed = [at.value.split() for at in parse_unit(own) if at.key == "IPAddressAllow"]
    words = [word for word in (allowed[-1] if allowed else []) if word != "localhost"]
    try:
        found = literal(words)
    except EngineError:
        found = ()
    return found or address_in(unit.job.repository_url if hasattr(unit, "job") else "")
