"""Events: who did what, when, with what result."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from backups.models import Event
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
    context = {"events": page[:_PAGE], "older": older}
    return render(request, "events/index.html", context, partial="events")
