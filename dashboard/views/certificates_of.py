"""The certificates of one server: brought or made, shown by its port, and taken back."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups.actions.certificates_apply import former_certificate, roll_back
from backups.actions.handshakes import adopt_shown, put_files_back
from backups.actions.renewals import (
    RENEW_BEFORE,
    renew_certificate,
    unwatch_directory,
    watch_directory,
)
from backups.engines.errors import EngineError
from backups.models import (
    Authority,
    Certificate,
    Handshake,
    Operation,
    Server,
    SigningRequest,
    Watch,
)
from backups.queries.trust import clients_of, names_of, system_store
from dashboard.forms.certificates import (
    TOO_LARGE,
    ApplyForm,
    LineForm,
    MakeForm,
    UploadForm,
    WatchForm,
)
from dashboard.http import HttpRequest, render
from dashboard.uploads import of_any_size
from dashboard.views.certificates import download
from dashboard.words import word_of_operation

_KINDS = (Operation.Kind.APPLY_CERTIFICATE, Operation.Kind.CHANGE_SERVER)


@require_safe
def show(request: HttpRequest, server: str) -> HttpResponse:
    of = get_object_or_404(Server, name=server)
    served = of.certificates.served().first() if of.has_tls else None
    operation = of.operations.filter(kind__in=_KINDS).first()
    context = {
        "server": of,
        "served": served,
        "is_ending": bool(served and served.left < RENEW_BEFORE),
        "handshake": Handshake.objects.filter(server=of).first() if of.has_tls else None,
        "operation": operation,
        "word": word_of_operation(operation) if operation else None,
        "clients": clients_of(of, served.chain if served else "", system_store()),
        "former": former_certificate(of),
        "certificates": of.certificates.order_by("-created"),
        "requests": of.signing_requests.filter(answer=None),
        "watch": Watch.objects.filter(server=of).first(),
        "authority": Authority.objects.current(),
    }
    return render(request, "certificates/server.html", context, partial="certificate")


def _too_large(request: HttpRequest, server: str) -> HttpResponse:
    form = UploadForm(get_object_or_404(Server, name=server), {"text": ""})  # type: ignore[arg-type]
    form.is_valid()
    form.errors.clear()
    form.add_error(None, TOO_LARGE)
    return _new(request, form.server, upload=form)


@of_any_size(_too_large, is_secret=True)
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest, server: str) -> HttpResponse:
    """Bring one, which is kept when it has no error; nothing of it stands in any page."""
    of = get_object_or_404(Server, name=server)
    if request.method == "GET":
        return _new(request, of)
    form = UploadForm(of, request.POST, request.FILES)
    if form.is_valid() and (certificate := form.save(by=request.user)):
        return redirect(certificate)
    return _new(request, of, upload=form)


@require_POST
def make(request: HttpRequest, server: str) -> HttpResponse:
    of = get_object_or_404(Server, name=server)
    form = MakeForm(of, request.POST)
    if not form.is_valid() or (made := form.save(by=request.user)) is None:
        return _new(request, of, make=form)
    if isinstance(made, SigningRequest):
        messages.success(request, "The request is made. Have it signed, then bring the answer.")
        return redirect("certificates:server", server)
    return redirect(made)


@require_POST
def watch(request: HttpRequest, server: str) -> HttpResponse:
    of = get_object_or_404(Server, name=server)
    form = WatchForm(request.POST)
    if form.is_valid():
        try:
            watch_directory(of, form.cleaned_data["directory"], by=request.user)
        except EngineError as error:
            form.add_error("directory", str(error))
        else:
            messages.success(request, "A new pair in that folder is applied by itself from now on.")
            return redirect("certificates:server", server)
    return _new(request, of, watch=form)


@require_POST
def unwatch(request: HttpRequest, server: str) -> HttpResponse:
    unwatch_directory(get_object_or_404(Server, name=server), by=request.user)
    return redirect("certificates:server", server)


@require_POST
def renew(request: HttpRequest, server: str) -> HttpResponse:
    of = get_object_or_404(Server, name=server)
    served = get_object_or_404(Certificate.objects.served(), server=of)
    renew_certificate(served, by=request.user)
    return redirect("certificates:server", server)


@require_POST
def adopt(request: HttpRequest, server: str) -> HttpResponse:
    found = adopt_shown(get_object_or_404(Server, name=server), by=request.user)
    if found:
        messages.success(request, f"{found} is what {server} is known to show from now on.")
    else:
        messages.error(request, "The files do not hold what the port shows: nothing is adopted.")
    return redirect("certificates:server", server)


@require_POST
def restore(request: HttpRequest, server: str) -> HttpResponse:
    """The files say again what the port shows."""
    put_files_back(get_object_or_404(Server, name=server), by=request.user)
    messages.success(request, "The files hold again what the port shows.")
    return redirect("certificates:server", server)


@require_http_methods(["GET", "POST"])
def rollback(request: HttpRequest, server: str) -> HttpResponse:
    of = get_object_or_404(Server, name=server)
    former = former_certificate(of)
    if former is None:
        messages.info(request, f"{server} has shown no other certificate before.")
        return redirect("certificates:server", server)
    clients = clients_of(of, former.chain, system_store())
    form = ApplyForm(request.POST or None, asks=bool(clients.broken))
    if request.method == "POST" and (form.is_valid() or not clients.broken):
        roll_back(of, by=request.user)
        return redirect("certificates:server", server)
    context = {
        "server": of,
        "former": former,
        "clients": clients,
        "form": form,
        **_question(of, f"Show {former} of {former.created:%d %b %Y} again?", "Roll back"),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "certificates/rollback.html", context, status=status)


@require_http_methods(["GET", "POST"])
def line(request: HttpRequest, server: str) -> HttpResponse:
    of = get_object_or_404(Server, name=server)
    form = LineForm(of, request.POST or None)
    if request.method == "POST" and form.is_valid() and form.save(by=request.user):
        return redirect("certificates:server", server)
    plain = clients_of(of, "").broken if of.has_tls else ()
    context = {"server": of, "form": form, "plain": plain}
    status = 422 if form.is_bound else 200
    return render(request, "certificates/line.html", context, partial="form", status=status)


@require_safe
def signing_request(request: HttpRequest, server: str, pk: int) -> HttpResponse:
    found = get_object_or_404(SigningRequest, server__name=server, pk=pk)
    return download(found.pem, f"{server}.csr.pem")


def _new(
    request: HttpRequest,
    server: Server,
    *,
    upload: UploadForm | None = None,
    make: MakeForm | None = None,
    watch: WatchForm | None = None,
) -> HttpResponse:
    context = {
        "server": server,
        "names": names_of(server),
        "upload": upload or UploadForm(server),
        "make": make or MakeForm(server),
        "watch": watch or WatchForm(),
        "authority": Authority.objects.current(),
    }
    status = 422 if upload or make or watch else 200
    return render(request, "certificates/new.html", context, partial="ways", status=status)


def _question(server: Server, title: str, button: str) -> dict[str, Any]:
    cancel = reverse("certificates:server", args=[server.name])
    return {"title": title, "button": button, "cancel": cancel}
