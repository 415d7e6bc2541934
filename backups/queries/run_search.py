"""Runs by a text: the beginning of a snapshot's name, or words of what the run said."""

import re
from datetime import datetime

from backups.engines.run_words import asked_for
from backups.models import Run, RunText
from backups.models.run_texts import place_of
from backups.models.runs import RunQuerySet

_SNAPSHOT = re.compile(r"[0-9a-f]{6,64}")
# Where nothing else is asked, the first places are the page; what fits hardly any of very many
# texts is looked for among so many of them for each page.
_MOST = 20_000
_MOST_SNAPSHOTS = 200


def page_of(
    runs: RunQuerySet, text: str, before: tuple[datetime, int] | None, count: int
) -> list[Run]:
    """The newest of these runs that hold the text, from a place on."""
    snapshot = text.strip().lower()
    if _SNAPSHOT.fullmatch(snapshot):
        # As a range and by itself: the index answers that, but neither LIKE nor with an order.
        named = Run.objects.filter(snapshot_id__gte=snapshot, snapshot_id__lt=f"{snapshot}g")
        pks = list(named.order_by().values_list("pk", flat=True)[:_MOST_SNAPSHOTS])
        made = runs.filter(pk__in=pks)
        if found := list((made.before(*before) if before else made)[:count]):
            return found
    words = asked_for(text)
    return _holding(runs, words, before, count) if words else []


def _holding(
    runs: RunQuerySet, words: list[str], before: tuple[datetime, int] | None, count: int
) -> list[Run]:
    """By their places, as the index has them: the second, then the number."""
    below = [place_of(*before)] if before else []
    places = RunText.objects.holding(words, count, *below)
    shown = runs.in_bulk([run for _, run in places])
    found = [pk for _, pk in places if pk in shown]
    if len(found) < count and places:
        rest = RunText.objects.runs_holding(words, _MOST, places[-1][0])
        others = runs.filter(pk__in=rest).order_by().values_list("started", "pk")
        found += [pk for _, pk in sorted(((place_of(*at), at[1]) for at in others), reverse=True)]
    found = found[:count]
    shown |= runs.in_bulk([pk for pk in found if pk not in shown])
    return [shown[pk] for pk in found if pk in shown]
