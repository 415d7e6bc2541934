"""The words of runs, written down when a run has ended."""

from typing import Any

from backups.engines.run_words import words_of
from backups.models import Run, RunText
from backups.models.run_texts import place_of


def write_text(run: Run, *, is_new: bool) -> None:
    """Of a run that ended; most that went well said nothing, and cost nothing here."""
    if not is_new:
        # A later word of it may have another start, and so another place.
        RunText.objects.filter(run=run).delete()
    if text := text_of(run, RunText):
        text.save(force_insert=True)


def text_of(run: Any, model: Any) -> Any:
    """The row for what it wrote and what it came to; None where that is nothing."""
    meaning = [] if run.status == Run.Status.SUCCEEDED else [run.reason]
    errors = [f"{item} {message}" for item, message in run.errors]
    words = words_of([*meaning, *run.log.split("\n"), *errors])
    return model(place=place_of(run.started, run.pk), run_id=run.pk, words=words) if words else None
