"""The overview: what needs somebody, and how every job stands."""

from django.db.models import Q
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from backups.models import ContainerEngine, Host, Job, Repository, Server, Unit, User
from backups.queries import standing
from backups.queries.ledger import ledger_of
from backups.queries.need import Need
from backups.queries.needs import needs
from dashboard import cells
from dashboard.context import house_of
from dashboard.http import HttpRequest, render

_NEEDS_SHOWN = 7
_JOBS_SHOWN = 12
_FEW = 4
_REPOSITORY = ("path", "bytes", "snapshot_count", "last_arrived", "server__name")


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    if not Job.objects.exists():
        return _first_steps(request)
    jobs, need_count = standing.jobs(), house_of(request).needs
    lines = ledger_of(Job.objects.backing_up().worst_first()[:_JOBS_SHOWN])
    context = {
        "headline": standing.headline(jobs, need_count),
        "needs": needs(_NEEDS_SHOWN) if need_count else [],
        "need_count": need_count,
        "jobs": jobs,
        "lines": lines,
        "cells": cells.of_jobs(lines, is_calm=not need_count),
        "more_count": jobs.count - len(lines),
        **_beside(),
    }
    return render(request, "overview/index.html", context, partial="overview")


def _beside() -> dict[str, object]:
    """What stands around the ledger: the rail, the units, the disks."""
    units = Unit.objects.filter(exposure__isnull=False).alias(is_right=Q(finding=""))
    shown = ("name", "exposure", "level", "finding", "assessed", "host__name", "host__systemd")
    units = units.select_related("host").only(*shown)
    repositories = Repository.objects.filter(is_gone=False).select_related("server")
    repositories = repositories.only(*_REPOSITORY)
    return {
        "running": standing.running_now(_FEW),
        "servers": standing.servers(),
        "certificates": standing.certificates(),
        "exposure": standing.exposure(),
        "worst_units": units.order_by("is_right", "-exposure", "host__name")[:_FEW],
        "disks": standing.disks(),
        "largest": repositories.order_by("-bytes")[:_FEW],
    }


def _first_steps(request: HttpRequest) -> HttpResponse:
    """A house without a backup: the one next step, and the two after it."""
    server = Server.objects.lasting().first()
    context = {
        "engine": ContainerEngine.objects.here(),
        "server": server,
        "needs": [need for need in needs(_FEW) if _is_beside(need, server)],
        "operation": server.operations.first() if server else None,
        "users": list(User.objects.filter(disabled=None).select_related("server")[:_FEW]),
        "hosts": list(Host.objects.order_by("-enrolled", "-created")[:_FEW]),
    }
    return render(request, "overview/empty.html", context, partial="overview")


def _is_beside(need: Need, server: Server | None) -> bool:
    """What the steps themselves do not tell."""
    return server is None or server.is_live or need.name != server.name
