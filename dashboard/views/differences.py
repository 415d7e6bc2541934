"""Differences: what somebody changed in `.htpasswd` by hand, adopted or undone by choice."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from backups.actions import users_reconcile as actions
from backups.models import Server
from dashboard.http import HttpRequest
from dashboard.views.users import index_of


@require_POST
def adopt(request: HttpRequest) -> HttpResponse:
    server, name = _asked(request)
    actions.adopt_difference(server, name, by=request.user)
    messages.success(request, f"{name} stays as it stands in the file.")
    return redirect(index_of(server))


@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Of a damaged file, which has no name: all of it."""
    server, name = _asked(request)
    actions.undo_difference(server, name, by=request.user)
    thing = name or "The users file"
    messages.success(request, f"{thing} is as it was before the hand edit.")
    return redirect(index_of(server))


@require_POST
def mend(request: HttpRequest) -> HttpResponse:
    server, _ = _asked(request)
    actions.mend_users(server, request.POST.get("digest", ""), by=request.user)
    messages.success(request, f"The users file is mended, and {server} reads it again.")
    return redirect(index_of(server))


def _asked(request: HttpRequest) -> tuple[Server, str]:
    server = get_object_or_404(Server, name=request.POST.get("server", ""))
    return server, request.POST.get("name", "")
