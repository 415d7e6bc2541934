"""Runs: the whole book by day, and one run with its witnesses."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backups.actions.day_sums import count_missing
from backups.actions.run_texts import write_text
from backups.models import Job, Run
from tests.actions.telling import NOW, SNAPSHOT, run_report, tell
from tests.factories import make_host, make_job, make_receipt, make_run, make_unit
from tests.views.pages import html_of


def shown(page):
    return [entry.run for day in page.context["days"] for entry in day.entries]


def test_index_shows_the_newest_first_and_goes_on_by_the_place_not_by_a_number(client):
    job, now = make_job(), timezone.now()
    runs = [make_run(job, started=now - timedelta(hours=n)) for n in range(120)]

    first = client.get("/runs/")
    second = client.get(f"/runs/?before={first.context['older'].replace('+', '%2B')}")

    assert shown(first) == runs[:50]
    make_run(job, started=now)
    assert shown(second) == runs[50:100]


def test_index_gives_a_sum_only_to_days_that_are_whole_on_the_page(client):
    job, noon = make_job(), timezone.now().replace(hour=12)
    for day in range(1, 4):
        for minute in range(20):
            make_run(job, started=noon - timedelta(days=day, minutes=minute))

    days = client.get("/runs/").context["days"]

    assert [day.words for day in days] == ["20 runs, none failed", "20 runs, none failed", ""]


def test_index_filters_by_its_address(client):
    failed = make_run(
        make_job(make_host(name="db-03"), name="pg"), status=Run.Status.FAILED, exit_code=1
    )
    pruned = make_run(make_job(make_host(name="db-04"), name="prune"), kind=Run.Kind.PRUNE)
    old = make_run(make_job(make_host(name="web")), started=timezone.now() - timedelta(days=9))

    def found(query):
        return set(shown(client.get(f"/runs/?{query}")))

    assert found("q=db-0") == {failed, pruned}
    assert found("host=db-03&job=pg") == {failed}
    assert found("status=failed") == {failed}
    assert found("kind=prune") == {pruned}
    assert found("period=7") == {failed, pruned}
    assert found("q=nothing") == set()
    # What it cannot read it leaves out.
    assert found("status=boom&period=x&before=y") == {failed, pruned, old}


def test_index_finds_runs_by_what_they_said_and_by_their_snapshot(client):
    host = make_host(name="web-1")
    said = "open /var/mail/shop/.lock: permission denied"
    tell(host, run_report(output=said, exit_code=1))
    tell(host, run_report(key="2" * 32, started=NOW - timedelta(hours=3)))
    unreadable, plain = Run.objects.order_by("-started")

    def found(text, **filters):
        return shown(client.get("/runs/", {"text": text, **filters}))

    assert found("Permission denied") == found("/var/mail/sho") == [unreadable]
    assert found("permission denied", status="succeeded") == found("denied permission") == []
    assert found(SNAPSHOT[:6]) == [plain]
    assert found("55555") == found("*") == found('"') == found("' OR 1=1") == []
    # A text alone may be looked for once its run is told anew, or gone.
    tell(host, run_report(output="now disk full", exit_code=1, started=NOW - timedelta(hours=1)))
    assert (found("permission denied"), found("disk full")) == ([], [unreadable])
    host.delete()
    assert found("disk full") == []


def test_pages_of_a_search_are_whole_whatever_else_is_asked(client):
    job, other, noon = make_job(), make_job(), timezone.now()
    for number in range(1100):
        run = make_run(
            job if number % 10 else other,
            # Several in a second, and told in another order than they ran.
            started=noon - timedelta(seconds=number * 7 % 500, milliseconds=number % 7),
            status=Run.Status.FAILED,
            exit_code=1,
            reason="The server could not be reached.",
        )
        write_text(run, is_new=True)

    pages, place = [], ""
    while not pages or place:
        asked = {"text": "could not be reach", "job": other.name, "before": place}
        page = client.get("/runs/", asked)
        pages.append(shown(page))
        place = page.context["older"]

    together = [run for page in pages for run in page]
    assert len(together) == len(set(together)) == other.runs.count() == 110
    seconds = [int(run.started.timestamp()) for run in together]
    assert seconds == sorted(seconds, reverse=True)


def test_index_finds_what_runs_now(client):
    job = make_job(state=Job.State.RUNNING)
    run = make_run(job, status=Run.Status.RUNNING, percent=8)
    make_run()

    page = client.get("/runs/?status=running")

    assert shown(page) == [run]
    assert 'value="8"' in html_of(page)


def test_index_follows_the_newest_page_only(client):
    job, now = make_job(), timezone.now()
    for n in range(60):
        make_run(job, started=now - timedelta(hours=n))

    first = client.get("/runs/")
    older = client.get(f"/runs/?before={first.context['older'].replace('+', '%2B')}")

    assert "every 5s" in first.content.decode()
    assert "every 5s" not in older.content.decode()


def test_index_answers_htmx_with_the_book_alone(htmx):
    make_run()

    assert htmx("/runs/?q=db", "runs").template_name == "runs/index.html#runs"


def test_index_asks_as_often_for_one_run_as_for_three(client, queries_of):
    make_run(receipt=make_receipt())
    for_one = queries_of("/runs/")
    make_run(receipt=make_receipt())
    make_run(receipt=make_receipt())

    assert queries_of("/runs/") == for_one


def test_index_never_reads_the_logs(client, django_assert_num_queries):
    make_run(log="line\n" * 10_000)

    assert "log" in shown(client.get("/runs/"))[0].get_deferred_fields()


def test_show_says_why_it_failed_and_what_helps(client):
    run = make_run(
        make_job(make_host(name="db-03"), name="pg"),
        status=Run.Status.FAILED,
        exit_code=12,
        reason="The repository password is wrong.",
        advice="Compare the files; `restic key list` shows which keys exist.",
        log="Fatal: wrong password",
    )

    html = html_of(client.get(f"/runs/{run.pk}/"))

    assert "<b>db-03</b> <b>pg</b> failed" in html
    assert "The repository password is wrong." in html
    assert "<code>restic key list</code>" in html
    assert "Fatal: wrong password" in html


def test_show_never_calls_a_run_arrived_that_only_the_host_speaks_of(client):
    run = make_run(verdict=Run.Verdict.DIFFERS, snapshot_id="4be0c7d2")

    html = html_of(client.get(f"/runs/{run.pk}/"))

    assert "reports success, but nothing arrived" in html
    assert "Arrived" not in html


def test_show_compares_with_the_usual_of_the_job_once_there_is_one(client):
    job, now = make_job(), timezone.now()
    for day in range(1, 7):
        make_run(
            job,
            started=now - timedelta(days=day),
            bytes_processed=10**9,
            files_processed=1000,
            bytes_added=10**6,
        )
    run = make_run(job, started=now, bytes_processed=10**8, files_processed=1000, bytes_added=10**6)

    measures = client.get(f"/runs/{run.pk}/").context["measures"]

    assert {measure.name: measure.is_unusual for measure in measures} == {
        "Took": False,
        "Read": True,
        "Files": False,
        "Added": False,
    }


def test_show_escapes_names_errors_and_log(client):
    evil = "<script>alert(1)</script>"
    run = make_run(
        make_job(name=evil),
        status=Run.Status.WARNING,
        reason=evil,
        advice=f"`{evil}`",
        errors=[[evil, evil]],
        log=evil,
    )

    html = html_of(client.get(f"/runs/{run.pk}/"))

    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;alert") >= 6


def test_show_follows_a_run_only_until_its_end(htmx):
    job = make_job()
    running, ended = make_run(job, status=Run.Status.RUNNING), make_run(job)

    part = htmx(f"/runs/{running.pk}/", "run")

    assert part.template_name == "runs/show.html#run"
    assert "every 5s" in html_of(part)
    assert "every 5s" not in html_of(htmx(f"/runs/{ended.pk}/", "run"))


def test_show_leads_to_the_run_before_and_the_next_of_the_same_job(client):
    job, now = make_job(), timezone.now()
    first, second, third = (
        make_run(job, started=now - timedelta(hours=hours)) for hours in (3, 2, 1)
    )
    make_run(started=now - timedelta(hours=2))

    context = client.get(f"/runs/{second.pk}/").context

    assert (context["earlier"], context["later"]) == (first, third)


@pytest.mark.parametrize("path", ["/runs/", "/runs/{pk}/"])
def test_runs_are_shown_to_who_signed_in_and_never_changed(client, stranger, path):
    path = path.format(pk=make_run().pk)

    assert stranger.get(path)["Location"] == f"/account/login/?next={path}"
    part = stranger.get(path, headers={"HX-Request": "true", "HX-Target": "runs"})
    assert part["HX-Redirect"] == f"/account/login/?next={path}"
    assert client.post(path).status_code == 405


def test_show_gives_the_command_that_helps_on_this_very_host(client):
    unit = make_unit(make_host(name="db-03"), name="restic-backup.service")
    job = make_job(unit.host, unit=unit, repository_url="rest:http://10.0.0.2:8000/db-03/<i>")
    fields = {"status": Run.Status.FAILED, "exit_code": 11, "result": "exit-code"}
    run = make_run(job, **fields, log="unable to create lock: repository is already locked")

    html = html_of(client.get(run.get_absolute_url()))

    assert "restic -r &#x27;rest:http://10.0.0.2:8000/db-03/&lt;i&gt;&#x27; unlock" in html
    fine = html_of(client.get(make_run(job).get_absolute_url()))
    assert "What helps" not in fine


def test_index_counts_what_did_not_come_among_what_is_not_well(client):
    job, noon = make_job(), timezone.now().replace(hour=12) - timedelta(days=1)
    make_run(job, started=noon)
    make_run(job, started=noon, status=Run.Status.FAILED, exit_code=1)
    count_missing(make_job(), timezone.localdate(noon))

    words = [day.words for day in client.get("/runs/").context["days"]]
    of_one_job = [day.words for day in client.get("/runs/?status=failed").context["days"]]

    assert words == ["2 runs, 2 not well: 1 did not come"]
    assert of_one_job == ["1 run, 1 not well"]
