"""Certificates: the authority of the house, and each certificate that is kept."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups.actions import certificates as actions
from backups.actions.authorities import make_authority
from backups.actions.certificates_apply import apply_certificate
from backups.models import Authority, Certificate, Handshake, Server
from backups.models.certificates import printed
from backups.queries.trust import clients_of, system_store
from dashboard.forms.certificates import ApplyForm
from dashboard.forms.meant import NameForm
from dashboard.http import HttpRequest, render


@dataclass(frozen=True, slots=True)
class Line:
    """One server: what its port showed last, and what was applied here."""

    server: Server
    shown: Handshake | None
    served: Certificate | None

    @property
    def is_amiss(self) -> bool:
        """One that is down is a matter of its server."""
        looked_at = self.server.is_live and self.server.has_tls
        return bool(looked_at and self.shown and self.shown.problem)

    @property
    def print(self) -> str:
        """The beginning of what the port showed."""
        seen = self.shown.fingerprint if self.shown and self.server.has_tls else ""
        return printed(seen)[:9]

    @property
    def is_another(self) -> bool:
        applied = self.served.fingerprint if self.served else ""
        return bool(self.print and self.shown and self.shown.fingerprint != applied)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    servers = list(Server.objects.lasting())
    shown = {shake.server_id: shake for shake in Handshake.objects.all()}
    served = {one.server_id: one for one in Certificate.objects.served().select_related("server")}
    ending = sorted(served.values(), key=lambda certificate: certificate.not_after)
    rows = [Line(server, shown.get(server.pk), served.get(server.pk)) for server in servers]
    context = {
        "rows": rows,
        "amiss": [row for row in rows if row.is_amiss],
        "first_to_end": ending[0] if ending else None,
        "servers": servers,
        "encrypted": [server for server in servers if server.has_tls],
        "exposed": [server for server in servers if not (server.has_tls or server.is_loopback)],
        "authority": Authority.objects.current(),
    }
    return render(request, "certificates/index.html", context)


@require_http_methods(["GET", "POST"])
def authority(request: HttpRequest) -> HttpResponse:
    """Its certificate, for hosts; or its making."""
    if request.method == "POST":
        made = make_authority(by=request.user)
        messages.success(request, f"{made} is made. Bring its certificate to the hosts.")
        return redirect("certificates:index")
    current = Authority.objects.current()
    if current is None:
        raise Http404
    return download(current.chain, "resthouse-ca.pem")


@require_safe
def show(request: HttpRequest, server: str, pk: int) -> HttpResponse:
    return _show(request, _certificate(server, pk))


@require_POST
def apply(request: HttpRequest, server: str, pk: int) -> HttpResponse:
    certificate = _certificate(server, pk)
    checked = actions.check_certificate(certificate)
    clients = clients_of(certificate.server, certificate.chain, system_store())
    form = ApplyForm(request.POST, asks=bool(checked.warnings or clients.broken))
    if not form.is_valid():
        return _show(request, certificate, form)
    apply_certificate(certificate, by=request.user)
    return redirect("certificates:server", server)


@require_safe
def chain(request: HttpRequest, server: str, pk: int) -> HttpResponse:
    return download(_certificate(server, pk).chain, f"{server}.pem")


@require_safe
def root(request: HttpRequest, server: str, pk: int) -> HttpResponse:
    """What a host has to trust: --cacert."""
    certificate = _certificate(server, pk)
    return download(certificate.root or certificate.chain, f"{server}-ca.pem")


@require_http_methods(["GET", "POST"])
def key(request: HttpRequest, server: str, pk: int) -> HttpResponse:
    """The private key, to whoever asks for it by name; the book tells of it."""
    certificate = _certificate(server, pk)
    form = NameForm(certificate.server, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return download(actions.export_key(certificate, by=request.user), f"{server}.key.pem")
    context = {"certificate": certificate, "server": certificate.server, "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "certificates/key.html", context, partial="form", status=status)


def _show(
    request: HttpRequest, certificate: Certificate, form: ApplyForm | None = None
) -> HttpResponse:
    checked = actions.check_certificate(certificate)
    clients = clients_of(certificate.server, certificate.chain, system_store())
    asks = bool(checked.warnings or clients.broken)
    context = {
        "certificate": certificate,
        "server": certificate.server,
        "is_shown": _is_shown(certificate),
        "checked": checked,
        "clients": clients,
        "form": form or ApplyForm(asks=asks),
    }
    status = 422 if form else 200
    return render(request, "certificates/show.html", context, partial="form", status=status)


def _is_shown(certificate: Certificate) -> bool:
    """As the last look at the port found it."""
    server = certificate.server
    looked = Handshake.objects.filter(server=server).exclude(fingerprint="").first()
    is_another = looked is not None and looked.fingerprint != certificate.fingerprint
    return certificate.is_live and server.has_tls and not is_another


def _certificate(server: str, pk: int) -> Certificate:
    rows = Certificate.objects.select_related("server")
    return get_object_or_404(rows, server__name=server, pk=pk)


def download(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="application/x-pem-file")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
