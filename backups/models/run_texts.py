"""The words of runs, for whoever looks for a message, a file or a name in them."""

from datetime import datetime

from django.db import connection, models
from django.db.models.expressions import RawSQL

from backups.models.runs import Run

_BITS = 26
_FOUND = {
    # The index is sorted by the place itself, so that the newest need no sorting.
    "sqlite": """
        SELECT kept.place, kept.run_id FROM (
            SELECT rowid AS place FROM backups_runtext_index
            WHERE backups_runtext_index MATCH %s AND rowid < %s ORDER BY rowid DESC LIMIT %s
        ) AS found JOIN backups_runtext AS kept ON kept.place = found.place
        ORDER BY kept.place DESC""",
    "postgresql": """
        SELECT place, run_id FROM backups_runtext
        WHERE to_tsvector('simple', words) @@ to_tsquery('simple', %s) AND place < %s
        ORDER BY place DESC LIMIT %s""",
}
_LAST = 2**63 - 1


def place_of(started: datetime, pk: int) -> int:
    """Where a run stands in time, as one number by which the index itself is sorted."""
    return (int(started.timestamp()) << _BITS) + pk % (1 << _BITS)


class RunTextQuerySet(models.QuerySet["RunText"]):
    """Texts, by what they hold."""

    def holding(self, words: list[str], limit: int, below: int = _LAST) -> list[tuple[int, int]]:
        """Place and run of the newest with these words in a row, of which the last may go on."""
        with connection.cursor() as cursor:
            cursor.execute(_FOUND[connection.vendor], [_phrase(words), below, limit])
            return [(place, run) for place, run in cursor.fetchall()]

    def runs_holding(self, words: list[str], limit: int, below: int) -> RawSQL:
        """The same within another query; all of its text stands above."""
        found = f"SELECT run_id FROM ({_FOUND[connection.vendor]}) AS texts"  # noqa: S608
        return RawSQL(found, [_phrase(words), below, limit])  # noqa: S611


def _phrase(words: list[str]) -> str:
    """The words are letters and digits alone, so that nothing in them is a sign of either."""
    is_sqlite = connection.vendor == "sqlite"
    return f'"{" ".join(words)}" *' if is_sqlite else f"{' <-> '.join(words)}:*"


class RunText(models.Model):
    """Kept of runs that said something; its database finds them by an index of its own kind."""

    place = models.BigIntegerField(primary_key=True)
    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="text")
    words = models.TextField()

    objects = RunTextQuerySet.as_manager()

    class Meta:
        ordering = ["-place"]

    def __str__(self) -> str:
        return str(self.run)
