"""What every page shows beside its own content."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.conf import settings
from django.db.models import Min
from django.http import HttpRequest

from backups.models import Server
from backups.queries.needs import count_needs
from backups.version import VERSION


@dataclass
class House:
    """The house itself; what costs a query is asked only when a template wants it."""

    name: str = settings.RESTHOUSE_NAME
    version: str = VERSION
    is_demo: bool = settings.RESTHOUSE_DEMO

    @cached_property
    def needs(self) -> int:
        """How many things need somebody."""
        return count_needs()

    @cached_property
    def checked(self) -> datetime | None:
        """The oldest proof among the servers that answer."""
        oldest: datetime | None = Server.objects.live().aggregate(at=Min("proven"))["at"]
        return oldest


def house_of(request: HttpRequest) -> House:
    """One for each request, so that page and navigation count once."""
    if not hasattr(request, "house"):
        request.house = House()  # type: ignore[attr-defined]
    house: House = request.house  # type: ignore[attr-defined]
    return house


def house(request: HttpRequest) -> dict[str, House]:
    return {"house": house_of(request)}
