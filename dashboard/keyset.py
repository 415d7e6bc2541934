"""Pages of long histories: the place to go on from, as it stands in the address."""

from datetime import UTC, datetime


def keyset_of(text: str) -> tuple[datetime, int] | None:
    """`2026-11-23T02:10:00+00:00_17`; anything else is the first page."""
    moment, _, pk = text.rpartition("_")
    try:
        at = datetime.fromisoformat(moment)
        # Early in the year one, some zones lie before the calendar begins.
        return (at.astimezone(UTC), int(pk)) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def keyset_text(at: datetime, pk: int) -> str:
    return f"{at.isoformat()}_{pk}"
