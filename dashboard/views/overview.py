"""The overview: what needs somebody, and how every job stands."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from backups import engines
from backups.days import days_of
from backups.models import Job, Run, Server, Unit
from backups.needs import needs
from dashboard.http import HttpRequest, render

_JOBS_SHOWN = 12


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    if not Job.objects.exists():
        return _first_steps(request)
    jobs = Job.objects.backing_up().select_related("host", "last_run", "unit").worst_first()
    shown = list(jobs[:_JOBS_SHOWN])
    days = days_of(shown)
    context = {
        "needs": needs(),
        "rows": [(job, days[job.pk]) for job in shown],
        "job_count": jobs.count(),
        "fine_count": jobs.filter(state=Job.State.OK).count(),
        "running": Run.objects.running().select_related("job__host")[:6],
        "servers": Server.objects.all(),
        "units": Unit.objects.filter(exposure__isnull=False).select_related("host"),
    }
    return render(request, "overview/index.html", context, partial="overview")


def _first_steps(request: HttpRequest) -> HttpResponse:
    """A house without a backup: the one next step, and the two after it."""
    context = {
        "engine": engines.engine_at().status(),
        "server": Server.objects.first(),
        "has_users": Server.objects.filter(users__isnull=False).exists(),
    }
    return render(request, "overview/empty.html", context, partial="overview")
