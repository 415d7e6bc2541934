"""Runs: the history of every job."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from backups.models import Run
from dashboard.forms.runs import RunFilter
from dashboard.http import HttpRequest, render
from dashboard.keyset import keyset_of, keyset_text

_PAGE = 50


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    form = RunFilter(request.GET)
    runs = form.apply(Run.objects.select_related("job__host", "receipt__repository"))
    if before := keyset_of(request.GET.get("before", "")):
        runs = runs.before(*before)
    page = list(runs[: _PAGE + 1])
    older = keyset_text(page[_PAGE - 1].started, page[_PAGE - 1].pk) if len(page) > _PAGE else ""
    context = {"runs": page[:_PAGE], "form": form, "older": older}
    return render(request, "runs/index.html", context, partial="runs")


@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    runs = Run.objects.select_related("job__host", "job__unit", "receipt__repository__server")
    return render(request, "runs/show.html", {"run": get_object_or_404(runs, pk=pk)}, partial="run")
