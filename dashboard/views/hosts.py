"""Hosts: the machines that back up."""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups.actions import hosts as actions
from backups.actions.hosts import NewToken
from backups.engines import curl_lines
from backups.engines.pins import pin_shown_at
from backups.models import Host
from backups.queries.fleet import rows_of
from backups.queries.host_standing import standing_of
from dashboard import cells
from dashboard.forms.hosts import HostEditForm, HostFilter, HostForm
from dashboard.http import HttpRequest, in_place_of_the_page, render

# Each line draws thirty days.
_PAGE = 30
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    form = HostFilter(request.GET)
    page = Paginator(form.apply(Host.objects.listed()), _PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "rows": (rows := rows_of(page.object_list)),
        "lines": cells.of_hosts(rows),
        "count": (count := Host.objects.kept().count()),
        "retired": Host.objects.retired().count(),
        "found": f"{page.paginator.count} of {count} hosts",
        "needing": Host.objects.needing_a_look().count(),
    }
    return render(request, "hosts/index.html", context, partial="hosts")


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
    context = {
        "host": host,
        "standing": standing_of(host),
        "units": host.units.defer("text").select_related("job"),
        "without_hook": host.units.without_hook(),
    }
    return render(request, "hosts/show.html", context, partial="host")


@require_http_methods(["GET", "POST"])
def token(request: HttpRequest, name: str) -> HttpResponse:
    """A new command; afterwards its page asks here whether the host has come."""
    host = get_object_or_404(Host, name=name)
    if request.method == "POST":
        return _show_once(request, actions.renew_token(host, by=request.user))
    if not host.token_hash:
        return redirect(host)
    return render(request, "hosts/token.html", {"host": host}, partial="enrolment")


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, name: str) -> HttpResponse:
    host = get_object_or_404(Host, name=name)
    sleep = str(host.may_sleep.days) if host.may_sleep else ""
    said = {"note": host.note, "group": host.group, "tags": host.tags.strip(), "sleep": sleep}
    form = HostEditForm(request.POST or None, initial=said)
    if request.method == "POST" and form.is_valid():
        data = {key: form.cleaned_data[key] for key in ("note", "group", "tags")}
        actions.edit_host(host, **data, may_sleep=form.may_sleep, by=request.user)
        return redirect(host)
    status = 422 if form.is_bound else 200
    return render(request, "hosts/edit.html", {"host": host, "form": form}, status=status)


@require_http_methods(["GET", "POST"])
def retire(request: HttpRequest, name: str) -> HttpResponse:
    host = get_object_or_404(Host.objects.kept(), name=name)
    if request.method == "POST":
        actions.retire_host(host, by=request.user)
        messages.success(request, f"{name} is retired. Its history stays.")
        return redirect(host)
    context = {
        "title": f"Retire {host}?",
        "button": f"Retire {host}",
        "cancel": host.get_absolute_url(),
    }
    return render(request, "hosts/retire.html", context | {"host": host})


@require_POST
def take_back(request: HttpRequest, name: str) -> HttpResponse:
    host = get_object_or_404(Host.objects.retired(), name=name)
    actions.return_host(host, by=request.user)
    messages.success(request, f"{name} is in the fleet again. Give it a new command.")
    return redirect(host)


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
        context = {
            "title": f"Delete {host}?",
            "button": f"Delete {host}",
            "cancel": host.get_absolute_url(),
        }
        return render(request, "hosts/delete.html", context | {"host": host})
    actions.delete_host(host, by=request.user)
    messages.success(request, f"{name} is deleted with its history. Its snapshots stay.")
    return redirect("hosts:index")


def _show_once(request: HttpRequest, new: NewToken) -> HttpResponse:
    """The answer to the POST itself: the token is kept nowhere."""
    url = settings.RESTHOUSE_URL
    pin = pin_shown_at(url)
    context = {
        "host": new.host,
        "pin": pin,
        "command": actions.enrol_command(url, new.token, pin=pin),
        # Python alone would bring the program over a line that it cannot trust yet.
        "without_curl": "" if pin else actions.enrol_command_without_curl(url, new.token),
        "by_curl": curl_lines.enrolment(url, new.token, pin=pin),
        "wrapper": curl_lines.installation(url, pin=pin),
        "is_local": urlsplit(url).hostname in _LOOPBACK,
    }
    response = in_place_of_the_page(render(request, "hosts/token.html", context))
    response["Cache-Control"] = "no-store"
    return response
