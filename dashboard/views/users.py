"""Users: the entries of `.htpasswd`."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups.actions import users as actions
from backups.actions.users import NewPassword
from backups.hygiene import Book, book_of, standing_of
from backups.models import Server, User
from dashboard.forms.users import UserFilter, UserForm
from dashboard.http import HttpRequest, in_place_of_the_page, page_of, render
from dashboard.lines import lines_for
from dashboard.words import word_of_server

_PAGE = 100


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    servers = list(Server.objects.all())
    server = _server_of(request)
    book = book_of(server) if server else Book()
    form = UserFilter(request.GET, servers)
    found = form.apply(book.standings)
    context = {
        "server": server,
        "servers": servers,
        "word": word_of_server(server) if server else None,
        "book": book,
        "form": form,
        "page": Paginator(found, _PAGE).get_page(request.GET.get("page")),
        "count": form.count(len(found), len(book.standings)),
        "bytes": sum(standing.bytes for standing in found),
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
        return _show_once(request, new)
    context = {"form": form, "server": server}
    status = 422 if form.is_bound else 200
    return render(request, "users/create.html", context, partial="form", status=status)


@require_safe
def show(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = _user_of(server, name)
    context = {
        "subject": user,
        "server": user.server,
        "standing": standing_of(user),
        "lines": lines_for(user),
    }
    return render(request, "users/show.html", context)


@require_http_methods(["GET", "POST"])
def rotate(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = _user_of(server, name)
    if request.method == "POST":
        return _show_once(request, actions.rotate_user(user, by=request.user))
    context = _question(user, f"Rotate the password of {user}?", "Rotate password")
    return render(request, "users/rotate.html", context | {"in_place": True})


@require_POST
def disable(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = _user_of(server, name)
    actions.disable_user(user, by=request.user)
    messages.success(request, f"{user} is refused from now on. Its repositories stay.")
    return redirect(page_of(request, user.get_absolute_url()))


@require_POST
def enable(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = _user_of(server, name)
    actions.enable_user(user, by=request.user)
    messages.success(request, f"{user} is let in again with the password it had.")
    return redirect(page_of(request, user.get_absolute_url()))


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = _user_of(server, name)
    if request.method == "GET":
        context = _question(user, f"Delete {user}?", f"Delete {user}")
        return render(request, "users/delete.html", context | {"standing": standing_of(user)})
    actions.delete_user(user, by=request.user)
    messages.success(request, f"{name} is deleted. Its repositories stay on the disk.")
    return redirect("users:index")


def _show_once(request: HttpRequest, new: NewPassword) -> HttpResponse:
    """The answer to the POST itself: a page to come back to would have to keep the password."""
    context = {
        "subject": new.user,
        "server": new.user.server,
        "password": new.password,
        "lines": lines_for(new.user, new.password),
    }
    response = in_place_of_the_page(render(request, "users/secret.html", context))
    response["Cache-Control"] = "no-store"
    return response


def _question(user: User, title: str, button: str) -> dict[str, Any]:
    return {
        "subject": user,
        "server": user.server,
        "title": title,
        "button": button,
        "cancel": user.get_absolute_url(),
    }


def _user_of(server: str, name: str) -> User:
    users = User.objects.select_related("server")
    return get_object_or_404(users, server__name=server, name=name)


def _server_of(request: HttpRequest) -> Server | None:
    servers = Server.objects.all()
    return servers.filter(name=request.GET.get("server", "")).first() or servers.first()
