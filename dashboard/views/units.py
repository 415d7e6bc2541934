"""Hardening: the units of all hosts and how exposed systemd finds them."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from backups.engines.systemd import Row
from backups.models import Unit
from dashboard.http import HttpRequest, render

_PAGE = 50


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    units = Unit.objects.select_related("host").order_by("-exposure", "host__name", "name")
    page = Paginator(units, _PAGE).get_page(request.GET.get("page"))
    scores = list(Unit.objects.filter(exposure__isnull=False).values_list("exposure", flat=True))
    context = {"page": page, "scores": scores}
    return render(request, "units/index.html", context, partial="units")


@require_safe
def show(request: HttpRequest, host: str, name: str) -> HttpResponse:
    unit = get_object_or_404(Unit.objects.select_related("host"), host__name=host, name=name)
    assessment = unit.assessments.first()
    rows = [Row(row[0], row[0], *row[1:]) for row in assessment.rows] if assessment else []
    context = {
        "unit": unit,
        "assessment": assessment,
        "history": list(unit.assessments.all()[:50])[::-1],
        "rows": sorted(rows, key=lambda row: -row.badness * row.weight / row.range),
    }
    return render(request, "units/show.html", context)
