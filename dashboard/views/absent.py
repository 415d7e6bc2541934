"""Pages that a library brings along and that this house does not have."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse


@login_not_required
def show(request: HttpRequest) -> HttpResponse:
    raise Http404
