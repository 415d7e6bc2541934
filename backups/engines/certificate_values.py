"""What is known and said of certificates: frozen values, without a secret in any repr."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Level = Literal["error", "warning", "note"]
# Of keys that are made here, the usual one first.
KINDS = ("ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048", "rsa-4096")
_ORDER: tuple[Level, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a certificate says of itself; times are UTC."""

    fingerprint: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    key_kind: str
    not_before: datetime
    not_after: datetime
    is_self_signed: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """What a server is given: its chain, leaf first and without a root, and an open key."""

    facts: Facts
    chain: str
    key: str = field(repr=False)
    root: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What an authority is to sign, and the key that stays here."""

    pem: str
    key: str = field(repr=False)
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is so, and what to do about it.

    With an error rest-server would not start, or restic would refuse it.
    """

    code: str
    level: Level
    sentence: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on what was brought; there is no pair where there is an error."""

    findings: tuple[Finding, ...]
    pair: Pair | None
    facts: Facts | None

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.level == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.level == "warning")

    @property
    def is_fine(self) -> bool:
        return not (self.errors or self.warnings)


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """Each once, errors first."""
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda finding: _ORDER.index(finding.level)))
