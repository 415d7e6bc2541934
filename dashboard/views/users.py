"""Users: the entries of `.htpasswd`."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups import engines
from backups.actions import users as actions
from backups.actions.users import NewPassword
from backups.engines.errors import EngineError
from backups.models import Server, User
from dashboard.forms.users import UserForm
from dashboard.http import HttpRequest, render

_PAGE = 100


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    server = _server_of(request)
    users = User.objects.filter(server=server).select_related("server")
    if query := request.GET.get("q", "").strip():
        users = users.filter(name__icontains=query) | users.filter(note__icontains=query)
    page = Paginator(users, _PAGE).get_page(request.GET.get("page"))
    context = {
        "server": server,
        "servers": Server.objects.all(),
        "page": page,
        "query": query,
        "entries": _entries(server),
    }
    return render(request, "users/index.html", context, partial="users")


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    form = UserForm(request.POST or None, initial={"server": _server_of(request)})
    if request.method == "POST" and form.is_valid():
        try:
            new = form.save(by=request.user)
        except EngineError as error:
            form.add_error(None, str(error))
        else:
            return _show_once(request, new)
    status = 422 if form.is_bound else 200
    return render(request, "users/create.html", {"form": form}, partial="form", status=status)


@require_safe
def show(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = get_object_or_404(User.objects.select_related("server"), server__name=server, name=name)
    repositories = user.server.repositories.filter(user_name=user.name, is_gone=False)
    context = {"subject": user, "server": user.server, "repositories": repositories}
    return render(request, "users/show.html", context)


@require_http_methods(["GET", "POST"])
def rotate(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = get_object_or_404(User.objects.select_related("server"), server__name=server, name=name)
    if request.method == "GET":
        return render(request, "users/rotate.html", {"subject": user, "server": user.server})
    return _show_once(request, actions.rotate_user(user, by=request.user))


@require_POST
def disable(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = get_object_or_404(User.objects.select_related("server"), server__name=server, name=name)
    actions.disable_user(user, by=request.user)
    messages.success(request, f"{user} is refused from now on. Its repositories stay.")
    return redirect(user)


@require_POST
def enable(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = get_object_or_404(User.objects.select_related("server"), server__name=server, name=name)
    actions.enable_user(user, by=request.user)
    messages.success(request, f"{user} is let in again with the password it had.")
    return redirect(user)


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = get_object_or_404(User.objects.select_related("server"), server__name=server, name=name)
    if request.method == "GET":
        return render(request, "users/delete.html", {"subject": user, "server": user.server})
    actions.delete_user(user, by=request.user)
    messages.success(request, f"{name} is deleted. Its repositories stay on the disk.")
    return redirect("users:index")


def _show_once(request: HttpRequest, new: NewPassword) -> HttpResponse:
    """The answer to the POST itself: a page to come back to would have to keep the password."""
    context = {"subject": new.user, "server": new.user.server, "password": new.password}
    response = render(request, "users/secret.html", context, partial="secret")
    response["Cache-Control"] = "no-store"
    return response


def _server_of(request: HttpRequest) -> Server | None:
    servers = Server.objects.all()
    return servers.filter(name=request.GET.get("server", "")).first() or servers.first()


def _entries(server: Server | None) -> dict[str, object]:
    """What the file says of each name; nothing where the file cannot be read now."""
    if server is None:
        return {}
    try:
        contents = engines.htpasswd_of(server).read()
    except EngineError:
        return {}
    return {entry.name: entry for entry in contents.entries}
