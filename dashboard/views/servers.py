"""Servers: made, driven, and shown as they run."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups import engines
from backups.actions import servers as actions
from backups.engines.container_compose import compose
from backups.engines.containers import docker_run
from backups.models import ContainerEngine, Event, Operation, Repository, Server
from backups.queries.samples import usage_of
from dashboard.forms.servers import EraseForm, ServerForm
from dashboard.http import HttpRequest, render
from dashboard.words import settings_of, word_of_server

_VERBS = {"start", "stop", "restart", "remove"}
_EVENTS = 6


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    rows = [
        (server, word_of_server(server, _open_of(server)))
        for server in _servers().filter(window_of=None)
    ]
    context = {
        "rows": rows,
        "live_count": sum(server.is_live for server, _ in rows),
        "bytes": sum(server.bytes or 0 for server, _ in rows),
        "user_count": sum(server.user_count for server, _ in rows),
        "engine": ContainerEngine.objects.here(),
        "others": ContainerEngine.objects.elsewhere(),
    }
    return render(request, "servers/index.html", context, partial="servers")


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    form = ServerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        operation = actions.create_server(form.save(commit=False), by=request.user)
        return redirect("servers:show", operation.subject)
    context = {"form": form, "engine": ContainerEngine.objects.here()}
    status = 422 if form.is_bound else 200
    return render(request, "servers/create.html", context, partial="form", status=status)


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    server = get_object_or_404(_servers(), name=name)
    if server.window_of is not None:
        return redirect(server.window_of)
    operation = server.operations.first()
    context = {
        "server": server,
        "operation": operation,
        "word": word_of_server(server, operation),
        "settings": settings_of(server),
        "docker_run": docker_run(server.spec, is_public=True),
        "compose": compose(server.spec, is_public=True),
        "is_visible": engines.is_visible(server),
        "certificate": server.certificates.served().first(),
        "started": _started(server),
        "usage": usage_of(server),
        **_window_of(server),
        "events": Event.objects.filter(noun="server", name=server.name)[:_EVENTS],
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


@require_http_methods(["GET", "POST"])
def forget(request: HttpRequest, name: str) -> HttpResponse:
    server = get_object_or_404(Server, name=name)
    if request.method == "GET":
        return render(request, "servers/forget.html", _confirmation(server, "forget"))
    actions.forget_server(server, by=request.user)
    messages.success(request, f"{name} is forgotten. Its data directory stays as it is.")
    return redirect("servers:index")


@require_http_methods(["GET", "POST"])
def erase(request: HttpRequest, name: str) -> HttpResponse:
    """The data of a removed server, once its name was typed."""
    server = get_object_or_404(Server, name=name)
    form = EraseForm(server, request.POST or None)
    if request.method == "POST" and form.is_valid():
        operation = actions.erase_server(server, form.cleaned_data["typed"], by=request.user)
        return redirect(operation)
    context = _confirmation(server, "erase") | {
        "form": form,
        "title": f"Delete all backups of {server}?",
        "button": "Delete all of it for ever",
    }
    status = 422 if form.is_bound else 200
    return render(request, "servers/erase.html", context, status=status)


@require_http_methods(["GET", "POST"])
def drive(request: HttpRequest, name: str, verb: str) -> HttpResponse:
    """Start, stop, restart or remove; all but the start are confirmed first."""
    if verb not in _VERBS:
        raise Http404
    server = get_object_or_404(Server, name=name)
    if request.method == "GET":
        if verb == "start":
            return redirect(server)
        return render(request, "servers/drive.html", _confirmation(server, verb))
    operation = actions.drive_server(server, verb, by=request.user)
    return redirect(operation if verb == "remove" else server)


def _confirmation(server: Server, verb: str) -> dict[str, Any]:
    return {
        "server": server,
        "verb": verb,
        "title": f"{verb.capitalize()} {server}?",
        "button": f"{verb.capitalize()} {server}",
        "cancel": server.get_absolute_url(),
    }


def _window_of(server: Server) -> dict[str, Any]:
    """The open window, and the lines that use it."""
    window = server.windows.first()
    if window is None:
        return {}
    repository = f"rest:http://USER:PASSWORD@127.0.0.1:{window.port}/USER/"
    return {
        "window": window,
        "prune": f"restic -r {repository} forget --keep-within 1y --prune",
        "tunnel": f"ssh -N -L {window.port}:127.0.0.1:{window.port} {server.public_name or 'HOST'}",
    }


def _started(server: Server) -> datetime | None:
    text = server.seen.get("started", "")
    return datetime.fromisoformat(text) if text else None


def _servers() -> QuerySet[Any]:
    """With their sums, and the operation that is still open."""
    on_disk = Repository.objects.filter(server=OuterRef("pk"), is_gone=False)
    by_server = on_disk.order_by().values("server")
    return Server.objects.annotate(
        user_count=Count("users"),
        repository_count=Subquery(by_server.annotate(count=Count("pk")).values("count")),
        bytes=Subquery(by_server.annotate(sum=Sum("bytes")).values("sum")),
    ).prefetch_related(Prefetch("operations", Operation.objects.open(), to_attr="open_operations"))


def _open_of(server: Any) -> Operation | None:
    return next(iter(server.open_operations), None)
