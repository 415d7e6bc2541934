"""Operations: one long piece of work, while it goes on and after."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from backups.models import Operation
from dashboard.http import HttpRequest, render
from dashboard.words import word_of_operation


@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    operation = get_object_or_404(Operation.objects.select_related("server"), pk=pk)
    context = {"operation": operation, "word": word_of_operation(operation)}
    return render(request, "operations/show.html", context, partial="operation")
