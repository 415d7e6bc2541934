"""Units of all hosts, and how exposed systemd finds them."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from backups.models import Host, Unit
from backups.queries import standing
from backups.queries.unit_standing import standing_of
from dashboard.forms.units import UnitFilter
from dashboard.http import HttpRequest, render

_PAGE = 50
_NAMED = 10


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    form = UnitFilter(request.GET)
    units = form.apply(Unit.objects.select_related("host", "job").defer("text"))
    page = Paginator(units, _PAGE).get_page(request.GET.get("page"))
    without = Host.objects.enrolled().filter(systemd="")
    context = {
        "form": form,
        "page": page,
        "exposure": standing.exposure(),
        "without_systemd": without[:_NAMED],
        "without_count": without.count(),
    }
    return render(request, "units/index.html", context, partial="units")


@require_safe
def show(request: HttpRequest, host: str, name: str) -> HttpResponse:
    units = Unit.objects.select_related("host", "job")
    unit = get_object_or_404(units, host__name=host, name=name)
    context = {"unit": unit, "host": unit.host, "standing": standing_of(unit)}
    return render(request, "units/show.html", context)
