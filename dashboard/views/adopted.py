"""Containers of others: found, looked at, and adopted as they run; or ours, as others left them."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from backups.actions import adopting as actions
from backups.actions.servers import validation_sentence
from backups.engines.errors import EngineError
from backups.models import Server
from dashboard.forms.adopted import AdoptForm, CandidateForm
from dashboard.http import HttpRequest, render
from dashboard.words import settings_of


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """The containers that there are; then one of them, with what is to be known; then a server."""
    asked = CandidateForm(request.GET)
    is_right = asked.is_valid()
    engine, name = (asked.cleaned_data.get(field, "") for field in ("engine", "container"))
    form = AdoptForm(request.POST or None)
    is_asked = request.method == "POST" and bool(name) and form.is_valid()
    if is_asked and (server := _adopt(request, form, name, engine)):
        return redirect(server)
    context: dict[str, Any] = {"asked": asked, "form": form, "engine": engine, "name": name}
    try:
        # What was asked wrongly is said beside its field.
        context |= _seen(name, engine) if is_right else {}
    except EngineError as error:
        context["refusal"] = str(error)
    status = 422 if form.is_bound or "refusal" in context or not is_right else 200
    return render(request, "servers/adopted.html", context, status=status)


def _seen(name: str, engine: str) -> dict[str, Any]:
    if not name:
        return {"candidates": actions.find_candidates(engine)}
    candidate = actions.read_candidate(name, engine)
    return {"candidate": candidate, "settings": settings_of(candidate.server)}


def _adopt(request: HttpRequest, form: AdoptForm, name: str, engine: str) -> Server | None:
    """None, with the reason in the form, where it cannot be a server."""
    try:
        server, _ = actions.adopt_container(
            name, engine=engine, public_name=form.cleaned_data["public_name"], by=request.user
        )
    except ValidationError as error:
        form.add_error(None, validation_sentence(error))
        return None
    except EngineError as error:
        form.add_error(None, str(error))
        return None
    messages.success(request, f"{server} is adopted. Nothing of its container was changed.")
    return server


@require_POST
def adopt_drift(request: HttpRequest, name: str) -> HttpResponse:
    server = get_object_or_404(Server, name=name)
    try:
        actions.adopt_drift(server, by=request.user)
    except ValidationError as error:
        raise EngineError(validation_sentence(error)) from error
    messages.success(request, f"{server} is wanted as it runs now.")
    return redirect(server)


@require_POST
def put_back(request: HttpRequest, name: str) -> HttpResponse:
    server = get_object_or_404(Server, name=name)
    actions.put_back(server, by=request.user)
    return redirect(server)
