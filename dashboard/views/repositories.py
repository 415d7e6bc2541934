"""Repositories: what the disks hold."""

from collections.abc import Iterable

from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from backups.models import Repository, Server, User
from dashboard import cells
from dashboard.forms.repositories import RepositoryFilter
from dashboard.http import HttpRequest, render

_PAGE = 50


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    form = RepositoryFilter(request.GET)
    every = Repository.objects.filter(is_gone=False)
    found = form.apply(every.select_related("server"))
    page = Paginator(found, _PAGE).get_page(request.GET.get("page"))
    count = every.count()
    context = {
        "form": form,
        "page": page,
        "rows": (rows := _with_owners(page)),
        "lines": cells.of_repositories(rows),
        "count": count,
        "counted": _counted(page.paginator.count, count),
        "bytes": every.aggregate(sum=Sum("bytes"))["sum"] or 0,
        "bytes_found": found.aggregate(sum=Sum("bytes"))["sum"] or 0,
        "servers": list(Server.objects.lasting()),
        "unseen": Server.objects.lasting().made().filter(scanned=None),
    }
    return render(request, "repositories/index.html", context, partial="repositories")


def _with_owners(page: Iterable[Repository]) -> list[tuple[Repository, bool]]:
    """Each with whether there is a user of its name."""
    page = list(page)
    names = {repository.user_name for repository in page}
    known = set(User.objects.filter(name__in=names).values_list("server", "name"))
    return [
        (repository, (repository.server_id, repository.user_name) in known) for repository in page
    ]


def _counted(found: int, count: int) -> str:
    noun = "repository" if count == 1 else "repositories"
    return f"{count} {noun}" if found == count else f"{found} of {count} {noun}"
