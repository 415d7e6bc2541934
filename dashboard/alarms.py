"""What a page of users says first: a damaged file, or what somebody changed in it by hand."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from backups.actions.users_reconcile import Mending, propose_mending
from backups.engines.errors import EngineError
from backups.engines.htpasswd import Problem
from backups.models import Server, UsersFile
from backups.queries.differences import Difference
from backups.queries.hygiene import Book

_SHOWN = 50
_STATES = {"removed": "failed", "unusable": "failed", "emptied": "failed"}


@dataclass(frozen=True, slots=True)
class Line:
    """One difference as it is shown."""

    name: str
    state: str
    sentence: str


def alarm_of(server: Server, book: Book) -> dict[str, Any]:
    """The part of the page above its ledger."""
    files = UsersFile.objects.filter(server=server)
    return {
        "headline": _headline(book),
        "differences": [_line(difference) for difference in book.differences[:_SHOWN]],
        "found_since": _found_since(files) if book.differences else None,
        "is_known": book.is_refused and files.exclude(known="").exists(),
        "mending": _mending(server) if book.is_refused else None,
        "problems": _problems(book),
    }


def _found_since(files: QuerySet[UsersFile]) -> datetime | None:
    """Without the row itself: for ten thousand users it holds a megabyte."""
    return files.values_list("found_since", flat=True).first()


def _headline(book: Book) -> str:
    count = len(book.differences)
    if not count or book.is_refused or book.obstacle:
        return book.headline
    if not book.differences[0].name:
        return "Somebody emptied the users file"
    return f"{count} change{'s' * (count != 1)} by hand wait{'s' * (count == 1)} for your word"


def _line(difference: Difference) -> Line:
    state = _STATES.get(difference.code, "warning")
    return Line(difference.name, state, difference.sentence)


def _problems(book: Book) -> list[Problem]:
    """Without those that stand in the ledger with their user."""
    return [problem for problem in book.problems if problem.code != "unusable-hash"]


def _mending(server: Server) -> Mending | None:
    """None where only a person can tell what was meant."""
    try:
        return propose_mending(server)
    except EngineError:
        return None
