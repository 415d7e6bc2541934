"""The overview: what needs somebody, how every job stands, and the first steps of a new house."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backups.models import Job, Run, Server
from tests.factories import (
    make_assessment,
    make_host,
    make_job,
    make_receipt,
    make_repository,
    make_run,
    make_server,
    make_unit,
    make_user,
)
from tests.views.pages import html_of


@pytest.fixture
def docker_away(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


def backed_up(name="db-03"):
    """A host whose only backup was told by it and seen on the disk."""
    host = make_host(name=name)
    unit = make_unit(host)
    make_assessment(unit, exposure=15, level="OK")
    repository = make_repository()
    job = make_job(host, unit=unit, repository=repository, last_arrived=timezone.now())
    receipt = make_receipt(repository)
    make_run(job, verdict=Run.Verdict.AGREED, receipt=receipt, bytes_added=10**9)
    return job


def test_index_of_a_new_house_offers_the_first_of_three_steps(client, docker_away):
    page = client.get("/")

    assert page.template_name == "overview/empty.html"
    html = html_of(page)
    assert "Nobody can back up yet" in html
    assert html.count("button primary") == 1
    assert 'href="/servers/new/"' in html


def test_index_opens_one_step_after_the_other(client):
    server = make_server()
    assert 'href="/users/new/"' in html_of(client.get("/"))

    make_user(server)
    html = html_of(client.get("/"))
    assert 'href="/hosts/new/"' in html
    assert 'href="/users/new/"' not in html
    assert "Nobody can back up yet" not in html


def test_index_does_not_go_on_while_the_server_could_not_be_made(client):
    make_server(status=Server.Status.UNMADE, reason="No space left on the disk.", live_since=None)

    html = html_of(client.get("/"))

    assert "No space left on the disk." in html
    assert "button primary" in html
    assert 'href="/users/new/"' not in html


def test_index_shows_a_host_its_backup_and_its_score_by_the_next_fetch(client, htmx):
    make_user(make_server())
    assert b"db-03" not in client.get("/").content

    backed_up("db-03")
    part = htmx("/", "overview")

    assert part.template_name == "overview/index.html#overview"
    html = html_of(part)
    assert "<title>Everything arrived" in html
    assert "db-03" in html
    assert "1.5" in html
    assert "<html" not in html


def test_index_counts_what_needs_somebody_with_one_filled_button(client):
    backed_up()
    for name in ("mail-01", "web-07"):
        job = make_job(make_host(name=name), state=Job.State.FAILED, reason="The key is wrong.")
        make_run(job, status=Run.Status.FAILED, exit_code=1)

    html = html_of(client.get("/"))

    assert "2 things need you" in html
    assert html.count("button primary") == 1
    assert "<b>mail-01</b> failed to back up" in html


@pytest.mark.parametrize("state", [Job.State.FAILED, Job.State.MISSED, Job.State.DIFFERS])
def test_index_is_never_calm_while_a_job_is_not_well(client, state):
    backed_up()
    make_job(state=state)

    html = html_of(client.get("/"))

    assert "Everything arrived" not in html
    assert "balanced" not in html


def test_index_does_not_claim_an_arrival_before_the_first_run(client):
    make_job(state=Job.State.NEW, due=timezone.now() + timedelta(hours=3))

    html = html_of(client.get("/"))

    assert "Waiting for the first backup" in html
    assert "Everything arrived" not in html


def test_index_escapes_what_hosts_say(client):
    make_job(
        make_host(name="db-03"),
        name="<script>alert(1)</script>",
        state=Job.State.FAILED,
        reason="<b>boom</b>",
    )

    html = html_of(client.get("/"))

    assert "<script>alert" not in html
    assert "<b>boom" not in html


def test_index_asks_as_often_for_one_job_as_for_three(client, queries_of):
    backed_up("a")
    for_one = queries_of("/")
    backed_up("b")
    backed_up("c")

    assert queries_of("/") == for_one


def test_index_leads_who_is_signed_out_to_the_door_and_back(stranger):
    assert stranger.get("/")["Location"] == "/account/login/?next=/"

    part = stranger.get("/", headers={"HX-Request": "true", "HX-Target": "overview"})
    assert part["HX-Redirect"] == "/account/login/?next=/"


def test_index_only_shows(client):
    assert client.post("/").status_code == 405
