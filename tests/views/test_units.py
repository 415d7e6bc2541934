"""Hardening: units of all hosts, and one unit with the line that is wrong."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from backups.actions.hosts import HostFacts
from backups.actions.reports import UnitReport, record_report
from backups.models import Unit
from tests.factories import make_assessment, make_host, make_unit
from tests.views.pages import html_of

SAMPLES = Path(__file__).parents[1] / "samples" / "systemd"
TUTORIAL = """\
# /etc/systemd/system/seed.service
[Service]
Type=oneshot
ExecStart=/usr/bin/restic backup /home
RestrictAddressFamilies=yes
"""


def report(name: str, text: str) -> Unit:
    """A unit as a real host reported it: recorded output of its systemd-analyze."""
    security = (SAMPLES / f"{name}.252.online.debug2.json").read_text()
    unit = security.rpartition('"unit":"')[2].partition('"')[0]
    told = UnitReport(name=unit, text=text, mode="online", security=security, systemd="252")
    host = make_host(name="web-07")
    record_report(host, sent=timezone.now(), facts=HostFacts(systemd="252"), units=(told,))
    return Unit.objects.get()


def test_index_names_wrong_lines_before_any_score(client):
    make_unit(make_host(name="open"), exposure=96, level="UNSAFE")
    make_unit(make_host(name="wrong"), exposure=46, level="OK", finding="Line 5 denies all.")
    make_unit(make_host(name="closed"), exposure=15, level="OK")

    page = client.get("/hardening/")

    assert "One unit has a line that does harm" in html_of(page)
    assert [unit.host.name for unit in page.context["page"]] == ["wrong", "open", "closed"]


def test_index_keeps_hosts_without_systemd_out_of_the_scores(client):
    make_unit(make_host(), exposure=15, level="OK")
    make_host(name="alpine", systemd="")

    page = client.get("/hardening/")

    assert page.context["exposure"].scores == [15]
    html = html_of(page)
    assert "1 host without systemd" in html
    assert "Not applicable" in html


def test_index_filters_and_sorts_by_its_address(client):
    for name, exposure in (("a", 15), ("b", 96), ("c", None)):
        make_unit(make_host(name=name), exposure=exposure, level="OK")

    def names(query):
        return [unit.host.name for unit in client.get(f"/hardening/?{query}").context["page"]]

    assert names("state=open") == ["b"]
    assert names("state=unscored") == ["c"]
    assert names("sort=exposure") == ["a", "b", "c"]
    assert names("q=A") == ["a"]
    assert names("sort=boom&state=boom") == ["b", "a", "c"]


def test_index_answers_htmx_with_the_table_alone(htmx):
    assert htmx("/hardening/", "units").template_name == "units/index.html#units"


def test_index_asks_as_often_for_one_unit_as_for_three(client, queries_of):
    make_unit(exposure=15)
    for_one = queries_of("/hardening/")
    make_unit(exposure=15)
    make_unit(exposure=15)

    assert queries_of("/hardening/") == for_one


def test_show_names_the_line_that_cuts_the_backup_off_before_the_score(client):
    unit = report("seed", TUTORIAL)

    html = html_of(client.get(unit.get_absolute_url()))

    assert "4.6 looks better, but cuts <b>web-07</b> off" in html
    assert "Line 5 denies everything" in html
    assert "<del>RestrictAddressFamilies=yes</del>" in html
    assert "RestrictAddressFamilies=AF_INET AF_INET6</ins>" in html
    assert html.index("Line 5 denies") < html.index("lines would help")
    # The figure that the broken line flatters is not carried on into a promise.
    assert "→ about" not in html


def test_show_lists_what_would_help_and_keeps_apart_what_would_harm(client):
    unit = report("root", "[Service]\nExecStart=/usr/bin/restic backup /home\n")

    html = html_of(client.get(unit.get_absolute_url()))

    assert "stands wide open" in html
    assert "9.6 → about 1.5" in html
    assert html.index("PrivateNetwork=yes") > html.index("would lower the score and harm")


def test_show_draws_the_history_once_there_is_one(client):
    unit = make_unit(make_host(name="web"))
    make_assessment(unit, exposure=15, level="OK", at=timezone.now())
    assert "Until now" not in html_of(client.get(unit.get_absolute_url()))

    make_assessment(unit, exposure=96, at=timezone.now() - timedelta(days=30))

    assert "to 1.5 now." in html_of(client.get(unit.get_absolute_url()))


@pytest.mark.parametrize(
    ("systemd", "words"), [("", "Not applicable"), ("252", "has no score yet")]
)
def test_show_of_a_unit_without_score_shows_neither_nought_nor_ten(client, systemd, words):
    unit = make_unit(make_host(systemd=systemd), exposure=None)

    html = html_of(client.get(unit.get_absolute_url()))

    assert words in html
    assert "0.0" not in html
    assert "10.0" not in html


def test_show_escapes_the_text_of_the_unit(client):
    evil = "<script>alert(1)</script>"
    unit = make_unit(make_host(), text=f"[Service]\n{evil}\n", finding=evil)
    make_assessment(unit, findings=[["unknown-key", "error", 2, evil, evil]])

    html = html_of(client.get(unit.get_absolute_url()))

    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;alert") == 4


def test_units_are_shown_to_who_signed_in_and_never_changed(client, stranger):
    unit = make_unit(make_host(name="web"), name="restic.service")

    for path in ("/hardening/", unit.get_absolute_url()):
        assert stranger.get(path)["Location"] == f"/account/login/?next={path}"
        part = stranger.get(path, headers={"HX-Request": "true", "HX-Target": "units"})
        assert part["HX-Redirect"] == f"/account/login/?next={path}"
        assert client.post(path).status_code == 405
    assert client.get("/hardening/web/other.service/").status_code == 404
