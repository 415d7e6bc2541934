"""Servers: made, driven, and shown as they run."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups import engines
from backups.actions import servers as actions
from backups.engines.containers import docker_run
from backups.models import Server
from dashboard.forms.servers import ServerForm
from dashboard.http import HttpRequest, render

_VERBS = {"start", "stop", "restart", "remove"}
_CONFIRMED = {"stop", "restart", "remove"}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    context = {"servers": Server.objects.all(), "engine": engines.engine_at().status()}
    return render(request, "servers/index.html", context, partial="servers")


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    form = ServerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        operation = actions.create_server(form.save(commit=False), by=request.user)
        return redirect("servers:show", operation.subject)
    context = {"form": form, "engine": engines.engine_at().status()}
    return render(request, "servers/create.html", context, partial="form", status=_status(form))


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    server = get_object_or_404(Server, name=name)
    context = {
        "server": server,
        "operation": server.operations.first(),
        "docker_run": docker_run(server.spec),
        "is_visible": engines.is_visible(server),
        "user_count": server.users.count(),
        "repositories": server.repositories.filter(is_gone=False),
    }
    return render(request, "servers/show.html", context, partial="server")


@require_POST
def retry(request: HttpRequest, name: str) -> HttpResponse:
    server = get_object_or_404(Server, name=name)
    actions.retry_server(server, by=request.user)
    return redirect(server)


@require_POST
def image(request: HttpRequest, name: str) -> HttpResponse:
    """Build the image here, then go on with the server."""
    server = get_object_or_404(Server, name=name)
    actions.build_image(server, by=request.user)
    return redirect(server)


@require_POST
def forget(request: HttpRequest, name: str) -> HttpResponse:
    server = get_object_or_404(Server, name=name)
    actions.forget_server(server, by=request.user)
    messages.success(request, f"{name} is forgotten. Its data directory stays as it is.")
    return redirect("servers:index")


@require_http_methods(["GET", "POST"])
def drive(request: HttpRequest, name: str, verb: str) -> HttpResponse:
    """Start, stop, restart or remove; all but the start are confirmed first."""
    if verb not in _VERBS:
        raise Http404
    server = get_object_or_404(Server, name=name)
    if request.method == "GET":
        if verb not in _CONFIRMED:
            return redirect(server)
        return render(request, "servers/drive.html", {"server": server, "verb": verb})
    operation = actions.drive_server(server, verb, by=request.user)
    return redirect(operation if verb == "remove" else server)


def _status(form: ServerForm) -> int:
    return 422 if form.is_bound else 200
