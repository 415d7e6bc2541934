"""Units of all hosts, and how exposed systemd finds them."""

from dataclasses import replace
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from backups.engines.systemd_dropin import NAME
from backups.engines.systemd_render import commands_for, report, service, timer
from backups.models import Assessment, Host, Unit
from backups.queries import standing
from backups.queries.scores import score_of
from backups.queries.unit_standing import standing_of
from backups.queries.unit_trends import tell_trends
from backups.queries.whatif import WhatIf, addresses_of, what_if
from backups.queries.whole_unit import is_known, left_out_of, plan_of
from dashboard import cells
from dashboard.forms.units import ChoiceForm, UnitFilter
from dashboard.http import HttpRequest, render

_PAGE = 50
_NAMED = 10


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    form = UnitFilter(request.GET)
    living = Unit.objects.filter(host__retired=None)
    units = form.apply(living.select_related("host", "job").defer("text"))
    page = Paginator(units, _PAGE).get_page(request.GET.get("page"))
    tell_trends(page)
    without = Host.objects.enrolled().filter(systemd="")
    context = {
        "form": form,
        "page": page,
        "lines": cells.of_units(page),
        "exposure": standing.exposure(),
        "without_systemd": without[:_NAMED],
        "without_count": without.count(),
    }
    return render(request, "units/index.html", context, partial="units")


@require_safe
def show(request: HttpRequest, host: str, name: str) -> HttpResponse:
    unit = _unit(host, name)
    standing = standing_of(unit)
    form, choice = _choice(request, unit, standing.assessment)
    context = {
        "unit": unit,
        "host": unit.host,
        "standing": standing,
        "choice": choice,
        "form": form,
        "query": request.GET.urlencode(),
    }
    status = 422 if form.errors else 200
    return render(request, "units/show.html", context, partial="choice", status=status)


@require_safe
def dropin(request: HttpRequest, host: str, name: str) -> HttpResponse:
    """The drop-in as a file."""
    form, choice = _choice(request, _unit(host, name))
    if form.errors or not choice.dropin:
        raise Http404
    return _file(choice.dropin, NAME)


@require_safe
def whole(request: HttpRequest, host: str, name: str) -> HttpResponse:
    """A new unit with all that helps, its timer and its report; each also as a file."""
    unit = _unit(host, name)
    form, choice = _choice(request, unit)
    plan = replace(plan_of(unit), addresses=choice.addresses)
    files = {
        f"{plan.name}.service": service(plan),
        f"{plan.name}.timer": timer(plan),
        "resthouse-report@.service": report(plan),
    }
    if asked := request.GET.get("file"):
        if asked not in files:
            raise Http404
        return _file(files[asked], asked)
    scored = score_of(service(plan), name=f"{plan.name}.service")
    context = {
        "unit": unit,
        "host": unit.host,
        "plan": plan,
        "files": files,
        "is_known": is_known(unit),
        "is_too_old": 0 < choice.version < plan.systemd,
        "left_out": left_out_of(unit),
        "scored": scored,
        "form": form,
        "commands": commands_for(plan),
        "query": urlencode({"chosen": 1, "address": " ".join(plan.addresses)}),
    }
    return render(request, "units/whole.html", context, status=422 if form.errors else 200)


def _unit(host: str, name: str) -> Unit:
    units = Unit.objects.select_related("host", "job__last_run")
    return get_object_or_404(units, host__name=host, name=name)


def _choice(
    request: HttpRequest, unit: Unit, assessment: Assessment | None = None
) -> tuple[ChoiceForm, WhatIf]:
    """What was chosen in the address; what cannot be read there is left out."""
    data = request.GET.copy()
    if "chosen" not in data:
        data["address"] = " ".join(addresses_of(unit))
    form = ChoiceForm(data)
    form.is_valid()
    return form, what_if(unit, assessment, asked=form.asked, addresses=form.addresses)


def _file(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
