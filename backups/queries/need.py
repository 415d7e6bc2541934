"""A need: one thing that waits for a person."""

from dataclasses import dataclass
from datetime import datetime


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
