"""Hosts: the fleet, one host with its two witnesses, its one-time command."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from backups.models import Event, Host, Job, Run
from tests.factories import (
    make_assessment,
    make_host,
    make_job,
    make_receipt,
    make_repository,
    make_run,
    make_server,
    make_unit,
)
from tests.views.pages import html_of

PAGES = ["/hosts/", "/hosts/new/", "/hosts/db-03/", "/hosts/db-03/delete/"]
POSTS = ["/hosts/db-03/token/", "/hosts/db-03/revocation/"]


@pytest.fixture
def host():
    return make_host(name="db-03")


def test_index_says_how_many_need_a_look_and_puts_them_first(client):
    make_job(make_host(name="a-fine"))
    make_job(make_host(name="z-failed"), state=Job.State.FAILED)
    make_unit(make_host(name="y-wrong"), exposure=46, level="OK", finding="Line 14 denies all.")
    make_host(name="x-silent", reported=timezone.now() - timedelta(hours=3))

    page = client.get("/hosts/")

    assert "3 of 4 hosts need a look" in html_of(page)
    assert [row.host.name for row in page.context["rows"]][-1] == "a-fine"
    words = {row.host.name: row.words for row in page.context["rows"]}
    assert words == {
        "a-fine": "Arrived",
        "z-failed": "Failed",
        "y-wrong": "Its unit is wrong",
        "x-silent": "Silent",
    }


def test_index_filters_and_sorts_by_its_address(client):
    for name, exposure in (("a", 15), ("b", 96), ("c", None)):
        make_unit(make_host(name=name), exposure=exposure)

    def names(query):
        return [row.host.name for row in client.get(f"/hosts/?{query}").context["rows"]]

    assert names("sort=-exposure") == ["b", "a", "c"]
    assert names("sort=name&q=B") == ["b"]
    assert names("state=silent") == []
    # What it cannot read it leaves out.
    assert names("sort=boom&state=boom&page=boom") == ["a", "b", "c"]


def test_index_never_calls_a_host_without_systemd_closed_or_open(client):
    make_host(name="alpine", systemd="")

    html = html_of(client.get("/hosts/"))

    assert "not applicable" in html
    assert "0.0" not in html


def test_index_answers_htmx_with_the_table_alone(htmx, host):
    assert htmx("/hosts/", "hosts").template_name == "hosts/index.html#hosts"


def test_index_asks_as_often_for_one_host_as_for_three(client, queries_of):
    make_run(make_job(make_host()))
    for_one = queries_of("/hosts/")
    make_run(make_job(make_host()))
    make_run(make_job(make_host()))

    assert queries_of("/hosts/") == for_one


def test_create_shows_the_command_once_and_keeps_only_a_hash(client):
    page = client.post("/hosts/new/", {"name": "db-03", "note": "rack 2"})

    assert page.template_name == "hosts/token.html"
    assert "no-store" in page["Cache-Control"]
    token = page.context["command"].split()[-1]
    assert token in html_of(page)
    assert token not in html_of(client.get("/hosts/db-03/token/"))
    assert token not in str(Host.objects.values().get())
    assert Event.objects.filter(verb="added", name="db-03", by_name="ines").exists()


@pytest.mark.parametrize("name", ["", "two words", "../etc", "db-03"])
def test_create_refuses_a_name_that_is_none_or_taken(htmx, host, name):
    part = htmx("/hosts/new/", "form", method="post", data={"name": name})

    assert part.status_code == 422
    assert part.template_name == "hosts/create.html#form"
    assert list(Host.objects.values_list("name", flat=True)) == ["db-03"]


def test_show_compares_what_the_host_says_with_what_the_disk_shows(client, host):
    server = make_server(name="house-main")
    repository = make_repository(server, path="db-03/pg", user_name="db-03")
    make_receipt(repository, arrived=timezone.now() - timedelta(days=2))
    job = make_job(host, repository=repository, state=Job.State.DIFFERS)
    make_run(job, verdict=Run.Verdict.DIFFERS, snapshot_id="4be0c7d2")
    make_repository(server, path="db-03/pg-test", user_name="db-03", last_arrived=timezone.now())

    html = html_of(client.get("/hosts/db-03/"))

    assert "</b> reports success, but nothing arrives" in html
    assert "4be0c7d2" in html
    assert "the backups land in db-03/pg-test" in html


def test_show_of_a_waiting_host_offers_one_command_and_no_witnesses(client):
    make_host(name="new-01", enrolled=None, reported=None, key_hash="", systemd="")

    html = html_of(client.get("/hosts/new-01/"))

    assert "has not reported yet" in html
    assert html.partition("<dialog")[0].count('class="primary"') == 1
    assert 'class="witnesses"' not in html


@pytest.mark.parametrize(
    ("offset", "words"), [(0, "agrees with ours"), (400, "7 min ahead"), (-40, "40 s behind")]
)
def test_show_tells_when_a_clock_is_wrong(client, host, offset, words):
    host.clock_offset = timedelta(seconds=offset)
    host.save()

    html = html_of(client.get("/hosts/db-03/"))

    assert words in html
    # What a report takes on its way is no fault of the clock.
    assert ("timedatectl set-ntp true" in html) == (offset == 400)


def test_show_escapes_what_the_host_says(client, host):
    job = make_job(host, name="<i>job</i>", reason="<b>boom</b>", state=Job.State.FAILED)
    make_run(job, status=Run.Status.FAILED, exit_code=1)
    make_assessment(make_unit(host, name="<u>.service"), exposure=96)
    host.os = "<script>alert(1)</script>"
    host.save()

    html = html_of(client.get("/hosts/db-03/"))

    assert not {"<i>job", "<b>boom", "<u>.service", "<script>alert"} & set(html.split('"'))
    assert "<script>alert" not in html
    assert "<i>job" not in html
    assert "<b>boom" not in html


def test_show_fetches_itself_and_follows_a_run(htmx, host):
    make_run(make_job(host, state=Job.State.RUNNING), status=Run.Status.RUNNING, percent=63)

    part = htmx("/hosts/db-03/", "host")

    assert part.template_name == "hosts/show.html#host"
    assert 'value="63"' in html_of(part)


def test_show_asks_as_often_for_one_job_as_for_three(client, queries_of, host):
    make_run(make_job(host))
    for_one = queries_of("/hosts/db-03/")
    make_run(make_job(host))
    make_run(make_job(host))

    assert queries_of("/hosts/db-03/") == for_one


def test_token_of_an_enrolled_host_keeps_its_key_until_the_new_one_is_used(client, host):
    key_hash = host.key_hash

    client.post("/hosts/db-03/token/")

    host.refresh_from_db()
    assert host.token_hash
    assert host.key_hash == key_hash


def test_token_waits_for_the_host_and_then_leads_to_its_page(htmx, host):
    htmx("/hosts/db-03/token/", "main", method="post")
    assert htmx("/hosts/db-03/token/", "enrolment").template_name == "hosts/token.html#enrolment"

    Host.objects.update(token_hash="")

    assert htmx("/hosts/db-03/token/", "enrolment", follow=True)["HX-Redirect"] == "/hosts/db-03/"


def test_the_command_comes_in_every_form_once_and_is_kept_nowhere(client, host):
    page = client.post("/hosts/db-03/token/")

    html = html_of(page)
    token = re.search(r"--token (\w{48})", html)[1]
    assert html.count(token) == 3
    assert "resthouse-run" in html
    assert page["Cache-Control"] == "no-store"
    assert token not in html_of(client.get("/hosts/db-03/token/"))


def test_a_job_that_came_after_the_enrolment_is_named_with_the_command_for_its_hook(client, host):
    hooked = make_job(
        host, unit=make_unit(host, name="a.service", text="OnFailure=resthouse-report@%N")
    )
    make_job(host, name="later", unit=make_unit(host, name="later.service", text="[Service]"))

    html = html_of(client.get("/hosts/db-03/"))

    assert "later.service came after the enrolment: its end is told within five minutes" in html
    assert "resthouse-agent hook" in html
    hooked.host.units.filter(name="later.service").delete()
    assert "resthouse-agent hook" not in html_of(client.get("/hosts/db-03/"))


def test_a_host_without_an_agent_is_not_silent_between_its_backups(client):
    make_host(name="nas", agent="curl", systemd="", reported=timezone.now() - timedelta(days=2))

    html = html_of(client.get("/hosts/nas/"))

    assert "Silent since" not in html
    assert "none, curl reported" in html
    assert not Host.objects.needing_a_look().exists()


def test_revoke_refuses_the_agent_and_keeps_its_history(client, host):
    run = make_run(make_job(host))

    answer = client.post("/hosts/db-03/revocation/")

    assert answer["Location"] == "/hosts/db-03/"
    host.refresh_from_db()
    assert (host.key_hash, host.is_enrolled) == ("", False)
    assert Run.objects.get() == run
    assert "is refused: its key was revoked" in html_of(client.get("/hosts/db-03/"))


def test_delete_asks_first_and_leaves_the_receipts_of_the_disk(client, host):
    receipt = make_receipt()
    make_run(make_job(host), receipt=receipt)

    assert "Delete db-03?" in html_of(client.get("/hosts/db-03/delete/"))
    assert Host.objects.exists()

    assert client.post("/hosts/db-03/delete/")["Location"] == "/hosts/"
    assert not Host.objects.exists()
    assert not Run.objects.exists()
    receipt.refresh_from_db()


@pytest.mark.parametrize("path", ["/hosts/", "/hosts/db-03/"])
def test_pages_that_only_show_refuse_to_be_posted_to(client, host, path):
    assert client.post(path).status_code == 405


def test_revoke_is_never_a_mere_visit(client, host):
    assert client.get("/hosts/db-03/revocation/").status_code == 405
    assert Host.objects.get().is_enrolled


@pytest.mark.parametrize("path", [*PAGES, *POSTS])
def test_nobody_sees_or_changes_a_host_signed_out(stranger, host, path):
    answer = stranger.post(path) if path in POSTS else stranger.get(path)

    assert answer["Location"] == f"/account/login/?next={path}"
    assert Host.objects.get().is_enrolled
    part = stranger.get(path, headers={"HX-Request": "true", "HX-Target": "host"})
    assert part["HX-Redirect"].startswith("/account/login/?next=")


def test_a_host_that_is_not_there_is_not_found(client):
    assert client.get("/hosts/nobody/").status_code == 404


def test_edit_gives_a_host_a_group_and_tags_to_be_found_by(client, host):
    make_host(name="web-01")

    form = {"group": "Berlin", "tags": "Postgres, rack-2 postgres", "sleep": "3", "note": ""}
    client.post("/hosts/db-03/edit/", form)

    def names(query):
        return [row.host.name for row in client.get(f"/hosts/?{query}").context["rows"]]

    assert names("tag=postgres") == names("group=Berlin") == names("q=rack-2") == ["db-03"]
    # A part of a tag is none, and what nobody carries is left out.
    assert names("tag=rack") == ["db-03", "web-01"]
    host.refresh_from_db()
    assert (host.tag_list, host.may_sleep) == (["postgres", "rack-2"], timedelta(days=3))
    assert 'href="/hosts/?tag=rack-2"' in html_of(client.get("/hosts/db-03/"))


@pytest.mark.parametrize(
    "form", [{"tags": "<b>"}, {"tags": "a b c d e f g h i j"}, {"group": "x" * 51}, {"sleep": "9"}]
)
def test_edit_refuses_what_is_no_tag_and_no_group(client, host, form):
    assert client.post("/hosts/db-03/edit/", form).status_code == 422


def test_a_retired_host_keeps_its_history_and_leaves_every_figure(client, host):
    make_host(name="web-01")
    make_unit(host, exposure=96, level="UNSAFE", finding="Line 14 denies all.")
    job = make_job(host, state=Job.State.FAILED, name="pg")
    run = make_run(job, status=Run.Status.FAILED, exit_code=1)

    client.post("/hosts/db-03/retirement/")

    fleet, apart = client.get("/hosts/"), client.get("/hosts/?state=retired")
    assert [row.host.name for row in fleet.context["rows"]] == ["web-01"]
    assert "1 retired host" in html_of(fleet)
    assert [row.words for row in apart.context["rows"]] == ["Retired"]
    assert "</b> is retired" in (html := html_of(client.get("/hosts/db-03/")))
    assert run.get_absolute_url() in html
    assert "need" not in html_of(client.get("/")).partition("</h1>")[0].partition("<h1>")[2]
    host.refresh_from_db()
    assert (host.key_hash, Event.objects.filter(verb="retired").count()) == ("", 1)


def test_a_retired_host_is_taken_back(client, host):
    host.retired = timezone.now()
    host.save()

    client.post("/hosts/db-03/returned/")

    assert [row.host.name for row in client.get("/hosts/").context["rows"]] == ["db-03"]
    assert client.post("/hosts/db-03/returned/").status_code == 404
