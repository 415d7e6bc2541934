"""Rotations: a new password for a user, at once or without a gap."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backups.actions import users as actions
from backups.actions import users_rotation as rotations
from dashboard.http import HttpRequest, render
from dashboard.views.secrets import show_once
from dashboard.views.users import user_of


@require_http_methods(["GET", "POST"])
def create(request: HttpRequest, server: str, name: str) -> HttpResponse:
    """Rotate at once; the page offers the way without a gap beside it."""
    user = user_of(server, name)
    rotation = user.rotation
    if rotation and rotation.is_open:
        return redirect("users:rotation", server, name)
    if request.method == "POST":
        return show_once(request, actions.rotate_user(user, by=request.user))
    return render(request, "users/rotate.html", {"subject": user, "server": user.server})


@require_POST
def stage(request: HttpRequest, server: str, name: str) -> HttpResponse:
    """Make the new password known to the person alone; the server does not know it yet."""
    new = rotations.stage_rotation(user_of(server, name), by=request.user)
    return show_once(request, new, template="users/staged.html", rotation=new.user.rotation)


@require_safe
def show(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = user_of(server, name)
    rotation = user.rotation
    if rotation is None:
        raise Http404
    context = {"subject": user, "server": user.server, "rotation": rotation}
    return render(request, "users/rotation.html", context, partial="rotation")


@require_POST
def swap(request: HttpRequest, server: str, name: str) -> HttpResponse:
    rotations.swap_rotation(user_of(server, name), by=request.user)
    return redirect("users:rotation", server, name)


@require_POST
def take_back(request: HttpRequest, server: str, name: str) -> HttpResponse:
    user = user_of(server, name)
    rotations.take_back_rotation(user, by=request.user)
    messages.success(request, f"{user} keeps the password it had.")
    return redirect(user)
