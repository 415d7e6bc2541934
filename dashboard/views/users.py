"""Users: the entries of `.htpasswd`."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups.actions import users as actions
from backups.engines.htpasswd import explain_name
from backups.models import Server, User
from backups.queries.hygiene import Book, Standing, book_of, standing_of
from dashboard.alarms import alarm_of
from dashboard.forms.users import EntryForm, UserFilter, UserForm
from dashboard.http import HttpRequest, page_of, render
from dashboard.lines import lines_for
from dashboard.views.secrets import show_once
from dashboard.words import word_of_server

_PAGE = 50
# What only a new password mends.
_URGENT = frozenset({"weak", "unusable", "missing"})


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    servers = list(Server.objects.lasting())
    server = _server_of(request)
    book = book_of(server) if server else Book()
    form = UserFilter(request.GET, servers)
    found = form.apply(book)
    context = {
        "server": server,
        "servers": servers,
        "word": word_of_server(server) if server else None,
        "book": book,
        "form": form,
        "finding": form.finding_in(book),
        "page": Paginator(found, _PAGE).get_page(request.GET.get("page")),
        "count": form.count(len(found), len(book.standings)),
        "bytes": sum(standing.bytes for standing in found),
        **(alarm_of(server, book) if server else {"headline": book.headline}),
    }
    return render(request, "users/index.html", context, partial="users")


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    server = _server_of(request)
    if server is None:
        messages.info(request, "Users belong to a server, and there is none yet.")
        return redirect("servers:create")
    form = UserForm(request.POST or None, initial={"server": server.name})
    if request.method == "POST" and form.is_valid() and (new := form.save(by=request.user)):
        return show_once(request, new)
    context = {"form": form, "server": server}
    status = 422 if form.is_bound else 200
    return render(request, "users/create.html", context, partial="form", status=status)


@require_safe
def show(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = user_of(server, name)
    standing = standing_of(user)
    context = {
        "subject": user,
        "server": user.server,
        "standing": standing,
        "lines": lines_for(user, path=_path_of(standing, request.GET.get("repository", ""))),
        "rotation": user.rotation,
        "urgent": _URGENT,
        "explanation": explain_name(name, is_private=user.server.has_private_repositories),
    }
    return render(request, "users/show.html", context)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = user_of(server, name)
    form = EntryForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save(by=request.user)
        return redirect(user)
    context = {"form": form, "subject": user, "server": user.server}
    status = 422 if form.is_bound else 200
    return render(request, "users/edit.html", context, partial="form", status=status)


@require_POST
def disable(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = user_of(server, name)
    actions.disable_user(user, by=request.user)
    messages.success(request, f"{user} is refused from now on. Its repositories stay.")
    return redirect(page_of(request, user.get_absolute_url()))


@require_POST
def enable(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = user_of(server, name)
    actions.enable_user(user, by=request.user)
    messages.success(request, f"{user} is let in again with the password it had.")
    return redirect(page_of(request, user.get_absolute_url()))


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = user_of(server, name)
    if request.method == "GET":
        context = _question(user, f"Delete {user}?", f"Delete {user}")
        return render(request, "users/delete.html", context | {"standing": standing_of(user)})
    actions.delete_user(user, by=request.user)
    messages.success(request, f"{name} is deleted. Its repositories stay on the disk.")
    return redirect(index_of(user.server))


def user_of(server: str, name: str) -> User:
    users = User.objects.select_related("server")
    return get_object_or_404(users, server__name=server, name=name)


def index_of(server: Server) -> str:
    """The page of the users of one server."""
    return f"{reverse('users:index')}?{urlencode({'server': server.name})}"


def _question(user: User, title: str, button: str) -> dict[str, Any]:
    return {
        "subject": user,
        "server": user.server,
        "title": title,
        "button": button,
        "cancel": user.get_absolute_url(),
    }


def _path_of(standing: Standing, asked: str) -> str:
    """Of the repository that was asked for, else of its first one; an address may say anything."""
    paths = [repository.path for repository in standing.repositories]
    return asked if asked in paths else next(iter(paths), "")


def _server_of(request: HttpRequest) -> Server | None:
    servers = Server.objects.lasting()
    return servers.filter(name=request.GET.get("server", "")).first() or servers.first()
