"""What a server is told, and what it is made of: changed after a look at the difference."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from backups import engines
from backups.models import Server
from dashboard.forms.options import OptionsForm, UpgradeForm
from dashboard.http import HttpRequest, in_place_of_the_page, render


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, name: str) -> HttpResponse:
    """The options, then what would change, then the change."""
    server = get_object_or_404(Server, name=name)
    form = OptionsForm(server, request.POST or None)
    if request.method == "POST" and form.is_valid():
        if "confirmed" in request.POST:
            form.save(by=request.user)
            return redirect(server)
        context: dict[str, Any] = {"server": server, "form": form}
        context["differences"] = form.differences()
        return in_place_of_the_page(render(request, "servers/difference.html", context))
    context = {"server": server, "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "servers/change.html", context, partial="form", status=status)


@require_http_methods(["GET", "POST"])
def upgrade(request: HttpRequest, name: str) -> HttpResponse:
    server = get_object_or_404(Server, name=name)
    form = UpgradeForm(server, request.POST or None)
    if request.method == "POST" and form.is_valid() and form.save(by=request.user):
        return redirect(server)
    context = {"server": server, "form": form, "uploads": _uploads_of(server)}
    status = 422 if form.is_bound else 200
    return render(request, "servers/upgrade.html", context, partial="form", status=status)


def _uploads_of(server: Server) -> int | None:
    """Where the folder is seen; through the engine it would take too long for a page."""
    return engines.uploads_of(server) if engines.is_visible(server) else None
