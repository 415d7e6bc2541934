"""Accepted risks: all of them, one more, one less, and what they mean for scores and a month."""

import csv

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups.actions import risks as actions
from backups.models import AcceptedRisk, Unit
from backups.queries.hardening_rows import COULD
from backups.queries.policy import Month, month_of, policy_json, report_of
from backups.queries.unit_standing import standing_of
from dashboard.forms.risks import RiskForm
from dashboard.http import HttpRequest, render


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    risks = AcceptedRisk.objects.select_related("unit__host")
    return render(request, "risks/index.html", {"risks": risks})


@require_safe
def policy(request: HttpRequest) -> HttpResponse:
    """What holds for every unit, as a file for --security-policy."""
    text = policy_json(AcceptedRisk.objects.of_the_house().in_force())
    response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = 'attachment; filename="resthouse-security.policy"'
    return response


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest, host: str, name: str) -> HttpResponse:
    units = Unit.objects.select_related("host", "job")
    unit = get_object_or_404(units, host__name=host, name=name)
    rows = standing_of(unit).open_rows
    form = RiskForm(request.POST or None, unit=unit, fields=rows or sorted(COULD))
    if request.method == "POST" and form.is_valid() and form.save(by=request.user):
        messages.success(request, "The risk is accepted, and the house's policy leaves it out.")
        return redirect(unit)
    context = {"unit": unit, "host": unit.host, "form": form}
    status = 422 if form.errors else 200
    return render(request, "risks/create.html", context, status=status)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    risk = get_object_or_404(AcceptedRisk.objects.select_related("unit__host"), pk=pk)
    actions.take_back_risk(risk, by=request.user)
    messages.success(request, f"{risk.field} counts again.")
    return redirect("risks:index")


@require_safe
def month(request: HttpRequest) -> HttpResponse:
    """The report for a month, as a page or as a table for other programs."""
    start, end = month_of(request.GET.get("month", ""))
    report = report_of(start, end)
    if request.GET.get("format") == "csv":
        return _csv(report.months, f"hardening-{start:%Y-%m}.csv")
    context = {"report": report, "start": start, "is_over": end <= timezone.now()}
    return render(request, "risks/month.html", context)


def _csv(months: list[Month], name: str) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(["host", "unit", "before", "after", "scorings", "accepted", "finding"])
    for each in months:
        ends = [f"{end.exposure / 10:.1f}" if end else "" for end in (each.first, each.last)]
        unit = each.unit
        row = [unit.host.name, unit.name, *ends, each.scorings, each.risks, unit.finding]
        writer.writerow([_harmless(str(cell)) for cell in row])
    return response


def _harmless(cell: str) -> str:
    """What a spreadsheet would take for a formula is text."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
