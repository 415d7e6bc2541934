"""Scores that systemd-analyze gave to a text: asked once, then remembered."""

import hashlib
from dataclasses import dataclass
from threading import BoundedSemaphore

from django.core.cache import cache

from backups.engines import systemd
from backups.engines.errors import EngineError
from backups.engines.systemd import Row

_KEEP = 24 * 3600
# What went wrong may have been this machine's fault, and is asked again soon.
_KEEP_PROBLEM = 60
# It is another program for each question: a page may wait a little, the machine may not starve.
_AT_ONCE = BoundedSemaphore(2)
_PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Scored:
    """What systemd-analyze said of a text, or why it said nothing."""

    exposure: int | None
    level: str = ""
    rows: tuple[Row, ...] = ()
    problem: str = ""

    @property
    def word(self) -> str:
        """systemd's level, not shouted."""
        return self.level if self.level == "OK" else self.level.lower()


def score_of(text: str, *, name: str, dropin: str = "", policy: str = "") -> Scored:
    """By the systemd of this machine; the same question is answered from memory."""
    try:
        key = _key(systemd.version(), name, text, dropin, policy)
    except EngineError as error:
        return Scored(None, problem=str(error))
    if (known := cache.get(key)) is not None:
        exposure, level, rows, problem = known
        return Scored(exposure, level, tuple(Row(*row) for row in rows), problem)
    if not _AT_ONCE.acquire(timeout=_PATIENCE):
        return Scored(None, problem="Others are asking systemd-analyze just now. Try again.")
    try:
        scored = _ask(text, name, dropin, policy)
    finally:
        _AT_ONCE.release()
    kept = (scored.exposure, scored.level, _plain(scored.rows), scored.problem)
    cache.set(key, kept, _KEEP_PROBLEM if scored.problem else _KEEP)
    return scored


def _ask(text: str, name: str, dropin: str, policy: str) -> Scored:
    try:
        score = systemd.score_unit(text, dropin=dropin, name=name, policy=policy)
    except EngineError as error:
        return Scored(None, problem=str(error))
    return Scored(score.exposure, score.level, score.rows)


def _key(*words: str) -> str:
    digest = hashlib.sha256("\0".join(words).encode(errors="replace"))
    return f"exposure-{digest.hexdigest()}"


def _plain(rows: tuple[Row, ...]) -> list[tuple[str | int | bool | None, ...]]:
    return [
        (r.field, r.name, r.is_set, r.weight, r.badness, r.range, r.description, r.exposure)
        for r in rows
    ]
