"""Jobs: held for a while, and expected as somebody states."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from backups.actions import expectations, holds
from backups.models import Job
from dashboard.forms.jobs import ExpectationForm, HoldForm
from dashboard.http import HttpRequest, render


@require_http_methods(["GET", "POST"])
def hold(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(Job.objects.select_related("host"), pk=pk)
    form = HoldForm(job, request.POST or None)
    if request.method == "POST" and form.is_valid():
        _hold(request, job, form)
        return redirect(job)
    status = 422 if form.is_bound else 200
    return render(request, "jobs/hold.html", {"job": job, "form": form}, status=status)


@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    job = holds.resume_job(get_object_or_404(Job, pk=pk), by=request.user)
    messages.success(request, f"{job.name} is watched again.")
    return redirect(job)


@require_http_methods(["GET", "POST"])
def expect(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(Job.objects.select_related("host"), pk=pk)
    minutes = int(job.grace.total_seconds() // 60)
    initial = {"rhythm": job.rhythm, "stated": job.stated, "minutes": minutes}
    form = ExpectationForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        job = expectations.expect_runs(
            job, data["rhythm"], data["stated"], grace=form.grace, by=request.user
        )
        return redirect(job)
    status = 422 if form.is_bound else 200
    return render(request, "jobs/expectation.html", {"job": job, "form": form}, status=status)


def _hold(request: HttpRequest, job: Job, form: HoldForm) -> None:
    why, by = form.cleaned_data["why"], request.user
    match form.cleaned_data["hold"]:
        case Job.Hold.PAUSED:
            holds.pause_job(job, why=why, until=form.until, by=by)
        case Job.Hold.ACKNOWLEDGED:
            holds.acknowledge_job(job, why=why, by=by)
        case _ if form.until:
            holds.snooze_job(job, why=why, until=form.until, by=by)
