"""What is new of a unit: the change since last time, and what stands most open."""

from collections.abc import Iterable

from backups.engines.systemd import Row
from backups.queries.hardening import reckon

_WORST = 2


def worst_of(rows: Iterable[Row]) -> list[str]:
    """The lines that close most, among those that a backup survives."""
    return [proposal.key for proposal in reckon(rows).helpful[:_WORST]]


def change_of(now: int, before: int | None) -> int | None:
    """By how many tenths; None for a first score."""
    return None if before is None else now - before
