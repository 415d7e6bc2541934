"""Hardening: units of all hosts, and one unit with the line that is wrong."""

import shutil
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.utils import timezone

from backups.actions.hosts import HostFacts
from backups.actions.reports import UnitReport, record_report
from backups.engines import systemd, systemd_score
from backups.models import Host, Job, Unit
from tests.factories import make_assessment, make_host, make_job, make_run, make_unit
from tests.rig import missing
from tests.views.pages import html_of

SAMPLES = Path(__file__).parents[1] / "samples" / "systemd"
TUTORIAL = """\
# /etc/systemd/system/seed.service
[Service]
Type=oneshot
ExecStart=/usr/bin/restic backup /home
RestrictAddressFamilies=yes
"""


needs_systemd = pytest.mark.usefixtures("systemd_analyze")


@pytest.fixture
def systemd_analyze() -> None:
    if not shutil.which("systemd-analyze"):
        missing("The scores are those of systemd-analyze: apt-get install systemd.")


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


def test_index_says_what_changed_since_last_time_and_what_stands_most_open(client):
    rows = [
        ["PrivateNetwork", False, 2500, 1, 1, "x"],
        ["ProtectHome", False, 1000, 10, 10, "x"],
        ["UMask", False, 100, 5, 10, "x"],
        ["RemoveIPC", None, 100, 0, 1, "x"],
    ]
    better, worse = make_unit(), make_unit()
    make_assessment(better, exposure=96, at=timezone.now() - timedelta(days=1))
    make_assessment(better, exposure=18, rows=rows)
    make_assessment(worse, exposure=15, at=timezone.now() - timedelta(days=1))
    make_assessment(worse, exposure=20)
    make_unit()

    html = html_of(client.get("/hardening/"))

    assert "\N{MINUS SIGN}7.8" in html
    assert "+0.5" in html
    assert "<code>ProtectHome</code>, <code>UMask</code>" in html


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
    assert "line 4 of <code>/etc/systemd/system/seed.service</code>" in html
    assert "<del>RestrictAddressFamilies=yes</del>" in html
    assert "RestrictAddressFamilies=AF_INET AF_INET6</ins>" in html
    assert html.index("Line 5 denies") < html.index("lines would help")
    # The figure that the broken line flatters is not carried on into a promise.
    assert "→ about" not in html


def test_show_lists_what_would_help_and_keeps_apart_what_would_harm(client):
    unit = report("root", "[Service]\nExecStart=/usr/bin/restic backup /home\n")

    html = html_of(client.get(unit.get_absolute_url()))

    assert "stands wide open" in html
    assert '<p class="figure" id="figure"> 9.6 → 1.9 </p>' in html
    assert html.index("PrivateNetwork=yes") > html.index("would lower the score and harm")


PLAIN = "[Service]\nType=oneshot\nExecStart=/usr/bin/restic backup /home\n"


def chosen(*keys: str, address: str = "") -> str:
    return "?" + urlencode({"chosen": 1, "line": keys, "address": address}, doseq=True)


@pytest.fixture
def plain() -> Unit:
    unit = make_unit(make_host(name="web"), name="restic.service", text=PLAIN)
    make_assessment(unit)
    make_job(unit.host, unit=unit, repository_url="rest:https://192.0.2.10:8000/web/")
    return unit


@needs_systemd
def test_show_scores_what_is_chosen_by_systemd_itself(client, htmx, plain):
    advised = client.get(plain.get_absolute_url())
    assert advised.context["choice"].after.exposure == 18
    assert "IPAddressAllow=localhost 192.0.2.10" in html_of(advised)

    part = htmx(plain.get_absolute_url() + chosen("UMask", "ProtectHome"), "choice")

    assert part.template_name == "units/show.html#choice"
    assert (
        part.context["choice"].after.exposure
        == systemd.score_unit(
            PLAIN, dropin="[Service]\nUMask=0077\nProtectHome=read-only\n"
        ).exposure
    )
    html = html_of(part)
    assert "2 of " in html
    assert "NoNewPrivileges=yes </pre>" not in html


@needs_systemd
def test_show_answers_a_choice_that_was_asked_before_from_memory(client, plain, monkeypatch):
    address = plain.get_absolute_url() + chosen("UMask")
    before = client.get(address).context["choice"].after.exposure
    monkeypatch.setattr(systemd_score, "_run", lambda *_: pytest.fail("it was run again"))

    assert client.get(address).context["choice"].after.exposure == before


@needs_systemd
def test_show_of_nothing_chosen_has_no_drop_in(client, plain):
    page = client.get(plain.get_absolute_url() + chosen())

    assert "Nothing is chosen" in html_of(page)
    assert page.context["choice"].after.exposure == 96
    assert client.get(f"{plain.get_absolute_url()}drop-in/{chosen()}").status_code == 404


@needs_systemd
def test_show_warns_of_a_chosen_line_that_loses_files(client, plain):
    html = html_of(client.get(plain.get_absolute_url() + chosen("ProtectHome=yes")))

    # Beside the line, beside the score, and in the words of a screen reader.
    assert html.count("Loses /home and /root, with exit 0") == 3
    assert 'id="line-PrivateUsers" aria-label="PrivateUsers=full" disabled' in html
    assert "Needs systemd 258, web has 252" in html


@pytest.mark.parametrize("address", ["rest.example.org", "999.1.1.1", "x" * 300])
def test_show_refuses_a_name_where_systemd_takes_numbers(client, plain, address):
    page = client.get(plain.get_absolute_url() + chosen("IPAddressDeny", address=address))

    assert page.status_code == 422
    assert page.context["form"].errors["address"]
    assert "IPAddressDeny" not in page.context["choice"].dropin
    broken = client.get(f"{plain.get_absolute_url()}drop-in/{chosen('UMask', address=address)}")
    assert broken.status_code == 404


@needs_systemd
def test_show_asks_again_soon_after_systemd_failed(client, plain, monkeypatch):
    address = plain.get_absolute_url() + chosen("UMask")
    with monkeypatch.context() as patched:
        patched.setattr(systemd_score, "TIMEOUT", 0.0)
        assert "took too long" in html_of(client.get(address))
    cache.clear()

    assert client.get(address).context["choice"].after.exposure == 96


def test_show_stands_the_score_beside_the_files_of_the_last_run(client, plain):
    make_run(plain.job, files_processed=48_210, bytes_processed=12_400_000_000)

    html = html_of(client.get(plain.get_absolute_url()))

    assert "48,210 files, 12.4 GB" in html


@needs_systemd
def test_show_offers_a_newer_host_its_own_line_and_says_who_scored(client, plain):
    Host.objects.update(systemd="300 (300.1)")

    html = html_of(client.get(plain.get_absolute_url()))

    assert "PrivateUsers=full </pre>" in html
    assert "has 300, and may obey" in html


def test_show_ignores_lines_that_it_does_not_know(client, plain):
    page = client.get(plain.get_absolute_url() + chosen("ExecStart=/bin/sh", "UMask"))

    assert "/bin/sh" not in page.context["choice"].dropin


@needs_systemd
def test_show_of_the_tutorials_line_says_the_score_of_the_right_one(client):
    unit = report("seed", TUTORIAL)

    choice = client.get(unit.get_absolute_url()).context["choice"]

    assert choice.repaired.exposure > choice.base.exposure
    assert "RestrictAddressFamilies=\nRestrictAddressFamilies=AF_INET AF_INET6" in choice.dropin


def test_show_without_systemd_here_still_gives_the_drop_in(client, plain, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    systemd.version.cache_clear()
    Unit.objects.update(text=PLAIN + "# another\n")

    html = html_of(client.get(plain.get_absolute_url()))

    assert "install the package systemd" in html
    assert "→" not in html.split('id="figure"')[-1][:40] or 'id="figure"' not in html


@needs_systemd
def test_show_of_a_unit_that_systemd_refuses_says_so(client, plain):
    Unit.objects.update(text="[Service]\nType=oneshot\n")

    assert "it has no ExecStart= line" in html_of(client.get(plain.get_absolute_url()))


def test_dropin_is_a_file_of_what_was_chosen(client, plain):
    file = client.get(f"{plain.get_absolute_url()}drop-in/{chosen('UMask')}")

    assert file["Content-Disposition"] == 'attachment; filename="50-hardening.conf"'
    assert file.content.decode() == (
        "# /etc/systemd/system/restic.service.d/50-hardening.conf\n[Service]\nUMask=0077\n"
    )


@needs_systemd
def test_whole_is_for_the_paths_the_schedule_and_the_server_of_the_host(client, plain):
    start = "ExecStart=/usr/bin/restic --cacert /etc/ca.pem backup --exclude /tmp /home '/srv/a b'"
    Unit.objects.update(text=f"[Service]\nType=oneshot\n{start}\n")
    Job.objects.update(schedule="*-*-* 04:10:00")
    page = client.get(f"{plain.get_absolute_url()}whole/")

    unit, timer, report = page.context["files"].values()

    assert page.context["scored"].exposure == 15
    assert '  /home "/srv/a b"\n' in unit
    assert "LoadCredential=ca.pem:/etc/ca.pem\n" in unit
    assert "IPAddressAllow=localhost 192.0.2.10\n" in unit
    assert "OnCalendar=*-*-* 04:10:00\n" in timer
    assert "report %i" in report
    assert page.context["commands"].undo.count("restic.timer") >= 2
    there = client.get(f"{plain.get_absolute_url()}whole/?chosen=1&address=198.51.100.7")
    assert "IPAddressAllow=localhost 198.51.100.7\n" in next(iter(there.context["files"].values()))
    assert client.get(f"{plain.get_absolute_url()}whole/?chosen=1&address=x").status_code == 422
    file = client.get(f"{plain.get_absolute_url()}whole/?file=restic.timer")
    assert file.content.decode() == timer
    assert client.get(f"{plain.get_absolute_url()}whole/?file=../passwd").status_code == 404


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


def test_index_draws_how_a_score_went_and_only_where_it_went_anywhere(client):
    now = timezone.now()
    steady, moved, old = (make_unit(make_host(name=name)) for name in ("a", "b", "c"))
    make_assessment(steady, exposure=96, at=now - timedelta(days=40))
    make_assessment(steady, exposure=96, at=now - timedelta(days=4))
    for exposure, days in ((96, 400), (57, 45), (15, 9)):
        make_assessment(moved, exposure=exposure, at=now - timedelta(days=days))
    make_assessment(old, exposure=96, at=now - timedelta(days=400))
    make_assessment(old, exposure=15, at=now - timedelta(days=300))

    page = client.get("/hardening/?sort=host")

    trends = [unit.trend for unit in page.context["page"]]
    assert trends[0] == trends[2] == ()
    assert (trends[1][0], trends[1][-1], set(trends[1])) == (96, 15, {96, 57, 15})
    # Half of the ninety days ago.
    assert trends[1].index(57) == 15
    assert html_of(page).count('aria-label="From 9.6 to 1.5"') == 1


def test_index_is_of_hosts_that_are_not_retired(client):
    make_unit(make_host(name="gone", retired=timezone.now()), exposure=96, level="UNSAFE")

    assert not client.get("/hardening/").context["page"].object_list


@needs_systemd
def test_lines_that_another_program_may_need_wait_for_the_operator(client):
    hook = "ExecStartPre=/usr/bin/pg_dumpall -f /srv/all.sql\n"
    text = f"[Service]\n{hook}ExecStart=/usr/bin/restic backup /srv\nExecStopPost=/bin/true\n"
    unit = make_unit(make_host(name="db", systemd="252"), name="backup.service", text=text)

    page = client.get(unit.get_absolute_url())

    html = html_of(page)
    assert "The unit also runs <b>pg_dumpall</b>" in html
    options = {option.key: option for option in page.context["choice"].options}
    assert not options["ProtectSystem"].is_chosen
    assert "7 more wait for your word" in html
    waiting = {option.key for option in page.context["choice"].held_back}
    assert waiting == {
        *("ProtectSystem", "ProtectHome", "CapabilityBoundingSet", "NoNewPrivileges"),
        *("SystemCallFilter", "RestrictAddressFamilies", "IPAddressDeny"),
    }
    assert not waiting & {option.key for option in page.context["choice"].helpful}
    assert options["PrivateDevices"].is_chosen
    assert "SystemCallFilter" not in page.context["choice"].dropin
    whole = html_of(client.get(f"{unit.get_absolute_url()}whole/"))
    assert "It does one thing, a backup." in whole
    assert "pg_dumpall." in whole


@needs_systemd
def test_a_drop_in_of_a_later_name_has_the_last_word(client):
    folder = "/etc/systemd/system/backup.service.d"
    text = (
        "# /etc/systemd/system/backup.service\n[Service]\nExecStart=/usr/bin/restic backup /srv\n"
        f"\n# {folder}/10-own.conf\n[Service]\nPrivateTmp=no\n"
        f"\n# {folder}/99-last.conf\n[Service]\nProtectHome=no\n"
    )
    unit = make_unit(make_host(name="db", systemd="252"), name="backup.service", text=text)

    def score(*lines):
        query = urlencode({"chosen": 1, "line": lines}, doseq=True)
        return client.get(f"{unit.get_absolute_url()}?{query}").context["choice"].after.exposure

    assert score() == score("ProtectHome") == 96
    assert score("PrivateTmp") == 92


@needs_systemd
def test_a_line_that_may_close_an_unknown_repository_says_so(client):
    text = "[Service]\nEnvironmentFile=/etc/env\nExecStart=/usr/bin/restic backup /srv\n"
    unit = make_unit(make_host(name="db", systemd="252"), name="backup.service", text=text)

    def cost():
        options = client.get(unit.get_absolute_url()).context["choice"].options
        return next(option.cost for option in options if option.key == "ProtectSystem")

    assert "a folder here could not be written" in cost()
    make_job(unit.host, unit=unit, repository_url="rest:https://192.0.2.10:8000/db/")
    assert "a folder here" not in cost()
