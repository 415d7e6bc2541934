"""What a server wrote, and how its container is: read anew each time, kept nowhere."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backups import engines
from backups.engines.errors import EngineError
from backups.engines.restserver_log import Level, Line, read_log
from backups.engines.restserver_paths import Place
from backups.models import Server

if TYPE_CHECKING:
    from backups.engines.containers import Container

SHOWN = 200
# Usually enough; the larger window is for those who search, and for much of our own between.
WINDOW, WIDE_WINDOW = 1000, 5000
_NEVER = datetime.min.replace(tzinfo=UTC)
_GRAVITY: dict[Level, int] = {"note": 0, "warning": 1, "error": 2}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines somebody wants to see."""

    words: str = ""
    # And what is graver.
    level: Level = "note"
    with_probes: bool = False

    @property
    def is_all(self) -> bool:
        return not self.words and self.level == "note"

    def takes(self, line: Line) -> bool:
        if line.is_own_probe and not self.with_probes:
            return False
        return _GRAVITY[line.level] >= _GRAVITY[self.level] and all(
            map(line.holds, self.words.split())
        )


@dataclass(frozen=True, slots=True)
class ServerLog:
    """The lines that are wanted, oldest first, and what is to be said of all that were read."""

    lines: tuple[Line, ...] = ()
    container: "Container | None" = None
    # Why there is nothing, as a sentence.
    problem: str = ""
    is_gone: bool = False
    # In the whole window, without our own probes.
    errors: int = 0
    warnings: int = 0
    probes: int = 0
    # What it wrote before it ended by itself.
    last_words: Line | None = None
    # The last of the gravest.
    worst: Line | None = None
    # More was written than was read, which begins here.
    is_cut: bool = False
    oldest: datetime | None = None

    @property
    def is_down(self) -> bool:
        """Whether it ended by itself, or ends again and again."""
        return self.container is not None and _has_failed(self.container)

    @property
    def newest(self) -> list[tuple[Line, bool]]:
        """As many as a page shows, the newest first; of equal meanings in a row one is told."""
        shown = self.lines[: -SHOWN - 1 : -1]
        meanings = [(line.is_own_probe, line.meaning) for line in shown]
        return [
            (line, bool(line.meaning or line.is_own_probe) and own != next_one)
            for line, own, next_one in zip(shown, meanings, [*meanings, None][1:], strict=True)
        ]

    @property
    def state(self) -> str:
        """Another one as soon as there is something new to see."""
        found = self.container
        seen = [(line.at, line.text) for line, _ in self.newest]
        how = (found.id, found.state, found.exit_code, found.restart_count) if found else ()
        told = repr((self.problem, how, self.errors, self.warnings, seen))
        return hashlib.sha256(told.encode(errors="replace")).hexdigest()[:16]


def log_of(server: Server, wanted: Wanted | None = None, *, tail: int = WINDOW) -> ServerLog:
    """Never raises and never waits for long: an engine that does not answer is a state."""
    wanted = wanted or Wanted()
    try:
        found = _read(server, wanted, tail if wanted.is_all else WIDE_WINDOW)
    except EngineError as error:
        return ServerLog(problem=str(error))
    return found


def _read(server: Server, wanted: Wanted, tail: int) -> ServerLog:
    recent = engines.containers_of(server).recent_log(server.name, tail=tail)
    if recent is None:
        return ServerLog(problem=f"There is no container called {server.name}.", is_gone=True)
    spec = server.spec
    lines = read_log(
        recent.lines,
        mark=engines.mark_of(server),
        is_shared=spec.network == "host" or ":" in spec.network,
        place=Place(spec.data_target, spec.data_directory, spec.user),
    )
    shown = tuple(filter(wanted.takes, lines))
    is_full = recent.is_cut or len(recent.lines) >= tail
    if is_full and len(shown) < SHOWN and tail < WIDE_WINDOW:
        return _read(server, wanted, WIDE_WINDOW)
    others = [line for line in lines if not line.is_own_probe]
    levels = Counter(line.level for line in others)
    return ServerLog(
        shown,
        recent.container,
        errors=levels["error"],
        warnings=levels["warning"],
        probes=len(lines) - len(others),
        last_words=_last_words(lines) if _has_failed(recent.container) else None,
        worst=max(others, key=_weight, default=None),
        is_cut=is_full,
        oldest=next((line.at for line in lines if line.at), None),
    )


def _has_failed(container: "Container") -> bool:
    return not container.is_running and bool(container.exit_code or container.error)


def _weight(line: Line) -> tuple[int, bool, datetime]:
    """A request that failed only points to the line that says why."""
    is_pointer = line.request is not None and line.request.status == 500
    return _GRAVITY[line.level], not is_pointer, line.at or _NEVER


def _last_words(lines: list[Line]) -> Line | None:
    """The last error, unless the server had started once more after it."""
    for line in reversed(lines):
        if line.level == "error":
            return line
        if line.text.startswith("Data directory: "):
            break
    return None
