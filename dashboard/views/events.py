"""Events: who did what, when, with what result."""

from itertools import groupby

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from backups.models import Event
from dashboard import cells
from dashboard.http import HttpRequest, render
from dashboard.keyset import keyset_of, keyset_text

_PAGE = 50


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    events = Event.objects.all()
    if before := keyset_of(request.GET.get("before", "")):
        events = events.before(*before)
    page = list(events[: _PAGE + 1])
    older = keyset_text(page[_PAGE - 1].at, page[_PAGE - 1].pk) if len(page) > _PAGE else ""
    by_day = groupby(page[:_PAGE], lambda event: timezone.localtime(event.at).date())
    days = [(day, list(events_of_day)) for day, events_of_day in by_day]
    context = {
        "days": days,
        "ledger": [(day, len(of_day), cells.of_events(of_day)) for day, of_day in days],
        "newest": next(iter(page), None),
        "older": older,
        "is_first": before is None,
    }
    return render(request, "events/index.html", context, partial="events")
