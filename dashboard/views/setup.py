"""The first operator of a new house, by the one-time link that `run` prints."""

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from backups.actions import operators
from backups.models import Operator
from dashboard.forms.operators import FirstOperatorForm
from dashboard.http import render


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, token: str) -> HttpResponse:
    if not operators.is_setup_token(token):
        if Operator.objects.exists():
            return redirect("account_login")
        return render(request, "setup/expired.html", status=403)
    form = FirstOperatorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        operator = form.save()
        login(request, operator, "allauth.account.auth_backends.AuthenticationBackend")
        return redirect("overview:index")
    status = 422 if form.is_bound else 200
    return render(request, "setup/show.html", {"form": form}, status=status)
