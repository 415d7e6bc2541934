"""Maintenance windows: opened for a time, made longer, closed before it is over."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from backups.actions import windows as actions
from backups.models import Server
from dashboard.forms.windows import WindowForm
from dashboard.http import HttpRequest, render

_LONGER = timedelta(minutes=30)


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest, name: str) -> HttpResponse:
    server = get_object_or_404(Server.objects.lasting(), name=name)
    form = WindowForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        span = timedelta(minutes=int(form.cleaned_data["minutes"]))
        actions.open_window(server, span, by=request.user)
        return redirect(server)
    context = {
        "server": server,
        "form": form,
        "title": f"Open a maintenance window for {server}?",
        "button": "Open the window",
        "cancel": server.get_absolute_url(),
    }
    return render(request, "servers/window_open.html", context)


@require_POST
def extend(request: HttpRequest, name: str) -> HttpResponse:
    window = get_object_or_404(Server.objects.exclude(window_of=None), window_of__name=name)
    actions.extend_window(window, _LONGER, by=request.user)
    messages.success(request, "The window stays open for 30 minutes more.")
    return redirect(window.window_of or window)


@require_POST
def close(request: HttpRequest, name: str) -> HttpResponse:
    window = get_object_or_404(Server.objects.exclude(window_of=None), window_of__name=name)
    server = window.window_of or window
    actions.close_window(window, by=request.user)
    messages.success(request, "The window closes as soon as uploads under way have ended.")
    return redirect(server)
