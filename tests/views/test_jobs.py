"""Jobs: held with who and why, expected as stated, from the page of their host."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backups.models import Event, Job
from tests.factories import make_host, make_job, make_run
from tests.views.pages import html_of


@pytest.fixture
def job(db):
    job = make_job(make_host(name="db-03"), name="pg", state=Job.State.FAILED)
    make_run(job, status="failed", exit_code=12, reason="The password is wrong.")
    return job


def test_a_job_is_paused_and_resumed_from_its_hosts_page(client, job):
    page = client.get("/hosts/db-03/")
    assert f'href="/jobs/{job.pk}/hold/"' in html_of(page)

    answer = client.post(f"/jobs/{job.pk}/hold/", {"hold": "paused", "why": "New <b>disk</b>"})
    html = html_of(client.get(answer["Location"]))
    client.post(f"/jobs/{job.pk}/resumed/")

    assert "Paused by ines: New &lt;b&gt;disk&lt;/b&gt;" in html
    job.refresh_from_db()
    assert (job.state, job.hold) == ("failed", "")
    verbs = Event.objects.filter(noun="job").values_list("verb", flat=True)
    assert list(verbs) == ["resumed", "paused"]


def test_a_snooze_wants_an_end(client, job):
    page = client.post(f"/jobs/{job.pk}/hold/", {"hold": "snoozed"})
    assert page.status_code == 422
    assert "Choose for how long" in html_of(page)

    client.post(f"/jobs/{job.pk}/hold/", {"hold": "snoozed", "hours": "8"})

    job.refresh_from_db()
    assert job.held_until - timezone.now() > timedelta(hours=7)
    assert "Failed, snoozed" in html_of(client.get("/hosts/db-03/"))


def test_only_what_is_ill_can_be_acknowledged(client, job):
    fine = make_job(job.host, name="fine")
    make_run(fine)

    assert client.post(f"/jobs/{fine.pk}/hold/", {"hold": "acknowledged"}).status_code == 422
    client.post(f"/jobs/{job.pk}/hold/", {"hold": "acknowledged", "why": "known"})

    assert "None of 1 hosts" not in (html := html_of(client.get("/hosts/")))
    assert "The one host is well" in html


def test_a_schedule_is_stated_and_one_that_never_comes_refused(client, job):
    form = {"rhythm": "cron", "stated": "61 2 * * *", "minutes": "90"}
    refused = client.post(f"/jobs/{job.pk}/schedule/", form)
    assert refused.status_code == 422
    assert "says no time that comes" in html_of(refused)

    client.post(f"/jobs/{job.pk}/schedule/", form | {"stated": "15 2 * * *"})

    job.refresh_from_db()
    assert (job.rhythm, job.grace, job.due.hour) == ("cron", timedelta(minutes=90), 2)
    assert "cron 15 2 * * *" in html_of(client.get("/hosts/db-03/"))


@pytest.mark.parametrize("minutes", ["", "1", "-5", "9999999", "x"])
def test_an_amount_of_patience_that_is_none_is_refused(client, job, minutes):
    page = client.post(f"/jobs/{job.pk}/schedule/", {"rhythm": "", "minutes": minutes})

    assert page.status_code == 422


def test_the_days_of_a_stated_schedule_are_missed_as_those_of_a_timer(client, job):
    Job.objects.update(rhythm="hours", stated="12", stated_at=timezone.now())
    make_run(job, started=timezone.now() - timedelta(days=4))

    marks = client.get("/hosts/db-03/").context["standing"].lines[0].marks

    assert [state for _, state, _ in marks[-4:-1]] == ["missed"] * 3


@pytest.mark.parametrize("path", ["/jobs/9999/hold/", "/jobs/9999/schedule/"])
def test_a_job_that_is_not_there_is_not_found(client, path):
    assert client.get(path).status_code == 404
