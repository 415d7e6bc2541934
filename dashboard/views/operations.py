"""Operations: one long piece of work, while it goes on and after."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from backups.models import Operation
from dashboard.http import HttpRequest, render


@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    operation = get_object_or_404(Operation.objects.select_related("server"), pk=pk)
    return render(request, "operations/show.html", {"operation": operation}, partial="operation")
