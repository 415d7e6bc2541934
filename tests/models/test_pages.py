"""Pages of long histories: together they are the whole, in its order, each row once."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backups.models import Event, Job, Run
from dashboard.keyset import keyset_of, keyset_text
from tests.factories import make_event, make_job, make_run

FIRST = datetime(2026, 11, 23, tzinfo=UTC)


def runs_at(job: Job, moments: list[datetime]) -> None:
    for moment in moments:
        make_run(job, started=moment)


def events_at(job: Job, moments: list[datetime]) -> None:
    for moment in moments:
        event = make_event()
        Event.objects.filter(pk=event.pk).update(at=moment)


def pages(model: type[Model], moment: str, size: int) -> Iterator[list[Any]]:
    """As a person turns them: the place to go on from travels in the address."""
    rows = list(model.objects.all()[:size])
    while rows:
        yield rows
        last = rows[-1]
        place = keyset_of(keyset_text(getattr(last, moment), last.pk))
        assert place is not None
        rows = list(model.objects.before(*place)[:size])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "moment", "write"), [(Run, "started", runs_at), (Event, "at", events_at)]
)
@given(seconds=st.lists(st.integers(0, 5), max_size=14), size=st.integers(1, 5))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_pages_together_are_the_whole(
    model: type[Model],
    moment: str,
    write: Callable[[Job, list[datetime]], None],
    seconds: list[int],
    size: int,
) -> None:
    model.objects.all().delete()
    write(make_job(), [FIRST + timedelta(seconds=number) for number in seconds])

    turned = [row for page in pages(model, moment, size) for row in page]

    assert turned == list(model.objects.all())
    assert len(turned) == len(seconds)


MOMENTS = st.datetimes(timezones=st.timezones()).map(datetime.isoformat)


@pytest.mark.django_db
@given(st.text(max_size=40) | st.tuples(MOMENTS, st.integers().map(str)).map("_".join))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_address_is_a_page(text: str) -> None:
    if place := keyset_of(text):
        assert list(Run.objects.before(*place)) == []
