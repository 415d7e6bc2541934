"""Imports and exports: many users at once, as the lines of `.htpasswd`."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from backups.actions import users_import as actions
from backups.actions.users_import import ImportPlan
from backups.models import Server
from dashboard.forms.imports import ImportForm
from dashboard.forms.meant import NameForm
from dashboard.http import HttpRequest, in_place_of_the_page, render
from dashboard.uploads import of_any_size
from dashboard.views.users import index_of


def _too_large(request: HttpRequest) -> HttpResponse:
    return _ask(request, _server_of(request), ImportForm({}, is_too_large=True))


@of_any_size(_too_large)
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Text, then what it would change, then the change."""
    server = _server_of(request)
    if request.method == "GET":
        return _ask(request, server, ImportForm())
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _ask(request, server, form)
    text = form.cleaned_data["lines"]
    if "confirmed" not in request.POST:
        return _preview(request, server, text)
    return _import(request, server, text)


@require_http_methods(["GET", "POST"])
def export(request: HttpRequest) -> HttpResponse:
    """The file as it is, hashes included: asked for by name, and written into the book."""
    server = _server_of(request)
    form = NameForm(server, request.POST or None)
    if request.method == "POST" and form.is_valid():
        response = HttpResponse(
            actions.export_users(server, by=request.user), content_type="text/plain; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="{server}.htpasswd"'
        response["Cache-Control"] = "no-store"
        return response
    context = {"server": server, "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "users/export.html", context, partial="form", status=status)


def _ask(request: HttpRequest, server: Server, form: ImportForm) -> HttpResponse:
    context: dict[str, Any] = {"server": server, "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "users/import.html", context, partial="form", status=status)


def _preview(request: HttpRequest, server: Server, text: str) -> HttpResponse:
    plan = actions.preview_import(server, text)
    context = {"server": server, "text": text, "plan": plan, **_words_of(plan)}
    response = in_place_of_the_page(render(request, "users/import_preview.html", context))
    response["Cache-Control"] = "no-store"
    return response


def _import(request: HttpRequest, server: Server, text: str) -> HttpResponse:
    chosen = frozenset(request.POST.getlist("replace"))
    plan = actions.import_users(server, text, by=request.user, replace=chosen)
    added, changed = len(plan.added), sum(line.name in chosen for line in plan.changed)
    said = f"{added} user{'s' * (added != 1)} added, {changed} with another password."
    messages.success(request, said)
    return redirect(index_of(server))


def _words_of(plan: ImportPlan) -> dict[str, str]:
    added, changed = len(plan.added), len(plan.changed)
    users = f"{added} user{'s' * (added != 1)}"
    if not added:
        headline = f"{changed} could get another password" if changed else "No line brings anything"
        return {"headline": headline, "button": "Take the ticked"}
    return {
        "headline": f"{users} would be added",
        "button": f"Import {users}" + (" and the ticked" if changed else ""),
    }


def _server_of(request: HttpRequest) -> Server:
    return get_object_or_404(Server, name=request.GET.get("server", ""))
