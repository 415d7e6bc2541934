"""Repositories: what the disks hold."""

from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from backups.models import Repository, Server
from dashboard.http import HttpRequest, render

_PAGE = 50


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    repositories = Repository.objects.filter(is_gone=False).select_related("server")
    context = {
        "page": Paginator(repositories, _PAGE).get_page(request.GET.get("page")),
        "bytes": repositories.aggregate(sum=Sum("bytes"))["sum"] or 0,
        "servers": Server.objects.all(),
    }
    return render(request, "repositories/index.html", context, partial="repositories")
