"""rest-server's log, as the engine hands it out: each line with its time, level and meaning."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import unquote

from backups.engines import untrusted
from backups.engines.restserver_messages import Level, explain
from backups.engines.restserver_paths import Place
from backups.engines.restserver_requests import Request, explain_request, is_loopback
from backups.engines.untrusted import MAX_LINE

__all__ = ["Level", "Line", "Request", "read_log"]

# Enough to find a secret's end in; what follows is dropped unread.
_MAX_READ = 8000
_MAX_TRACE = 60
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d))(?: |$)")
_PLAIN_KNOCK = re.compile(
    r"http: TLS handshake error from (\S+):\d+: client sent an HTTP request to an HTTPS server$"
)
_TOLD = re.compile(r"Invalid htpasswd entry for (.+)\.$")
_BESIDE = timedelta(seconds=0.5)
_BEGINS_TRACE = re.compile(r"(?:http: )?panic|fatal error:")
_TRACE = re.compile(
    r"\t|goroutine \d|created by |\[signal |exit status |[\w./*()\[\]{}-]+\(.*\)$|$"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One message: safe to show, without secrets, and bounded in length."""

    at: datetime | None
    text: str
    level: Level = "note"
    meaning: str = ""
    is_own_probe: bool = False
    request: Request | None = None
    # The stack of a crash.
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As a text file has it."""
        when = f"{self.at.isoformat(timespec='milliseconds')} " if self.at else ""
        return "\n".join([f"{when}{self.text}", *(f"    {step}" for step in self.trace)])

    def holds(self, word: str) -> bool:
        """Whether the word stands in it, whatever its case."""
        return word.casefold() in f"{self.text}\n{self.meaning}".casefold()


def read_log(
    raw: Iterable[str], *, mark: str = "", is_shared: bool = False, place: Place | None = None
) -> list[Line]:
    """The lines of an engine's answer, oldest first; never raises, whatever they hold.

    `mark` is the User-Agent under which this house probes; `is_shared` says that the container
    has its network with others, so that its loopback is not its own; with `place` what is to be
    typed is told as it is typed there.
    """
    lines = _folded(_line(text, mark, is_shared=is_shared) for text in raw)
    if place is not None:
        lines = (replace(line, meaning=place.commands_in(line.meaning)) for line in lines)
    return _with_own_sign_ins(list(lines))


def _line(raw: str, mark: str, *, is_shared: bool) -> Line:
    at, text = _parted(raw)
    # A page that follows a log reads the same lines every time.
    read = _read if len(text) <= MAX_LINE else _read.__wrapped__
    return replace(read(text, mark, is_shared), at=at)


@lru_cache(maxsize=8192)
def _read(text: str, mark: str, is_shared: bool) -> Line:  # noqa: FBT001 (a key of the cache)
    if request := Request.parse(text):
        level, meaning = explain_request(request)
        is_own = request.is_own(mark, is_shared=is_shared)
        return Line(None, request.text, level, meaning, is_own_probe=is_own, request=request)
    text = _clean(text)
    level, meaning = explain(text)
    knock = _PLAIN_KNOCK.match(text)
    is_own = knock is not None and is_loopback(knock[1])
    return Line(None, untrusted.shortened(text), level, meaning, is_own_probe=is_own)


def _parted(raw: str) -> tuple[datetime | None, str]:
    """The engine's time, and what the container wrote."""
    found = _TIME.match(raw)
    if found is None:
        return None, raw
    try:
        return datetime.fromisoformat(found[1]).astimezone(UTC), raw[found.end() :]
    except (ValueError, OverflowError):
        return None, raw


def _clean(text: str) -> str:
    if len(text) > _MAX_READ:
        text = text[:_MAX_READ]
        begin = text.rfind("://")
        # A password whose end is cut off would not be known for one.
        if begin >= 0 and "@" not in text[begin:]:
            text = text[:begin]
        text += "…"
    return untrusted.visible(text, limit=_MAX_READ + 1).rstrip()


def _with_own_sign_ins(lines: list[Line]) -> list[Line]:
    """A refused sign-in of our own stands twice: with our mark, and without it beside that."""
    told: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        if line.at and (found := _TOLD.match(line.text)):
            told.setdefault(found[1], []).append(number)
    for tried in lines if told else ():
        request = tried.request
        if request and tried.is_own_probe and request.status == 401 and tried.at:
            numbers = told.get(unquote(request.path.split("/")[1]), [])
            # Each of ours takes one away, so that a stranger's at the same moment is left.
            nearest = min(numbers, key=lambda number: _apart(lines[number], tried), default=None)
            if nearest is not None and _apart(lines[nearest], tried) < _BESIDE:
                numbers.remove(nearest)
                lines[nearest] = replace(lines[nearest], is_own_probe=True)
    return lines


def _apart(one: Line, other: Line) -> timedelta:
    return abs(one.at - other.at) if one.at and other.at else timedelta.max


def _folded(lines: Iterable[Line]) -> Iterator[Line]:
    """A crash is one line; its stack lies behind it."""
    crash: Line | None = None
    for line in lines:
        if crash is not None and line.request is None and _TRACE.match(line.text):
            if line.text and len(crash.trace) < _MAX_TRACE:
                crash = replace(crash, trace=(*crash.trace, line.text))
            continue
        if crash is not None:
            yield crash
            crash = None
        if _BEGINS_TRACE.match(line.text):
            crash = line
        elif line.text:
            yield line
    if crash is not None:
        yield crash
