"""Hosts: the machines that back up."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups.actions import hosts as actions
from backups.actions.hosts import NewToken
from backups.days import days_of
from backups.models import Host, Run
from dashboard.forms.hosts import HostForm
from dashboard.http import HttpRequest, render

_PAGE = 50


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    hosts = Host.objects.prefetch_related("jobs", "units")
    if query := request.GET.get("q", "").strip():
        hosts = hosts.filter(name__icontains=query) | hosts.filter(note__icontains=query)
    page = Paginator(hosts, _PAGE).get_page(request.GET.get("page"))
    return render(request, "hosts/index.html", {"page": page, "query": query}, partial="hosts")


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    form = HostForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _show_once(request, actions.add_host(**form.cleaned_data, by=request.user))
    status = 422 if form.is_bound else 200
    return render(request, "hosts/create.html", {"form": form}, partial="form", status=status)


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    host = get_object_or_404(Host, name=name)
    jobs = list(host.jobs.select_related("last_run", "repository", "unit").worst_first())
    days = days_of(jobs)
    runs = Run.objects.filter(job__host=host).select_related("job", "receipt__repository")
    context = {
        "host": host,
        "jobs": [(job, days[job.pk]) for job in jobs],
        "worst": jobs[0] if jobs else None,
        "runs": runs[:20],
        "running": runs.running(),
        "units": host.units.all(),
    }
    return render(request, "hosts/show.html", context, partial="host")


@require_POST
def token(request: HttpRequest, name: str) -> HttpResponse:
    host = get_object_or_404(Host, name=name)
    return _show_once(request, actions.renew_token(host, by=request.user))


@require_POST
def revoke(request: HttpRequest, name: str) -> HttpResponse:
    host = get_object_or_404(Host, name=name)
    actions.revoke_key(host, by=request.user)
    messages.success(request, f"The agent of {host} is refused from now on.")
    return redirect(host)


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, name: str) -> HttpResponse:
    host = get_object_or_404(Host, name=name)
    if request.method == "GET":
        return render(request, "hosts/delete.html", {"host": host})
    actions.delete_host(host, by=request.user)
    messages.success(request, f"{name} is deleted with its history. Its snapshots stay.")
    return redirect("hosts:index")


def _show_once(request: HttpRequest, new: NewToken) -> HttpResponse:
    """The answer to the POST itself: the token is kept nowhere."""
    context = {"host": new.host, "token": new.token}
    response = render(request, "hosts/token.html", context, partial="token")
    response["Cache-Control"] = "no-store"
    return response
