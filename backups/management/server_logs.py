"""The log of a server in the terminal: the lines of its page, once or for as long as one looks."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone

from backups.engines.errors import EngineError
from backups.engines.restserver_log import Line
from backups.management.noun import Option
from backups.models import Server
from backups.queries.server_log import WIDE_WINDOW, Wanted, log_of

LOG_OPTIONS: list[Option] = [
    ("--tail", {"type": int, "default": 100, "help": "how many of the newest lines; 100"}),
    ("--search", {"default": "", "metavar": "TEXT", "help": "only lines that hold these words"}),
    ("--probes", {"action": "store_true", "help": "also what our own probes leave"}),
    ("--follow", {"action": "store_true", "help": "go on until Ctrl-C; as JSON, one a line"}),
]


def newest_lines(server: Server, wanted: Wanted, tail: int) -> list[Line]:
    """Oldest first; EngineError when the log cannot be read."""
    return list(_every_line(server, wanted, tail)[-tail:])


def follow(server: Server, wanted: Wanted, tail: int) -> Iterator[Line]:
    """The newest lines, then every new one; also over a restart of the engine."""
    lines = _every_line(server, wanted, tail)
    yield from lines[-tail:]
    while True:
        known, newest = set(lines), lines[-1].at if lines else None
        time.sleep(1)
        # A wider window may reach further back than the one before it.
        found = [line for line in log_of(server, wanted).lines if _is_after(line, newest)]
        yield from (line for line in found if line not in known)
        lines = tuple(found) or lines


def _is_after(line: Line, moment: datetime | None) -> bool:
    return moment is None or line.at is None or line.at >= moment


def _every_line(server: Server, wanted: Wanted, tail: int) -> tuple[Line, ...]:
    if not 0 < tail <= WIDE_WINDOW:
        raise EngineError(f"--tail takes a number from 1 to {WIDE_WINDOW}.")
    log = log_of(server, wanted, tail=WIDE_WINDOW)
    if log.problem:
        raise EngineError(log.problem)
    return log.lines


def facts_of(line: Line) -> dict[str, Any]:
    return {
        "at": line.at,
        "text": line.text,
        "level": line.level,
        "meaning": line.meaning,
        "is_own_probe": line.is_own_probe,
        "trace": list(line.trace),
    }


def words_of(line: Line) -> str:
    when = f"{timezone.localtime(line.at):%Y-%m-%d %H:%M:%S}" if line.at else " " * 19
    told = f"{line.level}: {line.meaning}" if line.level != "note" else line.meaning
    below = [*line.trace, *([told] if line.meaning and not line.is_own_probe else [])]
    return "\n".join([f"{when}  {line.text}", *(f"{'':21}{text}" for text in below)])
