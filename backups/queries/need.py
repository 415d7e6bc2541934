"""A need: one thing that waits for a person."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from backups.models.present import Counted, Now, ones


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that somebody must look at; `state` is one of the words of the look."""

    state: str
    label: str
    name: str
    sentence: str
    reason: str
    button: str
    url: str
    when: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where needs of one kind come from; `counted` are rows that are summed up unread."""

    counted: Counted
    needs: Callable[[int], Iterator[Need]]


def source(rows: Callable[[Now], QuerySet[Any]], need_of: Callable[[Any], Need]) -> Source:
    """Each row is one need."""
    return Source(
        counted=lambda now: ones(rows(now)),
        needs=lambda limit: map(need_of, rows(timezone.now())[:limit]),
    )
