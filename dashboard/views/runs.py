"""Runs: the history of every job."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from backups.models import Run
from backups.queries import standing
from backups.queries.book import days_of_runs
from backups.queries.remedies import remedy_of_run
from backups.queries.usual import measures_of
from backups.queries.witnesses import witnesses_of
from dashboard import cells
from dashboard.forms.runs import RunFilter
from dashboard.http import HttpRequest, render
from dashboard.keyset import keyset_of, keyset_text

_PAGE = 50


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    form = RunFilter(request.GET)
    before = keyset_of(request.GET.get("before", ""))
    page = form.page(Run.objects.listed(), before, _PAGE + 1)
    has_older, shown = len(page) > _PAGE, page[:_PAGE]
    days = days_of_runs(shown, is_first=not before, is_last=not has_older, is_all=form.is_empty)
    context = {
        "form": form,
        "jobs": standing.jobs(),
        "days": days,
        "ledger": [(day, cells.of_runs(day.entries)) for day in days],
        "older": keyset_text(shown[-1].started, shown[-1].pk) if has_older else "",
        "is_first": not before,
    }
    return render(request, "runs/index.html", context, partial="runs")


@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    runs = Run.objects.select_related(
        "job__host", "job__unit", "job__repository__server", "receipt__repository__server"
    )
    run = get_object_or_404(runs, pk=pk)
    context = {
        "run": run,
        "witnesses": witnesses_of(run),
        "measures": measures_of(run),
        "remedy": remedy_of_run(run),
        "earlier": run.job.runs.before(run.started, run.pk).defer("log", "errors").first(),
        "later": run.job.runs.after(run.started, run.pk).defer("log", "errors").first(),
    }
    return render(request, "runs/show.html", context, partial="run")
